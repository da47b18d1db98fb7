"""The ways a file of CPython's regression tests is run, and what came of it.

A run is a dict: its `status` (passed, failed, skipped, crashed, timeout), the
seconds it took, and `cases`, the outcome of each test case by its id.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = os.environ.get("LAZYCORE_PYTHON", "/usr/bin/python3")

# What no test machine must have: a network, a display, gigabytes, patience.
RESOURCES = "all,-network,-urlfetch,-gui,-audio,-largefile,-cpu"

# Each lazy way, and the same without laziness: what fails there too is the
# doing of the environment.
CONTROLS = {"lazycore": "lazycore-off", "lazyd": "lazyd-off"}
WAYS = ("python", *CONTROLS, *CONTROLS.values())

# How much longer than regrtest's own watchdog we wait for it.
GRACE_S = 30


def lazycore_folder():
    return os.environ["LAZYCORE_DIR"]


def command(way):
    """What stands before the arguments of regrtest."""
    if way.startswith("lazyd"):
        lazy = "off" if way.endswith("-off") else "on"
        return [os.environ["LAZYD"], "-F", "--no-socket", "--lazy", lazy,
                "--app", "test", "--"]
    return [PYTHON, "-m", "test"]


def environment(way, folder):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PYTHON", "LAZY", "LC_", "CTEST"))}
    env |= {"LANG": "C.UTF-8", "TMPDIR": str(folder)}
    if way == "lazycore":
        env["PYTHONPATH"] = f"{HERE / 'boot'}:{lazycore_folder()}"
    elif way == "lazycore-off":
        env["PYTHONPATH"] = lazycore_folder()
    return env


def run(way, name, timeout_s, log):
    """Run the test file NAME; its output goes to the file LOG."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="regr"))
    report = folder / "report.xml"
    begin = time.monotonic()
    try:
        with open(log, "wb") as output:
            status = wait(
                [*command(way), "-v", "-u", RESOURCES,
                 "--timeout", str(timeout_s), "--tempdir", str(folder),
                 "--junit-xml", str(report), name],
                environment(way, folder), folder, output, timeout_s)
        text = pathlib.Path(log).read_text(errors="replace")
        cases = cases_of_report(report)
        for case, outcome in cases_of_log(text).items():
            cases[case] = worst(cases.get(case), outcome)
        return {"file": name, "way": way,
                "status": file_status(status, text, report.exists()),
                "seconds": round(time.monotonic() - begin, 1),
                "cases": cases}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait(arguments, env, folder, output, timeout_s):
    """The exit status, or None: it had to be ended."""
    child = subprocess.Popen(arguments, env=env, cwd=folder,
                             stdin=subprocess.DEVNULL, stdout=output,
                             stderr=subprocess.STDOUT, start_new_session=True)
    try:
        return child.wait(timeout_s + GRACE_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()


def file_status(status, text, complete):
    if status is None or re.search(r"Timeout \(\d+:\d\d:\d\d\)!", text):
        return "timeout"
    if not complete:
        return "crashed"
    if re.search(r"^1 test skipped:", text, flags=re.M):
        return "skipped"
    # 4: there was no case to run.
    return "passed" if status in (0, 4) else "failed"


def outcome_of(element):
    for tag in ("error", "failure", "skipped"):
        if element.find(tag) is not None:
            return "skipped" if tag == "skipped" else "failed"
    if element.get("outcome") == "UNEXPECTED_SUCCESS":
        return "failed"
    return "passed"


def cases_of_report(report):
    """What regrtest's report says; an id met twice has its worst outcome.
    A case of which only a subtest failed has no name there, and one that has
    an `id` of its own has that."""
    if not report.exists():
        return {}
    found = {}
    for element in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = element.get("name")
        if name is not None and not name.isdigit():
            found[name] = worst(found.get(name), outcome_of(element))
    return found


def worst(*outcomes):
    for result in ("failed", "skipped", "passed"):
        if result in outcomes:
            return result
    return None


def cases_of_log(text):
    """What only the log tells: failures of subtests and fixtures, and, where
    there is no report, what had passed before the end."""
    found = {}
    begins = list(re.finditer(r"^\w+ \((test\.[\w.]+)\)", text, flags=re.M))
    for begin, end in zip(begins, [*begins[1:], None]):
        part = text[begin.end():end and end.start()]
        if re.search(r"^(.* \.\.\. )?ok$", part, flags=re.M):
            found[begin[1]] = "passed"
    for match in re.finditer(
            r"^(?:ERROR|FAIL): (\w+) \(([\w.]+)\)", text, flags=re.M):
        fixture = match[1].startswith(("setUp", "tearDown"))
        found[f"{match[2]}.{match[1]}" if fixture else match[2]] = "failed"
    return found
