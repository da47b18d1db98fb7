#!/usr/bin/python3
"""Hostile clients against lazyd: one table of what each of them achieves.

    tests/load/hostile.py [--build DIR] [--short] [--peer] [ATTACK...]

Columns: ping p99 of a well-behaved client before and while the attack goes
on, and its longest; how much
the server's resident memory grew at most; whether its descriptors, threads
and clients are what they were once the attack is over; how much less the
service, which counts in a loop, gets done. The main thread of the service has
a core of its own and everything else shares the others, but cores share
caches, memory and often more: so the loss is against the same service while
another lazyd, on those other cores, is under the same attack and asked by the
same client. What is left is lost to lazyd and not to the processes of the
attack. Beside it the margin of the median of the rounds.

--realtime, for root on a machine that others use: the server runs before the
well-behaved client, this before the attackers, and all before the rest.
Without it the times are also those of the scheduler.

Run by root, lazyd and the attackers are nobody's, and the well-behaved client
is root, who is let in while all other places are taken. --short is for a busy
machine: shorter, with bars for times that are there to find a blocked server.
--peer adds redis-server under the same attacks. Exits with 1 where a bar is
broken.
"""
import argparse
import contextlib
import json
import mmap
import os
import pathlib
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import attacks

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))
from nobody import NOBODY, lazyd_for_nobody

MIB = 1 << 20
RSS_BAR = 8 * MIB
# Counts in FILE: rounds, and the CPU time of its thread. Or idles.
APP = """
import importlib.util, lazycore, mmap, os, signal, struct, sys, time
import csv, xml.dom.minidom, xml.etree.ElementTree
file = open(sys.argv[1], "r+b")
shown = mmap.mmap(file.fileno(), 16)
def use():
    return csv, xml.dom.minidom, xml.etree.ElementTree
def work():
    found = {}
    for number in range(300):
        found[str(number)] = [number, number * 2]
    return len(found)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("made_"):
            return importlib.util.spec_from_loader(name, self)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        pass
sys.meta_path.append(Finder())
for number in range(int(sys.argv[2])):
    importlib.import_module(f"made_{number}")
count = 0
lazycore.ready()
while sys.argv[3] == "idle":
    signal.pause()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
while True:
    work()
    count += 1
    struct.pack_into("qq", shown, 0, count, time.thread_time_ns())
"""


def cores():
    """(those for everything else, that of the service)"""
    found = sorted(os.sched_getaffinity(0))
    return found[:-1] or found, found[-1:]


def first(task, priority):
    """Let it run before whatever has no priority, or a lower one."""
    os.sched_setscheduler(task, os.SCHED_FIFO, os.sched_param(priority))


class Server:
    """A process under attack. USER: whose it is, None for our own."""

    def __init__(self, folder, user):
        self.folder, self.user = folder, user
        self.socket = str(folder / "s")

    def identity(self):
        return {} if self.user is None else {
            "user": self.user, "group": self.user, "extra_groups": []}

    def file(self, *parts):
        return pathlib.Path("/proc", str(self.pid), *parts)

    def rss(self):
        return int(self.file("statm").read_text().split()[1]) * mmap.PAGESIZE

    def counts(self):
        return attacks.counts(self.pid)


class Lazyd(Server):
    """DOES: whether the service counts on a core of its own, or idles."""
    manners = attacks.LAZYD

    def __init__(self, folder, user, options, does="counts"):
        super().__init__(folder, user)
        self.options = options
        app, counter = folder / "app.py", folder / "count"
        app.write_text(APP)
        counter.write_bytes(bytes(16))
        if user is not None:
            for path in (folder, app, counter):
                os.chown(path, user, user)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("PYTHON", "LAZY", "XDG_"))}
        subprocess.run(
            [options.lazyd, "-s", self.socket, "-p", folder / "pid", "-l",
             folder / "log", "--wait-ready", "--app", app, "--", counter,
             str(options.modules), does],
            check=True, env={**environment, "HOME": str(folder)}, cwd=folder,
            **self.identity())
        self.pid = int((folder / "pid").read_text())
        with open(counter, "r+b") as file:
            self.shown = mmap.mmap(file.fileno(), 16)
        for task in map(int, os.listdir(self.file("task"))):
            control = self.file("task", str(task), "comm").read_text() in (
                "lazyd-control\n", "lazyd-bell\n")
            counts = task == self.pid and does == "counts"
            if not counts:
                os.sched_setaffinity(task, cores()[0])
            if options.realtime and (control or counts):
                first(task, 3 if control else 1)

    def asker(self):
        return ["-g", "-e", '"pong":true', self.socket,
                attacks.rpc("ping").decode().strip()]

    def progress(self):
        return (time.monotonic_ns(), *struct.unpack("qq", self.shown))

    def clients(self):
        with contextlib.closing(
                attacks.connect(self.socket, self.manners)) as sock:
            sock.sendall(attacks.rpc("stats"))
            return json.loads(sock.makefile().readline())["result"]["control"]

    def end(self):
        subprocess.run([self.options.lazyctl, "-s", self.socket, "stop"],
                       stdout=subprocess.DEVNULL)


