"""Ignore sets and reload of a running service, over the socket."""
import json
import os
import signal

import pytest

from conftest import LAZYCTL

USES = "def use():\n    return {0}\n"


def values(lab, kind):
    return [rule["value"] for rule in lab.ask("ignore", "list")["rules"]
            if rule["kind"] == kind]


@pytest.fixture
def app(lab):
    """pkg with two modules, one top-level module, all of them pending."""
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/one.py", "import csv\nX = 1\n" + USES.format("csv"))
    lab.write("pkg/two.py", "X = 2\n")
    lab.write("pkgs.py", "X = 3\n")
    lab.process = lab.serve("import pkg.one, pkg.two, pkgs\n"
                            + USES.format("pkg, pkgs"))
    return lab


def test_ignore_add_says_what_is_pending(app):
    answer = app.ask("ignore", "add", "package", "pkg")
    assert answer["changed"] == ["pkg"] and answer["unchanged"] == []
    assert sorted(answer["pending"]) == ["pkg", "pkg.one", "pkg.two"]
    assert answer["results"] == []
    assert app.ask("show", "pkg.two")["state"] == "proxy"
    again = app.ask("ignore", "add", "package", "pkg", "other")
    assert again["changed"] == ["other"] and again["unchanged"] == ["pkg"]


def test_ignore_add_with_load(app):
    answer = app.ask("ignore", "add", "package", "pkg", "--load")
    assert sorted(row["name"] for row in answer["results"]) == \
        ["pkg", "pkg.one", "pkg.two"]
    assert all(row["loaded"] for row in answer["results"])
    assert app.ask("show", "pkg.two")["state"] != "proxy"
    assert app.ask("show", "pkgs")["state"] == "proxy", "pkg is not pkgs"


def test_ignore_add_dry_run(app):
    answer = app.ask("ignore", "add", "name", "pkg", "--dry-run")
    assert answer["dry_run"] is True and answer["pending"] == ["pkg"]
    assert "pkg" not in values(app, "name")


def test_ignore_path_in_any_case(app):
    answer = app.ask("ignore", "add", "path", "PKG/TWO")
    assert answer["pending"] == ["pkg.two"]


def test_ignore_counts_from_the_next_statement(app):
    """csv is imported by pkg.one, whose code has not run yet."""
    app.ctl("ignore", "add", "name", "csv")
    app.ctl("load", "pkg.one")
    shown = app.ask("show", "csv")
    assert (shown["state"], shown["reason"]) == ("ignored", "ignore_name")
    rule, = [rule for rule in app.ask("ignore", "list")["rules"]
             if rule["value"] == "csv"]
    assert rule["hits"] == 1 and rule["builtin"] is False


def test_ignore_remove(app):
    app.ctl("ignore", "add", "name", "csv")
    answer = app.ask("ignore", "remove", "name", "csv")
    assert answer["changed"] == ["csv"]
    assert "csv" not in values(app, "name")
    app.ctl("load", "pkg.one")
    assert app.ask("show", "csv")["state"] == "proxy"
    done = app.ctl("ignore", "remove", "name", "csv", status=1)
    assert "'csv'" in done.err


@pytest.mark.parametrize("kind, value", [
    ("name", ""), ("name", "a..b"), ("name", ".a"), ("package", "a b"),
    ("path", ""),
])
def test_ignore_add_refuses_nonsense(app, kind, value):
    before = app.ask("ignore", "list")
    app.ctl("ignore", "add", kind, value, status=1)
    assert app.ask("ignore", "list") == before


