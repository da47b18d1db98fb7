"""DESIGN 4.3: rules 2 to 7, each with what it makes eager and what it spares.

A module that a rule wants eager prints when it runs, so that with the rule
off the lazy program's output has another order. What must stay lazy is silent
and never used.
"""

import pytest

LOUD = 'print("run", __name__)\nvalue = 1\n'
QUIET = "value = 1\n"


def test_lazy_is_the_default(both):
    """4.3, last row: everything else is lazy, and says so."""
    run = both({"dep.py": QUIET, "unused.py": QUIET}, """\
        import dep
        import unused
        from json import dumps
        def main():
            print(dep.value)
        def never():
            return unused, dumps
        main()
        """)
    assert run.state("dep") == "real"
    assert run.reason("dep") == "lazy"
    assert run.state("unused") == "proxy"
    assert not run.loaded("unused")
    assert not run.loaded("json")
    assert run.pending == ["dumps", "unused"]


# Rule 2

@pytest.mark.parametrize("call, reason", [
    ('importlib.import_module("dep")', "not_a_statement"),
    ('__import__("dep")', "not_a_statement"),
    ('runpy.run_module("dep")', None),
    ('pkgutil.get_data("dep.inner", "data")', None),
    ('pkgutil.resolve_name("dep:value")', "not_a_statement"),
    ('pickle.loads(b"cdep\\nvalue\\n.")', "not_a_statement"),
])
def test_rule_2_calls(both, call, reason):
    """Rule 2: a call, from Python or from C, is no statement: the module runs
    before the call is over."""
    run = both({"dep/__init__.py": LOUD, "dep/inner.py": QUIET,
                "dep/__main__.py": 'print("main")\n', "dep/data": "x"}, f"""\
        import importlib, pickle, pkgutil, runpy
        def main():
            print("before")
            {call}
            print("after")
            return importlib, pickle, pkgutil, runpy
        main()
        """)
    assert "before\nrun dep\n" in run.out
    if reason:
        assert run.reason("dep") == reason


def test_rule_2_call_inside_a_module_body(both):
    """Rule 2: __import__() with the module's own globals is a call too."""
    run = both({"dep.py": LOUD}, """\
        dep = __import__("dep", globals(), globals(), [], 0)
        print("after")
        """)
    assert run.out == "run dep\nafter\n"
    assert run.reason("dep") == "not_a_statement"


# Rule 3

@pytest.mark.parametrize("main, reason", [
    ("def f():\n    import dep\n    print('f')\nf()\n", "function_body"),
    ("class C:\n    import dep\n    print('C')\nC.dep\n", "function_body"),
    ("from dep import *\nprint('star')\n", "star"),
    ("async def f():\n    import dep\n    print('f')\n"
     "try:\n    f().send(None)\nexcept StopIteration:\n    pass\n",
     "function_body"),
    ("f = lambda: __import__('dep')\nf()\nprint('f')\n", "not_a_statement"),
])
def test_rule_3_bodies_and_stars(both, main, reason):
    """Rule 3: in a function or class body, and `from x import *`."""
    run = both({"dep.py": LOUD}, main)
    assert run.out.startswith("run dep\n")
    assert run.reason("dep") == reason


def test_rule_3_future(both):
    """Rule 3: `__future__` never leaves a pending name."""
    run = both({}, """\
        from __future__ import annotations
        def f(x: nothing):
            pass
        def never():
            return annotations
        print(f.__annotations__)
        """)
    assert run.pending == []
    assert run.reason("__future__") == "future"


# Rule 4

