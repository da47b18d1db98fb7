"""Sweep over a package: import every module of it eagerly and lazily, and
compare what that leaves.

    sweep.py [--level full|outer] [--record FILE] [--json FILE] PACKAGE...

All modules of PACKAGE are imported in fresh interpreters, in two orders: in
sorted order, where lazily all import statements run before the first name is
used; and shuffled, one after another. Each order is run eagerly and lazily,
with the package at the level, all others at that of the catalogue. Lazily
every pending name is bound in the end. Then the snapshots of
sweep_snapshot.py are compared. What differs between the two eager orders is
left out, as is what an eager run in the same order does not do twice alike.

Left out are modules below a folder `tests` or `test`, called `__main__` or
`conftest`, or whose import fails (or ends or hangs the interpreter) in an
eager run of either order. Of more than MODULES_MAX modules every n-th is taken,
and what these import.

Each difference is printed. --record keeps a row of each package and level in
a table. The exit status is 1 where there is one, 2 where
a package is not there.
"""
import argparse
import dataclasses
import importlib.util
import json
import os
import pathlib
import pkgutil
import random
import re
import shutil
import subprocess
import sys
import tempfile

import table
from run import PYTHON, ROOT, environment

HERE = pathlib.Path(__file__).resolve().parent
CHILD = HERE / "sweep_child.py"
MODULES_MAX = 1200
RUN_TIMEOUT_S = 100
ROUNDS_MAX = 12
SEED = 3
LEFT_OUT = re.compile(r"(^|\.)(tests?|__main__|conftest)(\.|$)")
ORDERS = ("at once", "one by one")


def modules_below(name, path):
    """NAME and what can be found below its search path, importing nothing."""
    yield name
    for found in pkgutil.iter_modules(path):
        child = f"{name}.{found.name}"
        if LEFT_OUT.search(child):
            continue
        if found.ispkg:
            yield from modules_below(
                child, [os.path.join(folder, found.name) for folder in path
                        if os.path.isdir(os.path.join(folder, found.name))])
        else:
            yield child


