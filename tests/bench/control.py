"""`ping` and `stats` over the control socket, from one client and from ten,
while the service idles, spins in Python and holds the GIL in one call; beside
redis-server's PING and INFO and a server in C that only echoes.

The service has 1,000 modules. Servers are on one core with all their threads,
clients on another. Round after round all are asked in turn, each for a short
while, and a ratio is the median of the ratios within each round.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess

import common

COUNT = {"ping": 4000, "stats": 1000}
MODULES = 1000
REQUEST = '{"jsonrpc":"2.0","id":1,"method":"%s"}'
REDIS = {"ping": "PING", "stats": "INFO"}
EXPECTED = {"ping": '"pong":true', "stats": '"proxies":'}
APP = """
import ctypes, lazycore, signal, sys
from filled import *
wait = ctypes.PyDLL(None).usleep
lazycore.ready()
while sys.argv[1] == "spins":
    pass
while sys.argv[1] == "holds the GIL":
    wait(3600 * 1000000)
while True:
    signal.pause()
"""
STATES = ("idle", "spins", "holds the GIL")


def cores():
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


def pin(pid, core):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), [core])


def ask(options, path, words, request, connections, count):
    """What asker found, from the clients' core."""
    done = subprocess.run(
        ["taskset", "-c", str(cores()[0]), options.build / "tests/bench/asker",
         *words, "-n", str(count), "-c", str(connections), path, request],
        stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(done.stdout)
    if found["wrong"]:
        raise SystemExit(f"{path}: {found['wrong']} wrong answers")
    return found


class Lazyd:
    """One that is stopped while others are asked: it may spin."""

    def __init__(self, options, folder, state):
        self.options, self.state = options, state
        self.name = f"lazyd, service {state}"
        self.path = folder / state.replace(" ", "-")
        filled = folder / "filled"
        if not filled.exists():
            filled.mkdir()
            names = [f"part{number}" for number in range(MODULES)]
            for name in names:
                (filled / f"{name}.py").write_text("value = 1\n")
            (filled / "__init__.py").write_text(
                "".join(f"from filled import {name}\n" for name in names))
            (folder / "app.py").write_text(APP)
        pid_file = folder / "pid"
        subprocess.run(
            [options.lazyd, "-s", self.path, "-l", folder / "log", "-p",
             pid_file, "--stop-timeout", "0.2", "--wait-ready", "--app",
             folder / "app.py", "--", state], check=True,
            env={**common.environment(), "HOME": str(folder)})
        self.pid = int(pid_file.read_text())
        pid_file.unlink()
        pin(self.pid, cores()[1])
        os.kill(self.pid, signal.SIGSTOP)

    def ask(self, method, connections):
        os.kill(self.pid, signal.SIGCONT)
        try:
            return ask(self.options, self.path, ["-g", "-e", EXPECTED[method]],
                       REQUEST % method, connections, COUNT[method])
        finally:
            os.kill(self.pid, signal.SIGSTOP)

    def end(self):
        os.kill(self.pid, signal.SIGCONT)
        subprocess.run([self.options.lazyctl, "-s", self.path, "stop"],
                       stdout=subprocess.DEVNULL)


class Redis:
    name = "redis-server"

    def __init__(self, options, folder):
        self.options, self.path = options, folder / "redis"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path,
             "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
        common.await_path(self.path)
        pin(self.process.pid, cores()[1])

    def ask(self, method, connections):
        return ask(self.options, self.path, ["-r"], REDIS[method],
                   connections, COUNT[method])

    def end(self):
        self.process.terminate()
        self.process.wait()


class Echo(Redis):
    """The floor, whatever it is asked."""
    name = "echo"

    def __init__(self, options, folder):
        self.options, self.path = options, folder / "echo"
        self.process = subprocess.Popen(
            [options.build / "tests/bench/echo", self.path],
            stdout=subprocess.DEVNULL)
        common.await_path(self.path)
        pin(self.process.pid, cores()[1])

    def ask(self, method, connections):
        return ask(self.options, self.path, [], REQUEST % method, connections,
                   COUNT[method])


def servers(options, folder):
    yield Echo(options, folder)
    if shutil.which("redis-server"):
        yield Redis(options, folder)
    for state in STATES:
        yield Lazyd(options, folder, state)


def ratios(mine, others):
    """The median ratio of p50 within the rounds, or "-"."""
    if not others:
        return "-"
    return common.median([one["p50_us"] / other["p50_us"]
                          for one, other in zip(mine, others)])


def run(options):
    found = {}
    with common.folder() as folder, contextlib.ExitStack() as stack:
        asked = []
        for server in servers(options, folder):
            stack.callback(server.end)
            asked.append(server)
        for _ in range(options.rounds):
            for method in COUNT:
                for connections in (1, 10):
                    for server in asked:
                        found.setdefault(
                            (method, connections, server.name), []).append(
                                server.ask(method, connections))
    rows = []
    for (method, connections, name), values in found.items():
        def of(key):
            return common.median([value[key] for value in values])
        peer = found.get((method, connections, "redis-server"))
        idle = found[method, connections, "lazyd, service idle"]
        rows.append([f"{method}, {connections} client"
                     f"{'s' if connections > 1 else ''}: {name}",
                     of("p50_us"), of("p99_us"), of("per_second"),
                     ratios(values, peer),
                     ratios(values, idle) if "lazyd" in name else "-"])
    common.table(
        f"control socket, {MODULES} modules, {options.rounds} rounds in turn",
        ["request", "p50 us", "p99 us", "a second", "p50 to redis",
         "p50 to idle"], rows)
