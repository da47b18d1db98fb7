#!/usr/bin/python3
"""Random commands from many clients, for long, with every answer checked.

    tests/load/soak.py [--build DIR] [--commands N] [--clients N] [--seed N]

16 clients ask lazyd whatever there is to ask: looks, loads, dry runs, reloads
of modules that they have rewritten, edits of rules and levels, requests that
are wrong; some are killed in between and come again, two more are hostile, one
listens to events. Meanwhile the service is asked for values of the modules, as
its clients would: each answer must be of the generation that was last
reloaded, both values of one. At the end no answer may be wrong or missing, and
the descriptors and threads of lazyd are what they were. Its resident memory is
printed as it went, with a line fitted to its second half.
"""
import argparse
import contextlib
import ctypes
import json
import mmap
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import attacks

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODULES = 320
PATIENCE_S = 120
MIB = 1 << 20
# Asked for a number it answers with the two values of that module.
APP = """
import lazycore, os, signal, socket, sys, threading
import pool
pool.__all__

def serve(sock):
    for line in sock.makefile("r"):
        try:
            module = getattr(pool, "part" + line.strip())
            sock.sendall(b"%d %d\\n" % module.both())
        except OSError:
            return
        except Exception as error:
            sock.sendall(("%r\\n" % error).encode())

def accept(listener):
    while True:
        threading.Thread(target=serve, args=[listener.accept()[0]],
                         daemon=True).start()

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
threading.Thread(target=accept, args=[listener], daemon=True).start()
signal.getsignal(signal.SIGTERM)
lazycore.ready()
while True:
    signal.pause()
"""
PART = """\
VALUE = {generation}
MIRROR = {generation} + 1000000
def both(value=VALUE, mirror=MIRROR):
    return VALUE, MIRROR
"""


class Wrong(Exception):
    """An answer that must not be."""


def write_part(pool, number, generation):
    """At once, or a load in between would see half of it."""
    path, new = pool / f"part{number}.py", pool / f"part{number}.new"
    new.write_text(PART.format(generation=generation))
    os.rename(new, path)


def make_pool(folder):
    pool = folder / "pool"
    pool.mkdir()
    for number in range(MODULES):
        write_part(pool, number, 0)
    names = [f"part{number}" for number in range(MODULES)]
    (pool / "__init__.py").write_text(
        f"__all__ = {names}\n" +
        "".join(f"from pool import {name}\n" for name in names))
    (pool / "broken.py").write_text("raise ValueError('as it is')\n")
    return pool


# --- clients ----------------------------------------------------------------

