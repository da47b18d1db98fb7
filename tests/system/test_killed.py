"""lazyd is killed in front of each call by which it publishes its socket and
pidfile, or takes them back: the next start succeeds, on the same socket and
pidfile, and nothing of a stranger's is gone.
"""
import os
import shutil
import signal
import socket

import pytest

from conftest import LAZYD, SERVE, TIMEOUT_S

OBJECT = os.environ.get("KILL_AT")
CALLS_MAX = 100

pytestmark = pytest.mark.skipif(
    not OBJECT or not os.path.exists(OBJECT), reason="not built: kill_at.c")


class Scene:
    """A folder with what is strangers', and lazyd's files in it."""

    def __init__(self, lab, stale, group):
        self.lab, self.stale, self.group = lab, stale, group
        self.own = lab.folder / "own"
        self.app = lab.write("app.py", SERVE)
        self.calls = lab.folder / "calls"
        lab.socket, lab.pidfile = self.own / "s", self.own / "pid"
        self.servers = []

    def prepare(self):
        """As it is before each start that is killed."""
        shutil.rmtree(self.own, ignore_errors=True)
        while self.servers:
            self.servers.pop().close()
        self.own.mkdir(mode=0o700)
        for name in ("s.1.tmp", "pid.1", "other", "s.tmp", "s.x.tmp"):
            (self.own / name).write_text(f"precious {name}")
        (self.own / "link").symlink_to("nowhere")
        for name in ("s.2.tmp", "theirs", "dead", *["s"] * self.stale):
            self.servers.append(socket.socket(socket.AF_UNIX))
            self.servers[-1].bind(str(self.own / name))
            if name in ("s.2.tmp", "theirs"):
                self.servers[-1].listen()
            else:
                self.servers.pop().close()
        self.strangers = self.listing(but=["s"])

    def listing(self, but=()):
        return sorted((path.name, path.lstat().st_ino, path.lstat().st_mode,
                       path.read_text() if path.is_file() else None)
                      for path in self.own.iterdir() if path.name not in but)

    def words(self):
        lab = self.lab
        return ["-s", lab.socket, "-p", lab.pidfile, "-l", lab.log,
                *(["--socket-group", "nogroup"] if self.group else []),
                "--wait-ready", "--app", self.app]

    def start(self, at, when=None):
        """One that is killed in front of call AT, counted from 0."""
        self.calls.unlink(missing_ok=True)
        killed = {"LD_PRELOAD": OBJECT, "KILL_FOLDER": str(self.own),
                  "KILL_AT": str(at), "KILL_LOG": str(self.calls)}
        if when is not None:
            killed["KILL_WHEN"] = str(when)
        return self.lab.lazyd(*self.words(), status=None, env=killed)

    def counted(self):
        return (self.calls.read_text().split() if self.calls.exists() else [])

    def next_start(self):
        """What was left is in nobody's way, and nothing is left after it."""
        lab = self.lab
        lab.lazyd(*self.words())
        process = lab.watch(int(lab.pidfile.read_text()))
        assert lab.ask("ping")["pid"] == process.pid
        assert self.listing(but=["s", "pid"]) == self.strangers
        for name in ("s.2.tmp", "theirs"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(self.own / name))
        process.signal(signal.SIGTERM)
        assert process.ended()
        assert self.listing() == self.strangers


@pytest.mark.parametrize("stale", (False, True), ids=("first", "stale"))
def test_killed_while_it_publishes(lab, stale):
    scene = Scene(lab, stale=stale, group=stale and os.getuid() == 0)
    counted = []
    for at in range(CALLS_MAX):
        scene.prepare()
        done = scene.start(at)
        if done.status == 0:
            break
        counted = scene.counted()
        assert done.status in (-signal.SIGKILL, 1), done
        assert "signal 9" in done.err or done.status < 0, done
        scene.next_start()
    process = lab.watch(int(lab.pidfile.read_text()))
    assert lab.ask("ping")["pid"] == process.pid
    assert scene.counted() == counted[:at] and len(counted) == at
    expected = {"open", "openat", "flock", "ftruncate", "pwrite", "fork",
                "bind", "listen", "renameat", "unlinkat"}
    if scene.stale:
        expected |= {"connect"}
    if scene.group:
        expected |= {"fchownat", "fchmodat", "fchmod"}
    assert set(counted) >= expected, counted


def test_killed_while_it_makes_the_folder(lab):
    """Its first start ever."""
    scene = Scene(lab, stale=False, group=False)
    lab.pidfile = lab.folder / "pid"
    scene.strangers = []
    for at in range(CALLS_MAX):
        shutil.rmtree(scene.own, ignore_errors=True)
        if scene.start(at).status == 0:
            break
        if scene.counted()[-1] not in ("mkdir", "bind"):
            continue
        lab.lazyd(*scene.words())
        process = lab.watch(int(lab.pidfile.read_text()))
        assert lab.ask("ping")["pid"] == process.pid
        process.signal(signal.SIGTERM)
        assert process.ended() and list(scene.own.iterdir()) == []
    lab.watch(int(lab.pidfile.read_text()))
    assert "mkdir" in scene.counted()


def test_killed_while_it_takes_them_back(lab):
    scene = Scene(lab, stale=True, group=False)
    when, counted = lab.folder / "when", []
    for at in range(CALLS_MAX):
        scene.prepare()
        when.unlink(missing_ok=True)
        assert scene.start(at, when).status == 0
        process = lab.watch(int(lab.pidfile.read_text()))
        when.touch()
        process.signal(signal.SIGTERM)
        assert process.ended(TIMEOUT_S)
        if len(scene.counted()) == at:
            break
        counted = scene.counted()
        scene.next_start()
    assert counted == ["unlinkat", "unlinkat"] and at == 2
    assert scene.listing() == scene.strangers
