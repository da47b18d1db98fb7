"""lazycore.reload(): DESIGN 5, one program a promise.

Each program edits `mod.py` (or another file) while it runs, reloads, and
asserts; it ends with exit status 0. The engine is installed in it.
"""

import pytest

# Beside every program: edit("text") rewrites mod.py, reload() gives the
# result, same() tells whether a module is bit for bit what it was.
HELP = """\
import importlib
import os
import sys
import textwrap

import lazycore

FOLDER = os.path.dirname(os.path.abspath(__file__))


def edit(text, name="mod.py"):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        file.write(textwrap.dedent(text))
    return path


def reload(verdict="applied", name="mod", **how):
    result = lazycore.reload(name, **how)
    assert result["verdict"] == verdict, result
    return result


def load(name="mod"):
    return importlib.import_module(name)


def age(name="mod.py"):
    os.utime(os.path.join(FOLDER, name), (1_000_000_000, 1_000_000_000.5))


def snapshot(module):
    return {key: (id(value), repr(value) if isinstance(value, (list, dict))
                  else None) for key, value in vars(module).items()}
"""


@pytest.fixture
def program(lazily):
    """program(mod, main, files={}): mod.py is there at the start."""

    def run(mod, main, files=None, **how):
        return lazily({"help.py": HELP, "mod.py": mod, **(files or {})},
                      "from help import *\n" + main, **how)

    return run


# --- what changed ----------------------------------------------------------


def test_same_size_edit_within_a_second_runs_the_new_code(program):
    program("VALUE = 1", """
mod = load()
for value in range(2, 10):
    edit(f"VALUE = {value}")
    reload()
    assert mod.VALUE == value
""")


def test_bytecode_is_not_trusted(program):
    program("VALUE = 1", """
import py_compile
stat = os.stat(os.path.join(FOLDER, "mod.py"))
mod = load()
path = edit("VALUE = 2")
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
py_compile.compile(path)
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
path = edit("VALUE = 3")
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
reload(force=True)
assert mod.VALUE == 3
""")


def test_an_unchanged_file_is_left_alone(program):
    program("RUNS = []", """
age()
mod = load()
runs = mod.RUNS
result = reload("unchanged")
assert mod.RUNS is runs and result["pause_ns"] == 0
edit("RUNS = [1]")
reload()
reload("unchanged")
edit("RUNS = [1]")  # another file of the same text
reload("unchanged")
reload("applied", force=True)
""")


def test_an_edit_that_keeps_size_and_mtime_counts(program):
    program("VALUE = 1", """
age()
mod = load()
path = os.path.join(FOLDER, "mod.py")
before = os.stat(path)
edit("VALUE = 2")
age()
while os.stat(path).st_ctime_ns == before.st_ctime_ns:
    age()  # a tick of the kernel's clock
after = os.stat(path)
assert (after.st_mtime_ns, after.st_size, after.st_ino) == (
    before.st_mtime_ns, before.st_size, before.st_ino)
reload()
assert mod.VALUE == 2
""")


def test_change_between_load_and_reload_counts_even_where_the_body_did_it(
        program):
    program("import help\nhelp.edit('VALUE = 2')\nVALUE = 1\n", """
age()
mod = load()
assert mod.VALUE == 1
reload()
assert mod.VALUE == 2
""")


# --- what fails ------------------------------------------------------------


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


# --- what cannot be reloaded -----------------------------------------------


def test_refused(program):
    program("__reload__ = False", """
import py_compile
import types
py_compile.compile(edit("X = 1", "source.py"), os.path.join(FOLDER,
                                                            "bare.pyc"))
load("_json")
load("pkg.space")
load("replaced")
load("bare")
load()
sys.modules["made"] = types.ModuleType("made")
words = {"sys": "built into", "_json": "extension",
         "__main__": "program itself", "pkg": "namespace",
         "mod": "__reload__", "replaced": "another object",
         "made": "no import spec", "bare": "bytecode"}
if os.__spec__.origin == "frozen":  # a debug build freezes nothing
    words["os"] = "frozen"
for name, word in words.items():
    result = reload("refused", name)
    assert word in result["text"], (name, result)
""", files={
        "pkg/space.py": "",
        "replaced.py": "import sys\nsys.modules[__name__] = object()\n",
    })


def test_loader_with_a_way_of_its_own_is_refused(program):
    program("", """
import importlib.machinery
import importlib.util


class Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        module.VALUE = "its own"


path = os.path.join(FOLDER, "mod.py")
spec = importlib.util.spec_from_file_location("own", loader=Loader("own",
                                                                   path))
sys.modules["own"] = own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
assert "own way" in reload("refused", "own")["text"]
assert own.VALUE == "its own"
""")


