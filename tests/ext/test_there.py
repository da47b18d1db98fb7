"""Imports of what is loaded and bound already: they give what importlib would
give, and load what importlib would load."""
import pytest

FILES = {
    "pk/__init__.py": "name = 'of pk'\n",
    "pk/mod.py": "name = 'of pk.mod'\nfrom . import name as outer\n",
    "pk/late.py": "name = 'of pk.late'\n",
    "plain.py": "name = 'of plain'\n",
}


def test_calls(both):
    """__import__() with every kind of argument, in a module and a function."""
    run = both(FILES, """\
        import sys
        import pk.mod, plain
        pk.mod.name, plain.name
        within = {"__package__": "pk"}
        calls = [
            ("pk",), ("pk.mod",), ("plain",),
            ("pk.mod", globals(), globals(), None, 0),
            ("pk.mod", globals(), globals(), (), 0),
            ("pk.mod", globals(), globals(), [], 0),
            ("pk.mod", globals(), globals(), ("name",), 0),
            ("pk.mod", globals(), globals(), ["name"], 0),
            ("pk.mod", globals(), globals(), ("absent",), 0),
            ("pk", globals(), globals(), ("__doc__", "__dict__"), 0),
            ("pk", globals(), globals(), (1,), 0),
            ("", within, None, ("mod",), 1),
            ("mod", within, None, (), 1),
            ("mod", within, None, ("name",), 1),
            ("mod", {"__package__": "pk.mod"}, None, ("name",), 2),
            ("mod", within, None, ("name",), 3),
            ("absent", within, None, ("name",), 1),
            ("pk", globals(), globals(), ("name", "late"), 0),
        ]
        def show(call):
            try:
                module = call()
            except Exception as error:
                print(type(error).__name__, error)
            else:
                print(module.__name__, sorted(
                    name for name in sys.modules if name.startswith("pk")))
        for call in calls:
            show(lambda: __import__(*call))
            try:
                print(__import__(*call).__name__)
            except Exception as error:
                print(type(error).__name__, error)
        """)
    assert run.out.endswith("pk ['pk', 'pk.late', 'pk.mod']\npk\n")


@pytest.mark.parametrize("change", [
    "del sys.modules['pk']",
    "del sys.modules['pk.mod']",
    "sys.modules['pk'] = type(sys)('pk'); sys.modules['pk'].mod = 'other'",
    "sys.modules['pk'] = Odd()",
    "sys.modules['pk.mod'] = Odd()",
    "sys.modules['pk.mod'] = None",
    "del pk.mod.name",
    "del pk.mod",
    "pk.mod.__class__ = Module",
])
def test_what_is_no_longer_there(both, change):
    """Changes of sys.modules and of modules, before a statement in a function
    and one in a module."""
    statements = ["import pk.mod", "import pk.mod as found",
                  "from pk.mod import name", "from pk import mod as found"]
    modules = {f"again_{i}.py": statement + "\n"
               for i, statement in enumerate(statements)}
    uses = "".join(f"""\
def use_{i}():
    {statement}
    return {statement.split()[-1]}
""" for i, statement in enumerate(statements))
    both({**FILES, **modules}, f"""\
import sys
import pk.mod
class Odd:
    name = "of an odd one"
    def __repr__(self):
        return "odd"
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return "any " + name
class Module(type(sys)):
    def __getattribute__(self, name):
        return "given" if name == "name" else super().__getattribute__(name)
def said(value):
    return value if isinstance(value, str) else repr(value).split(" from")[0]
{uses}
def again_(i):
    module = __import__(f"again_{{i}}")
    return [(name, said(getattr(module, name)))
            for name in ("pk", "found", "name") if hasattr(module, name)]
for i in range(4):
    for what in globals()[f"use_{{i}}"], lambda: again_(i):
        for name in "pk.mod", "pk":
            sys.modules.pop(name, None)
        import pk.mod
        pk.mod.name
        {change}
        try:
            print(i, said(what()))
        except Exception as error:
            print(i, type(error).__name__, error)
""")


def test_a_module_that_another_thread_loads(both):
    """A from-import waits for it, though the name is bound already."""
    run = both({"slow.py": """\
            import steps
            name = 1
            steps.began.set()
            steps.asked.wait(30)
            end = 2
            """, "steps.py": "import threading\nbegan = threading.Event()\n"
                             "asked = threading.Event()\n",
                "user.py": "from slow import name\nimport slow\n"
                           "end = getattr(slow, 'end', None)\n"}, """\
        import threading
        import steps
        def load():
            import slow
        def ask():
            from slow import name
            import slow
            found.append(getattr(slow, "end", None))
        def main():
            threads = [threading.Thread(target=load)]
            threads[0].start()
            steps.began.wait(30)
            threads += [threading.Thread(target=ask) for i in range(3)]
            for thread in threads[1:]:
                thread.start()
            threading.Timer(0.05, steps.asked.set).start()
            import user
            for thread in threads:
                thread.join()
            print(user.end, found)
        found = []
        main()
        """)
    assert run.out == "2 [2, 2, 2]\n"


def test_another_import_under_ours(lazily):
    """What stood in builtins before lazycore came is asked every time."""
    run = lazily(FILES, """\
        import builtins
        import lazycore
        import pk.mod
        pk.mod.name
        calls = []
        lazycore.uninstall()
        before = builtins.__import__
        def counting(name, *args, **how):
            calls.append(name)
            return before(name, *args, **how)
        builtins.__import__ = counting
        lazycore.install()
        import pk.mod
        from pk.mod import name
        def f():
            from pk import mod
            return mod, name
        f()
        lazycore.uninstall()
        builtins.__import__ = before
        print([name for name in calls if name.startswith("pk")])
        """)
    assert run.out == "['pk.mod', 'pk.mod', 'pk']\n"
