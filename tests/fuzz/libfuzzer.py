#!/usr/bin/python3
"""libFuzzer's targets, some at a time, and what came of them.

    cmake --preset fuzz && cmake --build --preset fuzz
    tests/fuzz/libfuzzer.py --seconds 1800             all, half an hour each
    tests/fuzz/libfuzzer.py --seconds 60 request       one of them
    tests/fuzz/libfuzzer.py --merge                    keep what they found

Each starts from its corpus here and from what earlier runs found, which is
kept in FOLDER/NAME. An input that ends a target is left in
FOLDER/NAME.findings, and the exit status is 1. --merge adds to the corpus
here some of the smallest set of inputs that reaches what all of them reach.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
TARGETS = sorted(path.name for path in CORPUS.iterdir() if path.is_dir())
# The longest input tried: what is longer is slower, not deeper.
LONGEST = {"frame": 1024, "request": 8192, "options": 1024, "files": 6144,
           "bytecode": 3072}
KEPT, KEPT_BYTES = 100, 50 * 1024  # of a target's corpus here, at most


ENVIRONMENT = {**os.environ,
               "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def leaks(name):
    """Python's own blocks outlive it."""
    return f"-detect_leaks={int(name != 'bytecode')}"


def program(build, name):
    return build / "tests/fuzz/targets" / f"fuzz_{name}"


class Run:
    """One target at work."""

    def __init__(self, options, name):
        self.name, self.begin = name, time.monotonic()
        self.found = options.folder / name
        self.findings = options.folder / f"{name}.findings"
        self.log = options.folder / f"{name}.log"
        self.found.mkdir(parents=True, exist_ok=True)
        self.findings.mkdir(exist_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program(options.build, name), self.found, CORPUS / name,
                 f"-max_total_time={options.seconds}", "-print_final_stats=1",
                 "-timeout=20", "-rss_limit_mb=2048", leaks(name),
                 "-reload=0", f"-max_len={LONGEST.get(name, 4096)}",
                 f"-artifact_prefix={self.findings}/"],
                env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)

    def result(self):
        """(whether nothing was found, a line about it)."""
        text = self.log.read_text(errors="replace")
        status = [re.findall(rf"\b{key}: (\d+)", text) or ["0"]
                  for key in ("cov", "ft")]
        units = re.search(r"number_of_executed_units: (\d+)", text)
        inputs = re.search(r"corp: (\d+)", text[text.rfind("corp: "):])
        bad = sorted(path.name for path in self.findings.iterdir())
        fine = self.process.returncode == 0 and units and int(units[1]) > 0
        return fine, (
            f"{self.name:10} {int(units[1]) if units else 0:10} executions "
            f"{status[0][-1]:>6} edges {status[1][-1]:>6} features "
            f"{inputs[1] if inputs else 0:>5} inputs "
            f"{time.monotonic() - self.begin:6.0f} s  "
            + (", ".join(bad) or ("nothing found" if fine else
                                  f"exit {self.process.returncode}")))


def fuzz(options):
    waiting, running, fine = list(options.targets), [], 0
    while waiting or running:
        while waiting and len(running) < options.parallel:
            running.append(Run(options, waiting.pop(0)))
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        for run in [run for run in running
                    if run.process.poll() is not None]:
            running.remove(run)
            good, line = run.result()
            fine += good
            print(line, flush=True)
            if not good:
                print(run.log.read_text(errors="replace")[-6000:])
    print(f"{fine} of {len(options.targets)} passed")
    return fine == len(options.targets)


def merge(options):
    for name in options.targets:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [program(options.build, name), "-merge=1", leaks(name),
                 f"-max_len={LONGEST.get(name, 4096)}", folder,
                 CORPUS / name, options.folder / name],
                env=ENVIRONMENT, check=True, stderr=subprocess.DEVNULL)
            found = sorted(pathlib.Path(folder).iterdir(),
                           key=lambda path: path.stat().st_size)
            named = [path for path in (CORPUS / name).iterdir()
                     if not re.fullmatch("[0-9a-f]{40}", path.name)]
            for path in (CORPUS / name).iterdir():
                if path not in named:
                    path.unlink()
            size = sum(path.stat().st_size for path in named)
            kept = 0
            for path in found[::len(found) // KEPT + 1]:
                size += path.stat().st_size
                if size > KEPT_BYTES:
                    break
                if path.read_bytes() not in [p.read_bytes() for p in named]:
                    shutil.copy(path, CORPUS / name / path.name)
                    kept += 1
        print(f"{name}: {len(named)} named inputs, {kept} of "
              f"{len(found)} found ones kept")
    return True


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET",
                        default=TARGETS, help=", ".join(TARGETS))
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build/fuzz")
    parser.add_argument("--folder", type=pathlib.Path,
                        help="default: found, in the folder of the build")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--merge", action="store_true")
    options = parser.parse_args()
    if set(options.targets) - set(TARGETS):
        parser.error(f"the targets are {', '.join(TARGETS)}")
    options.folder = options.folder or options.build / "found"
    options.folder.mkdir(parents=True, exist_ok=True)
    work = merge if options.merge else fuzz
    sys.exit(0 if work(options) else 1)


main()
