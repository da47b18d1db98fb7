"""Where the kernel refuses lazyd a table of descriptors of its own, as a
seccomp filter of a container may: it serves, and a service that closes what is
not its own loses lazyctl, and nothing else.
"""
import os
import signal
import sys

import pytest

from conftest import CLOSE_ALL, LAZYD, SERVE

CALLS = {"x86_64": (272, 436), "aarch64": (97, 436)}.get(os.uname().machine)

# Refuses unshare() and close_range(), then becomes what it is told.
REFUSE = f"""
import ctypes, errno, os, struct, sys
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
code = [(LOAD_NUMBER, 0, 0, 0)]
for number in {CALLS}:
    code += [(IF_EQUAL, 0, 1, number), (RETURN, 0, 0, 0x50000 + errno.EPERM)]
code.append((RETURN, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(
    b"".join(struct.pack("HBBI", *line) for line in code))
libc = ctypes.CDLL(None, use_errno=True)
if (libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        SECCOMP, FILTER, struct.pack("HxxxxxxQ", len(code),
                                     ctypes.addressof(program)))):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
"""


def can_refuse():
    return CALLS is not None and os.spawnv(
        os.P_WAIT, sys.executable,
        [sys.executable, "-I", "-c", REFUSE, "/bin/true"]) == 0


pytestmark = pytest.mark.skipif(not can_refuse(), reason="no seccomp here")

AWAIT_GO = """
import lazycore, os, signal, threading
lazycore.ready()
open("go").read()
"""
LOST = "closed descriptors of lazyd's"


def refused(lab, *words, status=0):
    return lab.run(sys.executable, "-I", "-c", REFUSE, LAZYD, *words,
                   status=status)


def start(lab, text, *words, status=0):
    done = refused(lab, "-s", lab.socket, "-p", lab.pidfile, "-l", lab.log,
                   "--wait-ready", *words, "--app", lab.write("app.py", text),
                   status=status)
    if status != 0:
        return done
    return lab.watch(int(lab.pidfile.read_text()))


def start_dark(lab, text, *words):
    """A service that has closed everything and then does TEXT."""
    os.mkfifo(lab.folder / "go")
    process = start(lab, AWAIT_GO + CLOSE_ALL + text, *words)
    assert lab.ask("ping")["pid"] == process.pid
    with lab.connection() as wire:
        (lab.folder / "go").write_text("go")
        lab.logged("first 3\n", "child 0\n", LOST)
        assert wire.read() is None
    # Not one of its files is written or closed by lazyd.
    assert [(lab.folder / f"file{i}").read_text() for i in range(40)] == \
        ["child"] * 40
    assert "no server" in lab.ctl("ping", status=3).err
    assert not lab.socket.exists() and not process.ended(0)
    return process


def test_serves(lab):
    process = start(lab, "import csv\nused = lambda: csv\n" + SERVE)
    assert lab.ask("ping")["pid"] == process.pid
    lab.ctl("load", "csv")
    assert lab.ask("show", "csv")["state"] == "real"
    process.signal(signal.SIGHUP)
    lab.logged("log reopened")
    lab.ctl("stop")
    assert process.ended()
    assert not lab.socket.exists() and not lab.pidfile.exists()
    assert "ended" not in lab.log.read_text()


def test_service_closes_every_descriptor(lab):
    process = start_dark(lab, "threading.Event().wait()\n")
    process.signal(signal.SIGHUP)
    process.signal(signal.SIGTERM)
    assert process.ended()
    assert "stopping: SIGTERM" in lab.logged("ended out of order, or")
    # What is left is in nobody's way.
    process = lab.serve("", name="next.py")
    assert lab.ask("ping")["pid"] == process.pid


def test_next_one_while_it_is_there(lab):
    """Nothing of the next one's goes when the first one ends."""
    first = start_dark(lab, "threading.Event().wait()\n")
    second = lab.serve("", name="next.py")
    first.signal(signal.SIGTERM)
    assert first.ended() and not second.ended(0)
    assert lab.ask("ping")["pid"] == second.pid
    assert int(lab.pidfile.read_text()) == second.pid


def test_end_that_it_does_not_come_to(lab):
    process = start_dark(lab, """
while True:
    try:
        threading.Event().wait()
    except SystemExit:
        print("no", flush=True)
""", "--stop-timeout", "0.2")
    process.signal(signal.SIGTERM)
    assert process.ended()
    lab.logged("no\n", "did not stop in time")


def test_closed_before_it_is_ready(lab):
    done = start(lab, """
import os, threading
os.closerange(3, 65536)
threading.Event().wait()
""", status=1)
    assert "closed descriptors of lazyd's before it was up" in done.err
    assert not lab.socket.exists()


def test_log_of_a_crash(lab):
    app = lab.write("app.py", """
        import ctypes, os
        os.closerange(3, 65536)
        files = [open(f"file{i}", "w+") for i in range(40)]
        ctypes.string_at(0)
        """)
    done = refused(lab, "-F", "-l", lab.log, "-s", lab.socket, "--app", app,
                   status=-signal.SIGSEGV)
    assert "lazyd: ended by SIGSEGV\n" in done.err
    assert {(lab.folder / f"file{i}").stat().st_size
            for i in range(40)} == {0}


def test_nothing_is_said_where_nobody_could_ask(lab):
    app = lab.write("app.py", "import os\nos.closerange(3, 65536)\n"
                              "print('end')\n")
    done = refused(lab, "-F", "--no-socket", "--app", app)
    assert (done.out, done.err) == ("end\n", "")
