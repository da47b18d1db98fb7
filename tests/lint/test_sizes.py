"""Sizes and looks: long files and functions, clang-format, comments."""
import re
import shutil
import subprocess

import pytest

from tree import PARTS, ROOT, c_files, functions, name

FILE_LINES = 500
FUNCTION_LINES = 80


def test_files_are_short():
    assert [f"{name(path)}: {length}" for path in c_files()
            if not name(path).startswith("tests/")
            and (length := len(path.read_text().splitlines())) > FILE_LINES
            ] == []


def test_functions_are_found():
    lengths = [length for path in c_files("daemon", "ctl")
               for _, length, _ in functions(path)]
    assert len(lengths) > 300
    assert sorted(lengths)[len(lengths) // 2] <= 20, "the median"


def test_functions_are_short():
    assert [f"{name(path)}:{line}: {function} has {length} lines"
            for path in c_files()
            for line, length, function in functions(path)
            if length > FUNCTION_LINES] == []


def test_every_file_says_what_it_is_for():
    wrong = []
    for path in c_files("lazycore", "daemon", "ctl"):
        text = path.read_text()
        comment = re.match(r"/\*(.*?)\*/", text, flags=re.S)
        if not comment or len(comment[1].split()) < 2:
            wrong.append(name(path))
    assert wrong == []


def test_clang_format():
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None:
        pytest.skip("clang-format is not installed")
    done = subprocess.run([program, "--dry-run", "--Werror", *c_files()],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr[:4000]


def sources():
    kinds = (".c", ".h", ".def", ".py", ".txt", ".bash", ".1", ".8")
    return [path for part in PARTS for path in (ROOT / part).rglob("*")
            if path.suffix in kinds and "__pycache__" not in path.parts]


def test_nothing_is_left_to_do():
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert [name(path) for path in sources()
            if words.search(path.read_text())] == []


def test_no_test_sleeps():
    """Tests wait for what they wait for."""
    calls = re.compile(r"\btime\.sleep\((?!0\))|\b(?:u|nano)?sleep\(\s*[1-9]")
    found = []
    for path in sources():
        if not name(path).startswith(("tests/system/", "tests/lint/",
                                      "tests/unit/", "tests/embed/")):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if calls.search(line) and path.name != "test_sizes.py":
                found.append(f"{name(path)}:{number}: {line.strip()}")
    assert found == []


def test_lines_end_clean():
    assert [name(path) for path in sources()
            if re.search(r"[ \t]+$|\t", path.read_text(), flags=re.M)
            and path.suffix in (".c", ".h", ".def", ".py")] == []
