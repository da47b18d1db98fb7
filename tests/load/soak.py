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
import mmap
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import attacks
from soak_clients import MIB, Wrong, run_client, run_hostile, run_listener
from soak_service import APP, make_pool

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


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
