"""DESIGN 4.2, loading: what is bound when, what is published, what fails."""

import pytest


# Binding at load

def test_names_are_bound_before_a_monkeypatch(both):
    """Trap a name bound before a patch: when a module has loaded, all pending
    names that wait for it are bound at once."""
    both({"dep.py": "def f():\n    return 'original'\n",
          "one.py": "from dep import f\ndef call():\n    return f()\n",
          "two.py": "import dep\nfrom dep import f as g\n"
                    "def call():\n    return dep.f(), g()\n"}, """\
        import one
        import two
        import dep
        def main():
            one.call, two.call
            dep.f
            dep.f = lambda: "patched"
            print(one.call(), two.call())
        main()
        """)


def test_names_are_bound_by_any_load(both):
    """4.2: import_module() and C loads bind them too."""
    run = both({"dep.py": "value = [1]\n",
                "user.py": "from dep import value\ndef f():\n"
                           "    return value\n"}, """\
        import user
        import importlib
        def main():
            user.f
            importlib.import_module("dep").value = None
            print(user.f())
        main()
        """)
    assert run.state("dep") == "real"


def test_re_exports_in_cascade(both):
    """4.2: re-exports are bound in cascade, as eager code would have them."""
    both({"base.py": "def f():\n    return 'original'\n",
          "middle.py": "from base import f\n__all__ = ['f']\n",
          "top.py": "from middle import f as g\n__all__ = ['g']\n",
          "user.py": "from top import g\ndef call():\n    return g()\n"}, """\
        import base
        import user
        def main():
            user.call
            import top, middle
            base.f
            base.f = lambda: "patched"
            print(user.call(), top.g(), middle.f())
        main()
        """)


def test_a_name_deferred_after_the_load_is_bound_at_once(both):
    """Bind at once what is already loaded."""
    run = both({"dep.py": "value = 1\n",
                "user.py": "from dep import value\nimport dep\n"
                           "def f():\n    return value, dep\n"}, """\
        import dep
        def main():
            dep.value
            import user
            dep.value = 2
            print(user.f()[0])
        main()
        """)
    assert run.stats["names_pending"] == 0


# Publishing

@pytest.mark.parametrize("statement", [
    "import pk.sub", "from pk import sub", "import pk.sub as s",
    "from pk.sub import value"])
def test_a_submodule_is_published_on_its_package(both, statement):
    """4.2: code that relies on another's `import urllib.parse` finds it."""
    name = {"import pk.sub": "pk", "from pk import sub": "sub",
            "import pk.sub as s": "s"}.get(statement, "value")
    run = both({"pk/__init__.py": "", "pk/sub.py": "value = 1\n",
                "other.py": f"{statement}\ndef f():\n    return {name}\n"},
               """\
        import pk
        import other
        def main():
            other.f
            print(pk.sub.value)
        main()
        """)
    assert run.out == "1\n"


def test_a_submodule_that_only_another_module_brings(both):
    """The nine failures of `outer`: `urllib.parse` after `import
    urllib.request`, which imports it."""
    both({}, """\
        import urllib.request
        import xml.sax
        import concurrent.futures
        def main():
            print(urllib.parse.quote("a b"))
            print(xml.sax.handler.__name__, xml.sax.xmlreader.__name__)
            print(concurrent.futures._base.__name__)
        main()
        """)


def test_a_submodule_that_only_a_pending_module_brings(both):
    """The same where that module is pending itself: eager code would have
    the submodule by now."""
    run = both({"pk/__init__.py": "", "pk/sub.py": "value = 1\n",
                "pk/deep.py": "value = 2\n", "pk/never.py": "",
                "one.py": "import pk.sub\nimport two\ndef f():\n"
                          "    return pk, two\n",
                "two.py": "from pk import deep\ndef f():\n"
                          "    return deep\n"}, """\
        import pk
        import one
        def main():
            print(pk.sub.value, pk.deep.value, hasattr(pk, "never"))
        def keep():
            return one
        main()
        """)
    assert not run.loaded("one")
    assert not run.loaded("pk.never")


@pytest.mark.parametrize("probe", [
    "'sub' in dir(pk)", "'sub' in pk.__dict__", "'sub' in vars(pk)",
    "vars(pk)['sub'].value", "pk.__dict__['sub'].value",
    "sorted(n for n in vars(pk) if n[0] != '_')"])
def test_a_published_submodule_is_in_the_namespace(both, probe):
    """4.2: published as a pending name on the package, before any miss."""
    both({"pk/__init__.py": "", "pk/sub.py": "value = 1\n",
          "other.py": "import pk.sub\ndef f():\n    return pk\n"}, f"""\
        import pk
        import other
        def main():
            other.f
            print({probe})
        main()
        """)


def test_nothing_is_published_that_no_one_imports(both):
    """ENGINE: hasattr(pkg, "sub") is not true for what nobody imported."""
    both({"pk/__init__.py": "", "pk/sub.py": "", "pk/other.py": ""}, """\
        import pk.sub
        def main():
            print(hasattr(pk, "other"), hasattr(pk, "sub"))
            print("other" in dir(pk), "sub" in dir(pk))
        main()
        """)


