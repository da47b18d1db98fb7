# needs: python3-grpcio python3-protobuf
# packages: grpc google
"""Protocol buffers made at run time and a gRPC service on the loopback: every
kind of call, interceptors, metadata, deadlines, errors, asyncio.
"""
import asyncio
import copy
import pickle
from concurrent import futures

import google.protobuf.descriptor_pb2
import google.protobuf.json_format
import google.protobuf.text_format
import grpc
import grpc.aio
from google.protobuf import any_pb2, duration_pb2, empty_pb2, struct_pb2
from google.protobuf import descriptor_pool, field_mask_pb2, message_factory
from google.protobuf import symbol_database, timestamp_pb2, wrappers_pb2
from google.protobuf.internal import encoder, well_known_types
from google.protobuf.message import DecodeError, Message
from grpc import StatusCode, method_handlers_generic_handler
from grpc import stream_stream_rpc_method_handler, unary_stream_rpc_method_handler
from grpc import unary_unary_rpc_method_handler, stream_unary_rpc_method_handler

FIELD = google.protobuf.descriptor_pb2.FieldDescriptorProto


def make_messages():
    file = google.protobuf.descriptor_pb2.FileDescriptorProto(
        name="note.proto", package="notes", syntax="proto3")
    kind = file.enum_type.add(name="Kind")
    for number, name in enumerate(["NONE", "LONG"]):
        kind.value.add(name=name, number=number)
    note = file.message_type.add(name="Note")
    note.oneof_decl.add(name="place")
    for number, (name, type, label, extra) in enumerate([
        ("text", FIELD.TYPE_STRING, 1, {}), ("sizes", FIELD.TYPE_INT64, 3, {}),
        ("kind", FIELD.TYPE_ENUM, 1, {"type_name": ".notes.Kind"}),
        ("parts", FIELD.TYPE_MESSAGE, 3, {"type_name": ".notes.Note"}),
        ("room", FIELD.TYPE_INT32, 1, {"oneof_index": 0}),
        ("street", FIELD.TYPE_STRING, 1, {"oneof_index": 0}),
    ], 1):
        note.field.add(name=name, number=number, type=type, label=label, **extra)
    pool = descriptor_pool.Default()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return factory.GetPrototype(pool.FindMessageTypeByName("notes.Note"))


Note = make_messages()


class Service:
    def echo(self, request, context):
        if request.text == "abort":
            context.abort(StatusCode.NOT_FOUND, "no such note")
        if request.text == "raise":
            raise ValueError("odd")
        context.set_trailing_metadata((("t", "end"),))
        return Note(text=request.text.upper(), sizes=[len(request.text)])

    def split(self, request, context):
        for letter in request.text:
            yield Note(text=letter)

    def join(self, requests, context):
        return Note(parts=list(requests))

    def swap(self, requests, context):
        for request in requests:
            yield Note(text=request.text[::-1])


class Counting(grpc.ServerInterceptor):
    calls = []

    def intercept_service(self, continuation, details):
        self.calls.append(details.method)
        return continuation(details)


class Adding(grpc.UnaryUnaryClientInterceptor):
    def intercept_unary_unary(self, continuation, details, request):
        request.text += "!"
        return continuation(details, request)


def handlers():
    service, kw = Service(), {"request_deserializer": Note.FromString,
                              "response_serializer": Note.SerializeToString}
    return method_handlers_generic_handler("notes.Notes", {
        "Echo": unary_unary_rpc_method_handler(service.echo, **kw),
        "Split": unary_stream_rpc_method_handler(service.split, **kw),
        "Join": stream_unary_rpc_method_handler(service.join, **kw),
        "Swap": stream_stream_rpc_method_handler(service.swap, **kw)})


def call(channel, kind, name):
    return getattr(channel, kind)(
        f"/notes.Notes/{name}", request_serializer=Note.SerializeToString,
        response_deserializer=Note.FromString)


