"""Bodies that change something where their bytecode hardly shows it: code that
runs later than it stands, names that mean something else by then, callables
handed on. Each was called free once."""
import pytest
from test_bodies import judge  # noqa: F401

OTHERS = {
    "other": """\
import functools, sys, os, dataclasses, enum
known = []
@functools.singledispatch
def fun(x): return x
class Reg:
    items = []
    table = {}
    def f(self): pass
    def add(self): self.items.append(1)
current = ''
def setup():
    global current
    class T:
        def format(self, *a): print('fmt')
        def __bool__(self): print('bool'); return True
    current = T()
@dataclasses.dataclass
class Data:
    x: int
    y: list = dataclasses.field(default_factory=lambda: print('x'))
@dataclasses.dataclass
class Post:
    x: int
    def __post_init__(self): print('post')
class Hook:
    @classmethod
    def __subclasshook__(cls, c): print('x')
""",
    "chosen": """\
__all__ = ['a', '_x', 'id']
a = 1
_x = print
def print(x): return x
def id(x): print(x)
""",
    "dynamic": """\
globals()['len'] = print
""",
    "replaced": """\
import sys
x = 1
class T:
    def __getattr__(self, n): print(n); return 1
sys.modules[__name__] = T()
""",
    "making": """\
import os
s = os.anything if False else 0
t = getattr(os, 'x', 0)
if t: os.anything
def __getattr__(n):
    print(n)
    return 1
""",
}

