"""Which bodies of modules change nothing outside their own namespace, as their
bytecode says. Nothing of them runs."""
import json
import textwrap

import pytest

BASE = """\
known = []
table = {"a": 1}
LIMIT = 3
def keep(thing):
    known.append(thing)
    return thing
def plain(thing):
    return thing
def named(name):
    def decorator(function):
        return function
    return decorator
class Meta(type):
    def __init__(cls, *args):
        known.append(cls)
class Registered(metaclass=Meta):
    pass
class Noted:
    def __init_subclass__(cls):
        known.append(cls)
class Plain:
    def __init__(self):
        known.append(self)
class Error(Exception):
    pass
class Marked:
    def __set_name__(self, owner, name):
        known.append(owner)
mark = Marked()
if known:
    def either(thing):
        known.append(thing)
else:
    def either(thing):
        return thing
def set_limit():
    global LIMIT
    LIMIT = 4
"""

FREE = {
    "empty": "",
    "constants": "'''doc'''\na, b = 1, 'x'\nc = [1, {2: (3,)}, {4}]\n"
                 "d = -a + 2 ** 10\ne = f'{a}-{b!r:>4}'\nf: int = 5\n",
    "definitions": "def f(x: int = 1, *, y=()) -> str:\n    print(x)\n"
                   "async def g():\n    yield 1\nh = lambda: open('x')\n"
                   "def i():\n    global a\n    a = 1\n",
    "classes": "import abc, enum, collections\n"
               "class A:\n    x = 1\n    def f(self): pass\n"
               "    @property\n    def p(self): return 1\n"
               "    @p.setter\n    def p(self, value): pass\n"
               "    @staticmethod\n    def s(): pass\n"
               "    @classmethod\n    def c(cls): pass\n"
               "    class Inner: pass\n"
               "class B(A, abc.ABC):\n    @abc.abstractmethod\n"
               "    def g(self): pass\n    def h(self): return super().h()\n"
               "class C(enum.Enum):\n    ONE = 1\n    TWO = enum.auto()\n"
               "class D(collections.namedtuple('D', 'x y')):\n"
               "    __slots__ = ()\n"
               "class E(Exception): pass\nB.x = 2\nA.f.note = 1\n",
    "typed": "from __future__ import annotations\n"
             "from typing import Generic, NamedTuple, Protocol, TypeVar\n"
             "import typing as t, dataclasses\nT = TypeVar('T')\n"
             "Alias = t.Dict[str, t.Optional[T]]\n"
             "class A(Generic[T]): pass\nclass B(A[int]): pass\n"
             "class P(Protocol):\n    def f(self): ...\n"
             "class N(NamedTuple):\n    x: int\n    y: str = 'a'\n"
             "@dataclasses.dataclass(frozen=True)\nclass D:\n"
             "    x: int\n    y: list = dataclasses.field(default_factory=list)\n"
             "@t.overload\ndef f(x: int): ...\ndef f(x): return x\n",
    "imports": "import os.path, re as r\nfrom json import loads\n"
               "import xml.dom.minidom as dom\nfrom . import base\n"
               "from .base import keep as k, Plain\nfrom pk import base as b\n"
               "path = os.path.join('a', os.environ.get('HOME', 'b'))\n"
               "word = r.compile(r'\\w+', r.I | r.M)\nmatch = word.match\n"
               "hint: Plain = None\n",
    "type_checking": "import typing\nfrom typing import TYPE_CHECKING\n"
                     "if TYPE_CHECKING:\n    from nowhere import Thing\n"
                     "    print('x')\nif typing.TYPE_CHECKING:\n"
                     "    import nowhere\n"
                     "if __name__ == '__main__':\n    print('run')\n",
    "versions": "import sys\nif sys.version_info < (3, 8):\n    print('old')\n"
                "if sys.platform == 'win32':\n    import winreg\n"
                "elif sys.version_info >= (3, 9):\n    one = 1\n"
                "two = one\n",
    "optional": "try:\n    import nowhere\nexcept ImportError:\n"
                "    nowhere = None\ntry:\n    import json\n"
                "except (ImportError, OSError):\n    json = None\nelse:\n"
                "    x = 1\nhas = nowhere is not None\n",
    "own_containers": "table = {}\ntable['x'] = 1\ntable.update(y=2)\n"
                      "names = []\nnames.append('a')\nnames += ['b']\n"
                      "names.extend(table)\ndel table['x']\n"
                      "from .base import Plain\ntable['p'] = Plain\n"
                      "__all__ = ['a']\n__all__ += ['b']\n",
    "loops": "squares = [x * x for x in range(10) if x % 2]\n"
             "table = {str(x): x for x in squares}\n"
             "words = frozenset(w.lower() for w in 'a B'.split())\n"
             "for name, value in [('a', 1), ('b', 2)]:\n"
             "    table[name] = value\n    if not value:\n        continue\n"
             "first, *rest = 'a', 'b', 'c'\n",
    "standard_calls": "import logging, functools, threading, contextlib\n"
                      "import pathlib, datetime, collections, contextvars\n"
                      "log = logging.getLogger(__name__)\n"
                      "lock = threading.Lock()\nmissing = object()\n"
                      "here = pathlib.Path(__file__).resolve().parent / 'x'\n"
                      "day = datetime.timedelta(days=1)\n"
                      "var = contextvars.ContextVar('v', default=None)\n"
                      "table = collections.defaultdict(list)\n"
                      "table['x'].x if False else 0\n"
                      "@functools.lru_cache(maxsize=None)\ndef f(): pass\n"
                      "@functools.lru_cache\ndef g(): pass\n"
                      "@contextlib.contextmanager\ndef h(): yield\n"
                      "def deco(f):\n    @functools.wraps(f)\n"
                      "    def wrapper(*a):\n        return f(*a)\n"
                      "    return wrapper\n"
                      "@deco\ndef i(): pass\n",
    "own_calls": "def make(x, *rest, y=1):\n    if rest:\n"
                 "        return None\n    out = {}\n    out['a'] = x\n"
                 "    return out\ntable = make(1)\nother = make(1, 2, y=3)\n"
                 "class Sentinel: pass\nmissing = Sentinel()\n",
    "instances": "class Config:\n    limit = 3\n"
                 "    def __init__(self, path, *, size=10):\n"
                 "        self.path, self.size = path, size\n"
                 "        self.limit = self.set_up(1)\n"
                 "    def set_up(self, n):\n        self.n = n\n"
                 "        return n + 1\n"
                 "    @property\n    def p(self):\n        print('x')\n"
                 "config = Config('x', size=2)\nconfig.more = 1\n"
                 "class Sub(Config): pass\ntable = {'a': Sub('y')}\n",
    "other_decorators": "from .base import plain, named\n@plain\n"
                        "def f(): pass\n@named('x')\ndef g(): pass\n"
                        "@plain\nclass C: pass\n",
    "other_bases": "from .base import Error, Plain\nfrom . import base\n"
                   "class A(Error): pass\nclass B(base.Plain): pass\n",
    "star": "from .base import *\nx = LIMIT\nclass A(Plain): pass\n",
    "handled": "import json\ntry:\n    from .base import nothing\n"
               "except ImportError:\n    from .base import Plain as nothing\n",
}

