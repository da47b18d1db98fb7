# needs: python3-jedi python3-parso python3-flake8 python3-pycodestyle python3-pyflakes python3-isort python3-mccabe
# packages: jedi parso flake8 pycodestyle pyflakes isort mccabe
"""An editor's back end: completion, definitions and renames, syntax trees
of many versions, three checkers with plug-ins of their own, sorted imports."""
import ast
import copy
import io
import pathlib
import pickle
import sys

import flake8.main.application
import isort
import isort.exceptions
import isort.main
import jedi
import jedi.api
import mccabe
import parso
import pycodestyle
import pyflakes.api
import pyflakes.checker
from flake8.api import legacy
from flake8.style_guide import Violation
from isort import place_module, sections
from isort.settings import Config, profiles
from jedi.api.environment import InterpreterEnvironment
from jedi.api.exceptions import RefactoringError
from parso.python import tree
from parso.python.diff import DiffParser
from parso.utils import parse_version_string
from pycodestyle import Checker, StandardReport, StyleGuide, register_check
from pyflakes import messages, reporter

CODE = """\
import sys, os
from collections import OrderedDict as OD
class A:
    '''Doc of A.'''
    def run(self, n: int) -> str:
        return str(n)
def f(x):
  if x == None: return undefined
  l = lambda : 1
  return A().run(x)
a = A()
"""


@register_check
def no_tabs_word(logical_line):
    if "undefined" in logical_line:
        yield logical_line.index("undefined"), "E999 the word"


class Quiet(StandardReport):
    def error(self, line_number, offset, text, check):
        code = super().error(line_number, offset, text, check)
        if code:
            print("style", line_number, text)


class Unused(messages.Message):
    message = "custom %r"




def completed():
    env = InterpreterEnvironment()
    script = jedi.Script(CODE + "a.ru", path="x.py", environment=env)
    print([c.name for c in script.complete(12, 4)], [
        (d.name, d.type, d.line) for d in script.infer(11, 4)])
    print([n.name for n in script.get_names(all_scopes=False)], script.help(
        11, 4)[0].docstring(), [r.line for r in script.get_references(3, 6)])
    call = jedi.Script(CODE + "a.run(", environment=env).get_signatures(12, 6)
    print(call[0].to_string(), script.goto(10, 11)[0].full_name)
    print(script.rename(3, 6, new_name="B").get_diff().count("+"), jedi.Script(
        "import json\njson.dum", environment=env).complete()[0].name)
    print([c.name for c in jedi.Interpreter("abc.upp", [{"abc": "x"}]).complete()],
          [c.complete for c in jedi.Script("'x'.joi", environment=env).complete()])
    for bad in (lambda: script.complete(99, 0), lambda: script.inline(1, 0)):
        try:
            bad()
        except (ValueError, RefactoringError) as error:
            print(type(error).__name__)


def parsed():
    module = parso.parse(CODE, version="3.9")
    print(module.children[2].name.value, module.get_code() == CODE, [
        f.name.value for f in module.iter_funcdefs()], module.get_leaf_for_position(
            (8, 6)).parent.type)
    for version in ("3.6", "3.11"):
        grammar = parso.load_grammar(version=version)
        print(version, [e.message for e in grammar.iter_errors(grammar.parse(
            "x = (\nprint 1\nf'{'"))])
    print(pickle.loads(pickle.dumps(module)).dump()[:40], parse_version_string(
        "3.8"), isinstance(module.children[2], tree.Class), DiffParser.__name__)
    try:
        parso.load_grammar(version="1.0")
    except NotImplementedError as error:
        print(error)


def checked():
    pathlib.Path("x.py").write_text(CODE)
    guide = StyleGuide(reporter=Quiet, ignore=["W605"], quiet=2)
    print(guide.check_files(["x.py"]).total_errors, Checker(
        "x.py", lines=["a=1\n"], quiet=2).check_all())
    out, err = io.StringIO(), io.StringIO()
    print(pyflakes.api.check(CODE, "x.py", reporter.Reporter(out, err)),
          pyflakes.api.check("x = (", "y.py", reporter.Reporter(out, err)))
    print(out.getvalue(), err.getvalue().splitlines()[0])
    found = pyflakes.checker.Checker(ast.parse("def f():\n  x = 1\n  import os"))
    print(sorted(str(m).split(":")[-1] for m in found.messages), Unused(
        "f", ast.parse("x").body[0], ).col)
    report = legacy.get_style_guide(
        select=["E", "F", "C"], max_complexity=1, max_line_length=60,
        output_file="legacy.txt").check_files(["x.py"])
    print(report.total_errors, report.get_statistics("F"), report.get_statistics(
        "C"), Violation("E1", "f", 1, 2, "t", "x # noqa").is_inline_ignored(False))
    app = flake8.main.application.Application()
    app.run(["--isolated", "--select=F401", "--format=pylint", "x.py",
             "--output-file=flake.txt"])
    print(app.result_count, pathlib.Path("flake.txt").read_text())
    print(mccabe.get_code_complexity(CODE, 1, "x.py"), sorted(
        mccabe.PathGraphingAstVisitor().graphs))


def sorted_imports():
    print(isort.code("import os, sys\nfrom b import (z, a)\nimport django\n"))
    for name in ("black", "google", "django"):
        print(isort.code("from m import b, a, C, dddddddddddddddd, eeeeeeeeee\n",
                         config=Config(profile=name, line_length=30)), end="")
    print(place_module("os"), isort.place_module("tiny"), sections.FUTURE, sorted(
        profiles)[:2], isort.check_code("import b\nimport a\n"),
          isort.stream(io.StringIO("import b\nimport a\n"), io.StringIO()))
    for bad in (lambda: Config(profile="none"), lambda: isort.code(
            "# isort: nothing\nimport a", config=Config(force_sort_within_sections=
                                                        True, sort_order="odd")),
            lambda: isort.file("absent.py")):
        try:
            print(bad())
        except (isort.exceptions.ISortError, OSError) as error:
            print(type(error).__name__)
    isort.main.main(["--version-number"])
    print(copy.copy(Config()).line_length)


sys.stdout.reconfigure(line_buffering=True)
completed()
parsed()
checked()
sorted_imports()
