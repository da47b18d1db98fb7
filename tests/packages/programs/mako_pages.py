# needs: python3-mako python3-markupsafe python3-pygments
# packages: mako
"""Mako templates: inheritance, defs, namespaces, filters, caching plug-ins,
look-up, error templates, extraction and the command line.
"""
import contextlib
import io
import os
import tempfile

import mako.cmd
import mako.exceptions
import mako.runtime
from mako import ast, cache, filters, lexer, util
from mako.cache import CacheImpl, register_plugin
from mako.ext.autohandler import autohandler
from mako.ext.preprocessors import convert_comments
from mako.lookup import TemplateCollection, TemplateLookup
from mako.template import DefTemplate, ModuleInfo, Template

BASE = """<%def name="title()">base</%def>\\
<html>${self.title()}|${next.body()}|<%block name="foot">foot</%block></html>
"""
PAGE = """<%inherit file="base"/>
<%namespace name="t" file="tools"/>
<%!
    import string
    shout = str.upper
%>
<%page args="n=2" expression_filter="trim"/>
<%def name="title()">${parent.title()}+page</%def>
% for i in range(n):
  % if loop.first:
first ${i}
  % else:
${loop.index} ${i | shout}
  % endif
% endfor
${t.box("<x>")} <%t:wrap kind="k">inner ${caller.kind()}</%t:wrap>
<% total = sum(range(n)) %>${total} ${"&" | h} ${"a b" | u} ${" t " | n, trim}
<%include file="part" args="x='p'"/><%text>${raw}</%text>
## a comment
<%doc>more</%doc><%block name="foot">own ${parent.foot()}</%block>
"""
TOOLS = """<%def name="box(x)" filter="h">[${x}]</%def>
<%def name="wrap(kind)"><${kind}>${caller.body()}</${kind}></%def>"""
PART = """<%page args="x"/><%def name="slow()" cached="True" cache_key="${x}">made ${x}</%def>${slow()}${slow()}"""


class Counting(CacheImpl):
    made = []
    store = {}

    def get_or_create(self, key, creation_function, **kw):
        if key not in self.store:
            self.made.append(key)
            self.store[key] = creation_function()
        return self.store[key]

    def invalidate(self, key, **kw):
        self.store.pop(key, None)


def main():
    register_plugin("counting", __name__, "Counting")
    lookup = TemplateLookup(imports=["import math"], cache_impl="counting")
    for uri, text in (("base", BASE), ("tools", TOOLS), ("part", PART)):
        lookup.put_string(uri, text)
    lookup.put_string("page", PAGE.replace("<%t:wrap kind=\"k\">inner "
                                           "${caller.kind()}</%t:wrap>",
                                           "<%t:wrap kind=\"k\">in</%t:wrap>"))
    page = lookup.get_template("page")
    print([line for line in page.render(n=3).splitlines() if line.strip()])
    print(Counting.made, sorted(page.list_defs()), page.has_def("title"),
          isinstance(page.get_def("title"), DefTemplate))
    buffer = io.StringIO()
    Template("${x}${context.get('y', 'none')}${math_sin}").render_context(
        mako.runtime.Context(buffer, x=1, math_sin=mako.runtime.UNDEFINED
                             is not None))
    print(buffer.getvalue())
    for bad in ("${", "<%def>", "% if x:\n", "${nope.x}", "<%inherit/>",
                "<% x = %>", "<%namespace name='q'/>${q.z()}"):
        try:
            print(Template(bad).render())
        except Exception as error:
            print(type(error).__name__, str(error).split(" at ")[0][:60])
    try:
        lookup.get_template("gone")
    except mako.exceptions.TopLevelLookupException as error:
        print(error)
    text = mako.exceptions.text_error_template()
    html = mako.exceptions.html_error_template()
    try:
        Template("line\n${1 / zero}").render(zero=0)
    except ZeroDivisionError:
        print(text.render().strip().splitlines()[-1],
              "division by zero" in html.render().decode())
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "autohandler"), "w") as file:
            file.write("auto(${next.body()})")
        with open(os.path.join(folder, "a.html"), "w") as file:
            file.write("# note\n<%inherit file='${autohandler(template, "
                       "context)}'/>${name}")
        files = TemplateLookup([folder], module_directory=folder + "/mods",
                               preprocessor=lambda s: s.replace("# note\n", ""),
                               imports=["from mako.ext.autohandler import "
                                        "autohandler"])
        print(files.get_template("/a.html").render(name="me"),
              sorted(os.listdir(folder + "/mods")) != [],
              files.has_template("b.html"), autohandler.__name__)
        with open(os.path.join(folder, "c.html"), "w") as file:
            file.write("hello ${name}")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            mako.cmd.cmdline(["--var", "name=x", "--template-dir", folder,
                              os.path.join(folder, "c.html")])
        print(out.getvalue().splitlines()[-1])
    print(filters.html_escape("<"), filters.xml_escape("é'"),
          filters.url_escape("a b"), filters.trim(" x "))
    node = lexer.Lexer("a ${b|h}\n% for c in d:\n% endfor\n").parse()
    print([type(n).__name__ for n in node.nodes],
          sorted(ast.PythonCode("x = y + z", source="", lineno=1, pos=0,
                                filename="f").undeclared_identifiers))
    print(util.LRUCache(2), ModuleInfo.__name__, callable(convert_comments),
          cache.Cache.__name__, issubclass(TemplateLookup, TemplateCollection))


if __name__ == "__main__":
    main()
