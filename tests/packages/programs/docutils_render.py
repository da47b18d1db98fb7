# needs: python3-docutils python3-pygments python3-roman
# packages: docutils pygments
"""A documentation renderer: writers, readers and languages by name, own
directives, roles, transforms and nodes; code by many lexers, formatters,
styles and filters."""
import io
import pickle

import docutils.core
import docutils.frontend
import pygments
import pygments.lexers
from docutils import nodes
from docutils.parsers.rst import Directive, Parser, directives, roles
from docutils.readers import standalone
from docutils.transforms import Transform
from docutils.utils import SystemMessage
from docutils.utils.math import math2html
from docutils.writers import html5_polyglot
from pygments.filter import Filter
from pygments.filters import VisibleWhitespaceFilter
from pygments.formatter import Formatter
from pygments.formatters import get_formatter_by_name, HtmlFormatter
from pygments.lexer import RegexLexer, bygroups
from pygments.style import Style
from pygments.styles import get_style_by_name
from pygments.token import Keyword, Name, Text, Token, string_to_tokentype
from pygments.util import ClassNotFound

TEXT = """\
=====
Title
=====
:Author: me

Some *text* with :shout:`noise`, math :math:`a^2`, a note [1]_ and |sub|.

.. |sub| replace:: words
.. [1] foot
.. box:: inside
.. code:: python

   def f(x): return "é"

.. note:: look

+---+---+
| a | b |
+---+---+

.. csv-table::

   1,2

i. one
ii. two
"""


class Box(Directive):
    required_arguments = 1

    def run(self):
        return [nodes.admonition("", nodes.title("", "Box"), nodes.paragraph(
            text=self.arguments[0]))]


class Count(Transform):
    default_priority = 900

    def apply(self):
        total = len(list(self.document.findall(nodes.paragraph)))
        self.document += nodes.comment("", f"{total} paragraphs")


class Reader(standalone.Reader):
    def get_transforms(self):
        return super().get_transforms() + [Count]


class Translator(html5_polyglot.HTMLTranslator):
    def visit_emphasis(self, node):
        self.body.append("<em class='x'>")


def shout(name, rawtext, text, lineno, inliner, options=None, content=()):
    return [nodes.strong(rawtext, text.upper())], []


class IniLexer(RegexLexer):
    name, aliases = "Tiny", ["tiny"]
    tokens = {"root": [(r"(\w+)(=)(\w+)", bygroups(Keyword, Text, Name)),
                       (r"\s+", Text)]}


class Doubled(Filter):
    def filter(self, lexer, stream):
        for kind, value in stream:
            yield kind, value * 2 if kind in Name else value


class Tags(Formatter):
    def format(self, source, out):
        out.write(" ".join(str(kind)[6:] for kind, value in source))


class Pale(Style):
    styles = {Token: "", Keyword: "bold #005"}


directives.register_directive("box", Box)
roles.register_local_role("shout", shout)
quiet = {"report_level": 5, "_disable_config": True, "datestamp": None,
         "stylesheet_path": None, "embed_stylesheet": False}
for writer in ("html", "html5", "latex", "xml", "pseudoxml", "manpage",
               "odt", "s5", "xetex", "null"):
    out = docutils.core.publish_string(TEXT, reader=Reader(), writer_name=
                                       writer, settings_overrides=quiet)
    print(writer, out[:2] if writer == "odt" else len(out or ""), "NOISE" in
          str(out))
own = html5_polyglot.Writer()
own.translator_class = Translator
print(docutils.core.publish_parts(TEXT, writer=own, settings_overrides=quiet)
      ["body"][:700])
document = docutils.core.publish_doctree(TEXT, settings_overrides=quiet)
document.reporter = document.settings.warning_stream = None
document.transformer = None
print(document.pformat()[:200], nodes.make_id("A b!"), Parser.supported[0])
print(docutils.core.publish_string(".. note:: x", settings_overrides=dict(
    quiet, language_code="de"), writer_name="html5").decode().count("Notiz"),
      math2html.math2html("a") is not None)
try:
    docutils.core.publish_string("*x", settings_overrides={
        "halt_level": 1, "warning_stream": io.StringIO()})
except SystemMessage as error:
    print(error)
code = "def f(a):\n    return a + 1  # add\n"
for name in ("python", "c", "html+jinja", "json", "bash", "sql", "yaml"):
    lexer = pygments.lexers.get_lexer_by_name(name)
    print(name, len(list(lexer.get_tokens(code))), lexer.name)
for name in ("html", "latex", "terminal256", "rtf", "svg", "raw", "bbcode"):
    out = pygments.highlight(code, pygments.lexers.PythonLexer(),
                             get_formatter_by_name(name))
    print(name, len(out))
for style in ("monokai", "vim", "default"):
    print(style, get_style_by_name(style).background_color)
tiny = IniLexer()
tiny.add_filter(Doubled())
tiny.add_filter(VisibleWhitespaceFilter(spaces=True))
tiny.add_filter("keywordcase", case="upper")
print(pygments.highlight("a=b c=d", tiny, Tags()), pygments.highlight(
    "a=b", tiny, HtmlFormatter(style=Pale, nowrap=True)))
print(pygments.lexers.guess_lexer("#!/bin/sh\nls").name, pygments.lexers
      .get_lexer_for_filename("x.rs").name, string_to_tokentype("Name.Tag")
      is pickle.loads(pickle.dumps(Token.Name.Tag)))
for bad in (lambda: pygments.lexers.get_lexer_by_name("nolang"),
            lambda: get_formatter_by_name("x"), lambda: get_style_by_name("y")):
    try:
        bad()
    except ClassNotFound as error:
        print(error)
