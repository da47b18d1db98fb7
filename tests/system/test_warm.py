"""`warm`, `record` and lazyd --warm: what is pending, loaded in good time."""
import json
import os
import pty
import re
import select
import signal
import time

import pytest

from conftest import LAZYCTL

COUNT = 12
SERVICE = "import lazycore\n" + "".join(
    f"import part{i}\n" for i in range(COUNT)) + """
import part_bad, part_more
def use():
    return (part_bad, part_more, """ + ", ".join(
        f"part{i}" for i in range(COUNT)) + ")\npart3.X, part1.X\n"
NAMES = [f"part{i}" for i in range(COUNT)]


@pytest.fixture
def app(lab):
    for name in NAMES:
        lab.write(f"{name}.py", "X = 1\n")
    lab.write("part_bad.py", "raise ValueError('bad')\n")
    lab.write("part_more.py", "import part_deep\n"
                              "def use():\n    return part_deep\n")
    lab.write("part_deep.py", "X = 1\n")
    lab.process = lab.serve(SERVICE)
    return lab


def state(lab, name):
    return lab.ask("show", name)["state"]


def pending(lab):
    return {row["name"] for row in
            lab.ask("list", "--state", "proxies")["modules"]}


def test_a_glob(app):
    done = app.ctl("warm", "part*", status=1)
    assert re.search(r"^part0: loaded in ", done.out, flags=re.M)
    assert "part_bad: failed: ValueError: bad" in done.out
    assert "part_deep: loaded in" in done.out, "what became pending meanwhile"
    assert "12 loaded, 0 were loaded already, 1 failed, in" in done.out, done
    assert {name for name in pending(app) if "part" in name} == {"part_bad"}
    assert done.err == ""


def test_all(app):
    assert len(pending(app)) > 3
    app.ctl("warm", "--all", status=1)
    assert pending(app) == {"part_bad"}


def test_nothing_to_do(app):
    assert "0 loaded" in app.ctl("warm", "nothing*").out


def test_one_way_at_a_time(app):
    for words in ([], ["part*", "--all"], ["--all", "--file", "f"]):
        assert "say what to load" in app.ctl("warm", *words, status=2).err
    app.ctl("warm", "--all", "--budget-ms", "0", status=2)
    app.ctl("warm", "--all", "--rate", "x", status=2)


def test_for_programs(app):
    lines = app.ctl("--json", "warm", "part?").out.splitlines()
    slices = [json.loads(line) for line in lines]
    rows = [row for part in slices[:-1] for row in part["results"]]
    assert {row["name"] for row in rows} == \
        {f"part{i}" for i in range(10)} - {"part1", "part3"}
    assert all(row["loaded"] for row in rows)
    assert slices[-1] == {"loaded": 8, "already": 0, "failed": 0, "left": 0}


def test_rate(app):
    begin = time.monotonic()
    lines = app.ctl("--json", "warm", "part?", "--rate", "20").out.splitlines()
    assert len(lines) == 9, "a request a module"
    assert time.monotonic() - begin >= 7 / 20


def test_budget(app):
    """A load that takes longer than the budget is the last of its slice."""
    app.write("slow.py", "import time\nend = time.monotonic() + 0.05\n"
                         "while time.monotonic() < end:\n    pass\n")
    answer = app.ask("load", "part0", "slow", "part2", "part4",
                     "--budget-ms", "20")
    assert [row["name"] for row in answer["results"]] == ["part0", "slow"]
    assert answer["left"] == 2
    assert state(app, "part2") == "proxy"
    app.write("list", "slow\npart2\npart4\n")
    app.ctl("warm", "--file", app.folder / "list", "--budget-ms", "20")
    assert state(app, "part4") == "real"


def test_record_and_warm_again(app):
    recorded = app.ctl("record").out.splitlines()
    assert recorded[0].startswith("#")
    names = [line for line in recorded if not line.startswith("#")]
    parts = [name for name in names if name.startswith("part")]
    assert parts == ["part3", "part1"], "in the order of loading"
    done = app.ctl("record", "-o", app.folder / "used")
    assert f"{len(names)} modules written to" in done.out
    assert (app.folder / "used").read_text() == "\n".join(recorded) + "\n"
    app.ctl("record", "-o", app.folder / "no/such/folder", status=1)
    assert sorted(path.name for path in app.folder.glob("*.tmp")) == []
    assert sorted(path.name for path in app.folder.glob("used?*")) == []
    app.ctl("stop")

    app.start(app.folder / "app.py", "--warm", app.folder / "used")
    assert state(app, "part1") == state(app, "part3") == "real"
    assert state(app, "part2") == "proxy"
    done = app.ctl("warm", "--file", app.folder / "used")
    assert f"{len(names)} were loaded already" in done.out


