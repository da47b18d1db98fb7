"""Fuzzer of ledgers: with what --check-levels has recorded of a package, a
program that uses it otherwise prints what it prints eagerly.

Each program is a small random package, cycles among its modules allowed,
whose modules note in a list that their bodies have run. One program is
checked, another is run, both under the lazyd that LAZYD names.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

PACKAGES = ["pkg", "pkg.s", "pkg.t", "pkg.s.v"]
TIMEOUT_S = 60
EFFECT = "import eff\neff.plugins.append(__name__)"
# Makes the package outer: what zreg prints is nobody's name.
ALWAYS = {"pkg/zz.py": "from . import zreg\nuse = lambda: zreg\n",
          "pkg/zreg.py": "print('zreg')\n", "eff.py": "plugins = []\n"}


class Program:
    """files: path -> text. clashes: a package has a value under the name of
    a submodule, whose import by a statement that waits cannot wait longer
    than the package; so what runs is compared then, and not in which order."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = dict(ALWAYS)
        self.clashes = False
        self.modules = list(PACKAGES)
        for package in PACKAGES:
            self.modules += [f"{package}.{letter}" for letter
                             in "abc"[:self.random.randint(1, 3)]]
        self.random.shuffle(self.modules)
        for module in self.modules:
            self.files[self.path(module)] = self.body(module)
        first = self.random.choice(self.modules)
        self.files["check.py"] = (
            f"def main():\n    import {first}\n    import pkg.zz\n"
            f"    import eff\n    {first}.use()\n"
            "    print(sorted(set(eff.plugins)))\nmain()\n")
        used = self.random.sample(self.modules, 3)
        self.files["app.py"] = (
            "".join(f"import {module}\n" for module in used) +
            "import eff\ndef main():\n" +
            "".join(f"    {module}.use()\n" for module in used) +
            "    print(eff.plugins)\nmain()\n")

    @staticmethod
    def path(module):
        end = "/__init__.py" if module in PACKAGES else ".py"
        return module.replace(".", "/") + end

    def body(self, module):
        rank = self.modules.index(module)
        others = [other for at, other in enumerate(self.modules)
                  if other not in (module, "pkg") and
                  (at > rank or self.random.random() < .25)]
        self.random.shuffle(others)
        lines, names = [], []
        for other in others[:self.random.randint(0, 3)]:
            line, name = self.statement(module, other)
            lines.append(line)
            names.append(name)
        own = f"v_{module.rpartition('.')[2]} = 1"
        if module != "pkg" and self.random.random() < .45:
            own += "\n" + EFFECT
        lines.insert(self.random.randint(0, len(lines)), own)
        lines.append(f"use = lambda: [{', '.join(names)}]\n")
        return "\n".join(lines)

    def statement(self, module, other):
        """An import of OTHER, with the name that it binds."""
        package, _, tail = other.rpartition(".")
        form = self.random.randrange(4)
        if form == 0:
            return f"from {package} import {tail} as i_{tail}", f"i_{tail}"
        if form == 1:
            self.clashes |= (package != module and
                             f"{module}.{tail}" in self.modules)
            return f"from {package} import {tail}", tail
        if form == 2:
            return f"import {other}", "pkg"
        return f"from {other} import v_{tail}", f"v_{tail}"

    def write(self, folder):
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, text=True, timeout=TIMEOUT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def compare(folder, program):
    """0 the same, 1 different, 2 no program: it fails eagerly, or the one
    that is checked does."""
    lazyd = os.environ["LAZYD"]
    host = (lazyd, "-F", "--no-socket", "--app", "app.py")
    eager = run(folder, *host, "--lazy=off")
    if eager[0] != 0:
        return 2
    checked = run(folder, lazyd, "--check-levels", "-o", "levels",
                  "--app", "check.py")
    if checked[0] in (0, 1) and not (folder / "levels").exists():
        return 2
    lazy = run(folder, *host, "--level-file", "levels")
    if program.clashes:  # the one line is a list of names
        eager, lazy = [(status, sorted(out.strip("[]\n").split(", ")))
                       for status, out in (eager, lazy)]
    if checked[0] in (0, 1) and lazy == eager:
        return 0
    print("check", checked, "\neager", eager, "\nlazy ", lazy)
    return 1


def check(seed):
    program = Program(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ledgers-"))
    result = 1
    try:
        program.write(folder)
        result = compare(folder, program)
        if result == 1:
            print(f"=== seed {seed}")
            for name in sorted(program.files):
                print(f"--- {name}\n{program.files[name]}")
    finally:
        shutil.rmtree(folder)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    seeds = range(options.seed, options.seed + options.count)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(check, seeds))
    same, different, invalid = map(results.count, range(3))
    print(f"{same} the same, {different} different, {invalid} no program")
    return 1 if different or not same else 0


if __name__ == "__main__":
    sys.exit(main())