CHANGES = {
    # Names that mean something else when they are used.
    "gen_late":
        "f = len\ng = (f('x') for _ in (1,))\nf = print\nlist(g)\n",
    "gen_late2":
        "f = len\ng = [(f('x') for _ in (1,))]\nf = print\nlist(g[0])\n",
    "gen_late3":
        "class A:\n    def f(self): pass\na = A()\n"
        "g = (a.f() for _ in (1,))\ndef bad(): print(1)\na.f = bad\nlist(g)\n",
    "star_dyn":
        "from .dynamic import *\nx = len('abc')\n",
    "star_all":
        "from .chosen import *\nprint('hello')\n",
    "star_all_under":
        "_x = len\nfrom .chosen import *\n_x('a')\n",
    "star_in_function":
        "from .chosen import *\ndef f(): return id('x')\nf()\n",
    "global_path":
        "global __path__\n__path__ = ['x']\n",
    "del_path":
        "del __name__\n",
    "rebound":
        "from . import other\nx = other.current.format(1)\n",
    "rebound_bool":
        "from . import other\nif other.current: x = 1\n",
    "repl":
        "from . import replaced\ny = replaced.x\n",
    "repl_from":
        "from .replaced import x\n",
    "lazy2":
        "from .making import anything\n",
    "lazy2b":
        "from . import making\nmaking.anything\n",
    # Members of enumerations, and classes asked what is of them.
    "enum_data":
        "import enum\nfrom .other import Data\nclass E(Data, enum.Enum):\n"
        "    A = 1\n",
    "enum_post":
        "import enum\nfrom .other import Post\nclass E(Post, enum.Enum):\n"
        "    A = 1\n",
    "enum_setattr":
        "import enum\nclass E(enum.Enum):\n"
        "    def __setattr__(self, n, v): print(n); objec"
        "t.__setattr__(self, n, v)\n    A = 1\n",
    "enum_hash":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __hash__(self): print('h'); return 1\nt = {C.RED: 1}\n",
    "enum_str":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __str__(self): print('h'); return ''\nt = f'{C.RED}'\n",
    "enum_str_auto":
        "import enum\nclass C(enum.Enum):\n    RED = enum.auto()\n"
        "    def __str__(self): print('h'); return ''\nt = f'{C.RED}'\n",
    "enum_bool":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __bool__(self): print('h'); return True\nif C.RED: pass\n",
    "enum_or":
        "import enum\nclass C(enum.Flag):\n    RED = 1\n"
        "    def __or__(self, o): print('h'); return self\n"
        "x = C.RED | C.RED\n",
    "enum_iter":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __hash__(self): print('h'); return 1\n"
        "t = {x: 1 for x in C}\n",
    "enum_made":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __hash__(self): print('h'); return 1\nt = {C(1): 1}\n",
    "enum_prop":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n    @property\n"
        "    def p(self): print('h'); return 1\nt = '{0.p}'.format(C.RED)\n",
    "enum_sunder":
        "import enum\nclass C(enum.Flag):\n    RED = 1\n    BLUE = 2\n"
        "    @classmethod\n"
        "    def _missing_(cls, v): print('m'); return cls.RED\n"
        "x = C.RED | C.BLUE\n",
    "enum_mixed":
        "import enum\nclass M(int):\n"
        "    def __hash__(self): print(1); return 1\nclass E(M, enum.Enum):\n"
        "    A = 1\n",
    "subclasshook":
        "import abc\nclass A(abc.ABC):\n    @classmethod\n"
        "    def __subclasshook__(cls, c): print('x')\nissubclass(int, A)\n",
    "subclasshook_inst":
        "import abc\nclass A(abc.ABC):\n    @classmethod\n"
        "    def __subclasshook__(cls, c): print('x')\nisinstance(1, A)\n",
    "proto":
        "import typing\n@typing.runtime_checkable\n"
        "class P(typing.Protocol):\n    def p(self): ...\nclass A:\n"
        "    @property\n    def p(self): print(1)\nisinstance(A(), P)\n",
    "enum_listed":
        "import enum\nclass C(enum.Enum):\n    RED = 1\n"
        "    def __hash__(self): print('h'); return 1\nt = set(C)\n",
    # What the standard library calls.
    "debug": "import re\nre.compile('a', re.DEBUG)\n",
    "stdin": "import sys\nlist(sys.stdin)\n",
    "key_print":
        "sorted([1], key=print)\n",
    "key_spread":
        "d = {'key': print}\nsorted([1], **d)\n",
    "max_key":
        "max([1, 2], key=print)\n",
    "partial":
        "import functools\nf = functools.partial(print, 1)\n"
        "sorted([1], key=f)\n",
    "cmp_key":
        "import functools\ndef c(a, b): print(a); return 0\n"
        "sorted([1, 2], key=functools.cmp_to_key(c))\n",
    "getter_key":
        "import operator\nclass A:\n    @property\n"
        "    def p(self): print(1); return 1\n"
        "sorted([A(), A()], key=operator.attrgetter('p'))\n",
    "methodcaller_key":
        "import operator\nclass A:\n    def p(self): print(1); return 1\n"
        "sorted([A(), A()], key=operator.methodcaller('p'))\n",
    "json_default":
        "import json\njson.dumps([object()], default=print)\n",
    "json_cls":
        "import json\nclass E(json.JSONEncoder):\n"
        "    def default(self, o): print(o); return 1\n"
        "json.dumps(object(), cls=E)\n",
    "json_hook":
        "import json\njson.loads('{}', object_hook=print)\n",
    "re_sub":
        "import re\nre.sub('a', print, 'a')\n",
    "re_sub_method":
        "import re\nre.compile('a').sub(print, 'a')\n",
    "re_sub_inert":
        "import re\nre.sub('a', [print][0], 'a')\n",
    "urlencode":
        "import urllib.parse\n"
        "urllib.parse.urlencode({'a': 'b'}, quote_via=print)\n",
    "indent":
        "import textwrap\ntextwrap.indent('a', 'b', print)\n",
    "format_attr":
        "class A:\n    @property\n    def p(self): print(1)\n"
        "x = '{0.p}'.format(A())\n",
    "format_attr2":
        "class A:\n    @property\n    def p(self): print(1)\n"
        "x = '{0[0].p}'.format([A()])\n",
    "format_str":
        "class A:\n    @property\n    def p(self): print(1)\n"
        "x = str.format('{0.p}', A())\n",
    "format_map":
        "class A:\n    @property\n    def p(self): print(1)\n"
        "x = '{a.p}'.format_map({'a': A()})\n",
    "this":
        "import this\n",
    "coro_close":
        "async def f(): print(1)\nx = f()\n",
    # Classes and instances that change.
    "classprop":
        "class A:\n    @classmethod\n    @property\n"
        "    def p(cls): print(1)\nx = A.p\n",
    "class_store_inherited":
        "class B:\n    def f(self): pass\nclass C(B): pass\nC.f = print\n"
        "C().f()\n",
    "class_store_inherited2":
        "class B:\n    def f(self): pass\ndef bad(s): print(s)\n"
        "class C(B): pass\nC.f = bad\nC().f()\n",
    "class_store_setter":
        "class C: pass\nC.p = property(None, print)\nC().p = 1\n",
    "class_store_branch":
        "import os\nclass C:\n    def f(self): pass\ndef bad(s): print(s)\n"
        "def good(s): pass\nif os.environ.get('X'):\n    C.f = good\nelse:\n"
        "    C.f = bad\nif os.environ.get('X'):\n    C.f = good\nC().f()\n",
    "class_store_branch2":
        "import os\nclass C:\n    def f(self): pass\ndef bad(s): print(s)\n"
        "def good(s): pass\nif not os.environ.get('X'):\n    C.f = bad\n"
        "else:\n    C.f = good\nC().f()\n",
    "shadow_loop":
        "class A:\n    def f(self, *a): pass\na = A()\nfor x in (1, 2):\n"
        "    a.f(1)\n    a.f = print\n",
    "class_store_loop":
        "class A:\n    def f(self, *a): pass\ndef bad(*a): print(a)\n"
        "a = A()\nfor x in (1, 2):\n    a.f(1)\n    A.f = bad\n",
    "raise_class":
        "class E(Exception):\n    def __init__(self): print(1)\ndef f():\n"
        "    try:\n        raise E\n    except E:\n        pass\nf()\n",
    "raise_from":
        "class E(Exception):\n    def __init__(self): print(1)\ndef f():\n"
        "    try:\n        raise ValueError from E\n    except ValueError:\n"
        "        pass\nf()\n",
    # What is another module's.
    "dispatch":
        "from .other import fun\n@fun.register(int)\ndef _(x): pass\n",
    "dispatch2":
        "from . import other\n@other.fun.register(int)\ndef _(x): pass\n",
    "dispatch3":
        "from . import other\ndef f(x): pass\nother.fun.register(int, f)\n",
    "mark_std":
        "import abc, json\nabc.abstractmethod(json.dumps)\n",
    "mark_std2":
        "import typing, json\ntyping.final(json.JSONEncoder)\n",
    "mark_std3":
        "import functools, json\ndef f(): pass\n"
        "functools.wraps(f)(json.dumps)\n",
    "mark_inert":
        "import abc, json\nabc.abstractmethod([json.dumps][0])\n",
    "mark_getattr":
        "import abc, json\nabc.abstractmethod(getattr(json, 'dumps'))\n",
    "inherited_list":
        "from .other import Reg\nclass A(Reg): pass\nA.items.append(1)\n",
    "inherited_dict":
        "from .other import Reg\nclass A(Reg): pass\nA.table['a'] = 1\n",
    "inherited_inst":
        "from .other import Reg\nclass A(Reg):\n"
        "    def __init__(self): self.items.append(1)\nA()\n",
    "inherited_add":
        "from .other import Reg\nclass A(Reg): pass\nA().add()\n",
    "foreign_inst":
        "from .other import Reg\nReg().add()\n",
    "inherited_func":
        "from .other import Reg\nclass A(Reg): pass\nA.f.note = 1\n",
}

