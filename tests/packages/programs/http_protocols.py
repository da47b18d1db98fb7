# needs: python3-h11 python3-h2 python3-hpack
# packages: h11 h2 hpack hyperframe
"""HTTP/1.1 and HTTP/2 without sockets: both ends of each protocol in one
process, header compression, frames, settings, priorities, and errors.
"""
import copy
import pickle

import h11
import h2.config
import h2.connection
import h2.events
import hpack
import hyperframe.frame
from h11 import CLIENT, DONE, NEED_DATA, SERVER, Connection, Data, EndOfMessage
from h11 import Request, Response, _headers
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings, ChangedSetting
from h2.utilities import extract_method_header
from h2.windows import WindowManager
from hpack.exceptions import HPACKError, InvalidTableIndex
from hpack.huffman import HuffmanEncoder
from hpack.huffman_table import decode_huffman
from hpack.struct import NeverIndexedHeaderTuple
from hpack.table import HeaderTable
from hyperframe.exceptions import InvalidDataError, InvalidFrameError
from hyperframe.exceptions import UnknownFrameError
from hyperframe.flags import Flags


def http1():
    client, server = Connection(CLIENT), Connection(SERVER)

    def pump(out, into, *events):
        into.receive_data(b"".join(out.send(e) or b"" for e in events))
        got = []
        while True:
            event = into.next_event()
            if event in (NEED_DATA, h11.PAUSED):
                return got + ([event] if event is h11.PAUSED else [])
            got.append(type(event).__name__)
            if isinstance(event, (EndOfMessage, h11.ConnectionClosed)):
                return got

    for n in range(2):
        print(pump(client, server, Request(
            method="POST", target=f"/{n}", headers=[
                ("Host", "h"), ("Transfer-Encoding", "chunked")]),
            Data(data=b"body"), EndOfMessage(headers=[("x", "trailer")])))
        print(pump(server, client, h11.InformationalResponse(
            status_code=103, headers=[]), Response(
            status_code=200, headers=[("Content-Length", "2")],
            reason=b"Fine"), Data(data=b"ok"), EndOfMessage()))
        print(client.states, server.their_state is DONE)
        client.start_next_cycle()
        server.start_next_cycle()
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n",
                b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"):
        try:
            bad = Connection(SERVER, max_incomplete_event_size=100)
            bad.receive_data(raw)
            bad.next_event()
        except h11.RemoteProtocolError as error:
            print(error.error_status_hint, error, bad.their_state)
    try:
        client.send(Data(data=b"early"))
    except h11.LocalProtocolError as error:
        print(error, client.our_state is h11.ERROR)
    request = Request(method="GET", target="/", headers={"Host": "x"}.items())
    print(request, list(request.headers), request == Request(
        method="GET", target="/", headers=[("host", "x")]),
        _headers.get_comma_header(request.headers, b"host"))


def http2():
    client = h2.connection.H2Connection()
    server = h2.connection.H2Connection(config=h2.config.H2Configuration(
        client_side=False, header_encoding="utf-8"))
    client.initiate_connection()
    server.initiate_connection()

    def swap(out, into):
        events = into.receive_data(out.data_to_send())
        print([type(e).__name__ for e in events])
        return events

    swap(client, server)
    swap(server, client)
    stream = client.get_next_available_stream_id()
    client.send_headers(stream, [(":method", "POST"), (":path", "/"), (
        ":scheme", "https"), (":authority", "h"), ("x-a", "1")],
        priority_weight=20)
    client.send_data(stream, b"data", end_stream=True)
    for event in swap(client, server):
        if isinstance(event, h2.events.RequestReceived):
            print(event.headers)
    server.push_stream(stream, 2, [(":method", "GET"), (":path", "/p"), (
        ":scheme", "https"), (":authority", "h")])
    server.send_headers(stream, [(":status", "200")])
    server.acknowledge_received_data(4, stream)
    server.send_data(stream, b"x" * 10, end_stream=True, pad_length=3)
    server.update_settings({SettingCodes.MAX_FRAME_SIZE: 20000})
    server.ping(b"12345678")
    swap(server, client)
    swap(client, server)
    for wrong in (lambda: client.send_data(stream, b"late"),
                  lambda: client.send_headers(4, [(":method", "GET")]),
                  lambda: client.reset_stream(99),
                  lambda: server.receive_data(b"\0\0\4\x08\0\0\0\0\0\0\0\0\0")):
        try:
            wrong()
        except (StreamClosedError, ProtocolError) as error:
            print(type(error).__name__, str(error)[:50])
    swap(server, client)
    client.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, b"calm")
    print(h2.events.ConnectionTerminated.__name__, ErrorCodes(11).name)
    settings = Settings(client=True, initial_values={4: 70000})
    settings.update({SettingCodes.ENABLE_PUSH: 0})
    print(settings.acknowledge()[SettingCodes.ENABLE_PUSH],
          settings.initial_window_size, ChangedSetting(1, 2, 3),
          extract_method_header([(":method", "PUT")]))
    window = WindowManager(100)
    window.window_consumed(90)
    print(window.process_bytes(90), window.current_window_size)


def compression():
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    for n in range(2):
        block = encoder.encode([(":path", "/index"), ("x-key", f"v{n}"),
                                NeverIndexedHeaderTuple("auth", "s")])
        print(block.hex(), decoder.decode(block))
    decoder.max_allowed_table_size = 100
    for bad in (b"\xff\xff\xff\xff\x0f", b"\x80", b"\x40\x01"):
        try:
            decoder.decode(bad)
        except (InvalidTableIndex, HPACKError) as error:
            print(type(error).__name__, error)
    table = HeaderTable()
    table.add(b"a", b"b")
    huffman = HuffmanEncoder(hpack.huffman_constants.REQUEST_CODES,
                             hpack.huffman_constants.REQUEST_CODES_LENGTH)
    print(table.search(b"a", b"b"), table.get_by_index(2),
          decode_huffman(huffman.encode(b"www.example")))
    for frame in (hyperframe.frame.DataFrame(1, b"d", flags=["END_STREAM"]),
                  hyperframe.frame.PingFrame(0, b"p"),
                  hyperframe.frame.SettingsFrame(0, {1: 2}),
                  hyperframe.frame.GoAwayFrame(0, last_stream_id=3)):
        raw = frame.serialize()
        again, size = hyperframe.frame.Frame.parse_frame_header(
            memoryview(raw[:9]))
        again.parse_body(memoryview(raw[9:]))
        print(again, size, copy.copy(again).flags == frame.flags)
    for bad in (b"\0\0\1\x77\0\0\0\0\1", b"\0\0\1\0\0\0\0\0\0"):
        try:
            print(hyperframe.frame.Frame.parse_frame_header(bad, strict=True))
        except (UnknownFrameError, InvalidFrameError,
                InvalidDataError) as error:
            print(type(error).__name__, error)
    print(len(hyperframe.frame.FRAMES), Flags([]), pickle.loads(
        pickle.dumps(hpack.HeaderTuple("a", "b"))))


if __name__ == "__main__":
    http1()
    http2()
    compression()
