"""DESIGN 5, step 4: who else has what was replaced."""

import pytest

from reloading import program  # noqa: F401 (a fixture)


def test_names_gone_from_the_source_go(program):
    program("", """
pkg = load("pkg")
load("pkg.sub")
edit("new = 1\\n__version__ = '2'\\n", "pkg/__init__.py")
reload(name="pkg")
assert pkg.new == 1 and pkg.__version__ == "2"
for name in ("old", "f", "__all__", "__getattr__", "json"):
    assert name not in vars(pkg), name
assert pkg.sub is sys.modules["pkg.sub"] and pkg.__author__ == "me"
assert pkg.__spec__ and pkg.__path__ and pkg.__name__ == "pkg"
assert pkg.__doc__ is None
""", files={"pkg/sub.py": "", "pkg/__init__.py": """
        "documented"
        import json
        __all__ = ["old"]
        __author__ = "me"
        json.dumps(1)
        old = 1
        def f(): pass
        def __getattr__(name): raise AttributeError(name)
        """})


def test_constants_bound_elsewhere_follow_where_the_code_says_so(program):
    program("LIMIT = 10\nRATE = 0.5\nNAME = 'first name'\nNONE = None\n"
            "FLAG = True\nKEEP = 3\nGONE = 7\n", """
from mod import LIMIT, FLAG
import user, stranger, through, below.user, star
def values(module):
    return (module.LIMIT, module.RATE, module.NAME, module.NONE)
mod, main = load(), sys.modules["__main__"]
for module in (user, stranger):
    assert values(module) == (10, 0.5, "first name", None)
assert through.LIMIT == star.LIMIT == below.user.LIMIT == LIMIT == 10
assert user.renamed == 0.5 and stranger.other == 10 and FLAG is True
sums = user.SUM, user.KEEP
edit("LIMIT = 11\\nRATE = 0.75\\nNAME = 'second name'\\nNONE = 1\\n"
     "FLAG = LIMIT.__class__\\nKEEP = 3\\n")
result = reload()
assert values(user) == (11, 0.75, "second name", 1)
assert values(stranger) == (10, 0.5, "first name", None)
assert stranger.other == 10 and (user.SUM, user.KEEP) == sums
assert LIMIT == 11 and FLAG is int
assert through.LIMIT == star.LIMIT == below.user.LIMIT == 11
assert user.GONE == 7 and user.renamed == 0.5
assert result["unrepaired"] == ["module user.renamed: RATE"], result
assert result["names_rebound"] == 4 + 2 + 5 + 3, result
from importlib.util import cache_from_source
assert not os.path.exists(cache_from_source(__file__))
""", files={
        "user.py": "from mod import LIMIT, RATE, NAME, NONE, KEEP, GONE\n"
                   "from mod import RATE as renamed\nSUM = LIMIT + KEEP\n",
        "stranger.py": "import mod\nLIMIT = 10\nRATE = mod.RATE\n"
                       "NAME = mod.NAME\nNONE = None\nother = 10\n",
        "through.py": "from user import LIMIT\n",
        "star.py": "from mod import *\n",
        "below/__init__.py": "",
        "below/user.py": "from .up import LIMIT\n",
        "below/up.py": "from mod import LIMIT\n"})


def test_constant_of_a_holder_in_a_package_follows(program):
    program("", """
load("pkg.sub.user")
from pkg import LIMIT
edit("LIMIT = 2", "pkg/limits.py")
result = reload(name="pkg.limits")
user, pkg = sys.modules["pkg.sub.user"], sys.modules["pkg"]
assert user.LIMIT == pkg.LIMIT == LIMIT == 2, result
assert result["names_rebound"] == 3 and result["unrepaired"] == [], result
""", files={"pkg/__init__.py": "from .limits import LIMIT\nprint(LIMIT)\n",
            "pkg/limits.py": "LIMIT = 1\n", "pkg/sub/__init__.py": "",
            "pkg/sub/user.py": "from ..limits import LIMIT\nprint(LIMIT)\n"})


def test_names_bound_elsewhere_follow(program):
    program("CONFIG = {'a': 1}\nclass Thing: pass\nthing = Thing()\n"
            "def f(): return 1\n", """
mod, user = load(), load("user")
assert user.keep() == {"a": 1}
edit("CONFIG = {'a': 2}\\nclass Thing: pass\\nthing = Thing()\\n"
     "def f(): return 2\\n")
result = reload()
assert user.CONFIG is mod.CONFIG and user.renamed is mod.thing
assert user.f() == 2 and result["names_rebound"] == 2, result
lines = "\\n".join(result["unrepaired"])
assert "cell: CONFIG" in lines and "list: CONFIG" in lines, result
assert "an instance of user.Holder.k: thing" in lines, result
assert len(result["unrepaired"]) == 3, result
""", files={"user.py": """
        from mod import CONFIG, f
        from mod import thing as renamed
        class Holder: pass
        def closure(config):
            return lambda: config
        keep = closure(CONFIG)
        several = [CONFIG]
        holder = Holder()
        holder.k = renamed
        """})


def test_a_list_of_holders_has_a_bound(program):
    program("CONFIG = {'a': 1}", """
mod = load()
holders = [[mod.CONFIG] for _ in range(500)]
edit("CONFIG = {'a': 2}")
assert len(reload()["unrepaired"]) == 100
""")