def all_modules(package):
    """Sorted, or None where there is no such package."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    return sorted(set(modules_below(
        package, list(spec.submodule_search_locations or []))))


def capped(names):
    step = -(-len(names) // MODULES_MAX)
    return names[::step]


def ordered(names, how):
    names = list(names)
    if how == "one by one":
        random.Random(SEED).shuffle(names)
    return names


def no_network():
    """A prefix of commands that gives them an empty network, where the
    system lets us."""
    prefix = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run(
            [*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return prefix
    return []


@dataclasses.dataclass
class Run:
    """What came of one interpreter."""
    failed: dict
    snapshot: dict
    last: str
    bound: int  # names that were pending and got their value


class Sweep:
    """Of PACKAGE at LEVEL; the engine is in the folder LAZYCORE, and PATH
    are further folders of modules."""

    def __init__(self, package, level, lazycore, path=()):
        self.path = [str(folder) for folder in path]
        self.package = package
        self.level = level
        self.lazycore = lazycore
        self.prefix = no_network()
        self.names = []
        self.left_out = {}
        self.unsteady = self.compared = 0
        self.bound = []  # names, in each lazy run

    def run(self, mode, how):
        with tempfile.TemporaryDirectory(prefix="sweep-",
                                         ignore_cleanup_errors=True) as name:
            folder = pathlib.Path(name)
            listed = folder / "list"
            output = folder / "output"
            listed.write_text("\n".join([how, *ordered(self.names, how)]))
            output.touch()
            try:
                subprocess.run(
                    [*self.prefix, PYTHON, CHILD, mode, self.lazycore,
                     self.package, listed, output],
                    cwd=folder, env={**environment(folder), "PYTHONPATH":
                                     os.pathsep.join(self.path)},
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, timeout=RUN_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                pass
            # The folder has another name each time.
            text = output.read_text("utf-8").replace(name, "FOLDER")
        return told(text)

    def settle(self):
        """Leave out what cannot be imported; the two eager runs of the
        rest."""
        for _ in range(ROUNDS_MAX):
            runs = []
            for how in ORDERS:
                runs.append(self.run("eager", how))
                self.leave_out(runs[-1])
            if self.names and not any(run.failed or not run.snapshot
                                      for run in runs):
                return runs
            if not self.names:
                break
        raise RuntimeError(f"{self.package}: eager runs do not settle: "
                           f"{list(self.left_out.items())[-3:]}")

    def leave_out(self, run):
        failed = dict(run.failed)
        if not run.snapshot:
            failed[run.last] = "ends or hangs the interpreter"
        self.left_out.update(failed)
        self.names = [name for name in self.names if name not in failed]

    def differences(self):
        self.names = capped(all_modules(self.package))
        eager = self.settle()
        unsteady = set()
        found = {}
        for how, run in zip(ORDERS, eager):
            lazy = self.run(self.level, how)
            self.bound.append(lazy.bound)
            if not lazy.snapshot:
                found[f"{how}: end"] = ["a snapshot",
                                        f"none, after {lazy.last}"]
            for name, error in lazy.failed.items():
                found[f"{how}: import {name}"] = ["imported", error]
            news = lazy.snapshot and differing(run.snapshot, lazy.snapshot)
            if news:
                again = self.run("eager", how)
                unsteady |= differing(run.snapshot, again.snapshot).keys()
                found.update((f"{how}: {key}", values)
                             for key, values in news.items())
        unsteady |= differing(*(run.snapshot for run in eager)).keys()
        self.unsteady = len(unsteady)
        self.compared = len(eager[0].snapshot.keys() - unsteady)
        return {key: values for key, values in found.items()
                if key.split(": ", 1)[1] not in unsteady}


def told(text):
    run = Run({}, {}, "", 0)
    for line in text.splitlines():
        try:
            line = json.loads(line)
        except ValueError:  # the interpreter ended within it
            continue
        if "broken" in line:
            raise RuntimeError(line["broken"])
        run.last = line.get("begun", run.last)
        if "failed" in line:
            run.failed[line["failed"]] = line["error"]
        run.bound = line.get("bound", run.bound)
        run.snapshot = line.get("snapshot", run.snapshot)
    return run


def differing(left, right):
    """{key: [left's value, right's value]}; None: has none."""
    return {key: [left.get(key), right.get(key)]
            for key in sorted(left.keys() | right.keys())
            if left.get(key) != right.get(key)}


def version(package):
    """The Debian package that PACKAGE is from, and its version."""
    spec = importlib.util.find_spec(package)
    path = spec.origin or next(iter(spec.submodule_search_locations or []))
    owner = subprocess.run(["dpkg-query", "-S", path], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    name = owner.stdout.split(": ")[0].split(",")[0]
    if not name:
        return "-", "-"
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                          text=True, stdout=subprocess.PIPE)
    return name.split(":")[0], done.stdout


def swept(package, level, lazycore):
    """A record, with the differences."""
    sweep = Sweep(package, level, lazycore)
    debian, number = version(package)
    total = len(all_modules(package))
    found = sweep.differences()
    return {"package": package, "debian": debian, "version": number,
            "level": level, "found": total, "modules": len(sweep.names),
            "left_out": len(sweep.left_out), "compared": sweep.compared,
            "unsteady": sweep.unsteady, "bound": sweep.bound,
            "differences": found}


COLUMNS = ("package", "level", "debian", "version", "found", "modules",
           "left_out", "compared", "unsteady", "bound", "differ")
KEYS = ("package", "level")


def keep(path, record):
    """Put RECORD into the table at PATH."""
    row = {name: record[name] for name in COLUMNS if name in record}
    table.put(path, COLUMNS, KEYS,
              {**row, "bound": min(record["bound"]),
               "differ": len(record["differences"])})


def main():
    parser = argparse.ArgumentParser(
        description="Import all of a package eagerly and lazily, compare.")
    parser.add_argument("--lazycore", type=pathlib.Path,
                        default=ROOT / "build/dev/lazycore",
                        help="folder of the extension")
    parser.add_argument("--level", default="full",
                        choices=("catalogue", "full", "outer"))
    parser.add_argument("--record", type=pathlib.Path,
                        help="keep a row of each sweep in this table")
    parser.add_argument("--json", type=pathlib.Path,
                        help="write all that was found to this file")
    parser.add_argument("packages", nargs="+", metavar="PACKAGE")
    options = parser.parse_args()
    status, records = 0, []
    for package in options.packages:
        if all_modules(package) is None:
            print(f"{package}: not installed", flush=True)
            status = 2
            continue
        record = swept(package, options.level, options.lazycore.resolve())
        records.append(record)
        if options.record:
            keep(options.record, record)
        found = record["differences"]
        print(f"{package} {record['version']} at {options.level}: "
              f"{record['modules']} of {record['found']} modules, "
              f"{record['compared']} items compared, {record['unsteady']} "
              f"left out, {record['bound']} names bound, {len(found)} differ", flush=True)
        for key, (eager, lazy) in found.items():
            print(f"  {key}: eager {eager}, lazy {lazy}", flush=True)
        status = status or int(bool(found))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
