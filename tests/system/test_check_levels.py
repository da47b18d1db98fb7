"""lazyd --check-levels: programs that break at a level, and the file that
keeps them from it.
"""

import os
import signal
import subprocess

import pytest

from conftest import LAZYD, wait_for_end

# Breaks at full: its modules register themselves when they are imported.
REGISTER = {
    "reg/__init__.py": """
        plugins = []
        from reg import one, two
        def modules():
            return one, two
        """,
    "reg/one.py": "from reg import plugins\nplugins.append(1)\n",
    "reg/two.py": "from reg import plugins\nplugins.append(2)\n",
}
# Whatever its level.
FINE = {
    "fine/__init__.py": "from fine import sub\ndef f():\n    return sub.x\n",
    "fine/sub.py": "x = 3\n",
}
# Breaks at outer too: the program uses what its import has for an effect.
EAGER = {
    "effect/__init__.py": """
        import builtins
        from effect import sub
        builtins.effect_was_there = sub.x
        """,
    "effect/sub.py": "x = 4\n",
}


def levels(path):
    """The lines that are of a level, as a dict."""
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    return dict(line.split("=") for line in lines
                if not line.startswith(("#", "module ")))


def write(lab, app, *packages):
    for files in packages:
        for name, text in files.items():
            lab.write(name, text)
    return lab.write("app.py", app)


def test_outer(lab):
    app = write(lab, """
        import fine
        import reg
        print(sorted(reg.plugins), fine.f())
        """, REGISTER, FINE)
    out = lab.folder / "levels"
    done = lab.lazyd("--check-levels", "-o", out, "--app", app)
    assert levels(out) == {"reg": "outer", "fine": "full"}
    assert done.out == ""
    assert "'reg' must be outer" in done.err
    assert "its output differs" in done.err
    assert list(lab.folder.glob("levels.*")) == []
    # What it is for.
    eager = lab.foreground("--lazy=off", "--app", app).out
    assert eager == "[1, 2] 3\n"
    assert lab.foreground("--level=reg=full", "--level=fine=full",
                          "--app", app).out != eager
    assert lab.foreground("--level-file", out, "--app", app).out == eager


def test_eager_and_outer(lab):
    app = write(lab, """
        import builtins
        import effect
        import fine
        import reg
        def unused():
            return effect
        print(builtins.effect_was_there, sorted(reg.plugins), fine.f())
        """, REGISTER, FINE, EAGER)
    out = lab.folder / "levels"
    lab.lazyd("--check-levels", "-o", out, "--app", app)
    assert levels(out) == {"effect": "eager", "reg": "outer", "fine": "full"}
    assert (lab.foreground("--level-file", out, "--app", app).out ==
            "4 [1, 2] 3\n")


def test_module_alone(lab):
    """One without submodules has a line only where it must be eager."""
    app = write(lab, """
        import alone, other
        def unused():
            return alone
        print(hasattr(other, "value"))
        """, {"alone.py": "import other\nother.value = 1\n", "other.py": ""})
    done = lab.lazyd("--check-levels", "--app", app)
    assert done.out.splitlines()[1:] == ["alone=eager"]


def test_exit_status(lab):
    """Breaks by its exit status alone."""
    app = write(lab, """
        import reg, sys
        sys.exit(0 if len(reg.plugins) == 2 else 3)
        """, REGISTER)
    done = lab.lazyd("--check-levels", "--app", app)
    assert done.out.splitlines()[1:] == ["reg=outer"]
    assert "ended with status 3" in done.err


def test_nothing_breaks(lab):
    app = write(lab, """
        import sys
        import fine, json
        print(fine.f(), json.dumps(sys.argv[1:]), sys.stdin.read())
        """, FINE)
    done = lab.lazyd("--check-levels", "--app", app, "--", "a", "-b",
                     input="not for it", stdin=None)
    assert done.out.splitlines()[1:] == ["fine=full"]
    assert "must be" not in done.err
    # As it was, with fine at full: nothing more.
    assert done.err.count("run 2:") == 1 and "run 3:" not in done.err


def test_levels_that_are_given_are_kept(lab):
    app = write(lab, "import reg\nprint(reg.plugins)\n", REGISTER)
    done = lab.lazyd("--check-levels", "--level", "reg=outer", "--app", app)
    assert done.out.splitlines()[1:] == []
    assert "differs" not in done.err


def test_output_that_is_never_the_same(lab):
    app = write(lab, """
        import reg, os, sys
        print(os.getpid())
        sys.exit(0 if len(reg.plugins) == 2 else 3)
        """, REGISTER)
    done = lab.lazyd("--check-levels", "--app", app)
    assert done.out.splitlines()[1:] == ["reg=outer"]
    assert "only the status is compared" in done.err


def test_hangs_when_lazy(lab):
    """A run that does not end has failed, and all its processes with it."""
    app = write(lab, """
        import reg, os, signal
        if len(reg.plugins) != 2:
            child = os.fork()
            with open("pids", "a") as file:
                print(os.getpid(), file=file)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()
        print("over")
        """, REGISTER)
    done = lab.lazyd("--check-levels", "--run-timeout", "1",
                     "--stop-timeout", "0.2", "--app", app)
    assert done.out.splitlines()[1:] == ["reg=outer"]
    assert "did not end in time" in done.err
    pids = (lab.folder / "pids").read_text().split()
    assert len(pids) >= 2
    assert all(gone(pid) for pid in pids)


