# needs: python3-ldap3 python3-dnspython
# packages: ldap3 dns
"""A directory in memory with ldap3's mock strategy, and DNS messages, zones,
names and a resolver against a small server with dnspython.
"""
import asyncio
import io
import pickle
import socket
import threading

import dns.asyncquery
import dns.dnssec
import dns.message
import dns.query
import dns.rdtypes.ANY.MX
import dns.resolver
import dns.update
import dns.zone
import ldap3
import ldap3.core.exceptions
import ldap3.utils.conv
from dns import exception, flags, name, rcode, rdata, rdataclass, rdatatype
from dns import reversename, rrset, tokenizer, ttl
from dns.rdatatype import RdataType
from dns.tsigkeyring import from_text as ring_from_text
from ldap3 import ALL_ATTRIBUTES, MOCK_SYNC, MODIFY_REPLACE, SUBTREE, Connection
from ldap3 import ObjectDef, OFFLINE_SLAPD_2_4, Reader, Server, Writer
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError
from ldap3.operation.search import compile_filter, parse_filter
from ldap3.utils.ciDict import CaseInsensitiveDict
from ldap3.utils.dn import escape_rdn, parse_dn, safe_dn
from ldap3.utils.hashed import hashed

ZONE = """
$ORIGIN example.org.
$TTL 300
@ IN SOA ns hostmaster 5 3600 600 86400 300
@ IN NS ns
@ IN MX 10 mail
ns IN A 127.0.0.1
mail IN A 127.0.0.2
mail IN AAAA ::1
www 60 IN CNAME mail
t IN TXT "a b" c
s._tcp IN SRV 1 2 80 mail
k IN DNSKEY 257 3 8 AwEAAag=
"""


def directory():
    server = Server("mock", get_info=OFFLINE_SLAPD_2_4)
    link = Connection(server, "cn=admin,o=lab", "pw", client_strategy=MOCK_SYNC,
                      raise_exceptions=False)
    link.strategy.add_entry("cn=admin,o=lab", {"userPassword": "pw",
                                               "sn": "admin"})
    print(link.bind(), server.info.naming_contexts != [],
          server.schema.object_classes["person"].must_contain)
    for n, who in enumerate(["ann", "bob", "eve"]):
        link.add(f"cn={who},o=lab", ["inetOrgPerson", "top"], {
            "sn": who.title(), "mail": [f"{who}@x", f"{n}@y"],
            "employeeNumber": n})
    print(link.result["description"], link.search(
        "o=lab", "(&(objectClass=inetOrgPerson)(|(sn=A*)(mail=bob@x)))", SUBTREE,
        attributes=["sn", "mail"]))
    for entry in sorted(link.entries, key=lambda e: e.entry_dn):
        print(entry.entry_dn, entry.sn.value, sorted(entry.mail.values))
    link.modify("cn=ann,o=lab", {"sn": [(MODIFY_REPLACE, ["Anne"])]})
    link.modify_dn("cn=eve,o=lab", "cn=eva")
    print(link.compare("cn=ann,o=lab", "sn", "Anne"), link.delete("cn=no,o=lab"),
          link.result["description"])
    kind = ObjectDef("inetOrgPerson", link)
    reader = Reader(link, kind, "o=lab", "(sn=Anne)")
    print(reader.search()[0].sn, ALL_ATTRIBUTES, len(reader))
    writer = Writer.from_cursor(reader)
    writer[0].sn = "Again"
    print(writer[0].entry_changes["sn"][0][0], writer.commit(),
          len(writer))
    for bad in ("(a=", "((a=b)", "(&)(", "x"):
        try:
            compile_filter(parse_filter(bad, None, True, False, None,
                                        True).elements[0])
        except (LDAPInvalidFilterError, LDAPException, IndexError) as error:
            print(type(error).__name__)
    strict = Connection(server, "cn=admin,o=lab", "no", raise_exceptions=True,
                        client_strategy=MOCK_SYNC)
    try:
        strict.bind()
    except ldap3.core.exceptions.LDAPOperationResult as error:
        print(type(error).__name__, error.result)
    try:
        Connection(Server("127.0.0.1", 1, connect_timeout=1)).bind()
    except ldap3.core.exceptions.LDAPSocketOpenError as error:
        print(type(error).__name__)
    print(parse_dn("cn=a\\,b,o=c"), safe_dn("cn=A,o=c"), escape_rdn("a+b"),
          ldap3.utils.conv.escape_filter_chars("a*(b)"), CaseInsensitiveDict(
              {"A": 1})["a"], hashed(ldap3.HASHED_MD5, "x"))


