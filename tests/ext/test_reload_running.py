"""DESIGN 5, step 2: the new body runs apart; where it fails nothing changes."""

import pytest

from reloading import program  # noqa: F401 (a fixture)


def test_syntax_error_touches_nothing(program):
    program("VALUE = [1]", """
mod = load()
before = snapshot(mod)
path = edit("VALUE = 2\\n\\nx = (1,\\n")
result = reload("failed")
assert (result["file"], result["line"]) == (path, 3), result
assert result["column"] == 5, result
assert "never closed" in result["text"]
assert "SyntaxError" in result["traceback"]
assert snapshot(mod) == before
for text in ("x = '\\0'", "# coding: nonsense\\n", "def f(:", "x = 1\\n y = 1"):
    edit(text)
    reload("failed")
    assert snapshot(mod) == before
""")


@pytest.mark.parametrize("body", [
    "VALUE = 2\n\ndef f():\n    return 1 / 0\n\nf()",
    "VALUE = 2\nraise SystemExit(3)",
    "VALUE = 2\nraise KeyboardInterrupt",
    "VALUE = 2\nimport no_such_module_anywhere",
    "VALUE = 2\n__path__.append('elsewhere')\nraise ValueError",
    "VALUE = 2\ndel __name__\nclass C: pass\nraise ValueError",
    "VALUE = 2\nimport sys\nsys.modules[__name__] = 5",
    "VALUE = 2\nimport sys\ndel sys.modules[__name__]",
    "def f(): f()\nf()",
], ids=["error", "exit", "interrupt", "import", "path", "odd", "replaces",
        "removes", "recursion"])
def test_failing_body_leaves_the_module_as_it_was(program, body):
    program("", f"""
mod = load("pkg")
before = snapshot(mod)
edit({body!r}, "pkg/__init__.py")
result = reload("failed", "pkg")
assert snapshot(mod) == before and sys.modules["pkg"] is mod
assert mod.f() == 1 and mod.__path__ == [os.path.join(FOLDER, "pkg")]
assert result["text"] and result["traceback"]
edit("VALUE = 3\\ndef f(): return VALUE", "pkg/__init__.py")
reload(name="pkg")
assert mod.f() == 3
""", files={"pkg/__init__.py": "VALUE = 1\ndef f(): return VALUE\n"})


def test_failure_names_the_line_of_the_reloaded_file(program):
    program("", """
mod = load()
path = edit("import json\\n\\nx = json.loads('[')\\n")
result = reload("failed")
assert (result["file"], result["line"]) == (path, 3), result
assert "JSONDecodeError" in result["text"]
assert "decoder.py" in result["traceback"]
""")
