"""DESIGN 4.3: the parts of its rules that a simpler rule would miss.

Each test fails with just that part off, and was seen to. Leaves the rules
themselves to test_policy.py.
"""

import pytest

LOUD = 'print("run", __name__)\nvalue = 1\n'
QUIET = "value = 1\n"


def test_rule_1_off_where_the_hook_is_called_all_the_same(lazily):
    """Rule 1: who kept our __import__ and puts it back after uninstall() has
    eager imports."""
    run = lazily({"dep.py": "value = 1\n",
                  "user.py": "import dep\ndef use():\n    return dep\n"}, """\
        import builtins
        import sys
        import lazycore
        def main():
            kept = builtins.__import__
            lazycore.uninstall()
            builtins.__import__ = kept
            import user
            print("dep" in sys.modules, lazycore.pending(user))
        main()
        """)
    assert run.out == "True []\n"


def test_rule_1_a_package_that_is_no_top_level_one(both):
    """Rule 1: a package rule may name a package at any depth."""
    run = both({"pk/__init__.py": "", "pk/other.py": QUIET,
                "pk/sub/__init__.py": "", "pk/sub/deep/__init__.py": "",
                "pk/sub/deep/leaf.py": LOUD, "pk/subway.py": QUIET}, """\
        import pk.sub.deep.leaf
        import pk.other as other
        import pk.subway as subway
        def use():
            return pk, other, subway
        """, ignore=["package=pk.sub"])
    assert run.reason("pk.sub.deep.leaf") == "ignore_package"
    assert run.state("pk.other") == "proxy"
    assert run.state("pk.subway") == "proxy"


def test_rule_2_a_call_whose_argument_looks_like_the_name(both):
    """Rule 2: what tells a statement is its instruction, not the name that
    the number after it happens to give."""
    run = both({"dep.py": LOUD}, """\
        a = b = c = d = e = dep = None
        dep = __import__("dep", globals(), globals(), [], 0)
        print("after")
        """)
    assert run.out == "run dep\nafter\n"
    assert run.reason("dep") == "not_a_statement"


def test_rule_3_a_function_that_stores_a_global(both):
    """Rule 3: in a function, even where it binds a name of the module."""
    run = both({"dep.py": LOUD}, """\
        def f():
            global dep
            import dep
            print("f")
        f()
        """)
    assert run.out == "run dep\nf\n"
    assert run.reason("dep") == "function_body"


@pytest.mark.parametrize("before, inside", [(40, 0), (4000, 0), (0, 4000),
                                            (4000, 4000)])
def test_rule_4_far_down_in_a_long_module(both, before, inside):
    """Rule 4: places in the exception table take more bytes there."""
    run = both({"dep.py": LOUD, "lazy.py": QUIET},
               "x = 1\n" * before + "import lazy\ntry:\n"
               + "    x = 1\n" * inside + "    import dep\n"
               "except ImportError:\n    pass\n"
               "print('imported')\ndef use():\n    return dep, lazy\n")
    assert run.out == "run dep\nimported\n"
    assert run.reason("dep") == "guarded"
    assert run.state("lazy") == "proxy"


@pytest.mark.parametrize("statement", [
    "first.table[0:0] = [1]", "first.table[:] = []", "del first.table[:1]",
    "first.table[0] += 1", "first.table[0:1] += [2]", "first.value += 1"])
def test_rule_5_slices_and_assignments_in_place(both, statement):
    """Rule 5: a store or delete of a subscript that is a slice, as in
    `sys.path[:0] = [...]`, or of what an operator changes in place."""
    run = both({"first.py": "table = [1, 2]\nvalue = 1\n", "dep.py": LOUD},
               f"import first\n{statement}\nimport dep\nprint('imported')\n"
               "def use():\n    return dep\n")
    assert run.out == "run dep\nimported\n"
    assert run.reason("dep") == "late"


@pytest.mark.parametrize("statement", [
    "__all__[0] = 'y'", "__all__[:] = ['y']", "__all__[1:] += ['y']"])
def test_rule_5_subscripts_of_all(both, statement):
    """Rule 5, not: stores into `__all__`."""
    run = both({"dep.py": QUIET}, f"__all__ = ['x']\n{statement}\nimport dep\n"
               "x = y = 1\ndef use():\n    return dep\n")
    assert run.state("dep") == "proxy"


