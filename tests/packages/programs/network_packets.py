# needs: python3-scapy python3-netaddr python3-pyroute2 python3-pyasn1 python3-pyasn1-modules python3-construct python3-magic
# packages: scapy netaddr pyroute2 pyasn1 pyasn1_modules construct magic
"""A network watcher without a network: packets built, dissected and stored,
a protocol of our own, addresses, netlink messages, ASN.1, binary records,
kinds of files."""
import copy
import io
import logging
import pickle

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

import construct                                           # noqa: E402
import magic                                               # noqa: E402
import netaddr                                             # noqa: E402
import pyasn1.type.univ                                    # noqa: E402
import pyroute2                                            # noqa: E402
import scapy.all as scapy                                  # noqa: E402
from construct import (Adapter, Array, BitStruct, Const, Enum, GreedyBytes,  # noqa: E402
                       If, Int8ub, Int16ul, Nibble, PascalString, Struct, Switch, this)
from construct.lib import hexdump                          # noqa: E402
from netaddr import EUI, IPAddress, IPNetwork, IPRange, IPSet  # noqa: E402
from netaddr.core import AddrFormatError                   # noqa: E402
from netaddr.strategy import eui48                         # noqa: E402
from pyasn1.codec.ber import decoder as ber                # noqa: E402
from pyasn1.codec.der import decoder, encoder              # noqa: E402
from pyasn1.codec.native import encoder as native          # noqa: E402
from pyasn1.error import PyAsn1Error                       # noqa: E402
from pyasn1.type import char, constraint, namedtype, tag, useful  # noqa: E402
from pyasn1_modules import rfc2459, rfc5208                # noqa: E402
from pyroute2.netlink import nla, nlmsg                    # noqa: E402
from pyroute2.netlink.exceptions import NetlinkError       # noqa: E402
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg        # noqa: E402
from pyroute2.netlink.rtnl.rtmsg import rtmsg              # noqa: E402
from scapy.config import conf                              # noqa: E402
from scapy.contrib import mqtt                             # noqa: E402
from scapy.layers.dns import DNS, DNSQR, DNSRR             # noqa: E402
from scapy.layers.http import HTTP, HTTPRequest            # noqa: E402


class Tiny(scapy.Packet):
    name = "Tiny"
    fields_desc = [scapy.ByteEnumField("kind", 1, {1: "ask", 2: "say"}),
                   scapy.FieldLenField("size", None, length_of="text"),
                   scapy.StrLenField("text", "", length_from=lambda p: p.size)]


class Inverted(Adapter):
    def _decode(self, obj, context, path):
        return 255 - obj

    def _encode(self, obj, context, path):
        return 255 - obj


class Attributes(nlmsg):
    fields = (("family", "B"),)
    nla_map = (("A_UNSPEC", "none"), ("A_NAME", "asciiz"), ("A_NEST", "nest"))

    class nest(nla):
        nla_map = (("N_UNSPEC", "none"), ("N_NUM", "uint32"))


class Person(pyasn1.type.univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("name", char.UTF8String().subtype(
            subtypeSpec=constraint.ValueSizeConstraint(1, 9))),
        namedtype.DefaultedNamedType("age", pyasn1.type.univ.Integer(7)),
        namedtype.OptionalNamedType("when", useful.UTCTime().subtype(
            implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 1))))


