"""lazyd is python3's own program with the host loaded ahead of it: what of
that a service, its children and whoever looks at the process get to see."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import LAZYD, PYTHON

HOST = pathlib.Path(LAZYD).with_name("lazyd-host.so")
pytestmark = pytest.mark.skipif(not HOST.exists(), reason="a sanitizer's "
                                "build is one program")
LOOK = """
import os, pathlib, subprocess, sys
print(sys.argv, os.environ.get("LD_PRELOAD"))
print(subprocess.run(["sh", "-c", "echo ${LD_PRELOAD-none}"],
                     stdout=subprocess.PIPE, text=True).stdout.strip())
print([path for path in pathlib.Path("/proc/self/fd").iterdir()
       if "lazyd-host" in str(path.resolve())])
print(pathlib.Path("/proc/self/comm").read_text().strip())
print(pathlib.Path("/proc/self/cmdline").read_text().split("\\0")[1])
print(os.readlink("/proc/self/exe"))
"""


def seen(app, others=None):
    return (f"['{app}'] {others}\n{others or 'none'}\n[]\nlazyd\n-F\n"
            f"{os.path.realpath(PYTHON)}\n")


@pytest.fixture
def moved(lab):
    """lazyd in a folder whose name the dynamic linker would take for two."""
    folder = lab.folder / "two words:three"
    folder.mkdir()
    for path in (LAZYD, HOST):
        shutil.copy(path, folder)
    return folder / "lazyd"


def test_the_service_sees_its_python3(lab):
    app = lab.write("app.py", LOOK)
    assert lab.foreground("--app", app).out == seen(app)


def test_what_the_user_preloads_stays(lab):
    app = lab.write("app.py", LOOK)
    other = next(line.split()[2] for line in subprocess.run(
        ["ldd", PYTHON], stdout=subprocess.PIPE, text=True,
        check=True).stdout.splitlines() if "libm." in line)
    done = lab.foreground("--app", app, env={"LD_PRELOAD": other})
    assert done.out == seen(app, other)


def test_any_folder_will_do(lab, moved):
    """Where the file is named by a descriptor, none is left open."""
    app = lab.write("app.py", LOOK)
    done = lab.run(moved, "-F", "--no-socket", "--app", app)
    assert done.out == seen(app)


def test_found_by_a_link(lab):
    (lab.folder / "bin").mkdir()
    link = lab.folder / "bin" / "lazyd"
    link.symlink_to(LAZYD)
    assert lab.run(link, "--version").out.startswith("lazyd ")


def test_installed(lab, moved):
    """As cmake --install leaves it, wherever the prefix is."""
    build = pathlib.Path(LAZYD).parent.parent
    prefix = lab.folder / "prefix"
    lab.run("cmake", "--install", build, "--prefix", prefix)
    program = prefix / "bin" / "lazyd"
    assert not program.with_name(HOST.name).exists()
    assert lab.run(program, "--version").out.startswith("lazyd ")


def test_without_its_other_part(lab, moved):
    moved.with_name(HOST.name).unlink()
    done = lab.run(moved, "--version", status=1)
    assert done.out == ""
    assert HOST.name in done.err and "install lazyd anew" in done.err


def test_folder_with_a_token_of_the_linker(lab):
    folder = lab.folder / "$ORIGIN"
    folder.mkdir()
    for path in (LAZYD, HOST):
        shutil.copy(path, folder)
    app = lab.write("app.py", LOOK)
    done = lab.run(folder / "lazyd", "-F", "--no-socket", "--app", app)
    assert done.out == seen(app)


def test_its_other_part_is_no_program(lab, moved):
    """Not python3 with lazyd's arguments."""
    moved.with_name(HOST.name).write_text("#!/bin/sh\n")
    done = lab.run(moved, "--version", status=1)
    assert done.out == "" and "Exec format error" in done.err


def test_its_other_part_may_not_run(lab, moved):
    """On a file system mounted noexec."""
    folder = lab.folder / "mounted"
    folder.mkdir()
    inside = f"""mount -t tmpfs -o noexec none '{folder}' &&
        cp '{HOST}' '{folder}/' &&
        mount --bind '{folder}/{HOST.name}' '{moved.parent}/{HOST.name}' &&
        exec '{moved}' --version"""
    done = subprocess.run(["unshare", "-rm", "sh", "-c", inside],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no namespaces here")
    assert (done.returncode, done.stdout) == (1, "")
    assert "mounted noexec" in done.stderr


@pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf")
def test_nothing_of_the_host_is_there_for_modules():
    """Neither libuv's names nor ours get in the way of a module's own."""
    symbols = subprocess.run(["readelf", "-W", "--dyn-syms", HOST],
                             stdout=subprocess.PIPE, text=True, check=True)
    defined = re.findall(r" (?:GLOBAL|WEAK) +\w+ +(?!UND)\w+ (\S+)$",
                         symbols.stdout, re.M)
    assert sorted(defined) == ["_Exit", "__libc_start_main", "_exit"]