class Client:
    """One connection to lazyd, one to the service, and what it owns."""

    def __init__(self, folder, number, clients, counter, seed):
        self.folder, self.number, self.clients = folder, number, clients
        self.counter, self.random = counter, random.Random(seed)
        self.sock = attacks.connect(str(folder / "s"), attacks.LAZYD,
                                    PATIENCE_S)
        if self.sock is None:
            raise Wrong("was not let in")
        self.file = self.sock.makefile("rb")
        self.service = socket.socket(socket.AF_UNIX)
        self.service.settimeout(PATIENCE_S)
        self.service.connect(str(folder / "service"))
        self.answers = self.service.makefile("r")
        self.id = 0
        self.generations = {}

    def name(self):
        return f"pool.part{self.random.randrange(MODULES)}"

    def send(self, method, **params):
        self.id += 1
        request = {"jsonrpc": "2.0", "id": self.id, "method": method}
        if params:
            request["params"] = params
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        return self.id

    def read(self, identifier):
        line = self.file.readline()
        if not line:
            raise Wrong("lazyd closed the connection")
        answer = json.loads(line)
        if answer.get("id") != identifier:
            raise Wrong(f"not the answer to {identifier}: {line[:200]}")
        self.counter.add()
        return answer

    def ask(self, method, **params):
        answer = self.read(self.send(method, **params))
        if "result" not in answer:
            raise Wrong(f"{method} {params}: {answer}")
        return answer["result"]

    def ask_wrong(self, kind, method, /, **params):
        answer = self.read(self.send(method, **params))
        if answer.get("error", {}).get("data", {}).get("kind") != kind:
            raise Wrong(f"{method} {params}: {answer}, and not {kind}")

    def expect(self, right, what, *of):
        if not right:
            raise Wrong(" ".join(map(str, (what, *of))))

    # --- what it does

    def ping(self):
        self.expect(self.ask("ping")["pong"] is True, "no pong")

    def pipeline(self):
        sent = [self.send("ping" if self.random.random() < 0.7 else "stats")
                for _ in range(self.random.randrange(2, 30))]
        for identifier in sent:
            self.expect("result" in self.read(identifier), "an error")

    def stats(self):
        found = self.ask("stats")
        self.expect(found["memory"]["rss"] > MIB, found)
        self.expect(found["control"]["clients"] >= 1, found)

    def look(self):
        method = self.random.choice(("version", "report", "ignore.list",
                                     "level.list", "unused", "threads"))
        self.expect(isinstance(self.ask(method), dict), method)

    def list(self):
        found = self.ask("list", match="pool.part1*", sort="name")["modules"]
        names = [module["name"] for module in found]
        self.expect(names == sorted(names) and names and
                    all(name.startswith("pool.part1") for name in names),
                    "list:", names)

    def show(self):
        name = self.name()
        self.expect(self.ask("show", name=name)["name"] == name, "show", name)

    def load(self):
        names = sorted({self.name() for _ in range(3)})
        found = {one["name"]: one for one in
                 self.ask("load", names=names)["results"]}
        self.expect(sorted(found) == names and
                    not any(one["error"] for one in found.values()),
                    "load", names, found)

    def load_broken(self):
        answer = self.read(self.send("load", names=["pool.broken"]))
        self.expect("ValueError: as it is" in json.dumps(answer), answer)

    def dry_run(self):
        name = self.name()
        answer = self.read(self.send("load", names=[name], dry_run=True))
        kind = answer.get("error", {}).get("data", {}).get("kind")
        self.expect("result" in answer or kind == "busy", answer)

    def verify(self):
        name = self.name()
        self.expect("failed" in self.ask("verify", match=name), "verify")

    def own(self):
        number = self.random.randrange(self.number, MODULES, self.clients)
        return number, f"pool.part{number}"

    def reload(self):
        number, name = self.own()
        path = self.folder / "pool" / f"part{number}.py"
        before = int(path.read_text().split()[2])
        self.served(number, before if number in self.generations else None)
        write_part(self.folder / "pool", number, before + 1)
        verdict = self.ask("reload", name=name)["verdict"]
        # One that was killed may have had a reload under way, which has read
        # what we wrote.
        self.expect(verdict == "applied" or verdict == "unchanged" and
                    number not in self.generations, "reload", name, verdict)
        self.generations[number] = before + 1
        self.served(number, before + 1)

    def served(self, number=None, expected=None):
        """Ask the service itself."""
        if number is None:
            number = self.random.randrange(MODULES)
        self.service.sendall(b"%d\n" % number)
        words = self.answers.readline().split()
        if len(words) != 2 or int(words[1]) != int(words[0]) + 1000000 or \
                expected is not None and int(words[0]) != expected:
            raise Wrong(f"the service says {words} of part{number}, and not "
                        f"{expected}")

    def edit(self):
        # Of this process: one that was killed may have left its own.
        value = f"own{os.getpid()}.rule{self.random.randrange(1000)}"
        kind = self.random.choice(("name", "package", "path"))
        found = self.ask("ignore.add", kind=kind, values=[value])
        self.expect(found["changed"] == [value], found)
        rules = [rule["value"] for rule in self.ask("ignore.list")["rules"]]
        self.expect(value in rules, value, "is not listed")
        found = self.ask("ignore.remove", kind=kind, values=[value])
        self.expect(found["changed"] == [value], found)
        self.ask_wrong("no_such_rule", "ignore.remove", kind=kind,
                       values=[value])

    def save(self):
        path = str(self.folder / f"saved{self.number}")
        self.expect(self.ask("ignore.save", path=path)["path"] == path, path)

    def level(self):
        package = f"own{self.number}"
        level = self.random.choice(("eager", "outer", "full"))
        found = self.ask("level.set", package=package, level=level)
        self.expect(found["level"] == level, found)

    def mistake(self):
        self.ask_wrong("no_such_method", "no.such.method")
        self.ask_wrong("invalid_params", "show", name="x", bogus=1)
        self.ask_wrong("no_such_module", "show", name="no.such.module")

    def garbage(self):
        self.sock.sendall(b"no JSON\n")
        answer = json.loads(self.file.readline())
        self.expect(answer["error"]["code"] == -32700, answer)
        self.counter.add()

    def again(self):
        """Another connection; at times in the middle of a request."""
        if self.random.random() < 0.5:
            self.sock.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
        self.file.close()
        self.sock.close()
        self.sock = attacks.connect(str(self.folder / "s"), attacks.LAZYD,
                                    PATIENCE_S)
        if self.sock is None:
            raise Wrong("was not let in again")
        self.file = self.sock.makefile("rb")


