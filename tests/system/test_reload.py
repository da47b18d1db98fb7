"""Reloads that go back, wait to be confirmed or are rehearsed; drift."""
import json
import os
import re
import time

import pytest

from conftest import LAZYCTL

BODY = "import os\nVALUE = {0}\nclass C:\n    {1}\ndef f(): return {0}\n"
HEX = "[0-9a-f]{16}"


@pytest.fixture
def app(lab):
    """mod and user, which imports it, are loaded; `says` asks both."""
    path = lab.write("mod.py", BODY.format(1, "pass"))
    os.utime(path, (1_000_000_000, 1_000_000_000.5))
    lab.write("user.py", "from mod import VALUE, f\nTWICE = VALUE * 2\n"
                         "def says(): return [f(), VALUE, TWICE]\n")
    lab.write("busy.py", "import os, threading\n"
                         "open('busy', 'w').close()\n"
                         "with open('go') as go:\n    go.read()\n")
    os.mkfifo(lab.folder / "go")
    os.mkfifo(lab.folder / "ask")
    os.mkfifo(lab.folder / "told")
    lab.process = lab.serve("""
        import json, threading, user, busy
        def tell():
            while True:
                with open("ask") as ask:
                    ask.read()
                with open("told", "w") as told:
                    json.dump(user.says(), told)
        user.says()
        threading.Thread(target=tell, daemon=True).start()
        def use(): return busy
        """, "-C", lab.folder)
    return lab


def says(app):
    with open(app.folder / "ask", "w") as ask:
        ask.write("?")
    with open(app.folder / "told") as told:
        return json.load(told)


def edit(app, value, more="pass"):
    app.write("mod.py", BODY.format(value, more))


def events(app):
    process = app.popen(LAZYCTL, "-s", app.socket, "--json", "events",
                        "reload")
    process.stdout.readline()
    return process


def test_rollback(app):
    edit(app, 2)
    app.ctl("reload", "mod")
    assert says(app) == [2, 2, 2]
    shown = app.ask("show", "mod")
    assert (shown["generations"], shown["unconfirmed"]) == (1, False)
    assert "1 kept" in app.ctl("show", "mod").out
    listening = events(app)
    answer = app.ask("rollback", "mod")
    assert answer["verdict"] == "applied" and answer["generations"] == 0
    assert says(app) == [1, 1, 2]
    event = json.loads(listening.stdout.readline())
    assert (event["name"], event["action"]) == ("mod", "rollback")
    answer = app.ask("rollback", "mod", status=13)
    assert "no generation" in answer["text"]


def test_dependents_and_back(app):
    edit(app, 5)
    answer = app.ask("reload", "--dependents", "mod")
    assert [(row["name"], row["verdict"]) for row in answer["others"]] == [
        ("__main__", "refused"), ("user", "applied")]
    assert says(app) == [5, 5, 10]
    done = app.ctl("rollback", "user")
    assert "mod: applied" in done.out and says(app) == [1, 1, 2]


def test_strict(app):
    edit(app, 2, "__slots__ = ()")
    answer = app.ask("reload", "--strict", "mod", status=13)
    assert answer["replaced"] == ["class C: its slots changed"], answer
    assert says(app) == [1, 1, 2]
    done = app.ctl("reload", "mod")
    assert "class C: its slots changed" in done.out


