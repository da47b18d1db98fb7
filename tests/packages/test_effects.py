"""The reader of effects sees what a module does to others, and the shipped
record calls nothing free that the reader does not."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "effects"))

sys.path.insert(0, str(HERE))

import bodies  # noqa: E402
import names  # noqa: E402
import purity  # noqa: E402
import record  # noqa: E402
import sources  # noqa: E402

BASE = """\
known = []
def keep(thing):
    known.append(thing)
    return thing
def plain(thing):
    return thing
class Meta(type):
    def __init__(cls, *args):
        known.append(cls)
class Registered(metaclass=Meta):
    pass
class Noted:
    def __init_subclass__(cls):
        known.append(cls)
class Kept:
    kept = {}
    def __init_subclass__(cls):
        cls.kept[cls.__name__] = cls
class Listed(type):
    kept = []
    def __new__(mcls, *args):
        made = super().__new__(mcls, *args)
        mcls.kept.append(made)
        return made
class Own:
    def __init_subclass__(cls):
        cls.own = {}
        cls.own["x"] = 1
class Plain:
    pass
"""

FREE = ["import re\nword = re.compile('x')\n",
        "from pk.base import plain\n@plain\ndef f():\n    pass\n",
        "from pk.base import Plain\nclass Sub(Plain):\n    x = [1]\n",
        "from pk.base import Own\nclass Sub(Own):\n    x = [1]\n",
        "table = {}\ntable['x'] = 1\ntable.update(y=2)\n",
        "table = {'a': {}}\nfor name, one in table.items():\n"
        "    one['x'] = name\n",
        "class Own:\n    pass\nfor one in (Own,):\n    one.x = 1\n",
        "import logging\nlog = logging.getLogger(__name__)\n",
        "from pk import base\ndef later():\n    base.known.append(1)\n"]
CHANGES = ["from pk.base import keep\n@keep\ndef f():\n    pass\n",
           "from pk.base import keep\nkeep(1)\n",
           "from pk.base import Registered\nclass Sub(Registered):\n    x = 1\n",
           "from pk.base import Noted\nclass Sub(Noted):\n    x = 1\n",
           "from pk.base import Kept\nclass Sub(Kept):\n    x = 1\n",
           "from pk.base import Listed\nclass Sub(metaclass=Listed):\n    x = 1\n",
           "from pk import base\nbase.known.append(1)\n",
           "from pk import base\nbase.more = 1\n",
           "from pk.base import Plain\nfor one in (Plain,):\n    one.x = 1\n",
           "from pk import base\nfor one in [base.known]:\n    one.append(1)\n",
           "from pk.base import Plain\ndef add(*classes):\n    def wrap(f):\n"
           "        for one in classes:\n            setattr(one, 'x', f)\n"
           "    return wrap\n@add(Plain)\ndef f():\n    pass\n",
           "from pk import base\nfirst = base.known[0]\nfirst.x = 1\n",
           "import sys\nsys.path.insert(0, 'x')\n",
           "import sys\nsys.meta_path.append(1)\n",
           "import sys\nclass Finder:\n    def install(self):\n"
           "        sys.meta_path.append(self)\nFinder().install()\n",
           "print('here')\n",
           "import warnings\nwarnings.warn('old')\n",
           "import atexit\natexit.register(print)\n",
           "import warnings\nwarnings.simplefilter('ignore')\n",
           "import os\nos.environ['X'] = '1'\n"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """package(body): the effects of pk.mod with that body."""
    monkeypatch.setattr(sources, "D", str(tmp_path))
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk" / "__init__.py").write_text("")
    (tmp_path / "pk" / "base.py").write_text(BASE)

    def effects(body):
        (tmp_path / "pk" / "mod.py").write_text(body)
        names.mod.cache_clear()
        return purity.effects("pk.mod")

    yield effects
    names.mod.cache_clear()


@pytest.mark.parametrize("body", FREE)
def test_free(package, body):
    assert package(body) == []


@pytest.mark.parametrize("body", CHANGES)
def test_changes(package, body):
    assert package(body) != []


def test_conditions_and_cycles(package, tmp_path):
    package("import sys\nif sys.platform == 'linux':\n    import pk.base\n"
            "if input:\n    import pk.loud\n")
    (tmp_path / "pk" / "loud.py").write_text("print('loud')\n"
                                             "import sys\nsys.x = 1\n")
    (tmp_path / "pk" / "one.py").write_text("import pk.two\n")
    (tmp_path / "pk" / "two.py").write_text("import pk.one\n")
    rows = {row[0]: row for row in record.read("pk")}
    assert rows["pk.base"][3] == "free"
    assert rows["pk.loud"][3] == "effects"
    assert rows["pk.mod"][5] == "what it imports under a condition has effects"
    assert rows["pk.one"][5] == "stands in a cycle of imports"
    assert rows["pk.mod"][4] == ["pk", "pk.base"]


@pytest.mark.parametrize("package_name", ["flask", "werkzeug", "tornado"])
def test_record_is_no_bolder_than_the_reader(package_name):
    recorded = {line.split("\t")[0]: line.split("\t") for line in
                (record.RECORDS / f"{package_name}.tsv").read_text()
                .splitlines()}
    found = {row[0]: row for row in record.read(package_name)}
    if any(name not in found or int(row[2]) != found[name][2]
           for name, row in recorded.items()):
        pytest.skip(f"another {package_name} is installed, or none")
    assert [name for name, row in recorded.items()
            if row[3] == "free" and found[name][3] != "free"] == []


@pytest.mark.parametrize("package_name", ["click", "flask", "werkzeug",
                                          "tornado"])
def test_bytecode_is_no_bolder_than_the_record(package_name):
    recorded, found, bolder = bodies.compare(package_name)
    if not recorded:
        pytest.skip(f"another {package_name} is installed, or none")
    known = bodies.explained()
    assert [row for row in bolder if row[0] not in known] == []
    agreed = [name for name, (free, _) in recorded.items()
              if free and found[name][0]]
    assert len(agreed) * 3 > len(recorded)
