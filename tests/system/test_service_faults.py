"""What a service does to its own host: it closes, replaces, floods.

The log says what happened, and socket and pidfile tell the truth: who is
there answers, who has gone is not in the next one's way. How services end:
test_service_ends.py.
"""
import os
import signal
import socket

import pytest

from conftest import CLOSE_ALL, TIMEOUT_S
from faulty import Faulty, foreground, restart, same

# --- signals and processes -------------------------------------------------


def test_storm_of_signals(lab):
    service = Faulty(lab, """
        while not done:
            signal.pause()
        print("storm over", flush=True)
        while True:
            signal.pause()
        """, before="""
        import signal
        done = []
        signal.signal(signal.SIGUSR1, lambda *_: None)
        signal.signal(signal.SIGUSR2, lambda *_: done.append(1))
        """)
    service.go()
    for i in range(5000):
        service.process.signal(signal.SIGUSR1 if i % 5 else signal.SIGHUP)
        if i % 500 == 0:
            assert lab.ask("ping")["pid"] == service.process.pid
    service.process.signal(signal.SIGUSR2)
    lab.logged("storm over", "log reopened")
    for _ in range(500):
        service.process.signal(signal.SIGTERM)
        if service.process.ended(0):
            break
    assert service.process.ended()
    assert not lab.socket.exists() and not lab.pidfile.exists()
    assert lab.logged("stopping: SIGTERM").count("stopping: SIGTERM") == 1


def test_child_that_outlives_its_parent(lab):
    """A fork without exec holds nothing of lazyd's: neither the lock of the
    pidfile nor the socket."""
    service = Faulty(lab, """
        import os
        read, write = os.pipe()
        if os.fork() == 0:
            os.setsid()
            names = [os.readlink(f"/proc/self/fd/{fd}")
                     for fd in os.listdir("/proc/self/fd")
                     if os.path.exists(f"/proc/self/fd/{fd}")]
            with open("child.tmp", "w") as file:
                print(os.getpid(), *names, file=file)
            os.rename("child.tmp", "child")
            open("end").read()
            os._exit(0)
        open("forked", "w").close()
        open("go").read()
        os._exit(1)
        """)
    os.mkfifo(lab.folder / "end")
    service.go()
    lab.await_file("child")
    child = lab.watch(int((lab.folder / "child").read_text().split()[0]))
    assert "socket:" not in (lab.folder / "child").read_text()
    assert str(lab.pidfile) not in (lab.folder / "child").read_text()
    service.crash()
    assert not child.ended(0)
    (lab.folder / "end").write_text("")
    assert child.ended()


# --- output ----------------------------------------------------------------


def unread(kind):
    """A descriptor to write to, and what keeps it from being closed."""
    if kind == "pipe":
        return os.pipe()[::-1]
    if kind == "terminal":
        return os.openpty()[::-1]
    ends = socket.socketpair()
    return [end.detach() for end in ends]


@pytest.mark.parametrize("kind", ("pipe", "terminal", "socket"))
def test_nobody_reads_its_errors(lab, kind):
    """It waits, as under python3; lazyd's lines are lost, and lazyctl steers
    it as ever."""
    os.mkfifo(lab.folder / "full")
    app = lab.write("fore.py", """
        import os, select, threading
        def fill():
            while True:
                os.write(2, b"x" * 64)
        threading.Thread(target=fill, daemon=True).start()
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        while poll.poll(0):
            pass
        open("full", "w").close()
        threading.Event().wait()
        """)
    ours, theirs = unread(kind)
    process = lab.stay(app, stderr=ours)
    os.close(ours)
    (lab.folder / "full").read_text()
    lab.ctl("ignore", "add", "name", "some.module")
    assert lab.ask("ping")["pid"] == process.pid
    lab.ctl("stop")
    assert process.wait(TIMEOUT_S) == 0
    os.close(theirs)


# --- descriptors, folder and root ------------------------------------------

@pytest.mark.parametrize("when", ("before it is ready", "later"))
def test_closes_every_descriptor(lab, when):
    """lazyd's are not among them, and nothing of lazyd's gets into files
    that are opened then."""
    closes = CLOSE_ALL + 'print("all closed", flush=True)\n'
    waits = "import threading\nthreading.Event().wait()\n"
    if when == "later":
        service = Faulty(lab, closes + waits)
        service.go()
    else:
        service = Faulty(lab, waits, before=closes)
        service.go()
    text = lab.logged("all closed")
    assert "first 3\n" in text and "child 0\n" in text
    assert lab.ask("ping")["pid"] == service.process.pid
    lab.ctl("ignore", "add", "name", "some.module")
    lab.ctl("load", "colorsys")
    service.process.signal(signal.SIGHUP)
    lab.logged("ignore.add name some.module", "load colorsys", "log reopened")
    with lab.connection() as wire:
        assert wire.ask("ping")["result"]["pong"]
    for i in range(40):
        assert (lab.folder / f"file{i}").read_text() == "child"
    # Another one is still kept away.
    assert "already running" in lab.lazyd(
        "-s", lab.socket, "-p", lab.pidfile, "--app", "app.py", status=1).err
    service.stop()


def test_uses_up_its_descriptors(lab):
    """lazyctl gets in nevertheless."""
    service = Faulty(lab, """
        import os, resource, threading
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        taken = []
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            print("taken up to", taken[-1], error.strerror, flush=True)
        threading.Event().wait()
        """)
    service.go()
    lab.logged("taken up to 63 Too many open files")
    for _ in range(3):
        assert lab.ask("ping")["pid"] == service.process.pid
    service.stop()