def test_dry_run(app):
    says(app)
    before = app.ask("stats")["loads"]
    edit(app, 2, "__slots__ = ()")
    answer = app.ask("reload", "--dry-run", "mod")
    assert answer["dry_run"] is True and answer["verdict"] == "applied"
    assert answer["replaced"] == ["class C: its slots changed"]
    assert says(app) == [1, 1, 2] and app.ask("stats")["loads"] == before
    app.ask("reload", "--dry-run", "--strict", "mod", status=13)
    app.write("mod.py", "VALUE = 3\n1 / 0\n")
    answer = app.ask("reload", "-n", "mod", status=14)
    assert answer["line"] == 2 and "ZeroDivision" in answer["text"]
    app.write("mod.py", "import os\nos._exit(3)\n")
    answer = app.ask("reload", "-n", "mod", status=14)
    assert "3" in answer["text"], answer
    app.write("mod.py", "import os\nos.abort()\n")
    app.ask("reload", "-n", "mod", status=15)
    edit(app, 2)
    answer = app.ask("reload", "-n", "-d", "mod")
    assert ["__main__", "user"] == [row["name"] for row in answer["others"]]
    assert "copy of the service" in app.ctl("reload", "-n", "mod").out
    assert says(app) == [1, 1, 2]
    assert "reload mod" not in app.log.read_text()
    app.ctl("--json", "reload", "-n", "no.such", status=1)


def test_unconfirmed_reload_goes_back(app):
    app.ctl("drift")  # what runs is known
    listening = events(app)
    edit(app, 2)
    answer = app.ask("reload", "--confirm", "0.2", "mod")
    assert answer["confirm"] == 0.2 and answer["verdict"] == "applied"
    json.loads(listening.stdout.readline())
    event = json.loads(listening.stdout.readline())
    assert (event["action"], event["verdict"]) == ("rollback", "applied")
    assert says(app) == [1, 1, 2]
    assert app.ask("show", "mod")["unconfirmed"] is False
    line, = [line for line in app.logged("not confirmed").splitlines()
             if "not confirmed" in line]
    assert re.search(rf"uid {os.getuid()} pid \d+: rollback mod: applied, "
                     rf"old {HEX}, new {HEX}, paused \d+ us", line), line


def test_confirmed_reload_stays(app):
    edit(app, 2)
    app.ctl("reload", "--confirm", "30", "mod")
    assert app.ask("show", "mod")["unconfirmed"] is True
    edit(app, 3)
    answer = app.ask("reload", "mod", status=13)
    assert "confirm it" in answer["text"], answer
    assert 25 < app.ask("confirm", "mod")["left"] <= 30
    assert "waits" in app.ctl("confirm", "mod", status=1).err
    app.ctl("reload", "mod")
    assert says(app) == [3, 3, 2]
    app.logged(": confirm mod")


def test_rollback_by_hand_ends_the_wait(app):
    edit(app, 2)
    app.ctl("reload", "--confirm", "30", "mod")
    app.ctl("rollback", "mod")
    app.ctl("confirm", "mod", status=1)
    app.ctl("reload", "mod")
    assert says(app) == [2, 2, 2]


def test_dependents_wait_together(app):
    edit(app, 2)
    app.ctl("reload", "--confirm", "30", "--dependents", "mod")
    assert app.ask("show", "user")["unconfirmed"] is True
    app.ask("reload", "--force", "user", status=13)
    app.ctl("confirm", "user")
    assert app.ask("show", "mod")["unconfirmed"] is False
    app.ctl("reload", "--force", "user")


def test_a_reload_that_changes_nothing_waits_for_nothing(app):
    app.write("mod.py", "1 / 0\n")
    app.ask("reload", "--confirm", "30", "mod", status=14)
    app.ctl("confirm", "mod", status=1)


def test_a_busy_operator_rolls_back_later(app):
    """And takes a confirmation until it has begun."""
    edit(app, 2)
    app.ctl("reload", "--confirm", "0.3", "mod")
    late = time.monotonic() + 0.4
    load = app.popen(LAZYCTL, "-s", app.socket, "load", "busy")
    app.await_file("busy")
    while time.monotonic() < late:
        app.ask("ping")
    answer = app.ask("confirm", "mod")
    assert answer["left"] == 0, answer
    open(app.folder / "go", "w").close()
    assert load.wait(30) == 0
    app.ctl("reload", "--force", "mod")  # behind the rollback that was not
    assert says(app) == [2, 2, 2]


