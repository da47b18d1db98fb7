"""Sweep over a package: import every module of it eagerly and lazily, and
compare what that leaves.

    sweep.py [--record FILE] [--json FILE] PACKAGE...

All modules of PACKAGE are imported in fresh interpreters, in two orders: in
sorted order, where lazily all import statements run before the first name is
used; and shuffled, one after another. Each order is run eagerly and lazily,
with the package at full, all others at their level of the catalogue. Lazily
every pending name is bound in the end. Then the snapshots of
sweep_snapshot.py are compared. What differs between the two eager orders, or
between two eager runs in one order, is unsteady and not compared.

Where something differs at full, the lazy runs are made at outer too. What
differs there in the same way does not count against full, nor what
accepted.tsv names with the reason.

Left out are modules below a folder `tests` or `test`, called `__main__` or
`conftest`, or whose import fails (or ends or hangs the interpreter) in an
eager run of either order. Of more than MODULES_MAX modules every n-th is taken,
and what these import.

Each difference is printed. --record keeps a row of each package and level in
a table. The exit status is 1 where a package differs at full, 2 where one is
not there.
"""
import argparse
import dataclasses
import fnmatch
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
    """Over PACKAGE; the engine is in the folder LAZYCORE, and PATH are
    further folders of modules."""

    def __init__(self, package, lazycore, path=()):
        self.path = [str(folder) for folder in path]
        self.package = package
        self.lazycore = lazycore
        self.prefix = no_network()
        self.names = capped(all_modules(package))
        self.left_out = {}
        self.eager = self.settle()
        self.unsteady = set(differing(
            *(run.snapshot for run in self.eager)))
        self.run_again = set()  # orders that a second eager run was made in
        self.bound = []  # names, in each lazy run of the last comparison

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

    def compared(self):
        """How many items are."""
        return len(self.eager[0].snapshot.keys() - self.unsteady)

    def look_again(self, how, run):
        if how not in self.run_again:
            self.run_again.add(how)
            again = self.run("eager", how)
            self.unsteady |= differing(run.snapshot, again.snapshot).keys()

    def differences(self, level):
        """{order and item: [eager value, lazy value]} with the package at
        LEVEL."""
        self.bound = []
        found = {}
        for how, run in zip(ORDERS, self.eager):
            lazy = self.run(level, how)
            self.bound.append(lazy.bound)
            if not lazy.snapshot:
                found[f"{how}: end"] = ["a snapshot",
                                        f"none, after {lazy.last}"]
            for name, error in lazy.failed.items():
                found[f"{how}: import {name}"] = ["imported", error]
            news = lazy.snapshot and differing(run.snapshot, lazy.snapshot)
            if news:
                self.look_again(how, run)
                found.update((f"{how}: {key}", values)
                             for key, values in news.items())
        return {key: values for key, values in found.items()
                if key.split(": ", 1)[1] not in self.unsteady}


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


def accepted(package):
    """Patterns of items of PACKAGE whose differences are known, and do not
    count."""
    return [item for name, item in table.read(ACCEPTED, ("package", "item"))
            if name == package]


def swept(package, lazycore):
    """Records, with the differences: at full, and where any count, at outer.
    At full what differs at outer in the same way does not count: that is for
    other reasons than the level."""
    sweep = Sweep(package, lazycore)
    debian, number = version(package)
    known = accepted(package)
    records = []
    for level in ("full", "outer"):
        found = sweep.differences(level)
        counting = {key: values for key, values in found.items()
                    if not any(fnmatch.fnmatchcase(key.split(": ", 1)[1], item)
                               for item in known)}
        records.append({
            "package": package, "debian": debian, "version": number,
            "level": level, "found": len(all_modules(package)),
            "modules": len(sweep.names), "left_out": len(sweep.left_out),
            "compared": sweep.compared(), "unsteady": len(sweep.unsteady),
            "bound": min(sweep.bound), "shared": 0,
            "accepted": len(found) - len(counting),
            "differ": len(counting), "differences": counting})
        if not counting:
            break
    full, outer = records[0], records[-1]
    if full is not outer:
        own = {key: values for key, values in full["differences"].items()
               if outer["differences"].get(key) != values}
        full.update(shared=full["differ"] - len(own), differ=len(own),
                    differences=own)
    return records


ACCEPTED = HERE / "accepted.tsv"
COLUMNS = ("package", "level", "debian", "version", "found", "modules",
           "left_out", "compared", "unsteady", "bound", "shared", "accepted",
           "differ")
KEYS = ("package", "level")


def keep(path, record):
    """Put RECORD into the table at PATH."""
    table.put(path, COLUMNS, KEYS, {name: record[name] for name in COLUMNS})


def show(record):
    print("{package} {version} at {level}: {modules} of {found} modules, "
          "{compared} items compared, {unsteady} unsteady, {bound} names "
          "bound; {accepted} differ as accepted, {shared} at outer too, "
          "{differ} more".format(**record))
    for key, (eager, lazy) in record["differences"].items():
        print(f"  {key}: eager {eager}, lazy {lazy}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(
        description="Import all of a package eagerly and lazily, compare.")
    parser.add_argument("--lazycore", type=pathlib.Path,
                        default=ROOT / "build/dev/lazycore",
                        help="folder of the extension")
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
        for record in swept(package, options.lazycore.resolve()):
            records.append(record)
            show(record)
            if options.record:
                keep(options.record, record)
            if record["level"] == "full" and record["differ"]:
                status = status or 1
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
