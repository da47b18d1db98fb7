"""The threats that daemon/README.md lists, but for who may connect, which is
test_access.py's, and how the programs are built, which is test_hardening.py's.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys

import pytest

from conftest import (AS_NOBODY, LAZYCTL, LAZYD, NOBODY, SERVE, TIMEOUT_S,
                      needs_root)

# A line of ours, if a name could end one; and what steers a terminal: ESC,
# the C1 form of CSI, marks that turn the reading direction or are not seen.
FORGED = "2026-01-01T00:00:00Z lazyd[1]: control: uid 0 pid 1: forged"
NASTY = f"evil\n{FORGED}\x1b[2J\u009b31m\u202efdp\u200f\u200b\u061c"
HARMFUL = ("\x1b", "\u009b", "\u202e", "\u200f", "\u200b", "\u061c")

NAMES = f"""
import importlib.abc, importlib.util, sys
NAME = {NASTY!r}

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith("evil"):
            return importlib.util.spec_from_loader(name, self)
    def exec_module(self, module):
        if module.__name__.endswith("fails"):
            raise ValueError(module.__name__)

sys.meta_path.append(Finder())
importlib.import_module(NAME)
try:
    importlib.import_module(NAME + "fails")
except ValueError:
    pass
"""


@pytest.fixture
def named(lab):
    lab.process = lab.serve(NAMES)
    return lab


# --- what names may do ------------------------------------------------------

@pytest.mark.parametrize("words", [
    ["list"], ["show", NASTY], ["report"], ["report", "-v"], ["report", "-vv"],
    ["list", "--failed"], ["ignore", "add", "name", "x"], ["ignore", "list"]],
    ids=lambda words: " ".join(words)[:12].split("\n")[0])
def test_names_do_not_steer_the_terminal(named, words):
    done = named.ctl(*words, status=None)
    for text in (done.out, done.err):
        assert not [mark for mark in HARMFUL if mark in text], repr(text)
        assert FORGED not in text.splitlines()


def test_no_command_lets_names_steer_the_terminal(named):
    """Whatever shows names, in the forms that other programs read too."""
    for words in (["why", NASTY], ["unused"], ["drift", "--all"], ["threads"],
                  ["record"], ["verify"], ["load", NASTY], ["level", "list"],
                  ["reload", "--dry-run", NASTY], ["rollback", NASTY],
                  *(["trace", "--format", form] for form in (
                      "importtime", "chrome", "speedscope", "folded", "svg"))):
        done = named.ctl(*words, status=None)
        for text in (done.out, done.err):
            assert not [mark for mark in HARMFUL if mark in text], (words, text)
            assert FORGED not in text.splitlines(), (words, text)


def test_names_in_events_and_of_threads(lab):
    """Neither steers the terminal of who listens, nor writes lines of the log,
    where a thread that must not load is named with what it loaded."""
    os.mkfifo(lab.folder / "go")
    process = lab.serve("import threading\n" + NAMES.replace(
        "importlib.import_module(NAME)\ntry", """
def later():
    open("go").read()
    importlib.import_module(NAME)
