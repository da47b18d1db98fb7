# needs: python3-pytest python3-pluggy python3-iniconfig
# packages: pytest _pytest pluggy iniconfig
"""A test session within a service: a folder of tests with fixtures, marks,
parameters, plug-ins, doctests and failures; hooks of our own; pluggy alone."""
import contextlib
import io
import pathlib
import re

import iniconfig
import pluggy
import pytest
import _pytest.config
from _pytest.assertion.rewrite import AssertionRewritingHook
from _pytest.mark import expression
from _pytest.monkeypatch import MonkeyPatch
from _pytest.pytester import LineMatcher
from _pytest.recwarn import WarningsRecorder
from pluggy import HookimplMarker, HookspecMarker, PluginManager

FILES = {
    "pytest.ini": "[pytest]\nmarkers = slow: slow ones\naddopts = -p no:cacheprovider"
                  "\n",
    "conftest.py": '''
import pytest
def pytest_addoption(parser):
    parser.addoption("--name", default="none")
@pytest.fixture(scope="session")
def name(request):
    yield request.config.getoption("name")
    print("torn down")
@pytest.fixture(params=[1, 2], ids=["one", "two"])
def number(request):
    return request.param
''',
    "test_some.py": '''
"""
>>> 1 + 1
2
"""
import logging, sys, warnings, unittest
import pytest
def test_name(name, number): assert name == "given" and number
@pytest.mark.parametrize("a,b", [(1, 1), pytest.param(1, 2, marks=pytest.mark.xfail)])
def test_pair(a, b): assert a == b
@pytest.mark.slow
def test_slow(): pass
@pytest.mark.skipif(True, reason="not now")
def test_skip(): pass
def test_fail(tmp_path, capsys):
    print("shown"); out = capsys.readouterr().out
    assert {"a": [1, 2, out]} == {"a": [1, 3, out]}
def test_raises():
    with pytest.raises(ValueError, match="b.d"): raise ValueError("bad")
    with pytest.warns(UserWarning): warnings.warn("w")
    assert 0.1 + 0.2 == pytest.approx(0.3)
def test_log(caplog, monkeypatch, recwarn):
    monkeypatch.setenv("X", "1"); logging.warning("hi")
    assert "hi" in caplog.text
def test_error(nofixture): pass
class TestOld(unittest.TestCase):
    def setUp(self): self.x = 1
    def test_x(self):
        with self.subTest(): self.assertEqual(self.x, 1)
''',
}


class Recorder:
    """A plug-in that keeps outcomes."""

    def __init__(self):
        self.seen = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        if report.when == "call" or report.outcome != "passed":
            self.seen.append((item.name, report.when, report.outcome))

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: item.name)


spec, impl = HookspecMarker("tiny"), HookimplMarker("tiny")


class Spec:
    @spec
    def cost(self, item):
        """The cost of an item."""

    @spec(firstresult=True)
    def first(self):
        """The first that knows."""


class Late:
    @impl(trylast=True)
    def cost(self, item):
        return 1

    @impl
    def first(self):
        return "late"


class Early:
    @impl(tryfirst=True)
    def cost(self, item):
        return len(item)

    @impl(hookwrapper=True)
    def first(self):
        outcome = yield
        outcome.force_result(outcome.get_result() + "!")


def session(*args):
    recorder, out = Recorder(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = pytest.main(list(args), plugins=[recorder])
    print(args, status, recorder.seen)
    text = re.sub(r"in \d.*s", "in S", out.getvalue())
    print("\n".join(line for line in text.splitlines() if re.match(
        r"E  |FAILED|ERROR|\d+ |=+ [0-9a-z].* in S|  <|SKIPPED|torn", line)))


for name, text in FILES.items():
    pathlib.Path(name).write_text(text)
session("-q", "--name=given", "--doctest-modules", "-rs", "test_some.py")
session("-q", "-k", "pair or slow", "-m", "not slow", "test_some.py")
session("-q", "--collect-only", "test_some.py")
session("-q", "--nothing")
session("-q", "-x", "--junitxml=o.xml", "--tb=line", "test_some.py::test_fail")
print(pathlib.Path("o.xml").read_text().count("<testcase"))
manager = PluginManager("tiny")
manager.add_hookspecs(Spec)
for plugin in (Late(), Early()):
    manager.register(plugin, type(plugin).__name__)
print(manager.hook.cost(item="abc"), manager.hook.first(), manager.has_plugin(
    "Late"), [h.plugin_name for h in manager.hook.cost.get_hookimpls()])
try:
    manager.register(Late(), "Late")
except ValueError as error:
    print(str(error)[:24])
try:
    manager.register(type("Bad", (), {"cost": impl(lambda self, x: 1)})())
except pluggy.PluginValidationError as error:
    print(type(error).__name__)
print(iniconfig.IniConfig("x.ini", "[a]\nb = 1 # c\n")["a"]["b"], expression
      .Expression.compile("a and not b").evaluate(lambda n: n == "a"))
try:
    iniconfig.IniConfig("x.ini", "[a]\n[a]")
except iniconfig.ParseError as error:
    print(error)
with MonkeyPatch.context() as patch:
    patch.setattr(pathlib.Path, "home", lambda: "patched")
    print(pathlib.Path.home())
LineMatcher(["a b", "c"]).fnmatch_lines(["a*", "c"])
print(pytest.importorskip("json").__name__, issubclass(pytest.UsageError, Exception),
      AssertionRewritingHook.__name__, WarningsRecorder.__name__, _pytest.config
      .ExitCode.OK, pytest.ExitCode(5).name)
