"""Each allocation of a statement, a load, a reload and a stats request fails
once: an error or none, never a crash, never a namespace with half of it.

    embed_starve starve.py [--stride N] [--first N] [SCENARIO...]

A stride of 1 tries all; each try is made in a forked copy of one process.
"""
import argparse
import builtins
import collections
import faulthandler
import importlib
import os
import pathlib
import sys
import tempfile
import traceback

import lazycore
import starve

FILES = {
    "target.py": """
        import part, colorsys
        from part import PART
        A = ["{version}"]
        text = "{version}"
        def function(): return "{version}", A[0]
        class Class:
            version = "{version}"
            def method(self): return Class.version
        def late(): return colorsys.rgb_to_hsv(0, 0, 0), part
        """,
    "part.py": """
        import keyword
        PART = "part"
        def iskeyword(word): return keyword.iskeyword(word)
        """,
    "pkg/__init__.py": "from .inner import INNER\nVALUE = 1\n",
    "pkg/inner.py": "INNER = 2\n",
    "pkg/mod.py": "MOD = 3\n",
    "tables.py": """
        import part as waiting
        class Box:
            held = {}
        class Tuned(dict): pass
        by_name, tuned = {"old": 1, "gone": 2}, Tuned(old=1)
        in_order, classes, members = [1, 2], [int, Box], {1, 2}
        def use(): return waiting
        """,
    "plug.py": """
        import tables
        VERSION = "{version}"
        class Plugin: pass
        def handler(): return VERSION
        tables.in_order.append(handler)
        tables.by_name["plug"] = handler
        """,
    "base.py": """
        NAME = "{version}"
        class Base:
            def method(self): return NAME
        def function(): return NAME
        """,
    "dependent.py": """
        import base
        from base import NAME, Base, function
        OWN = "{version}"
        class Derived(Base):
            def own(self): return OWN
        def all_of():
            return {NAME, base.NAME, OWN, function(), Derived().method(),
                    Derived().own()}
        """,
    "user.py": """
        import target
        from target import A, function, Class as Renamed
        import pkg.mod
        from pkg import mod as other, VALUE
        import part as piece
        def use():
            return (target.text, A, function(), Renamed().method(),
                    pkg.mod.MOD, other.MOD, VALUE, pkg.INNER, piece.PART)
        """,
}
NAMES = "target A function Renamed pkg other VALUE piece".split()


FAILING = """
import tables
VERSION = "2"
class Plugin: pass
def handler(): return VERSION
def register(table):
    table["plug"] = table["old"] = handler
    table["one"], table["other"] = [handler], Plugin()
    table[Plugin] = handler
register(tables.by_name)
register(tables.tuned)
register(tables.Box.held)
tables.in_order += [handler, Plugin()]
tables.classes[1] = Plugin
tables.members |= {handler, Plugin}
tables.waiting = handler
tables.fresh = Plugin
raise ValueError("by design")
"""