def service():
    server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=[Counting()])
    server.add_generic_rpc_handlers((handlers(),))
    where = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with grpc.insecure_channel(where) as plain:
        grpc.channel_ready_future(plain).result(timeout=5)
        channel = grpc.intercept_channel(plain, Adding())
        echo = call(channel, "unary_unary", "Echo")
        answer, state = echo.with_call(Note(text="hi"), metadata=(("k", "v"),))
        print(answer.text, list(answer.sizes), state.code(),
              state.trailing_metadata()[0].value)
        print([n.text for n in call(channel, "unary_stream", "Split")(
            Note(text="abc"))], len(call(channel, "stream_unary", "Join")(
                iter([Note(), Note()])).parts), [n.text for n in call(
                    channel, "stream_stream", "Swap")(iter([Note(text="xy")]))])
        plain_echo = call(plain, "unary_unary", "Echo")
        for text, name in (("abort", "Echo"), ("raise", "Echo"), ("", "Gone")):
            try:
                call(plain, "unary_unary", name)(Note(text=text), timeout=5)
            except grpc.RpcError as error:
                print(error.code(), error.details())
        print(plain_echo.future(Note(text="later")).result().text)
        asyncio.run(later(where))
    server.stop(0).wait()
    print(sorted(set(Counting.calls)), StatusCode.OK.value)


async def later(where):
    async with grpc.aio.insecure_channel(where) as channel:
        print((await call(channel, "unary_unary", "Echo")(Note(text="a"))).text)
        try:
            await call(channel, "unary_unary", "Echo")(Note(text="abort"))
        except grpc.aio.AioRpcError as error:
            print(error.code().name)


def messages():
    note = Note(text="ü", sizes=[1, 300], kind=1, parts=[Note(room=3)])
    raw = note.SerializeToString()
    again = Note.FromString(raw)
    again.parts[0].street = "High"
    print(raw.hex(), again.parts[0].WhichOneof("place"), note == again,
          note.HasField("room"), [f.name for f, _ in note.ListFields()])
    json_text = google.protobuf.json_format.MessageToJson(note, sort_keys=True)
    print(google.protobuf.json_format.Parse(json_text, Note()) == note,
          " ".join(google.protobuf.text_format.MessageToString(note).split()),
          copy.deepcopy(note) == note, isinstance(note, Message))
    packed = any_pb2.Any()
    packed.Pack(note)
    print(packed.Is(Note.DESCRIPTOR), packed.type_url, packed.Unpack(Note()))
    for bad in (lambda: Note.FromString(b"\x0a\xff"), lambda: Note(nope=1),
                lambda: setattr(note, "room", 2 ** 40),
                lambda: google.protobuf.json_format.Parse("{", Note()),
                lambda: google.protobuf.text_format.Parse("x: 1", Note())):
        try:
            bad()
        except (DecodeError, ValueError, TypeError,
                google.protobuf.json_format.ParseError,
                google.protobuf.text_format.ParseError) as error:
            print(type(error).__name__)
    stamp = timestamp_pb2.Timestamp()
    stamp.FromJsonString("2020-01-02T03:04:05Z")
    data = struct_pb2.Struct()
    data.update({"a": [1, None, {"b": True}]})
    mask = field_mask_pb2.FieldMask(paths=["text"])
    target = Note()
    mask.MergeMessage(note, target)
    print(stamp.ToDatetime(), duration_pb2.Duration(seconds=90).ToJsonString(),
          google.protobuf.json_format.MessageToDict(data), target.text,
          wrappers_pb2.Int32Value(value=3).value, empty_pb2.Empty().ByteSize(),
          pickle.loads(pickle.dumps(stamp)) == stamp, encoder.TagBytes(1, 2),
          bool(symbol_database.Default()), well_known_types.WKTBASES.keys()
          >= {"google.protobuf.Any"})


if __name__ == "__main__":
    messages()
    service()
