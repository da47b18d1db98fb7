"""What the service changes by itself is logged, and told to who listens, as
what clients change."""
import json
import os
import re

from conftest import LAZYCTL

HEX = "(?:[0-9a-f]{16}|unknown)"

# It changes things once it is told to, on a thread of its own, and says so.
CHANGES = """
import importlib, lazycore, mod, os, threading
mod.X
def work():
    open("go").read()
    lazycore.ignorenames.add("some.name")
    lazycore.ignorenames.add("some.name")
    lazycore.ignorepkg.update(["one", "two"])
    lazycore.ignorepkg.discard("one")
    lazycore.ignorepkg.discard("three")
    lazycore.level("flask", "full")
    lazycore.level("flask")
    lazycore.load("colorsys")
    edit("X = 2")
    lazycore.reload("mod")
    lazycore.reload("mod")
    lazycore.rollback("mod")
    edit("X = 3\\n1 / 0")
    lazycore.reload("mod")
    edit("X = 4")
    importlib.reload(mod)
    lazycore.uninstall()
    lazycore.install()
    if os.fork() == 0:
        lazycore.ignorenames.add("a.child")
        os._exit(0)
    os.wait()
def edit(text):
    with open("mod.py", "w") as file:
        file.write(text)
threading.Thread(target=work, name="changer").start()
"""
LOGGED = [
    "ignore.add name some.name", "ignore.add package one",
    "ignore.add package two", "ignore.remove package one",
    "level.set flask: full",
    f"reload mod: applied, old {HEX}, new {HEX}, paused [0-9]+ us",
    f"reload mod: unchanged, old {HEX}, new {HEX}",
    f"rollback mod: applied, old {HEX}, new {HEX}, paused [0-9]+ us",
    f"reload mod: failed, old {HEX}, new {HEX}",
    f"importlib.reload mod: applied, old {HEX}, new {HEX}, in no single step",
    "uninstall lazycore", "install lazycore",
]
TOLD = [("add", "name", "some.name", None), ("add", "package", "one", None),
        ("add", "package", "two", None), ("remove", "package", "one", None),
        ("level", None, "full", None), (None, None, None, "applied"),
        (None, None, None, "unchanged"), ("rollback", None, None, "applied"),
        (None, None, None, "failed"), (None, None, None, "applied")]


def test_each_change_of_the_service_is_a_line_and_an_event(lab):
    lab.write("mod.py", "X = 1")
    os.mkfifo(lab.folder / "go")
    lab.process = lab.serve(CHANGES, "-C", lab.folder)
    listening = lab.popen(LAZYCTL, "-s", lab.socket, "--json", "events",
                          "ignore", "reload")
    listening.stdout.readline()
    (lab.folder / "go").write_text("")
    events = [json.loads(listening.stdout.readline()) for _ in TOLD]
    assert [tuple(event.get(key) for key in ("action", "kind", "value",
                                             "verdict"))
            for event in events] == TOLD
    assert {(event["uid"], event["pid"]) for event in events} == {
        (os.getuid(), lab.process.pid)}
    begin = (f"service: uid {os.getuid()} pid {lab.process.pid} "
             "thread 'changer': ")
    lines = [line.split(begin)[1] for line in
             lab.logged(begin + "install lazycore").splitlines()
             if begin in line]
    assert len(lines) == len(LOGGED), lines
    for line, expected in zip(lines, LOGGED):
        assert re.fullmatch(expected, line), (line, expected)
    assert "a.child" not in lab.log.read_text()


def test_what_clients_change_is_a_line_of_theirs_alone(lab):
    lab.write("mod.py", "X = 1")
    lab.process = lab.serve("import mod\nmod.X\n", "-C", lab.folder)
    lab.write("mod.py", "X = 22")
    lab.ctl("reload", "mod")
    lab.ctl("ignore", "add", "name", "some.name")
    text = lab.logged("ignore.add name some.name")
    assert "reload mod: applied" in text and "service: uid" not in text