@pytest.mark.parametrize("guard", [
    "try:\n    import dep\nexcept ImportError:\n    dep = None\n",
    "try:\n    from dep import value as dep\n"
    "except ImportError:\n    dep = None\n",
    "try:\n    raise KeyError\nexcept KeyError:\n    import dep\n",
    "try:\n    import dep\nfinally:\n    value = 2\n",
    "try:\n    value = 1\nexcept KeyError:\n    pass\nelse:\n"
    "    try:\n        import dep\n    finally:\n        value = 4\n",
    "import contextlib\nwith contextlib.suppress(ImportError):\n"
    "    import dep\n",
    "import contextlib\nwith contextlib.suppress(KeyError):\n"
    "    with contextlib.suppress(ImportError):\n        import dep\n",
])
def test_rule_4_guarded_statement(both, guard):
    """Rule 4: a statement in try, except, finally or with."""
    run = both({"dep.py": LOUD}, guard + "print('imported')\n"
               "def use():\n    return dep\n")
    assert run.out == "run dep\nimported\n"
    assert run.reason("dep") == "guarded"


def test_rule_4_guard_sees_the_failure(both):
    """Rule 4: `try: import fast` falls back when fast itself fails."""
    both({"fast.py": "import nowhere_to_be_found\n",
          "slow.py": 'name = "slow"\n'}, """\
        try:
            import fast as impl
        except ImportError:
            import slow as impl
        print(impl.name)
        """)


def test_rule_4_missing_part_of_a_guarded_module(both):
    """Rule 4: the failure of fast's own from-import is seen by the guard."""
    both({
        "fast.py": "from part import missing\nname = missing\n",
        "part.py": "",
        "slow.py": 'name = "slow"\n',
    }, """\
        try:
            from fast import name
        except ImportError:
            from slow import name
        print(name)
        """)


def test_rule_4_statements_around_a_guard_are_lazy(both):
    """Rule 4 covers what is inside, not the module that has a try."""
    run = both({"before.py": QUIET, "after.py": QUIET}, """\
        import before
        try:
            value = 1
        except ImportError:
            value = 2
        import after
        def use():
            return before, after
        """)
    assert run.pending == ["after", "before"]


# Rule 5

@pytest.mark.parametrize("effect", [
    "print('effect')",
    "import first\nfirst.patch()",
    "import first\nfirst.table['x'] = 1",
    "import first\nfirst.attribute = 1",
    "import first\ndel first.victim",
    "import first\ndel first.table['here']",
    "import first\nfirst.table.update(x=1)",
    "import sys\nsys.path.insert(0, 'elsewhere')",
    "import first\nfirst.patch(*())",
    "import first\nfirst.patch(**{})",
])
def test_rule_5_late(both, effect):
    """Rule 5: after a call as a statement, or a store or delete of a
    subscript or an attribute."""
    run = both({"first.py": "table = {'here': 1}\nvictim = 1\n"
                            "def patch(**options):\n    pass\n",
                "dep.py": LOUD},
               effect + "\nimport dep\nprint('imported')\n"
               "def use():\n    return dep\n")
    assert run.out.endswith("run dep\nimported\n")
    assert run.reason("dep") == "late"


@pytest.mark.parametrize("harmless", [
    "x: int = 1",
    "x: 'list[int]' = []\ny: x",
    "__all__ = ['x']\n__all__.append('y')",
    "__all__ = ['x']\n__all__ += ['y']",
    "__all__ = ['x']\n__all__.extend(['y'])",
    "class C:\n    a = {}\n    a['b'] = 1\n    a.update(c=2)",
    "def f():\n    print('never')\nf2 = lambda: f()",
    "@staticmethod\ndef f():\n    pass",
    "x = dict(a=1)\ny = [i for i in range(3)]",
    "x, y = 1, 2\nif x:\n    z = 1\nelse:\n    z = 2",
    "import contextlib\nwith contextlib.nullcontext():\n    x = 1",
    "'''docstring'''\nx = __name__.upper()",
    "x = 1\ndel x",
    "assert True",
])
def test_rule_5_no_effect(both, harmless):
    """Rule 5, not: annotations, the call at the exit of `with`, `__all__`,
    definitions and plain bindings."""
    run = both({"dep.py": QUIET}, harmless + "\nimport dep\n"
               "def use():\n    return dep\n")
    assert run.state("dep") == "proxy"


def test_rule_5_statements_before_the_effect_stay_lazy(both):
    """Rule 5 looks at earlier statements, not at later ones."""
    run = both({"dep.py": QUIET, "late.py": LOUD}, """\
        import dep
        print("effect")
        import late
        def use():
            return dep, late
        """)
    assert run.state("dep") == "proxy"
    assert run.reason("late") == "late"


