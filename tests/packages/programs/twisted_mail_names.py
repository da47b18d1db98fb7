# needs: python3-twisted
# packages: twisted constantly incremental automat hyperlink
"""More of Twisted: mail and names servers, conch's keys, words, plug-ins, test
tools, services run by name, processes and the packages below it.
"""
import io
from unittest import TestResult

import automat
import constantly
import hyperlink
import incremental
import twisted.application.service
import twisted.cred.strcred
import twisted.names.server
import twisted.plugin
from twisted.application import internet, service, strports
from twisted.application.service import IService, MultiService, Service
from twisted.internet import defer, endpoints, protocol, reactor, task, utils
from twisted.internet.error import ConnectionDone, ProcessTerminated
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.mail import imap4, pop3, smtp
from twisted.names import authority, client, common, dns, error as names_error
from twisted.persisted import aot, styles
from twisted.positioning import base as positioning
from twisted.protocols import policies, wire
from twisted.python import lockfile, log, modules, roots, text, urlpath, versions
from twisted.python.deprecate import deprecated, getDeprecationWarningString
from twisted.trial import runner, unittest
from twisted.web import microdom, sux
from twisted.words.protocols import irc
from twisted.words.xish import domish, xpath
from zope.interface import implementer


class Level(constantly.Names):
    LOW = constantly.NamedConstant()
    HIGH = constantly.NamedConstant()


class Turnstile:
    machine = automat.MethodicalMachine()

    @machine.state(initial=True)
    def locked(self):
        "Locked."

    @machine.state()
    def unlocked(self):
        "Open."

    @machine.input()
    def coin(self):
        "A coin."

    @machine.output()
    def thank(self):
        return "thanks"

    locked.upon(coin, enter=unlocked, outputs=[thank])
    unlocked.upon(coin, enter=unlocked, outputs=[])


@implementer(smtp.IMessage)
class Letter:
    def __init__(self, box):
        self.box, self.lines = box, []

    def lineReceived(self, line):
        self.lines.append(line)

    def eomReceived(self):
        self.box.append(self.lines)
        return defer.succeed(None)


@implementer(smtp.IMessageDelivery)
class Delivery:
    box = []

    def receivedHeader(self, helo, origin, recipients):
        return b"Received: by test"

    def validateFrom(self, helo, origin):
        return origin

    def validateTo(self, user):
        if user.dest.local == b"no":
            raise smtp.SMTPBadRcpt(user)
        return lambda: Letter(self.box)


class Talk(irc.IRCClient):
    nickname = "me"

    def privmsg(self, user, channel, message):
        self.msg(channel, message[::-1])


class Case(unittest.SynchronousTestCase):
    def test_one(self):
        self.assertEqual(1, self.successResultOf(defer.succeed(1)))

    def test_two(self):
        self.failureResultOf(defer.fail(KeyError()), ValueError)


@deprecated(incremental.Version("twisted", 1, 2, 3))
def old():
    pass


@defer.inlineCallbacks
def network():
    factory = smtp.SMTPFactory()
    factory.protocol = smtp.ESMTP
    factory.buildProtocol = lambda address: made(factory)
    port = yield endpoints.serverFromString(
        reactor, "tcp:0:interface=127.0.0.1").listen(factory)
    sent = yield smtp.sendmail("127.0.0.1", "a@b", ["c@d"], b"Subject: x\n\nbody",
                               port=port.getHost().port)
    print(sent[0], Delivery.box[0][-1])
    try:
        yield smtp.sendmail("127.0.0.1", "a@b", ["no@d"], b"x",
                            port=port.getHost().port)
    except smtp.SMTPDeliveryError as error:
        print(error.code)
    yield port.stopListening()
    server = twisted.names.server.DNSServerFactory([Zone()])
    port = reactor.listenUDP(0, dns.DNSDatagramProtocol(server),
                             interface="127.0.0.1")
    resolver = client.Resolver(servers=[("127.0.0.1", port.getHost().port)])
    answers, _, _ = yield resolver.lookupAddress("www.example.org")
    print(answers[0].payload.dottedQuad(), (yield resolver.getHostByName(
        "www.example.org")))
    try:
        yield resolver.lookupAddress("none.example.org")
    except names_error.DNSNameError as error:
        print(type(error).__name__)
    yield port.stopListening()
    for waiting in resolver._waiting.values():
        waiting.cancel()
    out = yield utils.getProcessOutput("/bin/echo", ["child"])
    code = yield utils.getProcessValue("/bin/sh", ["-c", "exit 3"])
    print(out, code, issubclass(ProcessTerminated, ConnectionDone.__mro__[1]))