WEIGHTS = {"ping": 30, "pipeline": 6, "stats": 12, "look": 6, "list": 3,
           "show": 15, "load": 6, "load_broken": 1, "dry_run": 0.1,
           "verify": 1, "reload": 4, "served": 15, "edit": 4, "save": 0.5,
           "level": 2, "mistake": 2, "garbage": 1, "again": 1}


class Counter:
    """A client's commands, where others see them."""

    def __init__(self, shown, number):
        self.shown, self.at = shown, 8 * number

    def add(self):
        struct.pack_into("q", self.shown, self.at,
                         struct.unpack_from("q", self.shown, self.at)[0] + 1)


def run_client(folder, number, clients, shown, seed):
    client = Client(folder, number, clients, Counter(shown, number), seed)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        getattr(client, client.random.choices(names, weights)[0])()


def run_hostile(folder, seed):
    chance, path = random.Random(seed), str(folder / "s")
    while True:
        sock = attacks.connect(path, attacks.LAZYD)
        if sock is None:
            raise Wrong("was not let in")
        sock.setblocking(False)
        try:
            kind = chance.randrange(4)
            if kind == 0:
                sock.send(attacks.LAZYD.half)
            elif kind == 1:
                sock.send(attacks.LAZYD.long * 1000)
            elif kind == 2:
                sock.send(b"[" * 70000)
            else:
                sock.send(attacks.LAZYD.subscribe + attacks.LAZYD.long * 20)
            time.sleep(chance.random() * 0.05)
        except OSError:
            pass
        sock.close()


def run_listener(folder):
    """Events come in order, and none is lost without being counted."""
    sock = attacks.connect(str(folder / "s"), attacks.LAZYD, PATIENCE_S)
    sock.settimeout(None)
    sock.sendall(attacks.rpc(
        "subscribe", '{"events":["load","fail","reload","ignore"]}'))
    file, last = sock.makefile("rb"), 0
    for line in file:
        answer = json.loads(line)
        if "params" not in answer:
            continue
        sequence = answer["params"]["sequence"]
        if sequence <= last:
            raise Wrong(f"event {sequence} comes after {last}")
        last = sequence


# --- the run ----------------------------------------------------------------

def child(function, *arguments):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # with its parent
        function(*arguments)
        status = 0
    except Exception as error:
        print(f"{function.__name__} {arguments[1:2]}: {error!r}"[:2000],
              file=sys.stderr, flush=True)
    finally:
        os._exit(status)


