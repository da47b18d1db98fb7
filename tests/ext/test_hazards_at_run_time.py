"""ENGINE, "Hazards, and the remedy that held": rows 9 to 16, on programs.

The docstring of a test names its row.
"""

import pytest

DEP = {"dep.py": "value = 'dep'\nother = 'other'\n"}


def test_row_namespace_iterated_while_loading(both):
    """Row 9: namespace iterated while loading (sqlalchemy)."""
    both({**DEP, "models.py": """\
        import sys
        from dep import value, other
        import dep
        found = sorted(n for n, v in globals().items() if n[0] != "_")
        kinds = sorted({type(v).__name__ for v in list(vars().values())})
        def f():
            return value, other, dep, sys
        """}, """\
        import models
        def main():
            print(models.found, models.kinds)
        main()
        """)


@pytest.mark.parametrize("run", [
    "exec(code, {})", "exec(code, {'__name__': 'x'})", "exec(code)",
    "exec(code, globals())", "exec(code, {'__name__': '__main__'})",
    "exec(code, globals(), {})", "exec(code, {}, globals())",
    "eval(compile(code, 'x', 'exec'), {'__builtins__': __builtins__})",
])
def test_row_exec_with_custom_globals(both, run):
    """Row 10: exec with custom globals is eager unless globals is the dict of
    sys.modules[__name__]."""
    both(DEP, f"""\
        code = '''
        import dep
        from dep import value
        def f():
            return dep, value
        print(type(locals().get("dep", 0)).__name__, value)
        print("dep" in __import__("sys").modules)
        '''.replace("\\n        ", "\\n")
        {run}
        """)


def test_row_exec_in_module_dict(both):
    """Row 10: exec in the module's own dict is as lazy as the module."""
    run = both(DEP, """\
        exec("import dep\\ndef f():\\n    return dep\\n")
        """)
    assert run.state("dep") == "proxy"


@pytest.mark.parametrize("probe", [
    "hasattr(user, 'dep')", "'dep' in vars(user)", "getattr(user, 'dep', 3)",
    "user.__dict__.get('dep')", "dict.__contains__(user.__dict__, 'dep')"])
def test_row_probes_let_the_late_error_through(lazily, probe):
    """Row 11: hasattr, in, getattr with default: the late ImportError comes
    through; the name stays retryable."""
    lazily({"dep.py": "raise ImportError('late')\n",
            "user.py": "import dep\ndef f():\n    return dep\n"}, f"""\
        import user
        import lazycore
        def main():
            for i in range(2):
                try:
                    {probe}
                except ImportError as error:
                    assert str(error) == "late"
                else:
                    raise AssertionError("swallowed")
                assert lazycore.pending(user) == ["dep"]
        main()
        """.replace("vars(user)", "user.__dict__"))


@pytest.mark.parametrize("a, b", [
    ("import b\nx = 1\ndef f():\n    return b.y",
     "import a\ny = 2\ndef g():\n    return a.x"),
    ("from b import y\nx = 1\ndef f():\n    return y",
     "import a\ny = 2\ndef g():\n    return a.x"),
    ("import b\nx = b.y\ndef f():\n    return x",
     "import a\ny = 2\ndef g():\n    return a.x"),
    ("import b\nx = 1\nz = b.g\ndef f():\n    return z()",
     "import a\ndef g():\n    return a.x"),
    ("x = 1\nfrom b import g\ndef f():\n    return g()",
     "from a import x\ndef g():\n    return x"),
])
def test_row_circular_imports(both, a, b):
    """Row 12: circular imports that eager code accepts."""
    both({"a.py": a + "\n", "b.py": b + "\n"},
         "import a\nimport b\nprint(a.f(), b.g())\n")


@pytest.mark.parametrize("level", ["outer", "full"])
def test_row_circular_imports_in_a_package(both, level):
    """Row 12: the same in a package, with relative imports."""
    both({"pk/__init__.py": "from .a import A\nfrom .b import B\n"
                            "__all__ = ['A', 'B']\n",
          "pk/a.py": "from . import b\nclass A:\n    def f(self):\n"
                     "        return b.B\n",
          "pk/b.py": "from pk import a\nimport pk.a as c\nclass B:\n"
                     "    def f(self):\n        return a.A, c.A\n"},
         "from pk import A, B\nprint(A().f(), B().f())\n",
         levels={"pk": level})


