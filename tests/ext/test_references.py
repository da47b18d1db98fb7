"""What is loaded, fails or is reloaded again and again leaves no reference:
under an interpreter that counts them all (a debug build)."""
import subprocess
import textwrap

import pytest

from conftest import interpreter

CYCLES = """\
import gc, importlib, sys
import lazycore

def measured(cycle, rounds=60, warm=30):
    for _ in range(warm):
        cycle()
    gc.collect()
    before = sys.gettotalrefcount()
    for _ in range(rounds):
        cycle()
    gc.collect()
    return (sys.gettotalrefcount() - before) / rounds

def forget(*names):
    for name in names:
        sys.modules.pop(name, None)
    gc.collect()

"""

PROGRAMS = {
    "load": """
        def cycle():
            user = importlib.import_module("user")
            assert user.use() == (1, 1, "dep", 2)
            forget("user", "dep", "pack", "pack.sub", "other")
        """,
    "pending": """
        def cycle():
            importlib.import_module("user")
            forget("user", "dep", "pack", "pack.sub", "other")
        """,
    "fail": """
        def cycle():
            user = importlib.import_module("failing")
            try:
                user.use()
            except ImportError:
                forget("failing", "broken")
        """,
    "reload": """
        import user
        user.use()
        state = []
        def cycle():
            state.append(None)
            with open("dep.py", "w") as file:
                file.write("value = 1\\ndef f():\\n    return %d\\n"
                           "class K:\\n    n = %d\\n"
                           % (len(state) % 2, len(state) % 3))
            result = lazycore.reload("dep", force=True)
            assert result["verdict"] == "applied", result
            state[:] = [None] * (len(state) % 6)
        """,
    "reload and rollback": """
        import user
        user.use()
        state = []
        def cycle():
            state.append(None)
            with open("dep.py", "w") as file:
                file.write("value = 1\\ndef f(a=[]):\\n    return %d\\n"
                           "class K:\\n    n = %d\\n    def m(self): pass\\n"
                           % (len(state) % 2, len(state) % 3))
            result = lazycore.reload("dep", force=True)
            assert result["verdict"] == "applied", result
            assert lazycore.rollback("dep")["verdict"] == "applied"
            state[:] = [None] * (len(state) % 6)
        """,
    "reload with dependents": """
        import user
        user.use()
        def cycle():
            result = lazycore.reload("dep", force=True, dependents=True)
            assert result["verdict"] == "applied", result
            assert [o["verdict"] for o in result["others"]] == [
                "refused", "applied"], result
            assert lazycore.rollback("user")["verdict"] == "applied"
        """,
    "reload that is taken back": """
        import user
        user.use()
        def cycle():
            with open("dep.py", "w") as file:
                file.write("import sys, other\\nclass K: pass\\n"
                           "def f(): pass\\nother.held = [f, K, K()]\\n"
                           "sys.modules[__name__].value = 2\\n1 / 0\\n")
            result = lazycore.reload("dep", force=True)
            assert result["verdict"] == "failed", result
        """,
    "reload that tries all tables": """
        import dep, tables
        dep.value
        tables.TABLE
        def cycle():
            with open("dep.py", "w") as file:
                file.write("import tables\\ndef f(): pass\\nclass K: pass\\n"
                           "tables.colorsys = tables.quopri = f\\n"
                           "tables.TABLE.update(a=f, b=K, c=K())\\n"
                           "tables.TABLE[K] = tables.OWN['a'] = f\\n"
                           "tables.LIST += [f, K(), (K,)]\\n"
                           "tables.LIST[0] = f\\n"
                           "tables.SET |= {f, K, K()}\\n"
                           "tables.Own.f = f\\n1 / 0\\n")
            result = lazycore.reload("dep", force=True)
            assert result["verdict"] == "failed", result
            assert tables.TABLE == {"a": 1} and len(tables.LIST) == 2
            assert lazycore.pending(tables) == ["colorsys", "quopri"]
        """,
    "reload that fails": """
        import user
        user.use()
        def cycle():
            with open("dep.py", "w") as file:
                file.write("value = 1\\nraise KeyError('no')\\n")
            result = lazycore.reload("dep", force=True)
            assert result["verdict"] == "failed", result
        """,
}

FILES = {
    "user.py": """\
        import dep
        import pack.sub
        from pack.sub import value
        from dep import value as one
        import other as alias

        def use():
            return one, dep.value, pack.sub.value and "dep", alias.two
        """,
    "dep.py": "value = 1\n",
    "pack/__init__.py": "",
    "pack/sub.py": "value = 1\n",
    "other.py": "two = 2\n",
    "tables.py": """\
        import colorsys, quopri
        class Own(dict):
            def __setitem__(self, key, value):
                super().__setitem__(key, value)
        TABLE, LIST, SET, OWN = {"a": 1}, [int, str], {1}, Own()
        def use(): return colorsys, quopri
        """,
    "failing.py": "import broken\nuse = lambda: broken.x\n",
    "broken.py": "import dep\nraise ImportError('broken')\n",
}


def counts_references():
    code = "import sys; sys.exit(not hasattr(sys, 'gettotalrefcount'))"
    return subprocess.run([interpreter(), "-c", code]).returncode == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_references_stay_flat(lazily, name):
    if not counts_references():
        pytest.skip("needs a debug build of Python")
    run = lazily(FILES, CYCLES + textwrap.dedent(PROGRAMS[name])
                 + "print(measured(cycle))\n")
    # A dict that grows, an interned text: less than one in two rounds.
    assert abs(float(run.out)) < 0.5, run.out