def test_a_package_name_wins_over_a_published_submodule(both):
    """Hazard a submodule import overwriting a value of the same name
    (`unittest.main`)."""
    both({"pk/__init__.py": "from pk.main import main\n",
          "pk/main.py": "def main():\n    return 'function'\n",
          "user.py": "from pk import main\nimport pk.main as m\n"
                     "def f():\n    return main, m\n"}, """\
        import unittest
        import user
        def main():
            import pk
            print(callable(pk.main), callable(unittest.main))
            print([type(x).__name__ for x in user.f()])
        main()
        """)


@pytest.mark.parametrize("level", ["outer", "full"])
def test_a_value_named_like_its_submodule(both, level):
    """The same, where a later import of the submodule would overwrite it."""
    both({"pk/__init__.py": "from .main import main\nfrom .other import x\n"
          "def f():\n    return main, x\n",
          "pk/main.py": "def main():\n    return 'function'\n",
          "pk/other.py": "from pk import main as m\nx = 1\n"
                         "def f():\n    return m\n"}, """\
        import pk
        import pk.main
        from pk import main
        from importlib import import_module
        def test():
            print(callable(pk.main), callable(main), pk.main())
            print(callable(import_module("pk.other").f()))
        test()
        """, levels={"pk": level})


# Failure

FAILING = {"dep.py": "import sys\nsys.attempts = getattr(sys, 'attempts', 0)"
                     " + 1\nif sys.attempts < 3:\n    raise {0}\n"
                     "value = sys.attempts\n",
           "user.py": "x = 1\nimport dep\ndef f():\n    return dep.value\n"}


@pytest.mark.parametrize("error", [
    "ValueError('why')", "KeyError('why')", "ImportError('why', name='x')",
    "ModuleNotFoundError('why', name='y')", "OSError(2, 'why')",
    "RecursionError('why')", "StopIteration(1)", "NameError('why')",
])
def test_a_failed_load_raises_the_original(lazily, error):
    """4.2: the original exception, with a note naming the statement."""
    run = lazily({name: text.replace("{0}", error)
                  for name, text in FAILING.items()}, f"""\
        import user
        def main():
            try:
                user.f()
            except Exception as error:
                expected = {error}
                assert type(error) is type(expected), error
                assert error.args == expected.args
                assert error.__cause__ is None
                print(error.__notes__)
                tb = error.__traceback__
                while tb.tb_next:
                    tb = tb.tb_next
                assert tb.tb_frame.f_code.co_filename.endswith("dep.py")
                assert tb.tb_lineno == 4
        main()
        """)
    assert "user.py:2: import dep" in run.out


def test_a_package_that_fails_leaves_no_frames_of_importlib(both):
    """As eagerly: a traceback leads from the import of a submodule to the
    line of its package that failed."""
    both({"pkg/__init__.py": "import sys\n1 / 0\n", "pkg/sub.py": "",
          "pkg/inner/__init__.py": "", "pkg/inner/leaf.py": ""}, """\
        import traceback
        def by_import():
            import pkg.sub
        def by_from():
            from pkg.inner.leaf import name
        def main():
            for way in by_import, by_from:
                try:
                    way()
                except ZeroDivisionError as error:
                    for frame in traceback.extract_tb(error.__traceback__):
                        print(frame.name, frame.lineno)
        main()
        """)


@pytest.mark.parametrize("statement, use", [
    ("import dep", "dep.value"), ("from dep import value", "value"),
    ("import dep as d", "d.value")])
@pytest.mark.parametrize("way", [
    "user.f()", "hasattr(user, NAME)", "getattr(user, NAME, None)",
    "NAME in vars(user) and user.f()"])
def test_a_failed_load_stays_pending_and_can_be_retried(lazily, way, use,
                                                        statement):
    """4.2: the name stays pending and can be retried; an AttributeError from
    a module's body becomes an ImportError: `hasattr` does not swallow it."""
    name = use.split(".")[0]
    lazily({"dep.py": FAILING["dep.py"].replace(
        "{0}", "AttributeError('why')"),
        "user.py": f"{statement}\ndef f():\n    return {use}\n"}, f"""\
        import sys
        import lazycore
        import user
        NAME = {name!r}
        def main():
            for attempt in range(2):
                try:
                    {way}
                except ImportError as error:
                    assert "why" in str(error), error
                    assert type(error.__cause__) is AttributeError
                    assert "user.py:1" in error.__notes__[0]
                else:
                    raise AssertionError("no ImportError")
                assert lazycore.pending(user) == [NAME]
                assert "dep" not in sys.modules
            shown = lazycore.show("dep")
            assert shown["failures"] == 2, shown
            assert shown["last_error"] == "AttributeError: why", shown
            assert shown["state"] == "proxy", shown
            assert lazycore.stats()["failed"] == 1
            assert lazycore.stats()["loads_failed"] == 2
            assert user.f() == 3
            shown = lazycore.show("dep")
            assert (shown["state"], shown["failures"]) == ("real", 2), shown
            assert lazycore.stats()["failed"] == 0
        main()
        """.replace("vars(user)", "user.__dict__"))


