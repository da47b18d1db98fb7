"""The sweep finds what laziness changes, and nothing where it changes nothing.
"""
import os
import pathlib
import textwrap

import pytest

import sweep

LAZYCORE = pathlib.Path(os.environ["LAZYCORE_DIR"])

PLAIN = {
    "__init__": "from .shapes import Square\n__all__ = ['Square']\n",
    "shapes": """\
        import abc
        import decimal
        from .units import METRE

        class Shape(abc.ABC):
            side = decimal.Decimal(1)

        class Square(Shape):
            unit = METRE
        """,
    "units": "METRE = 'm'\n",
    "broken": "import not_to_be_found_anywhere\n",
    "tests.test_shapes": "raise AssertionError('a test was imported')\n",
}

# What the loading of `changes` changes is seen by `looks`, which imports it
# before it looks and uses no name of it until then.
CHANGES = {
    "name": ("import builtins\nbuiltins.patched_by_us = True\ndone = 1\n",
             "import builtins\nfrom .changes import done\n"
             "SEEN = hasattr(builtins, 'patched_by_us')\n"
             "def use():\n    return done\n"),
    "length": ("from . import base\nbase.TABLE['a'] = 1\ndone = 1\n",
               "from . import base\nfrom .changes import done\n"
               "COPY = dict(base.TABLE)\n"
               "def use():\n    return done\n"),
    "mro": ("from . import base\nbase.Base = type('New', (base.Base,), {})\n"
            "done = 1\n",
            "from . import base\nfrom .changes import done\n"
            "def make():\n    class Made(base.Base):\n        pass\n"
            "    return Made\n"
            "Made = make()\n"
            "def use():\n    return done\n"),
    "registry": ("from . import base\nbase.LEVEL = 15\ndone = 1\n",
                 "import logging\nfrom . import base\n"
                 "from .changes import done\n"
                 "LOG = logging.getLogger('swept')\n"
                 "STATE = LOG.setLevel(base.LEVEL)\n"
                 "def use():\n    return done\n"),
}
BASE = "TABLE = {}\nLEVEL = 25\nclass Base:\n    pass\n"


def package(folder, name, modules):
    for module, text in modules.items():
        path = folder.joinpath(name, *module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(textwrap.dedent(text))


@pytest.fixture
def swept(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    def at(name, modules, level):
        package(tmp_path, name, modules)
        found = sweep.Sweep(name, LAZYCORE, [tmp_path])
        return found, found.differences(level)

    return at


def test_plain_package_is_alike(swept):
    found, differences = swept("plain_pkg", PLAIN, "full")
    assert differences == {}
    assert found.names == ["plain_pkg", "plain_pkg.shapes", "plain_pkg.units"]
    assert list(found.left_out) == ["plain_pkg.broken"]
    assert min(found.bound) >= 3, "nothing was lazy"
    assert found.compared() > 20


@pytest.mark.parametrize("what", CHANGES)
def test_difference_is_found(what, swept):
    changes, looks = CHANGES[what]
    modules = {"__init__": "", "base": BASE, "changes": changes,
               "looks": looks}
    name = f"changing_{what}"
    _, differences = swept(name, {**modules, "__init__": "from . import looks"
                                  "\n__all__ = ['looks']\n"}, "full")
    assert any(key.split(": ")[1].startswith(what) for key in differences), \
        differences
    _, differences = swept(name, modules, "outer")
    assert differences == {}
