"""A service finds what it would find under python3: each program is run by
both, and standard output, standard error and status are the same."""
import json
import os
import signal
import subprocess
import zipfile

import pytest

from conftest import LAZYD, PYTHON


def same(lab, target, *arguments, options=(), how=None, main=(), **run):
    """Run TARGET under python3 and lazyd; the one answer of both."""
    plain = lab.python(*options, *main, target, *arguments, status=None, **run)
    lazy = lab.foreground(*options, "--app", how or target, "--", *arguments,
                          status=None, **run)
    assert (lazy.status, lazy.out) == (plain.status, plain.out), lazy
    assert lazy.err == plain.err
    return plain


ABOUT = """
import sys, os
def show():
    main = sys.modules["__main__"]
    print(__name__, __file__, __doc__, __package__)
    print(type(__loader__).__name__, __spec__ and __spec__.name)
    print(sorted(name for name in vars(main) if name.startswith("__")))
    print(sys.argv, sys.path[0], sys.path[1:], sys.flags)
    print(sys.executable, sys.prefix, sys.exec_prefix, sys.warnoptions)
    print(sys.version, sys._xoptions, sys.dont_write_bytecode)
    print(sys.stdin.encoding, sys.stdout.encoding, sys.stdout.errors,
          sys.stdout.line_buffering, sys.stderr.errors)
    print(sys.getfilesystemencoding(), sys.getrecursionlimit(),
          sys.getswitchinterval())
    print(os.getcwd(), main is not None, __builtins__ is not None)
show()
"""


@pytest.fixture
def about(lab):
    return lab.write("about.py", '"""doc"""' + ABOUT)


def test_script(lab, about):
    done = same(lab, about, "one", "-v", "--app", "two words", "")
    assert "'two words', ''" in done.out


def test_argv_in_memory(lab):
    """setproctitle() looks there for what Py_GetArgcArgv() tells."""
    program = lab.write("words.py", """\
        import ctypes
        import sys
        count = ctypes.c_int()
        words = ctypes.POINTER(ctypes.c_wchar_p)()
        ctypes.pythonapi.Py_GetArgcArgv(ctypes.byref(count),
                                        ctypes.byref(words))
        told = [words[i] for i in range(count.value)]
        with open("/proc/self/cmdline", encoding="utf-8") as file:
            print(told == file.read().split("\\0")[:-1])
        print(sys.orig_argv)
        """)
    done = same(lab, program, "one", "-v", "ä", "two words")
    assert done.out.startswith("True\n")


def test_script_by_a_relative_path(lab, about):
    same(lab, "about.py", "x")
    lab.write("sub/about.py", ABOUT)
    same(lab, "sub/about.py", "x")


def test_folder(lab):
    lab.write("app/__main__.py", ABOUT)
    same(lab, lab.folder / "app", "x")


