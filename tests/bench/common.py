"""What the measurements share: where programs are, rounds, tables.

Nothing here is a test: the scripts print figures of this machine at this
moment. Each compares in one run, round after round in turn, so that what else
the machine does hits all alike; ratios can be trusted, third digits cannot.
"""
import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVICES = ROOT / "tests" / "service"
PYTHON = os.path.realpath("/usr/bin/python3")

# Every table that was printed, for --json.
tables = []


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release",
                        help="where cmake built (default: build/release)")
    parser.add_argument("--lazyd", type=pathlib.Path)
    parser.add_argument("--lazyctl", type=pathlib.Path)
    parser.add_argument("--lazycore", type=pathlib.Path,
                        help="folder of the extension")
    parser.add_argument("--rounds", type=int, default=7,
                        help="of everything, in turn; at least 5")
    parser.add_argument("--peer", type=pathlib.Path, metavar="ROOT",
                        help="a chroot with python3.15: see peers.py")
    parser.add_argument("--json", type=pathlib.Path,
                        help="write the tables to this file too")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="only these benchmarks")
    found = parser.parse_args()
    found.lazyd = (found.lazyd or found.build / "daemon/lazyd").resolve()
    found.lazyctl = (found.lazyctl or found.build / "ctl/lazyctl").resolve()
    found.lazycore = (found.lazycore or found.build / "lazycore").resolve()
    for path in (found.lazyd, found.lazyctl, found.lazycore):
        if not path.exists():
            sys.exit(f"{path} is not there: build, or give --build")
    if found.rounds < 5:
        sys.exit("--rounds: less than 5 say nothing")
    return found


def environment():
    return {key: value for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LAZY", "XDG_"))}


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def service(options, folder, app, *arguments):
    """lazyd in the background on the socket FOLDER/s, while in the body."""
    control = [options.lazyctl, "-s", folder / "s"]
    environ = {**environment(), "HOME": str(folder)}
    subprocess.run(
        [options.lazyd, "-s", folder / "s", "-l", folder / "log",
         "--stop-timeout", "0.5", "--wait-ready", "--app", app, "--",
         *arguments], check=True, env=environ)
    try:
        yield folder / "s"
    finally:
        subprocess.run([*control, "stop"], stdout=subprocess.DEVNULL)


def await_path(path, seconds=10):
    """Until a server that was started has made PATH."""
    until = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > until:
            raise SystemExit(f"nobody made {path}")
        time.sleep(0.002)


def settle():
    """A mapped page of a file just written counts as Private_Dirty."""
    os.sync()


def private_dirty_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Private_Dirty:")[1].split()[0]) / 1024


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


median = statistics.median


def spread(values):
    """The three figures of one column of rounds."""
    return [min(values), median(values), max(values)]


def cell_text(cell):
    if isinstance(cell, str):
        return cell
    return "%d" % cell if isinstance(cell, int) else "%.3g" % cell \
        if abs(cell) < 10 else "%.1f" % cell


def table(title, head, rows):
    tables.append({"title": title, "head": head, "rows": rows})
    cells = [head] + [[cell_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    print(title)
    for row in cells:
        print("  " + "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths))),
            flush=True)
    print(flush=True)
