"""Reload beside the public tools, trap by trap: importlib.reload, IPython's
autoreload and lazyd, each in a fresh interpreter.

    /usr/bin/python3 tests/bench/reload_peers.py --lazycore build/dev/lazycore

prints the table of the README. Every cell is what the program found, in its
own words: "ok", or what went wrong. autoreload is its ModuleReloader, told to
look at every module, as `%autoreload 2` does before each cell; it is left out
where IPython is not installed. --reloads says how many the trap of readers
makes.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = {"importlib": "importlib.reload", "autoreload": "autoreload",
         "lazyd": "lazyd"}

# edit() gives every version another second, as long as nothing else is said:
# what a tool makes of a good stamp is not to hide the rest.
BEGIN = """
import contextlib, gc, importlib, io, json, os, sys, threading, time, weakref
FOLDER = os.path.dirname(os.path.abspath(__file__))
TOOL, RELOADS = sys.argv[1], int(sys.argv[2])
sys.path.insert(0, FOLDER)
stamp = [time.time() - 1000]
told = []  # of what is registered once more

def edit(text, name="mod", stamped=True):
    path = os.path.join(FOLDER, name + ".py")
    with open(path, "w") as file:
        file.write(text)
    if stamped:
        stamp[0] += 2
        os.utime(path, (stamp[0], stamp[0]))

load = importlib.import_module
if TOOL == "lazyd":
    import lazycore
    lazycore.install()
    def reload(name="mod"):
        result = lazycore.reload(name)
        told.extend(result["again"])
        return result["verdict"], result["text"]
elif TOOL == "autoreload":
    from IPython.extensions.autoreload import ModuleReloader
    reloader = ModuleReloader()
    def reload(name="mod"):
        out = io.StringIO()
        with contextlib.redirect_stderr(out), contextlib.redirect_stdout(out):
            reloader.check(check_all=True)
        failed = "failed" in out.getvalue()
        return "failed" if failed else "applied", out.getvalue()
else:
    def reload(name="mod"):
        try:
            importlib.reload(sys.modules.get(name) or name)
        except Exception as error:
            return "failed", f"{type(error).__name__}: {error}"
        return "applied", ""

def ready():
    if TOOL == "autoreload":
        reloader.check(check_all=True)  # notes what is there

def say(words):
    print(json.dumps(words))

def wrong(*pairs):
    found = [text for bad, text in pairs if bad]
    say("ok" if not found else "; ".join(found))
"""

TRAPS = [
    ("a body that fails half-way", """
edit("A = 1\\ndef f(): return A, B\\nB = 1\\n")
mod = load("mod")
ready()
edit("A = 2\\ndef f(): return B, A\\n1 / 0\\nB = 2\\n")
reload()
wrong((mod.f() != (1, 1), f"runs a mix: f() is {mod.f()}"))
"""),
    ("what it had registered", """
edit("TABLE = {}\\n", "routes")
edit("import routes\\ndef index(): return N\\nroutes.TABLE['/'] = index\\n"
     "N = 1\\n")
mod, routes = load("mod"), load("routes")
ready()
edit("import routes\\ndef index(): return missing\\n"
     "routes.TABLE['/'] = routes.TABLE['/new'] = index\\n1 / 0\\n")
reload()
try:
    found = routes.TABLE["/"]() != 1 and "another answer"
except NameError:
    found = "the table serves the failed code"
wrong((found, found), ("/new" in routes.TABLE, "a new entry stays"))
"""),
    ("names deleted from the source", """
edit("gone = 1\\ndef old(): pass\\nclass C:\\n    def m(self): pass\\n")
mod = load("mod")
ready()
edit("new = 1\\nclass C: pass\\n")
reload()
wrong((hasattr(mod, "gone") or hasattr(mod, "old"), "stay in the module"),
      (hasattr(mod.C, "m"), "stay in the class"))
"""),
    ("names that others imported", """
edit("LIMIT = 1000\\ndef f(): return 1\\nclass C: n = 1\\n"
     "CONFIG = {'n': 1}\\n")
edit("from mod import LIMIT, f, C, CONFIG\\n", "user")
mod, user = load("mod"), load("user")
ready()
edit("LIMIT = 2000\\ndef f(): return 2\\nclass C: n = 2\\n"
     "CONFIG = {'n': 2}\\n")
reload()
stale = [name for name, good in (
    ("function", user.f() == 2), ("class", user.C.n == 2),
    ("number", user.LIMIT == 2000), ("object", user.CONFIG["n"] == 2))
    if not good]
wrong((stale, "stale: " + ", ".join(stale)))
"""),
    ("identity of classes", """
edit("import enum\\nclass C:\\n    def n(self): return 1\\n"
     "class E(Exception): pass\\nclass Color(enum.Enum):\\n    RED = 1\\n"
     "def fail(): raise E\\n")
mod = load("mod")
c, E, fail, red, bound = mod.C(), mod.E, mod.fail, mod.Color.RED, mod.C().n
ready()
edit(open(mod.__file__).read().replace("return 1", "return 2") + "x = 1\\n")
reload()
def caught():
    try:
        mod.fail()
    except E:
        return True
    except Exception:
        return False
wrong((not isinstance(c, mod.C), "isinstance"), (not caught(), "except"),
      (mod.Color.RED is not red, "enum members"), (bound() != 2, "bound methods"))
"""),
    ("super() in old instances", """
edit("class A:\\n    def f(self): return 1\\n"
     "class B(A):\\n    def f(self): return super().f() + 1\\n")