FAST = {"part.py": "raise OSError('no library')\n", "empty.py": "",
        "pk/__init__.py": "", "slow.py": "name = 'slow'\n",
        "fast.py": "import part\nname = 'fast'\ndef f():\n"
                   "    return part\n",
        "pk/fast.py": "from part import x as y\nname = 'fast'\n"
                      "def f():\n    return y\n",
        "less.py": "from empty import missing\nname = 'fast'\n"
                   "def f():\n    return missing\n"}


@pytest.mark.parametrize("block", [
    "def pick():\n    {0}\n    return impl\nimpl = pick()\n",
    "class K:\n    {0}\nimpl = K.impl\n",
    "def pick():\n    global impl\n    {0}\npick()\n",
    "import pk\npk.__name__\ndef pick():\n    {0}\n    return impl\n"
    "impl = pick()\n"])
@pytest.mark.parametrize("statement", [
    "import fast as impl", "from pk import fast as impl",
    "import pk.fast as impl", "import less as impl"])
def test_rule_4_guards_in_functions_and_classes(both, statement, block):
    """Rule 4: a guarded import in a function or class sees what fails in the
    module that it loads."""
    guard = (f"try:\n        {statement}\n"
             "    except (OSError, ImportError):\n"
             "        import slow as impl")
    both(FAST, block.format(guard) + "print(impl.name)\n")


def test_rule_4_not_what_an_unguarded_function_imports(both):
    """Rule 4: only where the function guards it."""
    run = both({"user.py": "import dep\ndef use():\n    return dep\n",
                "dep.py": QUIET}, """\
        def f():
            import user
            return user
        f()
        """)
    assert run.state("dep") == "proxy"


REGISTRY = {"registry.py": "known = []\n",
            "handler.py": "import registry\nregistry.known.append('h')\n",
            "pk/__init__.py": "",
            "pk/handler.py": "import registry\n"
                             "registry.known.append('pk.h')\n"}


@pytest.mark.parametrize("statement, module", [
    ("import handler", "handler"), ("from pk import handler", "pk")])
@pytest.mark.parametrize("says", [
    "text = 'handler'", "__all__ = ['main', 'registry']",
    "names = ('handler', 'x')", "f = lambda x: x.handler",
    "f = lambda handler: handler.x"])
def test_rule_6_what_is_no_use(both, statement, module, says):
    """Rule 6: neither a string that says the name, nor the import statement
    itself in a module that has __all__, loads it."""
    run = both(REGISTRY, f"""\
        import registry
        {statement}
        {says}
        def main():
            print(registry.known)
        main()
        """)
    assert run.out != "[]\n"
    assert run.reason(module) == "for_effect"


@pytest.mark.parametrize("use, reason", [
    ("pk.plain.value", "for_effect"),
    ("[pk.plain for _ in 'x'][0].value", "for_effect"),
    ("[pk for _ in 'x'][0].plain.value", "lazy"),
    ("pk.plain.value if pk else pk.handler", "lazy"),
    ("(lambda: pk.plain.value or (lambda x: x.handler))()", "lazy")])
def test_rule_6_a_submodule_of_a_package_in_use(both, use, reason):
    """Rule 6: `import pk.handler` in a module that uses pk, and nothing by
    the name of handler, is for its effect."""
    run = both({**REGISTRY, "pk/plain.py": "value = 'plain'\n"}, f"""\
        import registry
        import pk.plain
        import pk.handler
        def main():
            print({'registry.known' if reason == 'for_effect' else ''})
            print({use})
        main()
        """)
    assert run.reason("pk.plain") == "lazy"
    assert run.reason("pk.handler") == reason


@pytest.mark.parametrize("begins", [
    "import pk.user\nuse = lambda: pk.user",
    "from pk import user\nuse = lambda: user",
    "import first\nuse = lambda: first"])
def test_rule_6_a_submodule_that_another_statement_waits_for(both, begins):
    """Rule 6: eager code has begun it there, and it leads here: for effect
    it would be imported half-way, at the wrong end of the cycle."""
    both({"pk/__init__.py": "", "pk/user.py": "from core import Base\n"
          "class User(Base):\n    pass\n",
          "pk/util.py": "value = 1\n",
          "first.py": "import pk.user\nuse = lambda: pk.user\n",
          "core.py": "import pk.user\nimport pk.util\nclass Base:\n"
                     "    x = 1\nuse = lambda: pk.util.value\n"},
         f"{begins}\nimport core\n"
         "def main():\n    print(core.Base.x, core.use())\nmain()\n")