def test_row_a_cycle_that_is_an_error_when_it_loads(both):
    """Row 12: a cycle that needs what is not there yet fails as eager code
    does, when both ends run."""
    both({"a.py": "import b\nx = b.y\n", "b.py": "from a import x\ny = x\n"},
         """\
        def main():
            try:
                import a
            except ImportError as error:
                print(str(error).split(" (")[0])
        main()
        """)


def test_row_import_fresh_module(both):
    """Row 13: surgery on sys.modules: test.support is ignored from the
    start."""
    run = both({"dep.py": "value = []\n"}, """\
        import sys
        def fresh(name):
            saved = sys.modules.pop(name, None)
            try:
                return __import__(name)
            finally:
                if saved is not None:
                    sys.modules[name] = saved
        import dep
        def main():
            first = dep
            second = fresh("dep")
            print(first is second, first is sys.modules.get("dep"), first is dep)
        main()
        """)
    assert run.state("dep") == "real"


def test_selectors_keeps_what_select_had(both):
    """As eager code has it, which imports selectors with socket; gevent asks
    whether it has kept the function written in C."""
    run = both({}, """\
        import select
        import socket
        def replace():
            global kept
            kept, select.select = select.select, lambda *args: "replaced"
        socket.AF_UNIX
        replace()
        def main():
            import selectors
            print(selectors.SelectSelector._select is kept)
            print(selectors.SelectSelector().select(0))
        main()
        """)
    assert run.out == "True\n[]\n"


SURGEON = """\
    import importlib
    import sys
    def take(name):
        return {each: sys.modules.pop(each) for each in list(sys.modules)
                if each.partition(".")[0] in (name, "blocked")}
    def fresh(name):
        saved = take(name)
        sys.modules["blocked"] = None
        try:
            return importlib.import_module(name)
        finally:
            take(name)
            sys.modules.update(saved)
    def load(name):
        return importlib.import_module(name)
    """


def test_a_fresh_copy_is_for_its_maker(both):
    """Row 13: what a statement named before is not the copy that an ignored
    package makes for itself, nor are names pending within the package."""
    both({"surgeon.py": SURGEON, "blocked.py": "", "dep/__init__.py": """\
        from dep.kinds import KIND
        def kind():
            return KIND
        """, "dep/kinds.py": """\
        try:
            import blocked
        except ImportError:
            KIND = "plain"
        else:
            KIND = "fast"
        """}, """\
        import dep
        from dep import kind
        import dep.kinds
        import surgeon
        def main():
            copies = [surgeon.fresh("dep") for _ in range(2)]
            import sys
            print([copy.kind() for copy in copies], copies[0] is copies[1])
            print(kind(), dep.kind(), dep.kinds.KIND)
            print(dep is sys.modules["dep"], dep in copies, kind is dep.kind)
            print(dep.kinds is sys.modules["dep.kinds"])
            print(surgeon.load("dep") is dep)
        main()
        """, ignore=["package=surgeon"], levels={"dep": "full"})


def test_a_fresh_copy_has_its_own_submodules(both):
    """Row 13: also where the original shows one that is still pending."""
    both({"surgeon.py": SURGEON, "blocked.py": "",
          "user.py": "from dep import kinds\ndef f():\n    return kinds\n",
          "dep/__init__.py": "from dep.kinds import KIND\nvalue = 1\n"
                             "def kind():\n    return KIND\n",
          "dep/kinds.py": "KIND = ['kind']\n"}, """\
        import dep
        import user
        import surgeon
        def main():
            dep.value, user.f
            copy = surgeon.fresh("dep")
            print(hasattr(copy, "kinds"), copy.kind() is dep.kind())
            print(user.f() is dep.kinds, dep.kind() is dep.kinds.KIND)
        main()
        """, ignore=["package=surgeon"], levels={"dep": "full"})


def test_names_are_bound_by_an_ignored_package_that_makes_no_copy(both):
    """4.2: also by what a copy imports of other packages."""
    both({"surgeon.py": SURGEON, "blocked.py": "",
          "base.py": "def f():\n    return 'original'\n",
          "other.py": "def f():\n    return 'original'\n",
          "dep.py": "import base\nbase.f\n",
          "user.py": "from base import f\nfrom other import f as g\n"
                     "def call():\n    return f(), g()\n"}, """\
        import sys
        import surgeon
        import user
        def main():
            user.call
            surgeon.fresh("dep")
            surgeon.load("other")
            for name in "base", "other":
                sys.modules[name].f = lambda: "patched"
            print(user.call())
        main()
        """, ignore=["package=surgeon"])


