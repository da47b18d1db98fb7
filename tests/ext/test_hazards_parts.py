"""ENGINE, hazards: parts of a remedy that another part stands in for where a
program is simple. Each test was seen to fail with its part off.

Leaves the rows themselves to test_hazards_of_names.py and
test_hazards_at_run_time.py. The docstring of a test names its row.
"""

import pytest

DEP = {"dep.py": "value = 'dep'\nother = 'other'\n"}


@pytest.mark.parametrize("store", [
    "dep = 1", "del dep", "class dep:\n    pass", "def dep():\n    pass",
    "for dep in range(2):\n    pass", "(dep := 1)", "dep, x = 1, 2",
    "import sys as dep", "with open(__file__) as dep:\n    pass",
    "try:\n    raise ValueError\nexcept ValueError as dep:\n    pass"])
def test_row_stores_where_nothing_says_global(both, store):
    """Row 1: STORE_NAME and DELETE_NAME load nothing. (With `global dep`
    anywhere in the file, the module's own body has STORE_GLOBAL.)"""
    run = both(DEP, f"import dep\ndef use():\n    return dep\n{store}\n")
    assert not run.loaded("dep")


@pytest.mark.parametrize("store", [
    "user.dep = 1", "del user.dep", "user.dep, user.value = 1, 2"])
def test_row_stores_of_an_attribute(both, store):
    """Row 1: neither do STORE_ATTR and DELETE_ATTR of the module."""
    run = both({**DEP, "user.py": "import dep\nfrom dep import value\n"
                "def use():\n    return dep, value\n"},
               f"import user\nuser.use\n{store}\n"
               "print(type(getattr(user, 'dep', None)).__name__)\n")
    assert not run.loaded("dep")


def test_row_stores_of_the_same_name_elsewhere(both):
    """Row 1: a store under the same name into another namespace is none into
    this one, which stays pending."""
    both({**DEP, "user.py": "from dep import value\n"
          "def use():\n    return value\n"}, """\
        import user
        def main():
            space = user.__dict__.copy()
            exec("value = 1", space)
            print(space["value"], user.use(), type(user.use()).__name__)
        main()
        """)


def test_row_stores_of_another_name(both):
    """Row 1: a store that itself looks up a pending name is none of that
    name, which loads."""
    both({**DEP, "user.py": "import sys, types\nimport dep\n"
          "class Module(types.ModuleType):\n"
          "    look_up = property(None, getattr)\n"
          "def use():\n    return dep\n"
          "sys.modules[__name__].__class__ = Module\n"}, """\
        import user
        def main():
            user.look_up = "dep"
            print(type(user.use()).__name__)
        main()
        """)


@pytest.mark.parametrize("statement, use", [
    ("import dep", "dep.seen"), ("import dep as name", "name.seen"),
    ("from dep import seen", "seen")])
def test_row_a_name_is_not_there_while_it_loads(both, statement, use):
    """Row 2: while it is resolved, a key is invisible to its own thread: to
    the code that it loads, as in eager code, where the store comes after."""
    name = use.split(".")[0]
    both({"dep.py": f"import user\nseen = hasattr(user, {name!r})\n",
          "user.py": f"{statement}\ndef use():\n    return {use}\n"},
         "import user\nprint(user.use())\n")


def test_row_submodule_is_not_there_for_its_own_body(both):
    """Row 2: importlib binds a submodule when its body has run, and until
    then the pending name that is published for it is not there."""
    both({"pk/__init__.py": "", "pk/sub.py": "import pk\n"
          "seen = hasattr(pk, 'sub')\n",
          "user.py": "from pk.sub import seen\nimport pk.sub\n"
                     "def use():\n    return seen, pk.sub.seen\n"},
         "import user\nprint(user.use())\n")


LISTING = """\
import inspect, pk
def names():
    members = [k for k, v in inspect.getmembers(pk) if k[0] != "_"]
    return members, [name for name in dir(pk) if name[0] != "_"]
"""


@pytest.mark.parametrize("statement, use", [
    ("from pk import sub", "sub.seen"), ("import pk.sub", "pk.sub.seen"),
    ("from pk.sub import seen", "seen"), ("import pk.sub as sub", "sub.seen")])