threading.Thread(target=later, name=NAME).start()
try"""), "--no-load-thread", "evil*")
    listener = lab.popen(LAZYCTL, "-s", lab.socket, "--json", "events", "load")
    assert "sequence" in listener.stdout.readline()
    (lab.folder / "go").write_text("go")
    line = listener.stdout.readline()
    assert "evil" in line
    assert not [mark for mark in HARMFUL if mark in line], repr(line)
    lab.ctl("stop")
    assert process.ended()
    text = lab.logged("must not load")
    assert FORGED not in [line[:len(FORGED)] for line in text.splitlines()]
    assert not [mark for mark in HARMFUL if mark in text], repr(text)


def test_names_in_errors_do_not_steer_the_terminal(named):
    for words in (["show", NASTY + "no"], ["load", NASTY + "no"],
                  ["reload", NASTY], ["ignore", "add", "name", NASTY],
                  ["level", "set", NASTY, "full"]):
        done = named.ctl(*words, status=None)
        assert done.status != 0 and done.err or done.out
        for text in (done.out, done.err):
            assert not [mark for mark in HARMFUL if mark in text], repr(text)


def test_json_on_a_terminal_has_no_control_characters(named):
    out = named.ctl("--json", "list").out
    names = [module["name"] for module in json.loads(out)["modules"]]
    assert NASTY in names
    assert not [mark for mark in HARMFUL if mark in out]


def test_names_do_not_write_lines_of_the_log(named):
    """Requests name them, and what is changed is logged."""
    for words in (["load", NASTY], ["reload", NASTY],
                  ["level", "set", "evil", "full"],
                  ["ignore", "add", "path", NASTY],
                  ["ignore", "save", str(named.folder / NASTY[:40])]):
        named.ctl(*words, status=None)
    named.ctl("stop")
    assert named.process.ended()
    text = named.log.read_text()
    assert "control: uid" in text
    assert FORGED not in [line[:len(FORGED)] for line in text.splitlines()]
    assert not [mark for mark in HARMFUL if mark in text], repr(text)


# --- what others may see ----------------------------------------------------

def test_arguments_are_seen_as_those_of_any_program_and_no_more(lab):
    """In /proc, by all; not over the socket, and not in the log."""
    process = lab.serve("", arguments=["--password=hunter2"],
                        env={"SECRET": "hunter3"})
    line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert line.split(b"\0")[-2] == b"--password=hunter2"
    assert b"hunter3" not in line
    said = [lab.ctl("--json", *words).out for words in (
        ["stats"], ["version"], ["list"], ["report", "-vv"], ["commands"])]
    with lab.connection() as wire:
        said.append(json.dumps(wire.hello))
    lab.ctl("stop")
    assert process.ended()
    said.append(lab.log.read_text())
    assert not [text for text in said if "hunter" in text]


@needs_root
def test_environment_and_memory_are_not_for_other_users(lab):
    process = lab.serve("", env={"SECRET": "hunter3"})
    for name in ("environ", "maps", "mem"):
        done = subprocess.run(
            ["cat", f"/proc/{process.pid}/{name}"], cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **AS_NOBODY)
        assert done.returncode != 0 and done.stdout == b"", name


def test_files_are_for_their_owner(lab):
    lab.serve("", "-p", lab.pidfile)
    assert stat.S_IMODE(lab.socket.stat().st_mode) == 0o600
    assert lab.log.stat().st_mode & 0o022 == 0
    # Who may read it may lock it, and is in the way of the next start.
    assert stat.S_IMODE(lab.pidfile.stat().st_mode) == 0o600


# --- files in the way -------------------------------------------------------

def test_two_at_once_on_one_path(lab):
    """Of eight one has it; what it has answers, and nothing else is left."""
    own = lab.folder / "own"
    app = lab.write("app.py", SERVE)
    started = [lab.popen(LAZYD, "-s", own / "s", "-p", lab.folder / f"pid{n}",
                         "-l", lab.log, "--wait-ready", "--app", app,
                         stderr=subprocess.PIPE) for n in range(8)]
    ended = [process.wait(TIMEOUT_S) for process in started]
    pids = [int(path.read_text()) for path in lab.folder.glob("pid*")]
    for pid in pids:
        lab.watch(pid)
    assert sorted(ended) == [0] + [1] * 7
    assert [lab.ask("ping", socket=own / "s")["pid"]] == pids
    assert sorted(path.name for path in own.iterdir()) == ["s"]


# lazyd may make the folder anew while it is away, and have its socket in it.
EXCHANGER = """
import os, signal, sys
real, other, spare = sys.argv[1:]
times, ends = 0, []
signal.signal(signal.SIGTERM, lambda *_: ends.append(True))
print("ready", flush=True)
while not ends:
    for step, *paths in ((os.rename, real, spare), (os.symlink, other, real),
                         (os.unlink, real), (os.rename, spare, real)):
        try:
            step(*paths)
        except OSError:
            break
    else:
        times += 1
print(times)
"""


@contextlib.contextmanager
def changes(folder):
    """A function: the names that came, went or were renamed in FOLDER."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK)

    def changed():
        names = []
        while True:
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                return names
            while data:
                length = 16 + int.from_bytes(data[12:16], sys.byteorder)
                names.append(data[16:length].rstrip(b"\0").decode())
                data = data[length:]

    try:
        assert libc.inotify_add_watch(fd, os.fsencode(folder), 0x3c0) >= 0
        yield changed
    finally:
        os.close(fd)


def test_folder_that_is_exchanged_meanwhile(lab):
    """The parent is somebody else's to rename in, who does so without end:
    lazyd starts where it meant to or not at all, and never writes into the
    other folder."""
    real, other = lab.folder / "run", lab.folder / "other"
    other.mkdir(mode=0o700)
    (other / "theirs").write_text("theirs")
    spare = lab.folder / "spare"
    real.mkdir(mode=0o700)
    app = lab.write("app.py", "pass\n")
    exchanger = lab.popen(sys.executable, "-I", "-c", EXCHANGER, real, other,
                          spare)
    assert exchanger.stdout.readline() == "ready\n"
    with changes(other) as changed:
        ended = [lab.lazyd("-F", "-s", real / "s", "--app", app,
                           status=None) for _ in range(40)]
        exchanger.terminate()
        times, _ = exchanger.communicate(timeout=TIMEOUT_S)
        # Neither now nor for a moment.
        assert changed() == []
    assert {done.status for done in ended} <= {0, 1}
    assert [path.name for path in other.iterdir()] == ["theirs"]
    assert (other / "theirs").read_text() == "theirs"
    for path in (real, spare):
        assert not path.exists() or list(path.iterdir()) == []
    assert int(times) > 100, times