def test_goes_to_another_folder(lab):
    service = Faulty(lab, """
        import os, threading
        os.chdir("/")
        print("gone", os.getcwd(), flush=True)
        threading.Event().wait()
        """)
    service.go()
    lab.logged("gone /")
    saved = lab.folder / "rules"
    lab.ctl("ignore", "save", "rules")
    assert saved.exists()
    service.process.signal(signal.SIGHUP)
    lab.logged("log reopened")
    service.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_changes_the_root(lab):
    """Socket, pidfile and log are where they were; what is not loaded is out
    of reach."""
    (lab.folder / "jail").mkdir()
    service = Faulty(lab, """
        import os, threading
        os.chroot("jail")
        os.chdir("/")
        print("inside", os.listdir("/"), flush=True)
        threading.Event().wait()
        """, before="import colorsys\nused = lambda: colorsys\n")
    service.go()
    lab.logged("inside []")
    assert lab.ask("ping")["pid"] == service.process.pid
    assert "No such file" in lab.ctl("load", "colorsys", status=1).out
    lab.log.rename(lab.folder / "rotated")
    service.process.signal(signal.SIGHUP)
    lab.logged("log reopened")
    service.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
def test_becomes_another_user(lab):
    """Who may not remove what it had: that nobody is there is said, and the
    pid is not left to another process."""
    service = Faulty(lab, """
        import os, threading
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        print("now", os.getuid(), flush=True)
        threading.Event().wait()
        """)
    service.go()
    lab.logged("now 65534")
    assert lab.ask("ping")["pid"] == service.process.pid
    assert lab.ctl("stop").out.startswith("stopped")
    assert service.process.ended()
    lab.logged(f"cannot remove socket '{lab.socket}', which stays",
               "cannot remove the pidfile, which is empty now")
    assert lab.pidfile.read_text() == ""
    assert "no server" in lab.ctl("ping", status=3).err
    restart(lab)


# --- the machinery of imports ----------------------------------------------


def test_replaces_import(lab):
    """Its function is called, and calls ours; what it put back is ours."""
    done = same(lab, """
        import builtins, sys
        import json
        seen, original = [], builtins.__import__
        def watch(name, *arguments, **keywords):
            seen.append(name)
            return original(name, *arguments, **keywords)
        builtins.__import__ = watch
        import textwrap
        from string import Template
        print(json.dumps(textwrap.dedent(" a")), Template("$x").substitute(x=1))
        print(sorted({"textwrap", "string"} & set(seen)))
        builtins.__import__ = original
        import fractions
        print(fractions.Fraction(1, 2))
        """)
    assert done.out.endswith("1/2\n")


def test_import_was_replaced_before(lab):
    """By sitecustomize: whoever has it before us is asked by us."""
    lab.write("custom/sitecustomize.py", """
        import builtins
        original, seen = builtins.__import__, []
        def watch(name, *arguments, **keywords):
            seen.append(name)
            return original(name, *arguments, **keywords)
        builtins.__import__ = watch
        """)
    app = lab.write("fore.py", """
        import sitecustomize, sys
        import colorsys
        import textwrap
        print(textwrap.dedent(" a"), "colorsys" in sys.modules)
        print(colorsys.rgb_to_hsv(0, 0, 0))
        """)
    done = lab.foreground("--app", app, env={"PYTHONPATH": "custom"})
    assert done.out == "a False\n(0.0, 0.0, 0)\n"


def test_clears_the_finders(lab):
    """Nothing is found any more, as under python3; what was found at its
    statement loads as far as it brings nothing new. All is well once the
    finders are back."""
    done = foreground(lab, """
        import sys
        import colorsys
        import json
        finders = sys.meta_path[:]
        sys.meta_path.clear()
        try:
            import fractions
            fractions.Fraction
        except ModuleNotFoundError as error:
            print(error)
        print(colorsys.rgb_to_hsv(0, 0, 0))
        try:
            json.dumps(1)
        except ModuleNotFoundError as error:
            print(error)
        sys.meta_path[:] = finders
        print(json.dumps(2))
        """)
    assert (done.status, done.out) == (0, "No module named 'fractions'\n"
                                          "(0.0, 0.0, 0)\n"
                                          "No module named 'json.decoder'\n"
                                          "2\n"), done


def test_deletes_modules(lab):
    same(lab, """
        import sys
        import json
        import colorsys
        import textwrap
        first = textwrap.dedent and textwrap
        del sys.modules["textwrap"]
        import textwrap
        print(textwrap is first, sys.modules["textwrap"] is textwrap)
        for name in list(sys.modules):
            if name.startswith(("json", "colorsys")):
                del sys.modules[name]
        print(json.dumps(2), colorsys.rgb_to_hsv(0, 0, 0))
        import json.decoder
        print(json.decoder.JSONDecoder().decode("3"))
        """)


def test_deletes_modules_while_it_is_asked(lab):
    service = Faulty(lab, """
        import sys, threading
        for name in ("json", "json.decoder", "colorsys", "lazycore"):
            sys.modules.pop(name, None)
        sys.meta_path.clear()
        print("deleted", flush=True)
        threading.Event().wait()
        """, before="import json, colorsys\njson.dumps(1)\n"
                    "used = lambda: colorsys\n")
    service.go()
    lab.logged("deleted")
    assert lab.ask("stats")["loads"]["count"] > 0
    assert lab.ask("show", "json")["name"] == "json"
    lab.ctl("load", "colorsys", status=None)
    lab.ctl("reload", "json", status=None)
    assert lab.ask("ping")["pid"] == service.process.pid
    service.stop()
