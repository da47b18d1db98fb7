"""What a log says of a service that a signal ended, and its exit status."""
import ctypes
import os
import pathlib
import re
import signal

import pytest

from conftest import LAZYD

NULL = "import ctypes\nctypes.string_at(0)\n"
ENDS = {
    "read of nothing": (NULL, "SIGSEGV (Segmentation fault) at address 0, "
                              "in the main thread"),
    "abort": ("import os\nos.abort()\n",
              "SIGABRT (Aborted), in the main thread"),
    "stack used up": ("""
import sys
sys.setrecursionlimit(10 ** 9)
def deep(_):
    return sorted([1], key=deep)
deep(1)
""", "SIGSEGV (Segmentation fault) at address 0x"),
    "in a thread": ("""
import ctypes, threading
thread = threading.Thread(target=ctypes.string_at, args=(8,))
thread.start()
thread.join()
""", "SIGSEGV (Segmentation fault) at address 0x8, in another thread"),
    "sent by another": ("""
import os, signal, subprocess
subprocess.run(["kill", "-QUIT", str(os.getpid())])
signal.pause()
""", f"SIGQUIT (Quit) from pid [0-9]+ uid {os.getuid()}, in the main thread"),
    "a timer": ("""
import signal
signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.pause()
""", "SIGALRM (Alarm clock), in the main thread"),
    "without stderr": ("import os\nos.close(2)\nos.closerange(3, 4096)\n"
                       + NULL, "SIGSEGV (Segmentation fault) at address 0"),
    "a breakpoint": ("""
import ctypes, mmap, platform
code = {"x86_64": "ccc3", "aarch64": "000020d4c0035fd6"}
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE
                 | mmap.PROT_EXEC)
page.write(bytes.fromhex(code[platform.machine()]))
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
""", "SIGTRAP (Trace/breakpoint trap) at address 0"),
    "faulthandler": ("import faulthandler\nfaulthandler.enable()\n" + NULL,
                     "SIGSEGV (Segmentation fault), in the main thread"),
}


@pytest.mark.parametrize("name", ENDS)
def test_log_names_the_signal(lab, name):
    text, line = ENDS[name]
    number = getattr(signal, line.split()[0])
    app = lab.write("app.py", text)
    log = lab.folder / "log"
    assert lab.python(app, status=None).status == -number
    done = lab.foreground("-l", log, "--app", app, status=None)
    assert done.status == -number, done
    pattern = re.escape(line).replace(re.escape("[0-9]+"), "[0-9]+")
    lines = [l for l in log.read_text().splitlines() if "ended by" in l]
    assert len(lines) == 1 and re.search(
        r"^\d{4}-\S+Z lazyd\[\d+\]: ended by " + pattern, lines[0]), lines
    # Without a log who started it sees the signal, and nothing else.
    done = lab.foreground("--app", app, status=None)
    assert done.status == -number and "ended by" not in done.err, done


def test_children_die_for_themselves(lab):
    """Theirs is no line in lazyd's log."""
    done = lab.foreground("-l", lab.log, "--app", lab.write("app.py", """
        import ctypes, os, signal, subprocess, sys
        if (pid := os.fork()) == 0:
            ctypes.string_at(0)
        print(os.waitpid(pid, 0)[1])
        print(subprocess.run([sys.executable, "-c", "import os; os.abort()"],
                             stderr=subprocess.DEVNULL).returncode)
        """))
    assert done.out.split() == [str(int(signal.SIGSEGV)),
                                str(-signal.SIGABRT)]
    assert "ended by" not in lab.log.read_text() + done.err


def test_handlers_look_as_under_python(lab):
    app = lab.write("app.py", """
        import signal, sys
        print([signal.getsignal(number) for number in signal.valid_signals()
               if number < signal.SIGRTMIN])
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("mine"))
        signal.raise_signal(signal.SIGUSR1)
        print(seen)
        """)
    plain = lab.python(app)
    assert plain.out == lab.foreground("-l", lab.log, "--app", app).out
    # What is ignored stays ignored.
    words = ["sh", "-c", 'trap "" QUIT USR2; exec "$@"', "sh"]
    app = lab.write("app.py", """
        import os, signal
        os.kill(os.getpid(), signal.SIGQUIT)
        os.kill(os.getpid(), signal.SIGUSR2)
        print("here")
        """)
    assert lab.run(*words, LAZYD, "-F", "--no-socket", "-l", lab.log, "--app",
                   app).out == "here\n"


def test_killed_by_signal_in_the_background(lab):
    process = lab.serve("")
    process.signal(signal.SIGXCPU)
    assert process.ended()
    text = lab.logged("ended by SIGXCPU", "ended out of order")
    assert re.search(rf"lazyd\[{process.pid}\]: ended by SIGXCPU .* from pid "
                     rf"{os.getpid()} uid {os.getuid()}", text), text


def test_crash_of_a_thread_of_lazyd(lab):
    """Which writes for itself, whatever it had locked."""
    process = lab.serve("")
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    threads = {(task / "comm").read_text().strip(): int(task.name)
               for task in tasks.iterdir()}
    for name in ("lazyd-control", "lazyd-bell"):
        assert name in threads
    libc = ctypes.CDLL(None)
    assert libc.tgkill(process.pid, threads["lazyd-control"],
                       signal.SIGSEGV) == 0
    assert process.ended()
    lab.logged("lazyd: ended by SIGSEGV\n", "ended out of order")


def test_crash_after_the_end(lab):
    """In what a library does at exit, when nobody of lazyd's is there."""
    app = lab.write("app.py", """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.__cxa_atexit(libc.abort, None, None)
        """)
    assert lab.python(app, status=None).status == -signal.SIGABRT
    done = lab.foreground("-l", lab.log, "--app", app, status=None)
    assert done.status == -signal.SIGABRT, done
    assert done.err == "lazyd: ended by SIGABRT\n"
