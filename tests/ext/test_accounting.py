"""DESIGN 4.5: what a load is charged with, who caused it, and that nothing else
is touched for it: Python's allocators, the program's file descriptors."""
import pytest

from conftest import counts_blocks

# The functions behind Python's objects, now.
ALLOCATOR = """
import ctypes
class Allocator(ctypes.Structure):
    _fields_ = [("ctx", ctypes.c_void_p), ("malloc", ctypes.c_void_p),
                ("calloc", ctypes.c_void_p), ("realloc", ctypes.c_void_p),
                ("free", ctypes.c_void_p)]
def allocator(domain):
    found = Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
    return found.malloc, found.ctx
def objects():
    return allocator(2)
"""


@counts_blocks
def test_what_a_load_cost_and_who_caused_it(lazily):
    """time, blocks, parent, trigger with thread, statement."""
    run = lazily({"outer_m.py": "import inner_m\ninner_m.x\n"
                  "data = 1\n",
                  "inner_m.py": "x = sum(range(200000))\n"}, """\
        import threading
        import outer_m
        def work():
            return outer_m.data
        def main():
            thread = threading.Thread(target=work, name="worker-7")
            thread.start()
            thread.join()
        main()
        """)
    outer, inner = run.show("outer_m"), run.show("inner_m")
    assert outer["statement_file"].endswith("main.py")
    assert outer["statement_line"] == 2
    assert outer["trigger_file"].endswith("main.py")
    assert (outer["trigger_line"], outer["trigger_function"]) == (4, "work")
    assert outer["thread"] == "worker-7"
    assert outer["parent"] is None
    assert inner["parent"] == "outer_m"
    assert inner["trigger_file"].endswith("outer_m.py")
    assert inner["sequence"] < outer["sequence"]
    assert 0 < inner["wall_ns"] < outer["wall_ns"]
    assert 0 < inner["cpu_ns"] <= outer["cpu_ns"]
    assert run.stats["loads"] >= 2


def test_trigger_where_the_search_imports(lazily):
    """A finder that imports while it searches does not change who asked."""
    run = lazily({"helper.py": "x = 1\n", "wanted.py": "y = 2\n"}, """\
        import sys, lazycore
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "wanted":
                    __import__("helper")
        sys.meta_path.insert(0, Finder())
        def work():
            return __import__("wanted").y
        def main():
            work()
            for name in "wanted", "helper":
                shown = lazycore.show(name)
                print(name, shown["trigger_line"], shown["trigger_function"],
                      shown["thread"])
        main()
        """)
    assert run.out == "wanted 8 work MainThread\nhelper 5 find_spec MainThread\n", run.err


def test_what_a_load_allocates(lazily, counted_blocks):
    """blocks and bytes that a load allocated."""
    run = lazily({"dep.py": "data = [object() for i in range(50000)]\n"}, """\
        import dep
        def main():
            return len(dep.data)
        main()
        """)
    shown = run.show("dep")
    assert shown["blocks"] > 50000
    assert shown["bytes"] > 50000 * 16


def test_eager_loads_are_accounted_with_their_rule(both):
    """eager loads after install are accounted too."""
    run = both({"dep.py": "x = sum(range(100000))\n"}, """\
        try:
            import dep
        except ImportError:
            dep = None
        print(dep.x)
        """)
    shown = run.show("dep")
    assert shown["reason"] == "guarded"
    assert shown["wall_ns"] > 0
    assert shown["trigger_line"] == 2


def test_allocators_are_wrapped_during_loads_only(lazily):
    run = lazily({"tool.py": ALLOCATOR,
                  "inner.py": "import tool\nduring = tool.objects()\n",
                  "outer.py": "import tool, inner\n"
                              "during = [tool.objects(), inner.during,\n"
                              "          tool.objects()]\n",
                  "broken.py": "1 / 0\n"}, """\
        import tool
        before = tool.objects()
        import outer, broken
        def main():
            during = outer.during
            assert before not in during and len(set(during)) == 1
            assert tool.objects() == before
            try:
                broken.x
            except ZeroDivisionError:
                print(tool.objects() == before)
        main()
        """)
    assert run.out == "True\n", run.err


@pytest.mark.parametrize("order", ["start stop", "stop start", "start start",
                                   "stop stop"])
def test_another_wrapper_comes_and_goes_during_loads(lazily, order):
    """tracemalloc puts its allocator on top of ours, or takes it, and ours,
    away: the chain stays whole, and ends as it began."""
    first, second = order.split()
    files = {"tool.py": ALLOCATOR}
    for i in range(40):
        what = first if i % 2 else second
        files[f"mod{i}.py"] = (f"import tracemalloc\ntracemalloc.{what}()\n"
                               "keep = [[] for _ in range(2000)]\n")
        files[f"plain{i}.py"] = "keep = [{} for _ in range(500)]\n"
    run = lazily(files, """\
        import gc, importlib, tool, tracemalloc
        before = tool.objects()
        def main():
            for i in range(40):
                importlib.import_module(f"mod{i}")
                importlib.import_module(f"plain{i}")
                gc.collect()
            tracemalloc.stop()
            importlib.import_module("this_is_not_there")
        try:
            main()
        except ImportError:
            pass
        importlib.import_module("colorsys")
        print(tool.objects() == before)
        """)
    assert run.out == "True\n", run.err


