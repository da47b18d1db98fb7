"""Services from start to first answer, under python3 and under lazyd: the
time and CPU time it takes, the memory that is the process's own
(Private_Dirty), and how many modules had run by then."""
import importlib.util
import json
import subprocess
import time
import urllib.request

import common


def wait_for(path, process):
    while not path.exists():
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended")
        time.sleep(0.0005)
    return int(path.read_text())


def cpu_ms(pid):
    """Of all the process's threads, through its CPU clock's number."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e6


def first_answer(command, port_file, environment):
    """(ms, CPU ms, MB) of one start; the service is ended again."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command],
                               stdout=subprocess.DEVNULL, env=environment,
                               stderr=subprocess.DEVNULL)
    try:
        port = wait_for(port_file, process)
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/health") as answer:
            answer.read()
        took = (time.perf_counter() - begin) * 1e3
        return took, cpu_ms(process.pid), common.private_dirty_mb(process.pid)
    finally:
        process.terminate()
        process.wait()
        port_file.unlink(missing_ok=True)


def reals(options, folder, path, arguments, port_file):
    """How many modules had run at the first answer under lazyd."""
    with common.service(options, folder, path, *arguments) as socket:
        port = int(port_file.read_text())
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read()
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
    arguments = ([port_file] if script != "service.py" else
                 ["--port", "0", "--port-file", port_file])
    path = common.SERVICES / script
    host = [options.lazyd, "-F", "--no-socket", "--app", path, "--",
            *arguments]
    commands = {"python3": [common.PYTHON, path, *arguments],
                "lazyd --lazy=off": [host[0], "--lazy=off", *host[1:]],
                "lazyd": host}
    environment = {**common.environment(), "HOME": str(folder)}
    found = {key: [] for key in commands}
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
    return rows, [script, *reals(options, folder, path, arguments, port_file)]


def run(options):
    rows, counts = [], []
    for script in ("service.py", "flask_notes.py", "django_notes.py"):
        package = script.split("_")[0]
        if "_" in script and not importlib.util.find_spec(package):
            continue
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
