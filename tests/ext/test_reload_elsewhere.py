"""A body that fails leaves nothing of its own in tables of other modules."""
from reloading import *  # noqa: F401, F403  the fixture `program`

# Tables as programs have them; what() is all of it as plain data.
TABLES = """\
    import functools
    HANDLERS, NESTED, BY_CLASS = {}, {"get": {}}, {}
    PLUGINS, PAIRS, WRAPPED = [], [], []
    NAMES = set()
    hook = None
    class Base:
        registry = []
        def __init_subclass__(cls):
            Base.registry.append(cls)
    class App:
        def __init__(self):
            self.routes = {}
            self.on_start = []
        def route(self, path):
            return lambda f: self.routes.setdefault(path, f) and f
    app = App()
    class Command:
        def __init__(self, call):
            self.call = call
    COMMANDS = []
    class Slotted:
        __slots__ = "call",
        def __init__(self, call):
            self.call = call
    class Ordered(dict):
        sets = 0
        def __setitem__(self, key, value):
            self.sets += 1
            super().__setitem__(key, value)
    OWN = Ordered()
    class Key:
        def __init__(self, n):
            self.n = n
        def __hash__(self):
            return self.n
        def __eq__(self, other):
            return self.n == other.n
    @functools.singledispatch
    def area(shape):
        return 0
    def wrap(function):
        @functools.wraps(function)
        def wrapper():
            return function()
        WRAPPED.append(wrapper)
        return wrapper
    def what():
        return [list(HANDLERS.items()), list(NESTED["get"].items()),
                list(BY_CLASS.items()), list(PLUGINS), list(PAIRS),
                list(WRAPPED), sorted(NAMES, key=id), hook,
                list(Base.registry), list(app.routes.items()),
                list(app.on_start), list(COMMANDS), list(OWN.items()),
                sorted(area.registry, key=id)]
    """
GOOD = """\
    import tables
    def f(): return 1
    class C: n = 1
    tables.HANDLERS["f"] = f
    tables.PLUGINS.append(C)
    tables.PAIRS.append(("f", f))
    tables.NAMES.add(f)
    tables.BY_CLASS[C] = "C"
    tables.hook = f
    tables.OWN["f"] = f
    @tables.app.route("/")
    def index(): return 1
    """
# Each line on its own, too: what it does must be undone to the last bit.
LINES = '''\
tables.HANDLERS["new"] = g
tables.HANDLERS["f"] = g
tables.HANDLERS["f"] = f
tables.NESTED["get"]["new"] = g
tables.NESTED["get"][1] = C()
tables.BY_CLASS[C] = "again"
tables.BY_CLASS[D] = "D"
tables.PLUGINS.append(C)
tables.PLUGINS.extend([D, D(), g])
tables.PLUGINS.insert(0, D)
tables.PLUGINS[0] = D
tables.PLUGINS[0] = D; tables.PLUGINS.append(D)
tables.PLUGINS[:] = [*tables.PLUGINS, D, *tables.PLUGINS[:0]]
tables.PAIRS.append(("g", g))
tables.PAIRS.append({"call": g})
tables.PAIRS += [[g], D().m]
tables.NAMES.update([g, D, D()])
tables.hook = g
tables.fresh = g
tables.app.on_start.append(g)
tables.app.route("/new")(g)
tables.COMMANDS.append(tables.Command(g))
tables.COMMANDS.append(tables.Slotted(D()))
tables.OWN["g"] = g
tables.OWN["f"] = g
tables.HANDLERS[tables.Key] = g
tables.HANDLERS["a", 1] = g
tables.area.register(D, g)
tables.wrap(g)
type("E", (tables.Base,), {"m": g})
import functools; tables.PLUGINS.append(functools.partial(g, 1))
class F(tables.Base): pass
'''
BAD = """\
    import tables
    def f(): return 2
    def g(*args): return 2
    class C: n = 2
    class D:
        def m(self): return 2
    {line}
    raise ValueError
    """


def test_nothing_of_a_failed_body_stays_elsewhere(program):
    program(GOOD, f"""
mod, tables = load(), load("tables")
for line in {LINES.splitlines()!r}:
    before, names = tables.what(), dict(vars(tables))
    here = snapshot(mod)
    edit({BAD!r}.format(line=line))
    reload("failed")
    now = tables.what()
    assert len(now) == len(before)
    for old, new in zip(before, now):
        assert old == new, (line, old, new)
    assert vars(tables) == names, line
    assert snapshot(mod) == here, line
    assert mod.f() == 1 and mod.C.n == 1, line
# In all tables at once.
edit({BAD!r}.format(line="\\n    ".join({LINES.splitlines()!r})))
reload("failed")
assert tables.what() == before
assert all(f() == 1 for f in tables.HANDLERS.values())
""", files={"tables.py": TABLES})


