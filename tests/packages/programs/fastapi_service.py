# needs: python3-fastapi python3-starlette python3-uvicorn python3-h11 python3-requests
# packages: fastapi starlette uvicorn h11 pydantic
"""A FastAPI service under uvicorn on the loopback: dependencies, security,
validation, OpenAPI, background work, web middleware and errors.
"""
import asyncio
import enum
import io
import json
import logging
import socket
import threading
import typing
import urllib.error
import urllib.request

import fastapi.openapi.utils
import starlette.routing
import uvicorn
import uvicorn.config
import uvicorn.protocols.http.h11_impl
from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, FastAPI
from fastapi import Header, HTTPException, Path, Query, Request, Security
from fastapi import encoders, responses
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field, validator
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import URL, Headers, MutableHeaders, Secret
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse

logging.disable(logging.CRITICAL)
router = APIRouter(prefix="/items", tags=["items"])
key = APIKeyHeader(name="X-Key", auto_error=False)
basic = HTTPBasic()
DONE = []


class Kind(str, enum.Enum):
    a = "a"
    b = "b"


class Item(BaseModel):
    name: str = Field(..., min_length=2)
    price: float = Field(1, gt=0)
    kind: Kind = Kind.a
    tags: typing.Set[str] = set()
    parts: typing.List["Item"] = []

    @validator("name")
    def no_blanks(cls, value):
        if " " in value:
            raise ValueError("blank")
        return value


Item.update_forward_refs()


class Tag(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["X-Tag"] = request.method
        return response


async def paging(start: int = 0, size: int = Query(10, le=20)):
    yield {"start": start, "size": size}
    DONE.append("paging")


@router.get("/", response_model=typing.List[Item],
            response_model_exclude_unset=True)
async def listing(page: dict = Depends(paging)):
    return [Item(name="xy", kind="b"), {"name": "pq", "price": page["size"]}]


@router.post("/", status_code=201)
def create(item: Item, tasks: BackgroundTasks, x_key: str = Security(key),
           seen: typing.Optional[str] = Cookie(None)):
    tasks.add_task(DONE.append, item.name)
    return {"item": item, "key": x_key, "seen": seen}


@router.get("/{number}")
def one(number: int = Path(..., ge=1), agent: str = Header("none")):
    if number == 7:
        raise HTTPException(404, "no seven", headers={"X-No": "7"})
    return responses.PlainTextResponse(f"{number} {agent}")


async def who(request: Request, login: HTTPBasicCredentials = Depends(basic)):
    return {"user": login.username, "path": request.url.path}


async def stream(request):
    async def parts():
        for n in range(3):
            yield f"{n};"
    return StreamingResponse(parts(), background=BackgroundTask(
        DONE.append, "streamed"))


def make_app():
    app = FastAPI(title="Shop", version="2")
    app.add_middleware(GZipMiddleware, minimum_size=5000)
    app.add_middleware(CORSMiddleware, allow_origins=["http://a"])
    app.add_middleware(Tag)
    app.include_router(router)
    app.add_api_route("/who", who)
    app.mount("/sub", Starlette(routes=[
        starlette.routing.Route("/stream", stream),
        starlette.routing.Route("/{x:path}", lambda r: PlainTextResponse(
            r.path_params["x"]), name="rest")]))

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        return responses.JSONResponse(
            [[list(e["loc"]), e["msg"]] for e in error.errors()], 422)

    @app.on_event("startup")
    def started():
        DONE.append("startup")

    return app


def ask(base, path, data=None, **headers):
    data = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(base + path, data, {
        k.replace("_", "-"): v for k, v in headers.items()})
    try:
        answer = urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    print(path, answer.status, answer.read().decode()[:200], [
        answer.headers[k] for k in ("x-tag", "x-no", "content-type",
                                    "access-control-allow-origin")])


def main():
    app = make_app()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, http="h11",
                                           loop="asyncio", ws="none"))
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    base = "http://127.0.0.1:%d" % listening.getsockname()[1]
    ask(base, "/items/?size=5", Origin="http://a")
    ask(base, "/items/?size=50&start=x")
    ask(base, "/items/", {"name": "ok", "parts": [{"name": "in"}]}, X_Key="k",
        Cookie="seen=yes", Content_Type="application/json")
    ask(base, "/items/", {"name": "a b", "kind": "z", "price": 0},
        Content_Type="application/json")
    for path in ("/items/3", "/items/7", "/items/0", "/who", "/sub/stream",
                 "/sub/a/b", "/none"):
        ask(base, path)
    ask(base, "/who", Authorization="Basic YW5uOnB3")
    server.should_exit = True
    thread.join()
    print(DONE)
    schema = fastapi.openapi.utils.get_openapi(title="t", version="1",
                                               routes=app.routes)
    print(sorted(schema["paths"]), sorted(schema["components"]["schemas"]))
    print(encoders.jsonable_encoder({"k": Kind.b, "i": Item(name="qq")}),
          app.url_path_for("one", number=3), URL("http://h/x?a=1").query,
          Headers({"A": "b"}).raw, Secret("s"), MutableHeaders().items(),
          sorted(uvicorn.config.HTTP_PROTOCOLS), asyncio.iscoroutine(None),
          isinstance(io.StringIO(), io.TextIOBase))


if __name__ == "__main__":
    main()
