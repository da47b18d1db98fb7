"""CPython's regression tests, eagerly and under lazy imports.

    regrtest.py [--list FILE | NAMES...]    without either: every file there is

Each file is run by itself in each way, and its cases are compared with what
they gave eagerly. A file in which something differs is run once more, eagerly
and lazily, and also hosted the same way without laziness; so neither chance
nor the environment is taken for a difference. Runs are kept in --results as
JSON, and what is there is not run again.

The exit status is 0 when exactly the listed cases differ, 1 when others do or
a listed one does not, 77 where Debian's libpython3.11-testsuite is missing.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import compare
import ways

HERE = pathlib.Path(__file__).resolve().parent
DIFFERS = HERE / "differs.txt"
SKIPPED = 77


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="test files, as test_json")
    parser.add_argument("--list", help="a file of such names")
    parser.add_argument("--results", type=pathlib.Path,
                        help="folder to keep the runs in")
    parser.add_argument("--fresh", action="store_true",
                        help="forget the runs that are there")
    parser.add_argument("--ways", default="lazycore,lazyd",
                        help="lazy ways to run (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=600,
                        help="seconds for one file (default: %(default)s)")
    parser.add_argument("--report-only", action="store_true",
                        help="run nothing, compare what is there")
    return parser.parse_args()


def test_files():
    """Every file of tests that regrtest knows, or None: it is not there."""
    done = subprocess.run(
        [ways.PYTHON, "-c", "import test.test_json, test.regrtest"],
        stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        return None
    done = subprocess.run([ways.PYTHON, "-m", "test", "--list-tests"],
                          check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.split()


class Runs:
    """The runs that are kept in a folder: FOLDER/WAY/NAME.NUMBER.json."""

    def __init__(self, folder, timeout_s):
        self.folder = folder
        self.timeout_s = timeout_s
        for way in ways.WAYS:
            (folder / way).mkdir(parents=True, exist_ok=True)

    def path(self, way, name, number):
        return self.folder / way / f"{name}.{number}.json"

    def get(self, way, name):
        """Those there are, in order."""
        found = []
        while (path := self.path(way, name, len(found) + 1)).exists():
            found.append(json.loads(path.read_text()))
        return found

    def add(self, way, name, number):
        """Make the run of this NUMBER, unless it is there."""
        path = self.path(way, name, number)
        if path.exists():
            return
        run = ways.run(way, name, self.timeout_s, path.with_suffix(".log"))
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(run, indent=1))
        fresh.rename(path)
        print(f"{way:12} {name:32} {run['status']:8} {len(run['cases']):5} "
              f"cases {run['seconds']:6.1f} s", flush=True)

    def differing(self, way, name):
        lazy = self.get(way, name)
        return compare.differing(self.get("python", name), lazy) if lazy else []


def run_file(runs, name, lazy_ways):
    """Run a file in every way, one after another: two runs at once may want
    the same port."""
    for way in ("python", *lazy_ways):
        runs.add(way, name, 1)
    suspects = [way for way in lazy_ways if runs.differing(way, name)]
    for way in ("python", *suspects) if suspects else ():
        runs.add(way, name, 2)
    for way in suspects:
        runs.add(ways.CONTROLS[way], name, 1)


def run_all(runs, names, lazy_ways, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(run_file, runs, name, lazy_ways)
                     for name in names]:
            done.result()


def differences(runs, names, way):
    """({file: cases} that only laziness makes differ, the same of those that
    the way of hosting does)."""
    lazily, hosted = {}, {}
    for name in names:
        cases = runs.differing(way, name)
        control = runs.get(ways.CONTROLS[way], name)
        if control:
            eager = runs.get("python", name)
            doing = set(compare.differing(eager, control))
        else:
            doing = set()
        lazily[name] = [case for case in cases if case not in doing]
        hosted[name] = [case for case in cases if case in doing]
    return lazily, hosted


def print_table(runs, names, lazy_ways, results):
    print(f"\n{'':12} {'files':>6} {'passed':>7} {'cases':>7} {'passed':>7} "
          f"{'seconds':>8} {'differ':>7} {'hosting':>8}")
    for way in ("python", *lazy_ways):
        firsts = [found[0] for name in names if (found := runs.get(way, name))]
        outcomes = collections.Counter(
            outcome for run in firsts for outcome in run["cases"].values())
        lazily, hosted = results.get(way, ({}, {}))
        print(f"{way:12} {len(firsts):6} "
              f"{sum(run['status'] == 'passed' for run in firsts):7} "
              f"{sum(outcomes.values()):7} {outcomes['passed']:7} "
              f"{sum(run['seconds'] for run in firsts):8.0f} "
              f"{sum(map(len, lazily.values())):7} "
              f"{sum(map(len, hosted.values())):8}")


def verdict(runs, names, lazy_ways, results):
    """Print what is not as the list says; whether all is. What fails under
    lazyd without laziness is to be listed too; what fails in a python3 that
    only has PYTHONPATH set is not our doing."""
    listed = compare.read_list(DIFFERS)
    differ = set()
    for way, (lazily, hosted) in results.items():
        for found, text in (lazily, "passes only eagerly"), (
                hosted, "fails so hosted, lazily or not"):
            for name, case in pairs(found):
                if found is lazily or way == "lazyd":
                    differ.add((name, case))
                known = ", listed" if (name, case) in listed else ""
                print(f"{way}: {name} {case}: {text}{known}")
    stale = []
    for name, case in sorted(listed):
        ran = all(runs.get(way, name) for way in ("python", *ways.CONTROLS))
        if name in names and ran and (name, case) not in differ:
            stale.append(case)
            print(f"{DIFFERS.name}: {name} {case}: does not differ any more")
    return not stale and differ <= set(listed)


def pairs(found):
    return [(name, case) for name, cases in found.items() for case in cases]


def main():
    options = arguments()
    # Ignored where a shell started us in the background; children inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    there = test_files()
    if there is None:
        print("the regression tests of this Python are not installed "
              "(Debian: libpython3.11-testsuite)")
        return SKIPPED
    names = options.names
    if options.list:
        names = compare.read_names(options.list)
    unknown = sorted(set(names) - set(there))
    if unknown:
        raise SystemExit(f"no such test files: {' '.join(unknown)}")
    names = names or there
    lazy_ways = options.ways.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.results or pathlib.Path(scratch)).resolve()
        if options.fresh:
            shutil.rmtree(folder, ignore_errors=True)
        runs = Runs(folder, options.timeout)
        if not options.report_only:
            run_all(runs, names, lazy_ways, options.jobs)
        results = {way: differences(runs, names, way) for way in lazy_ways}
        print_table(runs, names, lazy_ways, results)
        return 0 if verdict(runs, names, lazy_ways, results) else 1


if __name__ == "__main__":
    sys.exit(main())
