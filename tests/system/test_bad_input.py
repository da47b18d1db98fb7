"""What is wrong is told clearly, and nothing else comes to harm."""
import contextlib
import json
import os
import resource
import signal
import socket
import stat

import pytest

from conftest import LAZYCTL, SERVE


def refused(lab, *words, app=None, status=1):
    """A start that fails: what it said. Nothing of it may be left."""
    files = ["-s", lab.socket, "-p", lab.pidfile, "-l", lab.log]
    done = lab.lazyd(*files, *words, *(["--app", app] if app else []),
                     status=None)
    if done.status == 0 and lab.pidfile.exists():
        lab.watch(int(lab.pidfile.read_text()))
    assert done.status == status, done
    assert done.out == ""
    return done.err


def nothing_left(lab):
    assert not lab.socket.exists() and not lab.pidfile.exists()


# --- the app ----------------------------------------------------------------

def test_app_that_does_not_exist(lab):
    text = refused(lab, app=lab.folder / "no.py")
    assert text.startswith("lazyd: ") and f"'{lab.folder}/no.py'" in text
    assert len(text.splitlines()) == 1
    nothing_left(lab)


def test_module_that_does_not_exist(lab):
    text = refused(lab, app="no.such.module")
    assert "No module named 'no'" in text or "no.such.module" in text
    assert "ended with status 1" in text
    nothing_left(lab)


def test_callable_that_does_not_exist(lab):
    lab.write("mod.py", "")
    text = refused(lab, app="mod:run")
    assert "has no attribute 'run'" in text
    nothing_left(lab)


def test_folder_without_main(lab):
    (lab.folder / "empty").mkdir()
    text = refused(lab, app=lab.folder / "empty")
    assert "__main__.py" in text
    nothing_left(lab)


def test_app_that_does_not_compile(lab):
    app = lab.write("app.py", "def f(:\n    pass\n")
    text = refused(lab, app=app)
    assert "SyntaxError" in text and f'{app}", line 1' in text
    nothing_left(lab)


def test_app_that_raises_at_import(lab):
    app = lab.write("app.py", "import json\nraise RuntimeError('no luck')\n")
    text = refused(lab, app=app)
    assert "RuntimeError: no luck" in text and f'{app}", line 2' in text
    assert "ended with status 1" in text
    nothing_left(lab)


def test_app_whose_import_is_missing(lab):
    """The statement itself fails, as under python3."""
    app = lab.write("app.py", "import no_such_thing\n" + SERVE)
    text = refused(lab, app=app)
    assert "No module named 'no_such_thing'" in text
    assert f'{app}", line 1' in text


def test_app_killed_before_it_is_up(lab):
    app = lab.write("app.py", "import os\nos.kill(os.getpid(), 9)\n")
    text = refused(lab, app=app)
    assert "signal 9" in text


def test_check_finds_what_is_wrong_without_running(lab):
    bad = lab.write("bad.py", "print('ran')\ndef f(:\n")
    good = lab.write("good.py", "print('ran')\n")
    done = lab.lazyd("--check", "--app", bad, status=1)
    assert "SyntaxError" in done.err or "invalid syntax" in done.err
    assert "ran" not in lab.lazyd("--check", "--app", good).out
    nothing_left(lab)


# --- options ------------------------------------------------------------

@pytest.mark.parametrize("words, part", [
    ([], "--app"),
    (["--app", "x.py", "y"], "'y'"),
    (["--app", "x.py", "--level", "pkg=total"], "pkg=total"),
    (["--app", "x.py", "--level", "pkg"], "'pkg'"),
    (["--app", "x.py", "--lazy", "maybe"], "maybe"),
    (["--app", "x.py", "--stop-timeout", "soon"], "soon"),
    (["--app", "x.py", "--name", "../up"], "../up"),
    (["--app", "x.py", "--ignore-name", "a..b"], "a..b"),
    (["--app", "x.py", "--no-socket", "-s", "s"], "--no-socket"),
    (["--app", "x.py", "--bogus"], "--bogus"),
])
def test_wrong_options(lab, words, part):
    done = lab.lazyd(*words, status=2)
    assert part in done.err and done.out == ""


@pytest.mark.parametrize("words, part", [
    (["--socket-group", "no-such-group"], "no-such-group"),
    (["-C", "/no/such/folder"], "/no/such/folder"),
    (["--venv", "/no/such/venv"], "/no/such/venv"),
    (["--ignore-file", "/no/such/file"], "/no/such/file"),
    (["--level-file", "/no/such/file"], "/no/such/file"),
])
def test_what_options_name_is_missing(lab, words, part):
    app = lab.write("app.py", SERVE)
    assert part in refused(lab, *words, app=app)
    nothing_left(lab)


