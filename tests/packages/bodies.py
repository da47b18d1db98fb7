"""The reader of bytecode (lazycore.body) against the record of effects.

    bodies.py [-v] [PACKAGE...]

For each module of the recorded packages that is installed with the recorded
size: whether both call its body free. What the bytecode calls free and the
record does not is listed, a line each; it must be none but those explained in
bodies.tsv. LAZYCORE_DIR names the folder of the extension.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
RECORDS = HERE.parent.parent / "lazycore" / "effects"
DIST = "/usr/lib/python3/dist-packages"

CHILD = """\
import json, sys, time
sys.path.insert(0, sys.argv[1])
import lazycore
lazycore.install()
sys.path.append(sys.argv[2])
found = {}
for name in json.load(sys.stdin):
    begin = time.perf_counter()
    body = lazycore.body(name, name.split(".")[0])
    found[name] = [body["free"], body["why"], time.perf_counter() - begin]
lazycore.uninstall()
json.dump(found, sys.stdout)
"""


def recorded(package):
    """{module: (free, why)} of the modules that are there as recorded."""
    found = {}
    for line in (RECORDS / f"{package}.tsv").read_text().splitlines():
        name, kind, size, state, _, *why = line.split("\t")
        path = pathlib.Path(DIST, *name.split("."))
        path = path / "__init__.py" if kind == "package" \
            else path.with_suffix(".py")
        if path.exists() and path.stat().st_size == int(size):
            found[name] = state == "free", "".join(why)
    return found


def read(names):
    """{module: [free, why, seconds]}"""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", CHILD, os.environ["LAZYCORE_DIR"], DIST],
        input=json.dumps(list(names)), stdout=subprocess.PIPE, text=True,
        check=True)
    return json.loads(done.stdout)


def explained():
    with open(HERE / "bodies.tsv") as file:
        return {row["module"]: row["why"]
                for row in csv.DictReader(file, delimiter="\t")}


def compare(package):
    """(recorded, found, bolder): bolder are the modules that the bytecode
    alone calls free, though the record has seen a change in the body."""
    record = recorded(package)
    found = read(record) if record else {}
    bolder = [(name, why) for name, (free, why) in record.items()
              if found[name][0] and not free and why.startswith("line ")]
    return record, found, bolder


def main():
    parser = argparse.ArgumentParser(
        description="Compare what bytecode and source say of effects.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="say why modules are not free that the record "
                             "calls free")
    options = parser.parse_args()
    packages = options.packages or sorted(
        path.stem for path in RECORDS.glob("*.tsv"))
    total, free, both, strange, spent = 0, 0, 0, 0, 0.0
    known = explained()
    for package in packages:
        record, found, bolder = compare(package)
        # What stands in a cycle, say, may still have a free body.
        body_free = [name for name, (is_free, why) in record.items()
                     if is_free or not why.startswith("line ")]
        agreed = [name for name in body_free if found[name][0]]
        total += len(record)
        free += len(body_free)
        both += len(agreed)
        spent += sum(one[2] for one in found.values())
        print(f"{package}: {len(record)} modules, {len(body_free)} free by "
              f"the record, {len(agreed)} of them by bytecode")
        for name, why in bolder:
            strange += name not in known
            print(f"  {name}: free by bytecode, but {why}"
                  + (f" ({known[name]})" if name in known else ""))
        for name in body_free if options.verbose else ():
            if name not in agreed:
                print(f"  {name}: {found[name][1]}")
    print(f"{total} modules, {free} free by the record, {both} of them by "
          f"bytecode ({100 * both / max(free, 1):.0f} %), {strange} by "
          f"bytecode alone, {1e6 * spent / max(total, 1):.0f} us each")
    return strange > 0


if __name__ == "__main__":
    sys.exit(main())
