"""The thread that looks for hot namespaces: it comes and goes with install()
and uninstall(), and is in nobody's way."""
import os

import pytest

HOT = """\
    import {0}
    LIMIT = 3
    def loop(count):
        total = 0
        for _ in range(count):
            total += LIMIT
        return total
    def never():
        return {0}
    """
# Ends by the test's deadline where nothing is ever loaded.
SETTLE = """\
    import lazycore, os, sys
    def settle(module):
        while lazycore.pending(module):
            module.loop(10000)
    def threads():
        return len(os.listdir("/proc/self/task"))
    """


def hot(**modules):
    files = {f"{name}.py": HOT.format(pending)
             for name, pending in modules.items()}
    return {"settling_main.py": SETTLE, **files}


def test_settles_by_itself(lazily):
    run = lazily(hot(hot="difflib"), """\
        import hot
        from settling_main import settle
        def main():
            settle(hot)
            import threading
            print(threading.active_count())
        main()
        """)
    assert run.out == "1\n"
    assert run.state("difflib") == "real"
    assert run.show("difflib")["trigger_function"] == "(hot)"


def test_comes_and_goes(lazily):
    run = lazily(hot(hot="difflib"), """\
        import lazycore
        from settling_main import threads
        def main():
            seen = [threads()]
            for settle in (True, False, False, True, True):
                lazycore.install(settle=settle)
                seen.append(threads())
            lazycore.uninstall()
            seen.append(threads())
            lazycore.install()
            seen.append(threads())
            print(seen)
        main()
        """)
    assert run.out == "[2, 2, 1, 1, 2, 2, 1, 2]\n"


def test_not_asked_for(lab, lazily):
    lab.settle = "off"
    run = lazily(hot(hot="difflib"), """\
        import hot, lazycore, time
        from settling_main import threads
        def main():
            end = time.process_time() + 1
            while time.process_time() < end:
                hot.loop(10000)
            print(threads(), lazycore.pending(hot))
        main()
        """)
    assert run.out == "1 ['difflib']\n"


@pytest.mark.parametrize("arguments", ["True", "settle=None, more=1"])
def test_bad_arguments(lazily, arguments):
    run = lazily({}, f"""\
        import lazycore
        try:
            lazycore.install({arguments})
        except TypeError as error:
            print(error)
        """)
    assert "install() " in run.out


# The thread that looks may be in it just then.
needs_locks_over_a_fork = pytest.mark.skipif(
    "LD_PRELOAD" in os.environ, reason="a sanitizer's allocator holds none of "
                                       "its locks over a fork")


def test_forked_child_has_its_own(lazily):
    """Once it has worked, and loads a module."""
    run = lazily(hot(hot="difflib", more="tarfile"), """\
        import hot, os, sys
        from settling_main import settle, threads
        def main():
            settle(hot)
            if os.fork() == 0:
                before = threads()
                hot.loop(10**7)
                import more
                settle(more)
                print(before, threads(), flush=True)
                os._exit(7)
            print(os.WEXITSTATUS(os.wait()[1]), threads())
        main()
        """)
    assert run.out == "1 2\n7 2\n"


def test_child_that_wants_to_be_alone(lazily):
    """The kernel lets in a process of one thread only."""
    run = lazily(hot(hot="difflib"), """\
        import ctypes, hot, os, subprocess, sys
        from settling_main import settle, threads
        CLONE_NEWUSER = 0x10000000
        def part():
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(CLONE_NEWUSER) < 0:
                os.write(1, f"{ctypes.get_errno()}\\n".encode())
        def main():
            settle(hot)
            subprocess.run(["true"], preexec_fn=part, check=True)
            print("done")
        main()
        """)
    assert run.out in ("done\n", "1\ndone\n"), "1: not allowed"