def test_broken_ignore_file(lab):
    path = lab.write("ignore", "name ok\ncolour red\n")
    text = refused(lab, "--ignore-file", path, app=lab.write("a.py", SERVE))
    assert str(path) in text and "2" in text


@pytest.mark.parametrize("where", ([], ["-F"]), ids=("background", "-F"))
def test_too_few_descriptors(lab, where):
    """However few: it is said, nothing crashes and nothing is left."""
    app = lab.write("app.py", "pass\n")
    for count in range(5, 21):
        done = lab.lazyd(*(where or ["-l", lab.log]), "-s", lab.socket, "-p",
                         lab.pidfile, "--app", app, status=None,
                         preexec_fn=lambda: resource.setrlimit(
                             resource.RLIMIT_NOFILE, (count, count)))
        assert done.status in (0, 1), (count, done)
        assert done.status == 0 or "\nlazyd: " in "\n" + done.err, done
        nothing_left(lab)


# --- files in the way -----------------------------------------------------

def test_socket_path_is_a_regular_file(lab):
    lab.socket.write_text("mine")
    text = refused(lab, app=lab.write("app.py", SERVE))
    assert f"'{lab.socket}'" in text
    assert lab.socket.read_text() == "mine"
    assert not lab.pidfile.exists()


def test_socket_path_is_a_symlink(lab):
    target = lab.write("target", "mine")
    lab.socket.symlink_to(target)
    text = refused(lab, app=lab.write("app.py", SERVE))
    assert f"'{lab.socket}'" in text
    assert lab.socket.is_symlink() and target.read_text() == "mine"


def test_socket_folder_cannot_be_made(lab):
    lab.socket = lab.folder / "no" / "such" / "s"
    text = refused(lab, app=lab.write("app.py", SERVE))
    assert f"'{lab.socket.parent}'" in text


def test_socket_folder_is_open_to_others(lab):
    folder = lab.folder / "open"
    folder.mkdir()
    folder.chmod(0o777)
    lab.socket = folder / "s"
    assert f"'{folder}'" in refused(lab, app=lab.write("app.py", SERVE))
    nothing_left(lab)


def test_second_of_the_same_name(lab):
    process = lab.serve("")
    text = refused(lab, app=lab.folder / "app.py")
    assert str(process.pid) in text
    assert lab.ask("ping")["pid"] == process.pid
    assert int(lab.pidfile.read_text()) == process.pid


def test_second_on_the_same_socket(lab):
    process = lab.serve("")
    done = lab.lazyd("-s", lab.socket, "-p", lab.folder / "pid2", "-l",
                     lab.folder / "log2", "--app", lab.folder / "app.py",
                     status=1)
    assert str(process.pid) in done.err and str(lab.socket) in done.err
    assert lab.ask("ping")["pid"] == process.pid


def test_second_of_the_same_default_name(lab):
    app = lab.write("app.py", SERVE)
    runtime = lab.folder / "run"
    runtime.mkdir(mode=0o700)
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    words = ["-n", lab.folder.name, "--wait-ready", "--app", app]
    lab.lazyd(*words, env=environment)
    pid = lab.run(LAZYCTL, "-n", lab.folder.name, "--json", "ping",
                  env=environment).json()["pid"]
    process = lab.watch(pid)
    done = lab.lazyd(*words, status=1, env=environment)
    assert str(pid) in done.err
    lab.run(LAZYCTL, "-n", lab.folder.name, "stop", env=environment)
    assert process.ended()


def test_log_on_a_full_disk(lab):
    lab.log = "/dev/full"
    process = lab.serve("print('said', flush=True)\n"
                        "print('x' * 100000, flush=True)\n")
    for _ in range(3):
        lab.ctl("ignore", "add", "name", "csv")
        lab.ctl("ignore", "remove", "name", "csv")
    assert lab.ask("ping")["pid"] == process.pid
    lab.ctl("stop")
    assert process.ended(0)


def test_log_that_cannot_be_opened(lab):
    lab.log = lab.folder / "no" / "log"
    assert str(lab.log) in refused(lab, app=lab.write("app.py", SERVE))
    nothing_left(lab)