def test_what_is_not_certainly_its_own_stays(program):
    """Numbers and text, what it took away, what others put there meanwhile,
    also in the very list."""
    program("""
        import tables
        def f(): return 1
        tables.PLUGINS.append(f)
        """, """
mod, tables = load(), load("tables")
import threading
theirs = object()
tables.PAIRS[:] = [1, 2]
begun, done = threading.Event(), threading.Event()
tables.begun, tables.done = begun, done
def other():
    begun.wait()
    tables.PLUGINS.append(theirs)
    tables.HANDLERS["theirs"] = len
    done.set()
thread = threading.Thread(target=other)
thread.start()
edit('''
    import tables
    def f(): return 2
    tables.HANDLERS["number"] = 1
    tables.HANDLERS["mine"] = f
    tables.PLUGINS.append(f)
    tables.begun.set()
    tables.done.wait()
    tables.PLUGINS.append(lambda: 1)
    gone = tables.PAIRS.pop(0)
    tables.PAIRS.append(f)
    tables.NAMES.add("text")
    1 / 0
''')
reload("failed")
thread.join()
assert tables.PLUGINS == [mod.f, theirs], tables.PLUGINS
assert tables.HANDLERS == {"number": 1, "theirs": len}, tables.HANDLERS
assert tables.NAMES == {"text"} and tables.PAIRS == [2], tables.PAIRS
assert mod.f() == 1
""", files={"tables.py": TABLES})


def test_a_body_that_succeeds_keeps_what_it_puts_there(program):
    program("import tables\n", """
mod, tables = load(), load("tables")
edit('''
    import tables
    def f(): return 2
    tables.HANDLERS["new"] = f
    tables.PLUGINS.append(f)
''')
reload()
assert tables.HANDLERS == {"new": mod.f} and tables.PLUGINS == [mod.f]
""", files={"tables.py": TABLES})


def test_what_is_registered_once_more_is_told(program):
    """Lists that have no use for an identity that is kept: the new function
    was not in it. And nothing is told of other tables."""
    body = """
        import tables
        def f(): return {n}
        class C(tables.Base): n = {n}
        tables.HANDLERS["f"] = f
        tables.NAMES.add(f)
        tables.PLUGINS.append(C)
        tables.PAIRS.append(("f", f))
        tables.app.on_start.append(C())
        if f not in tables.COMMANDS:
            tables.COMMANDS.append(f)
        """
    program(body.format(n=1), f"""
mod, tables = load(), load("tables")
for n in 2, 3:
    edit({body!r}.format(n=n))
    answer = reload()
    assert sorted(answer["again"]) == [
        "an instance of tables.App: a C", "class tables.Base: C",
        "tables.COMMANDS: f", "tables.PAIRS: a tuple", "tables.PLUGINS: C"
        ], answer["again"]
assert tables.PLUGINS == [mod.C] * 3
edit({body!r}.format(n=4) + "\\n1 / 0\\n")
assert reload("failed")["again"] == []
edit("def f(): return 5")
assert reload()["again"] == []
""", files={"tables.py": TABLES})


def test_all_bodies_of_a_transaction(program):
    """Of which only the last one fails; and a strict one that is refused."""
    program("def f(): return 1\n", """
tables, user = load("tables"), load("user")
assert user.f is load().f
edit('''
    import tables
    def f(): return 2
    tables.HANDLERS["f"] = f
''')
edit('''
    from mod import f
    import tables
    def u(): return 2
    tables.HANDLERS["u"] = u
    tables.PLUGINS.append((f, u))
    1 / 0
''', "user.py")
reload("failed", dependents=True)
assert tables.HANDLERS == {} and tables.PLUGINS == []
edit('''
    import tables
    class C: __slots__ = ("a",)
    tables.PLUGINS.append(C)
''')
reload()
C, = tables.PLUGINS
edit('''
    import tables
    class C: __slots__ = ("a", "b")
    tables.PLUGINS.append(C)
''')
reload("refused", strict=True)
assert tables.PLUGINS == [C]
""", files={"tables.py": TABLES, "user.py": "from mod import f\nf\n"})


def test_pending_names_stay_pending(program):
    """Noting what modules hold loads nothing."""
    program("def f(): return 1\n", """
mod, user = load(), load("user")
assert lazycore.pending(user) == ["colorsys", "quopri"]
edit('''
    import user
    def f(): return 2
    user.table["f"] = user.g = f
    1 / 0
''')
reload("failed")
assert lazycore.pending(user) == ["colorsys", "quopri"]
assert user.table == {} and not hasattr(user, "g")
assert "colorsys" not in sys.modules
assert user.use() is sys.modules["colorsys"]
""", files={"user.py": "import colorsys, quopri\ntable = {}\n"
                       "def use(): return colorsys\n"
                       "def other(): return quopri\n"})


