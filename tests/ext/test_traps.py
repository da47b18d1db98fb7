"""ENGINE, "Traps peers fell into, each worth a test".

Those that are not here: eight threads and own locks in test_threads.py;
forks in test_forks.py; husks and replaced zips in test_loading.py; `sys.path` and
`spec.loader_state` in test_finding.py; `with suppress` in test_policy.py;
`foo` and `foobar` in test_sets_and_levels.py; holders in test_seed.py.
"""

import pytest

MANY = {f"m{i}.py": f"value = {i}\n" for i in range(10)}
IMPORTS = "".join(f"import m{i}\nfrom m{i} import value as v{i}\n"
                  for i in range(10))
KEEP = "def keep():\n    return " + ", ".join(
    f"m{i}, v{i}" for i in range(10)) + "\n"


def test_a_second_import_loads_nothing(both):
    """Trap second `import x` loads (LazyLoader)."""
    statements = ("import m0\nimport m0 as again\nfrom m0 import value as v\n"
                  "import m0\n")
    run = both({**MANY, "one.py": statements + "def f():\n"
                "    return m0, again, v\n",
                "two.py": statements + "def f():\n    return m0, again, v\n"},
               "import one\nimport two\none.f, two.f\n"
               "def f():\n    return one, two\n")
    assert run.state("m0") == "proxy"


@pytest.mark.parametrize("sweep", [
    "inspect.stack()", "inspect.trace()",
    "inspect.getmodule(inspect.currentframe())",
    "[m for m in list(sys.modules.values()) if hasattr(m, '__file__')]",
    "[getattr(m, '__warningregistry__', None) "
    "for m in list(sys.modules.values())]",
    "warnings.warn('swept', stacklevel=1)",
    "linecache.checkcache()", "traceback.format_stack()",
    "traceback.extract_stack()", "gc.collect()",
    "unittest.TestCase().assertWarns(UserWarning, warnings.warn, 'w')",
    "logging.getLogger('a').warning('w')", "pickle.whichmodule(main, 'main')",
    "{name: module for name, module in sys.modules.items()}",
    "[repr(module) for module in list(sys.modules.values())]",
    "[str(v) for v in list(sys.modules.values())]",
])
def test_sweeps_over_sys_modules_load_nothing(both, sweep):
    """Trap sweep by `inspect.stack()` loads all."""
    run = both({**MANY, "user.py": IMPORTS + KEEP}, f"""\
        import sys, warnings
        warnings.simplefilter("ignore")
        import inspect, linecache, traceback, gc, unittest, logging, pickle
        import user
        def main():
            user.keep
            {sweep}
        def keep():
            return inspect, linecache, traceback, gc, unittest, logging, pickle
        main()
        """)
    assert [run.state(f"m{i}") for i in range(10)] == ["proxy"] * 10


def test_a_traceback_through_a_lazy_module_loads_nothing(both):
    """The same for an exception that is printed."""
    run = both({**MANY, "user.py": IMPORTS + KEEP
                + "def fail():\n    raise ValueError('why')\n"},
               "import user\nuser.fail()\n", status=1)
    assert "ValueError: why" in run.err
    assert run.state("m5") == "proxy"


def test_a_reload_error_is_not_lost(both):
    """Trap reload error lost (hg)."""
    both({"dep.py": "import os\nif os.path.exists('broken'):\n"
                    "    raise ValueError('in reload')\nvalue = 1\n"}, """\
        import importlib, os
        import dep
        def main():
            print(dep.value, os.path.exists("broken"))
            open("broken", "w").close()
            try:
                importlib.reload(dep)
            except ValueError as error:
                print(error, getattr(error, "__notes__", None))
            os.remove("broken")
            print(dep.value)
        main()
        """)


def test_dictionary_of_modules_may_be_iterated_while_loading(both):
    """Trap "dictionary changed size": names load while sys.modules is
    iterated only if the program itself uses them."""
    both({**MANY, "user.py": IMPORTS + KEEP}, """\
        import sys
        import user
        def main():
            user.keep
            count = 0
            for name, module in sys.modules.items():
                count += hasattr(module, "__name__")
            print(count == len(sys.modules))
        main()
        """)


@pytest.mark.parametrize("reader", [
    "sorted(vars(user))", "vars(user).keys() >= {'m0'}", "len(vars(user))",
    "dict(vars(user))['m0'].value", "list(vars(user).values())[-1]",
    "user.__dict__.copy()['m0'].value",
    "{k: v for k, v in vars(user).items()}['v3']",
    "type(user)('x').__dict__.update(vars(user))",
])
def test_readers_of_a_namespace(both, reader):
    """Trap placeholders seen through vars(): a program that reads another
    module's dict finds values."""
    both({**MANY, "user.py": IMPORTS + KEEP}, f"""\
        import user
        def main():
            user.keep
            print(str({reader})[:60].split(" at 0x")[0])
        main()
        """)


def test_module_dict_without_vars(both):
    """The same by __dict__, which only look-ups and copies go through: what
    was not looked up is a proxy that behaves as its value."""
    both({**MANY, "user.py": IMPORTS + KEEP}, """\
        import user
        def main():
            user.keep
            values = [v for v in user.__dict__.copy().values()]
            print([v + 1 for v in values if v == 4 or v == 5])
        main()
        """)
