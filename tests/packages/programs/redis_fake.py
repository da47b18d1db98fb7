# needs: python3-redis
# packages: redis
"""A Redis client against a small server on the loopback: commands, pipelines,
scripts, locks, publish and subscribe, parsing, pools, retries and asyncio.
"""
import asyncio
import copy
import socketserver
import threading

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.commands.parser
import redis.connection
from redis import BlockingConnectionPool, ConnectionPool, Redis, StrictRedis
from redis import exceptions
from redis.backoff import ConstantBackoff, ExponentialBackoff, NoBackoff
from redis.client import NEVER_DECODE, Pipeline, bool_ok, parse_info
from redis.cluster import ClusterNode, LoadBalancer
from redis.commands.helpers import list_or_args, nativestr
from redis.commands.json import JSON
from redis.commands.search.query import Query
from redis.connection import Encoder, PythonParser, UnixDomainSocketConnection
from redis.connection import parse_url
from redis.crc import key_slot
from redis.exceptions import ConnectionError, ResponseError, WatchError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelManagedConnection
from redis.utils import from_url, pipeline as pipeline_of, str_if_bytes


class Handler(socketserver.StreamRequestHandler):
    data = {}

    def handle(self):
        queued = None
        while line := self.rfile.readline():
            args = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                args.append(self.rfile.read(size))
                self.rfile.read(2)
            name = args[0].decode().upper()
            if name == "MULTI":
                queued = []
                answer = b"+OK\r\n"
            elif name == "EXEC":
                answer = b"*%d\r\n" % len(queued) + b"".join(
                    self.answer(n, a) for n, a in queued)
                queued = None
            elif queued is not None:
                queued.append((name, args))
                answer = b"+QUEUED\r\n"
            else:
                answer = self.answer(name, args)
            self.wfile.write(answer)

    def answer(self, name, args):
        data = self.data
        if name == "SET":
            if b"NX" in args and args[1] in data:
                return b"$-1\r\n"
            data[args[1]] = args[2]
            return b"+OK\r\n"
        if name == "GET":
            return self.bulk(data.get(args[1]))
        if name == "INCRBY":
            data[args[1]] = b"%d" % (int(data.get(args[1], 0)) + int(args[2]))
            return b":" + data[args[1]] + b"\r\n"
        if name == "HGETALL":
            return b"*4\r\n" + b"".join(map(self.bulk, [b"a", b"1", b"b", b"2"]))
        if name == "ZRANGE":
            return b"*2\r\n" + self.bulk(b"m") + self.bulk(b"1.5")
        if name == "INFO":
            return self.bulk(b"# Server\r\nredis_version:7.0.0\r\nx:a=1,b=2\r\n")
        if name == "EVALSHA" and b"x" not in data:
            data[b"x"] = b"1"
            return b"-NOSCRIPT none\r\n"
        if name in ("EVALSHA", "DEL", "PUBLISH"):
            return b":1\r\n"
        if name == "SCRIPT":
            return self.bulk(b"ab" * 20)
        if name in ("SUBSCRIBE", "UNSUBSCRIBE"):
            said = b"*3\r\n" + self.bulk(name.lower().encode()) + self.bulk(
                args[1]) + b":1\r\n"
            if name == "SUBSCRIBE":
                said += b"*3\r\n" + b"".join(map(self.bulk, [
                    b"message", args[1], b"news"]))
            return said
        if name in ("SELECT", "CLIENT", "WATCH", "UNWATCH"):
            return b"+OK\r\n"
        if name == "PING":
            return b"+PONG\r\n"
        return b"-ERR unknown command '%s'\r\n" % name.encode()

    def bulk(self, value):
        return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (
            len(value), value)


def commands(port):
    link = StrictRedis("127.0.0.1", port, db=2, decode_responses=True,
                       retry=Retry(NoBackoff(), 1))
    print(link.ping(), link.set("k", "ü"), link.get("k"), link.get("none"),
          link.incr("n", 5), link.hgetall("h"), link.zrange(
              "z", 0, -1, withscores=True), link.info()["x"])
    with link.pipeline() as pipe:
        print(pipe.set("p", 1).incr("p").get("p").execute(), len(pipe),
              isinstance(pipe, Pipeline))
    print(link.transaction(lambda pipe: pipe.multi() or pipe.incr("t"), "t"))
    script = link.register_script("return 1")
    print(script(keys=["a"], args=[1]))
    with link.lock("lock", timeout=5) as lock:
        print(lock.locked(), lock.owned())
    try:
        link.execute_command("NOPE")
    except ResponseError as error:
        print(error)
    link.set_response_callback("PING", lambda answer: "own " + answer)
    print(link.ping(), copy.copy(link.connection_pool.connection_kwargs)["db"])
    heard = link.pubsub(ignore_subscribe_messages=True)
    heard.subscribe(news=lambda m: print("heard", m["data"]))
    for _ in range(2):
        heard.get_message(timeout=1)
    heard.close()
    pool = BlockingConnectionPool(host="127.0.0.1", port=port, max_connections=1,
                                  timeout=0.01)
    with Redis(connection_pool=pool) as held:
        taken = pool.get_connection("x")
        try:
            held.ping()
        except ConnectionError as error:
            print(error)
        pool.release(taken)
    try:
        Redis("127.0.0.1", 1).ping()
    except ConnectionError as error:
        print(type(error).__name__)


async def later(port):
    link = redis.asyncio.from_url(f"redis://127.0.0.1:{port}/1")
    print(await link.set("a", "1"), await link.get("a"))
    async with link.pipeline(transaction=True) as pipe:
        print(await pipe.incr("a").get("a").execute())
    async with redis.asyncio.Redis(host="127.0.0.1", port=port) as other:
        print(await asyncio.gather(*[other.incr("g") for _ in range(3)]) != [])
    await link.close()
    await link.connection_pool.disconnect()


def parts():
    for url in ("redis://u:p@h:7/3?socket_timeout=2", "unix:///a?db=1",
                "rediss://h", "http://h"):
        try:
            found = ConnectionPool.from_url(url)
            print(found.connection_class.__name__, sorted(parse_url(url)))
        except ValueError as error:
            print(str(error)[:30])
    encoder = Encoder("utf-8", "strict", False)
    print(encoder.encode(1.5), list_or_args("a", ["b"]), nativestr(b"x"),
          bool_ok(b"OK"), parse_info(b"a:1\r\n"), key_slot(b"{a}b"),
          NEVER_DECODE, str_if_bytes(b"s"), callable(pipeline_of),
          callable(from_url), PythonParser.__name__)
    try:
        encoder.encode(None)
    except exceptions.DataError as error:
        print(str(error)[:40])
    try:
        Sentinel([("127.0.0.1", 1)]).discover_master("m")
    except MasterNotFoundError as error:
        print(str(error)[:30], ConstantBackoff(3).compute(1), ExponentialBackoff(
            8, 1).compute(2))
    print(Query("hello").paging(0, 5).verbatim().get_args(), JSON.__name__,
          ClusterNode("127.0.0.1", 7).name, LoadBalancer().get_server_index(
              "p", 3), SentinelManagedConnection.__name__, issubclass(
              WatchError, redis.RedisError), UnixDomainSocketConnection.__name__)


def main():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    commands(server.server_address[1])
    asyncio.run(later(server.server_address[1]))
    server.shutdown()
    thread.join()
    server.server_close()
    parts()


if __name__ == "__main__":
    main()