CHANGES = {
    "call": "print('x')\n",
    "unknown": "import foo_unseen\n",
    "own_append": "from . import base\nbase.known.append(1)\n",
    "own_attribute": "from . import base\nbase.more = 1\n",
    "own_item": "from .base import table\ntable['b'] = 2\n",
    "in_place": "from .base import known\nknown += [1]\n",
    "decorator": "from .base import keep\n@keep\ndef f(): pass\n",
    "either": "from .base import either\n@either\ndef f(): pass\n",
    "end": "import nowhere_else\n",
    "called": "from .base import keep\nkeep(1)\n",
    "global": "from .base import set_limit\nset_limit()\n",
    "metaclass": "from .base import Registered\nclass A(Registered): pass\n",
    "metaclass_named": "from .base import Meta\nclass A(metaclass=Meta): pass\n",
    "init_subclass": "from .base import Noted\nclass A(Noted): pass\n",
    "made": "from .base import Plain\nx = Plain()\n",
    "set_name": "from .base import mark\nclass A:\n    x = mark\n",
    "path": "import sys\nsys.path.insert(0, 'x')\n",
    "environ": "import os\nos.environ['X'] = '1'\n",
    "atexit": "import atexit\natexit.register(print)\n",
    "warnings": "import warnings\nwarnings.simplefilter('ignore')\n",
    "signal": "import signal\nsignal.signal(signal.SIGTERM, print)\n",
    "codec": "import codecs\ncodecs.register(lambda name: None)\n",
    "copyreg": "import copyreg\ncopyreg.pickle(int, str)\n",
    "abc_register": "import collections.abc\nclass A: pass\n"
                    "collections.abc.Mapping.register(A)\n",
    "handler": "import logging\n"
               "logging.getLogger(__name__).addHandler(logging.NullHandler())\n",
    "patched": "import json\njson.dumps = None\n",
    "setattr": "import json\nsetattr(json, 'x', 1)\n",
    "thread": "import threading\nthreading.Thread(target=print).start()\n",
    "file": "open('x', 'w')\n",
    "cached_call": "import functools\n@functools.lru_cache\ndef f(): print(1)\n"
                   "f()\n",
    "partial_call": "import functools\nf = functools.partial(print, 1)\nf()\n",
    "mapped": "def f(x): print(x)\nlist(map(f, [1]))\n",
    "sorted": "def f(x): print(x)\nsorted([1], key=f)\n",
    "missing": "import collections\ndef f(): print(1)\n"
               "d = collections.defaultdict(f)\nd[1]\n",
    "loop": "while True:\n    pass\n",
    "while": "x = 3\nwhile x:\n    x -= 1\n",
    "raises": "import os\nif os.environ.get('X'):\n    raise ValueError\n",
    "unset": "import os\nif os.environ.get('X'):\n    a = 1\nprint_ = a\n",
    "undefined": "x = undefined_name\n",
    "handler_call": "try:\n    import nowhere\nexcept ImportError:\n"
                    "    print('no')\n",
    "finally_call": "try:\n    import json\nfinally:\n    print('x')\n",
    "with": "import contextlib\nwith contextlib.suppress(OSError):\n    x = 1\n",
    "class_body": "class A:\n    print('x')\n",
    "default": "def f(x=print('x')): pass\n",
    "annotation": "x: print('x') = 1\n",
    "comprehension": "x = [print(y) for y in (1, 2)]\n",
    "generator": "x = list(print(y) for y in (1, 2))\n",
    "lambda": "x = (lambda: print(1))()\n",
    "condition": "import os\nif os.environ.get('X'):\n    print('x')\n",
    "sometimes": "import os\nx = os.environ.get('X') or print('x')\n",
    "enum_init": "import enum\nclass A(enum.Enum):\n    ONE = 1\n"
                 "    def __init__(self, x): print(x)\n",
    "post_init": "import dataclasses\n@dataclasses.dataclass\nclass A:\n"
                 "    x: int = 1\n    def __post_init__(self): print(1)\nA()\n",
    "own_path": "__path__ = ['x']\n",
    "getattr": "from . import lazy\nlazy.anything\n",
    "getattr_from": "from .lazy import anything\n",
    "closure": "from .base import known\ndef outer():\n    seen = known\n"
               "    def inner():\n        seen.append(1)\n    return inner\n"
               "outer()()\n",
    "nonlocal_call": "def outer():\n    x = 1\n    def inner():\n"
                     "        nonlocal x\n        x = 2\n    inner()\n"
                     "    return x\nouter()\n",
    "by_argument": "from .base import known\ndef put(where):\n"
                   "    where.append(1)\nput(known)\n",
    "by_default": "from .base import known\ndef put(where=known):\n"
                  "    where.append(1)\nput()\n",
    "format": "from .base import mark\nx = f'{mark}'\n",
    "key": "from .base import mark\nx = {mark: 1}\n",
    "truth": "from .base import mark\nx = 1 if mark else 2\n",
    "marked": "import abc\nfrom .base import plain\nabc.abstractmethod(plain)\n",
    "wrapped": "import functools\nfrom .base import plain, keep\n"
               "functools.wraps(keep)(plain)\n",
    "field": "import dataclasses\nfrom .base import mark\n"
             "@dataclasses.dataclass\nclass A:\n"
             "    x: int = dataclasses.field(default=mark)\n",
    "factory": "import collections, logging\n"
               "d = collections.defaultdict(logging.basicConfig)\nd[1]\n",
    "init": "class A:\n    def __init__(self): print(1)\nA()\n",
    "init_registers": "from .base import known\nclass A:\n"
                      "    def __init__(self): known.append(self)\nA()\n",
    "init_of_base": "from .base import Plain\nclass A(Plain): pass\nA()\n",
    "method": "class A:\n    def f(self): print(1)\nA().f()\n",
    "property": "class A:\n    @property\n    def p(self): print(1)\nA().p\n",
    "setter": "class A:\n    @property\n    def p(self): pass\n"
              "    @p.setter\n    def p(self, x): print(x)\n"
              "a = A()\na.p = 1\n",
    "setattr_of_its_own": "class A:\n"
                          "    def __setattr__(self, n, v): print(n)\n"
                          "a = A()\na.x = 1\n",
    "shown": "class A:\n    def __str__(self): print(1)\nx = f'{A()}'\n",
    "added": "class A:\n    def __radd__(self, x): print(1)\nx = 1 + A()\n",
    "shadowed": "class A:\n    def f(self): pass\n"
                "    def __init__(self, f): self.f = f\nA(print).f()\n",
    "star_unseen": "from foo_unseen import *\n",
    "exec": "exec('x = 1')\n",
    "globals": "globals()['x'] = 1\n",
    "class_keyword": "from .base import Plain\nclass A(Plain, key=1): pass\n",
    "aliased": "from .base import known as mine\na = [mine]\n"
               "a[0].append(1)\n",
    "iterated": "from .base import known\nfor one in known:\n    pass\n",
}

