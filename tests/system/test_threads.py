"""`threads` and --no-load-thread: who loads where, and who waits for whom."""
import os
import re
import signal

import pytest

# slow.py tells that it runs, and waits for a line in a pipe; a second thread
# wants it meanwhile, for whose wait there is no sign but `threads` itself.
SERVICE = """
import slow, threading
def use():
    return slow.X
def serve_one():
    return slow.X
first = threading.Thread(target=use, name="first")
second = threading.Thread(target=serve_one, name="second")
first.start()
open("begun").read()
second.start()
"""
SLOW = """
import inner
X = inner.X
"""
INNER = """
open("begun", "w").close()
open("go").read()
X = 1
"""


@pytest.fixture
def slow(lab):
    for name in "begun", "go":
        os.mkfifo(lab.folder / name)
    lab.write("slow.py", SLOW)
    lab.write("inner.py", INNER)
    lab.process = lab.serve(SERVICE, "-C", lab.folder)
    while not any(thread["waits"] for thread in
                  lab.ask("threads")["threads"]):
        pass
    return lab


def test_who_loads_and_who_waits(slow):
    threads = {thread["name"]: thread
               for thread in slow.ask("threads")["threads"]}
    assert set(threads) == {"first", "second"}
    first, second = threads["first"], threads["second"]
    assert [load["module"] for load in first["loads"]] == ["slow", "inner"]
    outer, inner = first["loads"]
    assert outer["for_ns"] >= inner["for_ns"] > 0
    assert outer["trigger"]["function"] == "use"
    assert outer["trigger"]["file"].endswith("app.py")
    assert inner["trigger"]["file"].endswith("slow.py")
    assert first["waits"] is None and second["loads"] == []
    waits = second["waits"]
    assert waits["module"] == "slow" and waits["holder"] == "first"
    assert waits["holder_tid"] == first["tid"] != second["tid"]
    assert 0 < waits["for_ns"] < waits["holder_for_ns"]
    text = slow.ctl("threads").out
    assert re.search(r"^first \(\d+\)\n  loads slow for .*, needed by .*"
                     r"app.py:\d+, in use\n  loads inner for ", text,
                     flags=re.M)
    assert re.search(r"^second \(\d+\)\n  waits for slow for .*: thread first "
                     r"\(\d+\) has been loading it for ", text, flags=re.M)
    with open(slow.folder / "go", "w"):
        pass
    while slow.ask("threads")["threads"]:
        pass
    assert slow.ctl("threads").out == "no thread loads anything\n"
    assert slow.ask("show", "slow")["state"] == "real"


def test_without_the_gil(lab):
    """The loading module holds the GIL, and is seen."""
    lab.write("holds.py", "import ctypes, os\n"
                          "libc = ctypes.PyDLL(None)\n"
                          "os.close(os.open('held', os.O_CREAT | 1))\n"
                          "libc.poll(None, 0, 2000)\n")
    lab.process = lab.start(
        lab.write("app.py", "import holds, lazycore\nlazycore.ready()\n"
                            "holds.libc\nimport signal\nsignal.pause()\n"),
        "-C", lab.folder)
    lab.await_file("held")
    thread, = lab.ask("--timeout", "1", "threads")["threads"]
    assert [load["module"] for load in thread["loads"]] == ["holds"]
    assert thread["tid"] == lab.process.pid


LOOP = """
import colorsys, csv, threading
import quopri, bad
def loop():
    colorsys.ONE_THIRD
    csv.reader
    try:
        bad.x
    except ValueError:
        pass
def other():
    quopri.encode
for target, name in (loop, "loop-1"), (other, "worker"):
    thread = threading.Thread(target=target, name=name)
    thread.start()
    thread.join()
"""


def test_loads_where_there_must_be_none(lab):
    lab.write("bad.py", "raise ValueError(1)\n")
    app = lab.write("app.py", "import signal\n" + LOOP
                    + "signal.pause()\n")
    lab.start(app, "--no-load-thread", "loop-*", ready=False)
    text = lab.logged("loaded 'colorsys'", "loaded 'csv'", "loaded 'bad'")
    assert re.search(r"warning: thread 'loop-1' must not load, but loaded "
                     r"'colorsys' in \d+\.\d ms, for \S+app.py:6, in loop",
                     text)
    assert re.search(r"loaded 'bad' in \d+\.\d ms, and failed", text)
    assert "quopri" not in text and "'_csv'" not in text
    assert lab.ask("stats")["loads"]["blocked"] == 3
    assert lab.ask("show", "csv")["blocked"] == 1
    assert "blocked" not in lab.ask("show", "quopri")
    assert "must not load, 1 time" in lab.ctl("show", "csv").out
    assert "on threads that must not load" in lab.ctl("stats").out
    answer = lab.ask("threads")
    assert (answer["no_load"], answer["blocked"]) == (["loop-*"], 3)


def test_the_main_thread_once_it_is_ready(lab):
    """With --wait-ready what is loaded before is a part of the start."""
    lab.process = lab.serve("""
        import colorsys, csv, signal
        colorsys.ONE_THIRD
        signal.signal(signal.SIGUSR1, lambda *_: csv.reader)
        """, "--no-load-thread", "MainThread")
    assert lab.ask("stats")["loads"]["blocked"] == 0
    lab.process.signal(signal.SIGUSR1)
    text = lab.logged("loaded 'csv'")
    assert "colorsys" not in text
    assert lab.ask("show", "csv")["blocked"] == 1


def test_a_forked_child_has_its_own(lab):
    """Which loads on, and tells nobody."""
    lab.write("colours.py", "X = 1\n")
    lab.process = lab.serve("""
        import colours, os
        pid = os.fork()
        if pid == 0:
            colours.X
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        """, "--no-load-thread", "*", "-C", lab.folder)
    assert lab.ask("threads")["threads"] == []
    assert lab.ask("show", "colours")["state"] == "proxy"
