"""verify(): what a pending module would come to, executing nothing of it.

A program imports a module, spoils it, and asks; each kind of result, and of
loader.
"""

import pytest

# `user` is eager in a main program that has changed sys.path before it.
ASK = """\
import os
import sys
import lazycore
sys.path.insert(0, os.path.abspath("lib"))
{before}
import user
{spoil}
answer = lazycore.verify({name!r})
assert {name!r} not in sys.modules, "it was executed"
for key in "status", "line", "column", "changed", "file", "text":
    print(key, answer and answer[key])
"""
LOUD = "print('executed')\nvalue = 1\n"


@pytest.fixture
def ask(lab, lazily):
    """ask(files, name, spoil): what verify() says, as a dict of text."""
    def run(files, name, spoil="", statement=None, before=""):
        files = {"lib/user.py": f"{statement or 'import ' + name}\n"
                 f"def use():\n    return {name}\n", **files}
        lines = lazily(files, ASK.format(spoil=spoil, name=name,
                                         before=before)).out.splitlines()
        return {key: value for key, _, value in
                (line.partition(" ") for line in lines)}
    return run


def test_ok(ask, lab):
    answer = ask({"lib/dep.py": LOUD}, "dep")
    assert answer == {"status": "ok", "line": "0", "column": "0",
                      "changed": "False", "text": "",
                      "file": str(lab.folder / "lib/dep.py")}
    assert (lab.folder / "lib/__pycache__").is_dir()
    assert not list((lab.folder / "lib/__pycache__").glob("dep.*"))


def test_not_pending(ask):
    answer = ask({}, "json.no", statement="import json")
    assert answer["status"] == "None"


@pytest.mark.parametrize("value", ["None", "b'dep'", "sys"])
def test_wrong_type(lazily, value):
    lazily({}, f"""\
        import sys, lazycore
        try:
            lazycore.verify({value})
        except TypeError as error:
            print(error)
        else:
            raise SystemExit("no error")
        """)


def test_missing(ask):
    answer = ask({"lib/dep.py": LOUD}, "dep", "os.unlink('lib/dep.py')")
    assert answer["status"] == "missing"
    assert "FileNotFoundError" in answer["text"]


def test_missing_though_bytecode_is_left(ask):
    """A .pyc in __pycache__ is no module without its source."""
    answer = ask({"lib/dep.py": LOUD}, "dep",
                 "import py_compile; py_compile.compile('lib/dep.py')\n"
                 "os.unlink('lib/dep.py')")
    assert answer["status"] == "missing"


def test_moved(ask, lab):
    answer = ask({"lib/dep.py": LOUD, "other/x": ""}, "dep",
                 "os.rename('lib/dep.py', 'other/dep.py')\n"
                 "sys.path.append(os.path.abspath('other'))")
    assert answer["status"] == "moved"
    assert str(lab.folder / "other/dep.py") in answer["text"]
    assert answer["file"] == str(lab.folder / "lib/dep.py")


def test_shadowed(ask, lab):
    """What the statement found is there: the first use takes that still."""
    answer = ask({"lib/dep.py": LOUD, "other/dep.py": LOUD}, "dep",
                 "sys.path.insert(0, os.path.abspath('other'))")
    assert answer["status"] == "moved"
    assert "still takes" in answer["text"]


def test_module_became_a_package(ask, lab):
    answer = ask({"lib/dep.py": LOUD}, "dep",
                 "os.mkdir('lib/dep')\n"
                 "open('lib/dep/__init__.py', 'w').close()")
    assert answer["status"] == "moved"
    assert "__init__.py" in answer["text"]


def test_not_on_the_path_any_more(ask):
    """DESIGN 4.2: a sys.path changed later changes nothing."""
    answer = ask({"lib/dep.py": LOUD}, "dep", "sys.path.clear()")
    assert answer["status"] == "ok"
    assert "no finder has it any more" in answer["text"]


@pytest.mark.parametrize("source, line, part", [
    ("x = 1\ndef f(:\n    pass\n", "2", "SyntaxError: invalid syntax"),
    ("x = 1\n\nreturn x\n", "3", "'return' outside function"),
    ("if x:\n  y\n    z\n", "3", "IndentationError"),
    ("x = '\udce9'\n", "0", "SyntaxError"),
    ("x = 1\\0\n", "0", "null"),
    ("# coding: no-such\n", "0", "SyntaxError"),
    ("(" * 300 + ")" * 300, "1", "nested"),
])
def test_broken(ask, lab, source, line, part):
    """Written after the statement, and never executed."""
    raw = source.replace("\\0", "\0").encode("utf-8", "surrogateescape")
    answer = ask({"lib/dep.py": LOUD}, "dep",
                 f"open('lib/dep.py', 'wb').write({raw!r})")
    assert answer["status"] == "broken"
    assert part in answer["text"]
    assert line == "0" or answer["line"] == line
    assert answer["file"] == str(lab.folder / "lib/dep.py")


def test_column(ask):
    answer = ask({"lib/dep.py": "value = 1 +\n"}, "dep")
    assert (answer["status"], answer["line"]) == ("broken", "1")
    assert answer["column"] == "12"
    assert answer["changed"] == "False"