class Soak:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random = random.Random(options.seed)
        self.shown = mmap.mmap(-1, 8 * options.clients)
        self.pids, self.killed, self.series = {}, 0, []
        self.pid = None

    def start_service(self):
        make_pool(self.folder)
        app = self.folder / "app.py"
        app.write_text(APP)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("PYTHON", "LAZY", "XDG_"))}
        subprocess.run(
            [self.options.lazyd, "-s", self.folder / "s", "-p",
             self.folder / "pid", "-l", self.folder / "log", "--wait-ready",
             "--level", "pool=full", "--app", app, "--", self.folder / "service"], check=True,
            env={**environment, "HOME": str(self.folder)}, cwd=self.folder)
        self.pid = int((self.folder / "pid").read_text())
        self.proc = pathlib.Path(f"/proc/{self.pid}")

    def counts(self):
        return attacks.counts(self.pid)

    def rested(self, wanted=None):
        """The counts once they are WANTED, or stay the same."""
        until, same, last = time.monotonic() + 20, 0, None
        while time.monotonic() < until and same < 10:
            now = self.counts()
            if wanted is not None and now == wanted:
                return now
            same = same + 1 if now == last and wanted is None else 0
            last = now
            time.sleep(0.02)
        return last

    def done(self):
        return sum(struct.unpack(f"{self.options.clients}q", self.shown))

    def start(self, key):
        kind, number = key
        seed = self.random.random()
        self.pids[key] = (
            child(run_client, self.folder, number, self.options.clients,
                  self.shown, seed) if kind == "client" else
            child(run_hostile, self.folder, seed) if kind == "hostile" else
            child(run_listener, self.folder))

    def sample(self, begin):
        rss = int((self.proc / "statm").read_text().split()[1])
        self.series.append((time.monotonic() - begin, self.done(),
                            rss * mmap.PAGESIZE, *self.counts()))

    def kill_one(self):
        key = self.random.choice([key for key in self.pids
                                  if key[0] != "listener"])
        os.kill(self.pids[key], signal.SIGKILL)
        _, status = os.waitpid(self.pids[key], 0)
        if not os.WIFSIGNALED(status):
            raise Wrong(f"{key} had ended by itself")
        self.killed += 1
        self.start(key)

    def watch(self, begin):
        while self.done() < self.options.commands:
            time.sleep(0.1)
            self.sample(begin)
            for key, pid in self.pids.items():
                if os.waitpid(pid, os.WNOHANG)[0]:
                    raise Wrong(f"{key} ended")
            if self.random.random() < 0.2:
                self.kill_one()
            if len(self.series) > 20000:  # every other one tells as much
                self.series[:] = self.series[::2]

    def run(self):
        self.start_service()
        before = self.rested()
        begin = time.monotonic()
        good = True
        try:
            for key in [("listener", 0), ("hostile", 0), ("hostile", 1),
                        *(("client", number)
                          for number in range(self.options.clients))]:
                self.start(key)
            self.watch(begin)
        except Wrong as error:
            print(f"wrong: {error}", file=sys.stderr)
            good = False
        finally:
            for pid in self.pids.values():
                with contextlib.suppress(ProcessLookupError,
                                         ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
        good = self.report(before, self.rested(before), begin) and good
        ended = subprocess.run([self.options.lazyctl, "-s", self.folder / "s",
                                "stop"], stdout=subprocess.DEVNULL)
        if ended.returncode == 0:
            self.pid = None
        return good and self.pid is None

    def end(self):
        """Of a run that was cut off too."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def report(self, before, after, begin):
        took = time.monotonic() - begin
        half = self.series[len(self.series) // 2:]
        slope = fit([point[1] for point in half], [point[2] for point in half])
        print(f"{self.done()} commands in {took:.1f} s, {self.killed} clients "
              f"killed, seed {self.options.seed}")
        for second, commands, rss, fds, threads in self.series[
                ::max(1, len(self.series) // 12)]:
            print(f"  {second:8.1f} s  {commands:9d} commands  "
                  f"{rss / MIB:8.2f} MiB  {fds:4d} descriptors  "
                  f"{threads:3d} threads")
        print(f"descriptors, threads: {before} before, {after} after")
        if before != after:
            for fd in [fd for table in attacks.tables(self.pid)
                       for fd in table.iterdir()]:
                with contextlib.suppress(OSError):
                    print(f"  {fd.name} is {os.readlink(fd)}")
        print(f"slope of the second half: {slope * 1000 / 1024:+.3f} KiB for "
              f"1,000 commands")
        grown = half[-1][2] - half[0][2]
        flat = grown < 4 * MIB
        print(f"grown in the second half: {grown / MIB:+.2f} MiB")
        return before == after and flat


def fit(xs, ys):
    """The slope of the line with the least squares."""
    if len(xs) < 2:
        return 0
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((one - x) ** 2 for one in xs)
    return sum((one - x) * (two - y) for one, two in zip(xs, ys)) / spread \
        if spread else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release")
    parser.add_argument("--commands", type=int, default=1000000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    options = parser.parse_args()
    options.lazyd = (options.build / "daemon/lazyd").resolve()
    options.lazyctl = (options.build / "ctl/lazyctl").resolve()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        soak = Soak(options, pathlib.Path(name))
        try:
            good = soak.run()
        finally:
            soak.end()
    sys.exit(not good)


if __name__ == "__main__":
    main()
