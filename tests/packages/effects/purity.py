"""Whether the body of a module changes anything outside its own namespace.

Reads the source and follows calls into functions, classes, decorators and
metaclasses of the package; what cannot be followed counts as a change.
"""
import ast
import sys

import calls
from known import MUTATORS, SAFE_METHODS, STD
from names import find_method, mod, resolve, resolve_from

sys.setrecursionlimit(5000)
current = []  # the modules whose bodies are looked at, innermost last


class Checker:
    def __init__(self, M, local, infunc, depth, args_foreign=False, cls=False):
        self.M, self.local, self.infunc, self.depth, self.af, self.cls = (
            M,
            local,
            infunc,
            depth,
            args_foreign,
            cls,
        )
        self.loops = {}  # names of loops: what they go through
        self.vararg = None
        self.shared = None  # a class, whose attributes may be another's
        self.made = set()  # of which these are its own

    def collect_locals(self, s):
        self.collect_loops(s)
        for n in ast.walk(s):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
                self.local.setdefault(n.id, ("fresh", None))
            elif isinstance(n, (ast.FunctionDef,)):
                self.local.setdefault(n.name, ("def", n, self.M))
            elif isinstance(n, ast.ClassDef):
                self.local.setdefault(n.name, ("class", n, self.M))
            elif isinstance(n, ast.arg):
                self.local.setdefault(n.arg, ("param", None))
            elif isinstance(n, ast.ImportFrom):
                for a in n.names:
                    self.local[a.asname or a.name] = (
                        ("from?",)
                        if False
                        else resolve_from(self.M.absolute(n.level, n.module), a.name)
                    )
            elif isinstance(n, ast.Import):
                for a in n.names:
                    self.local[a.asname or a.name.split(".")[0]] = (
                        ("std", a.name)
                        if a.name.split(".")[0] in STD
                        else ("mod", a.name if a.asname else a.name.split(".")[0])
                    )
            elif (
                isinstance(n, ast.Assign)
                and len(n.targets) == 1
                and isinstance(n.targets[0], ast.Name)
            ):
                v = resolve(self.M, n.value, self.local)
                if (
                    v[0] in ("param", "value", "method", "unknown", "std", "mod")
                    and n.targets[0].id not in self.local
                ):
                    self.local[n.targets[0].id] = (
                        ("alias", None)
                        if v[0] in ("value", "unknown", "mod", "std")
                        else v
                    )
                elif v[0] == "fresh" and n.targets[0].id not in self.local:
                    self.local[n.targets[0].id] = v

    def collect_loops(self, s):
        for n in ast.walk(s):
            if isinstance(n, (ast.For, ast.comprehension)):
                for t in ast.walk(n.target):
                    if isinstance(t, ast.Name):
                        self.loops.setdefault(t.id, n.iter)

    def may_be_shared(self, e):
        if isinstance(e, ast.Attribute):
            return isinstance(e.value, ast.Name) and e.value.id == self.shared
        return isinstance(e, ast.Name) and e.id in self.loops

    def owns_all(self, e):
        """Whether all that is in E is ours to change."""
        if isinstance(e, ast.Dict):
            return all(self.made_here(x) for x in e.values)
        if isinstance(e, (ast.Tuple, ast.List, ast.Set)):
            return all(self.made_here(x) for x in e.elts)
        if isinstance(e, ast.Call):
            if resolve(self.M, e.func, self.local) == ("std", "ast.walk"):
                return all(self.owns(x) for x in e.args)
            if isinstance(e.func, ast.Attribute):
                return e.func.attr in ("items", "values") and self.owns_all(
                    e.func.value
                )
            return isinstance(e.func, ast.Name) and (
                e.func.id == "range"
                or e.func.id == "locals"
                and self.cls
                or e.func.id in ("enumerate", "list", "sorted", "tuple", "zip")
                and all(self.owns_all(x) for x in e.args)
            )
        r = resolve(self.M, e, self.local)
        if isinstance(e, ast.Name) and (r[0] == "param" or e.id == self.vararg):
            return not self.af
        return (
            isinstance(e, ast.Name)
            and not self.infunc
            and r[0] == "value"
            and r[2] is current[-1]
            and r[1] is not None
            and self.owns_all(r[1])
        )

    def made_here(self, e):
        if isinstance(e, ast.Call):
            return isinstance(e.func, ast.Name) and e.func.id in ("dict", "list", "set")
        return isinstance(e, ast.Constant) or self.owns_all(e) or self.owns(e)

    def owns(self, e):
        """Whether E's object is ours to change."""
        b = e
        while isinstance(b, (ast.Attribute, ast.Subscript)):
            b = b.value
        if isinstance(b, ast.Name) and b.id in self.loops:
            return self.owns_all(self.loops[b.id])
        if e is not b and isinstance(b, ast.Name) and b.id == self.shared:
            return any(
                isinstance(n, ast.Attribute) and n.attr in self.made
                for n in ast.walk(e)
            )
        root = resolve(self.M, b, self.local)
        if isinstance(b, ast.Call):
            return (
                isinstance(b.func, ast.Name)
                and b.func.id in ("globals", "locals", "vars")
                and not self.infunc
            )
        if root[0] == "fresh":
            return True
        if root[0] == "param":
            return not self.af
        if (
            root[0] in ("value", "def", "class")
            and root[2] is current[-1]
            and not self.infunc
        ):
            return not (
                root[0] == "value"
                and (
                    isinstance(root[1], (ast.Name, ast.Attribute))
                    or isinstance(root[1], ast.Subscript)
                    and not isinstance(root[1].slice, ast.Slice)
                )
            )
        if (
            root[0] in ("def", "class")
            and self.infunc
            and isinstance(b, ast.Name)
            and b.id in self.local
        ):
            return True
        return False

    def stmt(self, s):
        t = type(s)
        if t in (
            ast.Import,
            ast.ImportFrom,
            ast.Pass,
            ast.Break,
            ast.Continue,
            ast.Nonlocal,
        ):
            return None
        if t is ast.Global:
            return "global" if self.infunc else None
        if t in (ast.FunctionDef, ast.AsyncFunctionDef):
            for d in s.args.defaults + [x for x in s.args.kw_defaults if x]:
                r = self.expr(d)
                if r:
                    return r
            return self.decorators(s.decorator_list)
        if t is ast.ClassDef:
            return self.klass(s)
        if t is ast.Expr:
            return self.expr(s.value)
        if t is ast.Return:
            return self.expr(s.value) if s.value else None
        if t is ast.Raise:
            return None if self.infunc else "raise"
        if t is ast.Assert:
            return self.expr(s.test)
        if t is ast.Assign:
            for x in s.targets:
                r = self.target(x)
                if r:
                    return r
            return self.expr(s.value)
        if t is ast.AnnAssign:
            r = self.target(s.target) if s.value is not None else None
            return r or (self.expr(s.value) if s.value else None)
        if t is ast.AugAssign:
            if isinstance(s.target, ast.Name):
                r = resolve(self.M, s.target, self.local)
                if not self.infunc and self.M.env.get(s.target.id, ("",))[0] in (
                    "from",
                    "mod",
                ):
                    return "changes an imported value"
                return self.expr(s.value)
            return self.target(s.target) or self.expr(s.value)
        if t is ast.Delete:
            for x in s.targets:
                r = self.target(x)
                if r:
                    return r
            return None
        if t in (ast.If, ast.While):
            if t is ast.If and not self.infunc:
                n = ast.unparse(s.test)
                if n in (
                    "__name__ == '__main__'",
                    "TYPE_CHECKING",
                    "typing.TYPE_CHECKING",
                ):
                    return self.block(s.orelse)
            return self.expr(s.test) or self.block(s.body) or self.block(s.orelse)
        if t in (ast.For,):
            return (
                self.expr(s.iter)
                or self.target(s.target)
                or self.block(s.body)
                or self.block(s.orelse)
            )
        if t is ast.Try:
            r = self.block(s.body) or self.block(s.orelse) or self.block(s.finalbody)
            for h in s.handlers:
                r = r or self.block(h.body)
            return r
        if t is ast.With:
            for i in s.items:
                r = self.expr(i.context_expr)
                if r:
                    return r
            return self.block(s.body)
        return t.__name__

    def block(self, b):
        for s in b:
            r = self.stmt(s)
            if r:
                return r
        return None

    def target(self, x):
        if isinstance(x, ast.Name):
            return None
        if isinstance(x, (ast.Tuple, ast.List)):
            for y in x.elts:
                r = self.target(y)
                if r:
                    return r
            return None
        if isinstance(x, ast.Starred):
            return self.target(x.value)
        if isinstance(x, (ast.Attribute, ast.Subscript)):
            if self.owns(x.value):
                return None
            return "stores to " + ast.unparse(x)[:40]
        return "target"

    def decorators(self, ds):
        for d in ds:
            if isinstance(d, ast.Attribute) and d.attr in (
                "setter",
                "getter",
                "deleter",
            ):
                continue
            if isinstance(d, ast.Call):
                r = self.expr(d)
                if r:
                    return "@" + r
                f = resolve(self.M, d.func, self.local)
                if f[0] == "std":
                    continue
                if f[0] == "method":
                    b = f[1]
                    if b[0] == "value" and b[2] is not current[-1]:
                        return "@method of a foreign value ." + f[2]
                    continue
                if (
                    f[0] == "def"
                ):  # the returned closure: check all nested functions' bodies too
                    for n in f[1].body:
                        if isinstance(n, ast.FunctionDef):
                            r = calls.func_pure(("def", n, f[2]), False, self.depth + 1)
                            if r:
                                return "@" + r
                elif f[0] == "class":
                    g = find_method(f, "__call__")
                    r = (
                        calls.func_pure(g, False, self.depth + 1)
                        if g
                        else "decorator instance"
                    )
                    if r:
                        return "@" + r
                continue
            r = calls.call_pure(resolve(self.M, d, self.local), False, self.depth + 1)
            if r:
                return "@" + r
        return None

    def klass(self, c):
        r = self.decorators(c.decorator_list)
        if r:
            return r
        for b in c.bases:
            r = self.expr(b)
            if r:
                return r
            r = calls.subclass_pure(resolve(self.M, b, self.local), self.depth + 1)
            if r:
                return "class %s: %s" % (c.name, r)
        for k in c.keywords:
            if k.arg == "metaclass":
                m = resolve(self.M, k.value, self.local)
                if m[0] == "class":
                    for n in ("__new__", "__init__", "__prepare__"):
                        g = find_method(m, n)
                        r = calls.func_pure(g, False, self.depth + 1) if g else None
                        if r:
                            return "metaclass: " + r
                elif m[0] not in ("std", "builtin"):
                    return "metaclass unknown"
        local = dict(self.local)
        k = Checker(self.M, local, self.infunc, self.depth, False, True)
        for s in c.body:
            k.collect_locals(s) if not isinstance(
                s, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
            ) else local.setdefault(
                s.name,
                ("def" if not isinstance(s, ast.ClassDef) else "class", s, self.M),
            )
        return k.block(c.body)

    def expr(self, e):
        if e is None:
            return None
        t = type(e)
        if t is ast.Lambda:
            return None
        if t is ast.Call:
            for a in e.args:
                r = self.expr(a.value if isinstance(a, ast.Starred) else a)
                if r:
                    return r
            for k in e.keywords:
                r = self.expr(k.value)
                if r:
                    return r
            foreign = False
            for a in e.args:
                x = (
                    resolve(self.M, a, self.local)
                    if isinstance(a, (ast.Name, ast.Attribute))
                    else None
                )
                if x and x[0] in ("mod", "std"):
                    foreign = True
                if (
                    x
                    and x[0] in ("class", "def", "value")
                    and not (x[2] is current[-1])
                ):
                    foreign = True
            if isinstance(e.func, ast.Attribute):
                r = self.expr(e.func.value)
                if r:
                    return r
            f = resolve(self.M, e.func, self.local)
            if f[0] == "param":
                return "calls its argument"
            if self.infunc and f == ("std", "warnings.warn"):
                return None  # of how it is called
            if (
                isinstance(e.func, ast.Attribute)
                and e.func.attr in MUTATORS
                and self.may_be_shared(e.func.value)
                and not self.owns(e.func.value)
            ):
                return "changes " + ast.unparse(e.func.value)[:40]
            if f[0] == "builtin" and f[1] in ("setattr", "delattr"):
                return None if e.args and self.owns(e.args[0]) else "setattr"
            if (
                f[0] == "unknown"
                and isinstance(e.func, ast.Attribute)
                and e.func.attr
                in (
                    "strftime",
                    "isoformat",
                    "total_seconds",
                    "date",
                    "time",
                    "astimezone",
                )
            ):
                return None
            if f[0] == "unknown" and isinstance(e.func, ast.Attribute):
                # method of something: ours?
                if self.owns(e.func.value) and e.func.attr in (SAFE_METHODS | MUTATORS):
                    return None
                if e.func.attr in SAFE_METHODS:
                    return None
            return calls.call_pure(f, foreign, self.depth + 1)
        if t in (ast.Yield, ast.YieldFrom, ast.Await):
            return None
        for n in ast.iter_child_nodes(e):
            if isinstance(n, ast.expr):
                r = self.expr(n)
                if r:
                    return r
            elif isinstance(n, ast.comprehension):
                r = self.expr(n.iter)
                for i in n.ifs:
                    r = r or self.expr(i)
                if r:
                    return r
        return None


def effects(name):
    """What the body of the module NAME changes, as texts 'LINE: what'; an empty
    list where it is free of effects."""
    M = mod(name)
    if M is None:
        return ["not read"]
    calls.memo.clear()  # what was judged for another module's sake
    current.append(M)
    out = []
    c = Checker(M, {}, False, 0)
    for s in M.tree.body:
        if not isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            c.collect_loops(s)
    for s in M.tree.body:
        try:
            r = c.stmt(s)
        except RecursionError:
            r = "recursion"
        if r:
            out.append("%d: %s" % (getattr(s, "lineno", 0), r))
    current.pop()
    return out
