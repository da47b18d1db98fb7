"""How the programs are built, and what the unit lets them do."""
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import LAZYCTL, LAZYD, SERVICES, get

BUILD = pathlib.Path(LAZYD).parent.parent
UNIT = BUILD / "daemon" / "lazyd@.service"
LAZYCORE = next((BUILD / "lazycore").glob("lazycore*.so"))
HOST = pathlib.Path(LAZYD).with_name("lazyd-host.so")
PROGRAMS = [LAZYD, LAZYCTL, str(LAZYCORE), str(HOST)]
EXPOSURE_BAR = 3.0


def tool(name):
    return pytest.mark.skipif(shutil.which(name) is None,
                              reason=f"{name} is not installed")


def run(*command):
    return subprocess.run([str(word) for word in command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(params=PROGRAMS, ids=lambda path: pathlib.Path(path).stem)
def program(request):
    return request.param


@tool("readelf")
def test_relocations_are_read_only_before_the_start(program):
    assert "GNU_RELRO" in run("readelf", "-lW", program)
    dynamic = run("readelf", "-dW", program)
    assert "BIND_NOW" in dynamic or "Flags: NOW" in dynamic
    assert "TEXTREL" not in dynamic


@tool("readelf")
def test_nothing_is_both_written_and_run(program):
    segments = re.findall(r"^ +(LOAD|GNU_STACK) .* ([RWE ]{3}) 0x",
                          run("readelf", "-lW", program), re.M)
    assert "GNU_STACK" in [name for name, _ in segments]
    assert [flags for _, flags in segments
            if "W" in flags and "E" in flags] == []


@tool("readelf")
def test_position_independent(program):
    assert re.search(r"Type: +DYN", run("readelf", "-hW", program))


@tool("readelf")
def test_checks_of_the_compiler(program):
    symbols = run("readelf", "-sW", "--dyn-syms", program)
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk@", symbols), "nothing is fortified"


# --- the unit ---------------------------------------------------------------

def analyze(*words):
    """Of systemd-analyze, which works without a systemd that runs."""
    done = subprocess.run(["systemd-analyze", *map(str, words)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if "Unknown" in done.stdout or "unrecognized option" in done.stdout:
        pytest.skip(f"systemd-analyze: {done.stdout.splitlines()[0]}")
    return done.stdout


@tool("systemd-analyze")
def test_exposure_of_the_unit():
    text = analyze("security", "--offline=true", UNIT)
    score = re.search(r"exposure level for \S+: ([\d.]+)", text)
    assert score, text
    assert float(score[1]) < EXPOSURE_BAR, text


def allowed():
    """Every system call of the groups that the unit names."""
    groups = {}
    for line in analyze("syscall-filter").splitlines():
        word = line.strip()
        if line.startswith("@"):
            group = groups.setdefault(word, [])
        elif word and not word.startswith("#"):
            group.append(word)

    def members(name):
        return set().union(*(members(word) if word.startswith("@") else
                             {word} for word in groups[name]))
    names = re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.M)
    assert names and "~" not in "".join(names)
    return set().union(*(members(word) for line in names
                         for word in line.split()))


@tool("systemd-analyze")
@tool("strace")
def test_a_service_lives_with_the_filter(lab):
    """What the sample service and lazyd call is let through: it answers, runs
    a child, is asked, loads, saves and stops."""
    trace, port_file = lab.folder / "trace", lab.folder / "port"
    process = lab.popen("strace", "-f", "-qq", "-o", trace, "-e",
                        "signal=none", LAZYD, "-F", "-s", lab.socket, "--app",
                        SERVICES / "service.py", "--", "--port", "0",
                        "--port-file", port_file)
    lab.await_file("port")
    port = int(port_file.read_text())
    assert b"ok" in get(port)
    get(port, "/child")
    for words in (["stats"], ["list"], ["load", "zipfile"],
                  ["ignore", "save", lab.folder / "saved"], ["stop"]):
        lab.ctl(*words)
    process.wait(30)
    called = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M))
    assert {"openat", "socket", "epoll_wait"} <= called
    assert called - allowed() == set()


def test_the_unit_names_no_other_way_out():
    """What the page of threats promises of the unit."""
    text = UNIT.read_text()
    for line in ("DynamicUser=yes", "NoNewPrivileges=yes",
                 "CapabilityBoundingSet=\n", "RuntimeDirectoryMode=0700",
                 "UMask=0077", "SystemCallErrorNumber=EPERM"):
        assert line in text