def test_what_children_use_is_used(lab):
    """A server that forks its workers: what they load is recorded, and not
    listed as unused. What a rehearsal loads is nobody's."""
    for name in "one", "two", "three", "four":
        lab.write(f"{name}.py", f"value = '{name}'\n")
    lab.serve("""
        import os
        import one, two, three, four
        def use():
            return one, two.value, three.value, four
        def child(work):
            pid = os.fork()
            if pid == 0:
                work()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        one.value
        child(lambda: child(lambda: two.value))
        child(lambda: three.value)
        """)
    lab.ctl("load", "--dry-run", "four")
    names = [line for line in lab.ctl("record").out.splitlines()
             if line in ("one", "two", "three", "four")]
    assert names[0] == "one" and sorted(names[1:]) == ["three", "two"]
    listed = [row["name"] for row in
              lab.ask("list", "--state", "used", "--match", "t*")["modules"]]
    assert "two" in listed and "three" in listed
    unused = [row["name"] for row in lab.ask("unused")["modules"]]
    assert "four" in unused and not {"one", "two", "three"} & set(unused)
    assert state(lab, "two") == "proxy"


def test_record_replaces_plain_files_only(app):
    """What a link points at is written, and the link stays."""
    (app.folder / "target").write_text("")
    (app.folder / "link").symlink_to("target")
    app.ctl("record", "-o", app.folder / "link")
    assert (app.folder / "link").is_symlink()
    assert (app.folder / "target").read_text() == app.ctl("record").out



def test_a_file_with_what_is_gone(app):
    app.write("list", "part2  # used\n\n# comment\nno.such\npart_bad\npart2\n")
    done = app.ctl("warm", "--file", app.folder / "list", status=1)
    assert "1 loaded, 0 were loaded already, 2 failed" in done.out
    app.ctl("stop")
    app.start(app.folder / "app.py", "--warm", app.folder / "list")
    assert state(app, "part2") == "real"
    text = app.logged("warm: 1 of 3 modules")
    assert "warm: 'no.such' was not loaded: ModuleNotFoundError" in text
    assert "warm: 'part_bad' was not loaded: ValueError: bad" in text


@pytest.mark.parametrize("line", ["two words", "a..b", ".a", "a;b", "a.b."])
def test_bad_lines(lab, line):
    lab.write("app.py", "import lazycore\nlazycore.ready()\n")
    path = lab.write("list", f"json\n{line}\n")
    done = lab.lazyd("--check", "--warm", path, "--app", "app.py", status=1)
    assert f"'{path}' line 2: '{line}' is no module's name" in done.err
    done = lab.lazyd("--check", "--warm", "none", "--app", "app.py", status=1)
    assert "cannot open 'none': No such file" in done.err


def test_loaded_before_it_is_ready(lab):
    """In the call of ready(), in which no more than once."""
    lab.write("late.py", "import lazycore\nlazycore.ready()\n"
                         "print('late loads')\n")
    lab.write("list", "late\n")
    app = lab.write("app.py", """
        import late, lazycore, sys
        def use():
            return late
        print("begins", "late" in sys.modules)
        lazycore.ready()
        print("ready", "late" in sys.modules)
        """)
    done = lab.foreground("--warm", lab.folder / "list", "--app", app)
    assert done.out.splitlines() == ["begins False", "late loads",
                                     "ready True"]


def test_stop_while_it_warms(lab):
    lab.write("endless.py", "import os, pathlib\n"
                            "pathlib.Path('begun').write_text('')\n"
                            "while True:\n    pass\n")
    lab.write("list", "endless\n")
    app = lab.write("app.py", "import lazycore\nlazycore.ready()\n")
    process = lab.stay(app, "--warm", lab.folder / "list")
    lab.await_file("begun")
    lab.ctl("stop")
    assert process.wait(30) == 0


def test_interrupt_ends_it_after_the_slice(app):
    warm = app.popen(LAZYCTL, "-s", app.socket, "warm", "part?", "--rate",
                     "0.5")
    assert warm.stdout.readline().startswith("part0: loaded in")
    warm.send_signal(signal.SIGINT)
    rest = warm.stdout.read()
    assert warm.wait(30) == 130
    assert re.search(r"[12] loaded, .* [67] not tried", rest), rest
    assert state(app, "part9") == "proxy"


def test_bar_on_a_terminal(app):
    main, other = pty.openpty()
    done = app.popen(LAZYCTL, "-s", app.socket, "warm", "part?",
                     "--rate", "100", stderr=other)
    os.close(other)
    assert done.wait(30) == 0
    seen = b""
    while select.select([main], [], [], 1)[0]:
        try:
            data = os.read(main, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(main)
    assert b"] 1 of 8" in seen and b"[###" in seen
    assert seen.endswith(b"\r\x1b[K")


def test_requests_are_served_between_slices(app):
    """Others get their turn though there is no pause at all."""
    for i in range(40):
        app.write(f"slow{i}.py", "import time\nend = time.monotonic() + 0.02\n"
                                 "while time.monotonic() < end:\n    pass\n")
    app.write("list", "".join(f"slow{i}\n" for i in range(40)))
    warm = app.popen(LAZYCTL, "-s", app.socket, "warm", "--file",
                     app.folder / "list", "--budget-ms", "1")
    assert warm.stdout.readline().startswith("slow0: ")
    app.ctl("load", "part5")
    app.ctl("show", "slow39", status=1)  # is not known yet
    assert warm.wait(30) == 0
    app.ctl("show", "slow39")
