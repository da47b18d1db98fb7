"""What a reader of the engine set out to break: each program once failed.

Responsible for places where a proxy, a key or an exception met something
that the engine's own parts do not think of: type dicts, greenlets, Python
code that runs below a comparison. Leaves the rules and tables to the others.
"""

import os
import subprocess

import pytest
from conftest import interpreter

DEP = """\
X = 1
class C: pass
def f(): return "f"
"""


def test_star_import_of_itself_keeps_names_pending(both):
    """`from p import *` in p itself stores what is pending as it was."""
    files = {"p/__init__.py": """\
        import json
        from dep import C
        from p import *
        def use(): return json, C
        """, "dep.py": DEP}
    both(files, """\
        import p
        print(type(p.json).__name__, type(p.C).__name__)
        print(type(p.__dict__["json"]).__name__)
        """)


def test_star_import_replaces_a_pending_name(both):
    """A star import over a pending name leaves the star's value."""
    files = {"dep.py": DEP, "star.py": "X = 2\ndef use(): return X\n"}
    both(files, """\
        from dep import X, C
        from star import *
        def use_all(): return X, C
        print(X, C.__name__)
        """)


def test_injection_tells_the_type_whose_attribute_it_replaces(both):
    """A class attribute is cached by its type: replaced behind the type's
    back, the caches would keep a dead proxy."""
    files = {"dep.py": DEP, "m.py": """\
        import dep
        import json
        from dep import f
        def use(): return dep, json, f
        """}
    both(files, """\
        import gc
        import m
        NS = type("NS", (), {})
        names = m.__dict__
        for name, value in list(names.items()):
            if name[:2] != "__":
                setattr(NS, "a_" + name, value)
        del name, value
        def read(): return NS.a_json
        def call(): return NS.a_f()
        for _ in range(50):
            read()
        read().dumps
        call()
        gc.collect()
        fill = [str(i) * 5 for i in range(1000)]
        for _ in range(50):
            read(), call()
        print(type(read()).__name__, read().__name__, call())
        """)


def test_injection_lets_keys_with_code_look_names_up(both):
    """A dict's keys may run Python code when a value is put in its place."""
    files = {"dep.py": DEP, "m.py": "import dep\ndef use(): return dep\n",
             "late.py": DEP, "k.py": """\
        import late
        seen = []
        class Key:
            def __hash__(self):
                seen.append(type(late).__name__ if ready else "")
                return 1
        ready = False
        """}
    both(files, """\
        import k
        import m
        names = m.__dict__
        held = {k.Key(): value for name, value in list(names.items())
                if str(name) == "dep"}
        k.ready = True
        for value in held.values():
            print(value.X)
        hash(k.Key())
        print(set(k.seen) - {""})
        """)


def test_a_finder_loads_what_the_statement_has_found(both):
    """`from p import s1, s2`: looking for s2, a finder imports s1, whose
    proxy is there but not yet stored."""
    files = {"p/__init__.py": "", "p/s1.py": "", "p/s2.py": "",
             "finder.py": """\
        import importlib
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "p.s2":
                    importlib.import_module("p.s1")
                return None
        sys.meta_path.insert(1, Finder())
        """, "user.py": "from p import s1, s2\ndef use(): return s1, s2\n"}
    both(files, """\
        import p
        p.__name__
        import finder
        finder.Finder
        import user
        print([type(value).__name__ for value in user.use()])
        """)


def test_interrupt_below_a_missing_attribute(lazily):
    """An interrupt while a foreseen submodule loads is no AttributeError."""
    files = {"p/__init__.py": "", "p/s.py": "raise KeyboardInterrupt\n",
             "user.py": "import p.s\ndef use(): return p.s\n",
             "outer.py": "import user\ndef use(): return user\n"}
    run = lazily(files, """\
        import p
        import outer
        def use(): return outer
        try:
            print(hasattr(p, "s"))
        except KeyboardInterrupt:
            print("interrupted")
        """)
    assert run.out == "interrupted\n"


def test_a_subinterpreter_is_left_alone(both):
    """What the main interpreter has pending is not supplied to another."""
    files = {"p/__init__.py": "", "p/s.py": "X = 1\n",
             "user.py": "import p.s\ndef use(): return p.s\n"}
    both(files, """\
        import user
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        other = interpreters.create()
        interpreters.run_string(other, "if 1:\\n"
            "    import sys\\n"
            "    sys.path.insert(0, '')\\n"
            "    import p\\n"
            "    print(hasattr(p, 's'), flush=True)\\n")
        interpreters.destroy(other)
        print(user.use().X)
        """)


@pytest.mark.parametrize("uses", ["", "def use(): return plug\nuse().X\n"])
def test_a_module_that_failed_is_searched_for_again(both, uses):
    """What was found is kept for a module that waits, not for one that
    failed: the next import statement looks where eager code looks."""
    files = {"a/plug.py": "raise ImportError('no')\n", "b/plug.py": "X = 1\n",
             "outer.py": "import plug\n" + uses}
    both(files, """\
        import sys
        def attempt():
            try:
                import outer
                return sys.modules["plug"].X
            except ImportError as error:
                return str(error)
        sys.path.insert(0, "a")
        print(attempt())
        sys.path[0] = "b"
        sys.modules.pop("outer", None)
        print(attempt())
        """)