def test_source_whose_name_does_not_say_so(program):
    program("", """
import importlib.machinery
import importlib.util
path = edit("def f(): return 1", "script")
loader = importlib.machinery.SourceFileLoader("script", path)
spec = importlib.util.spec_from_file_location("script", loader=loader)
sys.modules["script"] = script = importlib.util.module_from_spec(spec)
loader.exec_module(script)
f = script.f
edit("def f(): return 2", "script")
reload(name="script")
assert script.f is f and f() == 2
""")


def test_fork_during_a_reload(program):
    program("", """
mod = load()
edit('''
    import os, sys, threading
    import help
    def fork():
        pid = os.fork()
        if pid == 0:  # this process reloads nothing
            with open(__file__, "w") as file:
                file.write("x = 1")
            verdict = help.lazycore.reload(__name__)["verdict"]
            os._exit(0 if verdict == "applied" else 1)
        global status
        status = os.waitpid(pid, 0)[1]
    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
''')
reload()
assert mod.status == 0
""")


def test_not_loaded(program):
    program("VALUE = 1", """
import mod
import xml.dom.minidom
assert "first use" in reload("not_loaded")["text"]
assert "mod" not in sys.modules
reload("not_loaded", "xml.dom.minidom")
reload("not_loaded", "xml.sax.saxutils")  # no one imports it
assert "xml" not in sys.modules
edit("VALUE = 2")
assert mod.VALUE == 2
for name in ("nowhere", "xml.nowhere", "mod.sub", "", ".", "a..b", "mod."):
    try:
        lazycore.reload(name)
    except ImportError as error:
        assert name in str(error)
    else:
        raise AssertionError(name)
""")


def test_a_module_is_reloaded_once_at_a_time(program):
    program("", """
mod = load()
edit("import help\\nRESULT = help.lazycore.reload(__name__)")
reload()
assert mod.RESULT["verdict"] == "inconclusive", mod.RESULT
edit("x = 1")
reload()
""")


# --- functions -------------------------------------------------------------


def test_functions_keep_their_identity(program):
    program("""
        BASE = 1
        def f(a=1, *, k=1):
            "one"
            return BASE, a, k
        def plain(): return 1
        f.mark = 1
        """, """
mod = load()
f, plain = mod.f, mod.plain
for _ in range(100):
    f(), plain()
edit('''
    def outer():
        x, y = 2, 3
        def plain(): return x, y
        return plain
    BASE = 2
    def f(a: int = 2, *, k=2, more=3) -> str:
        "two"
        return BASE, a, k, more
    f.other = 2
    alias = f
    plain = outer()
    plain.__qualname__ = "plain"
''')
result = reload()
assert mod.f is f and mod.alias is f and result["functions_kept"] == 2
assert f() == (2, 2, 2, 3) and f.__doc__ == "two"
assert f.__annotations__ == {"a": int, "return": str}
assert f.__globals__ is vars(mod) and vars(f) == {"other": 2}
assert mod.plain is plain and plain() == (2, 3)
""")


def test_decorated_functions_follow(program):
    body = """
        from deco import double
        @double
        def f(): return VALUE
        VALUE = {}
        """
    program(body.format(1), f"""
mod = load()
f = mod.f
assert f() == 2
edit({body.format(5)!r})
reload()
assert mod.f is f and f() == 10
""", files={"deco.py": """
        import functools
        def double(function):
            @functools.wraps(function)
            def wrapper(*args):
                return 2 * function(*args)
            return wrapper
        """})


def test_cached_function_is_replaced_and_rebound(program):
    body = "import functools\n@functools.cache\ndef f(): return {}\n"
    program(body.format(1), f"""
mod, user = load(), load("user")
assert user.f() == 1
edit({body.format(2)!r})
result = reload()
assert user.f is mod.f and user.f() == 2
assert result["names_rebound"] == 1, result
""", files={"user.py": "from mod import f"})


# --- classes ---------------------------------------------------------------