@pytest.mark.parametrize("where", ([], ["-F"]), ids=("background", "-F"))
def test_log_is_a_pipe_that_nobody_reads(lab, where):
    """Nothing waits for a reader."""
    os.mkfifo(lab.log)
    text = refused(lab, *where, app=lab.write("app.py", SERVE))
    assert f"nobody reads log '{lab.log}'" in text
    nothing_left(lab)


@pytest.mark.parametrize("way", ("background", "-F"))
def test_log_that_cannot_be_reopened(lab, way):
    """The old one goes on being used, and says why; lazyctl is served."""
    lab.log = lab.write("logs/log", "")
    if way == "-F":
        app = lab.write("app.py", "open('up', 'w').close()\n" + SERVE)
        process = lab.stay(app, "-l", lab.log)
        lab.await_file("up")
        hang_up = process.send_signal
    else:
        hang_up = lab.serve("").signal
    moved = lab.log.rename(lab.folder / "logs" / "moved")
    os.mkfifo(lab.log)
    hang_up(signal.SIGHUP)
    lab.folder, lab.log = moved.parent, moved
    assert "log reopened" not in lab.logged("cannot reopen log")
    lab.ctl("ignore", "add", "name", "some.module")
    lab.logged("ignore.add name some.module")
    lab.ctl("stop")


def test_log_is_a_pipe_that_somebody_reads(lab):
    os.mkfifo(lab.log)
    end = os.open(lab.log, os.O_RDONLY | os.O_NONBLOCK)
    first = os.open(lab.log, os.O_WRONLY)  # else that reads an end
    os.set_blocking(end, True)
    kept = lab.folder / "kept"
    with open(kept, "w") as file:
        reader = lab.popen("cat", stdin=end, stdout=file)
    os.close(end)
    lab.serve("print('x' * 200000, flush=True)\n")
    os.close(first)
    lab.ctl("stop")
    assert reader.wait(30) == 0
    started, printed, stopped = kept.read_text().splitlines()
    assert "started" in started and "stop" in stopped
    assert printed == "x" * 200000


def test_socket_is_for_its_owner_alone(lab):
    lab.serve("")
    assert stat.S_IMODE(lab.socket.stat().st_mode) & 0o077 == 0


# --- frames ---------------------------------------------------------------

@pytest.fixture
def served(lab):
    lab.process = lab.serve("")
    yield lab
    # However the client behaved.
    assert lab.ask("ping")["pid"] == lab.process.pid


def request(method, **params):
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def test_half_a_frame(served):
    with served.connection() as wire:
        wire.send(b'{"jsonrpc":"2.0","id":1,"meth')
        assert served.ask("ping")["pong"] is True
        wire.send(b'od":"ping"}\n')
        assert wire.read()["result"]["pong"] is True
        wire.send(b'{"jsonrpc":"2.0",')


def test_frame_byte_by_byte(served):
    with served.connection() as wire:
        for byte in json.dumps(request("ping")).encode() + b"\n":
            wire.send(bytes([byte]))
        assert wire.read()["id"] == 7


def test_frame_of_two_mib(served):
    with served.connection() as wire:
        wire.send(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (2 << 20)
                  + b'"}\n')
        error = wire.read()["error"]
        assert error["code"] == -32700 and "1048576" in error["message"]
        # The rest of the line is skipped, and the client goes on.
        assert wire.ask("ping", identifier=2)["id"] == 2
    assert served.ask("stats")["control"]["refused"] == 1


def test_frame_without_end_is_refused_at_the_limit(served):
    with served.connection() as wire:
        wire.send(b'"' + b"x" * (1 << 20))
        assert "1048576" in wire.read()["error"]["message"]


def test_json_100_levels_deep(served):
    with served.connection() as wire:
        wire.send(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":'
                  + b"[" * 100 + b"]" * 100 + b"}\n")
        error = wire.read()["error"]
        assert error["code"] == -32700
        assert "nested too deeply" in error["message"]
        assert wire.ask("ping")["result"]["pong"] is True


def test_unknown_method(served):
    with served.connection() as wire:
        error = wire.ask("frobnicate")["error"]
        assert error["code"] == -32601
        assert error["data"]["kind"] == "no_such_method"
        assert "'frobnicate'" in error["message"]
        assert wire.ask("ping")["result"]["pong"] is True


