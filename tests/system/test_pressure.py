"""What clients can make lazyd keep, when there is much to be told: bounded for
all of them together, given back, and in nobody's way.
"""
import contextlib
import json
import pathlib
import shutil
import socket
import tempfile

import pytest

from conftest import TIMEOUT_S, Lab, is_sanitized

MIB = 1 << 20
COUNT = 2500
# As many modules pending, with long names, and as many loaded.
MANY = f"""
import importlib.abc, importlib.machinery, sys
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.startswith("made_"):
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        pass
sys.meta_path.append(Finder())
names = ["made_%d_{"x" * 100}" % i for i in range({COUNT})]
for name in names:
    importlib.import_module(name)
names = [name.replace("xx", "yy") for name in names]
exec(compile("".join("import %s\\n" % name for name in names)
             + "def use():\\n    return " + ", ".join(names),
             "made.py", "exec"), globals())
"""

pytestmark = pytest.mark.skipif(is_sanitized(),
                                reason="a sanitizer keeps what is freed")


@pytest.fixture(scope="module")
def many():
    """One for all tests: it takes a while to start."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lazyd-"))
    lab = Lab(folder)
    with lab.left:
        lab.process = lab.serve(MANY)
        assert lab.ask("stats")["modules"]["proxies"] > COUNT
        yield lab
    shutil.rmtree(folder)


class Memory:
    """Of a process: how much more than at first is resident."""

    def __init__(self, pid):
        self.folder = f"/proc/{pid}"
        self.first = self.read("VmRSS")
        self.grown = None

    def read(self, key):
        with open(f"{self.folder}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file
                        if line.startswith(key))

    def now(self):
        return self.read("VmRSS") - self.first

    @contextlib.contextmanager
    def at_most(self, growth):
        with open(f"{self.folder}/clear_refs", "w") as file:
            file.write("5")  # the peak is what it is now
        yield
        self.grown = self.read("VmHWM") - self.first
        assert self.grown < growth, self.grown / MIB


def request(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                       "params": params}).encode() + b"\n"


LONG = {
    "list": request("list"), "report": request("report", verbose=True),
    "unused": request("unused"), "trace": request("trace"),
    "ignore.add": request("ignore.add", kind="name", values=["x"],
                          dry_run=True),
    "load": request("load", names=["sys"] * 1000),
}


def dial(lab):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(TIMEOUT_S)
    sock.connect(str(lab.socket))
    assert b"hello" in sock.recv(4096)
    return sock


@pytest.mark.parametrize("method", LONG)
def test_answers_as_long_as_there_are_modules(many, method):
    """Take little more than their lines, and nothing once they are read."""
    memory = Memory(many.process.pid)
    for _ in range(3):
        with memory.at_most(5 * MIB), dial(many) as sock:
            sock.sendall(LONG[method])
            answer = sock.makefile("rb").readline()
            assert len(answer) > 50000 or method == "ignore.add"
    assert memory.now() < 2 * MIB, memory.now() / MIB


@pytest.mark.parametrize("method,count", (("list", 80), ("unused", 24),
                                          ("load", 100)))
def test_nobody_reads_long_answers(many, method, count):
    """Of many who ask for them at once those go who read nothing, and who
    comes after them has an answer."""
    memory = Memory(many.process.pid)
    with memory.at_most(8 * MIB), contextlib.ExitStack() as stack:
        socks = [stack.enter_context(dial(many)) for _ in range(count)]
        for sock in socks:
            sock.sendall(LONG[method])
        with dial(many) as sock:
            # Behind a hundred loads it would wait for as many turns.
            sock.sendall(request("threads") if method == "load"
                         else LONG[method])
            assert sock.makefile("rb").readline().startswith(b"{")
    while many.ask("stats")["control"]["clients"] > 1:
        pass
