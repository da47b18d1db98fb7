"""Generations: going back to what a module was before its last reload."""

import pytest

from reloading import program  # noqa: F401 (a fixture)

BODY = """
    import enum, functools
    class Problem(Exception):
        n = {n}
    class Base:
        def who(self): return "base{n}"
    class Shape(Base):
        count = {n}
        {more}
        def who(self): return "shape{n} " + super().who()
        @classmethod
        def make(cls, k={n}): return cls, k
        @staticmethod
        def still(): return {n}
        @property
        def size(self): return {n}
        class Inner:
            def n(self): return {n}
    class Color(enum.Enum):
        RED = {n}
        def hello(self): return {n}
    def outer():
        value = {n}
        def f(a={n}, *, k={n}):
            "doc{n}"
            return value, a, k, LIMIT
        return f
    f = outer()
    f.__qualname__ = "f"
    f.mark = {n}
    @functools.cache
    def cached(): return {n}
    LIMIT = {n}
    DATA = [{n}]
    only{n} = {n}
    def new{n}(): return {n}
    """

CHECK = """
def check(n):
    assert f() == (n, n, n, n) and f.__doc__ == f"doc{n}" and f.mark == n
    assert mod.f is f and mod.Shape is Shape and type(shape) is Shape
    assert who() == f"shape{n} base{n}", who()
    assert sub.who() == f"sub shape{n} base{n}"
    assert make() == (Shape, n) and still() == n and shape.size == n
    assert Shape.count == n and inner.n() == n
    assert isinstance(inner, mod.Shape.Inner)
    assert mod.Color is Color and mod.Color.RED is red and red.value == n
    assert red.hello() == n and mod.Problem is Problem and Problem.n == n
    assert mod.LIMIT == user.LIMIT == n and user.cached() == n
    assert user.cached is mod.cached and mod.DATA == [n]
    assert [name for name in vars(mod) if name.startswith("only")] == [
        f"only{n}"]
    assert getattr(mod, f"new{n}")() == n and not hasattr(mod, f"new{n + 1}")
    assert hasattr(Shape, "extra") == (n % 2 == 0)


mod, user = load(), load("user")
f, Shape, Color, Problem = mod.f, mod.Shape, mod.Color, mod.Problem
shape, inner, red, sub = Shape(), Shape.Inner(), Color.RED, user.Sub()
who, make, still = shape.who, Shape.make, Shape.still
for _ in range(100):
    f(), who(), make(), sub.who()
"""

USER = {"user.py": """
    from mod import Shape, LIMIT, cached
    class Sub(Shape):
        def who(self): return "sub " + super().who()
    def use(): return LIMIT
    """}


def body(n):
    return BODY.format(n=n, more="extra = 1" if n % 2 == 0 else "")


def rollback_help():
    return """
def rollback(verdict="applied", name="mod"):
    result = lazycore.rollback(name)
    assert result["verdict"] == verdict, result
    return result
"""


def test_back_and_forth(program):
    program(body(1), rollback_help() + CHECK + f"""
import gc
bodies = {[body(n) for n in range(6)]!r}
check(1)
data, limits = mod.DATA, []
for n in (2, 3, 4):
    edit(bodies[n])
    result = reload()
    assert result["generations"] == n - 1, result
    check(n)
for n in (3, 2, 1):
    gc.collect()
    result = rollback()
    assert result["generations"] == n - 1 and result["pause_ns"] > 0, result
    check(n)
assert mod.DATA is data, "the very objects"
assert "no generation" in rollback("refused")["text"]
check(1)
for n in (2, 3, 4, 5):
    edit(bodies[n])
    reload()
check(5)
rollback(), rollback(), rollback(), rollback("refused")
check(2)  # three are kept
""", files=USER)


def test_nothing_runs(program):
    program("import runs\nruns.COUNT.append(1)\nVALUE = 1\n",
            rollback_help() + """
mod, runs = load(), load("runs")
edit("import runs\\nruns.COUNT.append(2)\\nVALUE = 2\\n")
reload()
os.unlink(mod.__file__)
rollback()
assert mod.VALUE == 1 and runs.COUNT == [1, 2]
""", files={"runs.py": "COUNT = []"})


def test_after_a_rollback_the_file_is_not_what_runs(program):
    program("VALUE = 1\n", rollback_help() + """
age()
mod = load()
edit("VALUE = 2\\n")
first = reload()
result = rollback()
assert result["old_hash"] == first["new_hash"] != result["new_hash"], result
assert mod.VALUE == 1
reload("applied")
assert mod.VALUE == 2
reload("unchanged")
""")


