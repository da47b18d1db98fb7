# needs: python3-sphinx python3-docutils python3-babel
# packages: sphinx docutils babel pygments
"""A documentation site built in a folder: builders, domains and extensions
by name, an extension of our own, autodoc, an index, a message catalogue."""
import io
import pathlib
import sys

import sphinx
import sphinx.errors
from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.domains.std import StandardDomain
from sphinx.ext.autodoc import FunctionDocumenter, between
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.docutils import SphinxDirective, docutils_namespace
from sphinx.util.osutil import relative_uri

CONF = """\
project = 'Tiny'
extensions = ['sphinx.ext.autodoc', 'sphinx.ext.napoleon',
              'sphinx.ext.viewcode', 'sphinx.ext.todo', 'sphinx.ext.mathjax',
              'sphinx.ext.autosummary', 'sphinx.ext.doctest']
html_theme = 'basic'
todo_include_todos = True
html_last_updated_fmt = None
"""
INDEX = """\
Tiny
====

.. toctree::

   other

.. automodule:: tinymod
   :members:

.. todo:: more

.. count:: index

:py:func:`tinymod.add` and :ref:`here` :math:`x^2`.

.. glossary::

   thing
      what it is
"""
OTHER = """\
.. _here:

Other
=====

.. py:class:: Made(x)

   .. py:method:: run()

.. c:function:: int main(void)

.. cpp:class:: template<typename T> Box

.. js:function:: go(a)

.. code-block:: python
   :caption: sample

   import os

.. index:: word
"""
MODULE = 'def add(a, b):\n    """Sum.\n\n    Args:\n        a: one\n' \
         '        b: two\n\n    >>> add(1, 2)\n    3\n    """\n    return a + b\n'


class Count(SphinxDirective):
    required_arguments = 1

    def run(self):
        return [nodes.paragraph(text=f"counted {self.arguments[0]} in "
                                     f"{self.env.docname}")]


def missing(app, env, node, contnode):
    return contnode


def build(builder):
    status, warning = io.StringIO(), io.StringIO()
    with docutils_namespace():
        app = Sphinx("src", "src", "out/" + builder, "trees/" + builder,
                     builder, status=status, warning=warning)
        app.add_directive("count", Count)
        app.connect("missing-reference", missing)
        app.add_config_value("tiny_level", 3, "env")
        app.build(True)
        print(builder, app.statuscode, app.config.tiny_level, sorted(
            app.env.found_docs), len(app.env.domains["py"].objects))
    text = warning.getvalue()
    print(text.count("WARNING"), "build succeeded" in status.getvalue())


folder = pathlib.Path("src")
folder.mkdir()
for name, text in (("conf.py", CONF), ("index.rst", INDEX),
                   ("other.rst", OTHER), ("tinymod.py", MODULE)):
    (folder / name).write_text(text)
sys.path.insert(0, "src")
for kind in ("html", "text", "man", "latex", "xml", "gettext", "texinfo",
             "dummy", "epub", "doctest"):
    build(kind)
print(pathlib.Path("out/text/index.txt").read_text())
html = pathlib.Path("out/html/index.html").read_text()
print("counted index in index" in html, "tinymod.html" in html,
      "<em>Sum" in html, html.count("<dt"))
print(pathlib.Path("out/man/tiny.1").read_text().count("counted"),
      pathlib.Path("out/gettext/index.pot").read_text().count("msgid"))
try:
    build("nobuilder")
except sphinx.errors.SphinxError as error:
    print(type(error).__name__, error)
print(GoogleDocstring("Args:\n  x (int): y", Config(
    napoleon_use_param=True)), PythonDomain.label, StandardDomain.name,
    FunctionDocumenter.objtype, callable(between("x")), relative_uri("a/b", "c"),
    toctree.__name__)
