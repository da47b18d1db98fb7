# needs: python3-httpx python3-httpcore python3-h2
# packages: httpx httpcore anyio
"""An httpx client against a server on the loopback and applications in
process: transports, authentication, hooks, streams, cookies, errors, async.
"""
import asyncio
import http.server
import json
import threading

import httpcore
import httpx
import httpx._transports.mock
from httpcore import backends
from httpx import AsyncClient, BasicAuth, Client, Cookies, DigestAuth, Headers
from httpx import Limits, QueryParams, Request, Response, Timeout, URL
from httpx import ASGITransport, HTTPTransport, MockTransport, WSGITransport
from httpx import codes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.headers.get("Content-Length", 0))
        body = json.dumps({"path": self.path, "method": self.command,
                           "auth": self.headers.get("Authorization"),
                           "cookie": self.headers.get("Cookie"),
                           "body": self.rfile.read(size).decode()[:40]})
        status = 302 if self.path == "/go" else 200
        self.send_response(404 if self.path == "/no" else status)
        self.send_header("Location", "/there?x=1")
        self.send_header("Set-Cookie", "c=1; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_PUT = do_GET

    def log_message(self, *args):
        pass


class Token(httpx.Auth):
    requires_response_body = True

    def auth_flow(self, request):
        request.headers["Authorization"] = "first"
        response = yield request
        request.headers["Authorization"] = f"then {response.status_code}"
        yield request


async def asgi(scope, receive, send):
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": body[::-1]})


def wsgi(environ, start_response):
    start_response("201 Created", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode(), b"!"]


def answer(request):
    if request.url.path == "/slow":
        raise httpx.ReadTimeout("slow", request=request)
    if request.url.path == "/digest" and "Authorization" not in \
            request.headers:
        return Response(401, headers={"WWW-Authenticate":
                                      'Digest realm="r", nonce="n", qop="auth"'
                                      })
    return Response(200, json={"h": request.headers.get("x-h"),
                               "a": request.headers.get("authorization",
                                                        "")[:30]})


def live(base):
    hooks = {"response": [lambda r: print("hook", r.status_code, r.url.path)]}
    with Client(base_url=base, event_hooks=hooks, follow_redirects=True,
                timeout=Timeout(5, connect=2), limits=Limits(
                    max_connections=2)) as client:
        print(client.get("/go").json(), dict(client.cookies))
        print(client.post("/p", data={"a": "ü"}, auth=("u", "p")).json())
        print(client.put("/j", json=[1], auth=Token()).json()["auth"])
        form = client.post("/m", files={"f": ("n.txt", b"data")})
        print(form.request.headers["Content-Type"].split(";")[0])
        try:
            client.get("/no").raise_for_status()
        except httpx.HTTPStatusError as error:
            print(error.response.reason_phrase, error.request.url.path)
        with client.stream("GET", "/s") as response:
            print(len(b"".join(response.iter_bytes(10))) > 50,
                  response.is_stream_consumed, response.num_bytes_downloaded
                  > 50)
    with httpcore.ConnectionPool(max_connections=1) as pool:
        response = pool.request("GET", str(base) + "/core", headers={"H": "v"})
        print(response.status, json.loads(response.content)["path"],
              len(pool.connections), backends.__name__)
    for url, kind in (("http://127.0.0.1:1/", httpx.ConnectError),
                      ("ftp://x/", httpx.UnsupportedProtocol),
                      ("/relative", httpx.UnsupportedProtocol)):
        try:
            httpx.get(url, trust_env=False)
        except kind as error:
            print(type(error).__name__, isinstance(error, httpx.TransportError))


async def in_process():
    async with AsyncClient(transport=ASGITransport(asgi), base_url="http://t",
                           ) as client:
        both = await asyncio.gather(client.post("/a", content=b"abc"),
                                    client.post("/b", content=b"def"))
        print([(r.text, r.headers["x-path"]) for r in both])
        async with client.stream("POST", "/c", content=b"xy") as response:
            print([part async for part in response.aiter_lines()])
    async with httpcore.AsyncConnectionPool() as pool:
        try:
            await pool.request("GET", "http://127.0.0.1:1/")
        except httpcore.ConnectError as error:
            print(type(error).__name__)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    live(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    asyncio.run(in_process())
    with Client(transport=MockTransport(answer), base_url="http://m",
                mounts={"http://w": WSGITransport(app=wsgi)}) as client:
        print(client.get("/x", headers={"X-H": "1"}).json(),
              client.get("http://w/y").text, client.get(
                  "/digest", auth=DigestAuth("u", "p")).json()["a"])
        try:
            client.get("/slow")
        except httpx.TimeoutException as error:
            print(error, error.request.method)
    url = URL("https://u:p@Ex.org:443/a b?q=1#f")
    print(url, url.copy_merge_params({"r": "2"}), url.join("../z"), url.port,
          QueryParams("a=1&a=2").merge({"b": 3}), Headers({"A": "b"}).raw,
          codes.is_error(404), codes.NOT_FOUND.name, BasicAuth("a", "b") != 0)
    jar = Cookies({"k": "v"})
    jar.set("d", "e", domain="x.org")
    print(sorted(jar), Request("GET", url, cookies=jar).headers.get("cookie"),
          Response(200, content=b"\xfc", default_encoding="latin-1").text,
          issubclass(HTTPTransport, httpx.BaseTransport))


if __name__ == "__main__":
    main()