def test_row_dir_of_a_package_in_its_submodule_s_body(both, statement, use):
    """Row 2: nor does dir() of the package list it there, in the body or in
    one that this imports: whoever lists a package uses all that he finds."""
    both({"pk/__init__.py": "x = 1\n", "listing.py": LISTING,
          "pk/below.py": "import listing\nseen = listing.names()\n",
          "pk/sub.py": "import listing\nfrom pk import below\n"
                       "seen = below.seen, listing.names()\n"}, f"""\
        {statement}
        import listing
        def main():
            print({use})
            print(listing.names())
        main()
        """)


@pytest.mark.parametrize("statement, use", [
    ("from pk import sub", "sub.names"), ("import pk.sub", "pk.sub.names"),
    ("from pk.sub import names", "names"), ("from pk import last, sub",
                                            "sub.names")])
def test_row_star_import_of_a_package_in_its_submodule_s_body(both, statement,
                                                              use):
    """Nor does it get the submodule from `from . import *`."""
    both({"pk/__init__.py": "from .first import x\n"
          "def use():\n    return x\n",
          "pk/first.py": "x = 1\n", "pk/last.py": "",
          "pk/sub.py": "from . import *\n"
          "names = [name for name in globals() if name[:2] != '__']\n"}, f"""\
        {statement}
        def main():
            print({use})
        main()
        """)


PARTS = {"a/__init__.py": "parts = []\n",
         "a/b.py": "import a\na.parts.append('b')\n",
         "a/d.py": "import a\na.parts.append('d')\n"}


@pytest.mark.parametrize("statements", [
    "import a.b", "import a.b\nimport a.d", "import a\nimport a.b",
    "import a.d\nimport a\nimport a.b"])
def test_row_import_a_b_runs_b_for_a(both, statements):
    """Row 4: who uses `a` of `import a.b` alone has a.b run, and those of
    further statements."""
    both({**PARTS, "user.py": statements + "\ndef use():\n    return a\n"},
         "import user\nprint(sorted(user.use().parts))\n")


def test_row_submodule_over_a_name_that_fails(lazily):
    """Row 3: importlib's own store of a submodule looks no pending name up:
    one that cannot be had does not make the submodule's import fail."""
    run = lazily({"pk/__init__.py": "from .other import missing as sub\n"
                  "def use():\n    return sub\n",
                  "pk/other.py": "", "pk/sub.py": "value = 1\n"}, """\
        import importlib
        def main():
            module = importlib.import_module("pk.sub")
            import pk
            print(module.value, pk.sub is module, pk.use() is module)
        main()
        """, levels={"pk": "full"})
    assert run.out == "1 True True\n"


def test_vars_in_a_function_loads_nothing(both):
    """DESIGN 4.3, last row: vars() of a function holds no module's names."""
    run = both(DEP, """\
        import dep
        def main():
            x = 1
            print(vars())
        def use():
            return dep
        main()
        """)
    assert run.pending == ["dep"]


def test_row_star_import_of_keys_that_are_done(both):
    """Row 6: a namespace that could not be rebuilt, for a key that is no
    exact str, still hands no key of ours to the importer."""
    both({**DEP, "base.py": "import sys\nfrom dep import value, other\n"
          "class Text(str):\n    pass\n"
          "sys.modules[__name__].__dict__[Text('extra')] = 1\n"
          "def use():\n    return value, other\n",
          "star.py": "from base import *\n"}, """\
        import base
        def main():
            base.use()
            import star
            print("LazyKey" in [type(name).__name__ for name in star.__dict__],
                  star.value, star.extra)
        main()
        """)


@pytest.mark.parametrize("strange", [
    "sys.modules[__name__] = Thing()", "sys.modules[__name__] = Thing",
    "value = 'dict'\nsys.modules[__name__].__class__ = Sub"])
def test_row_names_of_a_strange_module_that_has_loaded(both, strange):
    """Row 8: what a later statement takes from an entry of sys.modules that
    is no plain module is what its attributes say, not its dict."""
    both({"strange.py": f"""\
import sys, types
class Thing:
    value = "thing"
class Sub(types.ModuleType):
    value = property(lambda self: "property")
{strange}
""", "user.py": "from strange import value\ndef use():\n    return value\n"},
         """\
        import importlib
        def main():
            importlib.import_module("strange")
            print(importlib.import_module("user").use())
        main()
        """)


