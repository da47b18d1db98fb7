"""Every load explains itself: show, why, unused and events, on a service whose
loads are known."""
import json

import pytest

from conftest import BURST, LAZYCTL

APP = """
import app.web
import app.unused
import broken
import forced

def handle():
    return app.web.page()

def name_thread():
    import threading
    thread = threading.Thread(target=handle, name="worker-7")
    thread.start()
    thread.join()

def fail():
    for _ in range(2):
        try:
            broken.x
        except KeyError:
            pass

"""


def write_app(lab):
    lab.write("app/__init__.py", "")
    lab.write("app/web.py", """
        import app.pages
        import app.later

        def page():
            return app.pages.TEXT + app.later.TEXT
        """)
    lab.write("app/pages.py", """
        import app.parts as parts
        import app.idle as idle
        TEXT = parts.TEXT

        def later():
            return idle
        """)
    lab.write("app/parts.py", "TEXT = 'parts'\n")
    lab.write("app/later.py", "TEXT = 'later'\n")
    lab.write("app/idle.py", "X = [0] * 100\n")
    lab.write("app/unused.py", "Y = 1\n")
    lab.write("broken.py", "raise KeyError('by design')\n")
    lab.write("forced/__init__.py", "")


def serve(lab, *words, after=""):
    write_app(lab)
    return lab.serve(APP + after, "--level", "app=full", *words,
                     name="main.py")


def line_of(lab, text, name="main.py"):
    lines = (lab.folder / name).read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if text in line)


def steps(reply):
    return [(step["name"], step["link"]) for step in reply["steps"]]


# --- show ---------------------------------------------------------------------

def test_show_says_who_asked_and_what_came_of_it(lab):
    serve(lab, after="name_thread()\n")
    shown = lab.ask("show", "app.pages")
    assert shown["state"] == "real" and shown["reason"] == "lazy"
    web = str(lab.folder / "app/web.py")
    assert shown["statement"] == {
        "file": web, "line": line_of(lab, "import app.pages", web),
        "function": None, "module": "app.web"}
    assert shown["trigger"] == {
        "file": web, "line": line_of(lab, "return", web), "function": "page",
        "module": "app.web"}
    assert shown["thread"] == "worker-7"
    assert [child["name"] for child in shown["children"]] == ["app.parts"]
    assert (shown["child_total"], shown["pulled"], shown["waiting"]) == \
        (1, 1, 1)
    assert shown["wall_ns"] >= shown["wall_self_ns"] > 0
    assert shown["first_use_ns"] >= shown["wall_ns"]
    assert shown["loaded_ns"] == shown["started_ns"] + shown["wall_ns"]
    parts = lab.ask("show", "app.parts")
    assert parts["parent"] == "app.pages"
    assert shown["wall_ns"] - shown["wall_self_ns"] == parts["wall_ns"]
    assert shown["blocks"] - shown["blocks_self"] == parts["blocks"]

    text = lab.ctl("show", "app.pages").out
    for part in ("of app.web", "worker-7", "first use    waited", "app.parts, ",
                 "left pending 1 modules"):
        assert part in text, text


def test_show_names_the_rule(lab):
    serve(lab, "--ignore-package", "forced")
    shown = lab.ask("show", "forced")
    assert (shown["state"], shown["rule"]) == ("ignored", "package forced")
    assert "rule         package forced" in lab.ctl("show", "forced").out


def test_show_names_the_level(lab):
    write_app(lab)
    lab.serve(APP + "handle()\n", "--level", "app=outer", name="main.py")
    shown = lab.ask("show", "app.pages")
    assert (shown["reason"], shown["rule"]) == \
        ("same_package", "level app outer")


def test_show_tells_failures(lab):
    serve(lab, after="fail()\n")
    shown = lab.ask("show", "broken")
    assert (shown["state"], shown["failures"]) == ("proxy", 2)
    assert shown["last_error"] == "KeyError: 'by design'"
    assert shown["trigger"]["function"] == "fail"


# --- why ----------------------------------------------------------------------

