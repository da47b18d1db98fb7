# needs: python3-tornado
# packages: tornado
"""A Tornado server and its clients on one loop: handlers, templates, web
sockets, streams, queues, locks, options and coroutines.
"""
import asyncio
import datetime
import logging

import tornado.httpclient
import tornado.iostream
import tornado.web
from tornado import escape, gen, httputil, locale, locks, netutil, queues
from tornado import template, testing, util
from tornado.concurrent import run_on_executor
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.log import LogFormatter
from tornado.options import OptionParser, define
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler, URLSpec, authenticated
from tornado.websocket import WebSocketHandler, websocket_connect

logging.disable(logging.CRITICAL)


class Main(RequestHandler):
    async def prepare(self):
        self.set_header("X-Prepared", "yes")

    async def get(self, name="none"):
        self.write({"name": name, "args": self.get_arguments("a"),
                    "url": self.reverse_url("main", "z")})

    def post(self):
        self.set_secure_cookie("seen", self.get_body_argument("who"))
        self.set_status(201)
        self.render_string("x.html")


class Page(RequestHandler):
    def get_current_user(self):
        return self.get_argument("user", None)

    @authenticated
    def get(self):
        self.render("page.html", items=["<a>", "b"])


class Failing(RequestHandler):
    def get(self):
        if self.get_argument("how", "") == "http":
            raise tornado.web.HTTPError(409, reason="Odd")
        raise tornado.web.MissingArgumentError("x")

    def write_error(self, status_code, **kwargs):
        self.finish(f"{status_code} {type(kwargs['exc_info'][1]).__name__}")


class Echo(WebSocketHandler):
    def open(self, *args):
        self.write_message("welcome")

    def on_message(self, message):
        self.write_message(message[::-1], binary=isinstance(message, bytes))


class Lines(TCPServer):
    async def handle_stream(self, stream, address):
        try:
            while True:
                line = await stream.read_until(b"\n")
                await stream.write(line.upper())
        except tornado.iostream.StreamClosedError:
            pass


class Box(tornado.web.UIModule):
    def render(self, text):
        return f"[{escape.xhtml_escape(text)}]"


@gen.coroutine
def old_style():
    first = yield gen.sleep(0)
    both = yield {"a": gen.maybe_future(1), "b": gen.moment}
    raise gen.Return((first, both["a"]))


async def serve():
    loader = template.DictLoader({
        "base.html": "<{% block b %}{% end %}>", "x.html": "x",
        "page.html": "{% extends 'base.html' %}{% block b %}{% for i in items"
                     " %}{% module Box(i) %}{% end %}{{ items[0] }}{% end %}"})
    app = Application([URLSpec(r"/n/(\w+)", Main, name="main"), (r"/", Main),
                       (r"/page", Page), (r"/fail", Failing), (r"/ws", Echo),
                       (r"/old", tornado.web.RedirectHandler, {"url": "/"})],
                      template_loader=loader, cookie_secret="c",
                      login_url="/login", ui_modules={"Box": Box})
    socket, = netutil.bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_sockets([socket])
    base = "http://127.0.0.1:%d" % socket.getsockname()[1]
    client = tornado.httpclient.AsyncHTTPClient()
    for path in ("/n/ann?a=1&a=2", "/page?user=u", "/fail", "/fail?how=http",
                 "/nowhere"):
        answer = await client.fetch(base + path, raise_error=False)
        print(path, answer.code, answer.reason, answer.body[:60],
              answer.headers.get("X-Prepared"))
    answer = await client.fetch(base + "/", method="POST", body="who=ann")
    print(answer.code, answer.headers["Set-Cookie"].split("=")[0])
    try:
        await client.fetch(base + "/page", follow_redirects=False)
    except tornado.httpclient.HTTPClientError as error:
        print(error, error.response.headers["Location"])
    socket = await websocket_connect(base.replace("http", "ws") + "/ws")
    await socket.write_message("abc")
    print(await socket.read_message(), await socket.read_message())
    socket.close()
    await asyncio.sleep(0)
    lines = Lines()
    lines.listen(0, "127.0.0.1")
    port = next(iter(lines._sockets.values())).getsockname()[1]
    stream = await TCPClient().connect("127.0.0.1", port)
    await stream.write(b"line\n")
    print(await stream.read_bytes(5))
    stream.close()
    lines.stop()
    server.stop()
    await server.close_all_connections()


async def helpers():
    queue, event = queues.PriorityQueue(3), locks.Event()
    for item in (3, 1, 2):
        queue.put_nowait(item)
    print([await queue.get() for _ in range(3)], await old_style())
    try:
        await gen.with_timeout(datetime.timedelta(milliseconds=1), event.wait())
    except util.TimeoutError as error:
        print(type(error).__name__, error)
    async with locks.Semaphore(2):
        ticks = []
        beat = PeriodicCallback(lambda: ticks.append(1) or event.set(), 1)
        beat.start()
        await event.wait()
        beat.stop()
        print(len(ticks) >= 1, beat.is_running())
    print(await IOLoop.current().run_in_executor(None, sum, [1, 2]))


def main():
    IOLoop.current().run_sync(serve)
    asyncio.run(helpers())
    options = OptionParser()
    options.define("port", default=1, type=int, multiple=True)
    print(options.parse_command_line(["p", "--port=1:3", "rest"]), options.port)
    headers = httputil.HTTPHeaders.parse("A: 1\r\nA: 2\r\nb-c: x")
    print(dict(headers.get_all()), httputil.url_concat("/x?a=1", {"b": "ü"}),
          httputil.parse_request_start_line("GET /x HTTP/1.1").path,
          httputil.format_timestamp(0), escape.linkify("see http://x.y"),
          escape.json_encode({"a": "</"}), locale.get("de").code,
          util.import_object("tornado.gen.sleep") is gen.sleep)
    try:
        template.Template("{% if x %}")
    except template.ParseError as error:
        print(error)
    print(LogFormatter(color=False).format(logging.LogRecord(
        "n", 20, "p", 1, "m %s", ("a",), None))[-1], callable(define),
        issubclass(testing.AsyncHTTPTestCase, testing.AsyncTestCase),
        callable(run_on_executor))


if __name__ == "__main__":
    main()