def test_zip(lab):
    with zipfile.ZipFile(lab.folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", ABOUT)
    same(lab, "app.zip", "x")


def test_module(lab):
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/about.py", ABOUT)
    same(lab, "pkg.about", "x", main=["-m"], how="pkg.about")


def test_package(lab):
    # Not where a folder of that name is: that would be TARGET.
    lab.write("lib/pkg/__init__.py", "")
    lab.write("lib/pkg/__main__.py", ABOUT)
    same(lab, "pkg", "x", main=["-m"], env={"PYTHONPATH": "lib"})


@pytest.mark.parametrize("options", [
    ["-X", "utf8=0"], ["-X", "dev"], ["-W", "error"],
    ["-X", "frozen_modules=off", "-X", "mine=1"],
])
def test_options_of_python(lab, about, options):
    same(lab, about, options=options)


@pytest.mark.parametrize("variables", [
    {"PYTHONPATH": "/tmp/one:/tmp/two"}, {"PYTHONUNBUFFERED": "1"},
    {"PYTHONDONTWRITEBYTECODE": "1"}, {"PYTHONWARNINGS": "ignore"},
    {"PYTHONUTF8": "1"}, {"LC_ALL": "C"}, {"PYTHONNOUSERSITE": "1"},
    {"PYTHONSAFEPATH": "1"}, {"PYTHONOPTIMIZE": "1"},
    {"PYTHONHASHSEED": "0"}, {"PYTHONIOENCODING": "latin-1"},
])
def test_environment_of_python(lab, about, variables):
    same(lab, about, env=variables)


def test_virtual_environment(lab):
    lab.python("-m", "venv", "--without-pip", "venv")
    packages, = lab.folder.glob("venv/lib/python3.*/site-packages")
    (packages / "inside.py").write_text("X = 1\n")
    app = lab.write("app.py", "import sys, inside\n"
                              "print(sys.executable, sys.prefix, inside.X)\n")
    plain = lab.run(lab.folder / "venv/bin/python3", app)
    lazy = lab.foreground("--venv", lab.folder / "venv", "--app", app)
    assert lazy.out == plain.out


# --- the end ----------------------------------------------------------------

@pytest.mark.parametrize("text, status", [
    ("", 0),
    ("import sys\nsys.exit()", 0),
    ("import sys\nsys.exit(3)", 3),
    ("import sys\nsys.exit(257)", 1),
    ("import sys\nsys.exit(-1)", 255),
    ("import sys\nsys.exit('a reason')", 1),
    ("raise SystemExit(4)", 4),
    ("raise ValueError('no')", 1),
    ("import os\nos._exit(5)", 5),
    ("import json\njson.loads('{')", 1),
    ("def f(:", 1),
    ("import no_such_thing", 1),
    ("import os\nos.kill(os.getpid(), 15)", -15),
    ("import os\nos.kill(os.getpid(), 9)", -9),
    ("import os\nos.abort()", -6),
    ("raise KeyboardInterrupt", -2),
    ("import threading\nt = threading.Thread(target=lambda: 1/0)\n"
     "t.start()\nt.join()\nprint('went on')", 0),
    ("import atexit\natexit.register(print, 'last')\n1/0", 1),
])
def test_exit_status(lab, text, status):
    app = lab.write("app.py", text + "\n")
    plain = lab.python(app, status=None)
    lazy = lab.foreground("--app", app, status=None)
    assert plain.status == status
    if status == -15:
        # SIGTERM is lazyd's to handle: the service ends in good order.
        assert lazy.status in (0, -15, 143)
        return
    assert (lazy.status, lazy.out) == (plain.status, plain.out), lazy
    last = [text.strip().splitlines()[-1:] for text in (plain.err, lazy.err)]
    assert last[0] == last[1]


def test_traceback_is_the_same(lab):
    app = lab.write("app.py", """
        import json

        def parse(text):
            return json.loads(text)

        parse("{")
        """)
    done = same(lab, app)
    assert "JSONDecodeError" in done.err


def test_main_returns_and_threads_go_on(lab):
    app = lab.write("app.py", """
        import threading, time
        ready = threading.Event()
        def work():
            ready.wait()
            print("thread done")
        threading.Thread(target=work).start()
        threading.Thread(target=time.sleep, args=[600], daemon=True).start()
        print("main done")
        ready.set()
        """)
    assert same(lab, app).out == "main done\nthread done\n"


def test_stdin(lab):
    app = lab.write("app.py", "import sys\nprint(sys.stdin.read().upper())\n")
    for command in ([PYTHON, app],
                    [LAZYD, "-F", "--no-socket", "--app", app]):
        done = subprocess.run(command, input="words", text=True,
                              stdout=subprocess.PIPE, env=lab.environment)
        assert done.stdout == "WORDS\n"


def test_broken_pipe(lab):
    app = lab.write("app.py", "for n in range(100000): print(n)\n")
    statuses = []
    for command in ([PYTHON, app],
                    [LAZYD, "-F", "--no-socket", "--app", app]):
        process = lab.popen(*command, stderr=subprocess.DEVNULL)
        process.stdout.close()
        statuses.append(process.wait(30))
        process.stdout = None
    assert statuses[0] == statuses[1]


def test_fork_and_exit_statuses(lab):
    app = lab.write("app.py", """
        import os, sys
        import json, csv
        for status in (0, 3):
            pid = os.fork()
            if pid == 0:
                csv.reader([])
                sys.exit(status)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
                  flush=True)
        print(json.dumps([1]))
        """)
    # From 3.12 on fork warns where other threads run, as lazyd's do.
    ignored = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
    assert same(lab, app, env=ignored).out == "0\n3\n[1]\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(lab, method):
    app = lab.write("app.py", f"""
        import json
        import multiprocessing
        import statistics

        def work(numbers):
            return statistics.fmean(numbers)

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            with context.Pool(2) as pool:
                print(json.dumps(pool.map(work, [[1, 2], [3, 4, 5]])))
        """)
    assert same(lab, app).out == "[1.5, 4.0]\n"


def test_process_pool(lab):
    app = lab.write("app.py", """
        import concurrent.futures

        def square(n):
            return n * n

        if __name__ == "__main__":
            with concurrent.futures.ProcessPoolExecutor(2) as pool:
                print(list(pool.map(square, range(5))))
        """)
    assert same(lab, app).out == "[0, 1, 4, 9, 16]\n"


def test_subprocess_of_sys_executable(lab):
    app = lab.write("app.py", """
        import subprocess, sys
        print(subprocess.check_output(
            [sys.executable, "-c", "import sys; print(sys.argv)"], text=True))
        """)
    assert same(lab, app).out == "['-c']\n\n"


def test_inspect_and_pickle_of_main(lab):
    app = lab.write("app.py", """
        import inspect, pickle, collections

        class Thing:
            def method(self):
                return collections.OrderedDict(a=1)

        copy = pickle.loads(pickle.dumps(Thing()))
        print(type(copy) is Thing, copy.method())
        print(inspect.getsource(Thing.method))
        print([frame.function for frame in inspect.stack()])
        """)
    same(lab, app)


def test_warnings_point_at_the_same_line(lab):
    app = lab.write("app.py", """
        import warnings
        def old():
            warnings.warn("old", DeprecationWarning, stacklevel=2)
        old()
        import asyncio
        warnings.warn("here")
        """)
    done = same(lab, app)
    assert "app.py:5: DeprecationWarning" in done.err


# --- signals ----------------------------------------------------------------

# Not signal.pause(): a signal just before it would wait for the next one.
WAITS = """
import lazycore, select
try:
    print("up", flush=True)
    lazycore.ready()
    while True:
        select.select([], [], [], 0.5)
finally:
    print("finally", flush=True)
"""


def handles(lab, number, install=""):
    """The program waits; give it the signal, and what came of it."""
    app = lab.write("app.py", "import atexit, signal\n"
                    "atexit.register(print, 'atexit')\n" + install + WAITS)
    process = lab.start(app)
    process.signal(number)
    assert process.ended()
    return [line for line in lab.logged("atexit").splitlines()
            if line != "up" and "lazyd[" not in line]


def test_sigterm_is_a_clean_end(lab):
    assert handles(lab, signal.SIGTERM) == ["finally", "atexit"]
    assert not lab.socket.exists() and not lab.pidfile.exists()


def test_sigint_in_the_foreground(lab):
    app = lab.write("app.py", "import signal\n" + WAITS)
    process = lab.popen(LAZYD, "-F", "--no-socket", "--app", app,
                        stderr=subprocess.PIPE)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out == "finally\n" and "KeyboardInterrupt" in err
    assert process.returncode == -signal.SIGINT


def test_own_sigterm_handler_runs(lab):
    lines = handles(lab, signal.SIGTERM, """
def leave(number, frame):
    print("handler", number, flush=True)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, leave)
""")
    assert lines == ["handler 15", "finally", "atexit"]


def test_own_sigterm_handler_runs_at_lazyctl_stop(lab):
    app = lab.write("app.py", """
import atexit, signal
def leave(number, frame):
    print("handler", number, flush=True)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, leave)
""" + WAITS)
    process = lab.start(app)
    lab.ctl("stop")
    assert process.ended(0)
    assert lab.logged("handler 15", "finally")


def test_getsignal_is_what_python_has(lab):
    same(lab, lab.write("app.py", """
        import signal
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                       signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1):
            print(number, signal.getsignal(number))
        """))


def test_sighup_reopens_the_log(lab):
    app = lab.write("app.py", """
        import lazycore, os, signal, sys
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        print("before", flush=True)
        lazycore.ready()
        signal.sigwait([signal.SIGUSR1])
        print("after", flush=True)
        while True:
            signal.pause()
        """)
    process = lab.start(app)
    lab.log.rename(lab.folder / "log.1")
    process.signal(signal.SIGHUP)
    with lab.connection() as wire:
        # The signal is taken before what comes after it.
        while not lab.log.exists():
            assert wire.ask("ping")["result"]["pong"] is True
    process.signal(signal.SIGUSR1)
    assert lab.logged("after")
    assert "before" in (lab.folder / "log.1").read_text()


def test_own_sighup_handler_runs(lab):
    lines = handles(lab, signal.SIGHUP, """
def leave(number, frame):
    raise SystemExit(0)
signal.signal(signal.SIGHUP, leave)
""")
    assert lines == ["finally", "atexit"]


def test_sigkill_leaves_a_name_that_can_be_had_again(lab):
    process = lab.serve("")
    process.signal(signal.SIGKILL)
    assert process.ended()
    again = lab.start(lab.folder / "app.py")
    assert lab.ask("ping")["pid"] == again.pid


# --- fork and the socket --------------------------------------------------

FORKS = """
import csv, json, lazycore, os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
lazycore.ready()
signal.sigwait([signal.SIGUSR1])
pid = os.fork()
if pid == 0:
    names = [os.readlink("/proc/self/fd/" + fd)
             for fd in os.listdir("/proc/self/fd")
             if os.path.exists("/proc/self/fd/" + fd)]
    with open("child.new", "w") as out:
        json.dump({"csv": csv.list_dialects(), "fds": names,
                   "threads": len(os.listdir("/proc/self/task"))}, out)
    os.rename("child.new", "child")
    signal.sigwait([signal.SIGUSR1])
    os._exit(0)
with open("pid.new", "w") as out:
    out.write(str(pid))
os.rename("pid.new", "child.pid")
while True:
    signal.pause()
"""


def test_child_of_a_fork(lab):
    """It imports lazily on, and leaves the parent's socket alone."""
    process = lab.start(lab.write("app.py", FORKS))
    before = os.stat(lab.socket)
    process.signal(signal.SIGUSR1)
    lab.await_file("child.pid")
    child = lab.watch(int((lab.folder / "child.pid").read_text()))
    lab.await_file("child")

    told = json.loads((lab.folder / "child").read_text())
    assert told["csv"] == ["excel", "excel-tab", "unix"]
    assert told["threads"] == 1
    assert lab.ask("ping")["pid"] == process.pid
    assert lab.ask("show", "csv")["state"] == "proxy", "the parent's is not"
    child.signal(signal.SIGTERM)
    assert child.ended()
    assert os.stat(lab.socket).st_ino == before.st_ino
    assert lab.ask("ping")["pid"] == process.pid


def test_child_does_not_keep_the_socket_open(lab):
    process = lab.start(lab.write("app.py", FORKS))
    process.signal(signal.SIGUSR1)
    lab.await_file("child.pid")
    child = lab.watch(int((lab.folder / "child.pid").read_text()))
    lab.await_file("child")
    lab.ctl("stop")
    assert process.ended(0) and not child.ended(0)
    # The name is free although the child lives.
    again = lab.start(lab.folder / "app.py")
    assert lab.ask("ping")["pid"] == again.pid
    # Both wait in sigwait(), which SIGTERM does not end.
    child.signal(signal.SIGKILL)
    again.signal(signal.SIGKILL)
