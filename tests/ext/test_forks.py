"""Forks: with names pending, and with loads in flight on other threads."""
import pytest

from gathering import GATHER, PRELUDE, SLOW


@pytest.mark.parametrize("where", ["parent", "child", "both"])
def test_fork_with_names_pending(both, where):
    """Trap fork: the child goes on importing lazily."""
    run = both({"dep.py": "import os\nvalue = 1\n",
                "user.py": "import dep\ndef f():\n    return dep.value\n"},
               f"""\
        import os, sys
        import user
        def main():
            user.f
            pid = os.fork()
            if pid == 0:
                if {where!r} != "parent":
                    import user as again
                    assert again.f() == 1
                os._exit(5)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            if {where!r} != "child":
                print(user.f())
        main()
        """)
    assert run.state("dep") == ("proxy" if where == "child" else "real")


def test_fork_with_loads_in_flight(lazily):
    """Trap fork with loads in flight: the child, in which the loading thread
    does not exist, loads by itself; no lock of ours is left held."""
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for i in range(40):
        files[f"m{i}.py"] = SLOW.format(i)
        files[f"n{i}.py"] = SLOW.format(i)
    files["user.py"] = ("".join(f"import m{i}\nimport n{i}\n"
                                for i in range(40))
                        + "def loads():\n"
                        + "".join(f"    yield m{i}.value\n"
                                  for i in range(40))
                        + "def others():\n    return ["
                        + ", ".join(f"n{i}.value" for i in range(40)) + "]\n")
    lazily(files, """\
        import prelude, os, threading
        import lazycore
        import user
        def child():
            assert user.others() == list(range(40))
            lazycore.ignorenames.add("x")
            lazycore.stats(), lazycore.show("m0"), lazycore.load("n0")
        def main():
            prelude.sys
            user.loads
            go = threading.Semaphore(0)
            def load():
                for value in user.loads():
                    go.release()
            thread = threading.Thread(target=load)
            thread.start()
            for i in range(40):
                go.acquire()
                if i % 4:
                    continue
                pid = os.fork()
                if pid == 0:
                    status = 1
                    try:
                        prelude.signal.alarm(10)
                        child()
                        status = 0
                    except BaseException as error:
                        print(repr(error), flush=True)
                    finally:
                        os._exit(status)
                done = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                assert done == 0, done
            thread.join()
            assert user.others() == list(range(40))
        lazycore.rule("forks", False)
        main()
        """)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(both, method):
    """multiprocessing: a pool's children import lazily and answer."""
    both({"work.py": "import json\ndef f(x):\n    return json.dumps([x])\n"},
         f"""\
        import multiprocessing
        import work
        def main():
            context = multiprocessing.get_context({method!r})
            with context.Pool(2) as pool:
                print(pool.map(work.f, range(4)))
        if __name__ == "__main__":
            main()
        """)


def test_subprocess_preexec(both):
    """A child between fork and exec runs Python code with pending names."""
    both({"dep.py": "def f():\n    import os\n    os.environ['A'] = 'b'\n"},
         """\
        import subprocess, sys
        import dep
        def prepare():
            dep.f()
        def main():
            done = subprocess.run([sys.executable, "-c", "print(1)"],
                                  preexec_fn=prepare, capture_output=True)
            print(done.stdout, done.returncode)
        main()
        """)


def test_fork_while_another_thread_loads_it(lazily):
    """The child, in which that thread does not exist, would wait for it for
    ever; its own loads under way go on."""
    files = {"prelude.py": PRELUDE, "shared.py": "import os\nforks = []\n",
             "slow.py": """\
                 import shared
                 import inner
                 shared.begun.release()
                 shared.go.acquire()
                 value = inner.value
                 """,
             "inner.py": "value = 7\n",
             "pk/__init__.py": "from .part import *\nfrom . import slow\n"
                               "value = slow.value\n"
                               "__all__ = part.__all__ + ['value']\n",
             "pk/part.py": "__all__ = ['it']\nit = 1\n",
             "pk/slow.py": "from slow import value\n",
             "user.py": "import pk\nfrom slow import value\n"
                        "def f():\n    return pk.value, value\n",
             "forker.py": """\
                 import shared, user
                 pid = shared.os.fork()
                 if pid == 0:
                     shared.go.release()
                     shared.forks.append(user.f())
                 """}
    lazily(files, """\
        import prelude
        import _thread, sys
        import shared, user, lazycore
        def main():
            prelude.sys
            lock = _thread.allocate_lock
            shared.begun, shared.go = lock(), lock()
            shared.begun.acquire(), shared.go.acquire()
            done = lock()
            done.acquire()
            def load():
                lazycore.load("pk")
                done.release()
            _thread.start_new_thread(load, ())
            shared.begun.acquire()
            import forker
            if forker.pid == 0:
                assert shared.forks == [(7, 7)]
                shared.os._exit(5)
            status = shared.os.waitpid(forker.pid, 0)[1]
            assert shared.os.waitstatus_to_exitcode(status) == 5, status
            shared.go.release()
            done.acquire()
            assert user.f() == (7, 7)
        main()
        """)


def test_fork_while_a_finder_is_asked_beside(lazily):
    """By the thread that looks for hot namespaces, with what the fork holds:
    it is not waited for."""
    run = lazily({
        "finder.py": """\
            import _thread, sys
            asked = []
            main = _thread.get_ident()
            lock = _thread.allocate_lock()
            class Finder:
                def find_spec(name, path=None, target=None):
                    if name == "speedups" and _thread.get_ident() != main:
                        asked.append(name)
                        with lock:
                            pass
            sys.meta_path.append(Finder)
            """,
        "heavy.py": "try:\n    import speedups\n"
                    "except ImportError:\n    speedups = None\n",
        "hot.py": """\
            import heavy
            LIMIT = 3
            def loop(count):
                total = 0
                for _ in range(count):
                    total += LIMIT
            def never():
                return heavy
            """}, """\
        import os
        import finder
        import hot
        def main():
            finder.lock.acquire()
            while not finder.asked:
                hot.loop(10000)
            pid = os.fork()
            if pid == 0:
                os._exit(3)
            finder.lock.release()
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        main()
        """)
    assert run.out == "3\n"