def test_unknown_to_python_until_it_loads(lazily):
    run = lazily({**hot(hot="loud"), "loud.py": "print('loud')\n"}, """\
        import hot, sys, time
        def main():
            seen = []
            end = time.process_time() + 1
            while time.process_time() < end:
                hot.loop(10000)
                seen.append(len(sys._current_exceptions()))
                time.sleep(0.001) # for a look that waits for its moment
            print(min(seen[-100:]))
        main()
        """)
    assert run.out == "1\n"


def test_forked_child_that_loads_nothing(lazily):
    """But imports what is there, as functions do."""
    run = lazily(hot(hot="difflib"), """\
        import hot, lazycore, os
        from settling_main import threads
        def main():
            if os.fork() == 0:
                print(threads(), flush=True)
                while lazycore.pending(hot):
                    import sys
                    hot.loop(10000)
                print(threads(), flush=True)
                os._exit(7)
            print(os.WEXITSTATUS(os.wait()[1]), lazycore.pending(hot))
        main()
        """)
    assert run.out == "1\n2\n7 ['difflib']\n"


@needs_locks_over_a_fork
def test_grandchild(lazily):
    """As a daemon is, which has not worked before it forks again."""
    run = lazily(hot(hot="difflib"), """\
        import hot, lazycore, os
        from settling_main import threads
        def work():
            while lazycore.pending(hot):
                import sys
                hot.loop(10000)
            print("settled", flush=True)
            os._exit(0)
        def main():
            if os.fork() == 0:
                if os.fork() == 0:
                    work()
                os.wait()
                os._exit(threads() - 1)
            print(os.wait()[1], lazycore.pending(hot))
        main()
        """)
    assert run.out == "settled\n0 ['difflib']\n"


ORPHAN = """\
    import os, threading, time
    def work():
        pid = os.fork()
        if pid == 0:
            end = time.process_time() + 0.4
            while time.process_time() < end:
                import json
            return
        print("ended:", os.waitpid(pid, 0)[1])
    def main():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    main()
    """


def test_child_of_a_thread_ends(lazily):
    """With the last of its threads, which is Python's, not ours."""
    assert lazily({}, ORPHAN).out == "ended: 0\n"


def test_fork_meets_one_thread_alone(lab, lazily):
    """CPython from 3.12 on warns of a fork where there are more."""
    run = lazily(hot(hot="difflib"), """\
        import hot, os
        from settling_main import settle
        def main():
            settle(hot)
            for _ in range(20):
                if os.fork() == 0:
                    os._exit(0)
                os.wait()
            print("done")
        main()
        """, options=["-W", "error"])
    assert run.out == "done\n"
    assert "Warning" not in run.err


@needs_locks_over_a_fork
def test_forks_while_it_works(lazily):
    """Of many threads, and with much that is hot. Not without end: from 3.12
    on each fork ends the thread that looks, which then comes by late."""
    names = ("difflib", "tarfile", "decimal", "csv", "statistics", "plistlib")
    run = lazily(hot(**{f"hot{i}": name for i, name in enumerate(names)}), """\
        import _thread, importlib, lazycore, os, sys
        from settling_main import settle
        def work(module, done):
            settle(module)
            done.release()
        def main():
            done = []
            for i in range(6):
                module = importlib.import_module(f"hot{i}")
                done.append(_thread.allocate_lock())
                done[-1].acquire()
                _thread.start_new_thread(work, (module, done[-1]))
            status = forks = 0
            while forks < 50 and any(lock.locked() for lock in done):
                pid = os.fork()
                if pid == 0:
                    import hot5
                    hot5.loop(1000)
                    sys.exit(0)
                status |= os.waitpid(pid, 0)[1]
                forks += 1
            for lock in done:
                lock.acquire()
            print(status)
        main()
        """)
    assert run.out == "0\n"


