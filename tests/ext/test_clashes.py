"""DESIGN 4.4, row 3: a package has a value under the name of its own submodule,
which a statement that waits has imported.

Eager code imports that submodule when every package above it is there; until
then the value is what code sees, and after that the module.
"""
import pytest

LEAF = "print(__name__)\n"
# Its own `leaf` is another package's.
CLASHES = {"pk/__init__.py": "print(__name__)\nfrom . import sub\n"
                             "from . import late\n",
           "pk/late.py": "from . import sub\n"
                         "print(__name__, sub.leaf.__name__)\n",
           "pk/sub/__init__.py": "from pk.other import leaf\n"
                                 "print(__name__)\n",
           "pk/sub/leaf.py": LEAF,
           "pk/other/__init__.py": "", "pk/other/leaf.py": LEAF}


@pytest.mark.parametrize("use", [
    "pk.sub.leaf", "pk", "pk.late", "hasattr(pk.sub, 'other')",
    "__import__('pk.sub')"])
@pytest.mark.parametrize("statement", [
    "import pk.sub.leaf", "import pk.sub.leaf, pk.late",
    "import pk.late, pk.sub.leaf", "import pk.sub.leaf as leaf, pk"])
def test_it_comes_when_its_packages_are_there(both, statement, use):
    """Not as soon as its own parent is: pk.late sees the value."""
    both(CLASHES, f"""\
        {statement}
        def main():
            {use}
            print(pk.sub.leaf.__name__)
        main()
        """, levels={"pk": "outer"})


@pytest.mark.parametrize("level", ["outer", "full"])
@pytest.mark.parametrize("value", ["5", "None", "print", "lambda: 1",
                                   "type('leaf', (), {})"])
@pytest.mark.parametrize("statement, name", [
    ("import pk.sub.leaf", "pk.sub.leaf"),
    ("import pk.sub.leaf as x", "x"),
    ("import pk.leaf as leaf", "leaf"),
    ("from pk.sub import leaf", "leaf"),
    ("import pk.sub.leaf\nfrom pk.sub import leaf", "leaf"),
    ("from pk.sub.leaf import y", "y")])
def test_what_the_statement_binds(both, level, statement, name, value):
    """The module, once it is imported, and the value, where nobody does."""
    both({"pk/__init__.py": f"leaf = {value}\n", "pk/leaf.py": "",
          "pk/sub/__init__.py": f"leaf = {value}\n",
          "pk/sub/leaf.py": "y = 1\n"},
         f"{statement}\ndef main():\n    print(type({name}).__name__)\n"
         "main()\n", levels={"pk": level})


def test_a_cycle_through_it_runs_it_once(both):
    """Where its parent is there and the packages above are not, it met
    modules that had just begun, failed, and ran once more."""
    both({"pk/__init__.py": "from pk.sub import x\nprint(__name__)\n",
          "pk/sub/__init__.py": "import pk.user\nx = 1\nprint(__name__)\n",
          "pk/user.py": "from pk.sub.low import y\n",
          "pk/sub/low/__init__.py": "from pk import leaf\ny = 1\n",
          "pk/leaf.py": "",
          "pk/sub/low/leaf.py": "print(__name__)\nfrom pk.sub import x\n"}, """\
        import pk.sub.low.leaf
        def main():
            print(pk.sub.low.leaf.__name__)
        main()
        """, levels={"pk": "outer"})


def test_a_statement_of_a_body_of_that_package_does_not_wait_for_it(both):
    """Only packages that the statement itself would have imported count."""
    both({**CLASHES, "pk/__init__.py": "print(__name__)\nimport helper\n"
                                       "from . import sub\nfrom . import late\n"
                                       "helper.use()\n",
          "helper.py": "import pk.sub.leaf\ndef use():\n"
                       "    print(pk.sub.leaf.__name__)\n"}, """\
        import pk
        def main():
            print(pk.sub.leaf.__name__)
        main()
        """, levels={"pk": "outer", "helper": "full"})


