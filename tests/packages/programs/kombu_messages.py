# needs: python3-kombu python3-amqp python3-vine python3-billiard
# packages: kombu amqp vine billiard
"""Messages over kombu's memory transport: exchanges, consumers, mix-ins,
serializers and compression by name, pools; amqp's wire format; promises;
billiard's processes and queues.
"""
import io
import pickle
import socket

import amqp
import amqp.serialization
import billiard
import kombu.compression
import kombu.mixins
import kombu.pools
import kombu.transport.virtual
import vine.abstract
from amqp import spec
from amqp.basic_message import Message as BasicMessage
from amqp.exceptions import AMQPError, NotFound, error_for_code
from kombu import Connection, Consumer, Exchange, Producer, Queue, binding
from kombu import eventloop, serialization
from kombu.clocks import LamportClock
from kombu.common import Broadcast, itermessages, maybe_declare
from kombu.entity import MaybeChannelBound
from kombu.exceptions import ContentDisallowed, OperationalError
from kombu.utils import json as kombu_json
from kombu.utils.functional import LRUCache, lazy
from kombu.utils.imports import symbol_by_name
from kombu.utils.limits import TokenBucket
from kombu.utils.url import parse_url
from vine import barrier, ensure_promise, maybe_promise, promise, starpromise

media = Exchange("media", "direct", durable=True)
video = Queue("video", exchange=media, routing_key="video")
topics = Queue("logs", Exchange("logs", "topic"), routing_key="log.*.error")
fan = Exchange("fan", "fanout")


class Counting(kombu.mixins.ConsumerMixin):
    def __init__(self, connection):
        self.connection, self.got = connection, []

    def get_consumers(self, Consumer, channel):
        return [Consumer([video], callbacks=[self.take], accept=["json"])]

    def take(self, body, message):
        self.got.append((body, message.delivery_info["routing_key"]))
        message.ack()
        self.should_stop = len(self.got) == 2


def messages():
    with Connection("memory://", transport_options={"polling_interval": 0}
                    ) as link:
        producer = Producer(link.channel(), serializer="json")
        for n in range(2):
            producer.publish({"n": n, "at": (1, 2)}, exchange=media,
                             routing_key="video", declare=[video],
                             headers={"h": n}, compression="zlib")
        counting = Counting(link)
        counting.run()
        print(counting.got)
        maybe_declare(topics, link.default_channel)
        for key in ("log.a.error", "log.a.info", "log.b.error"):
            producer.publish(key, exchange=topics.exchange, routing_key=key)
        print([message.payload for _, message in itermessages(
            link, link.channel(), topics, limit=2, timeout=1)])
        print(topics(link.channel()).get() is None)
        queues = [Queue(n, fan)(link.channel()) for n in "ab"]
        for queue in queues:
            queue.declare()
        producer.publish(pickle.dumps([1]), exchange=fan,
                         serializer="raw")
        print([pickle.loads(q.get().body) for q in queues])
        producer.publish([1], exchange=media, routing_key="video",
                         serializer="pickle")
        try:
            with Consumer(link, [video], accept=["json"], callbacks=[print]):
                link.drain_events(timeout=1)
        except ContentDisallowed as error:
            print(error)
        simple = link.SimpleQueue("simple")
        simple.put("s")
        print(simple.get(timeout=1).payload, simple.qsize())
        simple.close()
        with kombu.pools.producers[link].acquire(block=True) as pooled:
            print(type(pooled).__name__, link.as_uri(), link.transport.driver_type)
    for url in ("redis://h", "amqp://u:p@h:1/v", "nope://x", "sqs://"):
        try:
            print(url, Connection(url).transport_cls, parse_url(url)["hostname"],
                  symbol_by_name("kombu.connection:Connection") is Connection)
        except (KeyError, ImportError) as error:
            print(type(error).__name__, error)
    try:
        Connection("amqp://127.0.0.1:1//", connect_timeout=1
                   ).ensure_connection(max_retries=1, interval_start=0)
    except OperationalError as error:
        print(type(error).__name__)
    print(sorted(kombu.compression.encoders())[:2], serialization.dumps(
        {"a": 1}, "json")[0], serialization.loads(
            b"a: 1\n", "application/x-yaml", "utf-8",
            accept={"application/x-yaml"}),
        kombu_json.dumps({"s": lazy(str, 3).evaluate()}), video == pickle.loads(
            pickle.dumps(video)), binding(media, "k").routing_key,
        Broadcast("b").exchange.type, LamportClock().forward(), LRUCache(2).limit,
        TokenBucket(1).can_consume(1), issubclass(Queue, MaybeChannelBound),
        callable(eventloop))


def wire():
    table = {"a": 1, "b": ["x", True, None], "c": {"d": 1.5}, "e": 2 ** 40}
    raw = amqp.serialization.dumps("bsFLo", [1, "s", table, 7, 0])
    print(raw[:3], amqp.serialization.loads("bsFLo", raw, 0)[0][2] == table)
    message = BasicMessage("body", content_type="text/plain", priority=3)
    again = BasicMessage()
    again._load_properties(spec.Basic.Publish[0],
                           message._serialize_properties(), 0)
    print(again.properties, amqp.Connection.__name__)
    print(type(error_for_code(404, "gone %s", (60, 10), AMQPError)).__name__,
          NotFound.code, str(amqp.ChannelError("x", (50, 10))))
    try:
        amqp.Connection("127.0.0.1:1", connect_timeout=1).connect()
    except socket.error as error:
        print(type(error).__name__)


def promises():
    got = []
    first = promise(lambda x: x + 1, callback=got.append)
    first.then(promise(lambda x: got.append(("then", x))))
    first(1)
    waits = [promise(), promise()]
    gate = barrier(waits, callback=promise(
        lambda: got.append("gate")))
    failing = promise(int, on_error=promise(lambda e: got.append(type(e))))
    failing("x")
    for waiting in waits:
        waiting()
    print(got, gate.ready, first.ready, maybe_promise(None), ensure_promise(print).ready,
          isinstance(first, vine.abstract.Thenable), starpromise(max, 1, 2)())


def square(queue, x):
    queue.put(x * x)


def processes():
    # No pool: billiard's own end of one waits for ever now and then.
    squares = billiard.Queue()
    workers = [billiard.Process(target=square, args=(squares, x))
               for x in range(4)]
    for worker in workers:
        worker.start()
    print(sorted(squares.get(timeout=60) for _ in workers))
    for worker in workers:
        worker.join()
    queue = billiard.Queue()
    child = billiard.Process(target=queue.put, args=("child",))
    child.start()
    print(queue.get(timeout=60))
    child.join()
    left, right = billiard.Pipe()
    left.send([1])
    value = billiard.Value("i", 3)
    print(right.recv(), child.exitcode, value.value, billiard.cpu_count() > 0,
          io.BytesIO().closed, billiard.current_process().name)


if __name__ == "__main__":
    messages()
    wire()
    promises()
    processes()
