"""What code takes from sys.modules by its name is there, as in eager code."""
import pytest

FRESH = """\
import importlib
import sys
from json.decoder import JSONDecodeError
def fresh():
    name, other = "json.decoder", "json.scanner"
    saved = sys.modules.pop(name, None)
    sys.modules.pop(other, None)
    try:
        return importlib.import_module(name), saved
    finally:
        sys.modules[name] = saved
made, there = fresh()
def use():
    return JSONDecodeError
"""
MAIN = """\
    import sys
    import fresh
    def main():
        fresh.use
        print(sys.modules["json.decoder"] is fresh.there,
              fresh.made is not fresh.there,
              fresh.use() is fresh.there.JSONDecodeError)
    main()
    """


def test_a_second_copy_is_made_beside_the_first(both):
    """As defusedxml does with xml.etree.ElementTree."""
    both({"fresh.py": FRESH}, MAIN)


@pytest.mark.parametrize("takes", [
    'sys.modules["made"].value += 1',
    'found = sys.modules["made"]\nfound.value += 1',
    'name = "made"\nsys.modules[name].value += 1',
    'def take():\n    sys.modules["made"].value += 1\ntake()',
    'class Take:\n    sys.modules["made"].value += 1',
    'for name in ("os", "made"):\n    sys.modules[name].value = 2',
    'def take():\n    for name in ("os", "made"):\n'
    '        sys.modules[name].value = 2\ntake()',
    'sys.modules.setdefault("made", None).value += 1',
    'sys.modules.pop("made").value += 1',
    'import sys as _sys\n_sys.modules["made"].value += 1',
])
def test_what_is_taken_is_there(both, takes):
    run = both({"made.py": "print('made')\nvalue = 1\n",
                "user.py": f"import made\nimport sys\n{takes}\n"
                           "def use():\n    return made.value\n"}, """\
        import user
        user.use
        print("used")
        print(user.use())
        """)
    assert run.out == "made\nused\n2\n"
    assert run.reason("made") == "sys_modules"


@pytest.mark.parametrize("changes", [
    'sys.modules["made"] = fake',
    'del sys.modules["made"]\nsys.modules["made"] = fake',
    'def put():\n    sys.modules["made"] = fake\nput()',
    'for name in ["made"]:\n    sys.modules[name] = fake',
])
def test_what_waits_elsewhere_is_what_it_was(both, changes):
    """A module of that name that is put there is for those who come later."""
    run = both({"made.py": "print('made')\nvalue = 'real'\n",
                "early.py": "import made\ndef use():\n"
                            "    return made.value\n",
                "late.py": "import made\ndef use():\n"
                           "    return made.value\n",
                "fake.py": "import sys\nimport types\n"
                           "fake = types.SimpleNamespace(value='fake')\n"
                           f"{changes}\n"}, """\
        import early
        early.use
        import fake
        fake.fake
        import late
        print(early.use(), late.use())
        """)
    assert run.out == "made\nreal fake\n"


def test_many_are_loaded_in_the_order_of_their_statements(both):
    names = [f"made{n}" for n in range(9)]
    run = both({**{f"{name}.py": f"print({name!r})\n" for name in names},
                "early.py": "".join(f"import {name}\n" for name in names) +
                            f"def use():\n    return {', '.join(names)}\n",
                "user.py": "import sys\nimport colorsys\n"
                           f"for name in {tuple(reversed(names))}:\n"
                           "    del sys.modules[name]\n"
                           "def use():\n    return colorsys\n"}, """\
        import early
        early.use
        import user
        user.use
        """)
    assert run.out == "".join(f"{name}\n" for name in names)


@pytest.mark.parametrize("body", [
    "sys.modules[__name__].value = 1",
    "here = 'made' in sys.modules",
    "here = sys.modules.get('made')",
    "here = [sys.modules, 'made']",
    "here = sys.modules.copy()\nhere['made'] = 1",
    "modules = {}\nmodules['made'] = 1",
])
def test_what_is_not_taken_waits(lazily, body):
    run = lazily({"made.py": "", "user.py": f"import sys\nimport made\n{body}\n"
                    "def use():\n    return made\n"},
                   "import user\nuser.use\n")
    assert run.state("made") == "proxy"


def test_one_that_fails_fails_at_its_use(lazily):
    run = lazily({"made.py": "print('made')\n1 / 0\n",
                    "early.py": "import made\ndef use():\n    return made\n",
                    "user.py": "import sys\nimport colorsys\n"
                               "sys.modules.pop('made', None)\n"
                               "def use():\n    return colorsys\n"}, """\
        import early
        early.use
        import user
        user.use
        try:
            early.use()
        except ZeroDivisionError as error:
            print(type(error).__name__)
        """)
    assert run.out == "made\nmade\nZeroDivisionError\n"


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit"])
def test_one_that_ends_the_program_ends_it(lazily, error):
    run = lazily({"made.py": f"raise {error}(3)\n",
                    "early.py": "import made\ndef use():\n    return made\n",
                    "user.py": "import sys\nimport colorsys\n"
                               "sys.modules.pop('made', None)\n"
                               "def use():\n    return colorsys\n"}, f"""\
        import early
        early.use
        try:
            import user
            user.use
        except {error}:
            print("ended")
        """)
    assert run.out == "ended\n"
