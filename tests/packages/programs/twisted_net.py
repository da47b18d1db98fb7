# needs: python3-twisted
# packages: twisted
"""Twisted on the loopback: protocols, endpoints, a web server and its agent,
Deferreds, threads, Perspective Broker, AMP and the log system.
"""
import io

import twisted.internet.endpoints
import twisted.python.components
import twisted.web.resource
from twisted.cred import checkers, credentials, error, portal
from twisted.internet import defer, protocol, reactor, task, threads
from twisted.internet.defer import inlineCallbacks, returnValue
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ClientFactory, Factory
from twisted.logger import FileLogObserver, Logger, formatEvent
from twisted.protocols import amp, basic
from twisted.python import failure, log, reflect, usage
from twisted.python.filepath import FilePath
from twisted.spread import jelly, pb
from twisted.web import client, http, resource, server, static
from twisted.web.template import Element, XMLString, flattenString, renderer
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject


class Upper(basic.LineReceiver):
    def lineReceived(self, line):
        if line == b"raise":
            self.transport.loseConnection()
        else:
            self.sendLine(line.upper())


class Asking(basic.LineReceiver):
    def __init__(self, lines):
        self.lines, self.got, self.done = lines, [], defer.Deferred()

    def connectionMade(self):
        for line in self.lines:
            self.sendLine(line)

    def lineReceived(self, line):
        self.got.append(line)

    def connectionLost(self, reason):
        self.done.callback((self.got, reason.type.__name__))


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        request.setHeader(b"x-a", b"1")
        reactor.callLater(0, self.finish, request)
        return server.NOT_DONE_YET

    def finish(self, request):
        request.write(b"page " + request.args.get(b"q", [b"-"])[0])
        request.finish()


class Hello(Element):
    loader = XMLString('<p xmlns:t="http://twistedmatrix.com/ns/twisted.web.'
                       'template/0.1" t:render="name">Hi <t:slot name="n"/></p>'
                       )

    @renderer
    def name(self, request, tag):
        return tag.fillSlots(n="<ann>")


class Sum(amp.Command):
    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]
    errors = {ZeroDivisionError: b"ZERO"}


class Adder(amp.AMP):
    @Sum.responder
    def add(self, a, b):
        if a == 0:
            raise ZeroDivisionError("no")
        return {"total": a + b}


class Root(pb.Root):
    def remote_echo(self, *args):
        return args[::-1]


class INamed(Interface):
    def name():
        "The name."


@implementer(INamed)
class Named(twisted.python.components.Adapter):
    def name(self):
        return "adapted " + str(self.original)


class Realm:
    def requestAvatar(self, who, mind, *interfaces):
        return interfaces[0], who, lambda: None


class Options(usage.Options):
    optFlags = [["fast", "f", "Go."]]
    optParameters = [["port", "p", 1, "Where.", int]]


@inlineCallbacks
def network():
    at = "tcp:0:interface=127.0.0.1"
    end = twisted.internet.endpoints.serverFromString(reactor, at)
    port = yield end.listen(Factory.forProtocol(Upper))
    where = f"tcp:127.0.0.1:{port.getHost().port}"
    asking = Asking([b"one", b"two", b"raise"])
    yield twisted.internet.endpoints.connectProtocol(
        twisted.internet.endpoints.clientFromString(reactor, where), asking)
    print((yield asking.done))
    yield port.stopListening()
    root = resource.Resource()
    root.putChild(b"page", Page())
    root.putChild(b"data", static.Data(b"static", "text/plain"))
    port = reactor.listenTCP(0, server.Site(root), interface="127.0.0.1")
    base = b"http://127.0.0.1:%d" % port.getHost().port
    agent = client.Agent(reactor)
    for path in (b"/page?q=x", b"/data", b"/none"):
        answer = yield agent.request(b"GET", base + path)
        body = yield client.readBody(answer)
        print(path, answer.code, body[:20], answer.headers.getRawHeaders(
            b"x-a"), http.RESPONSES[answer.code])
    yield port.stopListening()
    port = reactor.listenTCP(0, Factory.forProtocol(Adder),
                             interface="127.0.0.1")
    made = protocol.ClientCreator(reactor, amp.AMP)
    link = yield made.connectTCP("127.0.0.1", port.getHost().port)
    print((yield link.callRemote(Sum, a=2, b=3)))
    try:
        yield link.callRemote(Sum, a=0, b=3)
    except ZeroDivisionError as problem:
        print("remote", problem)
    link.transport.loseConnection()
    yield port.stopListening()
    port = reactor.listenTCP(0, pb.PBServerFactory(Root()),
                             interface="127.0.0.1")
    factory = pb.PBClientFactory()
    reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
    remote = yield factory.getRootObject()
    print((yield remote.callRemote("echo", 1, {"a": (2,)})))
    factory.disconnect()
    yield port.stopListening()
    returnValue((yield threads.deferToThread(sum, [1, 2])))


@inlineCallbacks
def local():
    print((yield flattenString(None, Hello())))
    twisted.python.components.registerAdapter(Named, int, INamed)
    print(INamed(5).name(), verifyObject(INamed, Named(1)),
          IReactorTime.providedBy(reactor))
    gate = portal.Portal(Realm(), [
        checkers.InMemoryUsernamePasswordDatabaseDontUse(ann=b"pw")])
    login = credentials.UsernamePassword(b"ann", b"pw")
    print((yield gate.login(login, None, INamed))[1])
    try:
        yield gate.login(credentials.UsernamePassword(b"ann", b"x"), None,
                         INamed)
    except error.UnauthorizedLogin as problem:
        print(type(problem).__name__)
    clock, ticks = task.Clock(), []
    loop = task.LoopingCall(ticks.append, 1)
    loop.clock = clock
    loop.start(1)
    clock.pump([1, 1])
    loop.stop()
    both = yield defer.DeferredList([defer.succeed(1), defer.fail(
        KeyError("k"))], consumeErrors=True)
    print(ticks, both[0], both[1][1].getErrorMessage())
    out = io.StringIO()
    Logger("ns", observer=FileLogObserver(out, formatEvent)).info(
        "{a} and {b()}", a=1, b=lambda: 2)
    options = Options()
    options.parseOptions(["-f", "--port", "8"])
    print(out.getvalue(), dict(options), reflect.namedAny(
        "twisted.web.http.OK"), jelly.unjelly(jelly.jelly([1, {"a": "b"}])))
    print(FilePath("/a/b.txt").sibling("c").basename(), failure.Failure(
        ValueError("v")).check(ValueError).__name__, callable(log.msg),
        issubclass(ClientFactory, Factory))


@inlineCallbacks
def run(_):
    yield local()
    print((yield network()))


if __name__ == "__main__":
    task.react(run)
