"""How a service ends: by a crash, os._exit(), a signal, an exception, the end
of its main thread.

Each as under python3; the log says what happened, and what is left behind is
in nobody's way.
"""
import os
import re
import signal

from faulty import GONE, Faulty, foreground, same

# Linux says how a process has ended to others than its parent.
ENDINGS_ARE_TOLD = tuple(map(int, re.findall(
    r"\d+", os.uname().release)[:2])) >= (6, 15)

CRASH = "import ctypes\nctypes.string_at(0)\n"


def test_crash_in_c(lab):
    assert foreground(lab, CRASH).status == -signal.SIGSEGV
    assert foreground(lab, "import os\nos.abort()\n").status == -signal.SIGABRT
    text = Faulty(lab, "print('last words', flush=True)\n" + CRASH).crash()
    assert (text.index("last words") < text.index("ended by SIGSEGV")
            < text.index(GONE))


def test_os_exit(lab):
    assert foreground(lab, "import os\nos._exit(7)\n").status == 7
    text = Faulty(lab, "print('last words', flush=True)\n"
                       "import os\nos._exit(7)\n").crash()
    assert (text.index("last words")
            < text.index("ended by _exit(7), in the main thread")
            < text.index(GONE))


def test_os_exit_in_threads_and_children(lab):
    """The thread is named; a child's end is its own."""
    text = Faulty(lab, """
        import ctypes, os, subprocess, threading
        for end in (lambda: os._exit(3), lambda: ctypes.CDLL(None)._Exit(3)):
            pid = os.fork()
            if pid == 0:
                end()
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        assert subprocess.run(["true"]).returncode == 0
        try:
            subprocess.run(["/nowhere/at/all"])
        except FileNotFoundError:
            print("children are done", flush=True)
        threading.Thread(target=os._exit, args=(8,)).start()
        threading.Event().wait()
        """).crash()
    assert "children are done" in text
    assert text.count("ended by _exit(") == 1
    assert "ended by _exit(8), in another thread" in text


def test_killed(lab):
    text = Faulty(lab, "import os, signal\n"
                  "os.kill(os.getpid(), signal.SIGKILL)\n").crash()
    assert GONE + (", by SIGKILL (Killed)\n" if ENDINGS_ARE_TOLD else
                   ": by a signal, a crash or os._exit()\n") in text


def test_unhandled_exception(lab):
    assert same(lab, "raise ValueError('of the service')\n").status == 1
    Faulty(lab, "raise ValueError('of the service')\n").leave(
        "ValueError: of the service")


def test_endless_recursion(lab):
    text = "def f():\n    return f()\nf()\n"
    assert same(lab, text).status == 1
    Faulty(lab, text).leave("RecursionError: maximum recursion depth")


HUNGRY = """
    import resource
    size = int(open("/proc/self/statm").read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (size + (64 << 20), -1))
    """


def test_memory_error(lab):
    """Who catches it goes on, and can be asked."""
    service = Faulty(lab, HUNGRY + """
    try:
        bytearray(1 << 30)
    except MemoryError:
        print("caught", flush=True)
    import threading
    threading.Event().wait()
    """)
    service.go()
    lab.logged("caught")
    assert lab.ask("stats")["modules"]["reals"] >= 0
    service.stop()


def test_unhandled_memory_error(lab):
    Faulty(lab, HUNGRY + """
    bytearray(1 << 30)
    """).leave("MemoryError")


def test_sys_exit_in_a_thread(lab):
    """It ends the thread, and neither service nor lazyd."""
    service = Faulty(lab, """
    import sys, threading
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    print("thread gone", flush=True)
    threading.Event().wait()
    """)
    service.go()
    lab.logged("thread gone")
    assert lab.ask("ping")["pid"] == service.process.pid
    service.stop()


def test_daemon_threads_at_the_end(lab):
    done = same(lab, """
        import threading
        def busy():
            while True:
                sum(range(1000))
        for _ in range(4):
            threading.Thread(target=busy, daemon=True).start()
        print("end")
        """)
    assert (done.status, done.out) == (0, "end\n")
    Faulty(lab, """
        import threading
        def busy():
            while True:
                sum(range(1000))
        for _ in range(4):
            threading.Thread(target=busy, daemon=True).start()
        print("end", flush=True)
        """).leave("end")
