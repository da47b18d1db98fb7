# needs: python3-bottle
# packages: bottle
"""A Bottle application: routes with filters, plug-ins, hooks, its template
engine, cookies, uploads, mounts, errors and a server on the loopback.
"""
import io
import json
import threading
import urllib.request
import wsgiref.simple_server

import bottle
from bottle import Bottle, HTTPError, HTTPResponse, abort, cookie_decode
from bottle import cookie_encode, error, hook, redirect, request, response
from bottle import FormsDict, HeaderDict, MultiDict, SimpleTemplate, route
from bottle import LocalRequest, ServerAdapter, template, view, yieldroutes

app = Bottle()
sub = Bottle()


class Counting:
    name, api = "counting", 2

    def __init__(self):
        self.calls = []

    def setup(self, app):
        self.calls.append("setup")

    def apply(self, callback, route):
        def wrapper(*args, **kwargs):
            self.calls.append(route.rule)
            return callback(*args, **kwargs)
        return wrapper


class Quiet(ServerAdapter):
    def run(self, handler):
        class Silent(wsgiref.simple_server.WSGIRequestHandler):
            def log_message(self, *args):
                pass
        self.server = wsgiref.simple_server.make_server(
            self.host, self.port, handler, handler_class=Silent)
        self.ready.set()
        self.server.serve_forever()


@app.get("/n/<name:re:[a-z]+>")
@app.get("/n/<name>/<count:int>", name="counted")
def named(name, count=1):
    return {"name": name * count, "q": request.query.getall("q")}


@app.route("/f/<x:float>/<rest:path>")
def numbers(x, rest):
    response.set_cookie("seen", [x], secret="k")
    response.content_type = "text/plain"
    return (part for part in (str(x), " ", rest))


@app.post("/up")
def up():
    file = request.files.get("f")
    return f"{file.filename} {file.file.read()} {request.forms.a}"


@app.get("/page")
@view("<b>{{title}}</b>\n% for i in items:\n{{i}} {{!i}}\n% end", title="T")
def page():
    return {"items": ["<", 1]}


@app.get("/who")
def who():
    if not request.get_cookie("seen", secret="k"):
        abort(401, "who?")
    redirect("/page")


@app.get("/zero")
def zero():
    return str(1 / 0)


@app.error(404)
def missing(error):
    return f"none {error.status_line}"


@app.hook("after_request")
def tag():
    response.headers["X-Tag"] = request.method


@sub.route("/hello", method=["GET", "PUT"])
def hello():
    return HTTPResponse("sub " + request.script_name, status=202)


def call(path, method="GET", body=b"", **extra):
    got = {}
    path, _, query = path.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path,
               "QUERY_STRING": query, "wsgi.input": io.BytesIO(body),
               "wsgi.errors": io.StringIO(), "SERVER_NAME": "h",
               "SERVER_PORT": "80", "wsgi.url_scheme": "http",
               "CONTENT_LENGTH": str(len(body)), **extra}

    def start(status, headers, exc_info=None):
        got.update(status=status, headers=dict(headers))

    text = b"".join(app(environ, start)).decode()
    print(method, path, got["status"], text[:70].replace("\n", "|"),
          got["headers"].get("X-Tag"), got["headers"].get("Location"))
    return got["headers"]


def main():
    counting = Counting()
    app.install(counting)
    app.mount("/sub/", sub)
    for path in ("/n/ann?q=1&q=2", "/n/ab/2", "/n/a/x", "/page", "/who",
                 "/zero", "/sub/hello", "/none"):
        call(path)
    cookie = call("/f/1.5/a/b")["Set-Cookie"].split(";")[0]
    call("/who", HTTP_COOKIE=cookie)
    call("/sub/hello", "POST")
    body = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="../x"'
            b'\r\n\r\ndata\r\n--b\r\nContent-Disposition: form-data; name="a"'
            b"\r\n\r\n1\r\n--b--\r\n")
    call("/up", "POST", body, CONTENT_TYPE="multipart/form-data; boundary=b")
    print(counting.calls, app.get_url("counted", name="z", count=2))
    print(SimpleTemplate("{{x}} % y\n% if x:\nyes\n% else:\nno\n% end").render(
        x=1), template("a{{b}}\\\\\n", b="&"))
    try:
        print(SimpleTemplate("% if 1:\n{{x}}").render())
    except (NameError, SyntaxError) as problem:
        print(type(problem).__name__)
    multi = MultiDict(a=1)
    multi["a"] = 2
    headers = HeaderDict(x_y=1)
    forms = FormsDict(a="\xc3\xbc")
    print(multi.getall("a"), headers["X-Y"], forms.a, cookie_decode(
        cookie_encode([1], "k"), "k"), json.dumps(list(yieldroutes(named))))
    config = bottle.ConfigDict()
    config.load_dict({"a": {"b": 1}})
    print(config["a.b"], isinstance(request, LocalRequest), issubclass(
        HTTPError, HTTPResponse), sorted(bottle.server_names)[:3],
        callable(route) and callable(hook) and callable(error))
    server = Quiet(host="127.0.0.1", port=0)
    server.ready = threading.Event()
    thread = threading.Thread(target=lambda: bottle.run(
        app, server=server, quiet=True))
    thread.start()
    server.ready.wait()
    base = f"http://127.0.0.1:{server.server.server_port}"
    print(urllib.request.urlopen(base + "/n/live").read())
    server.server.shutdown()
    thread.join()
    server.server.server_close()


if __name__ == "__main__":
    main()
