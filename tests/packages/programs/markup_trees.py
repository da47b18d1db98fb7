# needs: python3-lxml python3-bs4 python3-html5lib python3-cssselect python3-soupsieve python3-webencodings
# packages: lxml bs4 html5lib cssselect soupsieve
"""A scraper: trees by several parsers named as text, selectors, XSLT,
schemas, own element classes and extension functions, serialisers, errors."""
import copy
import io
import pickle

import bs4
import cssselect
import cssselect.parser
import html5lib
import html5lib.treewalkers
import lxml.etree
import lxml.html
import soupsieve as sv
from bs4 import BeautifulSoup, NavigableString, SoupStrainer
from bs4.builder import ParserRejectedMarkup, builder_registry
from bs4.dammit import EncodingDetector, UnicodeDammit
from bs4.formatter import HTMLFormatter
from html5lib import treebuilders
from html5lib.filters import alphabeticalattributes, whitespace
from html5lib.serializer import HTMLSerializer
from lxml import builder, cssselect as lxml_css, etree, objectify
from lxml.html import clean, diff, fragments_fromstring, html5parser

PAGE = "<p class='a b' id=one>Hi <b>you</b><br>é</p><ul><li>1<li>2</ul>"


class Money(etree.ElementBase):
    @property
    def amount(self):
        return float(self.text)


class Shout(HTMLFormatter):
    def attributes(self, tag):
        return sorted((k, v) for k, v in tag.attrs.items() if k != "id")


class Titles(cssselect.HTMLTranslator):
    def xpath_loud_pseudo(self, xpath):
        return xpath.add_condition("@loud")


def soups():
    for name in ("lxml", "html.parser", "html5lib", "xml"):
        soup = BeautifulSoup(PAGE, name)
        print(name, soup.find("b").string, len(soup.select("li:last-child")),
              type(soup.builder).__name__, str(soup)[:40])
    print(builder_registry.lookup("fast", "html").__name__)
    soup = BeautifulSoup(PAGE, "html5lib")
    print(soup.p["class"], soup.p.get_text("|"), soup.decode(
        formatter=Shout())[:60], soup.find_all(["b", "br"]))
    soup.b.replace_with(NavigableString("all"))
    soup.p.append(soup.new_tag("i"))
    print(soup.p.prettify(), copy.copy(soup.p) == soup.p,
          pickle.loads(pickle.dumps(soup)).li)
    print(sv.select("li:is(:first-child, .x)", soup),
          sv.escape("1a"))
    print(BeautifulSoup(PAGE, "lxml", parse_only=SoupStrainer("li")),
          UnicodeDammit("é".encode("latin-1"), ["latin-1"]).original_encoding,
          list(EncodingDetector(b"<?xml encoding='ascii'?>").encodings)[:1])
    for bad in (lambda: soup.select("p["), lambda: BeautifulSoup("", "nope"),
                lambda: soup.p["none"]):
        try:
            bad()
        except (sv.SelectorSyntaxError, bs4.FeatureNotFound, KeyError,
                ParserRejectedMarkup) as error:
            print(type(error).__name__)


def trees():
    lookup = etree.ElementNamespaceClassLookup()
    lookup.get_namespace(None)["money"] = Money
    parser = etree.XMLParser()
    parser.set_element_class_lookup(lookup)
    print(etree.fromstring("<a><money>2.5</money></a>", parser)[0].amount)
    etree.FunctionNamespace("urn:f")["twice"] = lambda _, x: 2 * x
    root = etree.XML("<r xmlns:k='urn:k'><k:v n='1'>t</k:v><v>u</v></r>")
    print(root.xpath("f:twice(count(//*))", namespaces={"f": "urn:f"}),
          root.find("k:v", {"k": "urn:k"}).get("n"),
          lxml_css.CSSSelector("v")(root)[0].text)
    style = etree.XSLT(etree.XML(
        "<x:stylesheet version='1.0' xmlns:x='http://www.w3.org/1999/XSL/"
        "Transform'><x:template match='/'><o><x:value-of select='//v'/></o>"
        "</x:template></x:stylesheet>"))
    print(str(style(root)).splitlines()[-1], etree.tostring(root, method="c14n"))
    rules = etree.RelaxNG(etree.XML("<element name='a' xmlns='http://relaxng."
                                    "org/ns/structure/1.0'><text/></element>"))
    print(rules(etree.XML("<a/>")), rules(etree.XML("<b/>")),
          rules.error_log.last_error.type_name)
    thing = objectify.fromstring("<o><n>3</n><s>x</s></o>")
    thing.n = thing.n + 1
    print(thing.n, objectify.dump(thing).splitlines()[1], builder.E.p("x").tag)
    for _, element in etree.iterparse(io.BytesIO(b"<a><b/></a>")):
        print(element.tag, end=" ")
    try:
        etree.fromstring("<a>")
    except etree.XMLSyntaxError as error:
        print(error.code == etree.ErrorTypes.ERR_TAG_NOT_FINISHED, error.lineno)
    page = lxml.html.fromstring(PAGE)
    page.make_links_absolute("http://h/")
    print(lxml.html.tostring(clean.clean_html(page))[:40], page.cssselect("li")
          [1].text, diff.htmldiff("<p>a</p>", "<p>b</p>"),
          len(fragments_fromstring("<a/><b/>")), html5parser.fragment_fromstring(
              "<i>x</i>").tag)


def html5():
    for kind in ("etree", "dom", "lxml"):
        tree = html5lib.parse(PAGE, treebuilder=kind)
        walk = html5lib.treewalkers.getTreeWalker(kind)(tree)
        walk = whitespace.Filter(alphabeticalattributes.Filter(walk))
        print(kind, "".join(HTMLSerializer(omit_optional_tags=False)
                            .serialize(walk))[:70])
    strict = html5lib.HTMLParser(treebuilders.getTreeBuilder("etree"), True)
    try:
        strict.parse("<p></b>")
    except html5lib.html5parser.ParseError as error:
        print("strict:", error)


soups()
trees()
html5()
print(Titles().css_to_xpath("h1:loud > a[href^=x]"), cssselect.parse("a b")[0]
      .specificity())
try:
    cssselect.GenericTranslator().css_to_xpath("a:nope(")
except cssselect.parser.SelectorSyntaxError as error:
    print(error)
