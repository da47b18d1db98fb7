"""DESIGN 5, step 2: the new body runs apart; where it fails nothing changes."""

import pytest

from reloading import program  # noqa: F401 (a fixture)


def test_syntax_error_touches_nothing(program):
    program("VALUE = [1]", """
mod = load()
before = snapshot(mod)
path = edit("VALUE = 2\\n\\nx = (1,\\n")
result = reload("failed")
assert (result["file"], result["line"]) == (path, 3), result
assert result["column"] == 5, result
assert "never closed" in result["text"]
assert "SyntaxError" in result["traceback"]
assert snapshot(mod) == before
for text in ("x = '\\0'", "# coding: nonsense\\n", "def f(:", "x = 1\\n y = 1"):
    edit(text)
    reload("failed")
    assert snapshot(mod) == before
""")


@pytest.mark.parametrize("body", [
    "VALUE = 2\n\ndef f():\n    return 1 / 0\n\nf()",
    "VALUE = 2\nraise SystemExit(3)",
    "VALUE = 2\nraise KeyboardInterrupt",
    "VALUE = 2\nimport no_such_module_anywhere",
    "VALUE = 2\n__path__.append('elsewhere')\nraise ValueError",
    "VALUE = 2\ndel __name__\nclass C: pass\nraise ValueError",
    "VALUE = 2\nimport sys\nsys.modules[__name__] = 5",
    "VALUE = 2\nimport sys\ndel sys.modules[__name__]",
    "def f(): f()\nf()",
], ids=["error", "exit", "interrupt", "import", "path", "odd", "replaces",
        "removes", "recursion"])
def test_failing_body_leaves_the_module_as_it_was(program, body):
    program("", f"""
mod = load("pkg")
before = snapshot(mod)
edit({body!r}, "pkg/__init__.py")
result = reload("failed", "pkg")
assert snapshot(mod) == before and sys.modules["pkg"] is mod
assert mod.f() == 1 and mod.__path__ == [os.path.join(FOLDER, "pkg")]
assert result["text"] and result["traceback"]
edit("VALUE = 3\\ndef f(): return VALUE", "pkg/__init__.py")
reload(name="pkg")
assert mod.f() == 3
""", files={"pkg/__init__.py": "VALUE = 1\ndef f(): return VALUE\n"})


def test_failure_names_the_line_of_the_reloaded_file(program):
    program("", """
mod = load()
path = edit("import json\\n\\nx = json.loads('[')\\n")
result = reload("failed")
assert (result["file"], result["line"]) == (path, 3), result
assert "JSONDecodeError" in result["text"]
assert "decoder.py" in result["traceback"]
""")


PIECES = [
    "VALUE = {n}", "def f(a={n}): return VALUE, {n}", "del VALUE",
    "class C:\n    n = {n}\n    def m(self): return {n}",
    "class C(Exception): pass", "sys.modules['mod'].VALUE = {n}",
    "sys.modules['mod'].extra = {n}", "setattr(me(), 'g', {n})",
    "vars(me())['VALUE'] = {n}", "me().__dict__.update(VALUE={n})",
    "me().__class__ = type('M', (type(sys),), dict(VALUE={n}))",
    "__path__ = ['elsewhere']", "__all__ = ['gone']",
    "import registry; registry.NAMES['f'] = f",
    "import registry; registry.NAMES['C'] = C",
    "import registry; registry.ITEMS[0] = f",
    "import registry; registry.HOLDER.method = C().m",
    "import registry; registry.sub()", "from mod import *",
    "import late{k}", "from itself import VALUE, f, C",
    "globals().clear()", "globals()['g'] = {n}",
]
ENDS = ["1 / 0", "raise KeyError", "raise SystemExit", "import no.such",
        "undefined", "raise KeyboardInterrupt", "def g(: pass", "x = (1,",
        "f(1, 2, 3, 4)", "sys.modules['mod'] = 5", "assert not VALUE"]


