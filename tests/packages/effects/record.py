"""Read packages for effects, and write the records of lazycore/effects.

    record.py [--write] [--front DIR] PACKAGE...

A module is free where its body changes nothing outside its own namespace, it
stands in no cycle of imports (unless every program of the package passed with
all of it lazy) and nothing with effects is imported under a condition. It is
sure besides where its import cannot end in an ImportError.

--front reads other versions than Debian's, from a folder of packages; their
records are called PACKAGE-VERSION.tsv. The programs are run with them now.
"""
import argparse
import ast
import csv
import os
import pathlib
import re
import subprocess
import sys

import names
import purity
import sources
import sure

sys.setrecursionlimit(100000)
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import run  # noqa: E402

RECORDS = HERE.parent.parent.parent / "lazycore" / "effects"
PROGRAMS = HERE.parent / "programs.tsv"

# Judged by hand: what counts definitions, or makes texts that are translated
# when they are shown; the form class that has no model; what is stored into
# functions and trees that the module made, and into its own variables; a
# method of the object that is being made; symbols, the same for all who ask
# for them by name; what runs on Windows alone, or changes nothing in this
# Python.
ACCEPTED = {
    "colorama": (
        "GetConsoleScreenBufferInfo: unknown call value", ".argtypes",
        ".restype", "121: _wipe_internal_state_for_tests: global"),
    "blinker": ("__new__: changes cls.symbols",),
    "sqlalchemy": ("__new__: stores to cls.symbols[name]",),
    "werkzeug": ("_prefix_names: stores to node.id",),
    "zmq": ("@_inherit_docstrings: stores to method.__doc__",),
    "jinja2": ("stores to f.jinja_pass_arg",
               "__init__: method of argument ._postinit"),
    **{package: (
    "unknown django.utils.functional.__proxy__",
    "stores to Field.auto_creation_counter",
    "stores to Field.creation_counter",
    "@keep_lazy_text: calls a value", "@keep_lazy: calls a value",
    "lazy_number: calls a value",
    "std http.cookies.Morsel._reserved.setdefault", "110: stores to op.id",
    "479: metaclass: __new__: fields_for_model: calls its argument")
       for package in ("django", "rest_framework")}}
# Free or not, they must be loaded where their statements are: a program showed
# what they keep of the moment when they are.
KEPT_EAGER = {"faker": "its providers take datetime from where freezegun has "
                       "put its own for a while"}
FALSE = {"TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING",
         "__name__ == '__main__'", "MYPY", "False"}
TRUE = {"not TYPE_CHECKING", "not typing.TYPE_CHECKING", "True"}


def passed_at_full(package):
    with open(PROGRAMS) as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t")
                if row["package"] == package]
    if not run.front:
        return bool(rows) and all(row["full"] == "pass" for row in rows)
    lazyd = run.ROOT / "build/dev/daemon/lazyd"
    trials = [run.Trial(lazyd, run.PROGRAMS / f"{row['program']}.py")
              for row in rows]
    verdicts = {trial.at({package: "full"}).verdict for trial in trials}
    # Some are for what only older versions have.
    return "pass" in verdicts and verdicts <= {"pass", "fails", "missing"}


def version(package):
    """Major and minor, of PACKAGE in the folder that is in front."""
    for name in os.listdir(sources.D):
        found = re.fullmatch(rf"{package}-(\d+\.\d+)[\d.]*\.(dist|egg)-info",
                             name, re.I)
        if found:
            return found[1]
    sys.exit(f"{package}: its version is not known")


def known_condition(test):
    """Its value, where it is the same on every Linux with this Python."""
    text = ast.unparse(test)
    if text in FALSE or text in TRUE:
        return text in TRUE
    if isinstance(test, ast.BoolOp):
        decides = isinstance(test.op, ast.Or)
        if any(known_condition(each) is decides for each in test.values):
            return decides
    used = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    if (used and used <= {"sys", "os"}
            and re.search(r"sys\.(platform|version_info|implementation)"
                          r"|os\.name", text)
            and not re.search(r"environ|modules|argv|flags|path\b", text)):
        try:
            return bool(eval(compile(ast.Expression(test), "condition",
                                     "eval"), {"sys": sys, "os": os}))
        except Exception:
            return None
    return None


