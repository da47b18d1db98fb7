"""Who may talk to the socket, and what lazyd tells those who started it."""
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from conftest import AS_NOBODY, LAZYD, NOBODY, SERVE, TIMEOUT_S, needs_root

# Run by somebody else: ask, and print each answer.
ASKS = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    file = sock.makefile("rb")
    print(file.readline().decode(), end="")
    for line in sys.argv[2:]:
        sock.sendall(line.encode() + b"\\n")
        answer = file.readline()
        if not answer:
            break
        print(answer.decode(), end="")
"""


def request(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                       "params": params})


def ask_as_nobody(lab, *lines):
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASKS, lab.socket, *lines], cwd="/",
        text=True, timeout=TIMEOUT_S, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **AS_NOBODY)
    return done.returncode, [json.loads(line)
                             for line in done.stdout.splitlines()], done.stderr


@needs_root
def test_others_cannot_connect(lab):
    lab.serve("")
    status, answers, error = ask_as_nobody(lab, request("ping"))
    assert status == 1 and answers == [] and "PermissionError" in error


@needs_root
def test_others_are_told_no_where_the_files_let_them(lab):
    """What the peer is counts, not what the files allow."""
    lab.serve("")
    lab.folder.chmod(0o755)
    lab.socket.chmod(0o666)
    _, answers, _ = ask_as_nobody(lab, request("ping"), request("stop"))
    assert answers and answers[0].get("method") != "hello"
    assert answers[0]["error"]["data"]["kind"] == "denied"
    assert lab.ask("ping")["pong"] is True


@needs_root
def test_group_may_look_and_not_touch(lab):
    lab.serve("import csv\ndef use():\n    return csv\n",
              "--socket-group", "nogroup")
    status, answers, error = ask_as_nobody(
        lab, request("ping"), request("stats"), request("list"),
        request("ignore.list"), request("load", names=["csv"]),
        request("ignore.add", kind="name", values=["csv"]),
        request("level.set", package="csv", level="full"),
        request("reload", name="csv"), request("stop"), request("ping"))
    assert status == 0, error
    hello, *answers = answers
    assert hello["method"] == "hello" and len(answers) == 10
    denied = [answer["error"]["data"]["kind"] if "error" in answer else None
              for answer in answers]
    assert denied == [None] * 4 + ["denied"] * 5 + [None]
    assert lab.ask("show", "csv")["state"] == "proxy"


def filled(schema):
    """Parameters that the schema of a method lets pass."""
    def value(form):
        if form["type"] == "array":
            return [value(form["items"])]
        if form["type"] == "string":
            return form.get("enum", ["/x" if "pattern" in form else "x"])[0]
        return form.get("minimum", False)
    return {name: value(schema["properties"][name])
            for name in schema["required"]}


@needs_root
def test_group_may_do_nothing_that_changes_something(lab):
    """By the table of commands itself."""
    process = lab.serve("", "--socket-group", "nogroup")
    methods = lab.ask("commands")["commands"]
    mutate = [m for m in methods if m["mutates"]]
    assert {"stop", "reload", "rollback", "confirm", "load", "level.set",
            "ignore.add", "ignore.remove", "ignore.save"} <= {
                m["method"] for m in mutate}
    others = [m for m in methods if not m["mutates"] and
              m["method"] != "subscribe"]
    _, (hello, *answers), _ = ask_as_nobody(
        lab, *(request(m["method"], **filled(m["params"]))
               for m in mutate + others))
    kinds = [answer.get("error", {"data": {"kind": None}})["data"]["kind"]
             for answer in answers]
    assert kinds[:len(mutate)] == ["denied"] * len(mutate)
    assert len(answers) == len(methods) - 1
    assert not {"denied", "invalid_params"} & set(kinds[len(mutate):])
    assert not process.ended(0)


@needs_root
def test_socket_in_a_folder_of_somebody_else(lab):
    folder = lab.folder / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    done = lab.lazyd("-s", folder / "s", "-l", lab.log, "--app",
                     lab.write("app.py", SERVE), status=1)
    assert f"'{folder}'" in done.err


@needs_root
def test_socket_in_a_symbolic_link(lab):
    (lab.folder / "real").mkdir(mode=0o700)
    (lab.folder / "link").symlink_to("real")
    done = lab.lazyd("-s", lab.folder / "link" / "s", "-l", lab.log, "--app",
                     lab.write("app.py", SERVE), status=1)
    assert f"'{lab.folder}/link'" in done.err


def connections(path, count):
    """As many connections to PATH as it takes, at most COUNT; and what the
    first that was turned away was told."""
    kept = []
    while len(kept) < count:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT_S)
        sock.connect(str(path))
        greeting = json.loads(sock.makefile("rb").readline())
        if greeting.get("method") != "hello":
            sock.close()
            return kept, greeting["error"]
        kept.append(sock)
    return kept, None


# Run by somebody else: fill the socket, say how full, and stay.
FILLS = """
import json, socket, sys
kept = []
while True:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    greeting = json.loads(sock.makefile("rb").readline())
    if greeting.get("method") != "hello":
        break
    kept.append(sock)
