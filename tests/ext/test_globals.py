"""4.3, last row: globals() binds what is pending, since its caller may look at
it; not where the bytecode says that it is only stored into."""
import pytest

FILES = {"dep.py": "value = 1\nprint('run dep')\n",
         "later.py": "value = 2\n"}
USE = "\ndef use():\n    return dep, later\n"


@pytest.mark.parametrize("statement", [
    "globals().update(x=1)", "globals().update({'x': 1})",
    "globals()['x'] = 1", "globals()['x' + __name__] = 1",
    "for name in 'xy':\n    globals()[name] = 1",
    "for name in 'xy':\n    globals()['_' + name] = 1",
    "def f():\n    globals()['x'] = 1\nf()",
    "def f(name):\n    globals().update({name: 1})\nf('x')",
])
def test_only_stored_into(both, statement):
    run = both(FILES, "import later\n" + statement + USE)
    assert run.pending == ["later"]


@pytest.mark.parametrize("statement", [
    "g = globals()", "globals().get('x')", "globals()['x'] = globals()",
    "g = globals()\ng['x'] = 1", "print(len(globals()) > 3)",
    "globals().update(globals())", "globals() | {}",
    "globals()[str(len(globals()))] = 1", "x = globals()['dep']",
    "globals().setdefault('x', 1)", "update = globals().update\nupdate(x=1)",
    "(globals() or {})['x'] = 1", "(lambda f: f())(globals)['x'] = 1",
    "globals().__setitem__('x', 1)", "print('dep' in globals())",
    "x = 1\nglobals()['x'] += 1",
    "def f():\n    g = globals()\n    g['x'] = 1\nf()",
])
def test_looked_at(both, statement):
    run = both(FILES, "import dep\nimport later\n" + statement + USE)
    assert run.pending == []


def test_a_pending_name_that_is_replaced(both):
    both(FILES, """\
        import dep
        globals()["dep"] = 5
        globals().update(later=6)
        import later
        def use():
            return later.value
        print(dep, use())
        """)


def test_no_effect_on_others(both):
    """Rule 5: what comes after it is not late."""
    run = both(FILES, """\
        globals().update({"x": 1})
        import later
        print("imported")
        def use():
            return later
        """)
    assert run.pending == ["later"]


def test_an_effect_behind_it(both):
    run = both({"other.py": "value = 1\ndef add():\n"
                            "    global value\n    value += 1\n",
                "later.py": "import other\nother.value *= 10\n"}, """\
        import other
        globals().update(x=1) or other.add()
        import later
        print(other.value)
        def use():
            return later
        """)
    assert run.reason("later") == "late"


def test_the_standard_library(both):
    """inspect keeps what globals() gives under a name, and stores into it;
    http.client updates it before it imports ssl."""
    run = both({}, """\
        import inspect, http.client
        print(inspect.CO_GENERATOR, http.client.OK.value)
        """)
    assert run.state("inspect") == "real"
    assert run.state("tokenize") == "proxy"
    assert run.state("ssl") == "proxy"


def test_locals_in_a_comprehension_of_a_module(both):
    """From 3.12 on it has no frame of its own, and locals() is a copy."""
    both({"dep.py": "value = 1\n", "user.py": """\
        import dep
        print([[type(value).__name__ for name, value in
                list(locals().items()) if name == "dep"] for _ in range(1)])
        def use():
            return dep
        """}, "import user\n")