def test_ignore_save_and_load_again(app):
    app.ctl("ignore", "add", "name", "one", "two")
    app.ctl("ignore", "add", "package", "three.four")
    app.ctl("ignore", "add", "path", "/a dir/with spaces/")
    app.ctl("ignore", "remove", "name", "readline")
    before = {(rule["kind"], rule["value"])
              for rule in app.ask("ignore", "list")["rules"]}
    saved = app.ask("ignore", "save", "saved")
    assert saved["path"] == str(app.folder / "saved")
    assert saved["rules"] == len(before)
    app.ctl("stop")

    app.start(app.folder / "app.py", "--ignore-file", app.folder / "saved")
    after = {(rule["kind"], rule["value"])
             for rule in app.ask("ignore", "list")["rules"]}
    assert after == before
    assert ("name", "readline") not in after


def test_ignore_save_where_it_cannot(app):
    done = app.ctl("ignore", "save", "/no/such/folder/file", status=1)
    assert "/no/such/folder/file" in done.err


def test_ignore_save_over_what_is_no_file(app):
    """Only a file is replaced: a device would be gone for all."""
    os.mkfifo(app.folder / "fifo")
    (app.folder / "folder").mkdir()
    for name in ("fifo", "folder"):
        done = app.ctl("ignore", "save", name, status=1)
        assert str(app.folder / name) in done.err
    assert (app.folder / "fifo").is_fifo()
    assert (app.folder / "folder").is_dir()


def test_options_fill_the_sets(lab):
    lab.write("pkg/__init__.py", "X = 1\n")
    lab.write("vendor/__init__.py", "X = 1\n")
    lab.serve("import csv, pkg, vendor, json\n"
              + USES.format("csv, pkg, vendor, json"),
              "--ignore-name", "csv", "--ignore-package", "pkg",
              "--ignore-path", "/VENDOR/")
    reasons = {name: lab.ask("show", name)["reason"]
               for name in ("csv", "pkg", "vendor", "json")}
    assert reasons == {"csv": "ignore_name", "pkg": "ignore_package",
                       "vendor": "ignore_path", "json": "lazy"}
    assert lab.ask("stats")["modules"]["ignored"] >= 3


def test_changes_are_logged_with_who_made_them(app):
    app.ctl("ignore", "add", "name", "csv")
    app.ctl("level", "set", "pkg", "full")
    app.ctl("load", "pkgs")
    changes = ("ignore.add name csv", "level of pkg: full", "load pkgs")
    lines = app.logged(*changes).splitlines()
    for what in changes:
        line, = [line for line in lines if what in line]
        assert f"uid {os.getuid()} pid " in line


# --- reload -----------------------------------------------------------------

MODULE = """
class Thing:
    def name(self):
        return "{word}"

def word():
    return "{word}"

LIMIT = {number}
"""

SAYS = """
import lazycore, signal
import mod
from mod import word, Thing, LIMIT

thing = Thing()

def say(*_):
    with open("said.new", "w") as out:
        print(mod.word(), word(), thing.name(), mod.LIMIT, LIMIT,
              isinstance(thing, mod.Thing), file=out)
    import os
    os.rename("said.new", "said")

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
lazycore.ready()
while True:
    signal.sigwait([signal.SIGUSR1])
    say()
"""


class Service:
    def __init__(self, lab):
        self.lab = lab
        self.file = lab.write("mod.py", MODULE.format(word="old", number=1))
        # Who looks at a file of this very moment cannot trust its times.
        os.utime(self.file, (1e9, 1e9))
        self.process = lab.start(lab.write("app.py", SAYS), "-C", lab.folder)

    def says(self):
        said = self.lab.folder / "said"
        said.unlink(missing_ok=True)
        self.process.signal(signal.SIGUSR1)
        self.lab.await_file("said")
        return said.read_text().split()

    def edit(self, text):
        self.file.write_text(text)

    def reload(self, status, *words):
        return self.lab.ask("reload", *words, "mod", status=status)


@pytest.fixture
def service(lab):
    service = Service(lab)
    yield service
    # It waits in sigwait(), which SIGTERM does not end.
    service.process.signal(signal.SIGKILL)