class Imports(ast.NodeVisitor):
    """Modules of the same package that a body imports, and those that it
    imports under a condition only."""

    def __init__(self, name):
        self.name, self.top = name, name.split(".")[0]
        self.sure, self.maybe, self.condition = [], [], False
        self.module = names.mod(name)
        if self.module is not None:
            self.block(self.module.tree.body, False)
        above = [name[:at] for at, char in enumerate(name) if char == "."]
        above = [parent for parent in above if sources.path(parent)]
        self.sure = above + [m for m in self.sure if m not in above]
        self.maybe = [m for m in self.maybe if m not in self.sure]

    def block(self, body, condition):
        before, self.condition = self.condition, self.condition or condition
        for statement in body:
            self.visit(statement)
        self.condition = before

    def put(self, module):
        parts = module.split(".")
        if parts[0] != self.top:
            return
        found = self.maybe if self.condition else self.sure
        for count in range(1, len(parts) + 1):
            part = ".".join(parts[:count])
            if part != self.name and part not in found and \
                    sources.path(part):
                found.append(part)

    def visit_Import(self, node):
        for alias in node.names:
            self.put(alias.name)

    def visit_ImportFrom(self, node):
        module = self.module.absolute(node.level, node.module)
        self.put(module)
        for alias in node.names:
            full = f"{module}.{alias.name}"
            if alias.name != "*" and sources.path(full):
                self.put(full)

    def visit_FunctionDef(self, node):
        pass

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_If(self, node):
        value = known_condition(node.test)
        if value is not False:
            self.block(node.body, value is None)
        if value is not True:
            self.block(node.orelse, value is None)

    def visit_Try(self, node):
        self.block(node.body, False)
        self.block(node.orelse, True)
        self.block(node.finalbody, False)
        for handler in node.handlers:
            self.block(handler.body, True)

    def visit_For(self, node):
        self.block(node.body, True)
        self.block(node.orelse, True)

    visit_While = visit_For


def in_cycles(modules, edges):
    """Those that reach themselves; packages above a module do not count."""
    def reached(start):
        seen, queue = set(), [start]
        while queue:
            module = queue.pop()
            for other in edges[module]:
                if not module.startswith(other + ".") and other not in seen:
                    seen.add(other)
                    queue.append(other)
        return seen
    return {module for module in modules if module in reached(module)}


def read(package):
    """[(module, kind, bytes, state, [imports], why)] of PACKAGE, by name."""
    modules = sorted(sources.modules(package))
    found = {module: Imports(module) for module in modules}
    within = {m: [i for i in found[m].sure if i in found] for m in modules}
    maybe = {m: [i for i in found[m].maybe if i in found] for m in modules}
    why = {}
    for module in modules:
        changes = [change for change in purity.effects(module)
                   if not change.endswith(ACCEPTED.get(package, ()))]
        if changes:
            why[module] = "line " + changes[0]
        elif any(i not in found
                 for i in found[module].sure + found[module].maybe):
            why[module] = "imports a module that was not read"
    if not passed_at_full(package):
        both = {m: within[m] + maybe[m] for m in modules}
        for module in in_cycles(modules, both):
            why.setdefault(module, "stands in a cycle of imports")

    def clean(module, seen):
        if module in seen:
            return True
        seen.add(module)
        return module not in why and all(
            clean(other, seen) for other in within[module] + maybe[module])

    more = True
    while more:
        more = [m for m in modules if m not in why and
                not all(clean(i, set()) for i in maybe[m])]
        for module in more:
            why[module] = "what it imports under a condition has effects"
    return [(module, "package" if sources.path(module).endswith("__init__.py")
             else "module", os.path.getsize(sources.path(module)),
             "effects" if module in why else "free", within[module],
             why[module] if module in why else
             "sure" if not maybe[module] and is_sure(module) else "") for module in modules]


def is_sure(module):
    if run.front or sure.may_fail(module) is not None:
        return False
    done = subprocess.run([run.PYTHON, "-c", f"import {module}"],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    return done.returncode == 0


def text(rows):
    at = {row[0]: number for number, row in enumerate(rows)}
    lines = []
    for module, kind, size, state, imports, why in rows:
        why = re.sub(r"<ast\.\w+ object at 0x[0-9a-f]+>", "a call",
                     " ".join(why.split()))[:90]
        lines.append("\t".join(filter(None, (
            module, kind, str(size), state,
            ",".join(str(at[i]) for i in imports) or "-", why))))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description="Read packages for effects on what is not their own.")
    parser.add_argument("packages", nargs="+", metavar="PACKAGE")
    parser.add_argument("--write", action="store_true",
                        help="write lazycore/effects/PACKAGE.tsv")
    parser.add_argument("--front", metavar="DIR",
                        help="read other versions, which are there")
    options = parser.parse_args()
    if options.front:
        sources.D = os.path.abspath(options.front)
        run.front.append(sources.D)
    for package in options.packages:
        if package in KEPT_EAGER:
            print(f"{package}: {KEPT_EAGER[package]}", file=sys.stderr)
            continue
        made = text(read(package))
        if options.write:
            other = f"-{version(package)}" if options.front else ""
            (RECORDS / f"{package}{other}.tsv").write_text(made)
        else:
            print(made, end="")


if __name__ == "__main__":
    main()
