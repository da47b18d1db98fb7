"""lazyctl verify: which pending modules could still be loaded.

The whole way, from the table on the terminal to the engine; each kind of
result and loader is tried in tests/ext.
"""
import pytest

APP = """
import good
import later
import lost
import package.sub
import used

def use():
    return good, later, lost, package.sub

used.value
"""
LOUD = "print('executed', flush=True)\n"


@pytest.fixture
def server(lab):
    for name in ("good", "later", "lost", "package/__init__", "package/sub"):
        lab.write(f"{name}.py", LOUD)
    lab.write("used.py", "value = 1\n")
    lab.process = lab.serve(APP)
    return lab


def test_all_is_well(server):
    answer = server.ask("verify", "--all")
    rows = {row["name"]: row for row in answer["results"]}
    assert {"good", "later", "lost", "package", "package.sub"} <= set(rows)
    assert "used" not in rows
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert rows["good"]["file"] == str(server.folder / "good.py")
    assert answer["ok"] == answer["total"] == len(rows)
    assert answer["failed"] == 0
    assert server.ask("verify")["results"] == []


def test_what_is_wrong(server):
    (server.folder / "lost.py").unlink()
    (server.folder / "later.py").write_text("x = 1\ndef f(:\n")
    before = server.ask("list", "--state", "proxies")["total"]
    answer = server.ask("verify", status=1)
    rows = {row["name"]: row for row in answer["results"]}
    assert set(rows) == {"later", "lost"}
    assert answer["failed"] == 2
    assert rows["lost"]["status"] == "missing"
    assert rows["later"]["status"] == "broken"
    assert (rows["later"]["line"], rows["later"]["column"]) == (2, 7)
    done = server.ctl("verify", status=1)
    assert f"{server.folder}/later.py:2:7: SyntaxError" in done.out
    # Nothing was loaded by it, or executed.
    assert server.ask("list", "--state", "proxies")["total"] == before
    assert "executed" not in server.log.read_text()


def test_glob_and_limit(server):
    (server.folder / "lost.py").unlink()
    answer = server.ask("verify", "package*", "--all")
    assert [row["name"] for row in answer["results"]] == ["package",
                                                          "package.sub"]
    answer = server.ask("verify", "-l1", "-a", "package*")
    assert len(answer["results"]) == 1 and answer["total"] == 2
    assert server.ask("verify", "lost", status=1)["failed"] == 1


def test_nothing_pending_matches(server):
    """A module that is known is no mistake; one that is not may be one."""
    answer = server.ask("verify", "used")
    assert (answer["total"], answer["results"]) == (0, [])
    done = server.ctl("verify", "god", status=1)
    assert "no module matches 'god'" in done.err


@pytest.mark.parametrize("words", [
    ["one", "two"], ["--limit", "few"], ["--limit"], ["--recursive"]])
def test_wrong_arguments(server, words):
    done = server.ctl("verify", *words, status=2)
    assert done.out == "" and done.err.startswith("lazyctl: ")


@pytest.mark.parametrize("params", [
    {"match": 1}, {"limit": -1}, {"limit": "1"}, {"all": 1}, {"names": []}])
def test_wrong_params(server, params):
    with server.connection() as wire:
        answer = wire.ask("verify", **params)
        assert answer["error"]["code"] == -32602
        assert wire.ask("ping")["result"]["pong"] is True
