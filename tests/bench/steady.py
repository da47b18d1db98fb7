"""After the start: a loop over globals with all names bound and with one
pending, its opcodes, and requests to Flask and Django applications in the
process; plain, with lazycore and in lazyd, which settles hot namespaces."""
import importlib.util
import json
import subprocess

import common

REQUESTS = 20000
WAYS = ("eager", "lazycore", "lazyd")

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

LOOP = HEAD + """\
import importlib, time
hot = importlib.import_module(sys.argv[4])
begin = time.process_time()
while time.process_time() - begin < 1.5:
    hot.loop(20000)
took = []
for _ in range(7):
    begin = time.process_time_ns()
    hot.loop(100000)
    took.append((time.process_time_ns() - begin) / 100000)
pending = lazycore.pending(hot) if sys.argv[1] != "eager" else []
import dis, json
opcodes = [one.opname for one in dis.get_instructions(hot.loop, adaptive=True)]
print(json.dumps([min(took), pending, opcodes]))
"""

SERVE = HEAD + f"""\
import importlib, time
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
def requests(count):
    for i in range(count):
        assert get(("/", "/health")[i % 2]) == 200
requests(200)
begin, cpu = time.perf_counter(), time.process_time()
requests({REQUESTS})
wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
import json
print(json.dumps([{REQUESTS} / wall, {REQUESTS} / cpu, len(sys.modules)]))
"""


def child(options, folder, script, how, path, what):
    program = [folder / script]
    if how == "lazyd":
        program = [options.lazyd, "-F", "--no-socket", "--app", *program, "--"]
    else:
        program.insert(0, common.PYTHON)
    done = subprocess.run(
        [*program, how, options.lazycore, path, what],
        check=True, stdout=subprocess.PIPE, text=True,
        env=common.environment())
    return json.loads(done.stdout)


def in_turn(options, folder, script, path, names):
    found = {(name, how): [] for name in names
             for how in WAYS}
    for number in range(options.rounds + 1):
        for (name, how), answers in found.items():
            answer = child(options, folder, script, how, path, name)
            if number:  # the first round writes the .pyc
                answers.append(answer)
    return found


def loops(options, folder):
    names = {"hot": "all bound", "warm": "one of the standard library unused",
             "own": "one of our own unused",
             "effects": "one of our own that has effects unused"}
    found = in_turn(options, folder, "loop.py", folder, names)
    rows = []
    for (name, how), answers in found.items():
        values = [row[0] for row in answers]
        base = common.median([row[0] for row in found[name, "eager"]])
        same = all(row[2] == found[name, "eager"][0][2] for row in answers)
        rows.append([f"{names[name]}, {how}",
                     *common.spread(values), common.median(values) / base,
                     len(answers[0][1]), "same" if same else "others"])
    common.table(
        "a loop over globals, CPU ns an iteration, "
        f"{options.rounds} rounds in turn",
        ["names", "min", "median", "max", "ratio", "pending",
         "opcodes to eager"], rows)


def applications(options, folder):
    names = [name for name in ("flask", "django")
             if importlib.util.find_spec(name)]
    found = in_turn(options, folder, "serve.py", common.SERVICES, names)
    rows = []
    for (name, how), answers in found.items():
        wall, cpu, modules = zip(*answers)
        base = [common.median([row[n] for row in found[name, "eager"]])
                for n in (0, 1)]
        rows.append([f"{name} {how}", *common.spread(wall),
                     common.median(wall) / base[0], *common.spread(cpu),
                     common.median(cpu) / base[1], max(modules)])
    common.table(
        f"requests a second of an in-process client, {REQUESTS} a run, "
        f"{options.rounds} rounds in turn",
        ["application", "min", "median", "max", "ratio",
         "a CPU second min", "median", "max", "ratio", "modules"], rows)


def run(options):
    with common.folder() as folder:
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