def test_a_pending_name_waits_on_after_its_module_failed(both):
    """A name that waits for a module whose load failed gets the value of the
    next load, whoever asks for it."""
    files = {"dep.py": """\
        import sys
        if not hasattr(sys, "fixed"):
            raise ValueError("not yet")
        X = 1
        """, "user.py": "from dep import X\ndef use(): return X\n"}
    run = both(files, """\
        import sys
        try:
            import dep
        except ValueError as error:
            print(error)
        sys.fixed = True
        import user
        print(user.use())
        import dep
        dep.X = 2
        print(user.use(), dep.X)
        """)
    assert run.out == "not yet\n1\n1 2\n"


def test_a_proxy_under_its_own_name_in_sys_modules(both):
    """It must not be taken for the module that it waits for."""
    files = {"dep.py": DEP, "m.py": "import dep\ndef use(): return dep\n"}
    both(files, """\
        import sys
        import m
        names = m.__dict__
        for name, value in list(names.items()):
            if str(name) == "dep":
                sys.modules["dep"] = value
        print(m.use().X, sys.modules["dep"].X)
        """)


def test_a_statement_does_not_wait_for_another_thread(lazily):
    """A module that another thread is loading is pending; only its use
    waits."""
    files = {"slow.py": """\
        import sys
        sys.started.set()
        assert sys.go.wait(20), "the statement waited"
        X = 1
        """, "user.py": """\
        import slow
        import slow as other
        from slow import X
        def use(): return slow.X, other.X, X
        """}
    run = lazily(files, """\
        import sys
        import threading
        sys.started, sys.go = threading.Event(), threading.Event()
        def load():
            import slow
        def use():
            import user
            sys.go.set()
            return user.use()
        thread = threading.Thread(target=load)
        thread.start()
        sys.started.wait()
        print(use())
        thread.join()
        """)
    assert run.out == "(1, 1, 1)\n"


@pytest.mark.parametrize("statement, use", [
    ("import p.s", "p"), ("import p.s as q", "q"), ("from p.s import V", "V")])
def test_a_package_that_another_thread_is_loading(lazily, statement, use):
    """`import p.s` waits for the end of p, not only of p.s, which p imports
    half-way: no other thread sees the half."""
    files = {"p/__init__.py": """\
        import sys
        sys.started.set()
        assert sys.go.wait(20), "the statement waited"
        from p.s import V
        W = V
        sys.half.set()
        assert sys.finish.wait(20), "nobody let it finish"
        LATER = 1
        """, "p/s.py": "V = 1\n",
             "user.py": f"{statement}\ndef use(): return {use}\n"}
    run = lazily(files, f"""\
        import sys
        import threading
        import lazycore
        def events():
            for name in "started go half finish".split():
                setattr(sys, name, threading.Event())
        def load():
            import p
        def check():
            thread = threading.Thread(target=load)
            thread.start()
            sys.started.wait()
            import user
            sys.go.set()
            sys.half.wait()
            half = {use!r} != "p" or lazycore.pending(user) == ["p"]
            sys.finish.set()
            thread.join()
            value = user.use()
            return half, getattr(value, "LATER", None), lazycore.pending(user)
        events()
        print(check())
        """)
    later = 1 if use == "p" else None
    assert run.out == f"(True, {later}, [])\n"


def test_submodule_found_at_load_keeps_its_statement(both):
    """`from p import s`: s turns out a submodule when p loads, in another
    statement's time; what is shown is still the statement that named it."""
    files = {"p/__init__.py": "A = 1\n", "p/s.py": "",
             "other.py": "import p\nprint(p.A)\n"}
    run = both(files, """\
        from p import A
        from p import s
        def use(): return s
        print(A)
        """)
    shown = run.show("p.s")
    assert shown["state"] == "proxy"
    assert shown["statement_file"].endswith("main.py")
    assert shown["statement_line"] == 2


