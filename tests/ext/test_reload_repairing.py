"""DESIGN 5, step 4: who else has what was replaced."""

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
