"""Hot namespaces: what is pending in them is loaded where it is known to be
free of effects, and the interpreter specialises their look-ups again."""
import pytest

from settling import MAIN, write

pytestmark = pytest.mark.usefixtures("settled_by_hand")


def test_standard_library(lazily):
    run = lazily({"hot.py": write("difflib, decimal")}, MAIN)
    assert run.out == \
        "hot ['difflib', 'decimal'] [] {'LOAD_GLOBAL_MODULE'}\n"
    assert run.state("difflib") == run.state("decimal") == "real"


@pytest.mark.parametrize("module", ["other", "threading", "turtle"])
def test_not_known_to_be_free(lazily, module):
    """One such name is enough: then nothing is loaded for nothing."""
    run = lazily({"hot.py": write(f"difflib, {module}"),
                  "other.py": "import sys\nsys.marked = True\n"}, MAIN)
    assert run.out.startswith(f"None ['difflib', '{module}'] "
                              f"['difflib', '{module}'] ")
    assert run.state("difflib") == "proxy"


def test_program_of_the_standard_library(lazily):
    files = {"hot.py": write("difflib", "main, difflib").replace(
        "import sys,", "from unittest.__main__ import main\n    import sys,")}
    run = lazily(files, MAIN)
    assert run.out.startswith("None ['main', 'difflib'] "
                              "['main', 'difflib'] ")
    assert run.show("unittest.__main__")["failures"] == 0


def test_named_like_the_standard_library(lazily):
    """Our own file in the place of a standard module is not one."""
    run = lazily({"hot.py": write("difflib"), "difflib.py": ""}, MAIN)
    assert run.out.startswith("None ['difflib'] ['difflib'] ")


def test_attributes_and_submodules(lazily):
    files = {"hot.py": write("xml.dom.minidom as dom, json.tool", "dom, json")
             .replace("import sys,", "from decimal import Decimal\n"
                      "    import sys,")}
    run = lazily(files, MAIN)
    assert run.out.startswith("hot ")
    assert "] [] {'LOAD_GLOBAL_MODULE'}" in run.out
    assert run.loaded("xml.dom.minidom") and run.loaded("decimal")


def test_cold_namespace(lazily):
    """Its time goes elsewhere."""
    files = {"hot.py": write("difflib"), "cold.py": """\
        import textwrap
        def never():
            return textwrap
        """}
    run = lazily(files, "import cold\n" + MAIN.replace("    ", ""))
    assert run.out.startswith("hot ")
    assert run.state("textwrap") == "proxy"


def test_module_that_fails(lazily):
    """It stays pending, for its first use to raise, and is not tried over and
    over."""
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys
        class Broken:
            def find_spec(self, name, path=None, target=None):
                if name == "heapq":
                    raise ImportError("no heapq")
        def main():
            sys.modules.pop("heapq", None)
            sys.modules.pop("collections", None)
            sys.meta_path.insert(0, Broken())
            hot.settle = lazycore.settle
            print(hot.watched(), lazycore.pending(hot))
            print(lazycore.show("difflib")["failures"])
        main()
        """)
    assert run.out == "None ['difflib']\n1\n"


def test_while_someone_goes_through_sys_modules(lazily):
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys
        def main():
            lazycore.settle()
            hot.settle = lazycore.settle
            for name in sys.modules:
                print(hot.watched())
                break
            walk = iter(sys.modules.items())
            next(walk)
            print(hot.watched(), lazycore.pending(hot))
            list(walk)
            print(hot.watched(), lazycore.pending(hot))
        main()
        """)
    assert run.out.splitlines()[0] == "None"


def test_someone_went_through_sys_modules_all_the_time(lazily):
    """Since before the first look, and with a name for it besides."""
    run = lazily({"hot.py": write("difflib"),
                  "alias.py": "import sys\nmodules = sys.modules\n"}, """\
        import hot, lazycore, sys
        def main():
            import alias
            hot.settle = lazycore.settle
            walk = iter(alias.modules.values())
            next(walk)
            print(hot.watched(), lazycore.pending(hot))
            list(walk)
            del walk
            print(hot.watched(), lazycore.pending(hot))
        main()
        """)
    assert run.out == "None ['difflib']\nhot []\n"