def packets():
    scapy.bind_layers(scapy.UDP, Tiny, dport=7777)
    one = scapy.Ether(src="00:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / scapy.IP(
        src="127.0.0.1", dst="127.0.0.1", id=1) / scapy.UDP(sport=1, dport=7777)
    raw = bytes(one / Tiny(kind=2, text="hello"))
    back = scapy.Ether(raw)
    print(back.summary(), back[Tiny].text, back.sprintf("%IP.dst% %Tiny.kind%"),
          back[scapy.IP].chksum, [layer.__name__ for layer in back.layers()])
    dns = DNS(bytes(DNS(qd=DNSQR(qname="a.b"), an=DNSRR(rrname="a.b", rdata="1.2.3.4"))))
    print(dns.an.rdata, HTTP(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")[HTTPRequest].Path,
          mqtt.MQTT(bytes(mqtt.MQTT() / mqtt.MQTTPublish(topic="t"))).summary())
    for name in ("ARP", "ICMP", "BOOTP", "Dot11", "IPv6", "SNMP", "NTP", "TFTP", "SCTP",
                 "LLC", "PPP", "RIP", "VRRP", "ISAKMP", "Radius", "GRE", "STP"):
        print(name, len(bytes(getattr(scapy, name)())), end="; ")
    out = io.BytesIO()
    scapy.wrpcap("p.pcap", [back, back])
    for p in scapy.PcapReader("p.pcap"):
        out.write(bytes(p))
    print(out.getvalue() == raw * 2, len(scapy.rdpcap("p.pcap").filter(
        lambda p: Tiny in p)), pickle.loads(pickle.dumps(back)) == copy.deepcopy(back))
    print([len(f) for f in scapy.fragment(scapy.IP() / ("x" * 3000))], len(list(
        scapy.IP(dst="10.0.0.0/30"))), scapy.hexstr(b"ab"), conf.use_pcap, len(
            scapy.ls.__name__), type(scapy.fuzz(Tiny())).__name__)


def addresses():
    net = IPNetwork("10.1.0.0/22")
    print(net.broadcast, IPAddress("10.1.1.1") in net, list(net.subnet(23)), netaddr
          .cidr_merge(["10.0.0.0/25", "10.0.0.128/25"]), IPAddress("::1").is_loopback(),
          IPSet(["1.0.0.0/8"]) - IPSet(["1.1.0.0/16"]) != IPSet(), IPRange(
              "1.1.1.1", "1.1.1.4").cidrs(), netaddr.valid_ipv4("1.2"))
    mac = EUI("00-1B-77-49-54-FD", dialect=netaddr.mac_cisco)
    print(mac, mac.ipv6_link_local(), mac.oui.registration().org, eui48.mac_unix.__name__,
          pickle.loads(pickle.dumps(net)) == net, list(netaddr.glob_to_iprange(
              "1.2.3.1-3")), IPAddress("8.8.8.8").reverse_dns)
    for bad in ("1.2.3.4/99", "zz"):
        try:
            IPNetwork(bad)
        except AddrFormatError as error:
            print(error)
    message = Attributes()
    message["family"] = 2
    message["attrs"] = [("A_NAME", "eth"), ("A_NEST", {"attrs": [("N_NUM", 5)]})]
    message.encode()
    got = Attributes(message.data)
    got.decode()
    print(got.get_attr("A_NAME"), got.get_nested("A_NEST", "N_NUM"), len(
        ifinfmsg.nla_map) > 9, rtmsg.__name__, pyroute2.IPRoute.__name__, NetlinkError(
            2).code, pyroute2.NDB.__name__)


def records():
    person = Person()
    person["name"] = "Ann"
    person["when"] = "240102030405Z"
    raw = encoder.encode(person)
    print(raw.hex(), decoder.decode(raw, asn1Spec=Person())[0]["age"], native.encode(
        person), ber.decode(b"\x02\x01\x05")[0], person.isValue)
    name = rfc2459.AttributeTypeAndValue()
    name["type"] = rfc2459.id_at_commonName
    name["value"] = encoder.encode(char.PrintableString("x"))
    print(encoder.encode(name).hex(), rfc5208.PrivateKeyInfo().prettyPrint()[:14])
    for bad in (lambda: decoder.decode(b"\x02\x05\x01"), lambda: person.setComponentByName(
            "name", "x" * 20), lambda: decoder.decode(raw, asn1Spec=useful.UTCTime())):
        try:
            bad()
        except PyAsn1Error as error:
            print(type(error).__name__)
    form = Struct("sign" / Const(b"OK"), "kind" / Enum(Int8ub, a=1, b=2), "bits" /
                  BitStruct("hi" / Nibble, "lo" / Nibble), "n" / Int16ul, "list" /
                  Array(this.n, Inverted(Int8ub)), "text" / PascalString(Int8ub, "utf8"),
                  "more" / Switch(this.kind, {"a": Int8ub, "b": GreedyBytes}),
                  "maybe" / If(this.n > 5, Int8ub))
    data = form.build(dict(kind="b", bits=dict(hi=1, lo=2), n=2, list=[0, 1], text="é",
                           more=b"rest", maybe=None))
    print(data, form.parse(data), hexdump(b"ab", 16), construct.setGlobalPrintFullStrings
          .__name__, copy.copy(form).sizeof.__name__)
    for bad in (b"NO", data[:5]):
        try:
            form.parse(bad)
        except (construct.ConstError, construct.StreamError) as error:
            print(type(error).__name__, error.path)


packets()
addresses()
records()
for data in (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, b"%PDF-1.4\n", b"plain words\n", b""):
    print(magic.from_buffer(data, mime=True), magic.Magic(mime_encoding=True)
          .from_buffer(data))
try:
    magic.from_file("absent")
except (FileNotFoundError, magic.MagicException) as error:
    print(type(error).__name__)