print(json.dumps([len(kept), greeting["error"]]), flush=True)
sys.stdin.read()
"""


def fill_as_nobody(lab, path):
    filler = lab.popen(sys.executable, "-I", "-c", FILLS, path, cwd="/",
                       stdin=subprocess.PIPE, **AS_NOBODY)
    count, error = json.loads(filler.stdout.readline())
    return filler, count, error


@needs_root
def test_guests_do_not_take_the_places_of_others(lab):
    lab.serve("", "--socket-group", "nogroup")
    limits = lab.ask("stats")["limits"]
    filler, count, error = fill_as_nobody(lab, lab.socket)
    assert count == limits["guest_clients"] < limits["guests"]
    assert error["data"]["kind"] == "limit" and str(NOBODY) in error["message"]
    kept, refused = connections(lab.socket, limits["clients"])
    assert len(kept) == limits["clients"] and refused is None
    for sock in kept:
        sock.close()
    filler.communicate("")


@needs_root
def test_root_gets_in_where_the_owner_has_taken_all_places(lab):
    """128 of the service's own user, and one more for root."""
    own = lab.serve_as_nobody()
    filler, count, error = fill_as_nobody(lab, own / "s")
    assert count == 128 and error["data"]["kind"] == "limit"
    control = lab.ask("stats", socket=own / "s")["control"]
    assert control["clients"] == 129 and control["refused"] == 1
    filler.communicate("")


# --- what is told ---------------------------------------------------------

def test_systemd_is_told_when_the_service_is_ready(lab):
    path = lab.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(TIMEOUT_S)
        lab.stay(lab.write("app.py", SERVE), env={"NOTIFY_SOCKET": str(path)})
        assert b"READY=1" in notify.recv(4096)
        assert lab.ask("ping")["pong"] is True


def test_systemd_is_told_by_a_service_that_tells_nobody_else(lab):
    """Its children are not to speak for it."""
    path = lab.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(TIMEOUT_S)
        lab.stay(lab.write("app.py", "import os\nos.environ.pop("
                           "'NOTIFY_SOCKET')\n" + SERVE), "--wait-ready",
                 env={"NOTIFY_SOCKET": str(path)})
        assert b"READY=1" in notify.recv(4096)


def test_verbose_reports_imports(lab):
    app = lab.write("app.py", "import csv, json\nprint(json.dumps([csv]) "
                              "if 0 else json.dumps([1]))\n")
    quiet = lab.foreground("--app", app)
    loud = lab.foreground("-v", "--app", app)
    assert quiet.out == loud.out == "[1]\n" and quiet.err == ""
    assert "json" in loud.err
    louder = lab.foreground("-vv", "--app", app)
    assert len(louder.err) >= len(loud.err)


def test_lazy_off_is_plain_python(lab):
    app = lab.write("app.py", "import csv, sys\n"
                              "print('csv' in sys.modules)\n")
    assert lab.foreground("--app", app).out == "False\n"
    assert lab.foreground("--lazy=off", "--app", app).out == "True\n"


def test_start_timeout(lab):
    app = lab.write("app.py", "import signal\nwhile True:\n"
                              "    signal.pause()\n")
    done = lab.lazyd("-s", lab.socket, "-p", lab.pidfile, "-l", lab.log,
                     "--wait-ready", "--start-timeout", "0.3", "--app", app,
                     status=1)
    assert "--start-timeout" in done.err
    assert not lab.socket.exists() and not lab.pidfile.exists()


def test_service_that_ends_at_once_is_told(lab):
    app = lab.write("app.py", "print('done')\n")
    done = lab.lazyd("-s", lab.socket, "-l", lab.log, "--app", app)
    assert "ended already" in done.err
    assert not lab.socket.exists()


def test_interrupted_start_leaves_nothing(lab):
    app = lab.write("app.py", f"""
        import os, signal
        open({str(lab.folder / "begun")!r}, "w").close()
        while True:
            signal.pause()
        """)
    process = lab.popen(LAZYD, "-s", lab.socket, "-p", lab.pidfile, "-l",
                        lab.log, "--wait-ready", "--app", app,
                        stderr=subprocess.PIPE)
    lab.await_file("begun")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode != 0 and "interrupted" in error
    assert not lab.socket.exists() and not lab.pidfile.exists()