def test_row_subinterpreters_are_refused(lazily, version):
    """Row 14: a subinterpreter is refused with a clear error."""
    name = "_interpreters" if version >= (3, 13) else "_xxsubinterpreters"
    run = lazily({}, f"""\
        import {name} as interpreters
        code = '''
        try:
            import lazycore
        except ImportError as error:
            text = str(error)
        else:
            text = "accepted"
        with open("answer", "w") as file:
            file.write(text)
        '''.replace("\\n        ", "\\n")
        def main():
            i = interpreters.create()
            try:
                interpreters.run_string(i, code)
            finally:
                interpreters.destroy(i)
            print(open("answer").read())
        main()
        """)
    assert run.out != "accepted\n"
    assert "interpreter" in run.out


@pytest.mark.parametrize("place", [
    "atexit.register(lambda: print(dep.value))",
    "atexit.register(print, 'end')",
    "sys.holder = Last()",
    "class Cycle: pass\nc = Cycle()\nc.c, c.d = c, Last()",
    "import threading\nthreading.Thread(target=lambda: print(dep.value)"
    ").start()",
    "sys.exit(4)",
])
def test_row_interpreter_shutdown(lab, place):
    """Row 15: atexit, __del__ at shutdown: neither crash nor hang; atexit
    still loads."""
    lab.write({**DEP, "main.py": f"""\
import atexit, sys
import dep
from dep import other
class Last:
    def __del__(self):
        try:
            dep, other
        except BaseException:
            pass
keep = Last()
{place}
"""})
    eager, lazy = lab.run("eager"), lab.run("lazy")
    assert (lazy.out, lazy.status) == (eager.out, eager.status), lazy.err
    assert lazy.err == eager.err


@pytest.mark.parametrize("program", [
    "import pickle, dep\nprint(pickle.loads(pickle.dumps(dep.C(3))).x)\n",
    "import pickle\nfrom dep import C\nprint(pickle.loads(pickle.dumps(C)).x)",
    "import copy, dep\nprint(copy.deepcopy(dep.C(3)).x, copy.copy(dep.C).x)",
    "import doctest, dep\nprint(doctest.testmod(dep))",
    "import dep\ndel dep\nprint('dep' in globals())",
    "from unittest import mock\nimport dep\n"
    "with mock.patch('dep.f', lambda: 'mocked'):\n    print(dep.f())\n"
    "print(dep.f())",
    "from unittest import mock\nimport user\n"
    "with mock.patch.object(user, 'f', lambda: 'mocked'):\n"
    "    print(user.g())\nprint(user.g())",
    "from unittest import mock\nimport user\n"
    "with mock.patch('user.dep') as d:\n"
    "    d.f.return_value = 'm'\n    print(user.h())\nprint(user.h())",
    "from unittest import mock\nimport user\n"
    "with mock.patch.dict('user.__dict__', f=lambda: 'mocked'):\n"
    "    print(user.g())\nprint(user.g())",
    "import importlib, user\nprint(user.g())\nimportlib.reload(user)\n"
    "print(user.g(), importlib.reload(user.dep).f())",
    "import os, dep\npid = os.fork()\nif pid == 0:\n    print(dep.f())\n"
    "    import sys\n    sys.stdout.flush()\n    os._exit(0)\n"
    "os.waitpid(pid, 0)\nprint(dep.f())",
    "import shelve, dep, tempfile, os\nfolder = tempfile.mkdtemp()\n"
    "with shelve.open(os.path.join(folder, 's')) as s:\n"
    "    s['a'] = dep.C(2)\n    print(s['a'].x)",
])
def test_row_pickle_doctest_mock_del_reload_fork(both, program):
    """Row 16: pickle, doctest, mock.patch, del, reload, fork."""
    both({"dep.py": '''\
        """Doc.

        >>> f()
        'dep'
        >>> C(1).x
        1
        """
        class C:
            x = 0
            def __init__(self, x):
                self.x = x
        def f():
            return "dep"
        ''', "user.py": "import dep\nfrom dep import f\ndef g():\n"
                        "    return f()\ndef h():\n    return dep.f()\n"},
         program + "\n")