SHAPES = """
    import abc, dataclasses, enum, typing
    class Problem(Exception):
        pass
    class Base:
        def who(self): return "base{n}"
    class Shape(Base):
        count = {n}
        def who(self): return "shape{n} " + super().who()
        @classmethod
        def make(cls): return cls, {n}
        @staticmethod
        def still(): return {n}
        @property
        def size(self): return {n}
        def fail(self): raise Problem({n})
        class Inner:
            def n(self): return {n}
    class Slots:
        __slots__ = ("a", "b")
        def get(self): return self.a, {n}
    class Abstract(abc.ABC):
        @abc.abstractmethod
        def go(self): "{n}"
    @dataclasses.dataclass
    class Point:
        x: int
        y: int = {n}
        def sum(self): return self.x + self.y + {n}
    class Pair(typing.NamedTuple):
        left: int
        def twice(self): return self.left * {n}
    class Meta(type):
        def hello(cls): return {n}
    class Made(metaclass=Meta):
        pass
    DEFAULT = Shape()
    ERRORS = (Problem, KeyError)
    KINDS = {{Shape: "shape"}}
    SEEN = {{Shape}}
    """


def test_classes_keep_their_identity(program):
    program(SHAPES.format(n=1), f"""
import pickle
mod, user = load(), load("user")
Shape, shape = mod.Shape, mod.Shape()
inner, slots, point = Shape.Inner(), mod.Slots(), mod.Point(1)
slots.a = 7
pair, made = mod.Pair(2), mod.Made()
who, make, still, fail = shape.who, Shape.make, Shape.still, shape.fail
mod.Abstract.register(int)
assert not isinstance("", mod.Abstract)
sub = user.Sub()
stored = pickle.dumps((shape, point, pair))
for _ in range(100):
    who(), make(), shape.size, sub.who(), slots.get()
edit({SHAPES.format(n=2)!r} + "Abstract.register(str)\\n")
result = reload()
assert mod.Shape is Shape and type(shape) is Shape
assert who() == "shape2 base2" and sub.who() == "sub shape2 base2"
assert make() == (Shape, 2) and still() == 2 and shape.size == 2
assert Shape.count == 2 and sub.count == 2
assert inner.n() == 2 and isinstance(inner, mod.Shape.Inner)
assert slots.get() == (7, 2) and isinstance(slots, mod.Slots)
assert isinstance(3, mod.Abstract) and isinstance("", mod.Abstract)
assert point.sum() == 4 and point == mod.Point(1, 1)
assert pair.twice() == 4 and isinstance(pair, mod.Pair)
assert mod.Made.hello() == 2 and isinstance(made, mod.Made)
assert type(mod.DEFAULT) is Shape and mod.KINDS == {{Shape: "shape"}}
assert mod.SEEN == {{Shape}} and mod.ERRORS[0] is mod.Problem
try:
    fail()
except mod.ERRORS as error:
    assert error.args == (2,)
again = pickle.loads(stored)
assert type(again[0]) is Shape and again[1] == point and again[2] == pair
assert pickle.loads(pickle.dumps(shape)).who() == "shape2 base2"
assert mod.Base.__subclasses__() == [Shape], mod.Base.__subclasses__()
assert Shape.__subclasses__() == [user.Sub]
assert result["classes_kept"] == 10, result
assert result["unrepaired"] == [], result
""", files={"user.py": """
        from mod import Shape
        class Sub(Shape):
            def who(self): return "sub " + super().who()
        """})


def test_class_attributes_come_and_go(program):
    program("""
        class C:
            old = 1
            def gone(self): pass
            def __len__(self): return 1
        """, """
mod = load()
c = mod.C()
assert len(c) == 1
edit('''
    class C:
        "documented"
        new = 2
        def __call__(self): return 2
        def __eq__(self, other): return True
''')
reload()
assert c() == 2 and mod.C.new == 2 and mod.C.__doc__ == "documented"
assert not hasattr(c, "old") and not hasattr(c, "gone") and c == 5
assert mod.C.__hash__ is None
try:
    len(c)
except TypeError:
    pass
else:
    raise AssertionError("len")
""")


def test_new_class_below_one_that_stays(program):
    program("class A:\n    def f(self): return 1\n", """
mod = load()
a, A = mod.a if hasattr(mod, "a") else mod.A(), mod.A
edit('''
    class A:
        def f(self): return 2
    class B(A):
        def f(self): return super().f() + 1
    b = B()
''')
reload()
assert mod.B.__bases__ == (A,) and isinstance(mod.b, A)
assert mod.b.f() == 3 and mod.B.__mro__[1] is A
edit('''
    class A:
        def f(self): return 10
''')
b = mod.b
reload()
assert b.f() == 11
""")


