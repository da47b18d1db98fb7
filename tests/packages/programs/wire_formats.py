# needs: python3-simplejson python3-msgpack python3-cbor2 python3-xmltodict python3-jsonpickle python3-jsonpatch python3-json-pointer
# packages: simplejson msgpack cbor2 xmltodict jsonpickle jsonpatch jsonpointer
"""Messages in every wire format: hooks, encoders of our own, extension
types, streams, handlers in a registry, patches, pointers, errors."""
import collections
import datetime
import decimal
import io
import uuid

import cbor2
import jsonpatch
import jsonpickle
import jsonpickle.handlers
import jsonpointer
import msgpack
import msgpack.fallback
import simplejson
import simplejson.scanner
import xmltodict
from cbor2 import CBORSimpleValue, CBORTag, shareable_encoder
from jsonpatch import JsonPatchConflict, JsonPatchTestFailed, PatchOperation
from jsonpickle import tags, unpickler
from jsonpickle.pickler import Pickler
from jsonpointer import EndOfList, JsonPointerException
from msgpack import ExtType, Timestamp
from msgpack.exceptions import ExtraData, OutOfData
from simplejson.encoder import JSONEncoderForHTML
from simplejson.raw_json import RawJSON


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def for_json(self):
        return [self.x, self.y]


@jsonpickle.handlers.register(Point)
class PointHandler(jsonpickle.handlers.BaseHandler):
    def flatten(self, obj, data):
        data["at"] = [obj.x, obj.y]
        return data

    def restore(self, data):
        return Point(*data["at"])


class Encoder(simplejson.JSONEncoder):
    def default(self, o):
        return sorted(o) if isinstance(o, set) else super().default(o)


class Multiply(PatchOperation):
    def apply(self, obj):
        sub, part = self.pointer.to_last(obj)
        sub[part] *= self.operation["by"]
        return obj


class Patch(jsonpatch.JsonPatch):
    operations = dict(jsonpatch.JsonPatch.operations, multiply=Multiply)


def packed(value):
    if isinstance(value, Point):
        return ExtType(5, bytes([value.x, value.y]))
    raise TypeError("cannot pack " + type(value).__name__)


@shareable_encoder
def cbor_point(encoder, value):
    encoder.encode(CBORTag(4000, [value.x, value.y])
                   if isinstance(value, Point) else None)


def cbor_hook(decoder, tag):
    return Point(*tag.value) if tag.tag == 4000 else tag


def jsons():
    print(simplejson.dumps({"d": decimal.Decimal("1.10"), "s": {2, 1}},
                           cls=Encoder), simplejson.dumps(
        [Point(1, 2), RawJSON("{}")], for_json=True))
    print(simplejson.loads("[1.5]", use_decimal=True), simplejson.dumps(
        "<&>", cls=JSONEncoderForHTML), simplejson.loads(
            '{"a": 1, "b": 2}', object_pairs_hook=collections.OrderedDict))
    for text in ("[1,", '{"a" 1}', "nan?", '"\\u12"'):
        try:
            simplejson.loads(text)
        except simplejson.scanner.JSONDecodeError as error:
            print(error.pos, error)
    print("".join(simplejson.JSONEncoder(iterable_as_array=True).iterencode(
        iter([1, 2]))), simplejson.dumps(2**60, bigint_as_string=True))


def binary():
    data = {"p": Point(1, 2), "l": [1, None, b"x", "é", 1.5]}
    raw = msgpack.packb(data, default=packed)
    print(raw, msgpack.unpackb(raw, ext_hook=lambda c, b: (c, tuple(b))))
    for unpacker in (msgpack.Unpacker, msgpack.fallback.Unpacker):
        stream = unpacker(io.BytesIO(msgpack.packb(1) + msgpack.packb([2])))
        print(list(stream), unpacker.__module__)
    print(msgpack.unpackb(msgpack.packb(datetime.datetime(
        2024, 1, 2, tzinfo=datetime.timezone.utc), datetime=True)), Timestamp(1))
    for bad in (lambda: msgpack.unpackb(b"\x01\x02"), lambda: msgpack.packb(
            object(), default=packed), lambda: msgpack.unpackb(b"\x92\x01")):
        try:
            bad()
        except (ExtraData, TypeError, OutOfData, ValueError) as error:
            print(type(error).__name__, error)
    values = [uuid.UUID(int=7), decimal.Decimal("2.5"), {1: CBORSimpleValue(9)},
              3, 2**70, {4, }]
    print(cbor2.loads(cbor2.dumps(values)), cbor2.dumps({"b": 1, "a": 2},
                                                        canonical=True))
    raw = cbor2.dumps([Point(1, 2)], default=cbor_point, value_sharing=True)
    print(cbor2.loads(raw, tag_hook=cbor_hook)[0].y)
    for text in (b"\x82\x01", b"\xff", b"\xc0\x61x"):
        try:
            cbor2.loads(text)
        except cbor2.CBORDecodeError as error:
            print(type(error).__name__)


def objects():
    text = jsonpickle.encode({"p": Point(3, 4), "d": datetime.date(2024, 1, 2),
                              "t": (1, {2})})
    print(text, jsonpickle.decode(text)["p"].x, tags.SET in text)
    print(jsonpickle.backend.JSONBackend().encode([1]), Pickler(
        unpicklable=False).flatten(Point), unpickler.decode("[1]"))
    source = {"a": {"b": [1, 2]}, "c": "x"}
    patch = jsonpatch.make_patch(source, {"a": {"b": [1, 3]}, "d": "x"})
    print(sorted(str(op) for op in patch), patch.apply(source))
    print(Patch([{"op": "multiply", "path": "/a/b/0", "by": 7}]).apply(source))
    for ops in ([{"op": "test", "path": "/c", "value": 1}], [
            {"op": "remove", "path": "/z"}], [{"op": "none", "path": "/c"}]):
        try:
            jsonpatch.apply_patch(source, ops)
        except (JsonPatchTestFailed, JsonPatchConflict,
                jsonpatch.InvalidJsonPatch) as error:
            print(type(error).__name__)
    print(jsonpointer.resolve_pointer(source, "/a/b/1"), jsonpointer.set_pointer(
        {}, "/q", 1), isinstance(jsonpointer.JsonPointer("/a/b/-").resolve(
            source), EndOfList))
    try:
        jsonpointer.resolve_pointer(source, "/a/b/9")
    except JsonPointerException as error:
        print(error)
    tree = xmltodict.parse("<a x='1'><b>t</b><b/></a>", force_list=("b",),
                           postprocessor=lambda p, k, v: (k.upper(), v))
    print(tree, xmltodict.unparse({"r": {"@k": "v", "#text": "t"}}))


jsons()
binary()
objects()
