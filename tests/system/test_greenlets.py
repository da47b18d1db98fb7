"""A service of greenlets: lazyd runs no module of it on a thread of its own, and
its reloads are its own."""
import importlib.util
import json
import os
import socket

import pytest

PATCHED = """
import _thread, pending, user
lock = _thread.allocate_lock
_thread.allocate_lock = lambda: lock()
user.__name__
def use(): return pending
"""
needs_gevent = pytest.mark.skipif(
    importlib.util.find_spec("gevent") is None,
    reason="python3-gevent is not installed")


def refused(lab):
    for words in (["load", "pending"], ["warm", "--all"],
                  ["ignore", "add", "name", "pending", "--load"]):
        error = lab.ctl(*words, status=1).err
        assert "as with gevent and eventlet" in error, (words, error)
        assert "lazycore.load()" in error and "--warm FILE" in error, error
    answer = lab.ask("reload", "user", status=13)
    assert answer["verdict"] == "refused"
    assert "lazycore.reload()" in answer["text"], answer
    assert lab.ask("show", "pending")["state"] == "proxy"
    assert "pending" not in [rule["value"] for rule in
                             lab.ask("ignore", "list")["rules"]]


def test_lazyd_runs_no_module_where_locks_are_patched(lab):
    lab.write("pending.py", "X = 1")
    lab.write("user.py", "X = 1")
    lab.process = lab.serve(PATCHED, "-C", lab.folder)
    refused(lab)
    assert lab.ask("load", "--dry-run", "pending")["loaded"] == 1


@needs_gevent
def test_gevent(lab):
    """A module's greenlets are of the thread that loads it: the service's."""
    lab.write("pending.py", "X = 1")
    lab.write("made.py", "import gevent\nran = []\n"
                         "gevent.spawn(lambda: ran.append(1))\n")
    lab.write("user.py", "import pending, made\n"
                         "def use(): return pending, made.ran\n")
    lab.write("set", "made\n")
    lab.process = lab.start(lab.write("app.py", """
        from gevent import monkey
        monkey.patch_all()
        import gevent, gevent.event, lazycore, sys, user
        user.use
        lazycore.ready()
        assert "made" in sys.modules
        gevent.idle()
        open("ran", "w").write(str(user.use.__globals__["made"].ran))
        gevent.wait([gevent.event.Event()], timeout=60)
        """), "-C", lab.folder, "--warm", "set")
    lab.await_file("ran")
    assert (lab.folder / "ran").read_text() == "[1]"
    refused(lab)


# Answers what it is asked, a greenlet each: `says`, `reload NAME`, whose body
# may wait until it is asked to `go`, and `begun`, once it does.
ASKED = """
import json, os
import gevent, gevent.event, gevent.socket, gevent.server
import gates, lazycore, user
gates.begun, gates.go = gevent.event.Event(), gevent.event.Event()
user.says()
def answer(words):
    if words[0] == "says":
        return user.says()
    if words[0] == "go":
        return gates.go.set()
    if words[0] == "begun":
        return gates.begun.wait()
    return lazycore.reload(words[1], **{word: True for word in words[2:]})
def serve(connection, address):
    with connection.makefile("rw") as stream:
        for line in stream:
            stream.write(json.dumps(answer(line.split())) + "\\n")
            stream.flush()
listener = gevent.socket.socket(gevent.socket.AF_UNIX)
listener.bind("asked")
listener.listen()
lazycore.ready()
gevent.server.StreamServer(listener, serve).serve_forever()
"""
BODY = "import gates\nVALUE = {0}\n{1}\ndef f(): return {0}\n"
WAITS = "gates.begun.set()\ngates.go.wait()"


class Asked:
    """A connection to such a service."""

    def __init__(self, lab):
        self.socket = socket.socket(socket.AF_UNIX)
        lab.left.callback(self.socket.close)
        self.socket.connect(str(lab.folder / "asked"))
        self.stream = self.socket.makefile("rw")

    def tell(self, words):
        self.stream.write(words + "\n")
        self.stream.flush()

    def hear(self):
        return json.loads(self.stream.readline())

    def ask(self, words):
        self.tell(words)
        return self.hear()


@pytest.fixture(params=["patched", "unpatched"])
def asked(lab, request):
    lab.patched = request.param == "patched"
    lab.write("gates.py", "begun = go = None\n")
    path = lab.write("mod.py", BODY.format(1, ""))
    os.utime(path, (1_000_000_000, 1_000_000_000.5))
    lab.write("user.py", "from mod import VALUE, f\nTWICE = VALUE * 2\n"
                         "def says(): return [f(), VALUE, TWICE]\n")
    patch = "import gevent.monkey\ngevent.monkey.patch_all()\n"
    lab.process = lab.start(lab.write("app.py", patch * lab.patched + ASKED),
                            "-C", lab.folder)
    return lab


