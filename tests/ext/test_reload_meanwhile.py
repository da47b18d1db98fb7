"""DESIGN 5: what runs while a module is reloaded, and what the old code left."""

import pytest

from reloading import program  # noqa: F401 (a fixture)


def test_no_reader_sees_a_mix(program):
    """A thousand: tests/bench/reload_peers.py."""
    body = """
        FIRST = {n}
        with open(__file__) as file:
            file.read()
        import time
        time.sleep(0.0005)
        def both(): return FIRST, SECOND
        SECOND = {n}
        """
    program(body.format(n=0), f"""
import sys, threading
sys.setswitchinterval(1e-4)
mod = load()
body = {body!r}
mixed, reads, stop = [], [0] * 8, threading.Event()


def read(me):
    while not stop.is_set():
        first, second = mod.FIRST, mod.SECOND
        if first != second:
            mixed.append((first, second))
        first, second = mod.both()
        if first != second:
            mixed.append((first, second))
        reads[me] += 1


threads = [threading.Thread(target=read, args=(n,), daemon=True)
           for n in range(8)]
for thread in threads:
    thread.start()
LAST = 40
for n in range(1, LAST + 1):
    edit(body.format(n=n))
    reload()
stop.set()
for thread in threads:
    thread.join()
assert mixed == [] and min(reads) > 0, (mixed[:5], reads)
assert mod.both() == (LAST, LAST)
""")


def test_code_that_the_body_started_runs_on(program):
    program("", """
import gc
import threading
mod = load()
edit('''
    import threading
    VALUE = 1
    begun, go, seen = threading.Event(), threading.Event(), []
    def work():
        begun.set()
        go.wait()
        seen.append(VALUE)
    def count():
        while True:
            yield VALUE
    def fail():
        local = VALUE
        raise ValueError
    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    generator = count()
    next(generator)
    try:
        fail()
    except ValueError as error:
        kept = error
''')
result = reload()
assert any("runs on" in line for line in result["unrepaired"]), result
thread, generator, seen, kept = (mod.thread, mod.generator, mod.seen,
                                 mod.kept)
mod.go.set()
thread.join()
for _ in range(3):
    edit("VALUE = 2")
    reload(force=True)
    gc.collect()
assert seen == [1] and next(generator) == 1
frame = kept.__traceback__.tb_next.tb_frame
assert frame.f_globals["VALUE"] == 1 and frame.f_locals["local"] == 1
assert kept.__traceback__.tb_frame.f_globals["VALUE"] == 1
""")


def test_reload_while_the_old_code_is_on_the_stack(program):
    program("""
        def outer(inside):
            before = VALUE
            inside()
            return before, VALUE, helper()
        def helper(): return 1
        VALUE = 1
        """, """
mod = load()


def inside():
    edit('''
        def outer(inside, more=None): return "new"
        def helper(): return 2
        VALUE = 2
    ''')
    reload()


assert mod.outer(inside) == (1, 2, 2)
assert mod.outer(inside) == "new"
""")


def test_old_generations_are_not_kept(program):
    program("", """
import gc
mod = load()


def count(n):
    for _ in range(n):
        edit('''
            class C:
                def f(self): return super().__repr__()
            def f(): return C()
            DATA = [object() for _ in range(100)]
        ''')
        reload(force=True)
    gc.collect()
    return len(gc.get_objects())


first = count(5)
assert count(20) - first < 50
assert object.__subclasses__().count(mod.C) == 1
assert [c.__name__ for c in object.__subclasses__()
        if c.__module__ == "mod"] == ["C"]
""")


NOISY = """
        from log import LOG
        class Noisy:
            def __del__(self):
                LOG.append((FIRST, SECOND))
        FIRST = 1
        noisy = Noisy()
        SECOND = 1
        """


@pytest.mark.parametrize("forget, log", [
    (True, [(2, 2), (3, 3), (4, 4), (5, 5)]), (False, [(5, 5)])])