def test_why_a_module_is_loaded(lab):
    serve(lab, after="name_thread()\n")
    reply = lab.ask("why", "app.parts")
    assert steps(reply) == [("__main__", "none"), ("app.web", "use"),
                            ("app.pages", "use"), ("app.parts", "load")]
    main, web, pages, parts = reply["steps"]
    assert main["file"] == str(lab.folder / "main.py") == reply["app"]
    assert web["statement"]["line"] == line_of(lab, "import app.web")
    assert web["trigger"]["line"] == line_of(lab, "return app.web.page()")
    assert web["trigger"]["function"] == "handle"
    assert web["thread"] == "worker-7"
    assert parts["parent"] == "app.pages"
    assert [step["sequence"] > 0 for step in reply["steps"]] == \
        [False, True, True, True]

    text = lab.ctl("why", "app.parts").out
    order = [text.index(f"   {name}: ") for name in
             ("__main__", "app.web", "app.pages", "app.parts")]
    assert order == sorted(order)
    assert f"{lab.folder}/main.py:{line_of(lab, 'import app.web')}" in text
    assert "in handle, thread worker-7" in text
    assert "while the body of app.pages ran" in text


def test_why_a_module_is_pending(lab):
    serve(lab, after="handle()\n")
    assert steps(lab.ask("why", "app.idle")) == [
        ("__main__", "none"), ("app.web", "use"), ("app.pages", "use"),
        ("app.idle", "statement")]
    text = lab.ctl("why", "app.idle").out
    pages = str(lab.folder / "app/pages.py")
    assert "app.idle: pending: nothing has used it" in text
    assert f"{pages}:{line_of(lab, 'import app.idle', pages)}" in text


def test_why_a_module_is_eager(lab):
    serve(lab, "--ignore-package", "forced")
    text = lab.ctl("why", "forced").out
    assert "its package is in the ignore set (package forced)" in text
    assert "__main__: the service's own code" in text


def test_why_a_load_failed(lab):
    serve(lab, after="fail()\n")
    text = lab.ctl("why", "broken").out
    assert "failed       2 times, the last: KeyError: 'by design'" in text
    assert "failed for   " in text and ", in fail, " in text


def test_why_of_a_module_imported_by_name(lab):
    """The caller of importlib.import_module() asks, not importlib."""
    lab.write("plugin.py", "X = 1\n")
    lab.serve("""
        import importlib
        def plug():
            return importlib.import_module("plugin")
        plug()
        """)
    *_, plugin = lab.ask("why", "plugin")["steps"]
    assert plugin["trigger"]["function"] == "plug"
    assert plugin["reason"] == "not_a_statement"


def test_why_not(lab):
    serve(lab)
    done = lab.ctl("why", "nobody.knows", status=1)
    assert "nothing has imported 'nobody.knows'" in done.err
    done = lab.ctl("--json", "why", "nobody.knows", status=1)
    assert json.loads(done.out)["error"]["data"]["kind"] == "no_such_module"


# --- list ---------------------------------------------------------------------

@pytest.mark.parametrize("key, column", [("time", "wall_self_ns"),
                                         ("memory", "bytes_self")])
def test_list_ranks(lab, key, column):
    serve(lab, after="handle()\n")
    modules = lab.ask("list", "--sort", key)["modules"]
    values = [module[column] for module in modules]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0


# --- unused -------------------------------------------------------------------

def test_unused(lab):
    files = "".join(f"import plain{i}\nplain{i}.X\n" for i in range(6))
    for i in range(6):
        lab.write(f"plain{i}.py", "X = 1\n" + "Y = [i for i in range(9)]\n" * 50)
    lab.write("never.py", "Z = 2\n" + "Y = [i for i in range(9)]\n" * 100)
    lab.serve(files + "import never\ndef f():\n    return never\n")
    reply = lab.ask("unused", "never")
    never, = reply["modules"]
    size = (lab.folder / "never.py").stat().st_size
    assert never["file_bytes"] == size
    assert never["statement"]["file"] == str(lab.folder / "app.py")
    sample, = [row for row in reply["samples"] if row["kind"] == "source"]
    assert sample["modules"] >= 6
    expected = sample["wall_ns"] * size / sample["file_bytes"]
    assert never["estimated_ns"] == pytest.approx(expected, abs=2)
    assert reply["estimated_ns"] == never["estimated_ns"]
    assert (reply["total"], reply["estimated"]) == (1, 1)
    text = lab.ctl("unused").out
    assert "estimate of what that saved" in text and "~MEMORY" in text

    lab.ctl("load", "never")
    assert lab.ask("unused", "never")["total"] == 0
    assert lab.ctl("unused", "never").out.startswith(
        "0 modules have never been used")