@needs_root
def test_folder_that_a_stranger_keeps_locked(lab):
    """Who may read it may: the start does not wait for them, and says so."""
    own = lab.folder / "own"
    own.mkdir(mode=0o755)
    lab.folder.chmod(0o755)
    stranger = lab.popen(sys.executable, "-I", "-c", """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
""", own, cwd="/", stdin=subprocess.PIPE, **AS_NOBODY)
    assert stranger.stdout.readline() == "locked\n"
    app = lab.write("app.py", "pass\n")
    done = lab.lazyd("-F", "-s", own / "s", "--app", app, status=1)
    assert f"keeps folder '{own}' locked" in done.err
    stranger.communicate("")
    lab.lazyd("-F", "-s", own / "s", "--app", app)


def test_stale_socket_of_a_stranger_is_left_alone(lab):
    if os.getuid() != 0:
        pytest.skip("not root")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(lab.socket))
    os.chown(lab.socket, NOBODY, NOBODY)
    done = lab.lazyd("-s", lab.socket, "-l", lab.log, "--app",
                     lab.write("app.py", SERVE), status=1)
    assert str(NOBODY) in done.err and lab.socket.is_socket()


# --- ignore save ------------------------------------------------------------

def test_ignore_save_writes_over_nothing_but_rules(lab):
    lab.serve("")
    precious = lab.write("precious", "root:x:0:0:\n")
    done = lab.ctl("ignore", "save", precious, status=1)
    assert "something else" in done.err
    assert precious.read_text() == "root:x:0:0:\n"
    rules = lab.write("rules", "# mine\nname csv\n")
    lab.ctl("ignore", "save", rules)
    assert "mine" not in rules.read_text()


def test_ignore_save_follows_no_symlink(lab):
    lab.serve("")
    target = lab.write("target", "")
    link = lab.folder / "link"
    link.symlink_to(target)
    assert str(link) in lab.ctl("ignore", "save", link, status=1).err
    assert link.is_symlink() and target.read_text() == ""


@pytest.mark.parametrize("path", ["saved", "../saved", "./saved", "~/saved"])
def test_ignore_save_takes_no_path_that_depends_on_where_lazyd_is(lab, path):
    lab.serve("")
    with lab.connection() as wire:
        answer = wire.ask("ignore.save", path=path)
    assert answer["error"]["data"]["kind"] == "invalid_params", answer
    assert not (lab.folder.parent / "saved").exists()


@needs_root
def test_ignore_save_has_the_rights_of_lazyd_and_not_of_who_asks(lab):
    """Root asks a service of nobody: it writes what nobody may write."""
    own = lab.serve_as_nobody()
    for path in (lab.folder / "saved", own / ".." / "saved"):
        lab.ctl("ignore", "save", path, socket=own / "s", status=1)
    assert not (lab.folder / "saved").exists()
    lab.ctl("ignore", "save", own / "saved", socket=own / "s")
    assert (own / "saved").stat().st_uid == NOBODY


# --- a hostile service ------------------------------------------------------

def test_service_that_floods_its_subscribers(lab):
    """It makes events without end: a client that listens and one that asks
    are both served, and what is not taken is counted."""
    lab.serve("""
        import importlib, importlib.util, sys, threading
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name.startswith("made_"):
                    return importlib.util.spec_from_loader(name, self)
            def create_module(self, spec):
                return None
            def exec_module(self, module):
                pass
        sys.meta_path.append(Finder())
        def flood():
            number = 0
            while True:
                name = f"made_{number % 50}"
                importlib.import_module(name)
                del sys.modules[name]
                number += 1
        threading.Thread(target=flood, daemon=True).start()
        """)
    with lab.connection() as listener, lab.connection() as other:
        assert "result" in listener.ask("subscribe", events=["load"])
        for _ in range(50):
            event = listener.read()
            assert event["params"]["event"] == "load"
            assert other.ask("ping")["result"]["pong"] is True


def test_service_that_replaces_the_socket_is_not_unlinked_over(lab):
    """What lazyd takes away at its end is its own socket only."""
    process = lab.serve("")
    lab.socket.unlink()
    lab.socket.write_text("theirs")
    process.signal(15)
    assert process.ended()
    assert lab.socket.read_text() == "theirs"
