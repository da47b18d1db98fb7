"""`load --dry-run`: what loads would do, of which the service sees nothing."""
import json
import os
import pathlib
import signal

import pytest

from conftest import LAZYCTL, TIMEOUT_S

SERVICE = """
import fcntl, os, signal, socket, threading
import lazy_rich, lazy_bad
def use():
    return lazy_rich, lazy_bad
told = []
for name in "before", "after_in_parent":
    os.register_at_fork(**{name: lambda name=name: told.append(name)})
signal.signal(signal.SIGCHLD, lambda *_: told.append("SIGCHLD"))
near, far = socket.socketpair()
waits = threading.Thread(target=lambda: told.append(far.recv(9)), name="waits")
waits.start()
def say(*_):
    try:
        told.append(repr(os.waitpid(-1, os.WNOHANG)))
    except ChildProcessError:
        told.append("no child")
    told.append(threading.active_count())
    with open("told.new", "w") as file:
        print(told, file=file)
    os.rename("told.new", "told")
signal.signal(signal.SIGUSR1, say)
def end(*_):
    near.send(b"end")
    raise SystemExit
signal.signal(signal.SIGTERM, end)
"""

RICH = """
import threading
import colorsys
threading.Thread(target=threading.Event().wait, name="poller",
                 daemon=True).start()
kept = bytearray(4 << 20)
hue = colorsys.rgb_to_hls
"""


@pytest.fixture
def app(lab):
    lab.write("lazy_rich.py", RICH)
    lab.write("lazy_bad.py", "def f():\n    raise ValueError('bad')\nf()\n")
    lab.write("spins.py", "while True:\n    pass\n")
    lab.write("leaves.py", "import os\nos._exit(0)\n")
    lab.write("waits.py", "import threading\nthreading.Event().wait()\n")
    lab.process = lab.serve(SERVICE, "-C", lab.folder)
    return lab


def rows(answer):
    return {row["name"]: row for row in answer["results"]}


def await_copy(lab):
    tasks = pathlib.Path(f"/proc/{lab.process.pid}/task")
    found = []
    while not found:
        found = [pid for task in tasks.iterdir()
                 for pid in (task / "children").read_text().split()]
    return lab.watch(int(found[0]))


def fingerprint(lab):
    """What of the process a load would change."""
    proc = pathlib.Path(f"/proc/{lab.process.pid}")
    stats = lab.ask("stats")
    return (sorted(os.readlink(fd) for fd in (proc / "fd").iterdir()
                   if not os.readlink(fd).startswith("socket:")),
            sorted((proc / "task").iterdir()),
            lab.ask("list"), stats["modules"], stats["names"], stats["loads"])


def test_it_says_what_a_load_would_do(app):
    before = fingerprint(app)
    answer = app.ask("load", "--dry-run", "lazy_rich", "lazy_bad", status=1)
    rich, bad = rows(answer)["lazy_rich"], rows(answer)["lazy_bad"]
    assert rich["verdict"] == "loads" and rich["loaded"] is False
    assert rich["bodies"][-1] == "lazy_rich" and "colorsys" in rich["bodies"]
    assert rich["modules"] == len(rich["bodies"])
    assert rich["threads"] == ["poller"]
    assert rich["bytes"] >= 4 << 20
    assert rich["wall_ns"] > 0 and rich["cpu_ns"] > 0
    assert bad["verdict"] == "fails"
    assert bad["error"]["text"] == "ValueError: bad"
    assert (bad["file"], bad["line"]) == (str(app.folder / "lazy_bad.py"), 2)
    assert "raise ValueError" in bad["error"]["traceback"]
    assert answer["dry_run"] and (answer["loaded"], answer["failed"]) == (1, 1)
    assert fingerprint(app) == before
    assert app.ask("show", "lazy_rich")["state"] == "proxy"


def test_the_service_does_not_notice(app):
    app.ctl("load", "--dry-run", "lazy_rich")
    app.process.signal(signal.SIGUSR1)
    app.await_file("told")
    assert (app.folder / "told").read_text().strip() == "['no child', 2]"
    assert app.ask("ping")["pong"]
    app.ctl("load", "lazy_rich")
    assert app.ask("show", "lazy_rich")["state"] == "real"


def test_for_people(app):
    done = app.ctl("load", "--dry-run", "lazy_rich", "lazy_bad", "os",
                   status=1)
    assert "lazy_rich: would load in " in done.out
    assert "  threads:\n    poller\n" in done.out
    assert "lazy_bad: would fail: ValueError: bad\n  at " in done.out
    assert "os: is loaded already" in done.out
    assert "2 would load, 1 would fail, 0 inconclusive; nothing was " \
        "loaded" in done.out


