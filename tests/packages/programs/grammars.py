# needs: python3-pyparsing python3-ply python3-lark python3-pycparser python3-cffi python3-regex python3-feedparser
# packages: pyparsing ply lark pycparser cffi regex feedparser
"""Languages: four parser generators, C declarations and a call through
them, patterns beyond re, feeds; transformers, visitors and errors."""
import copy
import io
import pickle
import sys
import types

import cffi
import feedparser
import lark
import ply.lex
import ply.yacc as yacc
import pycparser
import pyparsing as pp
import regex
from cffi import FFI, CDefError
from feedparser.http import ACCEPT_HEADER
from feedparser.mixin import _FeedParserMixin
from lark import Lark, Transformer, Tree, UnexpectedInput, Visitor, v_args
from lark.exceptions import GrammarError, UnexpectedCharacters, VisitError
from lark.indenter import Indenter
from lark.reconstruct import Reconstructor
from pycparser import c_ast, c_generator, plyparser
from pyparsing import ParseException, pyparsing_common as common
from pyparsing.testing import pyparsing_test

GRAMMAR = """
start: sum
?sum: product | sum "+" product -> add
?product: atom | product "*" atom -> mul
?atom: NUMBER -> number | "(" sum ")"
%import common.NUMBER
%import common.WS
%ignore WS
"""


@v_args(inline=True)
class Compute(Transformer):
    from operator import add, mul
    number = float

    def start(self, value):
        return value


class Count(Visitor):
    seen = 0

    def number(self, tree):
        self.seen += 1


class Blocks(Indenter):
    NL_type, INDENT_type, DEDENT_type = "_NL", "_INDENT", "_DEDENT"
    OPEN_PAREN_types = CLOSE_PAREN_types = []
    tab_len = 4


class Calls(c_ast.NodeVisitor):
    def visit_FuncCall(self, node):
        print("call", node.name.name, end=" ")
        self.generic_visit(node)


def with_lark():
    for kind in ("earley", "lalr", "cyk"):
        parser = Lark(GRAMMAR, parser=kind)
        print(kind, Compute().transform(parser.parse("1 + 2 * (3 + 4)")))
    tree = Lark(GRAMMAR, parser="lalr").parse("1+2*3")
    count = Count()
    print(count.visit(tree).data, count.seen, tree.pretty().splitlines()[1],
          pickle.loads(pickle.dumps(tree)) == copy.deepcopy(tree))
    for text in ("1 +", "1 $ 2", "1 1"):
        try:
            Lark(GRAMMAR, parser="lalr").parse(text)
        except UnexpectedInput as error:
            print(type(error).__name__, isinstance(error, UnexpectedCharacters))
    for bad in (lambda: Lark("start: missing"), lambda: Compute().transform(
            Tree("add", [1]))):
        try:
            bad()
        except (GrammarError, VisitError) as error:
            print(type(error).__name__)
    block = Lark('start: (NAME _NL [_INDENT start _DEDENT])+\nNAME: /[a-z]+/\n'
                 '_NL: /(\\r?\\n[ ]*)+/\n%declare _INDENT _DEDENT',
                 parser="lalr", postlex=Blocks())
    print(block.parse("a\n  b\nc\n").pretty())
    json = Lark('start: "[" NAME ("," NAME)* "]"\nNAME: /[a-z]+/',
                maybe_placeholders=False)
    print(Reconstructor(json).reconstruct(json.parse("[a,b]")), lark.Token("A", 1))


def with_pyparsing():
    number = common.integer
    expression = pp.infix_notation(number, [("*", 2, pp.OpAssoc.LEFT), (
        "+", 2, pp.OpAssoc.LEFT)])
    print(expression.parse_string("1+2*3", parse_all=True).as_list())
    pair = pp.Word(pp.alphas)("key") + pp.Suppress("=") + (
        number | pp.QuotedString('"'))("value")
    print(pp.ZeroOrMore(pp.Group(pair)).parse_string('a=1 b="x"').dump(),
          [t for t, s, e in common.ipv4_address.scan_string("x 1.2.3.4")])
    print(pp.nested_expr().parse_string("(a (b c))"), pair.transform_string(
        "a=1"), pp.one_of("x y").matches("y"), pp.delimited_list("a"))
    for text in ("=1", "a=!"):
        try:
            pair.parse_string(text)
        except ParseException as error:
            print(error, error.explain(depth=0).splitlines()[1])
    with pyparsing_test.reset_pyparsing_context():
        pp.ParserElement.set_default_whitespace_chars(" ")
        print(repr(pp.ParserElement.DEFAULT_WHITE_CHARS))
    print(expression.run_tests("1+1", print_results=False)[0], common.fnumber)