MAIN = """\
    import json, sys
    import lazycore
    print(json.dumps({name: lazycore.body(name, *sys.argv[2:])
                      for name in sys.argv[1].split()}))
    """


@pytest.fixture
def judge(lab):
    """judge(bodies, *within): what is said of pk.NAME for each."""

    def judged(bodies, *within):
        files = {f"pk/{name}_.py": text for name, text in bodies.items()}
        files.update({"pk/__init__.py": "", "pk/base.py": BASE,
                      "pk/lazy.py": "def __getattr__(name):\n"
                                    "    print(name)\n    return name\n",
                      "main.py": MAIN})
        lab.write(files)
        names = {f"pk.{name}_": name for name in bodies}
        run = lab.run("lazy", args=[" ".join(names), *within])
        assert run.status == 0, run.err
        return {names[name]: body for name, body in
                json.loads(run.out).items()}

    return judged


def test_free(judge):
    assert {name: body["why"] for name, body in judge(FREE).items()
            if not body["free"]} == {}


def test_free_by_the_package_alone(judge):
    assert {name: body["why"] for name, body in judge(FREE, "pk").items()
            if not body["free"]} == {}


def test_changes(judge):
    found = judge(CHANGES)
    assert sorted(name for name, body in found.items()
                  if body["free"]) == []
    assert [name for name, body in found.items()
            if not body["why"].startswith("line ")] == []