class Zone(common.ResolverBase):
    def _lookup(self, name, cls, type, timeout):
        if name == b"www.example.org":
            return defer.succeed(([dns.RRHeader(name, dns.A, ttl=5, payload=dns.
                                                Record_A("1.2.3.4"))], [], []))
        return defer.fail(names_error.AuthoritativeDomainError(name))


def made(factory):
    protocol = smtp.ESMTP()
    protocol.delivery, protocol.factory = Delivery(), factory
    return protocol


def parts():
    root = MultiService()
    child = Service()
    child.setName("child")
    child.setServiceParent(root)
    tcp = strports.service("tcp:0:interface=127.0.0.1", protocol.Factory())
    tcp.setServiceParent(root)
    app = service.Application("app")
    root.setServiceParent(app)
    root.startService()
    print(root.getServiceNamed("child").running, IService(app).name, type(
        tcp).__name__, internet.TimerService(5, print).step)
    reactor_ = MemoryReactorClock()
    endpoints.clientFromString(reactor_, "tcp:h:5:timeout=3").connect(
        protocol.Factory())
    print(reactor_.tcpClients[0][:2], len(reactor_.getDelayedCalls()))
    talk, transport = Talk(), StringTransport()
    talk.performLogin = False
    talk.makeConnection(transport)
    talk.dataReceived(b":ann!a@h PRIVMSG #c :hello\r\n")
    print(transport.value(), irc.parsemsg(":a!b@c MODE x :y z"))
    page = domish.Element(("ns", "a"))
    page.addElement("b", content="text")["k"] = "v"
    print(page.toXml(), xpath.queryForString("/a/b", page), microdom.parseString(
        "<x><y z='1'/></x>").documentElement.toxml(), sux.XMLParser.__name__)
    done = runner.TestLoader().loadClass(Case)
    result = TestResult()
    done.run(result)
    print(result.testsRun, len(result.failures), aot.jellyToSource([1, {"a": 2}])
          .split()[-1], styles.Versioned.__name__)
    names = sorted(p.name for p in modules.getModule("twisted.names").iterModules()
                   if "test" not in p.name)
    plugins = twisted.plugin.getPlugins(twisted.cred.strcred.ICheckerFactory)
    print(names[:3], sorted(p.authType for p in plugins), type(
        twisted.cred.strcred.makeChecker("memory:a:b")).__name__)
    print(Level.lookupByName("LOW"), [c.name for c in Level.iterconstants()],
          Turnstile().coin(), incremental.Version("x", 1, 2, 3).short(), hyperlink.
          URL.from_text("http://h/a?b=c").child("d").add("e").to_text(),
          getDeprecationWarningString(old, versions.Version("t", 9, 0, 0)),
          urlpath.URLPath.fromString("http://a/b").sibling(b"c"), text.strFile(
              "a", io.StringIO("cab")), lockfile.FilesystemLock.__name__)
    print(imap4.parseNestedParens(b'a (b "c")'), pop3.APOPCredentials.__name__,
          policies.TimeoutMixin.timeOut, wire.Echo.__name__, roots.Entity.__name__,
          positioning.Angle(45.5).inDegreesMinutesSeconds, callable(log.err), authority.FileAuthority.soa,
          twisted.application.service.Process().uid)


if __name__ == "__main__":
    parts()
    task.react(lambda reactor: network())
