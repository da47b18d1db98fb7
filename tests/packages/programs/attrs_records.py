# needs: python3-attr python3-cattr python3-marshmallow python3-jsonschema python3-wrapt
# packages: attr attrs cattr cattrs marshmallow jsonschema
"""Records in and out of a service: attrs classes, converters by cattrs,
marshmallow schemas that refer to each other by name, JSON schemas."""
import copy
import datetime
import enum
import pickle
from typing import Dict, List, Optional, Union

import attr
import attrs
import cattr
import cattrs.preconf.json
import jsonschema
import jsonschema.validators
import marshmallow
from attr import asdict, evolve, filters, validators
from attrs import converters, define, field, frozen, setters
from attrs.exceptions import FrozenInstanceError
from cattr.gen import make_dict_unstructure_fn, override
from cattrs import Converter, GenConverter
from cattrs.errors import ClassValidationError
from jsonschema import Draft7Validator, FormatChecker, RefResolver
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from marshmallow import EXCLUDE, Schema, class_registry, fields, post_load
from marshmallow import validate, validates, validates_schema


class Kind(enum.Enum):
    A = "a"
    B = "b"


@define
class Part:
    name: str = field(validator=validators.instance_of(str))
    size: int = field(default=1, converter=int)
    kind: Kind = Kind.A


@frozen(order=True)
class Whole:
    parts: List[Part]
    extra: Dict[str, Optional[int]] = attrs.Factory(dict)


@attr.s(auto_attribs=True, slots=True, hash=True)
class Old:
    x: int = attr.ib(validator=attr.validators.in_([1, 2]), on_setattr=setters.
                     validate)
    y: float = attr.ib(default=0.5, repr=False, eq=False)


class PartSchema(Schema):
    name = fields.Str(required=True, validate=validate.Length(min=2))
    size = fields.Integer(load_default=1)
    made = fields.DateTime(format="iso")
    inner = fields.List(fields.Nested("InnerSchema", only=("mail",)))
    calc = fields.Method("double")

    class Meta:
        unknown = EXCLUDE
        ordered = True

    def double(self, obj):
        return obj["size"] * 2

    @validates("size")
    def positive(self, value):
        if value < 0:
            raise marshmallow.ValidationError("negative")

    @validates_schema
    def whole(self, data, **kwargs):
        if data.get("name") == "bad":
            raise marshmallow.ValidationError("bad name", "name")

    @post_load
    def mark(self, data, **kwargs):
        return dict(data, loaded=True)


class InnerSchema(Schema):
    mail = fields.Email()
    ip = fields.IPv4()


def records():
    w = Whole([Part("p", "3", Kind.B)], {"n": None})
    print(w, asdict(w, filter=filters.exclude(Kind)), evolve(w, extra={}))
    print(pickle.loads(pickle.dumps(w)) == copy.deepcopy(w), attr.has(Part),
          [a.name for a in attrs.fields(Part)], attrs.astuple(Old(1)))
    for bad in (lambda: Part(3), lambda: setattr(w, "parts", 1),
                lambda: Old(9), lambda: setattr(Old(1), "x", 5)):
        try:
            bad()
        except (TypeError, ValueError, FrozenInstanceError) as error:
            print(type(error).__name__, str(error.args[0] if error.args
                                            else error)[:40])
    print(attr.make_class("Made", ["a", "b"])(1, 2), attr.cmp_using(
        eq=lambda a, b: True).__name__, converters.to_bool("yes"))
    data = cattr.unstructure(w)
    print(data, cattr.structure(data, Whole) == w)
    tool = Converter()
    tool.register_unstructure_hook(Part, make_dict_unstructure_fn(
        Part, tool, size=override(rename="s", omit_if_default=True)))
    tool.register_structure_hook(datetime.date, lambda v, _:
                                 datetime.date.fromisoformat(v))
    print(tool.unstructure(Part("q", 2)), tool.structure(
        ["2024-01-02"], List[datetime.date]))
    print(tool.structure({"x": 2, "y": 1}, Union[Old, Part]), cattrs.preconf.json.make_converter().dumps(w))
    try:
        GenConverter().structure({"parts": [{"name": "x", "size": "y"}]}, Whole)
    except ClassValidationError as error:
        print(type(error.exceptions[0]).__name__, error.message)


def schemas():
    s = PartSchema()
    print(s.load({"name": "ab", "made": "2024-01-02T03:04:05", "no": 1,
                  "inner": [{"mail": "a@b.org"}]}))
    print(s.dump({"name": "ab", "size": 4}), class_registry.get_class(
        "InnerSchema").__name__, s.validate({"name": "bad"}))
    try:
        PartSchema(many=True).load([{"size": -1}, {"name": "a", "size": "x"}])
    except marshmallow.ValidationError as error:
        print(error.messages)
    print(Schema.from_dict({"u": fields.Url()})().load({"u": "http://a.org"}))


def json_schemas():
    schema = {"type": "object", "properties": {"a": {"$ref": "#/definitions/n"},
              "d": {"format": "date"}}, "definitions": {"n": {"type": "integer",
              "minimum": 3}}, "required": ["a"]}
    for draft in ("Draft3Validator", "Draft4Validator", "Draft7Validator",
                  "Draft201909Validator", "Draft202012Validator"):
        check = getattr(jsonschema, draft)(schema, format_checker=FormatChecker())
        print(draft, sorted(e.validator for e in check.iter_errors(
            {"a": 1, "d": "x"})))
    more = jsonschema.validators.extend(Draft7Validator, {
        "even": lambda v, want, value, s: iter(()) if value % 2 == 0 else iter(
            [ValidationError("odd")])})
    print([e.message for e in more({"even": True}).iter_errors(3)],
          jsonschema.validators.validator_for({"$schema": "http://json-schema."
                                               "org/draft-04/schema"}).__name__)
    print(best_match(Draft7Validator(schema).iter_errors({"a": "x"})).message,
          RefResolver.from_schema(schema).resolve("#/definitions/n")[1])
    try:
        jsonschema.validate(1, {"type": "nothing"})
    except SchemaError as error:
        print(error.message.split(" under")[0], list(error.path))


records()
schemas()
json_schemas()