def test_blocks_are_those_that_stay(lazily):
    """Inclusive and exclusive, to the block but for what importing keeps."""
    run = lazily({"inner.py": "data = [object() for _ in range(3000)]\n"
                              "for _ in range(9): [object() for _ in "
                              "range(5000)]\n",
                  "outer.py": "import inner\nsize = len(inner.data)\n"
                              "data = [object() for _ in range(1000)]\n"},
                 "import outer\ndef main(): print(outer.size)\nmain()\n")
    inner, outer = run.show("inner"), run.show("outer")
    assert 3000 <= inner["blocks"] <= 3500, (inner, outer)
    assert 1000 <= outer["blocks"] - inner["blocks"] < 3000, (inner, outer)


def test_what_is_freed_counts_too(lazily):
    run = lazily({"free.py": "import big\nbig.data.clear()\n",
                  "big.py": "data = [object() for _ in range(9000)]\n"}, """\
        import big, free
        def main():
            print(len(big.data))
            free.big
        main()
        """)
    assert -9000 < run.show("free")["blocks"] < -8000


def test_other_threads_are_not_charged(lazily):
    """What another thread allocates meanwhile is none of the load's."""
    run = lazily({"slow.py": "import helper\nhelper.go.set()\n"
                             "helper.done.wait()\nx = 1\n",
                  "helper.py": "import threading\ngo = threading.Event()\n"
                               "done = threading.Event()\n"}, """\
        import helper, slow, threading
        keep = []
        def work():
            helper.go.wait()
            keep.extend(object() for _ in range(200000))
            helper.done.set()
        def main():
            helper.go
            thread = threading.Thread(target=work)
            thread.start()
            print(slow.x)
            thread.join()
        main()
        """)
    assert abs(run.show("slow")["blocks"]) < 5000


def test_a_service_run_by_an_import_gets_its_allocators_back(lazily):
    """A body that never ends is no load: what it runs costs nothing."""
    run = lazily({"tool.py": ALLOCATOR,
                  "later.py": "keep = [object() for _ in range(1000)]\n",
                  "service.py": """\
            import tool, later
            wrapped = tool.objects()
            def serve():
                for _ in range(5):
                    for _ in range(1000000):
                        [object()]
                    if tool.objects() != wrapped:
                        return True
            gone = serve()
            bare = tool.objects()
            size = len(later.keep)
            again = tool.objects()
            """}, """\
        import tool
        before = tool.objects()
        import service
        def main():
            print(service.gone, service.bare == before,
                  service.again == before, tool.objects() == before)
        main()
        """)
    assert run.out == "True True True True\n", run.err
    assert 1000 <= run.show("later")["blocks"] < 1500


def test_memory_is_charged(lazily):
    run = lazily({"inner.py": "data = bytearray(range(256)) * 40000\n",
                  "outer.py": "import inner\nsize = len(inner.data)\n"},
                 "import outer\ndef main(): print(outer.size)\nmain()\n")
    inner, outer = run.show("inner"), run.show("outer")
    assert inner["bytes"] > 9_000_000
    assert 0 <= outer["bytes"] - inner["bytes"] < 4_000_000


def test_a_descriptor_is_not_mistaken(lazily):
    """A program that closes all it does not know, and opens others under
    those numbers: they stay what they are, and memory is told rightly."""
    files = {f"mod{i}.py": "data = bytearray(range(256)) * 20000\n"
             for i in range(4)}
    run = lazily({**files, "text": "0123456789" * 10}, """\
        import importlib, os
        importlib.import_module("mod0")
        os.closerange(3, 1000)
        fds = [os.open("text", os.O_RDONLY) for _ in range(150)]
        assert max(fds) > 110
        for fd in fds:
            os.read(fd, 5)
        importlib.import_module("mod1")
        read, write = os.pipe()
        os.write(write, b"pipe")
        for fd in range(100, 120):
            os.dup2(read, fd)
        importlib.import_module("mod2")
        for fd in fds:
            if fd not in range(100, 120):
                assert os.read(fd, 5) == b"56789", fd
        print(os.read(read, 9))
        importlib.import_module("mod3")
        """)
    assert run.out == "b'pipe'\n", run.err
    for i in range(4):
        assert 4_000_000 < run.show(f"mod{i}")["bytes"] < 40_000_000


def test_a_forked_child_is_charged_with_its_own(lazily):
    """A fork within a load: the child finishes it, and its memory is its."""
    run = lazily({"forks.py": "import os\npid = os.fork()\n"
                              "data = bytearray(range(256)) * 20000\n",
                  "more.py": "data = bytearray(range(256)) * 20000\n",
                  "tool.py": ALLOCATOR}, """\
        import tool
        before = tool.objects()
        import forks, more, os
        import lazycore
        def main():
            pid = forks.pid
            len(more.data)
            shown = [lazycore.show(name)["bytes"]
                     for name in ("forks", "more")]
            good = all(4000000 < size < 40000000 for size in shown) and \\
                tool.objects() == before
            if pid == 0:
                os._exit(0 if good else 1)
            print(good, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        main()
        """)
    assert run.out == "True 0\n", run.err


def test_no_accounting(lazily):
    """For the measurement of what it costs."""
    run = lazily({"mod.py": "x = [object() for _ in range(1000)]\n"}, """\
        import lazycore, mod
        def main():
            lazycore.rule("accounting", False)
            print(len(mod.x), lazycore.show("mod")["state"])
            lazycore.rule("accounting", True)
        main()
        """)
    assert run.out == "1000 proxy\n"