def test_forget_keeps_none(program):
    program("VALUE = 1\n", rollback_help() + """
mod = load()
edit("VALUE = 2\\n")
assert reload()["generations"] == 1
edit("VALUE = 3\\n")
assert reload(forget=True)["generations"] == 0
rollback("refused")
assert mod.VALUE == 3
""")


@pytest.mark.parametrize("name, verdict", [
    ("mod", "refused"), ("csv", "not_loaded"), ("sys", "refused")])
def test_nothing_to_go_back_to(program, name, verdict):
    program("", rollback_help() + f"load()\nrollback({verdict!r}, {name!r})")


def test_no_such_module(program):
    program("", """
try:
    lazycore.rollback("no.such")
except ImportError as error:
    assert "no.such" in str(error)
else:
    raise AssertionError
""")


def test_a_class_that_was_replaced_comes_back(program):
    program("class C:\n    __slots__ = 'a',\n    def n(self): return 1\n",
            rollback_help() + """
mod, user = load(), load("user")
held, old = [mod.C], mod.C()  # a name here would follow
edit("class C:\\n    __slots__ = 'a', 'b'\\n    def n(self): return 2\\n")
reload()
assert mod.C is not held[0] and user.C is mod.C and old.n() == 1
new = mod.C()
result = rollback()
assert mod.C is user.C is held[0] and isinstance(old, mod.C)
assert new.n() == 2 and not isinstance(new, mod.C)
assert result["replaced"] == ["class C: its slots changed"], result
""", files={"user.py": "from mod import C\n"})


def test_pending_names_come_back(program):
    program("import json\nimport colorsys\nimport wave\n"
            "def f(): return json.dumps(1)\ndef s(): return wave.open\n",
            rollback_help() + """
mod = load()
edit("json = colorsys = 5\\ndef f(): return json\\n")
reload()
assert mod.f() == 5
rollback()
assert mod.f() == "1" and mod.json is sys.modules["json"]
assert mod.colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
assert lazycore.pending(mod) == ["wave"] and "s" in vars(mod)
""")


def test_names_of_kept_generations_follow(program):
    """user goes back to a time before mod was reloaded."""
    program("class C: __slots__ = ()\nclass Same: pass\n",
            rollback_help() + """
mod, user = load(), load("user")
edit("from mod import C, Same\\nVALUE = 2\\n", "user.py")
reload(name="user")
edit("class C: __slots__ = 'a',\\nclass Same:\\n    n = 1\\n")
result = reload()
assert result["unrepaired"] == [] and result["names_rebound"] == 1, result
rollback(name="user")
assert user.VALUE == 1 and user.C is mod.C and user.Same is mod.Same
""", files={"user.py": "from mod import C, Same\nVALUE = 1\n"})


def test_a_module_that_is_loaded_anew_has_none(program):
    program("VALUE = 1\n", rollback_help() + """
import gc
mod = load()
edit("VALUE = 2\\n")
reload()
del sys.modules["mod"]
mod = load()
rollback("refused")
edit("VALUE = 3\\n")
reload()
importlib.reload(mod)
rollback("refused")
""")


def test_what_is_kept_has_a_bound(program):
    """Large generations go first; the newest of a module stays."""
    program("", rollback_help() + """
import gc
names = [f"m{n}" for n in range(8)]
for name in names:
    edit("DATA = []\\nVALUE = 0\\n", name + ".py")
    load(name)
for value in range(1, 5):
    for name in names:
        edit(f"DATA = bytes(4_000_000) + b'x'\\nVALUE = {value}\\n",
             name + ".py")
        result = reload(name=name)
        assert result["generations"] >= 1, result
gc.collect()
kept = sum(len(b) for d in gc.get_objects() if isinstance(d, dict)
           for b in [d.get("DATA")] if isinstance(b, bytes))
assert kept <= 64 * 1024 * 1024 + 8 * 4_000_001, kept
for name in names:
    rollback(name=name)
    assert sys.modules[name].VALUE == 3
""")


def test_rollback_is_one_step_for_its_readers(program):
    program("FIRST = SECOND = 0\ndef both(): return FIRST, SECOND\n",
            rollback_help() + """
import threading
mod, mixed, stop = load(), [], threading.Event()


def read():
    while not stop.is_set():
        first, second = mod.both()
        if first != second:
            mixed.append((first, second))


threads = [threading.Thread(target=read, daemon=True) for n in range(4)]
for thread in threads:
    thread.start()
for n in range(10):
    edit(f"FIRST = {n}\\ndef both(): return FIRST, SECOND\\nSECOND = {n}\\n")
    reload()
    rollback()
stop.set()
for thread in threads:
    thread.join()
assert mixed == [] and mod.both() == (0, 0), mixed[:5]
""")