def test_random_failing_bodies_change_nothing(program):
    """LAZY_RELOADS=1000 for as many."""
    program("""
        import sys
        VALUE = 1
        SHARED = [1]
        def f(a=1): return VALUE, a
        class C:
            n = 1
            def m(self): return self.n, VALUE
        def me(): return sys.modules[__name__]
        """, f"""
import random, types
PIECES, ENDS = {PIECES!r}, {ENDS!r}
mod, user, registry = load(), load("user"), load("registry")
random.seed(7)
f, C, c = mod.f, mod.C, mod.C()


def code(function):
    return (id(function), function.__code__, function.__defaults__,
            function.__globals__ is vars(mod), function.__dict__,
            function.__closure__)


def state():
    values = {{key: id(value) for key, value in vars(mod).items()}}
    own = {{key: id(value) for key, value in vars(C).items()
           if not key.startswith("__")}}
    return (values, own, code(f), code(C.m), code(mod.me), mod.f(), c.m(),
            mod.SHARED, user.use(), type(mod) is types.ModuleType,
            sys.modules["mod"] is mod,
            [one for one in C.__subclasses__() if one.__name__ != "Late"])


registry.put(f, C, c)
before = state()
for k in range(int(os.environ.get("LAZY_RELOADS", "120"))):
    lines = ["import sys", "def me(): return sys.modules['mod']"]
    for piece in random.sample(PIECES, random.randint(1, 6)):
        lines.append(piece.format(n=k + 2, k=k))
    lines.append(random.choice(ENDS))
    edit(f"from mod import f, C\\nclass Late(C): pass\\n", f"late{{k}}.py")
    edit("\\n".join(lines) + "\\n")
    result = lazycore.reload("mod")
    assert result["verdict"] == "failed", (lines, result)
    now = state()
    assert now == before, (lines, result, [
        (a, b) for a, b in zip(now, before) if a != b])
    late = sys.modules.pop(f"late{{k}}", None)
    if late is not None and "globals().clear()" not in lines:
        # What was loaded meanwhile has no part of what failed.
        assert late.f is f and late.C is C, (lines, late.f)
        assert issubclass(late.Late, C) or PIECES[4] in lines, lines
    if "globals().clear()" in lines:
        # Nothing says any more what stands for what.
        registry.put(f, C, c)
        registry.SUBS.clear()
        continue
    names = registry.NAMES
    assert names["f"] is f and names["C"] is C, (lines, names)
    assert registry.ITEMS == [f], lines
    assert registry.HOLDER.method() == (1, 1), lines
    for name in list(registry.SUBS):
        assert registry.SUBS.pop().f is f, lines
    del late
    import gc
    gc.collect()
edit("VALUE = 3\\ndef f(): return VALUE\\nclass C:\\n    n = 3\\n")
reload()
assert mod.f is f and f() == 3 and mod.C is C and c.n == 3
""", files={
        "user.py": "from mod import f, C\ndef use():\n    return f(), C.n\n",
        "itself.py": "from mod import *\n",
        "registry.py": """
            import sys
            NAMES, ITEMS, SUBS = {}, [None], []
            class Holder: pass
            HOLDER = Holder()
            def put(f, C, c):
                NAMES.update(f=f, C=C)
                ITEMS[0] = f
                HOLDER.method = c.m
            def sub():
                SUBS.append(sys.modules["mod"])
            """})


def test_the_body_finds_itself_in_sys_modules(program):
    program("", """
import threading
mod = load()
seen = []
edit('''
    from __future__ import annotations
    import dataclasses, pickle, sys
    from typing import ClassVar as Cv
    me = sys.modules[__name__]
    for name in ("x", "y"):
        setattr(me, name, name)
    @dataclasses.dataclass
    class Point:
        count: Cv[int] = 1
        x: int = 2
    assert [f.name for f in dataclasses.fields(Point)] == ["x"]
    assert me.Point is Point and me.__dict__ is globals()
    assert pickle.loads(pickle.dumps(Point)) is Point
    del me.y
    import inner
    assert inner.SEEN == "x", inner.SEEN
    me.__class__ = type("Own", (type(sys),), {"prop": property(lambda m: m.x)})
    import help, threading
    def look():
        help.seen = (hasattr(help.sys.modules[__name__], "x"),
                     vars(help.sys.modules[__name__]) is globals())
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
''')
import help
reload()
assert help.seen == (False, False), "others see what is live"
assert mod.x == "x" and not hasattr(mod, "y") and mod.prop == "x"
assert type(mod).__name__ == "Own" and mod.Point(5).x == 5
edit("x = 1")
reload()
assert type(mod) is type(sys) and mod.x == 1
lazycore.rollback("mod")
assert mod.prop == "x"
""", files={"inner.py": "import sys\nSEEN = sys.modules['mod'].x\n"})


def test_a_package_loads_submodules_in_its_body(program):
    program("", """
pkg = load("pkg")
edit("from . import one\\nimport pkg.two\\nV = one.V, pkg.two.V\\n",
     "pkg/__init__.py")
reload(name="pkg")
assert pkg.V == (1, 2) and pkg.one.V == 1 and pkg.two.V == 2
edit("import pkg.three\\n1 / 0\\n", "pkg/__init__.py")
reload("failed", "pkg")
assert pkg.three is sys.modules["pkg.three"] and pkg.V == (1, 2)
""", files={"pkg/__init__.py": "V = 0\n", "pkg/one.py": "V = 1\n",
            "pkg/two.py": "V = 2\n", "pkg/three.py": "V = 3\n"})


def test_what_a_failed_body_registered_is_the_live_object(program):
    """As a web application's table of handlers would have it."""
    program("""
        from routes import route
        @route("/")
        def index(): return VERSION
        VERSION = 1
        """, """
mod, routes = load(), load("routes")
index = mod.index
edit('''
    from routes import route
    @route("/")
    def index(): return VERSION + undefined
    @route("/new")
    def new(): return VERSION
    VERSION = 2
    1 / 0
''')
reload("failed")
assert routes.TABLE["/"] is index and routes.TABLE["/"]() == 1
edit('''
    from routes import route
    @route("/")
    def index(): return VERSION
    VERSION = 3
''')
reload()
assert routes.TABLE["/"] is index and index() == 3
""", files={"routes.py": """
        TABLE = {}
        def route(path):
            def add(function):
                TABLE[path] = function
                return function
            return add
        """})