def test_stale_bytecode_is_not_trusted(ask):
    """A same-size edit with the old stamp, as CPython would serve stale."""
    answer = ask({"lib/dep.py": "value = 11\n"}, "dep", """\
import py_compile
py_compile.compile("lib/dep.py")
stamp = os.stat("lib/dep.py")
open("lib/dep.py", "w").write("value = 1(\\n")
os.utime("lib/dep.py", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
""")
    assert answer["status"] == "broken"


def test_changed_and_good(ask):
    answer = ask({"lib/dep.py": LOUD}, "dep", """\
import time
soon = time.time_ns() + 10 ** 9
os.utime("lib/dep.py", ns=(soon, soon))
""")
    assert (answer["status"], answer["changed"]) == ("ok", "True")


def test_unreadable(ask):
    """A folder where the file was: root could read any file."""
    answer = ask({"lib/dep.py": LOUD}, "dep",
                 "os.unlink('lib/dep.py'); os.mkdir('lib/dep.py')")
    assert answer["status"] == "unreadable"
    assert "IsADirectoryError" in answer["text"]


def test_submodule_of_a_pending_package(ask):
    files = {"lib/pk/__init__.py": LOUD, "lib/pk/sub.py": LOUD}
    assert ask(files, "pk.sub")["status"] == "ok"
    answer = ask(files, "pk.sub", "os.unlink('lib/pk/sub.py')")
    assert answer["status"] == "missing"


@pytest.mark.parametrize("name, kind", [
    ("cmath", "built in or extension"), ("_testbuffer", "extension"),
    ("__hello__", "frozen"), ("json.tool", "source"),
    ("xml.dom", "package")])
def test_standard_library(ask, name, kind):
    assert ask({}, name, statement=f"import {name}")["status"] == "ok", kind


def test_extension(ask):
    """Nothing of it is executed, so its bytes do not matter."""
    files = {"lib/ext.so": b"\x7fELF"}
    assert ask(files, "ext")["status"] == "ok"
    answer = ask(files, "ext", "os.unlink('lib/ext.so')")
    assert answer["status"] == "missing"


def test_namespace(ask):
    files = {"lib/space/part.py": LOUD}
    assert ask(files, "space")["status"] == "ok"
    assert ask(files, "space.part")["status"] == "ok"
    answer = ask(files, "space", "os.rename('lib/space', 'lib/gone')")
    assert answer["status"] == "missing"


def test_bytecode_only(ask, lab):
    lab.write({"lib/dep.py": LOUD, "make.py": """\
        import os, py_compile
        py_compile.compile("lib/dep.py", "lib/dep.pyc")
        os.unlink("lib/dep.py")
        """})
    assert lab.run("eager", "make.py").status == 0
    assert ask({}, "dep")["status"] == "ok"
    answer = ask({}, "dep", "open('lib/dep.pyc', 'wb').write(b'nothing')")
    assert answer["status"] == "unreadable"
    assert "magic" in answer["text"]


def test_zip(ask, lab):
    lab.zip("lib.zip", {"dep.py": LOUD})
    before = 'sys.path.insert(0, "lib.zip")'
    assert ask({}, "dep", before=before)["status"] == "ok"
    answer = ask({}, "dep", before=before, spoil="""\
data = open("lib.zip", "rb").read()
open("lib.zip", "wb").write(data.replace(b"value = 1", b"value = ("))
""")
    assert (answer["status"], answer["line"]) == ("broken", "2")
    lab.zip("lib.zip", {"dep.py": LOUD})
    answer = ask({}, "dep", before=before, spoil="os.unlink('lib.zip')")
    assert answer["status"] in ("missing", "unreadable")


LOADER = """
import importlib.machinery
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "made":
            return importlib.machinery.ModuleSpec(name, Loader())
class Loader:
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        print("executed")
"""


@pytest.mark.parametrize("get_code, status, part", [
    ("", "ok", "does not show its code"),
    ("return compile('x = 1', name, 'exec')", "ok", ""),
    ("return compile('x = = 1', name, 'exec')", "broken", "SyntaxError"),
    ("raise ImportError('no more')", "unreadable", "no more"),
    ("raise ZeroDivisionError('odd')", "unreadable", "odd"),
])
def test_other_loaders(ask, get_code, status, part):
    """Whatever a loader raises is its own trouble, not the program's."""
    loader = LOADER
    if get_code:
        loader += f"    def get_code(self, name):\n        {get_code}\n"
    loader += "sys.meta_path.append(Finder)"
    answer = ask({}, "made", before=loader)
    assert answer["status"] == status
    assert part in answer["text"]


@pytest.mark.parametrize("thread, status", [("main", 3), ("other", 0)])
def test_exception_of_a_signal_handler(lazily, thread, status):
    """One that is no Exception goes on soon, where it may be a handler's."""
    ask = "print(lazycore.verify('made')['text'])"
    lazily({"user.py": "import made\ndef use():\n    return made\n"},
           LOADER + f"""\
    def get_code(self, name):
        raise SystemExit(3)
import sys
sys.meta_path.append(Finder)
import threading
import lazycore
import user
def ask():
    {ask}
    {ask}
if {thread!r} == "main":
    ask()
else:
    started = threading.Thread(target=ask)
    started.start()
    started.join()
""", status=status)
