"""The price of one deferred import statement, beside an eager one and
importlib.util.LazyLoader; of further names; and of the first use."""
import json
import pathlib
import subprocess

import common

MODULES = 400

HEAD = """
import json, os, sys
if sys.argv[1] == "lazycore":
    sys.path.insert(0, sys.argv[2])
    import lazycore
    lazycore.install()
sys.path.insert(0, os.getcwd())
def dirty():
    with open("/proc/self/smaps_rollup") as text:
        for line in text:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
"""

TAIL = """
memory = dirty()
import {name} as run
memory = dirty() - memory
begin = run.clock()
run.use()
used = run.clock() - begin
print(json.dumps([run.end - run.begin, used, memory]))
"""

CLOCK = "from time import perf_counter_ns as clock\n"

LAZYLOADER = """
import importlib.util, sys
def lazy(name):
    spec = importlib.util.find_spec(name)
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
"""


def write(folder):
    names = [f"mod{n}" for n in range(MODULES)]
    for name in names:
        (folder / f"{name}.py").write_text(
            "import os\n\n\ndef one(a, b=1):\n    return a + b\n\n\n"
            "class Two:\n    x = 1\n\n    def three(self):\n"
            "        return self.x\n")
    uses = ("def use():\n    for m in (" + ", ".join(names)
            + "):\n        m.one\n")
    (folder / "statements.py").write_text(
        CLOCK + "begin = clock()\n"
        + "".join(f"import {name}\n" for name in names)
        + "end = clock()\n" + uses)
    (folder / "loaders.py").write_text(
        CLOCK + LAZYLOADER + "begin = clock()\n"
        + "".join(f"{name} = lazy({name!r})\n" for name in names)
        + "end = clock()\n" + uses)
    many = [f"name{n}" for n in range(4000)]
    (folder / "wide.py").write_text("".join(f"{name} = 1\n" for name in many))
    listed = ", ".join(many)
    (folder / "further.py").write_text(
        CLOCK + f"from wide import {many[0]}\nbegin = clock()\n"
        f"from wide import {', '.join(many[1:])}\nend = clock()\n"
        f"def use():\n    return {listed}\n")
    for name in ("statements", "loaders", "further"):
        (folder / f"run_{name}.py").write_text(HEAD + TAIL.format(name=name))


def run(folder, name, how, extension):
    done = subprocess.run(
        [common.PYTHON, f"run_{name}.py", how, extension], cwd=folder,
        check=True, stdout=subprocess.PIPE, text=True,
        env=common.environment())
    return json.loads(done.stdout)


def main():
    options = common.options(__doc__, rounds=10)
    extension = options.build / "lazycore"
    cases = [("eager import", "statements", "eager"),
             ("LazyLoader", "loaders", "eager"),
             ("lazycore", "statements", "lazycore"),
             ("eager further names", "further", "eager"),
             ("lazycore further names", "further", "lazycore")]
    found = {case: [] for case in cases}
    with common.folder() as name:
        folder = pathlib.Path(name)
        write(folder)
        for number in range(options.rounds + 1):
            for case in cases:
                answer = run(folder, case[1], case[2], extension)
                if number:  # the first round writes the .pyc
                    found[case].append(answer)
    each = {case[0]: [common.median([row[n] for row in rows])
                      for n in range(3)] for case, rows in found.items()}
    loader = each["LazyLoader"][0] / MODULES / 1e3
    plain = each["eager import"][0] / MODULES / 1e3
    rows = []
    for key in ("eager import", "LazyLoader", "lazycore"):
        took, used, memory = each[key]
        whole = (took + used) / MODULES / 1e3
        rows.append([key, took / MODULES / 1e3, took / MODULES / 1e3 / loader,
                     used / MODULES / 1e3, whole / plain, memory / MODULES])
    print(f"{MODULES} modules, {options.rounds} rounds in turn, medians")
    common.table(["statement", "us", "to LazyLoader", "first use us",
                  "both to eager", "KiB"], rows)
    common.table(["4000 names of one module", "us a name", "KiB a name"],
                 [[key, each[key][0] / 3999 / 1e3, each[key][2] / 4000]
                  for key in ("eager further names",
                              "lazycore further names")])


main()
