"""Run programs that use packages, eagerly and lazily, and compare.

    run.py [--level full|outer|eager] [--front DIR] [--record FILE]
           [PROGRAM...]

Each program begins with two lines:

    # needs: DEBIAN-PACKAGE ...
    # packages: TOP-LEVEL-IMPORT-NAME ...

It is run under python3 and under lazyd, as a copy called program.py in a
folder of its own, so that no program hides a package of its name; standard
output and exit status are compared. Without --level its packages are at their
level of the catalogue. A line is printed for each: pass, differs, unsteady
(two eager runs differ), fails (an eager run does not end with 0, or prints
nothing), or missing (a Debian package is not installed). The exit status is 1
where one is not pass or missing.

--front puts a folder of other versions of the packages before the system's.

--record keeps a row of each program and package in a table: what came of it
at full and at outer. Where all packages of the program are at full and it
does not pass, each is tried alone, the others at their level of the catalogue.
"""
import argparse
import dataclasses
import difflib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import table

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = os.path.realpath("/usr/bin/python3")
PROGRAMS = HERE / "programs"
TIMEOUT_S = 120
LEVELS = ("full", "outer", "eager")


@dataclasses.dataclass
class Outcome:
    verdict: str
    detail: str = ""


def header(program):
    """(Debian packages, import names) of a program."""
    found = {}
    with open(program, encoding="utf-8") as file:
        for line in (next(file, ""), next(file, "")):
            match = re.fullmatch(r"# (needs|packages):((?: \S+)+)\s*", line)
            if match:
                found[match[1]] = match[2].split()
    if len(found) != 2:
        raise ValueError(f"{program}: the first two lines must be "
                         "'# needs: ...' and '# packages: ...'")
    return found["needs"], found["packages"]


def missing(needs):
    """Those Debian packages that are not installed."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *needs],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    there = {line.split()[0] for line in done.stdout.splitlines()
             if line.endswith(" installed")}
    return [name for name in needs if name not in there]


front = []  # folders of packages before the system's


def environment(folder):
    """As little of the caller's as programs need; bytecode may be written."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LAZY"))}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder),
            "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "TZ": "UTC",
            "MPLBACKEND": "Agg",
            **({"PYTHONPATH": os.pathsep.join(front)} if front else {})}


def run(before, program, timeout=TIMEOUT_S):
    """(status, stdout, stderr) of BEFORE with a copy of PROGRAM, in a folder
    of its own."""
    with tempfile.TemporaryDirectory(prefix="packages-",
                                     ignore_cleanup_errors=True) as folder:
        copy = shutil.copyfile(program, os.path.join(folder, "program.py"))
        try:
            done = subprocess.run(
                [*before, copy], cwd=folder, env=environment(folder),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=timeout,
                encoding="utf-8", errors="backslashreplace")
        except subprocess.TimeoutExpired:
            return "timed out", "", f"no end after {timeout} s"
        # The folder has another name each time.
        return (done.returncode, done.stdout.replace(folder, "FOLDER"),
                done.stderr)


def difference(eager, lazy):
    lines = [] if eager[0] == lazy[0] else [f"status {eager[0]}, {lazy[0]}"]
    lines += difflib.unified_diff(eager[1].splitlines(), lazy[1].splitlines(),
                                  "eager", "lazy", n=1, lineterm="")
    return "\n".join([*lines, lazy[2]])


class Trial:
    """A program, and what it does eagerly; asked for once."""

    def __init__(self, lazyd, program):
        self.lazyd = lazyd
        self.program = program
        self.needs, self.packages = header(program)

    @functools.cached_property
    def lacking(self):
        return missing(self.needs)

    @functools.cached_property
    def eager(self):
        return run([PYTHON], self.program)

    def at(self, levels):
        """The outcome with {package: level}, all else at the catalogue's."""
        if self.lacking:
            return Outcome("missing", " ".join(self.lacking))
        if self.eager[0] != 0 or not self.eager[1]:
            return Outcome("fails",
                           f"status {self.eager[0]}\n{self.eager[2]}")
        options = [f"--level={package}={level}"
                   for package, level in levels.items()]
        lazy = run([self.lazyd, "-F", "--no-socket", *options, "--app"],
                   self.program)
        if lazy[:2] == self.eager[:2]:
            return Outcome("pass")
        again = run([PYTHON], self.program)
        if again[:2] != self.eager[:2]:
            return Outcome("unsteady", difference(self.eager, again))
        return Outcome("differs", difference(self.eager, lazy))

    def at_level(self, level):
        """With all packages of its header at LEVEL, or as they are where
        that is None."""
        return self.at(dict.fromkeys(self.packages, level) if level else {})

    def of_each(self, level):
        """{package: verdict} at LEVEL."""
        verdict = self.at_level(level).verdict
        if verdict != "differs" or len(self.packages) == 1:
            return dict.fromkeys(self.packages, verdict)
        return {package: self.at({package: level}).verdict
                for package in self.packages}


COLUMNS = ("package", "program", "full", "outer")
KEYS = ("package", "program")


def record(path, trial):
    """Rows of the trial's packages, in the table at PATH."""
    if trial.lacking:
        return
    full, outer = trial.of_each("full"), trial.of_each("outer")
    for package in trial.packages:
        table.put(path, COLUMNS, KEYS,
                  {"package": package, "program": trial.program.stem,
                   "full": full[package], "outer": outer[package]})


def main():
    parser = argparse.ArgumentParser(
        description="Run programs eagerly and lazily, and compare.")
    parser.add_argument("--lazyd", type=pathlib.Path,
                        default=ROOT / "build/dev/daemon/lazyd")
    parser.add_argument("--level", choices=LEVELS, action="append",
                        help="of the packages in the program's header "
                             "(repeatable; default: the catalogue's)")
    parser.add_argument("--front", action="append", default=[],
                        metavar="DIR",
                        help="where packages are taken from first")
    parser.add_argument("--record", type=pathlib.Path,
                        help="keep what came of each in this table")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="do not show what differs")
    parser.add_argument("programs", nargs="*", type=pathlib.Path,
                        metavar="PROGRAM", help="default: all of programs/")
    options = parser.parse_args()
    front.extend(map(os.path.abspath, options.front))
    wrong = False
    for program in options.programs or sorted(PROGRAMS.glob("*.py")):
        trial = Trial(options.lazyd.resolve(), program.resolve())
        if options.record:
            record(options.record, trial)
        for level in options.level or [None]:
            outcome = trial.at_level(level)
            note = outcome.detail if outcome.verdict == "missing" else ""
            print(f"{program.stem:24} {level or 'catalogue':10}"
                  f"{outcome.verdict} {note}".rstrip(), flush=True)
            if outcome.verdict not in ("pass", "missing"):
                wrong = True
                if not options.quiet:
                    print(outcome.detail, file=sys.stderr, flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
