"""Every command of the table, with --json and with a wrong argument."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from conftest import LAZYCTL

APP = """
import csv
import json
import fractions
import broken
import helper

def use():
    return csv, json, fractions, broken, helper
"""


@pytest.fixture
def server(lab):
    lab.write("broken.py", "raise ValueError('as it is')\n")
    lab.write("helper.py", "def f():\n    return 1\n")
    lab.process = lab.serve(APP)
    return lab


# Words of the command: arguments that do, keys that must be in the answer,
# and arguments that are wrong.
CASES = {
    "ping": ([], {"pong", "pid"}, ["now"]),
    "version": ([], {"server", "version", "protocol", "python"}, ["2"]),
    "commands": ([], {"commands"}, ["ping"]),
    "stats": ([], {"modules", "names", "builtins", "loads", "memory",
                   "control", "limits", "pid", "uptime_ns", "python",
                   "version", "app", "socket"}, ["--verbose"]),
    "list": (["--state", "proxies"], {"modules", "total"},
             ["--state", "sleeping"]),
    "show": (["csv"], {"name", "state", "reason", "reason_text", "level"},
             []),
    "why": (["csv"], {"name", "app", "steps", "cut"}, []),
    "unused": (["c*"], {"modules", "total", "estimated", "estimated_bytes",
                        "estimated_ns", "samples"}, ["csv", "json"]),
    "trace": (["--by", "time"], {"pid", "app", "loads", "total", "next"},
              ["--format", "gif"]),
    "report": (["-v"], {"verbose", "groups", "costly"}, ["csv"]),
    "load": (["csv"], {"results", "loaded", "failed"}, []),
    "verify": (["csv"], {"results", "total", "ok", "failed", "changed"},
               ["csv", "json"]),
    "reload": (["csv"], {"name", "verdict", "text"}, ["csv", "json"]),
    "rollback": (["csv"], {"name", "verdict", "text"}, ["csv", "json"]),
    "confirm": (["csv"], {"error"}, ["csv", "json"]),
    "drift": (["c*"], {"modules", "total", "drifted", "unknown"},
              ["csv", "json"]),
    "threads": ([], {"threads", "no_load", "blocked"}, ["csv"]),
    "ignore list": ([], {"rules"}, ["name"]),
    "ignore add": (["package", "csv"], {"kind", "changed", "unchanged",
                                        "pending", "results"},
                   ["colour", "csv"]),
    "ignore remove": (["name", "readline"], {"kind", "changed", "unchanged"},
                      ["name"]),
    "ignore save": (["saved"], {"path", "rules"}, []),
    "level list": ([], {"fallback", "levels"}, ["csv"]),
    "level set": (["helper", "full"], {"package", "level", "previous"},
                  ["helper", "total"]),
    "events": (["load"], {"events", "sequence"}, ["lunch"]),
    "stop": ([], {"stopping", "pid", "timeout"}, ["--timeout", "soon"]),
}


# csv is no module that the server has loaded.
STATUS = {"reload": 12, "rollback": 12, "confirm": 1}


def test_cases_are_the_table(server):
    rows = server.ask("commands")["commands"]
    assert {row["words"] for row in rows} == set(CASES)


@pytest.mark.parametrize("words", CASES)
def test_json(server, words):
    arguments, keys, _ = CASES[words]
    if words == "events":
        process = server.popen(LAZYCTL, "-s", server.socket, "--json",
                               words, *arguments)
        answer = json.loads(process.stdout.readline())
    else:
        answer = server.ask(*words.split(), *arguments,
                            status=STATUS.get(words, 0))
    assert keys <= set(answer)


@pytest.mark.parametrize("words", CASES)
def test_for_people(server, words):
    """Text, not JSON, and more than nothing."""
    arguments = CASES[words][0]
    if words == "events":
        pytest.skip("it has a test of its own")
    done = server.ctl(*words.split(), *arguments,
                      status=STATUS.get(words, 0))
    if words == "confirm":
        assert "waits to be confirmed" in done.err and done.out == ""
        return
    assert done.out and not done.out.startswith("{")
    assert done.err == ""


@pytest.mark.parametrize("words", CASES)
def test_wrong_argument(server, words):
    done = server.ctl(*words.split(), *CASES[words][2], status=2)
    assert done.out == ""
    assert done.err.startswith("lazyctl: ")
    assert server.ask("ping")["pong"] is True


@pytest.mark.parametrize("words", CASES)
def test_unknown_option(server, words):
    done = server.ctl(*words.split(), "--bogus", status=2)
    assert "--bogus" in done.err


def test_schemas_name_every_parameter(server):
    rows = {row["method"]: row for row in server.ask("commands")["commands"]}
    with server.connection() as wire:
        for method, row in rows.items():
            schema = row["params"]
            assert schema["type"] == "object"
            assert schema.get("additionalProperties") is False, method
            answer = wire.ask(method, bogus=1)
            assert answer["error"]["code"] == -32602, method
    assert server.ask("ping")["pong"] is True


# --- what the answers say -------------------------------------------------

def test_stats_counts_each_module_once(server):
    modules = server.ask("stats")["modules"]
    listed = server.ask("list")
    states = {"proxies": "proxy", "reals": "real"}
    for key in ("proxies", "reals", "eager", "ignored", "existing", "lost"):
        rows = [row for row in listed["modules"]
                if row["state"] == states.get(key, key)]
        assert modules[key] == len(rows), key
    assert modules["proxies"] >= 5
    assert modules["proxy_peak"] >= modules["proxies"]
    names = [row["name"] for row in listed["modules"]]
    assert len(names) == len(set(names)) == listed["total"]


def test_stats_of_memory_agree_with_proc(server):
    stats = server.ask("stats")
    rollup = open(f"/proc/{server.process.pid}/smaps_rollup").read()
    rss = int(rollup.split("Rss:")[1].split()[0]) * 1024
    assert abs(stats["memory"]["rss"] - rss) < 4 << 20
    assert stats["memory"]["peak_rss"] >= stats["memory"]["rss"]
    assert stats["pid"] == server.process.pid
    assert stats["socket"] == str(server.socket)


def test_show_explains_a_proxy(server):
    shown = server.ask("show", "csv")
    assert shown["state"] == "proxy" and shown["reason"] == "lazy"
    assert shown["file"].endswith("/csv.py")
    assert shown["statement"]["file"] == str(server.folder / "app.py")
    assert shown["statement"]["line"] == 2
    assert shown["loads"] == 0 and shown["names_pending"] >= 1


def test_show_says_the_level_and_why(server):
    shown = server.ask("show", "csv")
    assert shown["level"] == "full"
    assert shown["level_source"] == "catalogue"
    assert shown["level_why"] == "a part of the standard library"


def test_show_of_a_package_that_nothing_imported(server):
    """Its level is known all the same, from the catalogue or an operator."""
    shown = server.ask("show", "django")
    assert shown["state"] == "absent"
    assert (shown["level"], shown["level_source"]) == ("outer", "catalogue")
    assert "programs: " in shown["level_why"]
    assert "sweep: " in shown["level_why"]
    assert shown["level_why"] in server.ctl("show", "django").out
    server.ctl("show", "django.db", status=1)
    server.ctl("show", "never_heard_of", status=1)
    server.ctl("level", "set", "never_heard_of", "full")
    shown = server.ask("show", "never_heard_of")
    assert shown["state"] == "absent" and shown["level"] == "full"
    assert shown["level_why"] == "an operator set it"


def test_show_of_an_unknown_module(server):
    done = server.ctl("show", "no.such", status=1)
    assert "'no.such'" in done.err
    answer = server.ctl("--json", "show", "no.such", status=1).json()
    assert answer["error"]["data"]["kind"] == "no_such_module"


def test_load_with_a_glob(server):
    answer = server.ask("load", "fract*")
    assert [row["name"] for row in answer["results"]] == ["fractions"]
    shown = server.ask("show", "fractions")
    assert shown["state"] == "real" and shown["loads"] == 1
    assert shown["wall_ns"] > 0 and shown["wall_self_ns"] > 0
    again, = server.ask("load", "fractions")["results"]
    assert again["already"] is True


def test_load_that_fails(server):
    done = server.ctl("load", "broken", status=1)
    assert "as it is" in done.out + done.err
    result, = server.ask("load", "broken", status=1)["results"]
    assert result["error"]["kind"] == "load_failed"
    assert "ValueError: as it is" in result["error"]["traceback"]
    shown = server.ask("show", "broken")
    assert shown["failures"] == 2 and "as it is" in shown["last_error"]
    assert server.ask("stats")["modules"]["failed"] == 1
    # Mended, it can be had.
    server.write("broken.py", "X = 1\n")
    assert server.ask("load", "broken")["loaded"] == 1
    assert server.ask("stats")["modules"]["failed"] == 0


def test_load_of_an_unknown_module(server):
    result, = server.ask("load", "no.such", status=1)["results"]
    assert result["loaded"] is False
    assert result["error"]["kind"] == "no_such_module"


def test_list_sorts_and_limits(server):
    server.ctl("load", "csv", "json")
    rows = server.ask("list", "--sort", "time", "--limit", "3")["modules"]
    times = [row["wall_self_ns"] for row in rows]
    assert times == sorted(times, reverse=True) and len(rows) == 3
    rows = server.ask("list", "--sort", "order", "--state", "reals")
    orders = [row["sequence"] for row in rows["modules"]]
    assert orders == sorted(orders) and orders
    failed = server.ask("list", "--failed")
    assert failed["total"] == 0


def test_report_has_the_seeds_lines(server):
    text = server.ctl("report").out
    for line in ("proxy imported", "fully imported (before lazy imports)",
                 "fully imported (via lazy imports)",
                 "fully imported (via ignore sets)",
                 "fully imported (lost track of these)", "builtins (proxied)",
                 "builtins (fully imported)", "builtins (not imported)"):
        assert line in text
    assert "    csv" not in text
    assert "csv" in server.ctl("report", "-v").out


# --- levels, events ---------------------------------------------------------

def test_level_set(lab):
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/one.py", "import pkg.two\ndef f():\n    return pkg.two\n")
    lab.write("pkg/two.py", "")
    lab.write("pkg/three.py", "import pkg.four\ndef f():\n"
                              "    return pkg.four\n")
    lab.write("pkg/four.py", "")
    lab.serve("import pkg.one, pkg.three\n"
              "def f():\n    return pkg.one, pkg.three\n")
    lab.ctl("load", "pkg.one")
    assert lab.ask("show", "pkg.two")["reason"] == "same_package"
    answer = lab.ask("level", "set", "pkg", "full")
    assert (answer["level"], answer["previous"]) == ("full", "outer")
    lab.ctl("load", "pkg.three")
    assert lab.ask("show", "pkg.four")["state"] == "proxy"
    levels = {row["package"]: row for row in
              lab.ask("level", "list")["levels"]}
    assert levels["pkg"]["level"] == "full"
    assert levels["django"]["source"] != levels["pkg"]["source"]


def test_level_option(lab):
    lab.serve("import csv\ndef f():\n    return csv\n", "--level",
              "csv=eager")
    assert lab.ask("show", "csv")["state"] == "ignored"


def next_event(process, *kinds):
    """The next event of these kinds; loads come when they come."""
    while True:
        event = json.loads(process.stdout.readline())
        if event["event"] in kinds:
            return event


def test_events(server):
    process = server.popen(LAZYCTL, "-s", server.socket, "--json", "events",
                           "load", "fail", "ignore", "reload")
    first = json.loads(process.stdout.readline())
    server.ctl("load", "csv")
    event = next_event(process, "load")
    while event["name"] != "csv":
        event = next_event(process, "load")
    assert event["sequence"] > first["sequence"]
    assert event["wall_ns"] >= event["wall_self_ns"] > 0
    server.ctl("load", "broken", status=1)
    event = next_event(process, "fail")
    assert event["name"] == "broken"
    assert event["error"] == "ValueError: as it is"
    server.ctl("ignore", "add", "path", "/vendor/")
    event = next_event(process, "ignore")
    assert (event["action"], event["kind"], event["value"]) == \
        ("add", "path", "/vendor/")
    server.ctl("load", "helper")
    server.write("helper.py", "def f():\n    return 2\n")
    server.ctl("reload", "helper")
    event = next_event(process, "reload")
    assert (event["name"], event["verdict"]) == ("helper", "applied")
    server.ctl("stop")
    assert process.wait(30) == 3


def test_events_for_people(server):
    def requests():
        return wire.ask("stats")["result"]["control"]["requests"]

    with server.connection() as wire:
        expected = requests() + 1
        process = server.popen(LAZYCTL, "-s", server.socket, "events", "load")
        # The subscription is there once the server counts more than we ask.
        while requests() == expected:
            expected += 1
    server.ctl("load", "csv")
    line = process.stdout.readline()
    assert "load" in line


def test_event_of_a_fork(lab):
    process = lab.start(lab.write("app.py", """
        import lazycore, os, signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        lazycore.ready()
        signal.sigwait([signal.SIGUSR1])
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        while True:
            signal.pause()
        """))
    with lab.connection() as wire:
        answer = wire.ask("subscribe", events=["fork"])
        assert answer["result"]["events"] == ["fork"]
        process.signal(signal.SIGUSR1)
        event = wire.read()
        assert event["method"] == "event"
        assert event["params"]["event"] == "fork"
        assert event["params"]["pid"] > process.pid


def test_event_of_a_client(server):
    with server.connection() as wire:
        wire.ask("subscribe", events=["client"])
        server.ctl("ping")
        event = wire.read()["params"]
        assert (event["event"], event["action"]) == ("client", "connect")
        assert event["uid"] == os.getuid()


# --- finding the server; statuses -------------------------------------------

def test_no_server(lab):
    done = lab.ctl("ping", status=3)
    assert str(lab.socket) in done.err


def test_stale_socket(lab):
    process = lab.serve("")
    process.signal(signal.SIGKILL)
    assert process.ended()
    assert lab.socket.exists()
    done = lab.ctl("ping", status=3)
    assert str(lab.socket) in done.err
    lab.serve("")
    assert lab.ask("ping")["pong"] is True


def test_socket_of_the_environment(server):
    done = server.run(LAZYCTL, "ping",
                      env={"LAZYD_SOCKET": str(server.socket)})
    assert done.status == 0


def test_timeout(lab):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(lab.socket))
        silent.listen()
        begin = time.monotonic()
        lab.ctl("--timeout", "0.2", "ping", status=4)
        assert time.monotonic() - begin < 5


def test_version_and_help_need_no_server(lab):
    assert lab.run(LAZYCTL, "--version").out.startswith("lazyctl ")
    assert "ignore add" in lab.run(LAZYCTL, "help").out
    assert "KIND" in lab.run(LAZYCTL, "help", "ignore", "add").out
    lab.run(LAZYCTL, status=2)
    lab.run(LAZYCTL, "frobnicate", status=2)


def test_closed_output(server):
    """A reader that goes away is no reason to die silently with 0."""
    done = subprocess.run([LAZYCTL, "-s", server.socket, "stats"],
                          stdout=open("/dev/full", "w"),
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write" in done.stderr