@pytest.mark.parametrize("method, params, named", [
    ("show", {"name": 5}, "name"),
    ("show", {}, "name"),
    ("show", {"name": "json", "colour": "red"}, "colour"),
    ("load", {"names": "json"}, "names"),
    ("load", {"names": ["json", 1]}, "names"),
    ("load", {"names": []}, "names"),
    ("list", {"limit": -1}, "limit"),
    ("list", {"limit": "many"}, "limit"),
    ("list", {"state": "asleep"}, "state"),
    ("ignore.add", {"kind": "name", "values": [None]}, "values"),
    ("ignore.add", {"kind": "name", "values": ["a"], "load": "yes"}, "load"),
    ("stop", {"timeout": "soon"}, "timeout"),
    ("stop", {"timeout": -1}, "timeout"),
    ("level.set", {"package": "a"}, "level"),
])
def test_wrong_parameter(served, method, params, named):
    with served.connection() as wire:
        wire.send(json.dumps(request(method, **params)).encode() + b"\n")
        error = wire.read()["error"]
        assert error["code"] == -32602
        assert error["data"]["kind"] == "invalid_params"
        assert f"'{named}'" in error["message"]


def test_unknown_parameter_comes_before_any_effect(served):
    with served.connection() as wire:
        assert "error" in wire.ask("ignore.add", kind="name",
                                   values=["csv"], bogus=1)
    rules = served.ask("ignore", "list")["rules"]
    assert "csv" not in [rule["value"] for rule in rules]


@pytest.mark.parametrize("line, code", [
    (b"hello\n", -32700),
    (b"\xff\xfe\n", -32700),
    (b'{"jsonrpc":"2.0"\n', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"} x\n', -32700),
    (b'[]\n', -32600),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600),
    (b'"ping"\n', -32600),
    (b'{"id":1,"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":1}\n', -32600),
    (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":5}\n', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":5}\n', -32602),
])
def test_not_a_request(served, line, code):
    with served.connection() as wire:
        wire.send(line)
        answer = wire.read()
        assert answer["error"]["code"] == code, answer
        assert wire.ask("ping")["result"]["pong"] is True


def test_batches_are_refused_by_name(served):
    with served.connection() as wire:
        wire.send(json.dumps([request("ping")]).encode() + b"\n")
        assert "batch" in wire.read()["error"]["message"]


@pytest.mark.parametrize("identifier", [1, -1.5, "text", None, True, "\u20ac"])
def test_any_scalar_is_an_id(served, identifier):
    with served.connection() as wire:
        assert wire.ask("ping", identifier=identifier)["id"] == identifier


def test_pipelined_requests_are_answered_in_order(served):
    with served.connection() as wire:
        lines = [json.dumps({"jsonrpc": "2.0", "id": n, "method": method})
                 for n, method in enumerate(["ping", "stats", "no", "ping"])]
        wire.send("".join(line + "\n" for line in lines).encode())
        assert [wire.read()["id"] for _ in lines] == [0, 1, 2, 3]


def test_notifications_are_not_answered(served):
    with served.connection() as wire:
        wire.send(b'{"jsonrpc":"2.0","method":"ping"}\n')
        assert wire.ask("ping", identifier=2)["id"] == 2


# --- clients that misbehave -------------------------------------------------

def test_client_that_does_not_read_is_dropped(served):
    with socket.socket(socket.AF_UNIX) as lazy, served.connection() as wire:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        lazy.connect(str(served.socket))
        lazy.setblocking(False)
        line = json.dumps(request("commands")).encode() + b"\n"
        try:
            while True:
                lazy.send(line * 16)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return
        # It is either held back (its requests are no longer read) or gone;
        # what it makes the server keep is bounded either way.
        rss = wire.ask("stats")["result"]["memory"]["rss"]
        assert rss < 64 << 20


def test_many_clients(served):
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(served.connection())
                 for _ in range(100)]
        assert all(wire.hello["method"] == "hello" for wire in wires)
        assert served.ask("stats")["control"]["clients"] >= 100
        for wire in wires:
            assert wire.ask("ping")["result"]["pong"] is True


def test_client_over_the_limit_is_told(served):
    limits = served.ask("stats")["limits"]
    room = limits["clients"] + (limits["root_clients"]
                                if os.getuid() == 0 else 0)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(served.connection())
                 for _ in range(room)]
        with served.connection() as wire:
            assert wire.hello["error"]["data"]["kind"] == "limit"
        for wire in wires: # gone for the server, too, once it closes
            wire.sock.shutdown(socket.SHUT_WR)
            assert wire.read() is None


def test_interrupted_client(served):
    process = served.popen(LAZYCTL, "-s",
                           served.socket, "events")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (-signal.SIGINT, 130)
