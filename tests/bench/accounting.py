"""What accounting adds to a load, and to what is no load.

In one process the same modules are loaded again and again, taken out of
sys.modules in between, with accounting and without it in turn: all else that
the extension does is the same in both. Loads: small modules like a service's
own, the standard library, a framework; with the heap of a small program and
with one of 200 MB. Besides loads: calls and allocations, which must not
differ. By lower quartiles, and by the median of what each turn with it took
against the one without it next to it, which the machine's other work moves
less.
"""
import json
import subprocess
import sys

import common

SMALL = 100
TURNS = {"small modules": 60, "calls": 20} # of each in a round; else:
TURNS_OF_MANY = 6
HEAPS_MB = (0, 200)

CHILD = """\
import gc, importlib, json, sys, time
import lazycore
work, heap_mb, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
keep = [[str(i) * 3 for i in range(1000)] for _ in range(heap_mb * 14)]
lazycore.install()
names = json.loads(sys.stdin.read())
kept = set(sys.modules)
def load():
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            pass
def drop():
    # What is not Python code cannot be loaded again.
    out = [name for name, module in sys.modules.items() if name not in kept
           and str(getattr(module, "__file__", "")).endswith(".py")]
    for name in out:
        del sys.modules[name]
    return len(out)
def calls(count=300000):
    for i in range(count):
        [i]; str(i)
load()
kept.update(name for name, module in sys.modules.items()
            if not str(getattr(module, "__file__", "")).endswith(".py"))
kept |= {"threading", "importlib", "weakref", "logging", "warnings"}
found = {True: [], False: []}
loads = 0
for turn in range(2 * turns + 2):
    on = bool(turn % 2)
    loads = drop()
    gc.collect(); gc.freeze(); gc.disable()
    lazycore.rule("accounting", on)
    cpu = time.process_time_ns()
    (calls if work == "calls" else load)()
    cpu = time.process_time_ns() - cpu
    gc.enable(); gc.unfreeze()
    if turn > 1:
        found[on].append(cpu)
print(json.dumps([loads, found[True], found[False]]))
"""

# What is loaded by its name, without a display, a prompt or an output.
NOT = {"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo",
       "test", "lib2to3", "distutils", "pip", "ensurepip", "__main__", "nt"}
FRAMEWORK = ["django.forms", "django.template", "django.views.generic",
             "django.db.models", "django.db.backends.sqlite3.base",
             "django.core.management", "django.test", "django.urls",
             "django.contrib.auth.hashers", "django.core.mail",
             "django.core.serializers.json", "django.utils.feedgenerator"]


def small_modules(folder):
    """Modules like those of a service: some functions, a class, constants."""
    names = []
    for i in range(SMALL):
        body = "".join(f"""
def function_{j}(first, second=None, *rest, **named):
    '''What function {j} is for.'''
    total = first if second is None else first + second
    for one in rest:
        total += one
    return total, named, "text {i} {j}"
""" for j in range(8)) + f"""
class Thing{i}:
    '''Of module {i}.'''
    kind = "kind {i}"
    def __init__(self, name):
        self.name = name
    def __repr__(self):
        return f"<{{self.name}}>"
TABLE = {{name: len(name) for name in ("a", "bc", "def", "ghij")}}
"""
        (folder / f"small_{i}.py").write_text(body)
        names.append(f"small_{i}")
    return names


def works(folder):
    yield "small modules", small_modules(folder)
    yield "standard library", sorted(
        name for name in sys.stdlib_module_names
        if not name.startswith("_") and name not in NOT)
    yield "django", FRAMEWORK


def one(options, folder, work, names, heap_mb):
    """(loads, CPU times with, without) of one process."""
    environment = {**common.environment(), "HOME": str(folder),
                   "PYTHONPATH": f"{options.lazycore}:{folder}"}
    done = subprocess.run(
        [common.PYTHON, "-c", CHILD, work, str(heap_mb),
         str(TURNS.get(work, TURNS_OF_MANY))],
        check=True, input=json.dumps(names), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env=environment)
    return json.loads(done.stdout)


def row(options, folder, work, names, heap_mb):
    with_it, without = [], []
    for _ in range(options.rounds):
        loads, on, off = one(options, folder, work, names, heap_mb)
        with_it += on
        without += off
    on, off = (common.percentile(times, .25) for times in (with_it, without))
    pairs = common.median(a / b for a, b in zip(with_it, without)) - 1
    return [work if work == "calls" else f"{work}, heap {heap_mb} MB", loads,
            off / 1e3 / max(loads, 1), (on - off) / 1e3 / max(loads, 1),
            "%+.1f %%" % ((on / off - 1) * 100), "%+.1f %%" % (pairs * 100)]


def run(options):
    with common.folder() as folder:
        rows = [row(options, folder, work, names, heap_mb)
                for work, names in works(folder) for heap_mb in HEAPS_MB]
        rows.append(row(options, folder, "calls", [], 0))
    common.table(
        "CPU time with accounting against without, in turn in one process",
        ["what", "loads", "us a load", "accounting us", "quartile", "pairs"],
        rows)
