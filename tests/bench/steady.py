"""After the start: a loop over globals with all names bound and with one
pending, its opcodes, and requests to Flask and Django applications in the
process; plain, with lazycore and in lazyd, which both settle hot namespaces.

They run at one time, each while the others wait, in short turns and on one
processor: a ratio is the median of those within the turns, by CPU time, so
that what the machine does meanwhile hits all alike. Those of one round have
one seed of hashes. A second plain one shows what of a ratio is chance.
"""
import contextlib
import importlib.util
import json
import os
import subprocess

import common

REQUESTS = 20000
TURNS = 40 # of so many requests altogether
WAYS = ("eager", "lazycore", "lazyd", "eager again")

HEAD = """\
import sys
if sys.argv[1] == "lazycore":
    sys.path.insert(0, sys.argv[2])
    import lazycore
    lazycore.install()
elif sys.argv[1] == "lazyd":
    import lazycore
sys.path.insert(0, sys.argv[3])
"""

OPERANDS = """\
one, two, three = 1, 2, 3
def add(a, b):
    return a + b
"""

HOT = """\
import operands
from operands import one, two, add
LIMIT = 3

def loop(count):
    total = 0
    for _ in range(count):
        total = add(total, one) + two - LIMIT + operands.three
    return total
"""

PENDING = """\
import {0}

def never():
    return {0}
"""

# A module of one's own that changes nothing outside, and one that does.
FREE = """\
import dataclasses
import enum

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Item:
    name: str
    colour: Colour = Colour.RED
"""
RESTLESS = "import sys\nsys.restless = True\n"

# A line that is read is a turn; says what it took, and at the end what else.
TURN = """\
import json, time
def turns(work, last):
    for _ in sys.stdin:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        count = work()
        cpu = time.process_time_ns() - cpu
        wall = time.perf_counter_ns() - wall
        print(json.dumps([count, wall, cpu]), flush=True)
    print(json.dumps(last()))
"""

LOOP = HEAD + TURN + """\
import importlib
hot = importlib.import_module(sys.argv[4])
def work(count=200000):
    hot.loop(count)
    return count
def last():
    import dis
    pending = lazycore.pending(hot) if "lazycore" in sys.modules else []
    return [len(pending), [one.opname for one in
                           dis.get_instructions(hot.loop, adaptive=True)]]
begin = time.process_time()
while time.process_time() - begin < 1.5:
    hot.loop(20000)
turns(work, last)
"""

SERVE = HEAD + TURN + f"""\
def flask_client():
    import flask_notes
    client = flask_notes.app.test_client()
    return lambda path: client.get(path).status_code
def django_client():
    import django_notes
    import django.test
    django_notes.call_command("migrate", verbosity=0)
    client = django.test.Client(SERVER_NAME="127.0.0.1")
    return lambda path: client.get(path).status_code
get = globals()[sys.argv[4] + "_client"]()
def work(count={REQUESTS // TURNS}):
    for i in range(count):
        assert get(("/", "/health")[i % 2]) == 200
    return count
work(200)
turns(work, lambda: [len(sys.modules)])
"""


class Child:
    def __init__(self, options, folder, script, how, path, what, seed):
        program = [folder / script]
        if how == "lazyd":
            program = [options.lazyd, "-F", "--no-socket", "--app", *program,
                       "--"]
        else:
            program.insert(0, common.PYTHON)
        self.process = subprocess.Popen(
            [*program, how, options.lazycore, path, what], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**common.environment(), "PYTHONHASHSEED": str(seed)})

    def turn(self):
        """(wall, CPU) ns of each."""
        print(file=self.process.stdin, flush=True)
        count, wall, cpu = json.loads(self.process.stdout.readline())
        return wall / count, cpu / count

    def last(self):
        out, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise SystemExit(f"exit status {self.process.returncode}")
        return json.loads(out)


def in_turn(options, folder, script, path, what):
    """{way: turns of all rounds}, {way: what it said last}"""
    took = {how: [] for how in WAYS}
    for seed in range(options.rounds):
        with contextlib.ExitStack() as stack:
            children = {}
            for how in WAYS:
                children[how] = Child(options, folder, script, how, path,
                                      what, seed)
                stack.callback(children[how].process.kill)
            for number in range(TURNS):
                for at in range(len(WAYS)):
                    how = WAYS[(number + at) % len(WAYS)]
                    took[how].append(children[how].turn())
            last = {how: child.last() for how, child in children.items()}
    return took, last


def to_eager(took, how, which):
    return common.median([mine[which] / eager[which] for mine, eager
                          in zip(took[how], took["eager"])])


def loops(options, folder):
    names = {"hot": "all bound", "warm": "one of the standard library unused",
             "own": "one of our own unused",
             "effects": "one of our own that has effects unused"}
    rows = []
    for name, what in names.items():
        took, last = in_turn(options, folder, "loop.py", folder, name)
        for how in WAYS:
            pending, opcodes = last[how]
            rows.append([f"{what}, {how}",
                         *common.spread([cpu for _, cpu in took[how]]),
                         to_eager(took, how, 1), pending,
                         "same" if opcodes == last["eager"][1] else "others"])
    common.table(
        "a loop over globals, CPU ns an iteration, "
        f"{options.rounds} processes of {TURNS} turns",
        ["names", "min", "median", "max", "ratio", "pending",
         "opcodes to eager"], rows)


def applications(options, folder):
    rows = []
    for name in ("flask", "django"):
        if not importlib.util.find_spec(name):
            continue
        took, last = in_turn(options, folder, "serve.py", common.SERVICES,
                             name)
        for how in WAYS:
            rates = [[1e9 / turn[which] for turn in took[how]]
                     for which in (0, 1)]
            rows.append([f"{name} {how}", common.median(rates[0]),
                         1 / to_eager(took, how, 0), common.median(rates[1]),
                         1 / to_eager(took, how, 1), *last[how]])
    common.table(
        f"{REQUESTS} requests of an in-process client, "
        f"{options.rounds} processes of {TURNS} turns",
        ["application", "a second", "ratio", "a CPU second", "ratio",
         "modules"], rows)


@contextlib.contextmanager
def one_processor():
    """Ours and the children's, which would else be faster on one or another
    by several per cent: as much as is measured here."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(options):
    with common.folder() as folder, one_processor():
        for name, text in {
                "operands": OPERANDS, "untouched": FREE,
                "restless": RESTLESS, "hot": HOT,
                "warm": PENDING.format("difflib") + HOT,
                "own": PENDING.format("untouched") + HOT,
                "effects": PENDING.format("restless") + HOT,
                "loop": LOOP, "serve": SERVE}.items():
            (folder / f"{name}.py").write_text(text)
        loops(options, folder)
        applications(options, folder)