def answer(listener, zone):
    while True:
        wire, where = listener.recvfrom(2000)
        if wire == b"end":
            return
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        asked = query.question[0]
        relative = asked.name.relativize(zone.origin)
        found = zone.get_rdataset(relative, asked.rdtype)
        alias = zone.get_rdataset(relative, "CNAME")
        if found:
            reply.answer.append(rrset.from_rdata_list(asked.name, 60, [
                r.replace() for r in found]))
        elif alias:
            target = alias[0].target.derelativize(zone.origin)
            reply.answer.append(rrset.from_text(asked.name, 60, "IN", "CNAME",
                                                str(target)))
            reply.answer.append(rrset.from_text(target, 60, "IN", "A", "127.0.0.2"))
        elif zone.get_node(relative) is None:
            reply.set_rcode(rcode.NXDOMAIN)
        listener.sendto(reply.to_wire(), where)


def names():
    zone = dns.zone.from_text(ZONE, check_origin=True, relativize=True)
    text = io.StringIO()
    zone.to_file(text, sorted=True)
    print(text.getvalue().splitlines()[2:6], zone.get_soa().serial,
          sorted(str(n) for n in zone.nodes))
    message = dns.message.make_query("www.example.org", "MX", want_dnssec=True)
    message.id = 1
    again = dns.message.from_wire(message.to_wire())
    print(again == message, flags.to_text(again.flags), again.edns, str(
        again.question[0]))
    for kind, value in (("MX", "5 m."), ("SOA", "a. b. 1 2 3 4 5"),
                        ("CAA", '0 issue "x"'), ("SVCB", "1 . alpn=h2"),
                        ("LOC", "1 N 2 E 3m"), ("TYPE999", r"\# 2 abcd"),
                        ("A", "1.2.3"), ("TXT", '"x')):
        try:
            made = rdata.from_text("IN", kind, value)
            print(made, made.to_wire().hex(), type(made).__name__,
                  pickle.loads(pickle.dumps(made)) == made)
        except exception.DNSException as error:
            print(type(error).__name__, error)
    top = name.from_text("a.B.example.")
    print(top.is_subdomain(name.from_text("example.")), top.canonicalize(),
          top.split(2), name.from_unicode("bücher.de"), reversename.from_address(
              "::1").labels[-3], ttl.from_text("1h30m"), RdataType(15).name,
          rdataclass.CH, tokenizer.Tokenizer("1 x").get_int())
    update = dns.update.UpdateMessage("example.org", keyring=ring_from_text(
        {"k.": "c2VjcmV0"}), keyname="k.")
    update.replace("x", 300, "A", "1.2.3.4")
    print(update.opcode().name, update.update[0].rdclass.name, dns.dnssec.key_id(
        zone.find_rdataset("k", "DNSKEY")[0]), dns.dnssec.make_ds(
        name.from_text("k."), zone.find_rdataset("k", "DNSKEY")[0], "SHA256"))
    return zone


def main():
    directory()
    zone = names()
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    thread = threading.Thread(target=answer, args=(listener, zone), daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    resolver.cache = dns.resolver.LRUCache()
    for host, kind in (("mail.example.org", "A"), ("www.example.org", "A"),
                       ("mail.example.org", "MX"), ("no.example.org", "A"),
                       ("t.example.org", "TXT"), ("t.example.org", "TXT")):
        try:
            found = resolver.resolve(host, kind)
            print(found.canonical_name, [str(r) for r in found])
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            print(type(error).__name__)
    query = dns.message.make_query("t.example.org", rdatatype.TXT)
    print(asyncio.run(dns.asyncquery.udp(query, "127.0.0.1", 5, port)).answer[0])
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"end", (
        "127.0.0.1", port))
    thread.join(5)
    listener.close()


if __name__ == "__main__":
    main()
