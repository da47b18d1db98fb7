# needs: python3-aiohttp python3-multidict python3-yarl
# packages: aiohttp multidict yarl frozenlist aiosignal
"""An aiohttp service and its client on the loopback: middleware, web sockets,
multipart, streams, signals, tracing, cookies; and the structures below it.
"""
import asyncio
import json
import pickle

import aiohttp
import aiohttp.test_utils
import aiohttp.web
import multidict
import yarl
from aiohttp import ClientSession, ClientTimeout, FormData, TraceConfig
from aiohttp import hdrs, helpers, payload, web
from aiohttp.client_exceptions import ClientResponseError, InvalidURL
from aiohttp.http_parser import HttpRequestParser
from aiohttp.multipart import MultipartWriter
from aiohttp.web_middlewares import normalize_path_middleware
from aiohttp.web_urldispatcher import UrlDispatcher
from aiosignal import Signal
from frozenlist import FrozenList
from multidict import CIMultiDict, MultiDict, MultiDictProxy, istr
from yarl import URL

routes = web.RouteTableDef()


@routes.get("/n/{name:[a-z]+}", name="named")
async def named(request):
    return web.json_response({
        "name": request.match_info["name"], "q": list(request.query.items()),
        "url": str(request.app.router["named"].url_for(name="z")),
        "cookie": request.cookies.get("c")})


@routes.post("/up")
async def up(request):
    parts = []
    async for part in await request.multipart():
        parts.append([part.name, part.filename, await part.text()])
    return web.json_response(parts, status=201)


@routes.view("/view")
class View(web.View):
    async def get(self):
        response = web.StreamResponse(headers={"X-S": "1"})
        response.enable_compression()
        response.set_cookie("c", "set")
        await response.prepare(self.request)
        for n in range(3):
            await response.write(b"%d" % n)
        await response.write_eof()
        return response

    async def put(self):
        raise web.HTTPConflict(text=(await self.request.text()).upper())


@routes.get("/ws")
async def socket(request):
    ws = web.WebSocketResponse(protocols=["p"])
    await ws.prepare(request)
    async for message in ws:
        if message.type is aiohttp.WSMsgType.TEXT:
            await ws.send_json({"got": message.data})
        else:
            await ws.close(code=4000, message=b"bye")
    return ws


@web.middleware
async def tag(request, handler):
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers["X-Tag"] = "failed"
        raise
    except ZeroDivisionError:
        return web.Response(text="caught", status=500)
    if not response.prepared:
        response.headers["X-Tag"] = "ok"
    return response


async def started(app):
    app["log"] = ["start"]
    yield
    print("clean up", app["log"])


def make_app():
    app = web.Application(middlewares=[
        tag, normalize_path_middleware(append_slash=False, remove_slash=True)])
    app.add_routes(routes)
    app.router.add_get("/zero", lambda request: 1 / 0)
    app.cleanup_ctx.append(started)
    sub = web.Application()
    sub.router.add_route("*", "/any", lambda r: web.Response(text=r.method))
    app.add_subapp("/sub/", sub)
    return app


async def exchange():
    trace = TraceConfig()
    seen = []

    async def ended(session, context, params):
        seen.append((params.method, params.response.status))

    trace.on_request_end.append(ended)
    server = aiohttp.test_utils.TestServer(make_app())
    await server.start_server()
    base = server.make_url("/")
    jar = aiohttp.CookieJar(unsafe=True)
    async with ClientSession(trace_configs=[trace], cookie_jar=jar,
                             timeout=ClientTimeout(total=5)) as client:
        for path in ("view", "n/ann?a=1&a=2", "n/ann/", "zero", "none"):
            async with client.get(base.join(URL(path))) as answer:
                print(path, answer.status, (await answer.text())[:90],
                      answer.headers.get("x-tag"), len(answer.history))
        form = FormData()
        form.add_field("a", "1")
        form.add_field("f", b"bytes", filename="f.txt")
        async with client.post(base / "up", data=form) as answer:
            print(answer.status, await answer.json())
        try:
            await client.put(base / "view", data="x", raise_for_status=True)
        except ClientResponseError as error:
            print(error.status, error.message, error.headers["X-Tag"])
        async with client.ws_connect(base / "ws", protocols=["p"]) as ws:
            await ws.send_str("hi")
            print(await ws.receive_json(), ws.protocol)
            await ws.send_bytes(b"x")
            message = await ws.receive()
            print(message.type.name, message.data, ws.closed)
        try:
            await client.get("no url")
        except InvalidURL as error:
            print(type(error).__name__, error.url)
        print(await (await client.delete(base / "sub/any")).text(), seen)
    await server.close()
    signal = Signal(None)
    signal.append(lambda *a: asyncio.sleep(0, print("signal", a)))
    signal.freeze()
    await signal.send(1)


def structures():
    multi = MultiDict([("a", 1), ("A", 2), ("a", 3)])
    proxy = MultiDictProxy(multi)
    lower = CIMultiDict(a=1)
    lower.extend(A=2)
    print(multi.getall("a"), proxy.getone("A"), lower.getall(istr("a")),
          pickle.loads(pickle.dumps(multi)) == multi, multidict.getversion(
              multi) == multidict.getversion(proxy))
    url = URL("http://u:p@Ex.org:80/a b/../c?x=1&y=ü#f")
    print(url, url.with_query({"k": [1, 2]}).human_repr(), url.origin(),
          url / "d", url % {"z": 3}, yarl.URL.build(host="h", scheme="http"),
          pickle.loads(pickle.dumps(url)) == url)
    frozen = FrozenList([1, 2])
    frozen.freeze()
    try:
        frozen.append(3)
    except RuntimeError as error:
        print(error, hash(frozen) == hash(frozen))
    writer = MultipartWriter("mixed", boundary="b")
    writer.append_json({"a": 1})
    writer.append("text", {"X-Y": "z"})
    print(writer.content_type, len(writer), writer.size, payload.get_payload(
        b"x").content_type, helpers.parse_mimetype("a/b; c=d").parameters)
    print(helpers.BasicAuth.decode("Basic YTpi"), hdrs.CONTENT_TYPE,
          isinstance(UrlDispatcher().freeze(), type(None)),
          HttpRequestParser.__name__, json.dumps(hdrs.ETAG))


if __name__ == "__main__":
    structures()
    asyncio.run(exchange())
