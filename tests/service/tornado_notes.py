"""Tornado in one file: a template, JSON, a form and a websocket.

    tornado_notes.py [PORT-FILE]
"""
import asyncio
import os
import sys

import tornado.httpserver
import tornado.template
import tornado.web
import tornado.websocket
from tornado.httpclient import AsyncHTTPClient
from tornado.netutil import bind_sockets

try:
    import lazycore
except ImportError:
    lazycore = None

notes = []
PAGE = tornado.template.Template(
    "<ul>{% for note in notes %}<li>{{ note }}</li>{% end %}</ul>")


class Index(tornado.web.RequestHandler):
    def get(self):
        self.write(PAGE.generate(notes=notes))


class Health(tornado.web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0)
        self.write({"ok": True, "notes": len(notes)})


class Add(tornado.web.RequestHandler):
    def post(self):
        notes.append(self.get_body_argument("text"))
        self.redirect("/")


class Own(tornado.web.RequestHandler):
    """What our own /health says, asked over HTTP."""

    async def get(self):
        answer = await AsyncHTTPClient().fetch(
            f"http://{self.request.host}/health")
        self.write(answer.body)


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


async def main():
    server = tornado.httpserver.HTTPServer(tornado.web.Application([
        ("/", Index), ("/health", Health), ("/notes", Add), ("/own", Own),
        ("/echo", Echo)], log_function=lambda handler: None))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    if len(sys.argv) > 1:
        with open(sys.argv[1] + ".new", "w") as out:
            out.write("%d\n" % sockets[0].getsockname()[1])
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if lazycore is not None:
        lazycore.ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
