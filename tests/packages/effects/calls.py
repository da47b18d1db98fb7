"""Whether a call changes anything outside the caller's namespace.

Follows it into functions, classes and metaclasses of the package; the bodies
of those are walked by purity.py. Answers None, or a reason.
"""
import ast

import purity
from known import (BAD_STD, BAD_STD_CALLS, MUTATORS, PURE_BUILTINS,
                   SAFE_METHODS)
from names import bases_of, find_method, metaclass_of, resolve

memo = {}  # by what is called: the answer, or None while it is looked for


def call_pure(f, args_foreign, depth):
    if f[0] == "value" and isinstance(f[1], ast.Call) and f[2] is not None:
        g = resolve(f[2], f[1].func, {})
        if g[0] == "std" and g[1] in (
            "functools.partial",
            "collections.namedtuple",
            "typing.NewType",
            "typing.TypeVar",
            "operator.itemgetter",
            "operator.attrgetter",
            "re.compile",
        ):
            if g[1] == "functools.partial" and f[1].args:
                return call_pure(
                    resolve(f[2], f[1].args[0], {}), args_foreign, depth + 1
                )
            return None
        if g[0] == "def":  # a function made by a function: what is nested in it runs
            for n in ast.walk(g[1]):
                if isinstance(n, ast.FunctionDef) and n is not g[1]:
                    r = func_pure(("def", n, g[2]), True, depth + 1)
                    if r:
                        return r
            return func_pure(g, args_foreign, depth + 1)
    return call_pure_(f, args_foreign, depth)


def call_pure_(f, args_foreign, depth):
    """None when calling F changes nothing of others', else a reason."""
    kind = f[0]
    if depth > 25:
        return "deep"
    if kind == "builtin":
        return (
            None
            if f[1] in PURE_BUILTINS and f[1] not in BAD_STD_CALLS
            else "builtin " + f[1]
        )
    if kind == "std":
        if f[1] in BAD_STD_CALLS or f[1].split(".")[0] in BAD_STD:
            return "std " + f[1]
        last = f[1].rpartition(".")[2]
        if last in MUTATORS:
            return "std " + f[1]
        return None
    if kind == "class":
        return instantiate_pure(f, depth)
    if kind == "def":
        return func_pure(f, args_foreign, depth)
    if kind == "method":
        b, name = f[1], f[2]
        if (
            b[0] == "value"
            and b[2] is not purity.current[-1]
            and (name in MUTATORS or "register" in name or "connect" in name)
        ):
            return "foreign ." + name
        if b[0] in ("fresh", "param"):
            if b[0] == "param" and name in MUTATORS and args_foreign:
                return "mutates argument"
            if b[0] == "param":
                return (
                    None
                    if name in SAFE_METHODS or name in MUTATORS
                    else "method of argument ." + name
                )
            if b[1] is not None and b[1][0] == "class":
                g = find_method(b[1], name)
                return func_pure(g, args_foreign, depth + 1) if g else None
            return None
        if b[0] == "builtin":
            return None
        if b[0] == "value":
            return value_method(b, name, args_foreign, depth)
    if kind == "super":
        return None
    if kind == "fresh":
        return (
            None
            if (f[1] is None or f[1][0] == "std") and False
            else (
                "calls a value"
                if f[1] is None
                else None
                if f[1][0] == "std"
                else "calls an instance"
            )
        )
    return "unknown " + str(f[1])[:50] if kind == "unknown" else "unknown call " + kind


