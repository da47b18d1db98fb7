"""DESIGN 5, step 1: what is reloaded, and whether its source has changed."""

from reloading import program  # noqa: F401 (a fixture)


def test_same_size_edit_within_a_second_runs_the_new_code(program):
    program("VALUE = 1", """
mod = load()
for value in range(2, 10):
    edit(f"VALUE = {value}")
    reload()
    assert mod.VALUE == value
""")


def test_bytecode_is_not_trusted(program):
    program("VALUE = 1", """
import py_compile
stat = os.stat(os.path.join(FOLDER, "mod.py"))
mod = load()
path = edit("VALUE = 2")
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
py_compile.compile(path)
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
path = edit("VALUE = 3")
os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
reload(force=True)
assert mod.VALUE == 3
""")


def test_an_unchanged_file_is_left_alone(program):
    program("RUNS = []", """
age()
mod = load()
runs = mod.RUNS
result = reload("unchanged")
assert mod.RUNS is runs and result["pause_ns"] == 0
edit("RUNS = [1]")
reload()
reload("unchanged")
edit("RUNS = [1]")  # another file of the same text
reload("unchanged")
reload("applied", force=True)
""")


def test_an_edit_that_keeps_size_and_mtime_counts(program):
    program("VALUE = 1", """
age()
mod = load()
path = os.path.join(FOLDER, "mod.py")
before = os.stat(path)
edit("VALUE = 2")
age()
while os.stat(path).st_ctime_ns == before.st_ctime_ns:
    age()  # a tick of the kernel's clock
after = os.stat(path)
assert (after.st_mtime_ns, after.st_size, after.st_ino) == (
    before.st_mtime_ns, before.st_size, before.st_ino)
reload()
assert mod.VALUE == 2
""")


def test_change_between_load_and_reload_counts_even_where_the_body_did_it(
        program):
    program("import help\nhelp.edit('VALUE = 2')\nVALUE = 1\n", """
age()
mod = load()
assert mod.VALUE == 1
reload()
assert mod.VALUE == 2
""")


def test_refused(program):
    program("__reload__ = False", """
import py_compile
import types
py_compile.compile(edit("X = 1", "source.py"), os.path.join(FOLDER,
                                                            "bare.pyc"))
load("_json")
load("pkg.space")
load("replaced")
load("bare")
load()
sys.modules["made"] = types.ModuleType("made")
words = {"sys": "built into", "_json": "extension",
         "__main__": "program itself", "pkg": "namespace",
         "mod": "__reload__", "replaced": "another object",
         "made": "no import spec", "bare": "bytecode"}
if os.__spec__.origin == "frozen":  # a debug build freezes nothing
    words["os"] = "frozen"
for name, word in words.items():
    result = reload("refused", name)
    assert word in result["text"], (name, result)
""", files={
        "pkg/space.py": "",
        "replaced.py": "import sys\nsys.modules[__name__] = object()\n",
    })


def test_loader_with_a_way_of_its_own_is_refused(program):
    program("", """
import importlib.machinery
import importlib.util


class Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        module.VALUE = "its own"


path = os.path.join(FOLDER, "mod.py")
spec = importlib.util.spec_from_file_location("own", loader=Loader("own",
                                                                   path))
sys.modules["own"] = own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
assert "own way" in reload("refused", "own")["text"]
assert own.VALUE == "its own"
""")


def test_source_whose_name_does_not_say_so(program):
    program("", """
import importlib.machinery
import importlib.util
path = edit("def f(): return 1", "script")
loader = importlib.machinery.SourceFileLoader("script", path)
spec = importlib.util.spec_from_file_location("script", loader=loader)
sys.modules["script"] = script = importlib.util.module_from_spec(spec)
loader.exec_module(script)
f = script.f
edit("def f(): return 2", "script")
reload(name="script")
assert script.f is f and f() == 2
""")