def test_unused_without_anything_to_go_by(lab):
    lab.write("never.py", "Z = 2\n")
    lab.serve("import never\ndef f():\n    return never\n")
    reply = lab.ask("unused", "--limit", "1")
    if all(sample["modules"] < 5 for sample in reply["samples"]):
        assert reply["estimated_bytes"] is None
    assert len(reply["modules"]) == 1


# --- events -------------------------------------------------------------------

def test_events_are_json_lines_in_order(lab):
    lab.write("mod.py", "X = 1\n")
    lab.write("broken.py", "1 / 0\n")
    lab.serve("""
        import mod, broken
        def f():
            return mod, broken
        """)
    events = lab.popen(*ctl(lab), "--json", "events", "load", "fail",
                       "reload", "ignore")
    first = json.loads(read_line(events))
    assert first["events"] == ["load", "fail", "reload", "ignore"]
    lab.ctl("load", "mod")
    lab.ctl("load", "broken", status=1)
    lab.ctl("ignore", "add", "name", "some.thing")
    lab.write("mod.py", "X = 2\nY = 3\n")
    lab.ctl("reload", "mod")
    seen = []
    while not seen or seen[-1]["event"] != "reload":
        seen.append(json.loads(read_line(events)))
    # What Python itself needed for that is among them.
    numbers = [row["sequence"] for row in seen]
    assert numbers == list(range(first["sequence"] + 1,
                                 first["sequence"] + 1 + len(seen)))
    assert {row["dropped"] for row in seen} == {0}
    seen = [row for row in seen if row["event"] != "load" or
            row["name"] == "mod"]
    assert [row["event"] for row in seen] == \
        ["load", "fail", "ignore", "reload"]
    assert seen[0]["name"] == "mod" and seen[0]["wall_ns"] > 0
    assert seen[1]["error"] == "ZeroDivisionError: division by zero"
    assert seen[2]["value"] == "some.thing"
    assert seen[3]["verdict"] == "applied"


def test_no_event_is_built_for_nobody(lab):
    """Events that nobody listens to have no number: they never were."""
    for i in range(5):
        lab.write(f"mod{i}.py", "X = 1\n")
    lab.serve("import mod0, mod1, mod2, mod3, mod4\n"
              "def f():\n    return mod0, mod1, mod2, mod3, mod4\n")
    lab.ctl("load", "mod0", "mod1")
    with lab.connection() as wire:
        assert wire.ask("subscribe", events=["fail"])["result"][
            "sequence"] == 0
        lab.ctl("load", "mod2")
    with lab.connection() as wire:
        assert wire.ask("subscribe", events=["load"])["result"][
            "sequence"] == 0
        lab.ctl("load", "mod3")
        assert wire.read()["params"]["sequence"] == 1


def test_lost_events_are_counted(lab):
    """A reader that stops loses events; the numbers and the count agree."""
    lab.write("marker.py", "")
    lab.write("burst.py", BURST.format(count=4000, size=400))
    lab.serve("")
    with lab.connection() as wire:
        start = wire.ask("subscribe", events=["load"])["result"]["sequence"]
        lab.ctl("load", "burst")
        wire.send(b'{"jsonrpc":"2.0","id":"end","method":"ping"}\n')
        seen = []
        while (line := wire.read()).get("id") != "end":
            seen.append(line["params"])
        lab.ctl("load", "marker")
        while not seen or seen[-1]["name"] != "marker":
            seen.append(wire.read()["params"])
    assert seen[0]["sequence"] == start + 1
    last = seen[-1]
    assert last["dropped"] > 0
    assert last["sequence"] - start == len(seen) + last["dropped"]


def ctl(lab):
    return [LAZYCTL, "-s", lab.socket]


def read_line(process):
    return process.stdout.readline()
