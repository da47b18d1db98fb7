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


@pytest.mark.parametrize("body", [
    "sys.modules[__name__].value = 1",
    "here = 'made' in sys.modules",
    "here = sys.modules.get('made')",
    "here = [sys.modules, 'made']",
    "here = sys.modules.copy()\nhere['made'] = 1",
    "modules = {}\nmodules['made'] = 1",
    "class T:\n    modules = {}\nT.modules['made'] = 1",
])
def test_what_is_not_taken_waits(lazily, body):
    run = lazily({"made.py": "", "user.py": f"import sys\nimport made\n{body}\n"
                    "def use():\n    return made\n"},
                   "import user\nuser.use\n")
    assert run.state("made") == "proxy"


def test_it_is_imported_elsewhere_too(both):
    """What is taken by a function when all is there."""
    both({"made.py": "print('made')\n",
          "other.py": "import made\ndef use():\n    return made\n",
          "user.py": "import sys\nimport colorsys\n"
                     "def take():\n    return sys.modules['made']\n"
                     "def use():\n    return colorsys\n"}, """\
        import user
        user.take
        import other
        other.use
        print(user.take().__name__)
        """)


@pytest.mark.parametrize("takes", [
    "v = sys.modules.setdefault('made', None)",
    "v = sys.modules['made'] = types.SimpleNamespace(y=2)",
])
def test_what_is_stated_later_is_not_there_yet(both, takes):
    """Nothing is loaded ahead of its statement for it."""
    both({"made.py": "print('made')\ny = 1\n",
          "user.py": f"import sys\nimport types\nimport colorsys\n{takes}\n"
                     "def use():\n    return colorsys\n"}, """\
        import user
        user.v
        try:
            import made
            print(made.y)
        except ImportError as error:
            print(error)
        """)


def test_a_package_that_takes_its_own(both):
    both({"pk/__init__.py": "import sys\nimport colorsys\nprint('pk')\n"
                            "def take():\n    return sys.modules['pk.sub']\n"
                            "def use():\n    return colorsys\n",
          "pk/sub.py": "print('sub')\nfrom pk import take\ny = 1\n"}, """\
        from pk.sub import y
        def main():
            print(y)
        main()
        """)


@pytest.mark.parametrize("count", [4, 5000])
def test_many_are_read_in_no_time(lazily, count):
    lines = "\n".join(f"    sys.modules[v{n}]" for n in range(count))
    run = lazily({"user.py": f"import sys\nimport colorsys\ndef f():\n{lines}"
                             "\ndef use():\n    return colorsys\n"}, """\
        import time
        import user
        began = time.process_time()
        user.use
        print(time.process_time() - began < 2)
        """)
    assert run.out == "True\n"


@pytest.mark.parametrize("statement, use", [
    ("from pk import made", "made"), ("import pk.made", "pk.made"),
    ("from pk import made as other", "other"),
])
@pytest.mark.parametrize("late", [False, True])
def test_a_submodule_is_there(both, statement, use, late):
    taken = "def take():\n    return sys.modules['pk.made']\n"
    body = f"import sys\n{statement}\n{taken}" if late else \
        f"{statement}\nimport sys\n{taken}"
    run = both({"pk/__init__.py": "", "pk/made.py": "print('made')\n",
                "user.py": f"{body}def use():\n    return {use}\n"}, """\
        import user
        user.take
        print("used")
        print(user.take() is user.use())
        """)
    assert run.out == "made\nused\nTrue\n"


def test_what_would_find_it_half_made_waits(both):
    """Loaded at the head of user, made would import what user has yet to
    bind."""
    run = both({"made.py": "print('made')\nfrom user import value\n",
                "user.py": "import sys\nvalue = 1\n"
                           "def take():\n    return sys.modules['made']\n"},
               """\
        import made
        import user
        def main():
            print(user.value, made.value)
        main()
        """)
    assert run.out == "made\n1 1\n"


def test_deep_code_is_left_alone(lazily):
    deep = "lambda: " * 80 + "1"
    run = lazily({"user.py": f"import sys\ndeep = {deep}\n"},
                 "import user\nprint(user.deep is not None)\n")
    assert run.out == "True\n"
