"""Services from start to first answer, under python3 and under lazyd: the
time and CPU time it takes, the memory that is the process's own
(Private_Dirty), and how many modules had run by then."""
import importlib.util
import json
import subprocess
import time
import urllib.request

import common

SCRIPTS = ("service.py", "flask_notes.py", "django_notes.py",
           "sqlalchemy_notes.py", "sympy_notes.py", "tornado_notes.py")
PATIENCE = 120


class Breaks(Exception):
    """The service does not get as far as a right first answer."""


def installed():
    """The services whose packages this Python has."""
    return [script for script in SCRIPTS if script == "service.py" or
            importlib.util.find_spec(script.removesuffix("_notes.py"))]


def arguments(script, port_file):
    return ([port_file] if script != "service.py" else
            ["--port", "0", "--port-file", port_file])


def wait_for(path, process):
    until = time.monotonic() + PATIENCE
    while not path.exists():
        if process.poll() is not None:
            raise Breaks(f"{process.args} ended")
        if time.monotonic() > until:
            raise Breaks(f"{process.args} serves nothing")
        time.sleep(0.0005)
    return int(path.read_text())


def ask(port):
    try:
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/health", timeout=PATIENCE) as answer:
            if not json.load(answer)["ok"]:
                raise Breaks("the answer is wrong")
    except OSError as error:
        raise Breaks(f"no answer: {error}")


def cpu_ms(pid):
    """Of all the process's threads, through its CPU clock's number."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e6


def first_answer(command, port_file, environment, after=None,
                 errors=subprocess.DEVNULL):
    """(ms, CPU ms, MB) of one start; after(process) may look at the service
    before it is ended again."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command],
                               stdout=subprocess.DEVNULL, env=environment,
                               stderr=errors)
    try:
        ask(wait_for(port_file, process))
        took = (time.perf_counter() - begin) * 1e3
        found = took, cpu_ms(process.pid), common.private_dirty_mb(process.pid)
        if after is not None:
            after(process)
        return found
    finally:
        process.terminate()
        process.wait()
        port_file.unlink(missing_ok=True)


def reals(options, folder, path, words, port_file):
    """How many modules had run at the first answer under lazyd."""
    with common.service(options, folder, path, *words) as socket:
        ask(int(port_file.read_text()))
        done = subprocess.run(
            [options.lazyctl, "-s", socket, "--json", "stats"],
            stdout=subprocess.PIPE, check=True)
    port_file.unlink(missing_ok=True)
    modules = json.loads(done.stdout)["modules"]
    ran = sum(modules[key] for key in
              ("reals", "eager", "ignored", "existing", "lost"))
    return [ran, modules["proxies"]]


def measure(options, script, folder):
    port_file = folder / "port"
    path, words = common.SERVICES / script, arguments(script, port_file)
    host = [options.lazyd, "-F", "--no-socket", "--app", path, "--", *words]
    commands = {"python3": [common.PYTHON, path, *words],
                "lazyd --lazy=off": [host[0], "--lazy=off", *host[1:]],
                "lazyd": host}
    environment = {**common.environment(), "HOME": str(folder)}
    found = {key: [] for key in commands}
    common.settle()
    for number in range(options.rounds + 1):
        for key, command in commands.items():
            answer = first_answer(command, port_file, environment)
            if number:  # the first round warms the caches
                found[key].append(answer)
    base = [common.median(column) for column in zip(*found["python3"])]
    rows = []
    for key, answers in found.items():
        took, cpu, memory = zip(*answers)
        rows.append([f"{script} {key}", *common.spread(took),
                     common.median(took) / base[0], *common.spread(cpu),
                     common.median(cpu) / base[1], common.median(memory),
                     common.median(memory) / base[2]])
    return rows, [script, *reals(options, folder, path, words, port_file)]


def run(options):
    rows, counts = [], []
    for script in installed():
        with common.folder() as folder:
            more, count = measure(options, script, folder)
            rows += more
            counts.append(count)
    common.table(f"start to first answer, {options.rounds} rounds in turn",
                 ["service", "ms min", "median", "max", "ratio",
                  "CPU ms min", "median", "max", "ratio",
                  "Private_Dirty MB", "ratio"], rows)
    common.table("modules at the first answer, under lazyd",
                 ["service", "executed", "still proxies"], counts)
