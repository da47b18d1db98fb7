# needs: python3-uvicorn python3-h11 python3-websockets python3-click
# packages: uvicorn h11 asgiref
"""Uvicorn with both of its HTTP and WebSocket implementations where they are
installed, its configuration, middleware and life span; and asgiref.
"""
import asyncio
import http.client
import logging
import os
import socket
import threading

import asgiref.local
import asgiref.sync
import uvicorn
import uvicorn.importer
import uvicorn.lifespan.on
import uvicorn.logging
import websockets
from asgiref.compatibility import guarantee_single_callable, is_double_callable
from asgiref.server import StatelessServer
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from asgiref.wsgi import WsgiToAsgi
from uvicorn.config import LIFESPAN, LOOP_SETUPS, WS_PROTOCOLS, Config
from uvicorn.importer import ImportFromStringError, import_from_string
from uvicorn.middleware.message_logger import MessageLoggerMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.middleware.wsgi import WSGIMiddleware
from uvicorn.protocols.utils import get_path_with_query_string

logging.disable(logging.CRITICAL)
DONE = []
keep = asgiref.local.Local()


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            DONE.append(message["type"])
            await send({"type": "lifespan.startup.complete"})
        DONE.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        text = (await receive())["text"]
        await send({"type": "websocket.send", "text": text.upper()})
        await send({"type": "websocket.close", "code": 4000})
    else:
        body = b""
        while (message := await receive()).get("more_body") or message["body"]:
            body += message["body"]
            if not message.get("more_body"):
                break
        if scope["path"] == "/fail":
            raise KeyError("fail")
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"x-client", scope["client"][0].encode()),
            (b"x-scheme", scope["scheme"].encode())]})
        for part in (scope["method"].encode(), get_path_with_query_string(
                scope).encode() + body):
            await send({"type": "http.response.body", "body": part,
                        "more_body": True})
        await send({"type": "http.response.body"})


def two(scope):
    async def inner(receive, send):
        await send({"type": "two", "path": scope["path"]})
    return inner


def wsgi(environ, start_response):
    start_response("200 OK", [("X-W", environ["REQUEST_METHOD"])])
    return [environ["PATH_INFO"].encode(), environ["wsgi.input"].read()]


def serve(target, **options):
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(Config(target, log_config=None, **options))
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    port = listening.getsockname()[1]
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for method, path, body in (("GET", "/a?b=1", None), ("POST", "/p", b"body"),
                               ("GET", "/fail", None), ("PUT", "/c",
                                                       iter([b"1", b"2"]))):
        link.request(method, path, body, {"X-Forwarded-For": "9.9.9.9",
                                          "X-Forwarded-Proto": "https"})
        answer = link.getresponse()
        print(path, answer.status, answer.read(), answer.headers["x-client"],
              answer.headers["x-scheme"])
    link.close()
    raw = socket.create_connection(("127.0.0.1", port))
    raw.sendall(b"nonsense\r\n\r\n")
    print(raw.recv(100).split(b"\r\n")[0])
    raw.close()
    if options.get("ws", "none") != "none":
        async def talk():
            async with websockets.connect(f"ws://127.0.0.1:{port}/") as ws:
                await ws.send("text")
                print(await ws.recv())
                await ws.wait_closed()
                print(ws.close_code)
        asyncio.run(talk())
    server.should_exit = True
    thread.join()


class Pull(StatelessServer):
    async def handle(self):
        pass

    async def application_send(self, scope, message):
        DONE.append(message)


async def bridging():
    keep.value = "set"
    print(await sync_to_async(lambda: keep.value)(),
          await sync_to_async(async_to_sync(asyncio.sleep))(0, "slept"))
    talk = ApplicationCommunicator(WsgiToAsgi(wsgi), {
        "type": "http", "method": "PUT", "path": "/w", "query_string": b"",
        "headers": [], "server": ("h", 1), "http_version": "1.1"})
    await talk.send_input({"type": "http.request", "body": b"in"})
    print([(await talk.receive_output(1)).get(k) for k in ("status", "body")])
    old = guarantee_single_callable(two)
    talk = ApplicationCommunicator(old, {"type": "http", "path": "/2"})
    print(await talk.receive_output(1), is_double_callable(two), await talk.
          receive_nothing(0.01))


def main():
    serve(app, http="h11", ws="websockets", lifespan="on",
          forwarded_allow_ips="127.0.0.1")
    serve(f"{__name__}:app", http="auto", ws="none", root_path="/r",
          proxy_headers=False)
    serve(WSGIMiddleware(wsgi), interface="asgi3", lifespan="off", http="h11",
          ws="none") if os.environ.get("SLOW") else None
    for bad in ("nothing", "nowhere:app", "os:nope.x", "os.path:join"):
        try:
            print(import_from_string(bad).__name__)
        except ImportFromStringError as error:
            print(error)
    asyncio.run(bridging())
    config = Config("os:path", interface="asgi2", port=5, log_config=None)
    print(config.asgi_version, config.is_ssl, sorted(WS_PROTOCOLS), sorted(
        LOOP_SETUPS), sorted(LIFESPAN), DONE, isinstance(
        ProxyHeadersMiddleware(app).trusted_hosts, set), Pull(app).max_applications,
        uvicorn.logging.DefaultFormatter(use_colors=False).formatMessage(
            logging.makeLogRecord({"levelname": "INFO", "message": "m"})),
        MessageLoggerMiddleware.__name__, uvicorn.lifespan.on.LifespanOn.__name__)


if __name__ == "__main__":
    main()