FREE = {
    "member": "import enum\nclass A(enum.Enum):\n    X = 1\n"
              "    def f(self): print(self)\n"
              "table = {A.X: 1}\ny = f'{A(1)}'\nz = [a for a in A]\n",
    "key": "a = sorted(['b', 'a'], key=len)\nb = max([1, 2], key=abs)\n"
           "c = sorted('aB', key=str.lower)\n",
    "literal": "import json, re\na = json.dumps({'a': [1]}, indent=2)\n"
               "b = re.sub('a', 'b', 'c', flags=re.I)\n"
               "c = '{0[0]} {x}'.format([1], x='y')\n",
    "asked": "a = isinstance(1, (int, str))\nb = issubclass(bool, int)\n",
    "star": "from .chosen import *\nx = a\n",
    "generator": "x = sum(y for y in (1, 2))\nl = []\n"
                 "l.extend(y for y in 'ab' if y)\n"
                 "z = dict((a, b) for a, b in zip('ab', (c for c in 'de')))\n",
    "inherited": "from .other import Reg\nclass A(Reg):\n    own = []\n"
                 "A.own.append(1)\nlimit = len(A.own)\n",
    "wrapped": "import functools\nclass A:\n    @classmethod\n"
               "    @functools.lru_cache\n    def f(cls): pass\n",
    "raised": "class E(Exception): pass\ndef f():\n    try:\n"
              "        raise E\n    except E:\n        pass\nf()\n",
}


