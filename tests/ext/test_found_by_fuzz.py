"""What tests/fuzz found, each shrunk to the program that showed it.

The number is how many programs it took. Leaves the search to tests/fuzz.
"""

import pytest

LEVELS = pytest.mark.parametrize("level", ["outer", "full"])


@LEVELS
@pytest.mark.parametrize("main", [
    "import pk.name as n\nprint(type(n).__name__)\n",
    "import pk.name as n\nimport pk\nprint(pk.value, type(n).__name__)\n",
    "import pk.name as n\nprint(type(globals()['n']).__name__)\n",
])
def test_alias_of_a_name_that_hides_its_submodule(both, main, level):
    """133: `import a.b as c` was bound when a.b had loaded, though a's body
    had yet to make b something else."""
    both({"pk/__init__.py": "from .name import name\nvalue = 1\n",
          "pk/name.py": "def name():\n    pass\n"}, main,
         levels={"pk": level})


@LEVELS
@pytest.mark.parametrize("main", [
    "class K:\n    import pk.name as n\nprint(type(K.n).__name__)\n",
    "def f():\n    import pk.name\n    return pk.name\n"
    "print(type(f()).__name__)\n",
    "import importlib\nprint(type(importlib.import_module('pk.name')),\n"
    "      type(importlib.import_module('pk').name))\n",
])
def test_submodule_first_hides_no_pending_name(both, main, level):
    """430: an import of a.b that loads a first put the module where a's
    `from .b import x as b` was pending."""
    both({"pk/__init__.py": "from .name import Thing as name\n",
          "pk/name.py": "class Thing:\n    pass\n"}, main,
         levels={"pk": level})


def test_vars_binds_what_its_binding_adds(both):
    """870: binding the pending names of a package loads modules that put
    further pending submodules there; vars() left those as proxies."""
    both({"pk/__init__.py": "", "pk/a/__init__.py": "import pk.b.c\n",
          "pk/b/__init__.py": "import pk.d as d\n", "pk/b/c.py": "",
          "pk/d.py": ""}, """\
        import pk.a as a
        def main():
            print(a.__name__)
            import pk
            print(sorted((name, type(value).__name__) for name, value in
                         vars(pk).items() if name[0] != "_"))
        main()
        """, levels={"pk": "full"})


@pytest.mark.parametrize("names", ["late, early as n", "early as n, late",
                                   "early as n, dynamic"])
def test_module_of_another_class_hands_on_values(both, names):
    """1161: names of a module whose __class__ was changed are read through
    it when it has loaded; that was taken for importlib's own store."""
    both({"pk/__init__.py": """\
        from .low import value as early
        import sys, types
        class Mine(types.ModuleType):
            pass
        sys.modules[__name__].__class__ = Mine
        from .high import value as late, __getattr__
        """,
          "pk/low.py": "value = 1\n",
          "pk/high.py": "value = 2\ndef __getattr__(name):\n"
                        "    return 'dynamic'\n"}, f"""\
        from pk import {names}
        def main():
            print([(name, type(value).__name__) for name, value in
                   sorted(globals().items()) if name[0] in "elnd"])
        print(type(n).__name__, type((n,)[0]).__name__)
        values = [n, {names.split(", ")[0].split()[-1]},
                  {names.split(", ")[1].split()[-1]}]
        print([type(value).__name__ for value in values])
        main()
        """, levels={"pk": "full"})


def test_star_import_of_a_module_of_another_class(both):
    """300,720: `import *` from a module whose __class__ was changed put the
    keys of its pending names into the importer."""
    both({"pk/__init__.py": "", "pk/low.py": "value = 1\n",
          "pk/source.py": """\
        from .low import value
        def use():
            return value
        import sys, types
        class Mine(types.ModuleType):
            pass
        sys.modules[__name__].__class__ = Mine
        """,
          "pk/user.py": "from .source import *\n"}, """\
        class Holder:
            from pk import user
        print(sorted((str(name), type(name).__name__) for name in
                     Holder.user.__dict__ if name in ("value", "Mine")))
        print(Holder.user.value)
        """, levels={"pk": "full"})


@pytest.mark.parametrize("loaded", ["pk.E", "1"])
@pytest.mark.parametrize("listed", ["__all__ = ['E', 'sub']\n",
                                    "__all__ = ('E',)\n__all__ += 'sub',\n",
                                    "__all__ = ['E']\n", ""])
def test_submodule_that_a_pending_star_import_brings(both, loaded, listed):
    """914,446: what imports all that __all__ lists waits, and so did the
    submodules among it."""
    both({"pk/__init__.py": "E = 1\n" + listed, "pk/sub.py": "value = 1\n",
          "user.py": "from pk import *\nfrom pk import E as other\n"}, f"""\
        import pk
        {loaded}
        import user
        def main():
            try:
                print(pk.sub.value)
            except AttributeError as error:
                print(error)
            print(user.other)
        main()
        """)


@pytest.mark.parametrize("statement", [
    "import xml.dom.minidom", "import xml.dom.minidom\nimport xml",
    "import xml\nfrom xml.dom import minidom"])
def test_submodules_after_uninstall(both, statement):
    """7,201,257: a package that loads after uninstall() did not show its
    submodules that wait."""
    both({"user.py": f"{statement}\n"}, """\
        import sys
        import user
        user.__name__
        if "lazycore" in sys.modules:
            sys.modules["lazycore"].uninstall()
        print(user.xml.dom.Node.__name__, user.xml.dom.minidom.__name__)
        """)


@pytest.mark.parametrize("call", [
    "from importlib import import_module as get\nget('pk.sub')",
    "import importlib\nimportlib.import_module('pk.sub')",
    "import importlib\nimportlib.import_module('.sub', __package__)",
    "__import__('pk.sub')",
    "sub = getattr(__import__('pk.sub'), 'sub')"])
def test_submodule_that_a_pending_module_imports_by_a_call(both, call):
    """31,006,598: only statements were read."""
    both({"pk/__init__.py": "", "pk/sub.py": "value = 1\n",
          "pk/user.py": f"X = 1\n{call}\n"}, """\
        import pk
        from pk import user
        def main():
            print(hasattr(pk, "sub"))
            print(user.X)
        main()
        """)


def test_submodule_that_a_pending_submodule_imports(both):
    """31,010,961: what waits for `from package import submodule` was read for
    what the package imports, not for what the submodule does."""
    both({"pk/__init__.py": "", "pk/sub.py": "value = 1\n",
          "low/__init__.py": "", "low/part.py": "import pk.sub\n",
          "user.py": "from low import part\nX = 1\n"
                     "def use():\n    return part\n"}, """\
        import pk
        import user
        def main():
            print(user.X)
            print(pk.sub.value)
        main()
        """)
