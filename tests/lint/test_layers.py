"""Who may include what: the arrows run one way."""
import shutil
import subprocess

import pytest

from tree import ROOT, c_files, functions, includes, name

# What a folder's files may include of the project.
ARROWS = {
    "lazycore/": ("lazycore/",),
    "daemon/": ("daemon/", "lazycore/", "ctl/wire/"),
    "ctl/wire/": ("ctl/wire/", "lazycore/error.h"),
    "ctl/": ("ctl/",),
}

# Headers of libraries: who may.
LIBRARIES = {
    "Python.h": ("lazycore/", "daemon/pyhost."),
    "uv.h": ("daemon/",),
    "cJSON": ("ctl/wire/",),
    "cjson": ("ctl/wire/",),
    "uthash.h": ("lazycore/",),
    "argp.h": ("daemon/options.c",),
}

# The plain-C core: readable without the GIL because nothing in it is Python.
CORE = ("registry", "registry_read", "ignore", "ignore_file", "level",
        "names", "table", "pool", "error", "core", "rehearse_report",
        "source", "sources", "flight", "ledger")

TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE",
       "lazycore", "daemon", "ctl", "tests",
       ".ci", ".clang-format", ".clang-tidy", ".gitignore"}
TESTS = {"CMakeLists.txt", "unit", "ext", "embed", "system", "compat",
         "packages", "cpython", "fuzz", "bench", "load", "lint", "service"}


def product():
    return c_files("lazycore", "daemon", "ctl")


def test_there_is_something_to_look_at():
    assert len(product()) > 80


def test_arrows_run_one_way():
    wrong = []
    for path in product():
        folder = max((key for key in ARROWS if name(path).startswith(key)),
                     key=len)
        for line, header in includes(path):
            if "/" not in header or not (ROOT / header).exists():
                continue
            if not header.startswith(ARROWS[folder]):
                wrong.append(f"{name(path)}:{line}: {header}")
    assert wrong == []


def test_own_headers_are_named_from_the_root():
    wrong = [f"{name(path)}:{line}: {header}" for path in product()
             for line, header in includes(path)
             if "/" not in header and (path.parent / header).exists()]
    assert wrong == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_library_stays_where_it_belongs(library):
    users = [path for path in product()
             if any(library in header for _, header in includes(path))]
    if library not in ("cJSON", "uthash.h"):
        assert users, f"nothing includes {library}: is the rule out of date?"
    assert [name(path) for path in users
            if not name(path).startswith(LIBRARIES[library])] == []


def test_core_sees_no_python():
    """Not even through another header."""
    def reached(path, seen):
        for _, header in includes(path):
            if header in ("Python.h", "structmember.h"):
                return [path.name]
            target = ROOT / header
            if target.exists() and target not in seen:
                seen.add(target)
                way = reached(target, seen)
                if way:
                    return [path.name] + way
        return None

    for stem in CORE:
        path = ROOT / "lazycore" / (stem + ".c")
        assert path.exists(), stem
        assert reached(path, set()) is None, stem


def test_main_is_one_call():
    for folder in ("daemon", "ctl"):
        (_, length, _), = functions(ROOT / folder / "main.c")
        assert length <= 3, folder


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_top_level_is_as_designed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE)
    if listed.returncode != 0:
        pytest.skip("not a clone")
    paths = listed.stdout.split()
    assert {path.split("/")[0] for path in paths} <= TOP
    assert {path.split("/")[1] for path in paths
            if path.startswith("tests/")} <= TESTS
