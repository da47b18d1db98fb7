"""What tests/fuzz found, each shrunk to the program that showed it.

The number is how many programs it took. Leaves the search to tests/fuzz.
"""

import pytest

LEVELS = pytest.mark.parametrize("level", ["outer", "full"])


@LEVELS
def test_star_import_spreads_no_keys_of_ours(both, level):
    """76: `import *` from a module whose names are bound, but whose dict is
    not rebuilt yet, made LazyKeys ordinary keys of the importer."""
    both({"pk/__init__.py": "", "pk/low.py": "value = 1\n",
          "pk/source.py": "import pk.low as low\nmine = low.value\n",
          "pk/user.py": "from .source import *\n"}, """\
        class Holder:
            from pk import user
        keys = list(Holder.user.__dict__)
        print([type(key).__name__ for key in keys if key in ("low", "mine")])
        """, levels={"pk": level})


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
            names = dict(vars(pk))
            print([(key, type(names[key]).__name__) for key in sorted(names)
                   if not key.startswith("_")])
        main()
        """, levels={"pk": "full"})