def test_import_is_the_service_s_own(lazily):
    """A look is no import."""
    run = lazily({"hot.py": write("threading")}, """\
        import builtins, hot, lazycore
        def main():
            hot.settle = lazycore.settle
            original, seen = builtins.__import__, []
            def watched(name, *args, **kwargs):
                seen.append(name)
                return original(name, *args, **kwargs)
            builtins.__import__ = watched
            hot.watched()
            builtins.__import__ = original
            print(seen)
        main()
        """)
    assert run.out == "['dis']\n" or run.out == "[]\n"


def test_long_time_between_looks(lazily):
    """Of more than a second, one counts."""
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, time
        def main():
            for _ in range(5):
                hot.settle = lazycore.settle
                hot.loop(1000)
                hot.again()
            end = time.thread_time() + 1.05
            while time.thread_time() < end:
                hot.loop(20000)
            print(hot.again())
        hot.again = lambda: None
        exec("def again():\\n    return settle()", hot.__dict__)
        main()
        """)
    assert run.out == "hot\n"


def test_finder_of_the_service_s_own(lazily):
    """What it makes under a standard name, without a file, is its own."""
    run = lazily({"hot.py": write("difflib")}, """\
        import sys
        class Loader:
            def create_module(self, spec):
                return None
            def exec_module(self, module):
                module.mine = True
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "difflib":
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, Loader())
        sys.meta_path.insert(1, Finder())
        def main():
            import hot, lazycore
            hot.settle = lazycore.settle
            print(hot.watched(), lazycore.pending(hot), hot.difflib.mine)
        main()
        """)
    assert run.out == "None ['difflib'] True\n"


def test_program_that_ends_meanwhile(lazily):
    """A finalizer would wait for ever for a module that was being loaded when
    all other threads ended."""
    run = lazily({"hot.py": write("difflib")}, """\
        import _thread, hot, lazycore, signal, sys, time
        begun, go = _thread.allocate_lock(), _thread.allocate_lock()
        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == "heapq" and begun.locked():
                    begun.release()
                    go.acquire(timeout=0.8) # to be cut off there
        class Last:
            def __del__(self):
                import difflib
                print(difflib.IS_LINE_JUNK("x"), flush=True)
        def look():
            while True:
                lazycore.settle()
                time.sleep(0.001)
        def main():
            signal.alarm(20)
            sys.modules.pop("heapq", None)
            sys.modules.pop("collections", None)
            sys.setswitchinterval(1e-4)
            begun.acquire(), go.acquire()
            sys.meta_path.insert(0, Slow())
            _thread.start_new_thread(look, ())
            while begun.locked():
                hot.loop(10000)
            last = Last()
            last.itself = last # found by the collection at the end
        main()
        """)
    assert run.out == "False\n"


def test_locks_of_greenlets(lazily):
    """What waits for a module that another thread loads would wait for ever:
    gevent's and eventlet's locks are for one thread."""
    run = lazily({"hot.py": write("difflib")}, """\
        import _thread, hot, lazycore
        def main():
            hot.settle = lazycore.settle
            original = _thread.allocate_lock
            _thread.allocate_lock = lambda: original()
            print(hot.watched(), lazycore.pending(hot))
            _thread.allocate_lock = original
            print(hot.watched(), lazycore.pending(hot))
        main()
        """)
    assert run.out == "None ['difflib']\nhot []\n"


def test_finalizers_of_the_service(lazily):
    """They run in its threads, never in that which loads; and a child that is
    forked meanwhile collects its garbage as ever."""
    run = lazily({"hot.py": write("difflib")}, """\
        import _thread, gc, hot, lazycore, os, sys
        begun, go, done = [_thread.allocate_lock() for _ in range(3)]
        where, looks = set(), set()
        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == "heapq" and begun.locked():
                    looks.add(_thread.get_ident())
                    begun.release()
                    go.acquire()
        class Cycle:
            def __init__(self):
                self.itself = self
            def __del__(self):
                where.add(_thread.get_ident())
        def look():
            while lazycore.settle() != "hot":
                pass
            done.release()
        def main():
            sys.modules.pop("heapq", None)
            sys.modules.pop("collections", None)
            sys.setswitchinterval(1e-4)
            begun.acquire(), go.acquire(), done.acquire()
            _thread.start_new_thread(look, ())
            sys.meta_path.insert(0, Slow())
            while begun.locked():
                hot.loop(10000)
            pid = os.fork()
            if pid == 0:
                os._exit(gc.isenabled())
            print(os.waitpid(pid, 0)[1] >> 8)
            gc.collect()
            gc.set_threshold(300)
            cycles = [Cycle() for _ in range(20)]
            where.clear()
            go.release()
            del cycles
            done.acquire()
            gc.collect()
            print(where == {_thread.get_ident()}, len(looks), gc.isenabled())
        main()
        """)
    assert run.out == "1\nTrue 1 True\n"


def test_other_threads_are_seen(lazily):
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys, threading, time
        def main():
            hot.settle = lambda: None
            sys.setswitchinterval(1e-4)
            stop = []
            def work():
                while not stop:
                    hot.loop(1000)
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            settled = None
            while settled is None:
                settled = lazycore.settle()
                time.sleep(0.001)
            stop.append(True)
            for thread in threads:
                thread.join()
            print(settled, lazycore.pending(hot))
        main()
        """)
    assert run.out == "hot []\n"