def test_stats_tell_the_pause(app):
    assert app.ask("stats")["rehearsals"]["count"] == 0
    assert "dry runs" not in app.ctl("stats").out
    pause = app.ask("load", "--dry-run", "lazy_rich")["pause_ns"]
    told = app.ask("stats")["rehearsals"]
    assert told["count"] >= 1
    assert told["last_pause_ns"] == told["longest_pause_ns"] == pause > 0
    assert "stood still" in app.ctl("stats").out


def test_globs_and_recursive(app):
    answer = app.ask("load", "--dry-run", "lazy_*", status=1)
    assert sorted(rows(answer)) == ["lazy_bad", "lazy_rich"]
    done = app.ctl("load", "--dry-run", "nothing_*", status=1)
    assert "no pending module matches 'nothing_*'" in done.err
    answer = app.ask("load", "--dry-run", "--recursive", "email")
    assert rows(answer)["email"]["verdict"] in ("loads", "already")
    done = app.ctl("load", "--dry-run", "--inject", "email", status=1)
    assert "inject" in done.err


def test_a_deadline_is_inconclusive(app):
    done = app.ctl("load", "--dry-run", "--deadline", "0.5", "spins",
                   status=15)
    assert "spins: inconclusive: not done within the deadline" in done.out
    done = app.ctl("load", "--dry-run", "--deadline", "0.5", "waits",
                   "leaves", status=15)
    assert "leaves: inconclusive: not come to" in done.out
    assert app.ask("ping")["pong"]
    app.ctl("load", "--dry-run", "--deadline", "0.01", "spins", status=2)


def test_a_module_that_ends_the_process(app):
    done = app.ctl("load", "--dry-run", "leaves", status=1)
    assert "ended the process with status 0" in done.out
    assert app.ask("ping")["pid"] == app.process.pid
    assert app.pidfile.exists() and app.socket.exists()


def test_a_client_that_goes_ends_it(app):
    """Another one's request is served long before the deadline."""
    asks = app.popen(LAZYCTL, "-s", app.socket, "load", "--dry-run",
                     "--deadline", "50", "waits")
    copy = await_copy(app)
    asks.kill()
    assert copy.ended()
    assert rows(app.ask("load", "colorsys"))["colorsys"]["loaded"]


def test_readers_may_not(app):
    command, = [row for row in app.ask("commands")["commands"]
                if row["method"] == "load"]
    assert command["mutates"] is True
    assert command["params"]["properties"]["dry_run"] == \
        {**command["params"]["properties"]["dry_run"], "type": "boolean"}


def test_the_end_of_lazyd_ends_it(app):
    asks = app.popen(LAZYCTL, "-s", app.socket, "--json", "load", "--dry-run",
                     "--deadline", "50", "waits")
    copy = await_copy(app)
    app.process.signal(signal.SIGKILL)
    assert copy.ended()
    asks.wait(30)


def test_the_service_closes_every_descriptor_meanwhile(lab):
    """Nothing of the rehearsal is among those, nor touches what gets their
    numbers."""
    for name in ("come", "go", "end"):
        os.mkfifo(lab.folder / name)
    lab.write("lazy_slow.py", """
        open("come", "w").close()
        open("end").read()
        """)
    process = lab.serve("""
        import os, threading
        def meddle():
            open("go").read()
            before = [os.readlink(f"/proc/self/fd/{number}")
                      for number in os.listdir("/proc/self/fd")
                      if os.path.exists(f"/proc/self/fd/{number}")]
            os.closerange(3, 65536)
            files = [open(f"file{i}", "w+") for i in range(800)]
            for file in files:
                file.write("mine")
                file.flush()
            print("open", *before, flush=True)
            open("end", "w").close()
            threading.Event().wait()
            return files
        threading.Thread(target=meddle, daemon=True).start()
        """, "-C", lab.folder)
    asked = lab.popen(LAZYCTL, "-s", lab.socket, "--json", "load", "--dry-run",
                      "lazy_slow")
    (lab.folder / "come").read_text()
    (lab.folder / "go").write_text("go")
    answer = json.loads(asked.communicate(timeout=TIMEOUT_S)[0])
    assert answer["results"][0]["verdict"] == "loads", answer
    line = next(line for line in lab.logged("open ").splitlines()
                if line.startswith("open "))
    assert "pidfd" not in line and line.count("pipe:") == 2, line
    assert lab.ask("ping")["pid"] == process.pid
    process.signal(signal.SIGTERM)
    assert process.ended()
    assert {(lab.folder / f"file{i}").read_text()
            for i in range(800)} == {"mine"}