def test_reload_applied(service):
    assert service.says() == ["old", "old", "old", "1", "1", "True"]
    service.edit(MODULE.format(word="new", number=2))
    answer = service.reload(0)
    assert answer["verdict"] == "applied"
    assert answer["functions_kept"] >= 1 and answer["classes_kept"] == 1
    assert answer["old_hash"] != answer["new_hash"]
    said = service.says()
    assert said[:4] == ["new", "new", "new", "2"] and said[5] == "True"


def test_reload_of_a_constant_bound_elsewhere(service):
    """`from mod import LIMIT` in the service itself is rebound."""
    service.says()
    service.edit(MODULE.format(word="new", number=2))
    answer = service.reload(0)
    assert service.says()[4] == "2", answer
    assert answer["unrepaired"] == []


def test_reload_of_the_same_size_within_one_second(service):
    """importlib would take the .pyc of the first edit for the second's."""
    service.says()
    for word in ("one", "two", "six"):
        service.edit(MODULE.format(word=word, number=1))
        assert service.reload(0)["verdict"] == "applied"
        assert service.says()[0] == word


def test_reload_unchanged_and_forced(service):
    service.says()
    assert service.reload(11)["verdict"] == "unchanged"
    assert service.reload(0, "--force")["verdict"] == "applied"
    assert service.says()[5] == "True"


def test_reload_not_loaded(service):
    service.edit(MODULE.format(word="new", number=1))
    # The app's own statement `thing = Thing()` has used it; csv is not.
    answer = service.lab.ask("reload", "csv", status=12)
    assert answer["verdict"] == "not_loaded"


def test_reload_with_a_syntax_error(service):
    service.says()
    service.edit(MODULE.format(word="new", number=1) + "def f(:\n")
    answer = service.reload(14)
    assert answer["verdict"] == "failed"
    assert answer["file"] == str(service.file)
    assert answer["line"] == 10 and answer["column"] > 0
    assert service.says() == ["old", "old", "old", "1", "1", "True"]


def test_reload_that_raises_changes_nothing(service):
    service.says()
    service.edit(MODULE.format(word="new", number=2) + "1 / 0\n")
    answer = service.reload(14)
    assert "ZeroDivisionError" in answer["traceback"]
    assert service.says() == ["old", "old", "old", "1", "1", "True"]
    done = service.lab.ctl("reload", "mod", status=14)
    assert "ZeroDivisionError" in done.out + done.err


def test_reload_refused(service):
    for name in ("__main__", "sys", "math", "_json"):
        answer = service.lab.ctl("--json", "reload", name, status=None)
        if answer.status == 12:
            continue
        assert answer.status == 13, name
        assert answer.json()["verdict"] == "refused"


def test_reload_refused_by_the_module(service):
    service.says()
    service.edit(MODULE.format(word="new", number=2))
    service.reload(0)
    service.edit("__reload__ = False\n" + MODULE.format(word="x", number=3))
    service.reload(0)
    service.edit(MODULE.format(word="y", number=4))
    answer = service.reload(13)
    assert answer["verdict"] == "refused" and "__reload__" in answer["text"]
    assert service.says()[0] == "x"


def test_reload_of_an_unknown_module(service):
    answer = service.lab.ctl("--json", "reload", "no.such", status=1).json()
    assert answer["error"]["data"]["kind"] == "no_such_module"


def test_reload_of_a_missing_file(service):
    service.says()
    service.file.unlink()
    answer = service.reload(14)
    assert answer["verdict"] == "failed" and "mod.py" in answer["text"]
    assert service.says()[0] == "old"


def test_events_tell_of_a_reload(service):
    lab = service.lab
    process = lab.popen(LAZYCTL, "-s", lab.socket, "--json", "events",
                        "reload")
    process.stdout.readline()
    service.says()
    service.edit("1 / 0\n")
    service.reload(14)
    event = json.loads(process.stdout.readline())
    assert (event["name"], event["verdict"]) == ("mod", "failed")
