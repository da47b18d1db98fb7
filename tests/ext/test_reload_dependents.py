"""Reload with dependents: several modules as one transaction."""

from reloading import program  # noqa: F401 (a fixture)

FILES = {
    "user.py": """
        import log
        from mod import LIMIT, f, Base
        TWICE = LIMIT * 2
        class Sub(Base):
            def who(self): return "sub " + super().who()
        def use(): return f(), LIMIT, TWICE
        log.RUNS.append("user")
        """,
    "through.py": """
        import log, user
        SUM = user.TWICE + 1
        def both(): return user.TWICE, SUM
        log.RUNS.append("through")
        """,
    "apart.py": "import log\nlog.RUNS.append('apart')\n",
    "inside.py": "import log\nlog.RUNS.append('inside')\n"
                 "def f():\n    import mod\n    return mod.LIMIT\n",
    "log.py": "RUNS = []\n",
}
MOD = """
    import log
    log.RUNS.append("mod")
    LIMIT = {n}
    def f(): return {n}
    class Base:
        def who(self): return "base{n}"
    """
BEGIN = """
mod, log = load(), load("log")
through, user, apart, inside = (load("through"), load("user"),
                                load("apart"), load("inside"))
sub, Sub, use = user.Sub(), user.Sub, user.use
assert log.RUNS == ["mod", "user", "through", "apart", "inside"], log.RUNS
log.RUNS.clear()
"""


def test_in_import_order_as_one(program):
    program(MOD.format(n=1), BEGIN + f"""
edit({MOD.format(n=5)!r} + "NEW = 1\\n")
edit(open(user.__file__).read() + "from mod import NEW\\n", "user.py")
result = reload(dependents=True)
assert log.RUNS == ["mod", "user", "through"], log.RUNS
assert [(other["name"], other["verdict"]) for other in result["others"]] == [
    ("user", "applied"), ("through", "applied")], result
assert use() == (5, 5, 10) and user.NEW == 1 and user.Sub is Sub
assert sub.who() == "sub base5" and user.f is mod.f
assert through.both() == (10, 11) and inside.f() == 5
assert result["unrepaired"] == [], result
assert [o["unrepaired"] for o in result["others"]] == [[], []], result
assert len({{o["generation"] for o in [result, *result["others"]]}}) == 1
log.RUNS.clear()
back = lazycore.rollback("user")
assert back["verdict"] == "applied" and log.RUNS == [], back
assert sorted(o["name"] for o in back["others"]) == ["mod", "through"]
assert use() == (1, 1, 2) and sub.who() == "sub base1", use()
assert through.both() == (2, 3) and inside.f() == 1
assert not hasattr(user, "NEW") and user.f is mod.f and user.Sub is Sub
""", files=FILES)


def test_one_failure_publishes_none(program):
    program(MOD.format(n=1), BEGIN + f"""
before = [snapshot(module) for module in (mod, user, through)]
edit({MOD.format(n=5)!r})
path = edit("import user\\n1 / 0\\n", "through.py")
result = reload("failed", dependents=True)
assert "through" in result["text"] and result["file"] == path, result
assert result["line"] == 2 and "ZeroDivision" in result["traceback"]
assert [o["verdict"] for o in result["others"]] == ["inconclusive", "failed"]
assert [snapshot(module) for module in (mod, user, through)] == before
assert use() == (1, 1, 2) and sub.who() == "sub base1"
assert result["generations"] == 0, result
""", files=FILES)


def test_strict_forbids_all(program):
    program(MOD.format(n=1), BEGIN + f"""
edit({MOD.format(n=5)!r})
edit(open(user.__file__).read().replace("Sub(Base)", "Sub(Base, dict)"),
     "user.py")
result = reload("refused", dependents=True, strict=True)
assert "user" in result["text"] and use() == (1, 1, 2), result
assert result["others"][0]["replaced"] == ["class Sub: its bases changed"]
assert mod.LIMIT == 1 and user.Sub is Sub
""", files=FILES)


def test_what_cannot_be_reloaded_is_left_out(program):
    program("LIMIT = 1\n", """
from mod import LIMIT
mod, fixed, user = load(), load("fixed"), load("user")
edit("LIMIT = 2\\n")
result = reload(dependents=True)
verdicts = {o["name"]: o["verdict"] for o in result["others"]}
assert verdicts == {"__main__": "refused", "fixed": "refused",
                    "user": "applied"}, verdicts
assert LIMIT == fixed.LIMIT == user.LIMIT == 2 and fixed.RUNS == [1]
""", files={"fixed.py": "__reload__ = False\nfrom mod import LIMIT\n"
                        "RUNS = [LIMIT]\n",
            "user.py": "from fixed import LIMIT\nimport mod\n"})


def test_packages(program):
    program("", """
app = load("app.views")
edit("VALUE = 2\\n", "app/models.py")
result = reload(name="app.models", dependents=True)
assert [o["name"] for o in result["others"]] == [
    "app.forms", "app.views"], result
assert app.both() == (2, 3), app.both()
""", files={"app/__init__.py": "", "app/models.py": "VALUE = 1\n",
            "app/forms.py": "from .models import VALUE\nNEXT = VALUE + 1\n",
            "app/views.py": "from . import forms, models\n"
                            "PAIR = models.VALUE, forms.NEXT\n"
                            "def both(): return PAIR\n"})


def test_a_class_that_is_replaced_below_and_above(program):
    program("class Base:\n    __slots__ = ()\n", """
mod, user = load(), load("user")
held = [mod.Base, user.Sub]
edit("class Base:\\n    __slots__ = 'a',\\n")
result = reload(dependents=True)
assert user.Sub.__bases__ == (mod.Base,) and mod.Base is not held[0]
assert user.Sub is not held[1] and result["unrepaired"] == [
    "a list: Base"], result  # this one's own
assert result["others"][0]["unrepaired"] == ["a list: Sub"], result
lazycore.rollback("mod")
assert [mod.Base, user.Sub] == held and user.Base is mod.Base
""", files={"user.py": "from mod import Base\nclass Sub(Base): pass\n"})


def test_nothing_depends_and_nothing_changed(program):
    program("VALUE = 1\n", """
age()
mod, user = load(), load("user")
assert reload("unchanged", dependents=True)["others"] == []
edit("VALUE = 2\\n", "user.py")
assert reload(name="user", dependents=True)["others"] == []
""", files={"user.py": "import mod\nVALUE = 1\nmod.VALUE\n"})


def test_no_reader_sees_modules_of_two_times(program):
    program("FIRST = 0\n", """
import sys, threading
sys.setswitchinterval(1e-4)
mod, user = load(), load("user")
mixed, stop = [], threading.Event()


def read():
    while not stop.is_set():
        pair = user.pair()
        if pair[0] != pair[1]:
            mixed.append(pair)


threads = [threading.Thread(target=read, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
LAST = 10
for n in range(1, LAST + 1):
    edit(f"import time\\ntime.sleep(0.0005)\\nFIRST = {n}\\n")
    reload(dependents=True)
stop.set()
for thread in threads:
    thread.join()
assert mixed == [] and user.pair() == (LAST, LAST), mixed[:3]
""", files={"user.py": "from mod import FIRST as SECOND\nimport mod, time\n"
                       "time.sleep(0.0005)\n"
                       "def pair(): return mod.FIRST, SECOND\n"})