def test_threads_fork_side_by_side(lazily):
    """One waits for the thread to end while another has forked: what is hot
    is found afterwards, in both processes."""
    run = lazily(hot(hot="difflib", more="tarfile"), """\
        import hot, more, os, threading, time
        from settling_main import settle, threads
        def work(end):
            while time.process_time() < end:
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.wait()
        def main():
            end = time.process_time() + 0.5
            working = [threading.Thread(target=work, args=(end,))
                       for _ in range(3)]
            for thread in working:
                thread.start()
            for thread in working:
                thread.join()
            settle(hot)
            if os.fork() == 0:
                hot.loop(10**7)
                import csv
                settle(more)
                os._exit(7)
            print(os.WEXITSTATUS(os.wait()[1]))
        main()
        """)
    assert run.out == "7\n"


def test_end_does_not_wait_for_what_is_read(lazily):
    """Bodies are read for long where a package is large."""
    names = [f"part{i}" for i in range(400)]
    files = hot(hot="large")
    files.update({f"large/{name}.py": "VALUE = 1\n" for name in names})
    files["large/__init__.py"] = f"from large import {', '.join(names)}\n"
    files["large/part399.py"] = "print('effect')\n"
    run = lazily(files, """\
        import _thread, hot, lazycore, sys
        sys.setswitchinterval(1e-4)
        own = _thread.get_ident()
        reads = []
        def audit(event, args):
            if event == "open" and _thread.get_ident() != own:
                reads.append(args[0])
        def main():
            sys.addaudithook(audit)
            while not any("large" in str(path) for path in reads):
                hot.loop(1000)
            lazycore.uninstall()
            print(len(reads) < 300, lazycore.pending(hot))
        main()
        """)
    assert run.out == "True ['large']\n"


def test_walk_begins_while_it_loads(lazily):
    """Then sys.modules grows no more until it is over. What is loaded waits
    in its first body, whose imports are still to come, for the walk to begin.
    """
    run = lazily(hot(hot="tarfile, plistlib"), """\
        import _thread, hot, lazycore, sys, time
        own = _thread.get_ident()
        walks = []
        def audit(event, args):
            if event == "exec" and _thread.get_ident() != own and not walks:
                walks.append("asked for")
                while len(walks) == 1:
                    time.sleep(0.001)
        def walk():
            names = iter(sys.modules)
            next(names)
            walks.append("begun")
            end = time.perf_counter() + 0.03
            for _ in names:
                while time.perf_counter() < end:
                    hot.loop(100)
            walks.append("done")
        def main():
            sys.addaudithook(audit)
            while lazycore.pending(hot):
                hot.loop(20000)
                if walks == ["asked for"]:
                    walk()
            print(walks)
        main()
        """)
    assert run.out == "['asked for', 'begun', 'done']\n"


@pytest.mark.parametrize("follow", ["settrace", "setprofile"])
def test_nothing_is_loaded_unseen(lazily, follow):
    """By a debugger, a coverage or a profile, which see their own thread."""
    run = lazily(hot(hot="difflib"), f"""\
        import hot, lazycore, sys, time
        from settling_main import settle
        def main():
            sys.{follow}(lambda *_: None)
            end = time.process_time() + 0.6
            while time.process_time() < end:
                hot.loop(10000)
            print(lazycore.pending(hot))
            sys.{follow}(None)
            settle(hot)
        main()
        """)
    assert run.out == "['difflib']\n"


@pytest.mark.parametrize("how", [
    "pass", "sys.exit()", "lazycore.uninstall()", "atexit._clear()",
    "os.execv('/bin/true', ['true'])",
    "_thread.start_new_thread(hot.loop, (10**9,))",
    "_thread.start_new_thread(lazycore.uninstall, ())"])
def test_ends_at_any_moment(lab, how):
    """While it looks, or loads."""
    lab.write(hot(hot="difflib, tarfile, decimal"))
    lab.write({"main.py": f"""\
        import _thread, atexit, os, sys, time
        import hot, lazycore
        sys.setswitchinterval(1e-5)
        def main():
            end = time.process_time() + float(sys.argv[1])
            while time.process_time() < end:
                hot.loop(1000)
            {how}
        main()
        """})
    for part in range(5):
        run = lab.run("lazy", args=[str(0.2 + part * 0.026)])
        assert (run.status, run.err) == (0, "")