@pytest.mark.parametrize("kind, before, after", [
    ("Enum", "1", "1"), ("Enum", "1", "7"), ("IntEnum", "1", "1"),
    ("Flag", "1", "1"), ("str, enum.Enum", "'a'", "'a'"),
])
def test_enum_members_stay_the_objects_they_are(program, kind, before, after):
    base = kind if "," in kind else "enum." + kind
    body = """
        import enum
        class Color({base}):
            RED = {red}
            def hello(self): return {n}
            {more}
        FAVOURITE = Color.RED
        NAMES = {{Color.RED: "red"}}
        """
    more = "BLUE = 'b'" if "str" in base else "BLUE = 2"
    program(body.format(base=base, red=before, n=1, more=""), f"""
import pickle
mod = load()
Color, red = mod.Color, mod.Color.RED
edit({body.format(base=base, red=after, n=2, more=more)!r})
result = reload()
assert mod.Color is Color and mod.Color.RED is red, result
assert mod.FAVOURITE is red and Color["RED"] is red
assert Color({after}) is red and red.value == {after}
assert mod.NAMES[red] == "red" and red.hello() == 2
assert list(Color) == [red, Color.BLUE] and type(Color.BLUE) is Color
assert Color.BLUE.hello() == 2 and isinstance(Color.BLUE, Color)
assert pickle.loads(pickle.dumps(red)) is red
""")


@pytest.mark.parametrize("before, after", [
    ("class C:\n    __slots__ = 'a',", "class C:\n    __slots__ = 'a', 'b'"),
    ("class C:\n    __slots__ = 'a', 'b'",
     "class C:\n    __slots__ = 'a', 'c'"),
    ("class C:\n    pass", "class C(dict):\n    pass"),
    ("class M(type): pass\nclass C: pass",
     "class M(type): pass\nclass C(metaclass=M): pass"),
    ("class C:\n    pass", "import collections\n"
     "C = collections.namedtuple('C', 'a')"),
], ids=["slot", "slots", "base", "metaclass", "kind"])
def test_class_whose_layout_changed_is_replaced_and_it_says_so(
        program, before, after):
    program(before, f"""
mod, user = load(), load("user")
old = (mod.C, mod.C())
edit({after!r})
result = reload()
assert mod.C is not old[0] and type(old[1]) is old[0]
assert user.C is mod.C and user.other is mod.C
assert result["names_rebound"] == 2
assert "could not keep their identity" in result["text"], result
assert any("Sub" in line for line in result["unrepaired"]), result
""", files={"user.py": "from mod import C\nother = C\nclass Sub(C): pass\n"})


# --- names -----------------------------------------------------------------


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


# --- lazy imports ----------------------------------------------------------


def test_pending_names_of_the_module(program):
    program("import json\nimport colorsys\ndef f(): return json.dumps(1)\n",
            """
mod = load()
assert set(lazycore.pending(mod)) == {"json", "colorsys"}
edit("import json\\ndef f(): return json.dumps(2)\\n")
reload()
assert "colorsys" not in sys.modules
assert mod.f() == "2" and mod.json is sys.modules["json"]
edit("json = 5\\ndef f(): return json\\n")
reload()
assert mod.f() == 5 and mod.json == 5
assert mod.colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
""")


def test_package_with_relative_imports(program):
    program("", """
pkg = load("pkg")
assert pkg.value() == 1
edit("from . import one, two\\nfrom .one import VALUE\\n"
     "def value(): return VALUE + two.VALUE\\n", "pkg/__init__.py")
reload(name="pkg")
assert pkg.value() == 3 and pkg.two is sys.modules["pkg.two"]
edit("VALUE = 10", "pkg/one.py")
reload(name="pkg.one")
assert pkg.one.VALUE == 10
""", files={"pkg/one.py": "VALUE = 1", "pkg/two.py": "VALUE = 2",
            "pkg/__init__.py": "from . import one\n"
                               "def value(): return one.VALUE\n"})


def test_module_in_a_zip(program):
    program("", """
import zipfile


def pack(value, more=""):
    with zipfile.ZipFile("lib.zip", "w") as archive:
        archive.writestr("before.py", "#" * 50 * value + more)
        archive.writestr("zipped.py", f"def f(): return {value}")


pack(1)
sys.path.insert(0, "lib.zip")
zipped = load("zipped")
f = zipped.f
assert f() == 1
pack(2)
reload(name="zipped")
assert f() == 2
reload("unchanged", "zipped")
pack(3, "#more")
reload(name="zipped")
assert f() == 3
os.unlink("lib.zip")
reload("failed", "zipped")
assert f() == 3
""")


