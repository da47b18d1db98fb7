"""What the measurements share: where programs are, rounds, tables.

Nothing here is a test: the scripts print figures of this machine at this
moment. Each compares in one run, round after round in turn, so that what else
the machine does hits all alike; ratios can be trusted, third digits cannot.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVICES = ROOT / "tests" / "service"
PYTHON = os.path.realpath("/usr/bin/python3")


def options(description, **defaults):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release",
                        help="where cmake built (default: build/release)")
    for name, value in defaults.items():
        parser.add_argument("--" + name, type=type(value), default=value)
    found = parser.parse_args()
    found.build = found.build.resolve()
    found.lazyd = found.build / "daemon" / "lazyd"
    found.lazyctl = found.build / "ctl" / "lazyctl"
    if not found.lazyd.exists():
        sys.exit(f"{found.lazyd} is not there: build, or give --build")
    return found


def environment():
    return {key: value for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LAZY"))}


def folder():
    return tempfile.TemporaryDirectory(prefix="bench-")


def private_dirty_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Private_Dirty:")[1].split()[0]) / 1024


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def median(values):
    return statistics.median(values)


def table(head, rows):
    cells = [head] + [[cell if isinstance(cell, str) else "%.2f" % cell
                       for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        print("  ".join(cell.ljust(width) if index == 0 else
                        cell.rjust(width) for index, (cell, width) in
                        enumerate(zip(row, widths))), flush=True)
    print()