def gone(pid):
    """Whether PID, if it ran app.py, is no more: it may just be ending."""
    try:
        process = os.pidfd_open(int(pid))
        with open(f"/proc/{pid}/cmdline") as file:
            other = "app.py" not in file.read()
    except OSError:
        return True
    try:
        return other or wait_for_end(process, 10)
    finally:
        os.close(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(lab, number):
    """Ended by hand: its processes and its unfinished file go too."""
    app = write(lab, """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = os.fork()
        if child:
            with open("pids.new", "w") as file:
                print(os.getpid(), child, file=file)
            os.rename("pids.new", "pids")
        while True:
            signal.pause()
        """)
    process = lab.popen(LAZYD, "--check-levels", "-o", "levels",
                        "--stop-timeout", "0.1", "--app", app,
                        stderr=subprocess.PIPE)
    lab.await_file("pids")
    pids = (lab.folder / "pids").read_text().split()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"stopped by signal {number.value}" in errors
    assert list(lab.folder.glob("levels*")) == []
    assert all(gone(pid) for pid in pids)


# --- services ---------------------------------------------------------------

SERVICE = """
    import json, os, signal
    import fine, reg
    {ready}
    with open("answer.new", "w") as file:
        json.dump([sorted(reg.plugins), fine.f()], file)
    os.rename("answer.new", "answer")
    {after}
    while True:
        signal.pause()
    """
PROBE = "grep -q '1, 2' answer"
PROBE_LAST = "grep -q '1, 2' last"


def service(lab, ready="", after=""):
    return write(lab, SERVICE.format(ready=ready, after=after), REGISTER, FINE)


def test_service(lab):
    app = service(lab, after="import lazycore; lazycore.ready()")
    out = lab.folder / "levels"
    done = lab.lazyd("--check-levels", "-o", out, "--app", app, "--probe",
                     f"mv answer last && {PROBE_LAST}")
    assert levels(out) == {"reg": "outer", "fine": "full"}
    assert "the probe failed" in done.err
    assert "eager run: the probe succeeded" in done.err


def test_service_ready_after(lab):
    """It says nothing: it is asked when the time has come."""
    app = service(lab)
    wait = "while ! [ -e answer ]; do :; done"
    done = lab.lazyd("--check-levels", "--app", app, "--ready-after", "0.2",
                     "--probe", f"{wait}; mv answer last; {PROBE_LAST}")
    assert "reg=outer" in done.out.splitlines()


def test_service_that_ends(lab):
    app = service(lab, after="raise SystemExit(0)")
    done = lab.lazyd("--check-levels", "--app", app, "--probe", PROBE,
                     status=1)
    assert "ended with status 0" in done.err


def test_service_that_never_is_ready(lab):
    app = service(lab)
    done = lab.lazyd("--check-levels", "--app", app, "--run-timeout", "0.5",
                     "--probe", PROBE, status=1)
    assert "--ready-after" in done.err


def test_probe_that_fails_eagerly(lab):
    app = service(lab, after="import lazycore; lazycore.ready()")
    done = lab.lazyd("--check-levels", "--app", app, "--probe",
                     "echo no answer >&2; false", status=1)
    assert "without lazy imports too" in done.err
    assert "no answer" in done.err


# --- what cannot be done ------------------------------------------------------

@pytest.mark.parametrize("app, says", [
    ("raise ValueError('as it is')\n", "ValueError: as it is"),
    ("import sys\nsys.exit(3)\n", "ended with status 3"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
     "ended by signal 9"),
])
def test_fails_eagerly_too(lab, app, says):
    lab.write("app.py", app)
    done = lab.lazyd("--check-levels", "-o", "levels", "--app", "app.py",
                     status=1)
    assert "without lazy imports too 'app.py' fails" in done.err
    assert says in done.err
    assert [path.name for path in lab.folder.glob("levels*")] == []


def test_service_without_a_probe(lab):
    app = write(lab, "import signal\nwhile True:\n    signal.pause()\n")
    done = lab.lazyd("--check-levels", "--app", app, "--run-timeout", "0.5",
                     status=1)
    assert "a service needs --probe" in done.err


def test_no_level_helps(lab):
    """It asks whether imports are lazy at all."""
    app = write(lab, """
        import builtins
        import fine
        print(builtins.__import__.__name__, "lazy" in repr(__import__),
              fine.f(), type(builtins.globals.__self__).__name__)
        import sys
        print("LazyFinder" in [type(f).__name__ for f in sys.meta_path])
        """, FINE)
    done = lab.lazyd("--check-levels", "--app", app, status=1)
    assert "no level helps" in done.err
    assert done.out == ""


def test_end_without_order(lab):
    app = write(lab, """
        import fine, os
        print(fine.f(), flush=True)
        os._exit(0)
        """, FINE)
    done = lab.lazyd("--check-levels", "--app", app, status=1)
    assert "not known" in done.err


def test_file_that_cannot_be_written(lab):
    """Told before any run."""
    app = write(lab, "print(1)\n")
    done = lab.lazyd("--check-levels", "-o", "no/levels", "--app", app,
                     status=1)
    assert "no/levels" in done.err and "run" not in done.err


@pytest.mark.parametrize("words", [
    ["--probe", "true"], ["-o", "levels"], ["--run-timeout", "5"],
    ["--check-levels", "--ready-after", "1"],
    ["--check-levels", "--run-timeout", "soon"],
    ["--check-levels", "--check"], ["--check-levels", "--lazy=off"]])
def test_wrong_options(lab, words):
    app = write(lab, "print(1)\n")
    done = lab.lazyd(*words, "--app", app, status=2)
    assert done.out == "" and done.err.startswith("lazyd: ")


def test_app_that_does_not_exist(lab):
    done = lab.lazyd("--check-levels", "--app", "none.py", status=1)
    assert "none.py" in done.err