def test_file_is_gone(program):
    program("def f(): return 1", """
mod = load()
os.unlink(os.path.join(FOLDER, "mod.py"))
assert "FileNotFoundError" in reload("failed")["text"]
assert mod.f() == 1
""")


def test_registry_counts_reloads_and_failures(program):
    program("x = 1", """
load()
edit("x = 2")
reload()
edit("x = ")
reload("failed")
assert lazycore.show("mod")["failures"] == 1
assert "SyntaxError" in lazycore.show("mod")["last_error"]
assert lazycore.stats()["failed"] == 1
before = lazycore.stats()["loads"]
edit("x = 3")
reload()
assert lazycore.stats()["loads"] == before + 1
assert lazycore.stats()["failed"] == 0
""")


# --- what runs meanwhile ---------------------------------------------------


def test_no_reader_sees_a_mix(program):
    body = """
        FIRST = {n}
        with open(__file__) as file:
            file.read()
        import time
        time.sleep(0.0005)
        def both(): return FIRST, SECOND
        SECOND = {n}
        """
    program(body.format(n=0), f"""
import threading
mod = load()
body = {body!r}
mixed, reads, stop = [], [0] * 8, threading.Event()


def read(me):
    while not stop.is_set():
        first, second = mod.FIRST, mod.SECOND
        if first != second:
            mixed.append((first, second))
        first, second = mod.both()
        if first != second:
            mixed.append((first, second))
        reads[me] += 1


threads = [threading.Thread(target=read, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for n in range(1, 60):
    edit(body.format(n=n))
    reload()
stop.set()
for thread in threads:
    thread.join()
assert mixed == [] and min(reads) > 0, (mixed[:5], reads)
assert mod.both() == (59, 59)
""")


def test_code_that_the_body_started_runs_on(program):
    program("", """
import gc
import threading
mod = load()
edit('''
    import threading
    VALUE = 1
    begun, go, seen = threading.Event(), threading.Event(), []
    def work():
        begun.set()
        go.wait()
        seen.append(VALUE)
    def count():
        while True:
            yield VALUE
    def fail():
        local = VALUE
        raise ValueError
    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    generator = count()
    next(generator)
    try:
        fail()
    except ValueError as error:
        kept = error
''')
result = reload()
assert any("runs on" in line for line in result["unrepaired"]), result
thread, generator, seen, kept = (mod.thread, mod.generator, mod.seen,
                                 mod.kept)
mod.go.set()
thread.join()
for _ in range(3):
    edit("VALUE = 2")
    reload(force=True)
    gc.collect()
assert seen == [1] and next(generator) == 1
frame = kept.__traceback__.tb_next.tb_frame
assert frame.f_globals["VALUE"] == 1 and frame.f_locals["local"] == 1
assert kept.__traceback__.tb_frame.f_globals["VALUE"] == 1
""")


def test_reload_while_the_old_code_is_on_the_stack(program):
    program("""
        def outer(inside):
            before = VALUE
            inside()
            return before, VALUE, helper()
        def helper(): return 1
        VALUE = 1
        """, """
mod = load()


def inside():
    edit('''
        def outer(inside, more=None): return "new"
        def helper(): return 2
        VALUE = 2
    ''')
    reload()


assert mod.outer(inside) == (1, 2, 2)
assert mod.outer(inside) == "new"
""")


def test_old_generations_are_not_kept(program):
    program("", """
import gc
mod = load()


def count(n):
    for _ in range(n):
        edit('''
            class C:
                def f(self): return super().__repr__()
            def f(): return C()
            DATA = [object() for _ in range(100)]
        ''')
        reload(force=True)
    gc.collect()
    return len(gc.get_objects())


first = count(5)
assert count(20) - first < 50
assert object.__subclasses__().count(mod.C) == 1
assert [c.__name__ for c in object.__subclasses__()
        if c.__module__ == "mod"] == ["C"]
""")


def test_finalizers_run_after_the_step(program):
    program("""
        from log import LOG
        class Noisy:
            def __del__(self):
                LOG.append((FIRST, SECOND))
        FIRST = 1
        noisy = Noisy()
        SECOND = 1
        """, """
import gc
mod, log = load(), load("log").LOG
text = open(mod.__file__).read()
for n in range(2, 6):
    edit(text.replace("= 1", f"= {n}"))
    reload()
gc.collect()
assert log == [(2, 2), (3, 3), (4, 4), (5, 5)], log
""", files={"log.py": "LOG = []"})
