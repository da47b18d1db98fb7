# needs: python3-paste python3-pastedeploy gunicorn
# packages: paste gunicorn
"""WSGI stacks put together from a file by PasteDeploy with Paste's middleware,
and Gunicorn's configuration, parser and workers found by name.
"""
import contextlib
import io
import os
import sys
import tempfile

import gunicorn.app.base
import gunicorn.http.errors
import gunicorn.util
import paste.deploy.config
import paste.fixture
import paste.urlmap
from gunicorn import config as gunicorn_config
from gunicorn.arbiter import Arbiter
from gunicorn.http import RequestParser
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.workers import SUPPORTED_WORKERS
from paste import httpexceptions, httpheaders, recursive, registry, request
from paste.auth.basic import AuthBasicHandler
from paste.cascade import Cascade
from paste.deploy import appconfig, loadapp, loadfilter
from paste.deploy.converters import asbool, aslist
from paste.fileapp import DataApp
from paste.gzipper import GzipResponse, make_gzip_middleware
from paste.lint import middleware as lint
from paste.util.multidict import MultiDict
from paste.wsgilib import raw_interactive

INI = """
[DEFAULT]
who = all

[composite:main]
use = egg:Paste#urlmap
/ = hello
/static = files

[app:hello]
paste.app_factory = __main__:make_hello
greeting = hi %(who)s
filter-with = shout

[app:other]
use = hello
set who = other

[app:files]
use = egg:Paste#static
document_root = %(here)s

[filter:shout]
paste.filter_factory = __main__:make_shout

[pipeline:piped]
pipeline = shout lint hello

[filter:lint]
use = egg:Paste#lint
"""
local = registry.StackedObjectProxy()


def make_hello(global_conf, greeting="none"):
    def hello(environ, start_response):
        fields = request.parse_formvars(environ)
        if fields.get("fail"):
            raise httpexceptions.HTTPConflict("odd")
        body = f"{greeting} {sorted(fields.items())} {environ['SCRIPT_NAME']}"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body.encode()]
    return hello


def make_shout(global_conf):
    def wrap(app):
        def shout(environ, start_response):
            parts = app(environ, start_response)
            try:
                return [part.upper() for part in parts]
            finally:
                getattr(parts, "close", lambda: None)()
        return shout
    return wrap


def using_registry(environ, start_response):
    environ["paste.registry"].register(local, {"now": "registered"})
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [local["now"].encode()]


def ask(app, path, **environ):
    status, headers, body, errors = raw_interactive(app, path, **environ)
    print(path, status, body.decode()[:60], len(errors))


def pasted(folder):
    where = "config:" + os.path.join(folder, "a.ini")
    main = loadapp(where, "main")
    ask(main, "/x?a=1")
    ask(main, "/static/f.txt")
    ask(main, "/static/none")
    ask(loadapp(where, "piped"), "/y")
    ask(httpexceptions.make_middleware(loadapp(where, "hello")), "/?fail=1")
    conf = appconfig(where, "other")
    print(conf["who"], conf.local_conf.get("greeting"), callable(loadfilter(
        where, "shout")), paste.deploy.config.ConfigMiddleware.__name__)
    try:
        loadapp(where, "gone")
    except LookupError as error:
        print(str(error).split(" in ")[0])
    ask(registry.RegistryManager(using_registry), "/r")
    guard = AuthBasicHandler(DataApp(b"data", content_type="text/plain"), "r",
                             lambda environ, user, word: user == word)
    ask(guard, "/g")
    ask(guard, "/g", HTTP_AUTHORIZATION="Basic dTp1")
    ask(lint(Cascade([paste.urlmap.URLMap(), DataApp(b"last")])), "/c")
    test = paste.fixture.TestApp(recursive.RecursiveMiddleware(main))
    print(test.get("/q").mustcontain("HI ALL"), test.post(
        "/p", params={"b": "2"}).body, asbool("yes"), aslist("a b"))
    print(httpheaders.ACCEPT_LANGUAGE.parse({"wsgi.version": (1, 0), "HTTP_ACCEPT_LANGUAGE": "de, en"}),
          MultiDict([("a", 1), ("a", 2)]).getall("a"), GzipResponse.__name__,
          callable(make_gzip_middleware), httpexceptions.get_exception(
              404).__name__)


class Application(gunicorn.app.base.BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:0")
        self.cfg.set("workers", 3)
        self.cfg.set("worker_class", "gthread")

    def init(self, parser, opts, args):
        pass

    def load(self):
        return make_hello({})


def unicorn():
    app = Application()
    print(app.cfg.workers, app.cfg.worker_class.__name__, app.cfg.address,
          app.wsgi().__name__, Arbiter(app).num_workers)
    for name in ("sync", "gthread", "nowhere"):
        try:
            print(gunicorn.util.load_class(
                SUPPORTED_WORKERS.get(name, name), "sync",
                "gunicorn.workers").__name__)
        except RuntimeError as error:
            print(str(error).splitlines()[0])
    cfg = gunicorn_config.Config()
    for name, value in (("timeout", "-4"), ("workers", "x"), ("nope", 1)):
        try:
            cfg.set(name, value)
        except (ValueError, AttributeError, TypeError) as error:
            print(type(error).__name__)
    print(len(gunicorn_config.KNOWN_SETTINGS) > 80, cfg.settings[
        "loglevel"].get(), cfg.logger_class.__name__)
    raw = (b"POST /a?b=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
           b"\r\n3\r\nabc\r\n0\r\n\r\nGET /c HTTP/1.0\r\n\r\nBROKEN\r\n\r\n")
    try:
        for got in RequestParser(cfg, iter([raw]), ("127.0.0.1", 1)):
            print(got.method, got.path, got.query, got.version, got.headers,
                  got.body.read(), type(got.body.reader).__name__)
    except gunicorn.http.errors.ParseException as error:
        print(type(error).__name__, error)
    print(gunicorn.util.parse_address("[::1]:80"), issubclass(
        LengthReader, object), Body.__name__, ChunkedReader.__name__)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("a.ini", INI), ("f.txt", "static")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        with contextlib.redirect_stderr(io.StringIO()):
            pasted(folder)
    sys.argv[1:] = []
    unicorn()


if __name__ == "__main__":
    main()