def test_a_busy_operator_rolls_back_at_last(app):
    edit(app, 2)
    listening = events(app)
    app.ctl("reload", "--confirm", "0.1", "mod")
    load = app.popen(LAZYCTL, "-s", app.socket, "load", "busy")
    app.await_file("busy")
    open(app.folder / "go", "w").close()
    assert load.wait(30) == 0
    event = {}
    while event.get("action") != "rollback":
        event = json.loads(listening.stdout.readline())
    assert says(app) == [1, 1, 2]


def test_the_end_of_the_service_rolls_nothing_back(app):
    edit(app, 2)
    app.ctl("reload", "--confirm", "30", "mod")
    app.ctl("stop")
    app.logged("reload mod: not confirmed before the end")


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "1e9"])
def test_confirm_takes_seconds(app, seconds):
    assert app.ctl("reload", "--confirm", seconds, "mod", status=2).err


def test_every_change_has_a_line(app):
    """Of whom, what, both hashes, verdict and pause."""
    mutating = {row["words"] for row in app.ask("commands")["commands"]
                if row["mutates"]}
    edit(app, 2)
    done = {"reload": ["mod"], "rollback": ["mod"], "confirm": ["mod"],
            "load": ["csv"], "ignore add": ["name", "json"],
            "ignore remove": ["name", "json"], "ignore save": ["saved"],
            "level set": ["csv", "full"], "stop": []}
    assert mutating <= set(done), "a command that changes something is new"
    lines = ["reload mod: applied", "rollback mod: applied", "confirm mod",
             "load csv: ", "ignore.add name json", "ignore.remove name json",
             "ignore.save ", "level of csv: full", "stop"]
    for words, arguments in done.items():
        if words == "confirm":
            app.ctl("reload", "--confirm", "30", "mod")
        app.ctl(*words.split(), *arguments)
    text = app.logged(*lines)
    for line in lines:
        assert re.search(rf"^\S+ lazyd\[\d+\]: control: uid {os.getuid()} "
                         rf"pid \d+: {re.escape(line)}", text, re.M), line
    assert re.search(rf"reload mod: applied, old (unknown|{HEX}), new {HEX}, "
                     rf"paused [1-9]\d* us", text)


def test_drift(app):
    answer = app.ask("drift")
    assert answer["drifted"] == 0 and answer["modules"] == []
    assert answer["total"] > 3
    listed = app.ask("drift", "--all", "mod")["modules"]
    assert [row["drift"] for row in listed] == ["none"]
    edit(app, 2)
    app.ctl("reload", "mod")
    assert app.ask("drift")["drifted"] == 0
    before = time.time_ns()
    edit(app, 3)
    row, = app.ask("drift", status=1)["modules"]
    assert (row["name"], row["drift"]) == ("mod", "changed")
    assert row["file"] == str(app.folder / "mod.py")
    assert before - 10**9 < row["since_ns"] <= time.time_ns()
    assert row["old_hash"] != row["new_hash"]
    assert "mod   changed" in app.ctl("drift", status=1).out
    edit(app, 2)  # as it runs, written anew
    assert app.ask("drift")["drifted"] == 0
    app.ctl("rollback", "mod")
    (app.folder / "user.py").unlink()
    rows = app.ask("drift", status=1)["modules"]
    assert {row["name"]: row["drift"] for row in rows}["user"] == "missing"


def test_drift_learns_what_was_loaded(lab):
    """The hash of what runs is known before the file changes."""
    path = lab.write("mod.py", "VALUE = 1\n")
    os.utime(path, (1_000_000_000, 1_000_000_000.5))
    lab.serve("import mod\nprint(mod.VALUE)\n")
    assert lab.ask("drift", "mod")["drifted"] == 0
    row, = lab.ask("drift", "--all", "mod")["modules"]
    path.write_text("VALUE = 2\n")
    row, = lab.ask("drift", "mod", status=1)["modules"]
    assert row["drift"] == "changed" and row["old_hash"] != "0" * 16
    path.write_text("VALUE = 1\n")
    assert lab.ask("drift", "mod")["drifted"] == 0
