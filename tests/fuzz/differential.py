"""Differential fuzzer of the import engine: programs run twice, eagerly and
lazily, and must print the same and end the same.

Responsible for running, comparing and shrinking; the programs come from
programs.py. Each lazy run has a process of its own, forked by running.py; so
has each series of eager ones, and the eager run of a program that did not do
the same there.
"""

import argparse
import concurrent.futures
import itertools
import marshal
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import programs
import running

SERIES = 16  # eager runs of one process


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def lines(self):
        return self.out.splitlines()


def differences(program, eager, lazy):
    """The pairs of lines that tell the runs apart."""
    result = []
    for left, right in itertools.zip_longest(eager.lines(), lazy.lines(),
                                             fillvalue="(nothing)"):
        refused = program.cycles and left.endswith(
            ("raised ImportError", "raised AttributeError"))
        if left != right and not refused:
            result.append((left, right))
    return result


def same(program, eager, lazy):
    return (eager.status == lazy.status and
            not differences(program, eager, lazy))


def text(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write(folder, program):
    archive = None
    if program.zipped:
        archive = zipfile.ZipFile(os.path.join(folder, "lib.zip"), "w")
    for path in program.files:
        top = path.split("/")[0].removesuffix(".py")
        if archive is not None and top in program.zipped:
            archive.writestr(path, program.text(path))
            continue
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(program.text(path))
    if archive is not None:
        archive.close()


class Lab:
    """A folder in memory where possible, in which each program has its own,
    and a process that runs them."""

    def __init__(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="lazyd-fuzz-", dir=base)
        self.count = 0
        self.runner = subprocess.Popen(
            [sys.executable, "-S", running.__file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runner.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, pairs, lazy=False, finalized=False):
        """The exit status of the process in which PAIRS of folder and program
        have run."""
        runs = [(folder, vars(program)) for folder, program in pairs]
        marshal.dump((runs, lazy, finalized), self.runner.stdin)
        self.runner.stdin.flush()
        return marshal.load(self.runner.stdout)

    def run(self, folder, program, lazy, finalized=False):
        status = self.ask([(folder, program)], lazy, finalized)
        return Result(status, *map(text, running.outputs(folder, lazy)))

    def prepare(self, program):
        """The folder of PROGRAM, for whoever has it to remove."""
        self.count += 1
        folder = os.path.join(self.folder, f"p{self.count}")
        os.mkdir(folder)
        write(folder, program)
        return folder

    def both(self, program, finalized=False):
        """(eager, lazy); lazy is None where the eager program fails."""
        folder = self.prepare(program)
        try:
            eager = self.run(folder, program, False)
            if eager.status != 0:
                return eager, None
            return eager, self.run(folder, program, True, finalized)
        finally:
            shutil.rmtree(folder)

    def are_same(self, seeds):
        """For each seed whether its program was seen to do the same; where
        not, it has still to be run alone."""
        pairs = []
        try:
            for seed in seeds:
                program = programs.generate(seed)
                pairs.append((self.prepare(program), program))
            self.ask(pairs)
            return [self.is_same(*pair, finalizes(seed))
                    for seed, pair in zip(seeds, pairs)]
        finally:
            for folder, _ in pairs:
                shutil.rmtree(folder)

    def is_same(self, folder, program, finalized):
        if not os.path.exists(running.ended(folder)):
            return False
        eager = Result(0, *map(text, running.outputs(folder, False)))
        return same(program, eager, self.run(folder, program, True, finalized))


def symptom(program, eager, lazy):
    """What the shrunk program must go on showing."""
    if lazy.status < 0:
        return ("signal", lazy.status)
    found = differences(program, eager, lazy)
    if found:
        return found[0]
    raised = re.findall(r"(?m)^\w+Error: [^(]*", lazy.err)
    return ("end", lazy.status, raised[-1:])


class Shrinker:
    def __init__(self, lab, program):
        self.lab = lab
        self.program = program
        self.wanted = symptom(program, *lab.both(program))

    def still_fails(self, program):
        eager, lazy = self.lab.both(program)
        return (lazy is not None and not same(program, eager, lazy) and
                symptom(program, eager, lazy) == self.wanted)

    def attempt(self, program):
        if not self.still_fails(program):
            return False
        self.program = program
        return True

    def without_file(self, path):
        files = dict(self.program.files)
        if path.endswith("/__init__.py") and files[path]:
            files[path] = []
        else:
            del files[path]
        return self.program.copy(files)

    def with_blocks(self, path, blocks):
        files = dict(self.program.files)
        files[path] = blocks
        return self.program.copy(files)

    def drop_blocks(self, path):
        size = max(1, len(self.program.files[path]) // 2)
        changed = False
        while size >= 1:
            at = 0
            while at < len(self.program.files[path]):
                blocks = self.program.files[path]
                rest = blocks[:at] + blocks[at + size:]
                if self.attempt(self.with_blocks(path, rest)):
                    changed = True
                else:
                    at += size
            size //= 2
        return changed

    def drop_names(self, path):
        """`from x import a, b` with fewer names."""
        changed = False
        for at, block in enumerate(self.program.files[path]):
            head, found, names = block.rpartition(" import ")
            if not found or ", " not in names or "\n" in block:
                continue
            for name in names.split(", "):
                rest = [n for n in names.split(", ") if n != name]
                text = f"{head} import {', '.join(rest)}"
                blocks = list(self.program.files[path])
                blocks[at] = text
                if rest and self.attempt(self.with_blocks(path, blocks)):
                    changed = True
                    break
        return changed

    def drop_settings(self):
        changed = False
        for package in list(self.program.levels):
            program = self.program.copy()
            del program.levels[package]
            changed |= self.attempt(program)
        for rule in list(self.program.ignored):
            program = self.program.copy()
            program.ignored.remove(rule)
            changed |= self.attempt(program)
        for name in list(self.program.zipped):
            program = self.program.copy()
            program.zipped.remove(name)
            changed |= self.attempt(program)
        return changed

    def shrink(self):
        changed = True
        while changed:
            changed = False
            for path in list(self.program.files):
                if path != "main.py":
                    changed |= self.attempt(self.without_file(path))
            for path in list(self.program.files):
                changed |= self.drop_blocks(path)
                changed |= self.drop_names(path)
            changed |= self.drop_settings()
        return self.program


def print_program(program):
    print("levels:", program.levels, "zipped:", program.zipped,
          "folders:", program.folders, "ignored:", program.ignored)
    for path in sorted(program.files):
        print(f"--- {path}")
        print(program.text(path), end="")


def print_failure(seed, program, eager, lazy):
    print(f"=== seed {seed}: eager status {eager.status}, "
          f"lazy status {lazy.status}")
    for left, right in differences(program, eager, lazy):
        print(f"  eager: {left}\n  lazy:  {right}")
    if lazy.err:
        print(lazy.err.rstrip())
    print_program(program)


def finalizes(seed):
    """Whether the lazy run ends as a process does, for which it takes long."""
    return seed % 16 == 0


def check(lab, seed, options):
    """0 the same, 1 different, 2 no valid program."""
    program = programs.generate(seed)
    eager, lazy = lab.both(program, finalizes(seed))
    if lazy is None:
        if options.show_invalid:
            print(seed, eager.err.strip().splitlines()[-1:])
        return 2
    if same(program, eager, lazy):
        return 0
    if options.minimize:
        program = Shrinker(lab, program).shrink()
        eager, lazy = lab.both(program)
    print_failure(seed, program, eager, lazy)
    sys.stdout.flush()
    return 1


def work(job, options):
    """Every job-th seed; how many of each outcome."""
    counts = [0, 0, 0]
    seeds = range(options.seed + job, options.seed + options.count,
                  options.jobs)
    with Lab() as lab:
        for at in range(0, len(seeds), SERIES):
            part = seeds[at:at + SERIES]
            for seed, is_same in zip(part, lab.are_same(part)):
                counts[0 if is_same else check(lab, seed, options)] += 1
                if counts[1] >= options.stop_after:
                    return counts
    return counts


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minimize", action="store_true",
                        help="shrink what fails")
    parser.add_argument("--stop-after", type=int, default=10,
                        help="failures after which a job ends")
    parser.add_argument("--show-invalid", action="store_true",
                        help="why eager programs failed")
    parser.add_argument("--print", action="store_true",
                        help="print the program of --seed, run nothing")
    return parser.parse_args()


def main():
    options = parse()
    if getattr(options, "print"):
        print_program(programs.generate(options.seed))
        return 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = pool.map(work, range(options.jobs), [options] * options.jobs)
        same, different, invalid = map(sum, zip(*jobs))
    print(f"{same} the same, {different} different, {invalid} invalid")
    return 1 if same == 0 or different else 0


if __name__ == "__main__":
    sys.exit(main())
