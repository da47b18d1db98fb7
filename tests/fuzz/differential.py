"""Differential fuzzer of the import engine: programs run twice, eagerly and
lazily, and must print the same and end the same.

Responsible for running, comparing and shrinking; the programs come from
programs.py. Each run is a forked child of a process that has imported
lazycore and not installed it. LAZYCORE_DIR names the folder of the extension.
"""

import argparse
import gc
import itertools
import os
import re
import shutil
import sys
import tempfile
import traceback
import zipfile

import programs
import running

OUTPUT_MAX = 1 << 20


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


def run(folder, program, lazy, finalize=False):
    read, write = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        running.child(folder, program, lazy, write, finalize)
    os.close(write)
    parts, size = [], 0
    while size < OUTPUT_MAX:
        part = os.read(read, 65536)
        if not part:
            break
        parts.append(part)
        size += len(part)
    os.close(read)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        with open(os.path.join(folder, "stderr"), errors="replace") as file:
            err = file.read()
    except OSError:
        err = ""
    return Result(status, b"".join(parts).decode(errors="replace"), err)


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
    """A folder in memory where possible; each program has its own in it."""

    def __init__(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="lazyd-fuzz-", dir=base)
        self.count = 0
        self.pid = os.getpid()

    def remove(self, folder):
        if os.getpid() == self.pid:  # not in a child that finalizes
            shutil.rmtree(folder, ignore_errors=True)

    def both(self, program, finalize=False):
        """(eager, lazy); lazy is None where the eager program fails."""
        self.count += 1
        folder = os.path.join(self.folder, f"p{self.count}")
        os.mkdir(folder)
        try:
            write(folder, program)
            eager = run(folder, program, False)
            if eager.status != 0:
                return eager, None
            return eager, run(folder, program, True, finalize)
        finally:
            self.remove(folder)


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


def check(lab, seed, options):
    """0 the same, 1 different, 2 no valid program."""
    program = programs.generate(seed)
    eager, lazy = lab.both(program, finalize=seed % 16 == 0)
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
    """Every job-th seed; how many of each outcome, as text."""
    lab = Lab()
    counts = [0, 0, 0]
    gc.freeze()  # a run looks at no object of ours, and copies no page of it
    try:
        for seed in range(options.seed + job, options.seed + options.count,
                          options.jobs):
            counts[check(lab, seed, options)] += 1
            if counts[1] >= options.stop_after:
                break
    finally:
        lab.remove(lab.folder)
    return counts


def start(job, options):
    read, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        status = 1
        try:
            counts = work(job, options)
            os.write(write_end, " ".join(map(str, counts)).encode())
            status = 0
        except SystemExit as end:  # a child of work() that finalizes
            raise end
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
        os._exit(status)
    os.close(write_end)
    return pid, read


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
    sys.path.insert(0, os.environ["LAZYCORE_DIR"])
    import lazycore  # noqa: F401: the children install it
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    started = [start(job, options) for job in range(options.jobs)]
    totals, failed = [0, 0, 0], False
    for pid, read in started:
        with os.fdopen(read) as file:
            counts = file.read().split()
        failed |= os.waitpid(pid, 0)[1] != 0 or len(counts) != 3
        totals = [a + int(b) for a, b in zip(totals, counts or [0] * 3)]
    same, different, invalid = totals
    print(f"{same} the same, {different} different, {invalid} invalid")
    if same == 0:
        failed = True
    return 1 if failed or different else 0


if __name__ == "__main__":
    sys.exit(main())