def test_fork_during_a_reload(program):
    program("", """
mod = load()
edit('''
    import os, sys, threading
    import help
    def fork():
        pid = os.fork()
        if pid == 0:  # this process reloads nothing
            with open(__file__, "w") as file:
                file.write("x = 1")
            verdict = help.lazycore.reload(__name__)["verdict"]
            os._exit(0 if verdict == "applied" else 1)
        global status
        status = os.waitpid(pid, 0)[1]
    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
''')
reload()
assert mod.status == 0
""")


def test_not_loaded(program):
    program("VALUE = 1", """
import mod
import xml.dom.minidom
assert "first use" in reload("not_loaded")["text"]
assert "mod" not in sys.modules
reload("not_loaded", "xml.dom.minidom")
reload("not_loaded", "xml.sax.saxutils")  # no one imports it
assert "xml" not in sys.modules
edit("VALUE = 2")
assert mod.VALUE == 2
for name in ("nowhere", "xml.nowhere", "mod.sub", "", ".", "a..b", "mod."):
    try:
        lazycore.reload(name)
    except ImportError as error:
        assert name in str(error)
    else:
        raise AssertionError(name)
""")


def test_a_module_is_reloaded_once_at_a_time(program):
    program("", """
mod = load()
edit("import help\\nRESULT = help.lazycore.reload(__name__)")
reload()
assert mod.RESULT["verdict"] == "inconclusive", mod.RESULT
edit("x = 1")
reload()
""")


def test_pending_names_of_the_module(program):
    program("import json\nimport colorsys\ndef f(): return json.dumps(1)\n",
            """
mod = load()
assert set(lazycore.pending(mod)) == {"json", "colorsys"}
edit("import json\\ndef f(): return json.dumps(2)\\n")
reload()
assert "colorsys" not in sys.modules
assert mod.f() == "2" and mod.json is sys.modules["json"]
edit("json = 5\\ndef f(): return json\\n")
reload()
assert mod.f() == 5 and mod.json == 5
assert mod.colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
""")


def test_package_with_relative_imports(program):
    program("", """
pkg = load("pkg")
assert pkg.value() == 1
edit("from . import one, two\\nfrom .one import VALUE\\n"
     "def value(): return VALUE + two.VALUE\\n", "pkg/__init__.py")
reload(name="pkg")
assert pkg.value() == 3 and pkg.two is sys.modules["pkg.two"]
edit("VALUE = 10", "pkg/one.py")
reload(name="pkg.one")
assert pkg.one.VALUE == 10
""", files={"pkg/one.py": "VALUE = 1", "pkg/two.py": "VALUE = 2",
            "pkg/__init__.py": "from . import one\n"
                               "def value(): return one.VALUE\n"})


def test_module_in_a_zip(program):
    program("", """
import zipfile


def pack(value, more=""):
    with zipfile.ZipFile("lib.zip", "w") as archive:
        archive.writestr("before.py", "#" * 50 * value + more)
        archive.writestr("zipped.py", f"def f(): return {value}")


pack(1)
sys.path.insert(0, "lib.zip")
zipped = load("zipped")
f = zipped.f
assert f() == 1
pack(2)
reload(name="zipped")
assert f() == 2
reload("unchanged", "zipped")
pack(3, "#more")
reload(name="zipped")
assert f() == 3
os.unlink("lib.zip")
reload("failed", "zipped")
assert f() == 3
""")


def test_file_is_gone(program):
    program("def f(): return 1", """
mod = load()
os.unlink(os.path.join(FOLDER, "mod.py"))
assert "FileNotFoundError" in reload("failed")["text"]
assert mod.f() == 1
""")


def test_registry_counts_reloads_and_failures(program):
    program("x = 1", """
load()
edit("x = 2")
reload()
edit("x = ")
reload("failed")
assert lazycore.show("mod")["failures"] == 1
assert "SyntaxError" in lazycore.show("mod")["last_error"]
assert lazycore.stats()["failed"] == 1
before = lazycore.stats()["loads"]
edit("x = 3")
reload()
assert lazycore.stats()["loads"] == before + 1
assert lazycore.stats()["failed"] == 0
""")