def test_a_failed_load_names_each_statement(lazily):
    """4.2: the note names the statement whose name was looked up."""
    run = lazily({"dep.py": "raise ValueError('why')\n",
                  "one.py": "import dep\ndef f():\n    return dep\n",
                  "two.py": "\n\nfrom dep import value as v\n"
                            "def f():\n    return v\n"}, """\
        import one
        import two
        def main():
            for user in one, two, one:
                try:
                    user.f()
                except ValueError as error:
                    print(len(error.__notes__),
                          error.__notes__[0].split("/")[-1])
        main()
        """)
    assert run.out.splitlines() == [
        "1 one.py:1: import dep", "1 two.py:3: from dep import value",
        "1 one.py:1: import dep"]


def test_a_missing_name_of_a_module_that_is_there(both):
    """4.2: `from dep import nothing` has the interpreter's own words."""
    both({"dep.py": "", "user.py": "from dep import nothing\n"
          "def f():\n    return nothing\n"}, """\
        def main():
            try:
                import user
                user.f()
            except ImportError as error:
                print(type(error).__name__, error.name,
                      str(error).split(" (")[0])
        main()
        """)


def test_a_failed_nested_load_names_the_outer_statement_too(lazily):
    """4.2: a failure two pending statements deep names both."""
    run = lazily({"a.py": "import b\nb.x\n", "b.py": "import c\nc.x\n",
                  "c.py": "raise OSError('deep')\n"}, """\
        import a
        def main():
            try:
                a.x
            except OSError as error:
                print([n.split("/")[-1] for n in error.__notes__])
        main()
        """)
    assert run.out == "['b.py:1: import c', 'a.py:1: import b', " \
                      "'main.py:1: import a']\n"


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt()"])
def test_a_load_that_ends_the_program(both, error):
    """4.2: SystemExit and KeyboardInterrupt pass untouched."""
    both({"dep.py": f"raise {error}\n",
          "user.py": "import dep\ndef f():\n    return dep\n"}, """\
        def main():
            try:
                import user
                user.f()
            except BaseException as error:
                print(type(error).__name__, error.args,
                      getattr(error, "__notes__", None))
        main()
        """)


def test_no_husk_in_sys_modules(lazily):
    """Trap failed load leaves an empty husk (LazyLoader)."""
    lazily({"dep.py": "value = 1\nraise ValueError\n"}, """\
        import sys
        import dep
        def main():
            for attempt in range(3):
                try:
                    dep.value
                except ValueError:
                    pass
                else:
                    raise AssertionError("a husk")
                assert "dep" not in sys.modules
        main()
        """)


def test_syntax_error_at_load(both):
    """4.2: a SyntaxError has file and line."""
    both({"dep.py": "x = 1\ny = = 2\n",
          "user.py": "import dep\ndef f():\n    return dep\n"}, """\
        def main():
            try:
                import user
                user.f()
            except SyntaxError as error:
                print(error.filename[-6:], error.lineno, error.msg)
        main()
        """)


def test_zip_replaced_under_a_pending_module(lazily, lab):
    """Trap zip replaced under a pending module: a clear error, no crash, and
    the name stays pending."""
    lab.zip("lib.zip", {"dep.py": "value = 1\n" * 50})
    lazily({"user.py": "import dep\ndef f():\n    return dep.value\n"}, """\
        import os, sys
        sys.path.append("lib.zip")
        import user
        import lazycore
        def main():
            user.f
            with open("lib.zip", "wb") as file:
                file.write(b"no zip")
            try:
                user.f()
            except Exception as error:
                assert "user.py:1: import dep" in error.__notes__[0]
            else:
                raise AssertionError("loaded from nothing")
            assert lazycore.pending(user) == ["dep"]
            assert lazycore.show("dep")["failures"] == 1
            os.remove("lib.zip")
        main()
        """)


def test_source_deleted_under_a_pending_module(lazily):
    """4.2: a file that went away since the statement: an error that names the
    statement."""
    lazily({"dep.py": "value = 1\n",
            "user.py": "import dep\ndef f():\n    return dep.value\n"}, """\
        import os
        import user
        def main():
            user.f
            os.remove("dep.py")
            try:
                user.f()
            except OSError as error:
                assert "user.py:1: import dep" in error.__notes__[0]
            else:
                raise AssertionError("loaded from nothing")
        main()
        """)


def test_submodule_in_its_own_parent_is_left_to_importlib(both):
    """4.2: the name of a submodule in its own parent is importlib's."""
    both({"pk/__init__.py": "", "pk/sub.py": "import sys\n"
          "print(hasattr(sys.modules['pk'], 'sub'))\n"}, """\
        import pk.sub
        def main():
            print(pk.sub.__name__)
        main()
        """, levels={"pk": "full"})