def test_another_module_that_loads_the_package_does_not_hold_it_back(both):
    """The statement's import is older than that of the other module."""
    both({**CLASHES, "other.py": "import pk.sub\n"
                                 "print('other', pk.sub.leaf.__name__)\n"}, """\
        import pk.sub.leaf
        __import__("other")
        print(pk.sub.leaf.__name__)
        """, levels={"pk": "outer"})


OTHERS = {"pk/__init__.py": "",
          "pk/sub/__init__.py": "from pk.other import leaf\n",
          "pk/sub/leaf.py": LEAF, "pk/other/__init__.py": "",
          "pk/other/leaf.py": ""}


@pytest.mark.parametrize("files", [
    # x imports the submodule itself
    {"x.py": "import pk.sub.leaf as L\nimport pk.sub\n"
             "print(pk.sub.leaf.__name__)\ndef f():\n    return L\n"},
    # or another does, before it
    {"x.py": "import late\nfrom pk import sub\nlate.f()\n"
             "print(sub.leaf.__name__)\nf = 1\n",
     "late.py": "import pk.sub.leaf\ndef f():\n    return pk\n"},
    # or the package
    {"x.py": "import pk\nf = pk.sub.leaf.__name__\n",
     "pk/__init__.py": "import helper\nhelper.y\nfrom . import sub\n"
                       "print(sub.leaf.__name__)\n",
     "helper.py": "import pk.sub.leaf\ny = 1\ndef f():\n    return pk\n"},
])
def test_a_module_that_imports_it_again(both, files):
    """What another statement has imported meanwhile is there for those that
    come after that."""
    both({**OTHERS, **files}, """\
        import x
        import pk.sub.leaf
        def main():
            print(x.f and pk.sub.leaf.__name__)
        main()
        """, levels={"pk": "outer"})


def test_a_statement_in_a_module_that_waited(both):
    """It is executed late, and eager code has executed it first."""
    both({**OTHERS,
          "m1.py": "import pk.sub.leaf\nv = 1\ndef use():\n"
                   "    return pk.sub.leaf\n",
          "o.py": "from pk import sub\ny = sub.leaf.__name__\n"}, """\
        import m1
        import o
        def main():
            def k():
                return m1.v
            k()
            print(o.y)
        main()
        """, levels={"pk": "outer"})


def test_a_fresh_copy_of_a_module_that_uses_it(both):
    both({**OTHERS, "x.py": "from pk import sub\ny = sub.leaf.__name__\n",
          "test/__init__.py": "", "test/support/__init__.py": """\
        import sys
        def fresh(name):
            saved = sys.modules.pop(name, None)
            module = __import__(name)
            sys.modules.pop(name, None)
            if saved is not None:
                sys.modules[name] = saved
            return module
        """}, """\
        import x
        import pk.sub.leaf
        def main():
            from test.support import fresh
            m = fresh("x")
            print(m.y, m.sub.leaf.__name__)
        def later():
            return x, pk
        main()
        """, levels={"pk": "outer"})


def test_a_package_that_fails_the_first_time(lazily):
    """At the second it is there, and its submodule with it."""
    run = lazily({**CLASHES,
                  "pk/__init__.py": "from . import sub\n"
                                    "from state import times\n"
                                    "times.append(1)\n"
                                    "if len(times) < 2:\n"
                                    "    raise OSError\n",
                  "state.py": "times = []\n"}, """\
        import pk.sub.leaf
        def attempt():
            try:
                print(pk.sub.leaf.__name__)
            except OSError as error:
                print(type(error).__name__)
        attempt()
        attempt()
        """, levels={"pk": "outer"})
    assert run.out.splitlines() == [
        "pk.other.leaf", "pk.sub", "OSError", "pk.sub.leaf", "pk.sub.leaf"]