def test_row_exec_under_the_name_of_a_module(both):
    """Row 10: globals that only say the name of a module are not its own."""
    both(DEP, """\
        def main():
            import sys
            space = {"__name__": "__main__"}
            exec("import dep\\ndef f():\\n    return dep\\n", space)
            print("dep" in sys.modules, type(space.copy()["dep"]).__name__)
        main()
        """)


def test_row_import_fresh_module_finishes(both):
    """Row 13: what test.support, ignored from the start, loads by a call
    has loaded what it imports before sys.modules is put back."""
    both({"test/__init__.py": "", "test/support/__init__.py": """\
        import sys
        def fresh(name):
            saved = dict(sys.modules)
            module = __import__(name)
            return module, sorted(set(sys.modules) - set(saved))
        """, "dep.py": "import deep\ndef f():\n    return deep\n",
          "deep.py": ""}, """\
        from test.support import fresh
        def main():
            print("deep" in fresh("dep")[1])
        main()
        """)


@pytest.mark.parametrize("place", [
    "keep.cycle = keep", "keep.cycle = [keep]"])
def test_row_shutdown_finds_what_a_finalizer_uses(both, place):
    """Row 15: a __del__ that runs when the interpreter ends has the names
    that were still pending, those of functions that it calls as well."""
    run = both(DEP, f"""\
import dep
from dep import other
class Last:
    def __del__(self, text=print):
        text(dep.value, called())
def called():
    return other
keep = Last()
{place}
""")
    assert run.out == "dep other\n"


@pytest.mark.parametrize("copied", [
    "pickle.loads(pickle.dumps(names))", "copy.deepcopy(names)",
    "[copy.copy(name) for name in names]"])
def test_row_pickle_of_a_key(both, copied):
    """Row 16: a pickle or copy of a pending name's key is a plain str."""
    run = both({**DEP, "user.py": "import dep\ndef use():\n    return dep\n"},
               f"""\
        import copy, pickle
        import user
        def main():
            user.use
            names = list(user.__dict__)
            print(sorted({{type(name).__name__ for name in {copied}}}))
        main()
        """)
    assert not run.loaded("dep")


@pytest.mark.parametrize("name", ["C", "f", "table", "number"])
def test_row_pickle_of_a_proxy(both, name):
    """Row 16: a proxy that got out is pickled and copied as its value."""
    both({"dep.py": "class C:\n    pass\ndef f():\n    pass\n"
          "table = [[1]]\nnumber = 2.5\n",
          "user.py": f"from dep import {name} as it\n"
                     "def use():\n    return it\n"}, """\
        import copy, pickle
        import user
        def main():
            user.use
            names = user.__dict__
            [held] = [value for key, value in zip(names, dict.values(names))
                      if str(key) == "it"]
            text = pickle.dumps(held)
            copies = [pickle.loads(text), copy.copy(held),
                      copy.deepcopy(held)]
            real = user.use()
            print([(it is real, it == real, type(it).__name__)
                   for it in copies])
            if name == "table":
                print([it[0] is real[0] for it in copies])
        name = NAME
        main()
        """.replace("NAME", repr(name)))


def test_re_export_is_bound_before_it_is_patched(both):
    """DESIGN 4.2: a name that waits for a re-export goes on waiting for what
    that waits for, and is bound before the re-export is patched."""
    both({"base.py": "def f():\n    return 'original'\n",
          "middle.py": "from base import f\n__all__ = ['f']\n",
          "user.py": "from middle import f\ndef call():\n    return f()\n"},
         """\
        import user
        import middle
        def main():
            user.call
            middle.f
            middle.f = lambda: "patched"
            print(user.call(), middle.f())
        main()
        """)


def test_what_is_loaded_for_finalizers_registers_with_atexit(both):
    """Row 15: what a __del__ needs is loaded when atexit's callbacks run, and
    what registers then is not called by atexit; eagerly it was there first.
    """
    both({"lib.py": """\
        import atexit
        atexit.register(print, "bye from lib")
        def close():
            print("closed")
        """, "user.py": """\
        import lib
        class Finalized:
            def __del__(self):
                lib.close()
        """}, """\
        import user
        finalized = user.Finalized()
        print("end")
        """)
