"""A reload by a service of greenlets, in its own thread: while its body waits,
others of that thread run, and are as far from it as other threads are."""
import os
import subprocess

import pytest

from conftest import interpreter
from reloading import program  # noqa: F401 (a fixture)


@pytest.fixture(autouse=True)
def greenlets():
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("greenlets copy stacks, which AddressSanitizer refuses")
    if subprocess.run([interpreter(), "-c", "import gevent"],
                      capture_output=True).returncode != 0:
        pytest.skip("the interpreter under test has no gevent")


PATCHED = "import gevent.monkey\ngevent.monkey.patch_all()\n"
BODY = """
    import sys, time
    FIRST = {n}
    time.sleep(0.002)
    assert sys.modules[__name__].FIRST == {n}
    import mod
    assert mod.FIRST == {n} and not hasattr(mod, "SECOND")
    def both(): return FIRST, SECOND
    SECOND = {n}
    """


def test_no_greenlet_sees_a_mix(program):
    program(BODY.format(n=0), PATCHED + f"""
import gevent
mod = load()
body = {BODY!r}
seen, stop = set(), []


def read():
    while not stop:
        import mod
        seen.add((mod.FIRST, mod.SECOND))
        from mod import FIRST, SECOND
        seen.add((FIRST, SECOND))
        seen.add(mod.both())
        gevent.sleep(0)


readers = [gevent.spawn(read) for _ in range(4)]
for n in range(1, 6):
    edit(body.format(n=n))
    gevent.spawn(reload).get()
edit(body.format(n=6) + "    1 / 0\\n")
gevent.spawn(reload, "failed").get()
stop.append(1)
gevent.joinall(readers, raise_error=True)
assert seen == {{(n, n) for n in range(6)}}, seen
assert mod.both() == (5, 5)
""")


def test_one_at_a_time(program):
    """Of a module; another greenlet is told to try again, and one may reload
    another module meanwhile, whose body the first outlives."""
    program("VALUE = 1\n", PATCHED + """
import gevent, gevent.event
sys.modules["gates"] = gates = type(sys)("gates")
gates.mod, gates.other = gevent.event.Event(), gevent.event.Event()
mod = load()
edit("VALUE = 1\\n", "other.py")
other = load("other")
for name in "mod", "other":
    edit(f'''
        import {name}, gates, mod, other
        VALUE = 2
        gates.{name}.wait()
        SEEN = mod.VALUE, other.VALUE
        assert {name}.VALUE == 2
        ''', name + ".py")
first = gevent.spawn(reload)
gevent.sleep(0)
assert "try again" in reload("inconclusive")["text"]
second = gevent.spawn(reload, name="other")
gevent.sleep(0)
assert (mod.VALUE, other.VALUE) == (1, 1)
gates.mod.set()
first.get()
assert (mod.VALUE, other.VALUE, mod.SEEN) == (2, 1, (2, 1))
gates.other.set()
second.get()
assert (other.VALUE, other.SEEN) == (2, (2, 2))
""")


def test_a_greenlet_that_ends_meanwhile(program):
    """Killed in the new body: it is undone as for any exception."""
    program("import tables\ndef old(): return 1\ntables.all.append(old)\n",
            PATCHED + """
import gevent
edit("all = []", "tables.py")
mod = load()
import tables
before = snapshot(mod), list(tables.all)
edit("import tables, time\\ndef old(): return 2\\n"
     "tables.all.append(old)\\ntime.sleep(60)\\n")
running = gevent.spawn(lazycore.reload, "mod")
gevent.sleep(0.01)
assert len(tables.all) == 2 and mod.old() == 1
running.kill()
assert (snapshot(mod), tables.all) == before, tables.all
assert type(mod) is type(sys)
edit("def old(): return 3\\n")
reload()
assert mod.old() == 3
""", files={"tables.py": "all = []\n"})


def test_code_that_goes_on(program):
    """Greenlets that stand in the old code go on with it."""
    program("""
        import gevent
        LIMIT = 1
        def steps():
            for n in range(3):
                gevent.sleep(0)
                yield n, LIMIT
        class Session:
            def name(self): return "old"
        """, PATCHED + """
import gevent
mod = load()
session, told = mod.Session(), []
def work():
    for step in mod.steps():
        told.append(step)
job = gevent.spawn(work)
while not told:
    gevent.sleep(0)
edit('''
    import gevent
    LIMIT = 2
    def steps(): yield "new"
    class Session:
        def name(self): return "new"
    ''')
gevent.spawn(reload).get()
job.join()
assert (told[0], told[-1]) == ((0, 1), (2, 2)), told
assert list(mod.steps()) == ["new"] and session.name() == "new"
""")


def test_without_patches(program):
    """Plain greenlets, by hand."""
    program("VALUE = 1\n", """
import greenlet
mod = load()
main = greenlet.getcurrent()
edit("import greenlet, mod\\nVALUE = 2\\n"
     "greenlet.getcurrent().parent.switch()\\nassert mod.VALUE == 2\\n")
running = greenlet.greenlet(reload)
running.switch()
assert mod.VALUE == 1
try:
    mod.new
except AttributeError:
    mod.new = 3
running.switch()
assert running.dead and mod.VALUE == 2
""")
