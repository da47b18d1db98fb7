"""A package whose modules go by two names in sys.modules, as those of
requests.packages do."""
import pytest


RENAMED = {
    "re_named/__init__.py": "from . import packages\n",
    "re_named/packages.py": """\
        import sys
        aa = __import__("aa")
        for name in list(sys.modules):
            if name == "aa" or name.startswith("aa."):
                sys.modules["re_named.packages." + name] = sys.modules[name]
        """}


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
          **RENAMED}, f"""\
        {first.replace(chr(10), chr(10) + 8 * " ")}
        {statement.replace(chr(10), chr(10) + 8 * " ")}
        import aa
        import sys
        print(X, X is aa.X, X is aa.Y.__mro__[1])
        print(sys.modules["re_named.packages.aa.b"] is sys.modules["aa.b"])
        """, levels={"aa": "full"})


@pytest.mark.parametrize("first", ["", "import aa.far as far; far.X",
                                   "import aa; aa.Y"])
def test_a_second_name_of_what_waits_further_off(both, first):
    """What a module that waits would import was there for them, too; what
    nobody imports was not."""
    both({"aa/__init__.py": "from .c import Y\nfrom . import loaded\n"
                            "loaded.X\n",
          "aa/loaded.py": "X = 1\n",
          "aa/c.py": "from .b import X\nclass Y(X):\n    pass\n",
          "aa/b.py": "from . import far\nfrom .sub import deep\n"
                     "class X(far.X, deep.Z):\n    pass\n",
          "aa/far.py": "class X:\n    pass\n",
          "aa/sub/__init__.py": "",
          "aa/sub/deep.py": "class Z:\n    pass\n",
          "aa/never.py": "class X:\n    pass\n", **RENAMED}, f"""\
        import re_named
        def main():
            {first}
            from re_named.packages.aa.far import X
            from re_named.packages.aa.sub.deep import Z
            from re_named.packages.aa.never import X as never
            import aa.never
            print(X, X is aa.Y.__mro__[2], Z is aa.Y.__mro__[3], never is aa.never.X)
        main()
        """, levels={"aa": "full"})


COPIES = [
    "for name in list(sys.modules):\n"
    "    if name == 'aa' or name.startswith('aa.'):\n"
    "        sys.modules['nn.' + name.replace('aa', 'bb', 1)] = "
    "sys.modules[name]\n",
    "for name in sorted(sys.modules):\n"
    "    if name.partition('.')[0] == 'aa':\n"
    "        second = f'nn.bb{name[2:]}'\n"
    "        sys.modules[second] = sys.modules[name]\n"]


@pytest.mark.parametrize("loop", COPIES)
def test_second_names_of_what_only_that_body_imports(both, loop):
    """Nor does its own import wait; and a package no module of which has been
    loaded has no second names that show it."""
    both({"aa/__init__.py": "from .b import X\n",
          "aa/b.py": "from .c import Y\nclass X(Y):\n    pass\n",
          "aa/c.py": "class Y:\n    pass\n",
          "nn/__init__.py": f"import sys\nimport aa as bb\n{loop}"}, """\
        import nn
        from nn.bb import X
        from nn.bb.c import Y
        import aa.c
        print(X is aa.X, Y is aa.c.Y, nn.bb is aa)
        """, levels={"aa": "full"})


@pytest.mark.parametrize("code", [
    "own = sys.modules[__name__]\nsys.modules[__name__] = own\n",
    "own = sys.modules[__name__]\nown.table = {}\nown.table['x' + '1'] = 2\n",
    "for name in list(sys.modules):\n"
    "    known[name] = sys.modules[name]\n",
    "for name in list(sys.modules):\n"
    "    known[name] = len(sys.modules) and sys.modules[name]\n",
    "def copy():\n    for name in list(sys.modules):\n"
    "        sys.modules['second.' + name] = sys.modules[name]\n"])
def test_other_uses_of_entries(both, code):
    run = both({"aa.py": "X = 1\n"},
               f"import sys\nknown = {{}}\nimport aa\n{code}"
               "def use():\n    return aa\n")
    assert run.pending == ["aa"]


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
