# needs: python3-starlette python3-anyio python3-itsdangerous python3-jinja2 python3-multipart
# packages: starlette anyio
"""A Starlette application driven without a server: routing, web sockets,
sessions, authentication, templates, static files, forms, GZip and life span.
"""
import asyncio
import json
import tempfile

import starlette.authentication
import starlette.responses
import starlette.staticfiles
from starlette import convertors, datastructures, requests, status
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend
from starlette.authentication import AuthenticationError, SimpleUser, requires
from starlette.background import BackgroundTasks
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.config import Config, environ
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.middleware.wsgi import WSGIMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket, WebSocketDisconnect

DONE = []


class Hex(convertors.Convertor):
    regex = "[0-9a-f]+"

    def convert(self, value):
        return int(value, 16)

    def to_string(self, value):
        return format(value, "x")


convertors.register_url_convertor("hex", Hex())


class Login(AuthenticationBackend):
    async def authenticate(self, connection):
        user = connection.headers.get("x-user")
        if user == "evil":
            raise AuthenticationError("evil")
        if user:
            return AuthCredentials(["login"]), SimpleUser(user)


class Page(HTTPEndpoint):
    @requires("login", status_code=404)
    async def get(self, request):
        return PlainTextResponse(f"page of {request.user.display_name}")

    async def post(self, request):
        tasks = BackgroundTasks()
        tasks.add_task(DONE.append, await request.json())
        return JSONResponse({"sent": True}, status.HTTP_202_ACCEPTED,
                            background=tasks)


class Echo(WebSocketEndpoint):
    encoding = "json"

    async def on_receive(self, ws, data):
        await ws.send_json({"got": data})

    async def on_disconnect(self, ws, code):
        DONE.append(code)


async def number(request):
    n = request.path_params["n"]
    if n == 0:
        raise HTTPException(409, "zero")
    return HTMLResponse(f"<b>{n}</b> {request.url_for('number', n=n + 1)}")


def slow(request):
    response = RedirectResponse("/n/1")
    response.set_cookie("c", "v", samesite="strict")
    return response


async def broken(request):
    raise ZeroDivisionError("broken")


def wsgi(environ, start_response):
    start_response("200 OK", [("X-W", "1")])
    return [environ["PATH_INFO"].encode()]


async def call(app, path, method="GET", body=b"", kind="http", **headers):
    path, _, query = path.partition("?")
    sent = []
    incoming = [{"type": "http.request", "body": body}] if kind == "http" else \
        body + [{"type": "websocket.disconnect", "code": 1001}]

    async def receive():
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "root_path": "",
             "query_string": query.encode(), "http_version": "1.1",
             "scheme": "http", "server": ("h", 80), "client": ("c", 1),
             "headers": [(b"host", b"h")] + [
                 (k.replace("_", "-").encode(), v.encode())
                 for k, v in headers.items()]}
    try:
        await app(scope, receive, send)
    except ZeroDivisionError as error:
        sent.append({"raised": str(error)})
    if kind != "http":
        print(path, [m.get("text", m["type"]) for m in sent])
        return
    text = b"".join(m.get("body", b"") for m in sent)
    found = dict(sent[0]["headers"])
    print(method, path, sent[0]["status"], text[:60], found.get(b"location"),
          found.get(b"content-encoding"), sent[-1].get("raised"))


async def life(app):
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    said = []

    async def send(message):
        said.append(message["type"])

    async def receive():
        return incoming.pop(0)

    await app({"type": "lifespan"}, receive, send)
    print(said)


async def story(folder):
    with open(folder + "/t.html", "w") as file:
        file.write("{{ x }} {{ url_for('number', n=255) }}")
    templates = Jinja2Templates(folder)
    static = starlette.staticfiles.StaticFiles(directory=folder, html=True)

    async def template(request):
        return templates.TemplateResponse("t.html", {"request": request, "x": "<"})

    app = Starlette(
        routes=[Route("/n/{n:hex}", number, name="number"), Route("/page", Page),
                Route("/slow", slow), Route("/broken", broken),
                Route("/t", template), WebSocketRoute("/ws", Echo),
                Route("/file", lambda r: FileResponse(folder + "/t.html")),
                Mount("/static", static), Mount("/w", WSGIMiddleware(wsgi)),
                Host("sub.h", Router([Route("/", slow)]))],
        middleware=[Middleware(GZipMiddleware, minimum_size=30),
                    Middleware(AuthenticationMiddleware, backend=Login()),
                    Middleware(TrustedHostMiddleware, allowed_hosts=["h"])],
        exception_handlers={404: lambda r, e: PlainTextResponse(
            "own 404", 404)}, on_startup=[lambda: DONE.append("up")])
    await life(app)
    for path in ("/n/ff", "/n/0", "/n/zz", "/page", "/slow", "/broken", "/t",
                 "/static/t.html", "/static/none", "/w/x", "/page/"):
        await call(app, path)
    await call(app, "/page", x_user="ann")
    await call(app, "/page", x_user="evil")
    await call(app, "/file")
    await call(app, "/page", "POST", b"[1]")
    await call(app, "/page", "PUT")
    await call(app, "/ws", body=[{"type": "websocket.connect"}, {
        "type": "websocket.receive", "text": "[1]"}], kind="websocket")
    await call(HTTPSRedirectMiddleware(app), "/x?y=1")
    print(DONE, app.url_path_for("number", n=16), [
        x async for x in iterate_in_threadpool(iter("ab"))],
        await run_in_threadpool(sum, [1, 2]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(folder))
    config = Config(environ={"DEBUG": "yes", "N": "5"})
    for name, cast in (("N", int), ("DEBUG", bool), ("GONE", str)):
        try:
            print(config(name, cast=cast))
        except (KeyError, ValueError) as error:
            print(type(error).__name__, error)
    url = datastructures.URL("http://u:p@h:1/a?b=1#c")
    params = datastructures.QueryParams("a=1&a=2&b=")
    print(repr(url), url.replace(port=5, path="/z").include_query_params(q=2),
          params.getlist("a"), datastructures.CommaSeparatedStrings("a, 'b c'"),
          datastructures.State({"x": 1}).x, datastructures.ImmutableMultiDict(
              [("a", 1)]), requests.cookie_parser("a=b; c"), WebSocketDisconnect(
              ).code, starlette.authentication.UnauthenticatedUser().display_name,
          WebSocket.__name__, environ is not None, json.loads(
              starlette.responses.JSONResponse([1]).body))


if __name__ == "__main__":
    main()