def value_method(b, name, args_foreign, depth):
    e, M = b[1], b[2]
    if e is None:
        return "method of unknown value ." + name
    r = resolve(M, e, {})
    if isinstance(e, (ast.Constant, ast.JoinedStr)):
        return None
    own = M is purity.current[-1]
    if r[0] == "fresh":
        c = r[1]
        if not own and name not in SAFE_METHODS:
            if c is not None and c[0] == "class":
                g = find_method(c, name)
                if g:
                    return func_pure(g, True, depth + 1)
            return "method of a foreign value ." + name
        if c is None:
            if isinstance(e, ast.Call):
                return (
                    None
                    if name in SAFE_METHODS
                    else "method of a call's value ." + name
                )
            return None
        if c[0] == "std":
            return (
                None
                if not name.startswith("register")
                and not (
                    c[1] == "logging.getLogger"
                    and name in ("addHandler", "setLevel", "addFilter")
                )
                else "register"
            )
        g = find_method(c, name)
        return func_pure(g, args_foreign, depth + 1) if g else None
    return "method of ?" + name


def instantiate_pure(c, depth):
    key = ("inst", id(c[1]))
    if key in memo:
        return memo[key]
    memo[key] = None
    r = None
    for n in ("__new__", "__init__", "__post_init__"):
        f = find_method(c, n)
        if f:
            r = r or func_pure(f, False, depth + 1)
    mc = metaclass_of(c)
    if mc and mc[0] == "class":
        f = find_method(mc, "__call__")
        if f:
            r = r or func_pure(f, False, depth + 1)
    elif mc and mc[0] == "unknown":
        r = r or "unknown metaclass"
    for b in bases_of(c):
        if b[0] == "unknown":
            r = r or "unknown base %s" % b[1]
    memo[key] = r
    return r


def subclass_pure(base, depth):
    """Making a subclass of BASE."""
    if base[0] in ("builtin", "std"):
        return None if base[1] not in ("ctypes.Structure",) else None
    if base[0] == "fresh":
        if base[1] is not None and base[1][0] == "std":
            return None
        return "base made by a call"
    if base[0] != "class":
        return "base unknown " + str(base[1])[:40]
    key = ("sub", id(base[1]))
    if key in memo:
        return memo[key]
    memo[key] = None
    r = None
    f = find_method(base, "__init_subclass__")
    if f:
        r = func_pure(f, False, depth + 1)
    mc = metaclass_of(base)
    if mc is not None:
        if mc[0] == "class":
            for n in ("__new__", "__init__", "__prepare__"):
                g = find_method(mc, n)
                if g:
                    r = r or func_pure(g, False, depth + 1)
                if r:
                    r = "metaclass: " + r

        elif mc[0] not in ("std", "builtin"):
            r = r or "metaclass unknown"
    for b in bases_of(base):
        r = r or subclass_pure(b, depth + 1)
    memo[key] = r
    return r



def func_pure(f, args_foreign, depth):
    _, node, M = f
    if isinstance(node, ast.AsyncFunctionDef):
        return None
    key = ("f", id(node), args_foreign)
    if key in memo:
        return memo[key]
    memo[key] = None
    for n in ast.walk(node):
        if isinstance(n, (ast.Yield, ast.YieldFrom)):
            decos = [resolve(M, d, {}) for d in node.decorator_list]
            if not decos:
                memo[key] = None
                return None
    local = {}
    a = node.args
    params = [x.arg for x in a.posonlyargs + a.args + a.kwonlyargs]
    for p in params:
        local[p] = ("param", None)
    if a.vararg:
        local[a.vararg.arg] = ("fresh", None)
    if a.kwarg:
        local[a.kwarg.arg] = ("fresh", None)
    c = purity.Checker(M, local, True, depth + 1, args_foreign)
    c.vararg = a.vararg and a.vararg.arg
    if node.name in ("__init_subclass__", "__new__", "__init__") and params[:1] != [
        "self"
    ]:
        c.shared = params[0] if params else None
        c.made = {
            n.attr
            for n in ast.walk(node)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
        }
    for s in node.body:
        c.collect_locals(s)
    for s in node.body:
        r = c.stmt(s)
        if r:
            break
    else:
        r = None
    r = r and "%s: %s" % (node.name, r)
    memo[key] = r
    return r
