# needs: black pylint python3-astroid python3-coverage
# packages: black blib2to3 pylint astroid coverage
"""Source tools: a formatter in several modes, a linter with a checker and a
reporter of our own, inference of values, measured lines of a module."""
import contextlib
import io
import pathlib
import sys

import astroid
import astroid.bases
import black
import black.linegen
import coverage
import coverage.exceptions
from astroid import MANAGER, extract_node, inference_tip, nodes
from astroid.exceptions import AstroidSyntaxError, InferenceError
from black import FileMode, TargetVersion, WriteBack
from black.concurrency import cancel
from black.nodes import Visitor
from black.parsing import InvalidInput
from black.strings import normalize_string_quotes
from blib2to3.pgen2 import token
from coverage.plugin import CoveragePlugin, FileTracer
from coverage.python import PythonFileReporter
from pylint.checkers import BaseChecker
from pylint.checkers.utils import only_required_for_messages
from pylint.interfaces import UNDEFINED
from pylint.lint import PyLinter, Run
from pylint.reporters import BaseReporter, CollectingReporter
from pylint.reporters.json_reporter import JSONReporter
from pylint.reporters.text import TextReporter

SOURCE = """\
import os, sys
class a( object ):
  def run(self,x,y = {}) : return x if x==1 else y['k']
def f():
    for i in range(3): print ( i )
    return a().nothing
"""


class Words(BaseChecker):
    name = "words"
    msgs = {"W9901": ("word %s", "bad-word", "A word we do not like.")}

    @only_required_for_messages("bad-word")
    def visit_name(self, node):
        if node.name == "range":
            self.add_message("bad-word", node=node, args=node.name, confidence=
                             UNDEFINED)


class Short(BaseReporter):
    def handle_message(self, msg):
        print("message", msg.symbol, msg.line)

    def _display(self, layout):
        pass


class Depth(Visitor):
    lines = 0

    def visit_simple_stmt(self, node):
        self.lines += 1
        yield node.type


def formatted():
    for mode in (FileMode(), FileMode(line_length=30, string_normalization=False),
                 FileMode(target_versions={TargetVersion.PY38}, is_pyi=True)):
        print(black.format_str(SOURCE, mode=mode), mode.get_cache_key()[:6])
    for text in ("x = (", "print 'old'"):
        try:
            black.format_file_contents(text, fast=False, mode=FileMode())
        except InvalidInput as error:
            print(str(error).split(":")[0])
    try:
        black.format_file_contents("x = 1\n", fast=True, mode=FileMode())
    except black.NothingChanged:
        print("nothing changed")
    depth = Depth()
    print(len(list(depth.visit(black.lib2to3_parse(SOURCE)))), depth.lines,
          normalize_string_quotes("'a'"), token.tok_name[1], black.decode_bytes(
              b"\xc3\xa9")[1], sorted(v.name for v in black.detect_target_versions(
                  black.lib2to3_parse("match x:\n  case 1: pass\n"))))
    path = pathlib.Path("s.py")
    path.write_text(SOURCE)
    print(black.format_file_in_place(path, fast=True, mode=FileMode(), write_back=
                                     WriteBack.YES), cancel.__name__)
    print(black.diff("a\n", "b\n", "x", "y").count("\n"))


def linted():
    path = pathlib.Path("l.py")
    path.write_text(SOURCE)
    linter = PyLinter(reporter=Short())
    linter.load_default_plugins()
    linter.register_checker(Words(linter))
    linter.check([str(path)])
    print(linter.stats.error, linter.msg_status, round(linter.stats.global_note, 1))
    for reporter in (JSONReporter(), TextReporter(), CollectingReporter()):
        out = io.StringIO()
        reporter.out = out
        run = Run([str(path), "--disable=all", "--enable=E1101,W0611,R,C0103",
                   "--score=n"], reporter=reporter, exit=False)
        print(type(reporter).__name__, len(out.getvalue().splitlines()),
              run.linter.msg_status, [m.symbol for m in reporter.messages])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.suppress(SystemExit):
            Run(["--list-msgs-enabled", "--load-plugins=pylint.extensions.mccabe"])
    print("too-complex" in out.getvalue())


def inferred():
    module = astroid.parse(SOURCE)
    print([type(n).__name__ for n in module.body], module.body[1].as_string()[:12])
    for text in ("1 + 2", "[1, 'a'][1]", "'a'.upper()", "len('abc')", "type(3)",
                 "{'k': 5}['k']", "(lambda x: x)(7)", "import enum\nenum.Enum"):
        node = next(extract_node(text).infer())
        print(text.splitlines()[-1], "->", getattr(node, "value", None) or node.name
              if not isinstance(node, astroid.bases.Instance) else node.pytype())
    MANAGER.register_transform(nodes.Call, inference_tip(
        lambda node, context=None: iter([nodes.Const(42)])), lambda node: getattr(
            node.func, "name", "") == "answer")
    print(next(extract_node("answer()").infer()).value, MANAGER.ast_from_module_name(
        "json").name, next(extract_node("from collections import namedtuple\n"
                                        "namedtuple('P', 'x')").infer()).name)
    for bad in (lambda: astroid.parse("x ="), lambda: next(extract_node("q").infer())):
        try:
            bad()
        except (AstroidSyntaxError, InferenceError) as error:
            print(type(error).__name__)


def measured():
    pathlib.Path("counted.py").write_text(
        "def f(x):\n    if x:\n        return 1\n    return 2\n\n\nf(1)\n")
    sys.path.insert(0, ".")
    tool = coverage.Coverage(data_file=None, branch=True, include=["counted.py"])
    tool.start()
    import counted
    tool.stop()
    print(tool.analysis2("counted.py")[1:4:2], counted.f(0))
    for report in ("report", "xml_report", "json_report", "lcov_report",
                   "html_report", "annotate"):
        with contextlib.redirect_stdout(io.StringIO()):
            print(report, getattr(tool, report)(**({"directory": "h"} if report ==
                  "html_report" else {} if report in ("report", "annotate") else {
                      "outfile": report})), file=sys.stderr)
    print(sorted(p.name for p in pathlib.Path(".").glob("*report")), pathlib.Path(
        "h/index.html").exists(), PythonFileReporter("counted.py").relative_filename())
    try:
        coverage.Coverage(config_file="absent.cfg")
    except coverage.exceptions.ConfigError as error:
        print(error)
    print(issubclass(FileTracer, object), CoveragePlugin().file_tracer("x"))


formatted()
linted()
inferred()
measured()