mod = load("mod")
b = mod.B()
ready()
edit("class A:\\n    def f(self): return 10\\n"
     "class B(A):\\n    def f(self): return super().f() + 10\\n")
reload()
try:
    found = b.f() != 20 and f"old code: {b.f()}"
except TypeError as error:
    found = "TypeError"
wrong((found, found))
"""),
    ("double registration", """
edit("ITEMS, BY_CLASS = [], {}\\ndef add(c):\\n"
     "    BY_CLASS[c] = c.__name__\\n    if c not in ITEMS: ITEMS.append(c)\\n"
     "    return c\\n", "registry")
edit("import registry\\n@registry.add\\nclass Plugin: pass\\n")
registry, mod = load("registry"), load("mod")
ready()
for n in range(3):
    edit(f"import registry\\n@registry.add\\nclass Plugin: n = {n}\\n")
    reload()
wrong((len(registry.BY_CLASS) > 1, f"{len(registry.BY_CLASS)} keys"),
      (len(registry.ITEMS) > 1, f"{len(registry.ITEMS)} in a list"
       + (", which is told" if len(told) == 3 else "")),
      (mod.Plugin not in registry.BY_CLASS, "the live class is in none"))
"""),
    ("same-size edit within a second", """
edit("VALUE = 1\\n", stamped=False)
mod = load("mod")
ready()
edit("VALUE = 2\\n", stamped=False)
os.utime(mod.__file__, (int(time.time()) + 0.25,) * 2)
reload()
first = mod.VALUE
edit("VALUE = 3\\n", stamped=False)
os.utime(mod.__file__, (int(os.stat(mod.__file__).st_mtime) + 0.75,) * 2)
reload()
wrong((mod.VALUE != 3, f"runs version {mod.VALUE} of 3"))
"""),
    ("generations pinned in 20 reloads", """
text = ("class Data:\\n    n = %d\\nBLOCK = bytes(100000)\\n"
        "def f(): return Data()\\n")
edit(text % 0)
mod = load("mod")
ready()
live = [mod.f()]  # one instance of each, as a cache has them
for n in range(1, 21):
    edit(text % n)
    reload()
    live.append(mod.f())
gc.collect()
classes = {id(type(one)) for one in live}
old = sum(one.n != 20 for one in live)
wrong((len(classes) > 1, f"{len(classes)} classes live on"),
      (old, f"{old} instances run old code"))
"""),
    ("an extension", """
load("_json")
ready()
verdict, text = reload("_json")
wrong((verdict == "applied" and not text, "does nothing and does not say so"),
      (verdict == "failed", text))
"""),
    ("a module that is not loaded", """
edit("VALUE = 1\\n")
ready()
verdict, text = reload("mod")
say("ok" if "mod" not in sys.modules and verdict != "failed" else text)
"""),
    ("8 readers, 0.5 ms of I/O in the body", """
edit("import time\\nFIRST = 0\\ntime.sleep(0.0005)\\nSECOND = 0\\n")
mod = load("mod")
ready()
stop, counts = threading.Event(), [[0, 0, 0] for _ in range(8)]
def read(count):
    while not stop.is_set():
        try:
            count[1] += mod.FIRST != mod.SECOND
        except AttributeError:
            count[2] += 1
        count[0] += 1
        time.sleep(0)
threads = [threading.Thread(target=read, args=(c,), daemon=True)
           for c in counts]
for thread in threads:
    thread.start()
for n in range(1, RELOADS + 1):
    edit(f"import time\\nFIRST = {n}\\ntime.sleep(0.0005)\\nSECOND = {n}\\n")
    reload()
stop.set()
for thread in threads:
    thread.join()
reads, mixed, missing = (sum(c[i] for c in counts) for i in range(3))
assert (mod.FIRST, mod.SECOND) == (RELOADS, RELOADS) and min(counts)[0] > 0
wrong((mixed, f"{100 * mixed / reads:.1f}% of reads see a mix"),
      (missing, f"{100 * missing / reads:.1f}% find no name"))
"""),
]


def run(tool, program, lazycore, reloads):
    """The one line of what PROGRAM found."""
    with tempfile.TemporaryDirectory() as folder:
        main = pathlib.Path(folder) / "main.py"
        main.write_text(BEGIN + textwrap.dedent(program))
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("PYTHON")}
        environment["PYTHONPATH"] = str(lazycore)
        done = subprocess.run(
            ["/usr/bin/python3", main, tool, str(reloads)], text=True,
            capture_output=True, timeout=600, env=environment, cwd=folder)
    if done.returncode != 0:
        return "the program ends: " + done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout.splitlines()[-1])


def has_ipython():
    return subprocess.run(["/usr/bin/python3", "-c", "import IPython"],
                          capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lazycore", type=pathlib.Path, required=True,
                        help="folder of the extension")
    parser.add_argument("--reloads", type=int, default=1000,
                        help="with readers (default 1000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tools = [tool for tool in TOOLS if tool != "autoreload" or has_ipython()]
    lazycore = options.lazycore.resolve()
    rows = {trap: {tool: run(tool, program, lazycore, options.reloads)
                   for tool in tools} for trap, program in TRAPS}
    if options.json:
        print(json.dumps(rows))
        return
    print("| trap | " + " | ".join(TOOLS[tool] for tool in tools) + " |")
    print("|---" * (len(tools) + 1) + "|")
    for trap, cells in rows.items():
        print(f"| {trap} | " + " | ".join(cells.values()) + " |")


if __name__ == "__main__":
    sys.exit(main())