def test_greenlet_meets_a_load_that_waits(both):
    """Another greenlet of the same thread waits for the module; only the
    code that the load itself runs does not see the name."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("greenlets copy stacks, which AddressSanitizer refuses")
    if subprocess.run([interpreter(), "-c", "import gevent"],
                      capture_output=True).returncode != 0:
        pytest.skip("the interpreter under test has no gevent")
    files = {"slow.py": "import gevent\ngevent.sleep(0.01)\nX = 1\n",
             "work.py": """\
        import gevent
        import slow
        from slow import X
        def by_module(): return slow.X
        def by_name(): return X
        def go():
            jobs = [gevent.spawn(job) for job in [by_module, by_name] * 3]
            gevent.joinall(jobs)
            print([job.value for job in jobs])
        """}
    both(files, """\
        import gevent.monkey
        gevent.monkey.patch_all()
        import work
        work.go()
        """, packages=True)


@pytest.mark.parametrize("level", ["outer", "full"])
@pytest.mark.parametrize("statement", [
    "from pk.sub import value", "import pk.sub\nvalue = lambda: pk.sub.value",
    "import pk.sub as s\nvalue = lambda: s.value",
    "import pk.sub.deep as d\nvalue = lambda: d.value"])
@pytest.mark.parametrize("change", [
    "__path__.insert(0, other)", "__path__ = [other]",
    "__path__.insert(0, other)\nfrom .sub import value as early"])
def test_a_package_that_changes_its_path(both, change, statement, level):
    """What was found by the path that a package's spec has is searched for
    again where its code puts another folder before that."""
    sub = {f"{folder}/sub/{file}.py": f"value = {folder!r}\n"
           for folder in ("pk", "pk/other") for file in ("__init__", "deep")}
    both({**sub, "pk/__init__.py": "import os\nother = os.path.join("
          "os.path.dirname(__file__), 'other')\n" + change + "\n",
          "user.py": statement + "\ndef use():\n    return value\n"}, """\
        import user
        value = user.use()
        print(value() if callable(value) else value)
        """, levels={"pk": level})


def test_a_path_that_a_package_extends_is_searched_once(both):
    """Folders that a package adds behind its own leave the found as it is."""
    run = both({
          "pk/__init__.py": "__path__.append('elsewhere')\n",
          "pk/sub.py": "value = 1\n",
          "user.py": "import sys\nclass Count:\n    names = []\n"
                     "    def find_spec(self, name, path=None, target=None):\n"
                     "        self.names.append(name)\n"
                     "counter = Count()\n"
                     "done = sys.meta_path.insert(0, counter)\n"
                     "import pk.sub as sub\n"
                     "def use():\n    return sub.value\n"}, """\
        import user
        print(user.use(), user.Count.names)
        """)
    assert run.reason("pk.sub") == "lazy"


@pytest.mark.parametrize("arguments", [
    "module=dep", "*[dep]", "", "dep, dep", "name=dep", "dep, module=dep"])
def test_reload_takes_its_argument_as_importlib_does(both, arguments):
    """importlib.reload by keyword, and its errors in its own words."""
    both({"dep.py": DEP}, f"""\
        import importlib
        import dep
        def main():
            try:
                print(importlib.reload({arguments}) is dep)
            except TypeError as error:
                print(error)
        main()
        """)


def test_a_package_that_comes_later_has_not_shown_the_submodule(both):
    """Its dict may lie where that of the package that did has lain."""
    both({"pack/__init__.py": "", "pack/sub.py": "VALUE = 1\n",
          "user.py": "import pack.sub\nuse = lambda: pack.sub\n"}, """\
        import gc, importlib, sys, types
        def forget():
            for name in "pack", "pack.sub", "user":
                sys.modules.pop(name, None)
            gc.collect()
        def show():
            importlib.import_module("pack")
            importlib.import_module("user")
            return id(sys.modules["pack"].__dict__)
        def again():
            where = show()
            forget()
            others = [types.ModuleType("other") for _ in range(200)]
            for other in others:
                if id(other.__dict__) == where:
                    other.__name__ = other.__package__ = "pack"
                    other.__path__ = ["pack"]
                    sys.modules["pack"] = other
                    importlib.import_module("pack.sub")
                    return other.sub.VALUE
            return 1
        for _ in range(20):
            print(again())
            forget()
        """)


def test_installed_again_under_what_wraps_ours(lazily):
    """An __import__ put over ours stays, and does not become a circle."""
    lazily({}, """\
        import builtins
        import lazycore
        ours = builtins.__import__
        def wrapper(*args, **kwargs):
            return ours(*args, **kwargs)
        builtins.__import__ = wrapper
        lazycore.uninstall()
        lazycore.install()
        exec("import colorsys")
        assert builtins.__import__ is wrapper and lazycore.show("colorsys")
        """)


def test_installed_again_under_what_wraps_what_wraps_ours(lazily):
    lazily({}, """\
        import builtins
        import lazycore
        def wrap(inner):
            def wrapper(*args, **kwargs):
                return inner(*args, **kwargs)
            return wrapper
        builtins.__import__ = wrap(builtins.__import__)
        lazycore.uninstall()
        builtins.__import__ = wrap(builtins.__import__)
        lazycore.install()
        exec("import colorsys")
        lazycore.uninstall()
        exec("import this")
        """)


def test_installed_again_under_what_came_meanwhile(lazily):
    """An __import__ put there while ours was away is called by ours."""
    lazily({}, """\
        import builtins
        import lazycore
        lazycore.uninstall()
        plain = builtins.__import__
        seen = []
        def wrapper(*args, **kwargs):
            seen.append(args[0])
            return plain(*args, **kwargs)
        builtins.__import__ = wrapper
        lazycore.install()
        assert builtins.__import__ is not wrapper
        try:
            import colorsys
        finally:
            assert "colorsys" in seen, seen
        """)