def write(version):
    for name, text in FILES.items():
        path = pathlib.Path(name)
        path.parent.mkdir(exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        path.write_text("\n".join(line[indent:] for line in lines)
                        .replace("{version}", version) + "\n")


def fed(function):
    """FUNCTION with all the memory it asks for."""
    def call(*args, **kwargs):
        left = starve.pause()
        try:
            return function(*args, **kwargs)
        finally:
            starve.resume(left)
    return call


def feed_cpython():
    """CPython's compiler crashes where an allocation fails, and importlib
    leaves its lock's own lock locked."""
    builtins.compile = fed(builtins.compile)
    lock = importlib._bootstrap._ModuleLock
    lock.acquire, lock.release = fed(lock.acquire), fed(lock.release)


def expected(version):
    return (version, [version], (version, version), version, 3, 3, 1, 2,
            "part")


def starved(at, action):
    """(whether an allocation failed, what was raised, the result)."""
    raised = result = None
    starve.arm(at)
    try:
        result = action()
    except BaseException as error:
        raised = error
    return starve.disarm(), raised, result


def of_memory(raised):
    """Whether lack of memory is behind it."""
    while raised is not None:
        if (isinstance(raised, MemoryError) or "emory" in str(raised)
                or "can't allocate" in str(raised)):
            return True
        raised = raised.__cause__ or raised.__context__
    return False


def is_importlibs(raised):
    """CPython forgets to say why, in what importlib calls of it."""
    frames = traceback.extract_tb(raised.__traceback__)
    return (isinstance(raised, SystemError)
            and frames[-1].filename.startswith("<frozen importlib"))


def check_names(user):
    """Each name is pending, or is what it ought to be."""
    pending = lazycore.pending(user)
    space = dict.copy(vars(user))
    for name in NAMES:
        assert name in space or name in pending, name
    if "target" in sys.modules:
        target = sys.modules["target"]
        for name, attribute in (("A", "A"), ("function", "function"),
                                ("Renamed", "Class")):
            if name not in pending:
                assert getattr(user, name) is getattr(target, attribute), name


class Statement:
    """The import statements of a module that is run."""

    def prepare(self):
        pass

    def attempt(self, at):
        fired, raised, _ = starved(at, lambda: __import__("user"))
        import user
        check_names(user)
        assert user.use() == expected("1")
        return fired, raised


class Load:
    """A pending name that is used."""

    def prepare(self):
        global user
        import user

    def attempt(self, at):
        fired, raised, value = starved(at, lambda: user.A)
        assert raised is not None or value == ["1"]
        check_names(user)
        assert user.use() == expected("1")
        assert not lazycore.pending(user)
        return fired, raised


class Reload:
    """A module whose file has changed."""

    def prepare(self):
        global user
        import user
        assert user.use() == expected("1")
        write("2")

    def attempt(self, at):
        fired, raised, answer = starved(
            at, lambda: lazycore.reload("target"))
        now = user.use()
        assert now in (expected("1"), expected("2")), (now, answer, raised)
        if raised is None and answer["verdict"] == "applied":
            assert now == expected("2"), answer
        elif raised is None:
            assert now == expected("1"), (now, answer)
            raised = MemoryError(answer["verdict"])
        lazycore.reload("target", force=True)
        assert user.use() == expected("2")
        check_names(user)
        return fired, raised


def held():
    """What the tables hold, and which names of theirs are pending."""
    import tables
    return {"by_name": dict(tables.by_name), "tuned": dict(tables.tuned),
            "box": dict(tables.Box.held), "in_order": list(tables.in_order),
            "classes": list(tables.classes), "members": set(tables.members),
            "names": sorted(map(str, dict.keys(tables.__dict__))),
            "pending": sorted(lazycore.pending(tables))}


class Undo:
    """A body that registers what it makes, and fails."""

    def prepare(self):
        import plug
        self.plug, self.old = plug, vars(plug).copy()
        self.before = held()
        assert self.before["pending"] == ["waiting"]
        # What tells of an exception is loaded for the first one.
        pathlib.Path("plug.py").write_text("raise ValueError")
        assert lazycore.reload("plug")["verdict"] == "failed"

    def attempt(self, at):
        pathlib.Path("plug.py").write_text(FAILING)
        fired, raised, answer = starved(at, lambda: lazycore.reload("plug"))
        assert vars(self.plug) == self.old
        assert raised is not None or answer["verdict"] == "failed", answer
        if fired and raised is None and "by design" not in answer["text"]:
            raised = MemoryError(answer["text"])
        assert held() == self.before
        import tables
        assert tables.use().PART == "part"
        write("3")
        assert lazycore.reload("plug")["verdict"] == "applied"
        assert self.plug.handler() == "3" == tables.by_name["plug"]()
        return fired, raised


class Again:
    """A body that puts into a list what its last run has put there."""

    def prepare(self):
        import plug
        self.plug = plug
        write("2")

    def attempt(self, at):
        fired, raised, answer = starved(at, lambda: lazycore.reload("plug"))
        import tables
        said = None if raised else answer["again"]
        now = self.plug.VERSION
        assert {each() for each in tables.in_order[2:]} == {now}
        assert tables.by_name["plug"]() == now
        assert len(tables.in_order) == (3 if now == "1" else 4), \
            tables.in_order
        if raised is None and answer["verdict"] == "applied":
            assert now == "2" and said == ["tables.in_order: handler"], answer
        elif raised is None:
            raised = MemoryError(answer["verdict"])
        return fired, raised


class Together:
    """A module and what imports it: all of it or nothing."""

    def prepare(self):
        import dependent
        self.kept, self.names = dependent.Derived(), vars(dependent)
        assert dependent.all_of() == {"1"}
        write("2")

    def attempt(self, at):
        fired, raised, answer = starved(
            at, lambda: lazycore.reload("base", dependents=True))
        now = self.names["all_of"]()
        assert now in ({"1"}, {"2"}), (now, raised, answer)
        assert {self.kept.own(), self.kept.method()} == now
        if raised is None and answer["verdict"] == "applied":
            assert now == {"2"}, answer
        elif raised is None:
            assert now == {"1"}, answer
            raised = MemoryError(answer["verdict"])
        return fired, raised


class Stats:
    """Counts and a module's record."""

    def prepare(self):
        global user
        import user
        user.use()

    def attempt(self, at):
        fired, raised, value = starved(
            at, lambda: (lazycore.stats(), lazycore.show("target")))
        whole = lazycore.stats(), lazycore.show("target")
        assert value is None or value[0].keys() == whole[0].keys()
        assert value is None or value[1].keys() == whole[1].keys()
        return fired, raised


SCENARIOS = {"statement": Statement, "load": Load, "reload": Reload,
             "undo": Undo, "again": Again,
             "together": Together, "stats": Stats}
NOT_FIRED, RAISED, UNRAISED, OTHER, WRONG, ALWAYS = range(31, 37)


def child(scenario, at):
    faulthandler.dump_traceback_later(20, exit=True)
    try:
        fired, raised = scenario.attempt(at)
    except BaseException:
        traceback.print_exc()
        return WRONG if starve.failed() else ALWAYS
    if not fired:
        return NOT_FIRED
    if raised is None:
        return UNRAISED
    if of_memory(raised) or is_importlibs(raised):
        return RAISED
    traceback.print_exception(raised)
    return OTHER


def attempts(name, first, stride):
    """In a copy of this process, so that scenarios do not meet."""
    scenario = SCENARIOS[name]()
    write("1")
    pathlib.Path("nothing.py").write_text("")
    import nothing  # its folder's finder is there from now on
    scenario.prepare()
    outcomes, at, bad = collections.Counter(), first, []
    while True:
        pid = os.fork()
        if pid == 0:
            os._exit(child(scenario, at))
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == NOT_FIRED:
            break
        if code == ALWAYS:
            bad.append((at, code))
            break
        outcomes[code] += 1
        if code not in (RAISED, UNRAISED):
            bad.append((at, code))
            print(f"{name}: allocation {at}: exit {code}", flush=True)
        at += stride
    print(f"{name}: {at - 1} allocations, {sum(outcomes.values())} tried: "
          f"{outcomes[RAISED]} raised, {outcomes[UNRAISED]} did without, "
          f"{len(bad)} went wrong", flush=True)
    return not bad and outcomes[RAISED] > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    fine = True
    for name in options.scenarios:
        with tempfile.TemporaryDirectory() as folder:
            pid = os.fork()
            if pid == 0:
                os.chdir(folder)
                sys.path.insert(0, folder)
                os._exit(not attempts(name, options.first, options.stride))
            fine = os.waitpid(pid, 0)[1] == 0 and fine
    sys.exit(not fine)


feed_cpython()
lazycore.install()
lazycore.rule("forks", False)  # each try loads for itself
main()
