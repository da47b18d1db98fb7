"""DESIGN 4.4, row 3, in time: a package has a value under the name of its own
submodule, which a statement that waits has imported.

Eager code imports that submodule when every package above it is there, be it
imported by that statement or not; until then the value is what code sees.
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
    "pk.sub.leaf", "pk", "pk.late", "pk.sub.other", "__import__('pk.sub')"])
@pytest.mark.parametrize("statement", [
    "import pk.sub.leaf", "import pk.sub.leaf, pk.late",
    "import pk.late, pk.sub.leaf", "import pk.sub.leaf as leaf, pk"])
def test_it_comes_when_its_packages_are_there(both, statement, use):
    """Not as soon as its own parent is."""
    both(CLASHES, f"""\
        {statement}
        def main():
            print(type({use}).__name__ if {use!r} != "pk.sub.other"
                  else hasattr(pk.sub, "other"))
            print(pk.sub.leaf.__name__)
        main()
        """, levels={"pk": "outer"})


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