def test_common_values_elsewhere_are_not_touched(program):
    program("DEBUG = False\nLEVEL = 3\nMODE = 'fast'\nEMPTY = ()\nN = None",
            """
mod, user = load(), load("user")
edit("DEBUG = True\\nLEVEL = 4\\nMODE = 'slow'\\nEMPTY = (1,)\\nN = 1")
result = reload()
assert (user.DEBUG, user.LEVEL, user.MODE) == (False, 3, "fast")
assert user.EMPTY == () and user.N is None and result["unrepaired"] == []
""", files={"user.py": "DEBUG = False\nLEVEL = 3\nMODE = 'fast'\nEMPTY = ()\n"
            "N = None\n"})


def test_what_the_body_registered_is_the_old_object(program):
    body = """
        import registry
        @registry.register("f")
        def f(): return {n}
        @registry.register("C")
        class C:
            def __init_subclass__(cls): registry.add(cls)
            def n(self): return {n}
        class D(C): pass
        """
    program(body.format(n=1), f"""
mod, registry = load(), load("registry")
f, C = mod.f, mod.C
for n in (2, 3):
    edit({body!r}.format(n=n))
    reload()
    assert registry.NAMES["f"] is f and f() == n
    assert registry.NAMES["C"] is C and C().n() == n
    assert registry.ALL == {{mod.D}}, registry.ALL
    assert registry.NAMES["pair"][0] is C
""", files={"registry.py": """
        NAMES, ALL = {}, set()
        def register(name):
            def decorate(thing):
                NAMES[name] = thing
                NAMES["pair"] = (thing, name)
                return thing
            return decorate
        add = ALL.add
        """})


def test_what_only_passed_through_is_left_alone(program):
    """mod takes its names from another module than before."""
    program("from a import helper, K, CONFIG, stamp\n", """
mod, a, user, taker = load(), load("a"), load("user"), load("taker")
grabber = load("grabber")
helper, K, CONFIG = a.helper, a.K, a.CONFIG
edit("from b import helper, K, CONFIG, stamp\\n")
result = reload()
assert a.helper is helper and a.helper() == "a" and a.K is K
assert a.CONFIG is CONFIG and a.TABLE == {"c": CONFIG, "h": helper}
assert user.use() == ("a", K, {"of": "a"}, a.stamp)
b = sys.modules["b"]
assert taker.helper is b.helper and taker.renamed is b.K, result
assert taker.CONFIG is b.CONFIG and mod.helper() == "b"
assert grabber.dynamic is CONFIG
assert result["unrepaired"] == ["module grabber.dynamic: CONFIG"], result
assert result["replaced"] == [] and result["names_rebound"] == 4, result
""", files={
        "a.py": """
            from time import monotonic as stamp
            def helper(): return "a"
            class K: pass
            CONFIG = {"of": "a"}
            TABLE = {"c": CONFIG, "h": helper}
            """,
        "b.py": """
            from time import time as stamp
            def helper(): return "b"
            class K: pass
            CONFIG = {"of": "b"}
            """,
        "user.py": """
            from a import helper, K, CONFIG, stamp
            def use(): return helper(), K, CONFIG, stamp
            """,
        "taker.py": """
            from mod import helper, CONFIG, stamp
            from mod import K as renamed
            """,
        "grabber.py": "import mod\ndynamic = mod.CONFIG\n"})


def test_what_is_gone_is_listed_where_others_have_it(program):
    program("def f(): pass\nclass C: pass\ndef g(): pass\n", """
mod, user = load(), load("user")
edit("def h(): pass\\ng = len\\n")
result = reload()
assert sorted(result["unrepaired"]) == [
    "a list: C", "module user.f: f"], result
assert user.g is len and result["replaced"] == [
    "function g: it is no function any more"], result
""", files={"user.py": "from mod import f, g\nimport mod\nL = [mod.C]\n"})


@pytest.mark.parametrize("before, after, why", [
    ("class C:\n    __slots__ = 'a',", "class C:\n    __slots__ = 'a', 'b'",
     "class C: its slots changed"),
    ("class C:\n    pass", "class C(dict):\n    pass",
     "class C: its bases changed"),
    ("class M(type): pass\nclass C: pass",
     "class M(type): pass\nclass C(metaclass=M): pass",
     "class C: its metaclass changed"),
    ("class C:\n    class I: __slots__ = ()",
     "class C:\n    class I: __slots__ = 'a',",
     "class C.I: its slots changed"),
    ("class C: pass", "def C(): pass", "class C: it is no class any more"),
    ("def C(): pass", "import functools\n@functools.cache\ndef C(): pass",
     "function C: it is no function any more"),
], ids=["slots", "base", "metaclass", "inner", "kind", "function"])
def test_strict_refuses_what_cannot_keep_its_identity(program, before, after,
                                                      why):
    program(before + "\nVALUE = 1\n", f"""
mod, user = load(), load("user")
before = snapshot(mod)
edit({after!r} + "\\nVALUE = 2\\n")
result = reload("refused", strict=True)
assert result["replaced"] == [{why!r}], result
assert "--strict" in result["text"] and snapshot(mod) == before
assert user.C is mod.C and result["generations"] == 0, result
result = reload()
assert result["replaced"] == [{why!r}] and mod.VALUE == 2, result
edit({after!r} + "\\nVALUE = 3\\n")
""", files={"user.py": "from mod import C\n"})


def test_strict_lets_through_what_keeps_it(program):
    program("class C:\n    def f(self): return 1\ndef g(): return 1\n", """
mod = load()
C = mod.C
edit("class C:\\n    def f(self): return 2\\ndef g(): return 2\\nnew = 1\\n")
assert reload(strict=True)["replaced"] == []
assert mod.C is C and mod.g() == 2
""")
