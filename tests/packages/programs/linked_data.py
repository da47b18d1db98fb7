# needs: python3-rdflib python3-isodate python3-pyparsing
# packages: rdflib isodate
"""A store of statements: parsers, serialisers and results by plug-in name,
queries and updates, data types and a plug-in of our own, errors."""
import io
import pickle
from xml.sax import SAXParseException

import isodate
import rdflib
import rdflib.plugin
from isodate.isoerror import ISO8601Error
from rdflib import (BNode, Dataset, Graph, Literal, Namespace, URIRef,
                    Variable)
from rdflib.collection import Collection
from rdflib.compare import isomorphic, to_canonical_graph
from rdflib.exceptions import ParserError
from rdflib.extras.infixowl import Class as OwlClass
from rdflib.namespace import FOAF, OWL, RDF, RDFS, XSD, DefinedNamespace
from rdflib.parser import InputSource, Parser
from rdflib.paths import OneOrMore
from rdflib.plugin import PluginException
from pyparsing import ParseException
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.operators import register_custom_function
from rdflib.serializer import Serializer
from rdflib.store import Store
from rdflib.term import bind

EX = Namespace("http://e/")
TEXT = """@prefix : <http://e/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
:ann a foaf:Person ; foaf:name "Ann"@en ; foaf:knows :bob ; :age 30 ;
  :list (1 2) .
:bob foaf:name "Bob" ; foaf:knows :cat ; :born "2000-01-02"^^<http://www.w3.org/2001/XMLSchema#date> .
"""


class Tiny(DefinedNamespace):
    _NS = Namespace("http://tiny/")
    _fail = True
    part: URIRef


class Lines(Serializer):
    def serialize(self, stream, base=None, encoding=None, **args):
        for triple in sorted(self.store):
            stream.write((" ".join(t.n3() for t in triple[1:2]) + "\n").encode())


class LineParser(Parser):
    def parse(self, source, sink, **args):
        for word in source.getByteStream().read().split():
            sink.add((EX[word.decode()], RDF.type, EX.Word))


class Complex(complex):
    pass


rdflib.plugin.register("lines", Serializer, __name__, "Lines")
rdflib.plugin.register("words", Parser, __name__, "LineParser")
bind(EX.complex, Complex, lambda text: Complex(text))
register_custom_function(EX.double, lambda n: Literal(n.value * 2))
g = Graph()
g.parse(data=TEXT, format="turtle")
for name in ("turtle", "xml", "pretty-xml", "nt", "n3", "json-ld", "trig", "hext",
             "longturtle", "trix", "nquads", "lines"):
    source = g
    if name in ("trix", "trig", "nquads"):
        source = rdflib.ConjunctiveGraph()
        source += g
    text = source.serialize(format=name)
    same = "-"
    if name in ("turtle", "xml", "nt", "json-ld", "longturtle"):
        same = isomorphic(g, Graph().parse(data=text, format=name.replace(
            "longturtle", "turtle")))
    print(name, len(text) > 50, same)
print(g.serialize(format="lines"), len(Graph().parse(data="a b", format="words")))
QUERIES = [
    "SELECT ?n WHERE { ?p foaf:knows+/foaf:name ?n } ORDER BY ?n",
    "SELECT (COUNT(*) AS ?c) WHERE { ?s ?p ?o FILTER(isLiteral(?o)) }",
    "ASK { :ann :age ?a FILTER(?a > 29) }", "CONSTRUCT { ?s :q ?o } WHERE { ?s :age ?o }",
    "SELECT ?d WHERE { :ann :age ?a BIND(:double(?a) AS ?d) }",
    "SELECT (GROUP_CONCAT(UCASE(STR(?n))) AS ?x) WHERE { SELECT ?n WHERE { ?p foaf:name "
    "?n } ORDER BY ?n }", "SELECT ?s WHERE { ?s a foaf:Person MINUS { ?s :age 31 } }",
    "SELECT ?y WHERE { ?s :born ?b BIND(YEAR(?b) AS ?y) VALUES ?s { :bob } }",
]
for query in QUERIES:
    result = g.query(query, initNs={"": EX, "foaf": FOAF})
    if result.type == "SELECT":
        print([tuple(str(v) for v in row) for row in result], len(result.serialize(
            format="csv")), b"results" in result.serialize(format="json"), b"sparql" in
            result.serialize(format="xml"))
    else:
        print(result.type, bool(result.askAnswer) if result.type == "ASK" else len(
            result.graph))
g.update("DELETE { ?s :age ?a } INSERT { ?s :age 31 } WHERE { ?s :age ?a }",
         initNs={"": EX})
print(g.value(EX.ann, EX.age).toPython(), list(Collection(g, g.value(EX.ann, EX.list))),
      sorted(g.objects(EX.ann, FOAF.knows * OneOrMore)), prepareQuery(
          "SELECT ?x WHERE { ?x ?y ?z }").algebra.name, Variable("v").n3())
for bad in (lambda: Graph().parse(data="a b", format="turtle"), lambda: g.serialize(
        format="nope"), lambda: Tiny.other, lambda: Graph(store="NoStore"), lambda:
            g.query("SELECT nothing"), lambda: Graph().parse(data="<a", format="xml"),
            lambda: isodate.parse_date("x"), lambda: Literal("x", lang="a b")):
    try:
        bad()
    except (ParserError, PluginException, AttributeError, ISO8601Error, SyntaxError,
            ValueError, ParseException, SAXParseException) as error:
        print(type(error).__name__)
data = Dataset()
data.graph(EX.g1).add((EX.s, RDFS.label, Literal("x")))
print(len(list(data.quads((None,) * 4))), len(pickle.loads(pickle.dumps(g))), len(
    to_canonical_graph(g)) == len(g), Literal("1+2j", datatype=EX.complex).value)
print(Literal(1) + Literal("2", datatype=XSD.integer), Literal("2024-01-02", datatype=XSD
      .date).value, Literal("P1DT2H", datatype=XSD.duration).value, Literal(
          "abc", datatype=XSD.integer).value, Tiny.part, BNode("b").n3(), isodate
      .duration_isoformat(isodate.parse_duration("P1Y2M")), OWL.Class.n3())
print(OwlClass.__name__, InputSource("x").getSystemId(), issubclass(rdflib.plugin.get(
    "Memory", Store), Store), rdflib.util.guess_format("x.ttl"), io.BytesIO.__name__)
