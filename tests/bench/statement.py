"""The price of one deferred import statement, beside an eager one and
importlib.util.LazyLoader; of further names; of pending names in bytes; and of
the first use. Once with what this machine's .pth files put on sys.meta_path,
which is asked each time however one imports, and once without."""
import json
import os
import subprocess

import common

USERS, EACH = 40, 20
NAMES, TOGETHER = 100, 20

# What a run does: sys.argv is how, the extension's folder, the module.
RUN = """\
import ctypes, importlib, json, os, sys, types
if sys.argv[1] == "lazycore":
    sys.path.insert(0, sys.argv[2])
    import lazycore
    lazycore.install()
sys.path.insert(0, os.getcwd())
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks "
        "fordblks keepcost").split()]
libc.mallinfo2.restype = Info
def used():
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd
from time import thread_time_ns as clock
took = first = memory = 0
for name in sys.argv[3:]:
    before = used()
    user = importlib.import_module(name)
    memory += used() - before
    took += user.end - user.begin
    begin = clock()
    user.use()
    first += clock() - begin
print(json.dumps([took, first, memory]))
"""

CLOCK = "from time import thread_time_ns as clock\n"

LAZYLOADER = """\
import importlib.util, sys
def lazy(name):
    spec = importlib.util.find_spec(name)
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
"""

BODY = """\
import os


def one(a, b=1):
    return a + b


class Two:
    x = 1

    def three(self):
        return self.x
"""


def timed(lines):
    return CLOCK + "begin = clock()\n" + "".join(lines) + "end = clock()\n"


def write_user(folder, number):
    names = [f"mod{number}_{n}" for n in range(EACH)]
    for name in names:
        (folder / f"{name}.py").write_text(BODY)
    use = ("def use():\n    for m in (" + ", ".join(names)
           + "):\n        m.one\n")
    (folder / f"imports{number}.py").write_text(
        timed(f"import {name}\n" for name in names) + use)
    (folder / f"loaders{number}.py").write_text(
        "from lazyloader import lazy\n"
        + timed(f"{name} = lazy({name!r})\n" for name in names) + use)
    (folder / f"empty{number}.py").write_text(
        timed([]) + "def use():\n    pass\n")


def write_further(folder, number):
    many = [f"name{n}" for n in range(NAMES)]
    wide = f"wide{number}"
    (folder / f"{wide}.py").write_text(
        "zero = 1\n" + "".join(f"{name} = 1\n" for name in many))
    (folder / f"further{number}.py").write_text(
        f"from {wide} import zero\n"
        + timed(f"from {wide} import {', '.join(many[n:n + TOGETHER])}\n"
                for n in range(0, NAMES, TOGETHER))
        + f"def use():\n    return zero, {', '.join(many)}\n")


def write(folder):
    (folder / "run.py").write_text(RUN)
    (folder / "lazyloader.py").write_text(LAZYLOADER)
    for number in range(USERS):
        write_user(folder, number)
        write_further(folder, number)


def run_one(options, folder, how, names, malloc, flags):
    environment = common.environment()
    if malloc:
        environment["PYTHONMALLOC"] = "malloc"
    done = subprocess.run(
        [common.PYTHON, *flags, "run.py", how, options.lazycore, *names], cwd=folder,
        check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout)


def users(kind):
    return [f"{kind}{number}" for number in range(USERS)]


def measure(options, folder, cases, flags=()):
    found = {key: [] for key in cases}
    for number in range(options.rounds + 1):
        for key, (how, names, malloc) in cases.items():
            answer = run_one(options, folder, how, names, malloc, flags)
            if number:  # the first round writes the .pyc
                found[key].append(answer)
        os.utime(folder, (1, 1))  # a program's are older than some seconds
    return found


def ratio(values, peers):
    """Round by round: the processor has more than one speed."""
    return common.median([value / peer for value, peer in zip(values, peers)])


def statements(options, folder, what, flags):
    found = measure(options, folder, {
        "eager": ("eager", users("imports"), False),
        "LazyLoader": ("eager", users("loaders"), False),
        "lazycore": ("lazycore", users("imports"), False),
        "nothing, eager": ("eager", users("empty"), False),
        "nothing, lazycore": ("lazycore", users("empty"), False)}, flags)
    count = USERS * EACH * 1e3
    cost, first = {}, {}
    for key in ("eager", "LazyLoader", "lazycore"):
        floor = "nothing, lazycore" if key == "lazycore" else "nothing, eager"
        less = common.median([row[0] for row in found[floor]])
        cost[key] = [(row[0] - less) / count for row in found[key]]
        first[key] = [row[1] / count for row in found[key]]
    both = {key: [sum(pair) for pair in zip(cost[key], first[key])]
            for key in cost}
    rows = []
    for key, values in cost.items():
        rows.append([key, *common.spread(values),
                     ratio(values, cost["LazyLoader"]),
                     *common.spread(first[key]),
                     ratio(first[key], cost["eager"]),
                     ratio(both[key], cost["eager"])])
    common.table(
        f"import of a module not met before, {what}, CPU us; {EACH} in each of "
        f"{USERS} modules, {options.rounds} rounds in turn",
        ["statement", "us min", "median", "max", "to LazyLoader",
         "first use CPU us min", "median", "max", "to a plain import",
         "both to it"], rows)


def further(options, folder):
    found = measure(options, folder, {
        (how, malloc): (how, users("further"), malloc)
        for how in ("eager", "lazycore") for malloc in (False, True)})
    plain = common.median([row[2] for row in found["eager", True]])
    plain /= USERS * NAMES
    rows = []
    for how in ("eager", "lazycore"):
        values = [row[0] / (USERS * NAMES) / 1e3 for row in found[how, False]]
        memory = [row[2] / (USERS * NAMES) for row in found[how, True]]
        rows.append([how, *common.spread(values), *common.spread(memory),
                     common.median(memory) - plain])
    common.table(
        f"further names of a module, {TOGETHER} a statement, {NAMES} in each "
        f"of {USERS} modules, "
        f"{options.rounds} rounds in turn; bytes with PYTHONMALLOC=malloc "
        "(both with the modules', as far as they have run)",
        ["name", "CPU us min", "median", "max", "bytes min", "median", "max",
         "more than eager"], rows)


def run(options):
    with common.folder() as folder:
        write(folder)
        statements(options, folder, "sys.meta_path as here", [])
        statements(options, folder, "importlib's finders alone", ["-S"])
        further(options, folder)