class Redis(Server):
    manners = attacks.REDIS

    def __init__(self, folder, user, options):
        super().__init__(folder, user)
        if user is not None:
            os.chown(folder, user, user)
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--save", "", "--dir", folder, "--unixsocketperm", "777"],
            stdout=subprocess.DEVNULL, **self.identity())
        self.pid = self.process.pid
        until = time.monotonic() + 10
        while not os.path.exists(self.socket) and time.monotonic() < until:
            time.sleep(0.01)
        for task in map(int, os.listdir(self.file("task"))):
            os.sched_setaffinity(task, cores()[0])
            if options.realtime:
                first(task, 3)

    def asker(self):
        return ["-r", "-e", "PONG", self.socket, "PING"]

    def end(self):
        self.process.terminate()
        self.process.wait()


# --- one attack -------------------------------------------------------------

class Attacker:
    """The attack in a process of its own, in position from the start."""

    def __init__(self, server, attack, options):
        self.over = False
        ready, child_ready = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.setsid()
                os.sched_setaffinity(0, cores()[0])
                if options.realtime:
                    first(0, 1)
                if server.user is not None:
                    os.setgroups([])
                    os.setgid(server.user)
                    os.setuid(server.user)
                attack(server.socket, server.manners,
                       lambda: os.write(child_ready, b"x"))
                status = 0
            finally:
                os._exit(status)
        os.close(child_ready)
        if not os.read(ready, 1):
            sys.exit("the attack failed to begin")
        os.close(ready)

    def is_over(self):
        """Few attacks ever are."""
        self.over = self.over or os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self.over

    def end(self):
        if not self.is_over():
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class Window:
    """What a client saw of a server for a while, under ATTACK if there is
    one, and what the service of COUNTED, if any, did meanwhile."""

    def __init__(self, server, options, counted=None, attack=None):
        peak, slices = 0, []
        asker = subprocess.Popen(
            [options.asker, "-p", "500", *server.asker()],
            stdout=subprocess.PIPE, text=True)
        if options.realtime:
            first(asker.pid, 2)
        attacker = attack and Attacker(server, attack, options)
        try:
            end = time.monotonic() + (
                120 if attack is attacks.connects else options.seconds)
            while time.monotonic() < end and \
                    not (attacker and attacker.is_over()):
                time.sleep(0.02)
                peak = max(peak, server.rss())
                if counted is not None:
                    slices.append(counted.progress())
        finally:
            asker.terminate()
            out, _ = asker.communicate(timeout=30)
            if attacker:
                attacker.end()
        self.asked = json.loads(out) if asker.returncode == 0 else None
        self.peak = peak
        # What the service did in each slice, per ns and per ns of CPU.
        steps = [[end - begin for begin, end in zip(*pair)]
                 for pair in zip(slices, slices[1:])]
        self.rates = [count / wall for wall, count, _ in steps]
        self.cpu_rates = [count / cpu for _, count, cpu in steps if cpu]


def resting(server):
    """Its counts, once those who made it ready have gone."""
    now, same = server.counts(), 0
    while same < 10:
        time.sleep(0.02)
        now, last = server.counts(), now
        same = same + 1 if now == last else 0
    return now


def settled(server, before):
    """Descriptors and threads, once they are what they were, or late."""
    until = time.monotonic() + 10
    while (now := server.counts()) != before and time.monotonic() < until:
        time.sleep(0.01)
    return now


class Losses:
    """What a service loses, round by round."""

    def __init__(self):
        self.of_rounds = []

    def note(self, mine, others):
        if mine and others and statistics.median(others):
            self.of_rounds.append(
                1 - statistics.median(mine) / statistics.median(others))

    def middle(self):
        return statistics.median(self.of_rounds) if self.of_rounds else None

    def margin(self):
        """Of their median, as box plots notch it: 1.57 quartile ranges."""
        if len(self.of_rounds) < 4:
            return None
        low, _, high = statistics.quantiles(self.of_rounds)
        return 1.57 * (high - low) / len(self.of_rounds) ** 0.5


