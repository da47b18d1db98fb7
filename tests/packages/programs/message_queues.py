# needs: python3-pika python3-paho-mqtt python3-zmq
# packages: pika paho zmq
"""Message queues: pika's frames and parameters, an MQTT client against a small
broker on the loopback, and ZeroMQ sockets of many kinds in one process.
"""
import asyncio
import pickle
import socket
import threading

import paho.mqtt.client
import paho.mqtt.publish
import pika
import pika.adapters.blocking_connection
import pika.data
import zmq
import zmq.asyncio
import zmq.auth
import zmq.utils.jsonapi
from paho.mqtt import matcher
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from pika import BasicProperties, ConnectionParameters, URLParameters
from pika import PlainCredentials, callback, channel, credentials, exceptions
from pika import frame, spec
from pika.adapters.utils import connection_workflow
from pika.amqp_object import Class, Method
from pika.exchange_type import ExchangeType
from zmq import devices, eventloop
from zmq.constants import SocketOption, SocketType
from zmq.error import Again, ZMQError
from zmq.log.handlers import PUBHandler


class Waiting:
    def __init__(self, *args):
        self.args = args


def rabbit():
    for url in ("amqp://u:p@h:1/v%2F?heartbeat=5&frame_max=8192", "amqps://h"):
        found = URLParameters(url)
        print(found.host, found.port, found.virtual_host, found.heartbeat,
              found.credentials.username, found.ssl_options is not None)
    for bad in (lambda: ConnectionParameters(port="x"),
                lambda: ConnectionParameters(heartbeat=-1),
                lambda: URLParameters("amqp://h?heartbeat=z")):
        try:
            bad()
        except (TypeError, ValueError) as error:
            print(type(error).__name__)
    properties = BasicProperties(content_type="a/b", headers={
        "n": 1, "l": ["x", None, True], "d": {"f": 2 ** 40}}, delivery_mode=2)
    raw = b"".join(properties.encode())
    again = BasicProperties()
    again.decode(raw)
    print(again == properties, again.headers, issubclass(BasicProperties, Class)
          or issubclass(spec.Basic.Publish, Method))
    sent = frame.Method(1, spec.Basic.Publish(exchange="e", routing_key="r"))
    size, got = frame.decode_frame(sent.marshal() + b"rest")
    print(size, got.method, got.method.NAME, frame.decode_frame(
        frame.Heartbeat().marshal())[1], frame.decode_frame(b"short"))
    print(frame.decode_frame(frame.Header(1, 4, properties).marshal())[1],
          pika.data.encode_table([], {"a": 1}), ExchangeType("topic").name)
    manager = callback.CallbackManager()
    manager.add(0, "k", print, one_shot=True, arguments={"x": 1})
    print(manager.pending(0, "k"), manager.process(0, "k", "caller"))
    for error in (exceptions.ChannelClosedByBroker(404, "none"),
                  exceptions.StreamLostError("lost"),
                  exceptions.UnroutableError([])):
        print(repr(error), isinstance(error, exceptions.AMQPError))
    try:
        pika.BlockingConnection(ConnectionParameters(
            "127.0.0.1", 1, connection_attempts=1, socket_timeout=1))
    except exceptions.AMQPConnectionError as error:
        print(type(error).__name__, credentials.VALID_TYPES[0].__name__,
              PlainCredentials("a", "b") == PlainCredentials("a", "b"))
    print(channel.Channel.CLOSED, connection_workflow.AMQPConnectorException
          is not None, pika.SelectConnection.__name__)


def broker(listener):
    link, _ = listener.accept()
    while head := link.recv(2):
        body = link.recv(head[1]) if head[1] else b""
        kind = head[0] >> 4
        if kind == 1:
            link.sendall(b"\x20\x02\0\0")
        elif kind == 8:
            link.sendall(b"\x90\x03" + body[:2] + b"\x01")
        elif kind == 3:
            link.sendall(head + body)
            if head[0] & 6:
                size = body[1]
                link.sendall(b"\x40\x02" + body[2 + size:4 + size])
        elif kind == 14:
            break
    link.close()


def mqtt():
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=broker, args=(listener,), daemon=True)
    thread.start()
    done, seen = threading.Event(), []
    client = paho.mqtt.client.Client("me", userdata=seen, clean_session=True)

    def connected(client, seen, flags, code):
        seen.append(("connected", code))
        client.subscribe([("a/#", 1)])

    client.on_connect = connected
    client.on_subscribe = lambda c, seen, mid, granted: (
        seen.append(granted), c.publish("a/b", b"hello", qos=1))
    client.on_message = lambda c, seen, m: (seen.append(
        (m.topic, m.payload, m.qos)), done.set())
    client.connect("127.0.0.1", listener.getsockname()[1])
    client.loop_start()
    done.wait(5)
    client.disconnect()
    client.loop_stop()
    thread.join(5)
    print(seen)
    tree = matcher.MQTTMatcher()
    tree["a/+/c"], tree["a/#"] = 1, 2
    print(sorted(tree.iter_match("a/b/c")), paho.mqtt.client.topic_matches_sub(
        "+/b", "a/b"), paho.mqtt.client.connack_string(5),
        paho.mqtt.client.error_string(4))
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = ("k", "v")
    properties.MessageExpiryInterval = 9
    again = Properties(PacketTypes.PUBLISH)
    again.unpack(properties.pack())
    print(again.json() == properties.json(), str(ReasonCodes(
        PacketTypes.CONNACK, "Not authorized")), callable(
        paho.mqtt.publish.single))
    try:
        client.publish("a/+", "x")
    except ValueError as error:
        print(error)


async def later():
    context = zmq.asyncio.Context()
    with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        pull.bind("inproc://later")
        push.connect("inproc://later")
        await push.send_pyobj({"a": (1,)})
        print(await pull.recv_pyobj())
        print(await pull.poll(1))
    context.term()


def zero():
    context = zmq.Context.instance()
    rep, req = context.socket(zmq.REP), context.socket(SocketType.REQ)
    port = rep.bind_to_random_port("tcp://127.0.0.1")
    req.connect(f"tcp://127.0.0.1:{port}")
    req.send_multipart([b"a", b"b"])
    poller = zmq.Poller()
    poller.register(rep, zmq.POLLIN)
    print(dict(poller.poll(1000))[rep] == zmq.POLLIN, rep.recv_multipart())
    rep.send_json({"k": [1]})
    print(req.recv_json(), zmq.utils.jsonapi.dumps([1]), req.type.name)
    try:
        req.recv(zmq.NOBLOCK)
    except ZMQError as error:
        print(error.errno == zmq.EFSM, error.strerror)
    try:
        rep.recv(flags=zmq.DONTWAIT)
    except Again as error:
        print(type(error).__name__)
    pub, sub = context.socket(zmq.XPUB), context.socket(zmq.SUB)
    pub.bind("inproc://news")
    sub.connect("inproc://news")
    sub.subscribe("t")
    print(pub.recv())
    handler = PUBHandler(pub)
    handler.root_topic = "topic"
    pub.send_string("t hello")
    message = zmq.Frame(b"frame", track=True)
    print(sub.recv_string(), bytes(message), len(message.buffer), rep.get(
        SocketOption.LINGER), zmq.has("ipc"), pickle.loads(pickle.dumps(
            SocketOption.LINGER)), devices.ThreadDevice.__name__,
        zmq.auth.create_certificates.__name__, eventloop.__name__)
    for s in (rep, req, pub, sub):
        s.close(0)
    context.term()
    print(context.closed)


if __name__ == "__main__":
    rabbit()
    mqtt()
    asyncio.run(later())
    zero()