def test_a_class_that_the_body_patches_is_not_of_its_making(program):
    """Nor are its instances, which other threads go on making."""
    program("def f(): return 1\n", """
mod, tables = load(), load("tables")
import threading
begun, done = threading.Event(), threading.Event()
tables.begun, tables.done = begun, done
class_of_mine = type("Local", (), {"m": len})
def other():
    begun.wait()
    command = tables.Command(1)
    tables.COMMANDS.append(command)
    tables.HANDLERS["theirs"] = tables.NESTED["get"][1] = command
    tables.PLUGINS.append(tables.Command)
    done.set()
thread = threading.Thread(target=other)
thread.start()
edit('''
    import tables
    def f(): return 2
    tables.Command.call_it = f
    tables.App.route.f = f
    tables.begun.set()
    tables.done.wait()
    class E(tables.Command): pass
    tables.COMMANDS.append(E(1))
    1 / 0
''')
reload("failed")
thread.join()
command, = tables.COMMANDS
assert tables.HANDLERS == {"theirs": command}
assert tables.NESTED == {"get": {1: command}}
assert tables.PLUGINS == [tables.Command]
""", files={"tables.py": TABLES})


def test_what_a_thread_takes_from_a_list_does_not_come_back(program):
    """It took the last of a pool, and the body's addition is there now."""
    program("def f(): return 1\n", """
mod, tables = load(), load("tables")
import threading
tables.begun, tables.done = threading.Event(), threading.Event()
pool = tables.PLUGINS
pool[:] = [object(), object()]
first, taken = pool[0], []
def other():
    tables.begun.wait()
    taken.append(pool.pop())
    tables.done.set()
thread = threading.Thread(target=other)
thread.start()
edit('''
    import tables
    def f(): return 2
    tables.begun.set()
    tables.done.wait()
    tables.PLUGINS.append(f)
    1 / 0
''')
reload("failed")
thread.join()
assert pool == [first] and len(taken) == 1
""", files={"tables.py": TABLES})


@pytest.mark.parametrize("between", [
    "pass",
    # The name is an ordinary one again before the body fails.
    "for i in range(3000): exec('def g(): pass\\ng()')",
    "import sys; sys.modules['user'].__dict__.pop('colorsys')\n"
    "    user.colorsys = f",
    "import importlib; importlib.import_module('colorsys')",
])
def test_what_was_pending_is_pending_again(program, between):
    program("def f(): return 1\n", f"""
mod, user = load(), load("user")
for i in range(3):
    edit('''
    import user
    def f(): return 2
    user.colorsys = user.rgb = user.q = user.N = user.fresh = f
    {between}
    1 / 0
''')
    reload("failed")
    assert "quopri" not in sys.modules
    assert ("colorsys" in sys.modules) == ("importlib" in {between!r})
    if "colorsys" not in sys.modules:
        assert "colorsys" in lazycore.pending(user)
    assert user.N == 1 and not hasattr(user, "fresh")
colorsys, rgb, quopri = user.use()
assert colorsys is sys.modules["colorsys"] and rgb is colorsys.hls_to_rgb
assert quopri is sys.modules["quopri"] and lazycore.pending(user) == []
edit('''
    import user
    def f(): return 2
    user.colorsys = user.rgb = user.q = f
    1 / 0
''')
reload("failed") # bound names, whose keys may still be the engine's
assert user.use() == (colorsys, rgb, quopri)
""".replace("\\n", "\\\\n"), files={"user.py": """\
    import colorsys
    from colorsys import hls_to_rgb as rgb
    import quopri as q
    N = 1
    def use(): return colorsys, rgb, q
    """})


def test_a_table_that_forbids_it(program):
    """The body took the old entry away, or got around the class."""
    program("""
        import tables
        def f(): return 1
        tables.ONCE["f"] = f
        """, """
mod, tables = load(), load("tables")
for how in ("tables.ONCE['f'] = f",
            "dict.__setitem__(tables.ONCE, 'f', f)",
            "dict.pop(tables.ONCE, 'f'); tables.ONCE['f'] = f",
            "tables.ONCE['g'] = f",
            "tables.ORDERED['f'] = f; tables.ORDERED.move_to_end('a')"):
    edit(f'''
    import tables
    def f(): return 2
    {how}
    1 / 0
''')
    reload("failed")
    assert tables.ONCE == {"f": mod.f}, how
    assert list(tables.ORDERED.items()) == [("b", 2), ("a", 1)] or (
        list(tables.ORDERED) == ["a", "b"]), how
assert mod.f() == 1
""", files={"tables.py": """\
    import collections
    ORDERED = collections.OrderedDict(a=1, b=2)
    class Once(dict):
        def __setitem__(self, key, value):
            if key in self:
                raise KeyError("twice")
            super().__setitem__(key, value)
        def __delitem__(self, key):
            raise TypeError("for ever")
    ONCE = Once()
    """})