def test_rule_6_a_use_among_many_names(both):
    """Rule 6: also where the name's number takes more than a byte."""
    names = ", ".join(f"x{i}" for i in range(300))
    run = both({"dep.py": QUIET, "other.py": QUIET}, f"""\
        import dep
        import other
        def f():
            return [{names}, dep], other.value
        """)
    assert (run.state("dep"), run.state("other")) == ("proxy", "proxy")


@pytest.mark.parametrize("use, state", [
    ("dep if x == 99 else x", "proxy"), ("[y.dep for y in []] or x", "eager")])
def test_rule_6_in_what_has_run(both, use, state):
    """Rule 6: the interpreter rewrites a function that ran for a while."""
    run = both({"dep.py": QUIET}, f"""\
        def f(x):
            def g():
                return f
            for i in range(x):
                g()
            return {use}
        total = [f(i) for i in range(50)]
        import dep
        print(total[-1])
        """)
    assert run.state("dep") == state


def test_rule_6_another_package_from_a_package_init(both):
    """Rule 6: a package's __init__ hands on what it imports by name; the
    `import other.part` that it does not use is there for its effect."""
    run = both({**REGISTRY, "app/__init__.py": "import registry\n"
                "import pk.handler\nfrom slow import name\n"
                "known = lambda: registry.known\n",
                "slow.py": "name = 1\n"}, """\
        import app
        print(app.known())
        """)
    assert run.out == "['pk.h']\n"
    assert run.reason("pk.handler") == "for_effect"
    assert run.state("slow") == "proxy"


def test_rule_7_a_longer_name_that_is_imported(both):
    """Rule 7: `foobar` is not in `foo` either."""
    run = both({"foo/__init__.py": "",
                "foo/a.py": "from foobar import b\nimport foobar.c as c\n"
                            "def use():\n    return b, c\nname = 1\n",
                "foobar/__init__.py": "", "foobar/b.py": QUIET,
                "foobar/c.py": QUIET}, """\
        from foo import a
        def main():
            print(a.name)
        main()
        """)
    assert run.state("foobar.c") == "proxy"


OTHER = {"other.py": "value = 1\ndef add():\n    global value\n"
                     "    value += 1\n",
         "later.py": "import other\nother.value *= 10\n"}


def test_rule_5_an_effect_in_an_except_clause(both):
    """Rule 5: it comes before what follows in the source, wherever its code
    stands; and what is in the clause before what follows that."""
    run = both(OTHER, """\
        import other
        try:
            import nowhere_at_all
        except ImportError:
            other.add()
        import later
        print(other.value)
        def use():
            return later
        """)
    assert run.reason("later") == "late"
    run = both({"dep.py": QUIET}, """\
        try:
            import nowhere_at_all
        except ImportError:
            value = 1
        else:
            value = 2
        import dep
        print(value)
        import sys
        def use():
            return dep, sys
        """)
    assert run.state("dep") == "proxy"


@pytest.mark.parametrize("first", ["", "import pk\n", "from . import part\n"])
def test_a_package_imports_its_own_submodule(both, first):
    """`import a.b` within a, which is there: a is the value, and b pending on
    it; at a level where it may wait."""
    files = {"pk/__init__.py": "value = 1\n", "pk/part.py": "part = 2\n",
             "pk/user.py": first + "import pk.other\n"
                           "def use():\n    return pk.value, pk.other.value\n",
             "pk/other.py": "value = 3\n"}
    main = "import pk.user\npk.user.__name__\n"
    run = both(files, main, levels={"pk": "full"})
    assert run.state("pk.other") == "proxy"
    run = both(files, main, levels={"pk": "outer"})
    assert run.state("pk.other") == "eager"
    both(files, main + "print(pk.user.use(), pk.other.value)\n",
         levels={"pk": "full"})
    both({**files, "pk/other.py": "import pk\npk.value = 7\nvalue = 8\n"},
         main + "print(pk.other.value, pk.user.use())\n",
         levels={"pk": "full"})
