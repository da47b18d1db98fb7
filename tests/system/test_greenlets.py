"""A service of greenlets: lazyd runs no module of it on a thread of its own."""
import importlib.util

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
