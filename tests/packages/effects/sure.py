"""Whether the import of a module can end in an ImportError.

It cannot where all that it imports, in functions too, is of the standard
library and sure to load (lazycore/certain.def) or of its own package and the
same, has the names that are taken from it on every way through its code, and
nothing raises or catches an ImportError but around an import. Where that is
not plain from the source it may.
"""
import ast
import functools
import pathlib
import re
import sys

import names
import sources

CERTAIN = {line[1] for line in re.finditer(
    r"^CERTAIN\(([\w.]+)\)", (pathlib.Path(__file__).resolve().parents[3] /
                              "lazycore" / "certain.def").read_text(), re.M)}
# In every interpreter.
BUILT_IN = {"sys", "builtins", "atexit", "errno", "gc", "itertools", "time",
            "_thread"}
# They import what they are told, or what the system may not have.
LOADERS = {"asyncio", "concurrent", "importlib", "imp", "pkgutil", "runpy",
           "pydoc", "unittest", "pickle", "pickletools", "shelve", "logging.config",
           "modulefinder", "pdb", "code", "codeop", "trace", "xmlrpc",
           "pstats", "profile", "pyclbr", "webbrowser", "zoneinfo"}
WORDS = {"__import__", "exec", "eval", "compile", "import_module", "codecs",
         "ImportError", "ModuleNotFoundError", "meta_path", "path_hooks",
         "modules", "metadata"}


def is_standard(name):
    return name.split(".")[0] in sys.stdlib_module_names


def is_sure_standard(name):
    return name in BUILT_IN or name in CERTAIN and not any(
        name == one or name.startswith(one + ".") for one in LOADERS)


def takes_import_errors(handler):
    return handler.type is None or any(
        isinstance(node, ast.Name) and node.id in ("ImportError", "Exception")
        for node in ast.walk(handler.type))


def bound(body):
    """Names that are bound where BODY has run to its end."""
    found = set()
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef,
                                  ast.ClassDef)):
            found.add(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.split(".")[0]
                      for alias in statement.names}
        elif isinstance(statement, ast.Assign):
            found |= {node.id for target in statement.targets
                      for node in ast.walk(target)
                      if isinstance(node, ast.Name)
                      and isinstance(node.ctx, ast.Store)}
        elif isinstance(statement, ast.AnnAssign):
            if statement.value is not None and \
                    isinstance(statement.target, ast.Name):
                found.add(statement.target.id)
        elif isinstance(statement, ast.If):
            found |= bound(statement.body) & bound(statement.orelse)
        elif isinstance(statement, ast.Try):
            done = bound(statement.body) | bound(statement.orelse)
            for handler in statement.handlers:
                done &= bound(handler.body)
            found |= done | bound(statement.finalbody)
    return found


class Reader(ast.NodeVisitor):
    """Why the import of a module may end so, or None."""

    def __init__(self, module):
        self.module, self.why, self.caught = module, None, False
        self.inside = 0      # functions
        self.loaded = set()  # what a try has imported, in its else
        self.bound = bound(module.tree.body)
        self.visit(module.tree)

    def no(self, node, why):
        self.why = self.why or f"{getattr(node, 'lineno', 0)}: {why}"

    def take(self, node, name, wanted=()):
        """NAME is imported, and WANTED from it."""
        if is_standard(name):
            if self.caught:
                return
            if not (is_sure_standard(name) or name in self.loaded):
                self.no(node, f"imports {name}")
            elif any(not hasattr(sys.modules.get(name) or __import__(
                    name, fromlist=["x"]), one) for one in wanted):
                self.no(node, f"takes what {name} may not have")
            return
        if name.split(".")[0] != self.module.name.split(".")[0]:
            return self.no(node, f"imports {name}")
        other = names.mod(name)
        if self.inside:
            return self.no(node, f"imports {name} when it is called")
        if other is None:
            return self.no(node, f"imports {name}, which is not there")
        above = self.module.name.startswith(name + ".")
        for one in wanted:
            part = f"{name}.{one}"
            if one in bound(other.tree.body) and not above:
                continue
            if sources.path(part) is None or one in other.env:
                self.no(node, f"takes what {name} may not have")
            elif part != self.module.name:
                self.follow(node, part)
        if not above and name != self.module.name:
            self.follow(node, name)

    def follow(self, node, name):
        why = may_fail(name)
        if why is not None:
            self.no(node, f"imports {name}: {why}")

    def visit_Import(self, node):
        for alias in node.names:
            self.take(node, alias.name)

    def visit_ImportFrom(self, node):
        if node.module == "__future__":
            return
        wanted = [alias.name for alias in node.names]
        if "*" in wanted:
            return self.no(node, "has a star import")
        self.take(node, self.module.absolute(node.level, node.module), wanted)

    def visit_Try(self, node):
        before = self.caught
        self.caught = before or any(map(takes_import_errors, node.handlers))
        imports = any(isinstance(each, (ast.Import, ast.ImportFrom))
                      for part in node.body for each in ast.walk(part))
        for part in node.body:
            self.visit(part)
        self.caught = before
        for handler in node.handlers:
            for part in handler.body:
                if imports and any(isinstance(each, ast.Raise)
                                   and each.exc is None
                                   for each in ast.walk(part)):
                    self.no(part, "raises again")
                self.visit(part)
        before = self.loaded
        self.loaded = before | {alias.name for part in node.body
                                if isinstance(part, ast.Import)
                                for alias in part.names}
        for part in node.orelse:
            self.visit(part)
        self.loaded = before
        for part in node.finalbody:
            self.visit(part)

    visit_TryStar = visit_Try

    def visit_FunctionDef(self, node):
        self.inside += 1
        self.generic_visit(node)
        self.inside -= 1

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Name(self, node):
        if node.id in WORDS:
            self.no(node, f"names {node.id}")

    def visit_Attribute(self, node):
        if node.attr in WORDS - {"compile"}:
            self.no(node, f"names {node.attr}")
        self.visit(node.value)

    def visit_Delete(self, node):
        if any(isinstance(each, ast.Name) and each.id in self.bound
               for each in ast.walk(node)):
            self.no(node, "deletes what it has bound")


under_way = []


def may_fail(name):
    if name in under_way:
        return "stands in a cycle of imports"
    under_way.append(name)
    try:
        return read(name)
    finally:
        under_way.pop()


@functools.lru_cache(None)
def read(name):
    module = names.mod(name)
    return "cannot be read" if module is None else Reader(module).why
