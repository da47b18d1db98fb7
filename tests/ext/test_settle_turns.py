"""The turns of threads are short while a look waits and while ours loads; a
service sees nothing of that, and nothing of it stays."""
import pytest

from settling import write

pytestmark = pytest.mark.usefixtures("settled_by_hand")


def test_switch_interval_stays(lazily):
    """And is what is seen of it: in this process, in children of any moment,
    and where the service sets it itself meanwhile."""
    run = lazily({}, """\
        import _thread, lazycore, os, sys, time
        def main():
            done = _thread.allocate_lock()
            done.acquire()
            def look():
                for _ in range(200):
                    lazycore.settle()
                done.release()
            _thread.start_new_thread(look, ())
            children = set()
            short = 0
            while not done.acquire(False):
                pid = os.fork()
                if pid == 0:
                    os._exit(sys.getswitchinterval() != 0.005)
                children.add(os.waitpid(pid, 0)[1])
                short += sys.getswitchinterval() < 0.005
            print(children, short > 0, sys.getswitchinterval())
            done.acquire(False)
            _thread.start_new_thread(look, ())
            while not done.acquire(False):
                sys.setswitchinterval(0.003)
            print(sys.getswitchinterval())
        main()
        """)
    assert run.out == "{0} False 0.005\n0.003\n"


def test_turns_while_it_loads(lazily):
    """They are short for all threads; nobody is told, and who sets again what
    was found then sets nothing."""
    run = lazily({"hot.py": write("difflib")}, """\
        import lazycore, sys
        lazycore.uninstall()
        real = sys.getswitchinterval
        lazycore.install(settle=False)
        import hot
        seen, turns = set(), set()
        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == "heapq" and hasattr(hot, "settle"):
                    seen.add(sys.getswitchinterval())
                    turns.add(real())
        def main():
            sys.modules.pop("heapq", None)
            sys.modules.pop("collections", None)
            sys.meta_path.insert(0, Slow())
            hot.settle = lazycore.settle
            print(hot.watched(), seen, max(turns) < 1e-4, real())
            sys.setswitchinterval(max(turns) + 1e-7)
            lazycore.settle()
            print(real(), sys.getswitchinterval())
        main()
        """)
    assert run.out == "hot {0.005} True 0.005\n0.005 0.005\n"


def test_switch_interval_is_none_of_ours(lazily):
    """To the microsecond; and where the service puts back what it found while
    a look waited, by a function from before install(), that is found out, by
    lookers side by side too."""
    run = lazily({}, """\
        import _thread, lazycore, sys
        def main():
            for us in 7000, 58000, 25, 22, 19, 1:
                sys.setswitchinterval((us + 0.5) * 1e-6)
                for _ in range(5):
                    lazycore.settle()
                print(round(sys.getswitchinterval() * 1e6), end=" ")
            sys.setswitchinterval(0.005)
            lazycore.uninstall()
            real = sys.getswitchinterval
            lazycore.install(settle=False)
            done = [_thread.allocate_lock() for _ in range(3)]
            def look(lock):
                for _ in range(100):
                    lazycore.settle()
                lock.release()
            for lock in done:
                lock.acquire()
                _thread.start_new_thread(look, (lock,))
            while (found := real()) == 0.005:
                pass
            for lock in done:
                lock.acquire()
            print(sys.getswitchinterval(), end=" ")
            sys.setswitchinterval(found + 1e-7)
            lazycore.settle()
            print(sys.getswitchinterval())
        main()
        """)
    assert run.out == "7000 58000 25 22 19 1 0.005 0.005\n"


def test_wrapped_by_the_service(lazily):
    """Who wraps our function keeps it over uninstall() and install()."""
    run = lazily({}, """\
        import lazycore, sys
        def main():
            ours, calls = sys.getswitchinterval, []
            def wrapper():
                calls.append(1)
                return ours()
            sys.getswitchinterval = wrapper
            lazycore.uninstall()
            lazycore.install(settle=False)
            print(sys.getswitchinterval(), sys.getswitchinterval is wrapper)
            lazycore.settle()
            print(len(calls))
        main()
        """)
    assert run.out == "0.005 True\n1\n"


@pytest.mark.parametrize("code, said", [
    ("lazycore._getswitchinterval()",
     "RuntimeError: lazycore was never installed"),
    # Then there are no short turns, and it stays away.
    ("del sys.getswitchinterval; lazycore.install(settle=False); "
     "sys.exit(repr([lazycore.settle(), hasattr(sys, 'getswitchinterval')]))",
     "[None, False]"),
], ids=["never installed", "taken away before"])
def test_first_of_all(lazily, code, said):
    run = lazily({}, f"""\
        import lazycore, os, subprocess, sys
        CODE = {code!r}
        def main():
            folder = os.path.dirname(lazycore.__file__)
            code = f"import sys; sys.path.append({{folder!r}})\\n"
            child = subprocess.run(
                [sys.executable, "-I", "-S", "-c",
                 code + "import lazycore; " + CODE],
                stderr=subprocess.PIPE, text=True)
            print(child.stderr.splitlines()[-1])
        main()
        """)
    assert run.out == f"{said}\n"
