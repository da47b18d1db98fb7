"""Rule 4, names that wait in a guard: the code of their module binds them on
every way through it. Seen with a module of its own in a standard library."""
import os
import subprocess

import pytest

from conftest import interpreter

HEAD = """\
def no():
    return False
def fails():
    raise KeyError
"""
PROGRAM = """\
import colorsys
try:
    from sched import name as taken
except ImportError:
    taken = "none"
def use():
    return taken, colorsys
"""


@pytest.fixture
def home(tmp_path):
    """home(text): what to set for an interpreter whose `sched` is TEXT."""
    code = "import os, sys; print(os.path.dirname(os.__file__), " \
           "sys.version_info[1])"
    folder, minor = subprocess.check_output([interpreter(), "-c", code],
                                            text=True).split()
    own = tmp_path / "home" / "lib" / f"python3.{minor}"
    own.mkdir(parents=True)
    for name in os.listdir(folder):
        if name not in ("sched.py", "__pycache__"):
            (own / name).symlink_to(os.path.join(folder, name))

    def make(text):
        (own / "sched.py").write_text(text)
        return {"PYTHONHOME": str(tmp_path / "home")}

    return make


@pytest.mark.parametrize("text", [
    "name = 1\n",
    "if no():\n    name = 1\nelse:\n    name = 2\n",
    "try:\n    fails()\nexcept KeyError:\n    pass\nname = 1\n",
    "try:\n    fails()\nexcept KeyError:\n    name = 1\nelse:\n    name = 2\n",
    "try:\n    fails()\nexcept KeyError:\n    pass\nfinally:\n    name = 1\n",
    "for each in 'ab':\n    if no():\n        break\nname = 1\n",
    "while no():\n    no()\nname = 1\n",
    "if no():\n    raise KeyError\nname = 1\n",
])
def test_all_bind_it(both, home, text):
    run = both({}, PROGRAM, env=home(HEAD + text))
    assert run.state("sched") == "proxy"
    both({}, PROGRAM + "print(use()[0])\n", env=home(HEAD + text))


@pytest.mark.parametrize("text", [
    "for each in 'ab':\n    break\nelse:\n    name = 1\n",
    "while True:\n    if not no():\n        break\n    name = 1\n",
    "while not no():\n    if not no():\n        break\nelse:\n    name = 1\n",
    "for each in 'ab':\n    try:\n        no()\n    except KeyError:\n"
    "        continue\n    else:\n        break\nelse:\n    name = 1\n",
    "while True:\n    try:\n        fails()\n    except KeyError:\n"
    "        break\n    name = 1\n",
    "try:\n    fails()\nexcept KeyError:\n    pass\nelse:\n    name = 1\n",
    "try:\n    fails()\nexcept KeyError:\n    pass\nelse:\n    name = 1\n"
    "other = 2\n",
    "try:\n    fails()\nexcept KeyError:\n    try:\n        fails()\n"
    "    except KeyError:\n        pass\n    else:\n        name = 1\n"
    "else:\n    name = 1\n",
    "try:\n    fails()\nexcept* KeyError:\n    pass\nelse:\n    name = 1\n",
    "no() and (name := 1)\n",
    "match no():\n    case True:\n        name = 1\n",
    "if no():\n    name = 1\n",
    "name = 1\nif not no():\n    del name\n",
    "try:\n    fails()\nexcept KeyError as name:\n    pass\n",
])
def test_one_does_not(both, home, text):
    run = both({}, PROGRAM + "print(use()[0])\n", env=home(HEAD + text))
    assert run.out == "none\n"
    assert run.reason("sched") == "guarded"


def test_what_it_serves_on_demand(both, home):
    """Names that were taken away, and warn of it."""
    text = "name = 1\nglobals().pop('name')\ndef __getattr__(name):\n" \
           "    raise AttributeError(name)\n"
    run = both({}, PROGRAM + "print(use()[0])\n", env=home(text))
    assert run.out == "none\n"
