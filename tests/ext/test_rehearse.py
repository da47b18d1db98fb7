"""rehearse(): a load in a forked copy, of which the process sees nothing."""
import json
import os

import pytest

FILES = {
    "lib/rich.py": """\
        import threading
        import colorsys
        threading.Thread(target=threading.Event().wait, name="poller",
                         daemon=True).start()
        kept = bytearray(8 << 20)
        hue = colorsys.rgb_to_hls
        """,
    "lib/bad.py": "def f():\n    raise ValueError('bad')\nf()\n",
    "lib/broken.py": "x = (\n",
    "lib/spins.py": "while True:\n    pass\n",
    "lib/leaves.py": "import os\nos._exit(0)\n",
    "lib/exits.py": "import sys\nsys.exit(3)\n",
    "lib/crashes.py": "import os, signal\n"
                      "signal.pthread_sigmask(signal.SIG_UNBLOCK, [6])\n"
                      "os.abort()\n",
    "lib/eats.py": "x = bytearray(1 << 31)\n",
}

BEGIN = """\
import json, os, sys
import lazycore
sys.path.insert(0, os.path.abspath("lib"))
def rehearse(*names, **how):
    answer = lazycore.rehearse(names, **how)
    assert not set(names) & set(sys.modules), "loaded here"
    return answer
def show(answer):
    print(json.dumps(answer))
"""


@pytest.fixture
def run(lab, lazily):
    if os.environ.get("TSAN_OPTIONS"):
        pytest.skip("TSan's runtime is not there after a clone()")

    def run(program, **files):
        out = lazily({**FILES, **files}, BEGIN + program).out
        return [json.loads(line) for line in out.splitlines()]
    return run


@pytest.fixture
def rehearse(run):
    """rehearse(names, how): the results by name, and the rest."""
    def rehearse(*names, how="", **files):
        answer, = run(f"show(rehearse(*{names!r}, {how}))", **files)
        results = {row["name"]: row for row in answer["results"]}
        assert len(results) == len(answer["results"])
        return results, answer
    return rehearse


def test_what_a_load_would_do(rehearse):
    results, answer = rehearse("rich", "json.tool")
    rich = results["rich"]
    assert rich["verdict"] == "loads" and rich["error"] is None
    assert rich["modules"][-1] == "rich" and "threading" in rich["modules"]
    assert rich["threads"] == ["poller"]
    assert 8 << 20 <= rich["bytes"] < 64 << 20
    assert 0 < rich["cpu_ns"] < 20e9 and 0 < rich["wall_ns"] < 20e9
    assert results["json.tool"]["verdict"] == "loads"
    assert "rich" not in results["json.tool"]["modules"]
    assert answer["tries"] >= 1 and 0 < answer["pause_ns"] < 1e9


def test_what_is_loaded_already(run):
    answer, = run("import sys\nshow(lazycore.rehearse(['sys', 'os']))\n")
    assert [row["verdict"] for row in answer["results"]] == ["already"] * 2
    assert all(row["modules"] == [] for row in answer["results"])


def test_what_one_brings_is_there_for_the_next(rehearse):
    results, _ = rehearse("rich", "colorsys")
    assert results["colorsys"]["verdict"] in ("loads", "already")
    assert results["rich"]["verdict"] == "loads"


def test_failures_say_where(rehearse, lab):
    results, _ = rehearse("bad", "broken", "no.such", "exits", "rich")
    bad, broken = results["bad"], results["broken"]
    assert bad["verdict"] == broken["verdict"] == "fails"
    assert bad["error"] == "ValueError: bad"
    assert (bad["file"], bad["line"]) == (str(lab.folder / "lib/bad.py"), 2)
    assert "raise ValueError" in bad["traceback"]
    assert bad["modules"] == []
    assert (broken["file"], broken["line"]) == \
        (str(lab.folder / "lib/broken.py"), 1)
    assert results["no.such"]["verdict"] == "fails"
    assert "No module named 'no'" in results["no.such"]["error"]
    assert results["exits"]["error"].startswith("SystemExit: 3")
    assert results["rich"]["verdict"] == "loads", "what follows is tried"


def test_deadline(rehearse):
    results, answer = rehearse("rich", "spins", "bad", how="deadline=1.0")
    assert results["rich"]["verdict"] == "loads"
    assert results["spins"]["verdict"] == "inconclusive"
    assert "deadline of 1.0 s" in results["spins"]["error"]
    assert results["bad"]["verdict"] == "inconclusive"
    assert results["bad"]["error"] == "not come to"
    assert answer["wall_ns"] >= 1e9


def test_a_module_that_ends_the_process(rehearse):
    results, _ = rehearse("leaves", "bad")
    assert results["leaves"]["verdict"] == "fails"
    assert "ended the process with status 0" in results["leaves"]["error"]
    assert results["bad"]["verdict"] == "inconclusive"


def test_a_module_that_crashes(rehearse, lab):
    results, _ = rehearse("crashes")
    assert results["crashes"]["verdict"] == "inconclusive"
    assert "signal 6" in results["crashes"]["error"]
    assert not list(lab.folder.glob("*core*"))