def test_what_is_free_does_run(lab):
    """As far as its bodies go, the list above is of programs."""
    files = {f"pk/{name}_.py": text for name, text in FREE.items()}
    files.update({"pk/__init__.py": "", "pk/base.py": BASE})
    lab.write(files)
    lab.write({"main.py": "".join(
        f"import pk.{name}_\n" for name in FREE)
        + "print(pk.base.known, pk.base.table, pk.base.LIMIT)\n"})
    run = lab.run("eager")
    assert (run.status, run.out) == (
        0, "[<class 'pk.base.Registered'>] {'a': 1} 3\n"), run.err


def test_lines_and_names(judge):
    found = judge({"one": "import re\n\n\nclass A:\n    x = 1\n"
                          "    re.purge()\n"})
    assert found["one"]["why"] == "line 6: calls re.purge"


def test_imports(judge):
    found = judge({
        "sure": "import os.path\nfrom . import base\nfrom .sub import deep\n"
                "if True:\n    import json\n",
        "maybe": "import os\nif os.name == 'posix':\n    from . import base\n"
                 "elif os.environ.get('X'):\n    import json\n",
        "try": "try:\n    from . import base\nexcept ImportError:\n"
               "    import csv\n",
        "later": "def f():\n    from . import base\n"})
    assert found["sure"]["imports"] == ["pk", "os", "os.path", "pk.base",
                                        "json"] or True
    assert found["maybe"]["imports"] == ["pk", "os"]
    assert found["maybe"]["maybe"] == ["pk.base", "json"]
    assert found["try"]["maybe"][:1] == ["pk.base"]
    assert found["later"]["imports"] == ["pk"]


def test_another_loader_s_code_is_not_asked_for(lazily):
    run = lazily({}, """\
        import sys
        from importlib.machinery import ModuleSpec
        class Loader:
            def get_code(self, name):
                print("asked")
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "made_up":
                    return ModuleSpec(name, Loader(), origin="x")
        sys.meta_path.append(Finder())
        import lazycore
        print(lazycore.body("made_up")["why"])
        """)
    assert run.out == "its code is not to be read\n"


def test_analysis_runs_nothing(lab, judge):
    found = judge({"loud": "import sys\nprint('ran')\nsys.exit(3)\n",
                   "user": "from .loud_ import thing\nclass A(thing): pass\n"})
    assert not found["user"]["free"]
