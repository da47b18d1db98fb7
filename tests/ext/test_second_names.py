"""A package whose modules go by two names in sys.modules, as those of
requests.packages do."""
import pytest


@pytest.mark.parametrize("statement", [
    "from re_named.packages.aa.b import X", "import re_named.packages.aa.b\n"
    "X = re_named.packages.aa.b.X"])
@pytest.mark.parametrize("first", ["", "import aa.b as b\nb.X\n"])
def test_a_package_under_a_second_name(both, first, statement):
    """Who gives a package's modules second names finds those that eager code
    has loaded: one that waited is one module all the same."""
    both({"aa/__init__.py": "from .c import Y\nfrom .b import X\n",
          "aa/c.py": "from .b import X\nclass Y(X):\n    pass\n",
          "aa/b.py": "class X:\n    pass\n",
          "re_named/__init__.py": "from . import packages\n",
          "re_named/packages.py": """\
              import sys
              aa = __import__("aa")
              for name in list(sys.modules):
                  if name == "aa" or name.startswith("aa."):
                      sys.modules["re_named.packages." + name] = \\
                          sys.modules[name]
              """}, f"""\
        {first.replace(chr(10), chr(10) + 8 * " ")}
        {statement.replace(chr(10), chr(10) + 8 * " ")}
        import aa
        import sys
        print(X, X is aa.X, X is aa.Y.__mro__[1])
        print(sys.modules["re_named.packages.aa.b"] is sys.modules["aa.b"])
        """, levels={"aa": "full"})


def test_a_second_name_of_a_package_alone(both):
    """Where none of its modules has one, another name is another module."""
    both({"aa/__init__.py": "", "aa/b.py": "class X:\n    pass\n"}, """\
        import sys
        import aa
        import aa.b as b
        sys.modules["second"] = aa
        import second.b as c
        print(b.X is c.X, b.X.__module__, c.X.__module__)
        """, levels={"aa": "full"})


def test_a_module_that_gives_itself_a_second_name(both):
    both({"aa/__init__.py": "from . import loaded, b\nloaded.X\n",
          "aa/loaded.py": "X = 1\n",
          "aa/b.py": """\
              import sys
              class Facade:
                  where = "facade"
              sys.modules["second.b"] = Facade
              where = "module"
              """}, """\
        import aa
        import sys
        aa.loaded
        for name in list(sys.modules):
            if name.partition(".")[0] == "aa" and name != "aa.b":
                sys.modules["second" + name[2:]] = sys.modules[name]
        from second.b import where
        print(where, aa.b.where)
        """, levels={"aa": "full"})