def test_rule_5_path_set_before_the_import(both):
    """Rule 5: what `sys.path.insert` is for."""
    both({"lib/dep.py": "value = 'lib'\n", "dep.py": "value = 'cwd'\n"}, """\
        import sys
        sys.path.insert(0, "lib")
        import dep
        sys.path.remove("lib")
        print(dep.value)
        """)


def test_rule_5_warning_filters_and_environment(both):
    """Rule 5: os.environ[...] = and filters are seen by what is imported."""
    both({"dep.py": "import os\nvalue = os.environ['MODE']\n"}, """\
        import os
        os.environ["MODE"] = "first"
        import dep
        os.environ["MODE"] = "second"
        print(dep.value)
        """)


# Rule 6

REGISTRY = {"registry.py": "known = []\n",
            "handler.py": "import registry\nregistry.known.append('h')\n",
            "pk/__init__.py": "",
            "pk/handler.py": "import registry\n"
                             "registry.known.append('pk.h')\n"}


@pytest.mark.parametrize("statement, module", [
    ("import handler", "handler"),
    ("import handler as unused", "handler"),
    ("import pk.handler", "pk.handler"),
    ("import pk.handler as unused", "pk.handler"),
    ("from pk import handler", "pk"),
    ("from pk import handler as unused", "pk"),
])
def test_rule_6_for_effect(both, statement, module):
    """Rule 6: none of the names that the statement binds is ever loaded."""
    run = both(REGISTRY, f"""\
        import registry
        {statement}
        def main():
            print(registry.known)
        main()
        """)
    assert run.out != "[]\n"
    assert run.reason(module) == "for_effect"


def test_rule_6_a_store_alone_is_no_use(both):
    """Rule 6: a name that is only rebound elsewhere is not loaded."""
    run = both(REGISTRY, """\
        import registry
        import handler
        def forget():
            global handler
            handler = None
        def main():
            print(registry.known)
        main()
        """)
    assert run.reason("handler") == "for_effect"


@pytest.mark.parametrize("use", [
    "def f():\n    def g():\n        return dep\n    return g",
    "class C:\n    def m(self):\n        return dep",
    "f = lambda: dep",
    "def f(x):\n    return [dep for i in x]",
    "def f():\n    del dep.value\n",
    "def f():\n    dep.value = 2\n",
    "__all__ = ['dep']",
    "__all__ = ('x', 'dep')",
    "class C:\n    if not __name__:\n        dep",
])
def test_rule_6_uses(both, use):
    """Rule 6: loaded by any code object, nested ones too, or in __all__."""
    run = both({"dep.py": QUIET}, "import dep\n" + use + "\n")
    assert run.state("dep") == "proxy"


def test_rule_6_one_used_name_is_enough(both):
    """Rule 6: *none* of the names must be loaded."""
    run = both({"dep.py": "a = b = 1\n"}, """\
        from dep import a, b
        def use():
            return b
        """)
    assert run.state("dep") == "proxy"


def test_rule_6_not_in_a_package_init(both):
    """Rule 6: not where the importer is a package's __init__."""
    run = both({"pk/__init__.py": "import dep\nname = 1\n", "dep.py": QUIET},
               "import pk\nprint(pk.name)\n")
    assert run.state("dep") == "proxy"


def test_rule_6_not_for_the_standard_library(both):
    """Rule 6: not where the imported module is the standard library's."""
    run = both({}, "import json\nimport email.message\n")
    assert run.state("json") == "proxy"
    assert run.state("email.message") == "proxy"


# Rule 7

FAMILY = {
    "family/__init__.py": "",
    "family/one.py": "from family import two\nimport family.three\n"
                     "from . import four\nfrom .five import value\n"
                     "import other\n"
                     "def use():\n    return two, family, four, value, other\n"
                     "name = 'one'\nprint('one')\n",
    "family/two.py": LOUD, "family/three.py": LOUD, "family/four.py": LOUD,
    "family/five.py": LOUD, "other.py": QUIET,
}
FAMILY_MAIN = """\
    from family import one
    def main():
        print(one.name)
    main()
    """


