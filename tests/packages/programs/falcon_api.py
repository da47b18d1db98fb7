# needs: python3-falcon
# packages: falcon
"""A Falcon API in WSGI and ASGI forms: resources, hooks, middleware, media
handlers, converters, error handling, static routes and its test client.
"""
import json
import tempfile

import falcon
import falcon.asgi
import falcon.testing
from falcon import errors, hooks, media, routing, status_codes, uri
from falcon.media.validators import jsonschema
from falcon.routing import CompiledRouter, StaticRoute
from falcon.routing.converters import BaseConverter
from falcon.testing import helpers
from falcon.util import http_date_to_dt, structures, to_query_str


class HexConverter(BaseConverter):
    def convert(self, value):
        try:
            return int(value, 16)
        except ValueError:
            return None


class LineHandler(media.BaseHandler):
    def deserialize(self, stream, content_type, content_length):
        return stream.read().decode().splitlines()

    def serialize(self, media, content_type):
        return "\n".join(media).encode()


class Tagging:
    def process_request(self, req, resp):
        req.context.seen = [req.method]

    def process_resource(self, req, resp, resource, params):
        req.context.seen.append(type(resource).__name__)

    def process_response(self, req, resp, resource, req_succeeded):
        resp.set_header("X-Seen", ",".join(req.context.seen))


def need_key(req, resp, resource, params, *names):
    if not req.get_header("X-Key"):
        raise falcon.HTTPUnauthorized(title="Key", challenges=["Key"])
    params["names"] = names


class Things:
    @falcon.before(need_key, "a", "b")
    def on_get(self, req, resp, number, names):
        resp.media = {"n": number, "names": names,
                      "q": req.get_param_as_list("q", int)}

    def on_get_list(self, req, resp):
        resp.text = f"{req.get_param_as_bool('all')} {req.accept}"
        resp.set_cookie("c", "v", max_age=5)
        resp.append_link("/next", "next")

    def on_post_list(self, req, resp):
        resp.status = falcon.HTTP_201
        resp.media = list(reversed(req.get_media()))
        resp.content_type = "text/lines"

    def on_put(self, req, resp, number):
        raise KeyError("odd")


class Streams:
    def on_get(self, req, resp):
        resp.stream = iter([b"a", b"b"])
        resp.downloadable_as = "x.txt"

    def on_delete(self, req, resp):
        raise falcon.HTTPMovedPermanently("/else")


class Later:
    async def on_get(self, req, resp, name):
        async def parts():
            for c in name:
                yield c.encode()
        resp.stream = parts()

    async def on_post(self, req, resp, name):
        resp.media = [await req.get_media(), name]

    async def on_websocket(self, req, ws, name):
        await ws.accept()
        await ws.send_text((await ws.receive_text()) + name)
        await ws.close()


def fill(app):
    app.router_options.converters["hex"] = HexConverter
    app.add_middleware(Tagging())
    things = Things()
    app.add_route("/things", things, suffix="list")
    app.add_route("/things/{number:hex}", things)
    app.add_route("/stream", Streams())
    app.add_sink(lambda req, resp, rest: setattr(resp, "text", "sink " + rest),
                 r"/sink/(?P<rest>.+)")
    for handlers in (app.req_options.media_handlers,
                     app.resp_options.media_handlers):
        handlers["text/lines"] = LineHandler()

    def odd(req, resp, ex, params):
        raise errors.HTTPConflict(description=str(ex))

    app.add_error_handler(KeyError, odd)


async def socket_story(conductor):
    async with conductor.simulate_ws("/later/bob") as ws:
        await ws.send_text("hi ")
        print(await ws.receive_text())


def main():
    app = falcon.App(cors_enable=True)
    fill(app)
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/f.txt", "w") as file:
            file.write("static text")
        app.add_static_route("/files", folder)
        client = falcon.testing.TestClient(app)
        for path in ("/things?all=yes", "/things/ff?q=1,2", "/things/zz",
                     "/stream", "/sink/x/y", "/files/f.txt", "/files/no"):
            for headers in ({}, {"X-Key": "k"}):
                got = client.simulate_get(path, headers=headers)
            print(path, got.status, got.text[:60], got.headers.get("x-seen"))
    print(client.simulate_get("/things/1").json, client.simulate_put(
        "/things/1").json, client.simulate_delete("/stream").headers["location"])
    print(client.simulate_post("/things", body="a\nb", headers={
        "Content-Type": "text/lines"}).text, client.simulate_post(
        "/things", body="{", headers={"Content-Type": falcon.MEDIA_JSON}
        ).json["title"], client.simulate_options("/things").headers["allow"])
    later = falcon.asgi.App()
    later.add_route("/later/{name}", Later())
    client = falcon.testing.TestClient(later)
    print(client.simulate_get("/later/ann").text, client.simulate_post(
        "/later/ann", json={"a": 1}).json, client.simulate_get("/q").status)
    falcon.async_to_sync(talk, later)
    router = CompiledRouter()
    router.add_route("/a/{x}/b", Streams())
    print(router.find("/a/1/b")[2], routing.map_http_methods(Streams()).keys(),
          StaticRoute.__name__, uri.parse_query_string("a=1&b=%20&a=2"),
          uri.encode_value("a b/ü"), to_query_str({"a": [1, 2]}))
    try:
        router.add_route("/a/{y}/b", Streams())
        router.add_route("/a/{1}/b", Streams())
    except ValueError as error:
        print(type(error).__name__)
    print(http_date_to_dt("Tue, 15 Nov 1994 12:45:26 GMT").year,
          structures.ETag.loads('W/"x"').is_weak, status_codes.HTTP_418,
          json.loads(errors.HTTPGone(title="g").to_json()), hooks.after.__name__,
          helpers.create_environ("/p")["PATH_INFO"], jsonschema.__name__)


async def talk(app):
    async with falcon.testing.ASGIConductor(app) as conductor:
        await socket_story(conductor)


if __name__ == "__main__":
    main()