def test_a_hundred_threads_that_wait(lazily):
    run = lazily({"hot.py": write("difflib")}, """\
        import _thread, hot, lazycore
        def main():
            hot.settle = lazycore.settle
            lock, up = _thread.allocate_lock(), _thread.allocate_lock()
            lock.acquire()
            def wait():
                up.release()
                with lock:
                    pass
            for _ in range(100):
                up.acquire()
                _thread.start_new_thread(wait, ())
            up.acquire()
            print(hot.watched(), lazycore.pending(hot))
            lock.release()
        main()
        """)
    assert run.out == "hot []\n"


RECORDED = """\
    import sys
    def main():
        from {loaded} import {names}
        import hot, lazycore
        hot.settle = lazycore.settle
        print(hot.watched(), lazycore.pending(hot), {foreign!r} in sys.modules)
    main()
    """


@pytest.fixture
def packages(version):
    pytest.importorskip("flask")
    if version != (3, 11):
        pytest.skip("the packages are for the system's Python")


def test_recorded_modules(lazily, packages):
    """Those whose own package is loaded, and what else they import."""
    run = lazily({"hot.py": write("jinja2.sandbox", "jinja2")},
                 RECORDED.format(loaded="jinja2", names="Environment",
                                 foreign="none"),
                 packages=True)
    assert run.out == "hot [] False\n"
    assert run.loaded("jinja2.sandbox")


def test_recorded_module_that_imports_another_package(lazily, packages):
    """The record knows of its own package alone."""
    files = {"hot.py": write("t", "t").replace(
        "import sys, time, t", "import sys, time\n    import flask.testing as t")}
    run = lazily(files, RECORDED.format(loaded="flask", names="Blueprint",
                                        foreign="click.testing"),
                 packages=True)
    assert run.out == "None ['t'] False\n"


# Waits ten times as often as it would lose the GIL, and always there.
TALKS = """\
    import _thread, talk, hot, lazycore, time
    def main():
        settled = []
        def look():
            while not settled and time.process_time() < 4:
                name = lazycore.settle()
                if name:
                    settled.append(name)
                time.sleep(0.001)
            settled.append(None)
        _thread.start_new_thread(look, ())
        while not settled:
            hot.loop(10000)
            talk.talk()
        print(settled[0], lazycore.pending(hot))
    main()
    """


def test_seen_where_it_does_not_wait(lazily):
    run = lazily({"hot.py": write("difflib"), "talk.py": """\
        import time
        def talk():
            time.sleep(1e-6)
        """}, TALKS)
    assert run.out == "hot []\n"


def test_many_that_are_warm(lazily):
    """None takes a hundredth of the time, but all of them do."""
    files = {f"warm{i}.py": f"""\
        import time, free{i}
        def step(settle):
            end = time.process_time() + 2e-4
            while time.process_time() < end:
                pass
            return settle()
        def never():
            return free{i}
        """ for i in range(150)}
    files.update({f"free{i}.py": "ONE = 1\n" for i in range(150)})
    run = lazily(files, """\
        import importlib, lazycore
        def main():
            modules = [importlib.import_module(f"warm{i}") for i in range(150)]
            settled = {module.step(lazycore.settle)
                       for _ in range(6) for module in modules}
            pending = [m for m in modules if lazycore.pending(m)]
            print(len(settled) > 1, len(pending) < 5)
        main()
        """)
    assert run.out == "True True\n"
