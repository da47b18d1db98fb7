"""What needs no Python is answered while Python is busy, and what needs it
says so."""
import json
import os
import pathlib
import signal

import pytest

from conftest import LAZYCTL

LOOP_ONLY = [["ping"], ["version"], ["commands"], ["stats"], ["list"],
             ["show", "csv"], ["report", "-v"], ["ignore", "list"],
             ["ignore", "add", "name", "csv"],
             ["ignore", "remove", "name", "readline"],
             ["ignore", "save", "saved"], ["level", "list"],
             ["level", "set", "pkg", "full"]]

SPINS = """
import csv, lazycore
def use():
    return csv
lazycore.ready()
while True:
    pass
"""

# usleep() through PyDLL keeps the GIL, as a C function does that never
# releases it. The mark is made by C, too: nothing of Python runs between.
HOLDS = """
import csv, ctypes, lazycore, os, signal
def use():
    return csv
libc = ctypes.PyDLL(None)
signal.getsignal(2)
lazycore.ready()
os.close(os.open("held", os.O_CREAT | os.O_WRONLY))
libc.usleep({seconds} * 1000000)
os.rename("held", "done")
while True:
    signal.pause()
"""


@pytest.fixture
def spins(lab):
    lab.process = lab.start(lab.write("app.py", SPINS))
    return lab


@pytest.fixture
def holds(lab):
    """A service that holds the GIL for five seconds from now."""
    lab.process = lab.start(lab.write("app.py", HOLDS.format(seconds=5)),
                            "-C", lab.folder, "--stop-timeout", "0.5")
    lab.await_file("held")
    return lab


@pytest.mark.parametrize("words", LOOP_ONLY, ids=" ".join)
def test_while_it_spins(spins, words):
    assert spins.ask("--timeout", "2", *words)


def test_load_while_it_spins(spins):
    assert spins.ask("load", "csv")["loaded"] == 1


def test_stop_while_it_spins(spins):
    spins.ctl("stop")
    assert spins.process.ended(0)


def test_while_it_holds_the_gil(holds):
    for words in LOOP_ONLY:
        assert holds.ask("--timeout", "2", *words), words
    assert (holds.folder / "held").exists(), "the GIL was not held that long"


def test_load_waits_while_others_go_on(holds):
    waiting = holds.popen(LAZYCTL, "-s", holds.socket, "--json", "load",
                          "csv")
    assert holds.ask("stats")["modules"]["proxies"] > 0
    assert waiting.poll() is None
    assert (holds.folder / "held").exists()
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0 and '"loaded":true' in out
    # Five seconds had to pass for it.
    assert (holds.folder / "done").exists()


def test_client_gives_up_on_a_load(holds):
    done = holds.ctl("--timeout", "0.3", "load", "csv", status=4)
    assert done.err
    assert holds.ask("ping")["pong"] is True


def test_stop_of_what_holds_the_gil_ends_hard(holds):
    holds.ctl("stop", status=None)
    assert holds.process.ended()
    assert not holds.socket.exists() and not holds.pidfile.exists()


def test_regular_expression_from_hell(lab):
    """One call of the standard library that never gives the GIL back."""
    process = lab.start(lab.write("app.py", """
        import csv, lazycore, re
        def use():
            return csv
        match = re.compile("(a+)+$").match
        lazycore.ready()
        match("a" * 40 + "b")
        """), "--stop-timeout", "0.3")
    stats = lab.ask("--timeout", "2", "stats")
    assert stats["pid"] == process.pid and stats["modules"]["proxies"] > 0
    process.signal(signal.SIGTERM)
    assert process.ended()


def test_busy_answer_of_many_requests(holds):
    """A queue of requests for Python is bounded, and each is answered."""
    limit = holds.ask("stats")["limits"]["queued_requests"]
    with holds.connection() as wire:
        lines = [json.dumps({"jsonrpc": "2.0", "id": n, "method": "load",
                             "params": {"names": ["csv"]}})
                 for n in range(limit + 20)]
        wire.send("".join(line + "\n" for line in lines).encode())
        with holds.connection() as other:
            assert other.ask("ping")["result"]["pong"] is True
        answers = [wire.read() for _ in lines]
    assert sorted(answer["id"] for answer in answers) == \
        list(range(limit + 20))


def test_service_in_a_thread_that_never_sleeps(lab):
    """The main thread sleeps, others spin: as a server with busy workers."""
    lab.serve("""
        import threading
        def spin():
            while True:
                pass
        for _ in range(3):
            threading.Thread(target=spin, daemon=True).start()
        """)
    assert lab.ask("--timeout", "2", "stats")["names"]
    lab.ctl("stop")
    assert not pathlib.Path(lab.socket).exists()
    assert os.path.exists(lab.log)