@pytest.fixture
def among(lab, judge):  # noqa: F811
    """among(bodies): what is said of them, the others beside them."""
    lab.write({f"pk/{name}.py": text for name, text in OTHERS.items()})
    return judge


def test_changes(among):
    assert sorted(name for name, body in among(CHANGES).items()
                  if body["free"]) == []


def test_free(among):
    assert {name: body["why"] for name, body in among(FREE).items()
            if not body["free"]} == {}


LONG = {
    "handlers": "".join(f"try:\n    import nowhere{i}\nexcept ImportError:\n"
                        f"    nowhere{i} = None\n" for i in range(1500)),
    "ways": "import os\n" + "".join(
        f"if os.environ.get('X{i}'):\n    x{i} = 1\nelse:\n    x{i} = 2\n"
        for i in range(3000)),
    "handled": "try:\n" + "".join(f"    x{i} = 1\n" for i in range(8000))
               + "except OSError:\n    pass\n",
    "calls": "def f0(): pass\n" + "".join(
        f"def f{i}(): f{i - 1}(); f{i - 1}()\n" for i in range(1, 23))
        + "f22()\n",
}


def test_long_bodies_are_left_alone(among):
    assert [name for name, body in among(LONG).items()
            if not body["why"].endswith("it is too long to be followed")] == []


def test_what_was_put_in_the_place_of_the_standard_library_s(lazily):
    run = lazily({"one.py": "import json\nx = json.dumps([1])\n",
                  "two.py": "import collections\n"
                            "x = collections.deque([1])\n",
                  "three.py": "x = len('x')\n",
                  "four.py": "import json\nx = json.loads('1')\n"}, """\
        import builtins, collections, functools, json
        import lazycore
        names = ("one", "two", "three", "four")
        print([lazycore.body(name)["free"] for name in names])
        old = json.dumps
        @functools.wraps(old)
        def dumps(*args):
            print("dumps")
            return old(*args)
        json.dumps = dumps
        class Deque(collections.deque):
            pass
        collections.deque = Deque
        length = len
        builtins.len = lambda x: length(x)
        print([lazycore.body(name)["free"] for name in names])
        """)
    assert run.out == ("[True, True, True, True]\n"
                       "[False, False, False, True]\n"), run.err


def test_what_was_put_in_the_place_of_a_module_s_own(lazily):
    run = lazily({"base.py": "LIMIT = 1\ndef mark(f): return f\n"
                             "class Base: pass\n",
                  "one.py": "import base\n@base.mark\ndef f(): pass\n",
                  "two.py": "import base\nclass A(base.Base): pass\n",
                  "three.py": "from base import LIMIT\nx = f'{LIMIT}'\n"}, """\
        import base
        import lazycore
        names = ("one", "two", "three")
        print(base.LIMIT, [lazycore.body(name)["free"] for name in names])
        class Other:
            def __init_subclass__(cls): print(cls)
            def __str__(self): print("shown")
        base.mark, base.Base, base.LIMIT = print, Other, Other()
        print([lazycore.body(name)["free"] for name in names])
        """)
    assert run.out == "1 [True, True, True]\n[False, False, False]\n", run.err


def test_names_of_arguments_that_are_none(lazily):
    run = lazily({"one.py": "import json\nx = json.dumps([1], indent=2)\n"}, """\
        import importlib.util, marshal, os
        import lazycore
        code = compile(open("one.py").read(), "one.py", "exec")
        consts = tuple((1,) if const == ("indent",) else const
                       for const in code.co_consts)
        path = importlib.util.cache_from_source("one.py")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(importlib.util.MAGIC_NUMBER + b"\\1\\0\\0\\0" + b"\\0" * 8
                       + marshal.dumps(code.replace(co_consts=consts)))
        print(consts != code.co_consts, lazycore.body("one")["free"])
        """)
    assert run.out == "True False\n"