def test_finalizers_run_after_the_step(program, forget, log):
    """Those of what a generation holds, once that is not kept any more."""
    program(NOISY, f"""
import gc
mod, log = load(), load("log").LOG
text = open(mod.__file__).read()
for n in range(2, 6):
    edit(text.replace("= 1", f"= {{n}}"))
    reload(forget={forget})
gc.collect()
assert log == {log}, log
""", files={"log.py": "LOG = []"})


def test_the_collector_is_as_it_was_where_code_runs(program):
    program("def f(): return 1\n", """
import gc
mod, tables = load(), load("tables")
edit('''
    import tables
    def f(): return 2
    tables.TABLE["a"] = tables.TABLE["b"] = f
    tables.KEYS.add(tables.Key(f))
    tables.seen.clear()
    1 / 0
''')
reload("failed")
assert tables.seen == [True, False, False], tables.seen
assert not gc.isenabled() and tables.TABLE == {} and not tables.KEYS
""", files={"tables.py": """\
    import gc
    seen = []
    class Table(dict):
        def __delitem__(self, key):
            seen.append(gc.isenabled())
            gc.disable()
            super().__delitem__(key)
    TABLE = Table()
    class Key:
        def __init__(self, f):
            self.f = f
        def __hash__(self):
            seen.append(gc.isenabled())
            return 1
    KEYS = set()
    """})


def test_large_tables_take_no_longer_than_their_size(program):
    program("def f(): return 1\n", """
import time
mod, tables = load(), load("tables")
edit('''
    import tables
    def f(): return 2
    for i in range(20000):
        def g(): pass
        tables.HANDLERS["n%d" % i] = g
        tables.PLUGINS.append(g)
    1 / 0
''')
tables.HANDLERS.update(("n%d" % i, i) for i in range(20000))
tables.PLUGINS.extend(range(1000, 6000))
start = time.process_time()
reload("failed")
assert time.process_time() - start < 4
assert list(tables.HANDLERS.values()) == list(range(20000))
assert tables.PLUGINS == list(range(1000, 6000))
""", files={"tables.py": "HANDLERS, PLUGINS = {}, []\n"})


def test_code_that_runs_while_it_is_taken_out(program):
    """Keys and members that empty the tables, raise, change their hash;
    tables in themselves; what is finalised by it."""
    program("", """
import gc
mod, tables = load(), load("tables")
edit('''
    import tables
    class C:
        def __del__(self):
            tables.dead += 1
            for table in tables.ALL:
                table.clear()
        def __eq__(self, other):
            1 / 0
        def __hash__(self):
            tables.dead += 1
            return tables.dead
    class Meta(type):
        def __hash__(self):
            for table in tables.ALL:
                table.clear()
            return 1
        def __eq__(self, other):
            raise KeyError
    class K(metaclass=Meta): pass
    for i in range(50):
        tables.D[i] = tables.D[f"k{i}"] = C()
        tables.D[C()] = tables.D[K] = i
        tables.L += [C(), K]
        tables.S.update([C(), i])
        tables.O[C()] = tables.O[f"a{i}"] = C()
        tables.DEFAULT[i].append(C())
        tables.WEAK[i] = C()
        tables.QUEUE.append(C())
        tables.OWN += [tables.OWN, C()]
    tables.SELF["self"] = tables.SELF
    tables.SELF["c"] = C(), tables.SELF
    def generate():
        c = C()
        yield c
    tables.running = generate()
    next(tables.running)
    tables.proxy = K.__dict__
    1 / 0
''')
for i in range(20):
    reload("failed")
    gc.collect()
assert tables.dead
""", files={"tables.py": """\
    import collections, weakref
    D, L, S = {1: 2, "a": 3}, [1, 2], {1, 2}
    O, DEFAULT = collections.OrderedDict(a=1), collections.defaultdict(list)
    WEAK, QUEUE = weakref.WeakValueDictionary(), collections.deque()
    OWN, SELF, dead = [], {}, 0
    ALL = D, L, S, O, DEFAULT, OWN
    """})
