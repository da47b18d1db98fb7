# needs: python3-websockets python3-websocket python3-aiosmtpd
# packages: websockets websocket aiosmtpd
"""A WebSocket server with clients of two libraries, the protocol without
sockets, and a mail server that takes letters; all on the loopback.
"""
import asyncio
import email.message
import http
import pickle
import smtplib
import threading

import aiosmtpd.controller
import aiosmtpd.handlers
import websocket
import websockets
import websockets.client
import websockets.extensions.permessage_deflate
import websockets.frames
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session, syntax
from websocket import ABNF, WebSocketApp, create_connection
from websocket._url import parse_url
from websockets import ConnectionClosedError, ConnectionClosedOK, exceptions
from websockets.client import ClientConnection
from websockets.datastructures import Headers
from websockets.frames import Close, Frame, Opcode
from websockets.headers import parse_extension, parse_subprotocol
from websockets.server import ServerConnection
from websockets.uri import parse_uri


class Tagged(websockets.WebSocketServerProtocol):
    async def process_request(self, path, headers):
        if path == "/health":
            return http.HTTPStatus.OK, [("X-H", "1")], b"fine\n"


async def serve(ws, path=None):
    async for message in ws:
        if message == "close":
            await ws.close(4001, "asked")
        elif message == "fail":
            raise KeyError("fail")
        else:
            await ws.send(message[::-1])


async def exchange(ready, ending):
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=["b", "a"],
                                create_protocol=Tagged, max_size=1000,
                                close_timeout=0.2,
                                logger=None) as server:
        port = server.sockets[0].getsockname()[1]
        base = f"ws://127.0.0.1:{port}/"
        async with websockets.connect(base, subprotocols=["a"]) as ws:
            await ws.send("hello")
            await ws.send([b"ab", b"cd"])
            print(await ws.recv(), await ws.recv(), ws.subprotocol,
                  ws.response_headers["Server"] != "", ws.open)
            print(type(await ws.ping()).__name__, [type(
                e).__name__ for e in ws.extensions])
        for text in ("close", "fail", "x" * 2000):
            async with websockets.connect(base) as ws:
                await ws.send(text)
                try:
                    await ws.recv()
                except (ConnectionClosedOK, ConnectionClosedError) as error:
                    print(type(error).__name__, error.code, error.reason)
        try:
            await websockets.connect(base + "health")
        except exceptions.InvalidStatusCode as error:
            print(error.status_code, error.headers["X-H"])
        try:
            await websockets.connect("http://h/")
        except exceptions.InvalidURI as error:
            print(error)
        ready.append(port)
        await asyncio.get_running_loop().run_in_executor(None, other, port)
        ending.set()


def other(port):
    link = create_connection(f"ws://127.0.0.1:{port}/", timeout=5)
    link.send("other")
    print(link.recv(), link.connected)
    link.send_binary(b"xyz")
    print(link.recv_frame(), link.getsubprotocol())
    link.send("close")
    print(link.recv_data(control_frame=True)[0] == ABNF.OPCODE_CLOSE)
    link.close()
    got = []
    app = WebSocketApp(
        f"ws://127.0.0.1:{port}/", on_open=lambda app: app.send("app"),
        on_message=lambda app, m: (got.append(m), app.close()),
        on_close=lambda app, *a: got.append("closed"))
    app.run_forever()
    print(got, parse_url("wss://h/p?q"))
    for url, kind in (("ws://127.0.0.1:1/", ConnectionRefusedError),
                      (f"ws://127.0.0.1:{port}/health",
                       websocket.WebSocketBadStatusException),
                      ("nope", ValueError)):
        try:
            create_connection(url, timeout=1)
        except kind as error:
            print(type(error).__name__)


def protocol():
    client = ClientConnection(parse_uri("ws://h/p"))
    server = ServerConnection()
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    request = server.events_received()[0]
    server.send_response(server.accept(request))
    client.receive_data(b"".join(server.data_to_send()))
    print(request.path, client.events_received()[0].status_code, client.state)
    client.send_text(b"one", fin=False)
    client.send_continuation(b"two", fin=True)
    client.send_ping(b"p")
    client.send_close(1000, "done")
    server.receive_data(b"".join(client.data_to_send()))
    print([(f.opcode.name, f.data) for f in server.events_received()])
    server.receive_data(b"\xff\xff")
    print(type(server.parser_exc).__name__, Close.parse(b"\x03\xe9bye"),
          Frame(Opcode.TEXT, b"t").serialize(mask=False), parse_extension(
              "permessage-deflate; client_max_window_bits=10"),
          parse_subprotocol("a, b"))
    headers = Headers(a="1")
    headers["A"] = "2"
    try:
        headers["a"]
    except websockets.datastructures.MultipleValuesError:
        print(headers.get_all("a"), pickle.loads(pickle.dumps(
            websockets.frames.Close(1000, "x"))))
    print(websockets.extensions.permessage_deflate.
          ClientPerMessageDeflateFactory().get_request_params())


class Box(aiosmtpd.handlers.Message):
    def handle_message(self, message):
        print(message["Subject"], message["X-RcptTo"], message.get_payload(
            ).strip())


class Careful(Box):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550 not here"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses


class Own(SMTP):
    @syntax("PING [text]")
    async def smtp_PING(self, text):
        await self.push(f"259 pong {text}")


class Here(Controller):
    def factory(self):
        return Own(self.handler, authenticator=lambda server, session, envelope,
                   mechanism, data: AuthResult(
                       success=data.password == b"pw", handled=False),
                   auth_require_tls=False)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def mail():
    controller = Here(Careful(), hostname="127.0.0.1", port=0)
    controller.start()
    letter = email.message.EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "hi", "a@b", "c@d, no@d"
    letter.set_content("body")
    with smtplib.SMTP("127.0.0.1", controller.port) as link:
        print(link.ehlo("me")[0], link.has_extn("auth"), link.docmd(
            "PING", "x"), link.docmd("NOPE"))
        try:
            link.login("u", "no")
        except smtplib.SMTPAuthenticationError as error:
            print(error.smtp_code)
        print(link.login("u", "pw"), link.send_message(letter),
              link.docmd("MAIL", "TO:<x>"), link.docmd("HELP PING"))
    controller.stop()
    print(isinstance(controller, aiosmtpd.controller.BaseController),
          Envelope().mail_from, Session(None).peer,
          issubclass(aiosmtpd.handlers.Sink, object))


def main():
    protocol()
    ending = threading.Event()
    asyncio.run(exchange([], ending))
    print(ending.is_set())
    mail()


if __name__ == "__main__":
    import logging
    logging.disable(logging.CRITICAL)
    main()