def middle(asked):
    values = sorted(one["p99_us"] for one in asked if one)
    return values[len(values) // 2] if values else None


def run_attack(server, bystander, options, name):
    attack = attacks.ATTACKS[name]
    before, idle = server.base, server.rss()
    peak, seen, calm_seen = 0, [], []
    by_time, by_cpu = Losses(), Losses()
    for number in range(options.rounds):
        calm_seen.append(Window(server, options).asked)
        found = {}
        both = [server, bystander] if bystander else [server]
        for one in both if number % 2 else both[::-1]:
            found[one] = Window(one, options, bystander and server,
                                attack)
        storm = found[server]
        peak = max(peak, storm.peak)
        seen.append(storm.asked)
        if bystander:
            by_time.note(storm.rates, found[bystander].rates)
            by_cpu.note(storm.cpu_rates, found[bystander].cpu_rates)
    after = settled(server, before)
    answered = [one for one in seen if one and one["requests"]]
    return {"attack": name, "calm_us": middle(calm_seen),
            "p99_us": middle(answered),
            "max_us": max((one["max_us"] for one in answered), default=None),
            "wrong": sum(one["wrong"] for one in answered) +
            seen.count(None),
            "grown": peak - idle, "back": after == before,
            "before": before, "after": after,
            "loss": by_time.middle(), "margin": by_time.margin(),
            "loss_cpu": by_cpu.middle()}


def broken(found, options):
    """The bars that this row breaks."""
    wrong = []
    if found["p99_us"] is None or found["wrong"]:
        wrong.append("answers")
    elif found["p99_us"] > options.p99_us:
        wrong.append("p99")
    if found["grown"] > RSS_BAR:
        wrong.append("memory")
    if not found["back"]:
        wrong.append("descriptors, threads %s -> %s"
                     % (found["before"], found["after"]))
    # On a busy machine the service's core is not its own.
    loss = found["loss_cpu" if options.short else "loss"]
    if loss is not None and loss > options.loss:
        wrong.append("throughput")
    return wrong


# --- the table --------------------------------------------------------------

def cells(found, verdict):
    def number(value, form):
        return "-" if value is None else form % value
    percent = [None if found[key] is None else 100 * found[key]
               for key in ("loss", "margin", "loss_cpu")]
    times = [found[key] and found[key] / 1e3
             for key in ("calm_us", "p99_us", "max_us")]
    return [found["attack"], *(number(value, "%.3f") for value in times),
            "%+.2f" % (found["grown"] / MIB),
            "yes" if found["back"] else "NO",
            number(percent[0], "%+.1f"), number(percent[1], "%.1f"),
            number(percent[2], "%+.1f"), verdict]


HEAD = ["attack", "calm p99 ms", "ping p99 ms", "max", "RSS MiB", "back", "loss %",
        "margin", "loss by CPU %", "bars"]


def print_rows(title, rows):
    widths = [max(map(len, column)) for column in zip(HEAD, *rows)]
    print(title)
    for row in [HEAD, *rows]:
        print("  " + "  ".join(
            cell.ljust(width) if index in (0, len(row) - 1) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths))).rstrip())
    print(flush=True)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="attacks: " + "; ".join(attacks.ATTACKS))
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release")
    parser.add_argument("--short", action="store_true",
                        help="for a busy machine")
    parser.add_argument("--peer", action="store_true",
                        help="redis-server too")
    parser.add_argument("--realtime", action="store_true",
                        help="before all others on this machine")
    parser.add_argument("--modules", type=int, metavar="N",
                        help="that the service has loaded besides its own; "
                        "default 5000, with --short 500")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    options = parser.parse_args()
    for name in options.attacks:
        if name not in attacks.ATTACKS:
            parser.error(f"'{name}' is no attack")
    options.attacks = options.attacks or list(attacks.ATTACKS)
    options.lazyd = (options.build / "daemon/lazyd").resolve()
    options.lazyctl = (options.build / "ctl/lazyctl").resolve()
    options.asker = (options.build / "tests/bench/asker").resolve()
    short = options.short
    if options.modules is None:
        options.modules = 500 if short else 5000
    options.rounds = options.rounds or (1 if short else 15)
    options.seconds = options.seconds or (0.15 if short else 0.5)
    options.p99_us, options.loss = (100000, 0.6) if short else (2000, 0.02)
    return options


def tried(server, bystander, options):
    """The rows of a server, and whether all of its bars hold."""
    rows, good = [], True
    try:
        server.base = resting(server)
        for name in options.attacks:
            found = run_attack(server, bystander, options, name)
            wrong = broken(found, options)
            rows.append(cells(found, ", ".join(wrong) or "hold"))
            good = good and not wrong
        if isinstance(server, Lazyd):
            left = server.clients()["clients"]
            good = good and left == 1
            print(f"clients left, beside the one that asks: {left - 1}")
    finally:
        server.end()
        if bystander:
            bystander.end()
    return rows, good


def lazyds(folder, user, options):
    """The one under attack, and the one that is beside it."""
    for does in ("counts", "idle"):
        (folder / does).mkdir()
        if user is not None:
            os.chown(folder / does, user, user)
        yield Lazyd(folder / does, user, options, does)


def main():
    options = parse()
    user = NOBODY if os.getuid() == 0 else None
    print("load of the machine: %.1f %.1f %.1f" % os.getloadavg())
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                              os.sched_param(4))
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        if user is not None:
            options.lazyd = lazyd_for_nobody(options.lazyd, folder)
        rows, good = tried(*lazyds(folder, user, options), options)
        print_rows(f"lazyd, {options.rounds} rounds", rows)
    if options.peer and shutil.which("redis-server"):
        with tempfile.TemporaryDirectory(prefix="hostile-") as name:
            rows, _ = tried(Redis(pathlib.Path(name), user, options), None,
                            options)
            print_rows(f"redis-server, {options.rounds} rounds", rows)
    sys.exit(not good)


if __name__ == "__main__":
    main()
