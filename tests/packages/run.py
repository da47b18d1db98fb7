"""Run programs that use packages, eagerly and lazily, and compare.

    run.py [--level full|outer|eager] PROGRAM...

Each program begins with two lines:

    # needs: DEBIAN-PACKAGE ...
    # packages: TOP-LEVEL-IMPORT-NAME ...

It is run twice under python3 and once under lazyd, as a copy called program.py
in a folder of its own, so that no program hides a package of its name;
standard output and exit status are compared. Without --level its packages are at their level of the
catalogue. A line is printed for each: pass, differs, unsteady (two eager runs
differ), fails (an eager run does not end with 0), or missing (a Debian
package is not installed). The exit status is 1 where one is not pass or
missing.
"""
import argparse
import dataclasses
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

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


def environment(folder):
    """As little of the caller's as programs need; bytecode may be written."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LAZY"))}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder),
            "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "TZ": "UTC",
            "MPLBACKEND": "Agg"}


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


def eagerly(program):
    """The status and output to compare with, or an Outcome."""
    first = run([PYTHON], program)
    if first[0] != 0 or not first[1]:
        return None, Outcome("fails", f"status {first[0]}\n{first[2]}")
    again = run([PYTHON], program)
    if again[:2] != first[:2]:
        return None, Outcome("unsteady", difference(first, again))
    return first, None


def difference(eager, lazy):
    lines = [] if eager[0] == lazy[0] else [f"status {eager[0]}, {lazy[0]}"]
    lines += difflib.unified_diff(eager[1].splitlines(), lazy[1].splitlines(),
                                  "eager", "lazy", n=1, lineterm="")
    return "\n".join([*lines, lazy[2]])


def lazily(lazyd, program, levels):
    """Under lazyd; LEVELS is {package: level}, for what is not to have its
    level of the catalogue."""
    options = [f"--level={package}={level}"
               for package, level in levels.items()]
    return run([lazyd, "-F", "--no-socket", *options, "--app"], program)


def compare(lazyd, program, level=None):
    """The outcome at LEVEL for all packages of the program's header, or at
    the catalogue's."""
    needs, packages = header(program)
    lacking = missing(needs)
    if lacking:
        return Outcome("missing", " ".join(lacking))
    eager, failure = eagerly(program)
    if failure:
        return failure
    levels = dict.fromkeys(packages, level) if level else {}
    lazy = lazily(lazyd, program, levels)
    if lazy[:2] == eager[:2]:
        return Outcome("pass")
    return Outcome("differs", difference(eager, lazy))


def main():
    parser = argparse.ArgumentParser(
        description="Run programs eagerly and lazily, and compare.")
    parser.add_argument("--lazyd", type=pathlib.Path,
                        default=ROOT / "build/dev/daemon/lazyd")
    parser.add_argument("--level", choices=LEVELS, action="append",
                        help="of the packages in the program's header "
                             "(repeatable; default: the catalogue's)")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="do not show what differs")
    parser.add_argument("programs", nargs="*", type=pathlib.Path,
                        metavar="PROGRAM", help="default: all of programs/")
    options = parser.parse_args()
    wrong = False
    for program in options.programs or sorted(PROGRAMS.glob("*.py")):
        for level in options.level or [None]:
            outcome = compare(options.lazyd.resolve(), program.resolve(),
                              level)
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
