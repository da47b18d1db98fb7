"""Modules of a package by their source, and what the names in them stand for.

Nothing is imported. A thing is a tuple whose first item says its kind: "std",
"builtin", "mod", "def", "class", "value", "fresh" (made here), "param",
"method", "super" or "unknown".
"""
import ast
import builtins
import functools
import os

import sources
from known import PURE_BUILTINS, STD


class Mod:
    def __init__(self, name, path):
        self.name, self.path = name, path
        src = open(path, "rb").read()
        self.tree = ast.parse(src)
        self.is_pkg = os.path.basename(path) == "__init__.py"
        self.package = name if self.is_pkg else name.rpartition(".")[0]
        self.env = {}
        self.stars = []
        self.collect(self.tree.body)

    def absolute(self, level, name):
        if not level:
            return name
        parts = self.package.split(".")
        base = parts[: len(parts) - level + 1]
        return ".".join(base + ([name] if name else []))

    def collect(self, body):
        for s in body:
            if isinstance(s, ast.Import):
                for a in s.names:
                    self.env.setdefault(
                        a.asname or a.name.split(".")[0],
                        ("mod", a.name if a.asname else a.name.split(".")[0]),
                    )
            elif isinstance(s, ast.ImportFrom):
                m = self.absolute(s.level, s.module)
                for a in s.names:
                    if a.name == "*":
                        self.stars.append(m)
                    else:
                        self.env.setdefault(a.asname or a.name, ("from", m, a.name))
            elif isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.env.setdefault(s.name, ("def", s, self))
            elif isinstance(s, ast.ClassDef):
                self.env.setdefault(s.name, ("class", s, self))
            elif isinstance(s, ast.Assign):
                for t in s.targets:
                    for n in ast.walk(t):
                        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
                            self.env.setdefault(
                                n.id,
                                (
                                    "value",
                                    s.value if isinstance(t, ast.Name) else None,
                                    self,
                                ),
                            )
            elif (
                isinstance(s, ast.AnnAssign)
                and isinstance(s.target, ast.Name)
                and s.value is not None
            ):
                self.env.setdefault(s.target.id, ("value", s.value, self))
            elif isinstance(s, ast.For):
                for n in ast.walk(s.target):
                    if isinstance(n, ast.Name):
                        self.env.setdefault(n.id, ("value", None, self))
            elif isinstance(s, ast.With):
                for i in s.items:
                    if i.optional_vars is not None:
                        for n in ast.walk(i.optional_vars):
                            if isinstance(n, ast.Name):
                                self.env.setdefault(n.id, ("value", None, self))
            for f in ("body", "orelse", "finalbody"):
                if hasattr(s, f) and not isinstance(
                    s, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
                ):
                    self.collect(getattr(s, f))
            for h in getattr(s, "handlers", []):
                if h.name:
                    self.env.setdefault(h.name, ("value", None, self))
                self.collect(h.body)


@functools.lru_cache(None)
def mod(name):
    p = sources.path(name)
    if p is None:
        return None
    try:
        return Mod(name, p)
    except (SyntaxError, ValueError, RecursionError):
        return None


def resolve_from(m, attr, depth=0):
    if m.split(".")[0] in STD:
        return ("std", m + "." + attr)
    M = mod(m)
    if M is None:
        return ("unknown", m + "." + attr)
    r = lookup(M, attr, depth + 1)
    if r[0] == "unknown" and sources.path(m + "." + attr):
        return ("mod", m + "." + attr)
    return r


def lookup(M, name, depth=0):
    if depth > 12:
        return ("unknown", name)
    v = M.env.get(name)
    if v is None:
        for s in M.stars:
            if s.split(".")[0] in STD:
                continue
            S = mod(s)
            if S is not None and name in S.env:
                return lookup(S, name, depth + 1)
        for s in M.stars:
            if s.split(".")[0] in STD:
                return ("std", s + "." + name)
        if name in PURE_BUILTINS or hasattr(builtins, name):
            return ("builtin", name)
        return ("unknown", M.name + "." + name)
    if v[0] == "from":
        return resolve_from(v[1], v[2], depth)
    if v[0] == "mod" and v[1].split(".")[0] in STD:
        return ("std", v[1])
    if v[0] == "value" and isinstance(v[1], (ast.Name, ast.Attribute)):
        r = resolve(M, v[1], {}, depth + 1)
        if r[0] != "unknown":
            return r
    return v


def resolve(M, e, local, depth=0):
    """What the expression E names."""
    if isinstance(e, ast.Name):
        if e.id in local:
            return local[e.id]
        return lookup(M, e.id, depth)
    if isinstance(e, ast.Attribute):
        b = resolve(M, e.value, local, depth + 1)
        if b[0] == "std":
            return ("std", b[1] + "." + e.attr)
        if b[0] == "mod":
            return resolve_from(b[1], e.attr, depth)
        if b[0] == "class":
            f = find_method(b, e.attr)
            if f:
                return f
            return ("unknown", "class attribute " + e.attr)
        if (
            b[0] == "fresh"
            and isinstance(e.value, ast.Call)
            and isinstance(e.value.func, ast.Name)
            and e.value.func.id == "super"
        ):
            return ("super",)
        if b[0] == "super":
            return b
        if b[0] in ("value", "fresh", "param", "builtin"):
            return ("method", b, e.attr)
        return ("unknown", ast.unparse(e)[:40])
    if isinstance(e, ast.Subscript):
        return resolve(M, e.value, local, depth + 1)
    if isinstance(e, ast.Call):
        f = resolve(M, e.func, local, depth + 1)
        if f[0] == "class":
            return ("fresh", f)
        if f[0] == "std":
            return ("fresh", f)
        if f[0] == "builtin" and f[1] == "super":
            return ("super",)
        return ("fresh", None)
    if isinstance(
        e,
        (
            ast.Constant,
            ast.List,
            ast.Dict,
            ast.Set,
            ast.Tuple,
            ast.ListComp,
            ast.DictComp,
            ast.SetComp,
            ast.JoinedStr,
            ast.BinOp,
            ast.Lambda,
            ast.Compare,
            ast.BoolOp,
            ast.IfExp,
            ast.GeneratorExp,
            ast.UnaryOp,
        ),
    ):
        return ("fresh", None)
    return ("unknown", type(e).__name__)


def bases_of(c):
    _, node, M = c
    return [resolve(M, b, {}) for b in node.bases]


def find_method(c, name, depth=0):
    if depth > 10:
        return None
    _, node, M = c
    for s in node.body:
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)) and s.name == name:
            return ("def", s, M)
    for b in bases_of(c):
        if b[0] == "class":
            f = find_method(b, name, depth + 1)
            if f:
                return f
    return None


def metaclass_of(c, depth=0):
    if depth > 10:
        return None
    _, node, M = c
    for k in node.keywords:
        if k.arg == "metaclass":
            return resolve(M, k.value, {})
    for b, e in zip(bases_of(c), node.bases):
        if isinstance(e, ast.Call):  # six.with_metaclass(Meta, ...)
            if e.args:
                r = resolve(M, e.args[0], {})
                if r[0] == "class":
                    return r
        if b[0] == "class":
            m = metaclass_of(b, depth + 1)
            if m:
                return m
    return None