@pytest.mark.parametrize("levels", [{}, {"family": "outer"}])
def test_rule_7_same_package(both, levels):
    """Rule 7: within one top-level package; level `outer` is the default."""
    run = both(FAMILY, FAMILY_MAIN, levels=levels)
    for name in ("two", "three", "four", "five"):
        assert run.reason("family." + name) == "same_package"
    assert run.state("other") == "proxy"


def test_rule_7_not_at_level_full(both):
    """Rule 7 does not hold for a package at level `full`."""
    files = {name: text.replace('print("run", __name__)\n', "")
             for name, text in FAMILY.items()}
    run = both(files, FAMILY_MAIN, levels={"family": "full"})
    for name in ("two", "three", "four", "five"):
        assert run.state("family." + name) == "proxy"


def test_rule_7_not_for_the_standard_library(both):
    """Rule 7: the standard library apart, it is `full`."""
    run = both({}, """\
        def main():
            import email.message
            print(email.message.Message.__name__)
        main()
        """)
    assert run.loaded("email.message")
    assert run.state("email.utils") == "proxy"


def test_rule_7_a_longer_name_is_another_package(both):
    """Rule 7 compares whole top-level names: `foo` is not in `foobar`."""
    run = both({"foo/__init__.py": "", "foo/a.py": QUIET,
                "foobar/__init__.py": "",
                "foobar/b.py": "from foo import a\n"
                               "def use():\n    return a\nname = 1\n"}, """\
        from foobar import b
        def main():
            print(b.name)
        main()
        """)
    assert run.state("foo") == "proxy"


def test_rule_7_main_of_a_package(both):
    """Rule 7: a package's __main__ belongs to the package."""
    run = both({"app/__init__.py": "", "app/part.py": LOUD,
                "app/__main__.py": "from app import part\n"
                                   "print('main')\nprint(part.value)\n"},
               "", file=None, options=["-m", "app"])
    assert run.out == "run app.part\nmain\n1\n"
    assert run.reason("app.part") == "same_package"


# globals(), locals(), vars()

@pytest.mark.parametrize("call", ["globals()", "vars()", "locals()"])
def test_namespaces_are_bound_before_they_are_handed_out(both, call):
    """4.3, last row: globals(), locals() and vars() bind the pending names of
    what they return first."""
    run = both({"dep.py": "value = 1\n"}, f"""\
        import dep
        from dep import value
        def use():
            return dep, value
        names = {call}
        print(sorted({{type(v).__name__ for v in list(names.values())}}))
        """)
    assert run.pending == []
    assert run.reason("dep") == "lazy"


def test_vars_of_a_module(both):
    """4.3, last row: vars(module) too."""
    both({"dep.py": "import other\nname = 1\ndef f():\n    return other\n",
          "other.py": QUIET}, """\
        import dep
        def main():
            print([type(v).__name__ for v in vars(dep).values()
                   if getattr(v, "__name__", "") == "other"])
        main()
        """)


def test_locals_in_a_function_loads_nothing(both):
    """4.3, last row: locals() of a function holds no module's names."""
    run = both({"dep.py": QUIET}, """\
        import dep
        def main():
            x = 1
            print(locals())
        def use():
            return dep
        main()
        """)
    assert run.pending == ["dep"]


def test_rule_4_what_the_guarded_module_imports(both):
    """Rule 4: made by the very module that a guarded import is loading, is
    eager; what that one imports is found, not run."""
    run = both({
        "fast.py": "import part\ndef use():\n    return part.value\n",
        "part.py": "import deep\ndef use():\n    return deep\nvalue = 1\n"
                   "print('part')\n",
        "deep.py": QUIET,
    }, """\
        try:
            import fast
        except ImportError:
            fast = None
        print("imported")
        """)
    assert run.out == "part\nimported\n"
    assert run.reason("part") == "guarded"
    assert run.state("deep") == "proxy"