@needs_gevent
def test_reload_by_the_service(asked):
    """In a greenlet, while others serve; and back, by lazyctl, which runs no
    code."""
    one, other = Asked(asked), Asked(asked)
    asked.write("mod.py", BODY.format(2, WAITS))
    assert [row["name"] for row in asked.ask("drift", status=1)["modules"]] \
        == ["mod"]
    one.tell("reload mod")
    assert other.ask("begun") and other.ask("says") == [1, 1, 2]
    assert "try again" in other.ask("reload mod")["text"]
    other.ask("go")
    answer = one.hear()
    assert (answer["verdict"], answer["generations"]) == ("applied", 1), answer
    assert other.ask("says") == [2, 2, 2]
    assert asked.ask("drift")["drifted"] == 0
    assert asked.ask("show", "mod")["generations"] == 1
    assert asked.ask("rollback", "mod")["verdict"] == "applied"
    assert one.ask("says") == [1, 1, 2]
    answer = one.ask("reload mod dependents")
    assert [(row["name"], row["verdict"]) for row in answer["others"]] == [
        ("__main__", "refused"), ("user", "applied")]
    assert one.ask("says") == [2, 2, 4]
    done = asked.ctl("rollback", "user")
    assert "mod: applied" in done.out and one.ask("says") == [1, 1, 2]


@needs_gevent
def test_a_failing_body_of_the_service(asked):
    one = Asked(asked)
    asked.write("mod.py", BODY.format(2, "1 / 0"))
    answer = one.ask("reload mod")
    assert (answer["verdict"], answer["line"]) == ("failed", 3), answer
    asked.write("mod.py", "VALUE =\n")
    assert one.ask("reload mod")["verdict"] == "failed"
    assert one.ask("says") == [1, 1, 2]
    assert [row["drift"] for row in asked.ask("drift", status=1)["modules"]] \
        == ["changed"]


@needs_gevent
def test_reload_by_lazyctl(asked):
    """Refused where the locks are gevent's, whatever the options, but for a
    dry run, whose copy has one thread; then nothing waits to be confirmed."""
    one = Asked(asked)
    asked.write("mod.py", BODY.format(2, "# longer"))
    for words in [], ["--dependents"]:
        answer = asked.ask("reload", "--dry-run", *words, "mod")
        assert (answer["verdict"], answer["dry_run"]) == ("applied", True)
    asked.write("mod.py", BODY.format(2, "1 / 0"))
    answer = asked.ask("reload", "--dry-run", "mod", status=14)
    assert answer["line"] == 3 and one.ask("says") == [1, 1, 2]
    asked.write("mod.py", BODY.format(2, "# longer"))
    status = 13 if asked.patched else 0
    for words in (["--force"], ["--strict"], ["--dependents"],
                  ["--confirm", "30"]):
        answer = asked.ask("reload", *words, "mod", status=status)
        if not asked.patched:
            break
        assert answer["verdict"] == "refused", answer
        assert "lazycore.reload()" in answer["text"], answer
    if asked.patched:
        assert "waits" in asked.ctl("confirm", "mod", status=1).err
        assert one.ask("says") == [1, 1, 2]
        assert asked.ask("drift", status=1)["drifted"] == 1
        assert "no generation" in asked.ask("rollback", "mod",
                                            status=13)["text"]
        return
    assert one.ask("says") == [2, 2, 2]
    assert asked.ask("rollback", "mod")["verdict"] == "applied"
    asked.ask("reload", "--confirm", "30", "mod")
    assert "confirm it" in one.ask("reload mod")["text"]
    assert asked.ask("confirm", "mod")["left"] <= 30
    assert one.ask("says") == [2, 2, 2]


@needs_gevent
def test_a_reload_of_either_waits_for_the_other(asked):
    """A greenlet's body that waits, and lazyctl."""
    one, other = Asked(asked), Asked(asked)
    asked.write("mod.py", BODY.format(2, WAITS))
    one.tell("reload mod")
    assert other.ask("begun") and other.ask("says") == [1, 1, 2]
    answer = asked.ask("rollback", "mod", status=15)
    assert "try again" in answer["text"], answer
    if not asked.patched:
        answer = asked.ask("reload", "mod", status=15)
        assert "try again" in answer["text"], answer
    other.ask("go")
    assert one.hear()["verdict"] == "applied"
    assert other.ask("says") == [2, 2, 2]
