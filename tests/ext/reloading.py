"""What the tests of reload share: one program a promise.

Each program edits `mod.py` (or another file) while it runs, reloads, and
asserts; it ends with exit status 0. The engine is installed in it.
"""

import pytest

# Beside every program: edit("text") rewrites mod.py, reload() gives the
# result, same() tells whether a module is bit for bit what it was.
HELP = """\
import importlib
import os
import sys
import textwrap

import lazycore

FOLDER = os.path.dirname(os.path.abspath(__file__))


def edit(text, name="mod.py"):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        file.write(textwrap.dedent(text))
    return path


def reload(verdict="applied", name="mod", **how):
    result = lazycore.reload(name, **how)
    assert result["verdict"] == verdict, result
    return result


def load(name="mod"):
    return importlib.import_module(name)


def age(name="mod.py"):
    os.utime(os.path.join(FOLDER, name), (1_000_000_000, 1_000_000_000.5))


def snapshot(module):
    return {key: (id(value), repr(value) if isinstance(value, (list, dict))
                  else None) for key, value in vars(module).items()}
"""


@pytest.fixture
def program(lazily):
    """program(mod, main, files={}): mod.py is there at the start."""

    def run(mod, main, files=None, **how):
        return lazily({"help.py": HELP, "mod.py": mod, **(files or {})},
                      "from help import *\n" + main, **how)

    return run