@pytest.mark.skipif("LD_PRELOAD" in os.environ,
                    reason="a sanitizer's allocator ends the process")
def test_limit_of_memory(rehearse):
    results, _ = rehearse("eats", "rich", how="memory=256 << 20")
    assert results["eats"]["verdict"] == "inconclusive"
    assert results["eats"]["error"].startswith("MemoryError")
    assert results["rich"]["verdict"] == "loads"


def test_recursive(run):
    files = {"lib/pkg/__init__.py": "import pkg.sub\n"
                                    "def use():\n    return pkg.sub\n",
             "lib/pkg/sub.py": "import pkg.sub2\n"
                               "def use():\n    return pkg.sub2\n",
             "lib/pkg/sub2.py": "raise ValueError(2)\n"}
    alone, below = run("""
lazycore.level("pkg", "full")
show(rehearse("pkg"))
show(rehearse("pkg", recursive=True))
""", **files)
    assert [row["name"] for row in alone["results"]] == ["pkg"]
    assert {row["name"]: row["verdict"] for row in below["results"]} == \
        {"pkg": "loads", "pkg.sub": "loads", "pkg.sub2": "fails"}


INVISIBLE = """\
import signal, mmap, threading, socket
told = []
for name in "before", "after_in_parent":
    os.register_at_fork(**{name: lambda name=name: told.append(name)})
signal.signal(signal.SIGCHLD, lambda *_: told.append("SIGCHLD"))
shared = mmap.mmap(-1, 8192)
shared[:5] = b"first"
sys.shared, (sys.near, sys.far) = shared, socket.socketpair()
sys.pipe = os.pipe()
before = sorted(os.listdir("/proc/self/fd")), sorted(sys.modules)
threads = sorted(os.listdir("/proc/self/task"))
def children():
    with open("/proc/thread-self/children") as file:
        return file.read()
assert children() == ""
answer = rehearse("touches")
assert sorted(os.listdir("/proc/self/fd")) == before[0]
assert sorted(sys.modules) == before[1]
assert sorted(os.listdir("/proc/self/task")) == threads
assert children() == ""
try:
    told.append(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    told.append("no child")
sys.far.setblocking(False)
try:
    told.append(sys.far.recv(10))
except BlockingIOError:
    told.append("nothing came")
show([answer, told, shared[:5].decode()])
"""

TOUCHES = """\
import atexit, os, sys
atexit.register(os.abort)
sys.shared[:5] = b"child"
assert sys.shared[:5] == b"child"
def opened(fd):
    try:
        return os.readlink("/proc/self/fd/" + fd)
    except FileNotFoundError: # that of the listing itself
        return ""
# Of its own it reads the memory that loads take.
open_fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd")
                  if opened(fd) != f"/proc/{os.getpid()}/statm")
assert open_fds[:3] == [0, 1, 2] and len(open_fds) == 5, open_fds
for write in (lambda: sys.near.send(b"x"),
              lambda: os.write(sys.pipe[1], b"x")):
    try:
        write()
        raise AssertionError("got out")
    except OSError:
        pass
assert {os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)} == {"/dev/null"}
print("not seen")
"""


def test_the_process_sees_nothing_of_it(run):
    (answer, told, shared), = run(INVISIBLE, **{"lib/touches.py": TOUCHES})
    result, = answer["results"]
    assert (result["verdict"], result["error"]) == ("loads", None)
    assert told == ["no child", "nothing came"]
    assert shared == "first"


CHILDREN = """\
from concurrent.futures import ThreadPoolExecutor
import subprocess
child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
answer = rehearse("starts")
child.stdin.close()
assert os.wait() == (child.pid, 0), "the service's own child is waited for"
with open("started") as file:
    pid = int(file.read())
try:
    fd = os.pidfd_open(pid)
    import select
    assert select.select([fd], [], [], 30)[0]
except ProcessLookupError:
    pass
show(answer)
"""


def test_what_it_started_ends_with_it(run):
    starts = """\
        import subprocess
        child = subprocess.Popen(["sleep", "1000"])
        with open("started", "w") as file:
            file.write(str(child.pid))
        """
    answer, = run(CHILDREN, **{"lib/starts.py": starts})
    assert answer["results"][0]["verdict"] == "loads"


HEAP = """\
import ctypes, threading
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
done = threading.Event()
def busy():
    while not done.is_set():
        libc.free(libc.malloc(100000))
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
answers = [rehearse("bad") for _ in range(10)]
done.set()
for thread in threads:
    thread.join()
show(answers)
"""


@pytest.mark.skipif("LD_PRELOAD" in os.environ,
                    reason="a sanitizer's allocator has other locks")
def test_while_threads_hold_locks_of_the_heap(run):
    answers, = run(HEAP)
    assert [answer["results"][0]["error"] for answer in answers] == \
        ["ValueError: bad"] * 10


def test_nonsense(run):
    kinds, = run("""
kinds = []
for args in ((1,), ([1],), (["a"], -1.0), (["a"], float("nan"))):
    try:
        lazycore.rehearse(*args)
    except (TypeError, ValueError) as error:
        kinds.append(type(error).__name__)
show(kinds)
""")
    assert kinds == ["TypeError", "TypeError", "ValueError", "ValueError"]