def with_ply():
    made = types.ModuleType("made")
    sys.modules["made"] = made
    exec('tokens = ("N", "PLUS")\nt_PLUS = r"\\+"\nt_ignore = " "\n'
         'def t_N(t):\n    r"\\d+"\n    t.value = int(t.value)\n    return t\n'
         'def t_error(t):\n    t.lexer.skip(1)\n'
         'def p_sum(p):\n    """s : s PLUS N\n         | N"""\n'
         '    p[0] = p[1] if len(p) == 2 else p[1] + p[3]\n'
         'def p_error(p):\n    raise SyntaxError(p and p.value)\n', vars(made))
    made.__file__ = __file__
    lexer = ply.lex.lex(module=made)
    parser = yacc.yacc(module=made, write_tables=False, debug=False,
                       errorlog=yacc.NullLogger())
    print(parser.parse("1 + 2 ! + 3", lexer=lexer))
    for text in ("1 +", "+"):
        try:
            parser.parse(text, lexer=lexer)
        except SyntaxError as error:
            print("syntax", error)


def with_c():
    ffi = FFI()
    ffi.cdef("typedef struct { int x; double y[2]; } p; size_t strlen(const "
             "char *); enum e { A, B = 5 };")
    c = ffi.dlopen(None)
    p = ffi.new("p *", {"x": 3, "y": [1, 2]})
    print(c.strlen(b"four"), p.x, list(p.y), ffi.sizeof("p"), c.B, ffi.typeof(
        "int(*)(p*)").kind, ffi.callback("int(int)", lambda v: v + 1)(2))
    ffi.set_source("_none", None)
    for text in ("int f(", "nothing x;"):
        try:
            FFI().cdef(text)
        except (CDefError, cffi.FFIError) as error:
            print(type(error).__name__)
    tree = pycparser.CParser().parse("int f(int a) { g(a); return h(1) + a; }")
    Calls().visit(tree)
    print(c_generator.CGenerator().visit(tree))
    out = io.StringIO()
    tree.ext[0].decl.show(buf=out, attrnames=True)
    print(out.getvalue().splitlines()[0])
    try:
        pycparser.CParser().parse("int +;")
    except plyparser.ParseError as error:
        print(error)


with_lark()
with_pyparsing()
with_ply()
with_c()
print(regex.findall(r"\p{Lu}\w+", "Ab cd Éf"), regex.fullmatch(
    r"(?:cat){e<=1}", "cut").fuzzy_counts, regex.sub(r"(?V1)[\w--a]", "-", "abc"),
    regex.match(r"(?P<x>\w)+", "abc").captures("x"), regex.split(r"(?r)\b", "a b"),
    pickle.loads(pickle.dumps(regex.compile("a|b"))).pattern)
try:
    regex.compile("(")
except regex.error as error:
    print(error)
for text in ("<rss version='2.0'><channel><title>T</title><item><title>i</title>"
             "<pubDate>Tue, 02 Jan 2024 03:04:05 GMT</pubDate></item></channel>"
             "</rss>", "<feed xmlns='http://www.w3.org/2005/Atom'><title type="
             "'html'>a&lt;b&gt;c&lt;/b&gt;&lt;script/&gt;</title></feed>", "<x"):
    feed = feedparser.parse(io.BytesIO(text.encode()))
    print(feed.version, feed.feed.get("title"), [tuple(
        e.published_parsed[:4]) for e in feed.entries], bool(feed.bozo))
print(len(ACCEPT_HEADER) > 9, _FeedParserMixin.__name__)
