"""DESIGN 4.2, finding: the statement finds the module and keeps its spec.

Once, through the other finders, without running a parent where that can be
avoided. What there is to find: test_kinds.py.
"""

import os

import pytest

COUNTER = """\
    import sys
    calls = []
    class Counter:
        @staticmethod
        def find_spec(name, path=None, target=None):
            calls.append(name)
    sys.meta_path.insert(1, Counter)
    """


@pytest.mark.parametrize("statement, use, names", [
    ("import dep", "dep.value", ["dep"]),
    ("from dep import value", "value", ["dep"]),
    ("import pk.sub", "pk.sub.value", ["pk", "pk.sub"]),
    ("from pk.sub import value", "value", ["pk", "pk.sub"]),
    ("import pk.sub as s", "s.value", ["pk", "pk.sub"]),
])
def test_spec_is_found_once(both, statement, use, names):
    """4.2: found once, not twice: our finder hands over the kept spec."""
    run = both({"counter.py": COUNTER, "dep.py": "value = 1\n",
                "pk/__init__.py": "", "pk/sub.py": "value = 2\n",
                "user.py": f"{statement}\ndef f():\n    return {use}\n"}, """\
        import counter
        counter.calls.clear()
        import user
        def main():
            user.f()
            user.f()
            print([n for n in counter.calls if n[:2] in ("de", "pk")])
        main()
        """)
    assert run.out == repr(names) + "\n"


def test_finder_is_first_and_leaves_with_uninstall(lazily):
    """4.2: our finder stands first on sys.meta_path while installed."""
    lazily({}, """\
        import sys
        import lazycore
        def kinds():
            return [type(f).__name__ for f in sys.meta_path]
        assert kinds()[0] == "LazyFinder", kinds()
        assert kinds().count("LazyFinder") == 1
        lazycore.uninstall()
        assert "LazyFinder" not in kinds(), kinds()
        lazycore.install()
        assert kinds()[0] == "LazyFinder"
        """)


def test_find_spec_by_user_code_forgets_nothing(both):
    """ENGINE: a find_spec() by user code may ask our finder without loading:
    the spec is handed over and stays kept."""
    run = both({"dep.py": "value = 1\n"}, """\
        import sys
        import importlib.util
        import dep
        def main():
            spec = importlib.util.find_spec("dep")
            print(spec.name, spec.origin.endswith("dep.py"))
            print(importlib.util.find_spec("dep").name)
            print(dep.value)
            print(importlib.util.find_spec("dep") is dep.__spec__)
        main()
        """)
    assert run.state("dep") == "real"


def test_find_spec_by_user_code_gives_the_kept_one(both):
    """The same after sys.path changed: what the statement found."""
    both({"dep.py": "value = 1\n", "other/dep.py": "value = 2\n"}, """\
        import sys
        import importlib.util
        import dep
        def main():
            spec = importlib.util.find_spec
            sys.path[:] = ["other"]
            print(spec("dep").origin.split("/")[-2] == "other")
            print(dep.value)
        main()
        """)


@pytest.mark.parametrize("change", [
    "sys.path.clear()", "sys.path[:] = ['other']",
    "sys.path.insert(0, 'other')",
    "sys.path_hooks.clear()\nsys.path_importer_cache.clear()",
])
def test_path_changed_after_the_statement(both, change):
    """Trap `sys.path` changed between statement and use: changes nothing."""
    change = change.replace("\n", "\n            ")
    both({"dep.py": "value = 'right'\n", "other/dep.py": "value = 'wrong'\n"},
         f"""\
        import sys
        import dep
        def main():
            sys.path
            {change}
            print(dep.value)
        main()
        """)


@pytest.mark.parametrize("statement", [
    "import nowhere", "import nowhere.sub", "import nowhere as n",
    "from nowhere import name", "import pk.nowhere", "import pk.nowhere as n",
    "from pk.nowhere import name", "import dep.sub",
    "from dep.sub import name", "import json.nowhere",
])
def test_missing_module_is_an_error_at_the_statement(both, statement):
    """4.2: a module that is not there is an ImportError at the statement."""
    run = both({"dep.py": "", "pk/__init__.py": "",
                "user.py": f"x = 1\n{statement}\ny = 2\n"
                           "def use():\n    return nowhere, name, n, pk, "
                           "dep, json\n"}, """\
        try:
            import user
        except ImportError as error:
            print(type(error).__name__, error, error.name)
            tb = error.__traceback__.tb_next
            while "importlib" in tb.tb_frame.f_code.co_filename:
                tb = tb.tb_next
            print(tb.tb_frame.f_code.co_filename[-7:], tb.tb_lineno)
        """)
    assert run.out.endswith("user.py 2\n")


def test_missing_module_ends_the_program(both):
    """4.2: the same without a guard: traceback and exit status 1."""
    run = both({}, "import nowhere\nprint(nowhere)\n", status=1)
    assert "No module named 'nowhere'" in run.err


def test_parent_that_extends_its_path(both):
    """4.2: if it cannot be found while a parent is pending, the parent is
    loaded and it is tried again."""
    run = both({"pk/__init__.py": "import os\n"
                "__path__.append(os.path.join(__path__[0], 'more'))\n"
                "print('pk')\n",
                "pk/more/sub.py": "value = 1\n"}, """\
        import pk.sub
        from pk.sub import value
        print("imported")
        print(value, pk.sub.value)
        """)
    assert run.out.startswith("pk\nimported\n")


def test_parents_are_not_run_to_find_a_child(both):
    """4.2: parents' paths are taken from their specs."""
    run = both({"pk/__init__.py": "", "pk/a/__init__.py": "",
                "pk/a/b.py": "value = 1\n"}, """\
        import pk.a.b
        from pk.a import b
        def use():
            return pk, b
        """)
    assert [run.state(n) for n in ("pk", "pk.a", "pk.a.b")] == ["proxy"] * 3


def test_module_set_to_none_is_refused(both):
    """sys.modules[name] = None refuses the import, as importlib has it."""
    both({"dep.py": "", "user.py": "import dep\nprint(dep)\n"}, """\
        import sys
        sys.modules["dep"] = None
        try:
            import user
        except ImportError as error:
            print(type(error).__name__, error)
        """)


def test_replaced_import_function(both):
    """Another __import__ in builtins before us, or after us, is served."""
    both({"dep.py": "value = 1\n"}, """\
        import builtins
        original = builtins.__import__
        seen = []
        def traced(name, *args, **kwargs):
            seen.append(name)
            return original(name, *args, **kwargs)
        builtins.__import__ = traced
        import dep
        from dep import value
        builtins.__import__ = original
        print(seen.count("dep"), dep.value, value)
        """)


def test_finder_that_raises(both):
    """4.2: an exception of a finder comes out of the statement."""
    both({"user.py": "import virtual\ndef f():\n    return virtual\n"}, """\
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "virtual":
                    raise RuntimeError("finder")
        sys.meta_path.insert(0, Finder())
        try:
            import user
        except RuntimeError as error:
            print(repr(error))
        """)


@pytest.mark.parametrize("change", [
    "sys.meta_path[:] = []", "sys.meta_path.insert(0, Other)"])
def test_meta_path_changed_after_the_statement(both, change):
    """Trap `sys.path` changed between statement and use, on meta_path."""
    both({"dep.py": "value = 'right'\n", "other/dep.py": "value = 'wrong'\n",
          "other_finder.py": """\
        from importlib.machinery import PathFinder
        class Other:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "dep":
                    return PathFinder.find_spec(name, ["other"])
        """}, f"""\
        import sys
        import dep
        def main():
            from other_finder import Other
            saved = sys.meta_path[:]
            {change}
            print(dep.value)
            sys.meta_path[:] = saved
            return Other
        main()
        """)


def test_a_spec_whose_getter_loads_the_name(lazily):
    """4.2: whoever asks a spec may run code that binds the very name, or
    another thread that does."""
    lazily({"finder.py": """\
        import sys
        from importlib.machinery import ModuleSpec, PathFinder
        armed = []
        class Spec(ModuleSpec):
            @property
            def has_location(self):
                if armed:
                    armed.pop()()
                return True
            has_location = has_location.setter(lambda self, value: None)
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name != "base":
                    return None
                found = PathFinder.find_spec(name, path)
                spec = Spec(name, found.loader, origin=found.origin)
                spec.cached = found.cached
                return spec
        sys.meta_path.insert(0, Finder)
        """, "base.py": "x = ['x']\n",
            "middle.py": "from base import x\ndef f():\n    return x\n",
            "user.py": "from middle import x\ndef f():\n    return x\n"}, """\
        import finder
        import middle
        from importlib import import_module
        def main():
            finder.armed, middle.f
            finder.armed.append(lambda: middle.f())
            user = import_module("user")
            assert finder.armed == []
            assert user.f() is middle.f() == ["x"]
        main()
        """)


def test_statements_in_a_row_and_not(both):
    """What runs between two statements may put a module in an earlier folder;
    between statements in a row nothing can."""
    both({"first/a.py": "name = 'a of first'\n",
          "second/b.py": "name = 'b of second'\n",
          "second/c.py": "name = 'c of second'\n",
          "second/d.py": "name = 'd of second'\n"}, """\
        import os, sys
        sys.path[:0] = [os.path.abspath(name) for name in ("first", "second")]
        def put(name):
            with open(f"first/{name}.py", "w") as file:
                file.write(f"name = '{name} of first'\\n")
        with open("second/user.py", "w") as file:
            file.write("import a, b\\nfrom __main__ import put\\n"
                       "done = put('c')\\nimport c\\nimport d\\n"
                       "names = lambda: [m.name for m in (a, b, c, d)]\\n")
        import user
        print(user.names())
        """)


@pytest.mark.parametrize("age", ["old", "new"])
def test_what_is_called_like_a_file_and_is_none(both, age):
    """Directories, links to nowhere and pipes are passed over, also where so
    many were asked for that the folder has been read; and so is what was a
    file at that time."""
    both({"second/odd.py": "", "second/gone.py": "", "second/pipe.py": "",
          "second/late.py": "", "second/never.py": ""}, f"""\
        import os, sys
        os.mkdir("first")
        for number in range(80):
            open(f"first/m{{number}}.py", "w").close()
        for name in "late", "never":
            open(f"first/{{name}}.py", "w").close()
        os.mkdir("first/odd.py")
        os.symlink("nowhere.py", "first/gone.py")
        os.symlink("m0.py", "first/link.py")
        os.mkfifo("first/pipe.py")
        if {age == "old"}:
            os.utime("first", (1e9, 1e9))
        sys.path[:0] = [os.path.abspath(name) for name in ("first", "second")]
        names = [f"m{{number}}" for number in range(80)]
        odd = ["odd", "gone", "link", "pipe", "late"]
        def user(called, names):
            with open(called + ".py", "w") as file:
                file.write("".join(f"import {{name}}\\n" for name in names)
                           + f"all = lambda: [{{', '.join(names)}}]\\n")
        user("rows", names + odd)
        user("more", ["never"])
        import rows
        os.remove("first/never.py")
        if {age == "old"}: # a packer sets the times of folders, too
            os.utime("first", (1e9, 1e9))
        import more
        for module in rows.all() + more.all():
            print(os.path.relpath(module.__file__))
        for name in "rows.py", "more.py":
            os.remove(name)
        import shutil
        shutil.rmtree("first")
        """)


def test_one_spec_for_all_who_ask(both):
    """The spec of a pending module is the one that it is loaded with."""
    both({"dep.py": "value = 1\n", "pack/__init__.py": "value = 2\n"}, """\
        import importlib.util
        import dep
        import pack
        def main():
            found = [importlib.util.find_spec(name) for name in
                     ("dep", "pack")]
            again = [importlib.util.find_spec(name) for name in
                     ("dep", "pack")]
            for spec, other, module in zip(found, again, (dep, pack)):
                module.value
                print(spec is other, module.__spec__.name,
                      module.__spec__.has_location,
                      type(module.__loader__).__name__,
                      module.__spec__.submodule_search_locations is None)
                if "lazycore" in __import__("sys").modules:
                    assert spec is module.__spec__
        main()
        """)


@pytest.mark.parametrize("name", [".", "..", ".dep", "..dep.sub"])
def test_a_name_that_begins_with_a_dot_is_not_there(both, name):
    """As importlib says it of an absolute import: there is no parent ''."""
    both({"dep/__init__.py": "", "dep/sub.py": ""}, f"""\
        try:
            __import__({name!r})
        except Exception as error:
            print(repr(error))
        """)


MANY = """\
    import atexit, os, shutil, sys, tempfile
    sys.dont_write_bytecode = True
    top = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, top)
    os.chmod(top, 0o777)
    os.chdir(top)
    def make(folder, names, text="value = 1\\n"):
        os.makedirs(folder, exist_ok=True)
        for name in names:
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        os.utime(folder, (1e9, 1e9))
    def write(called, names):
        make("users", [called + ".py"],
             "".join(f"import {name}\\n" for name in names)
             + f"all = lambda: [{', '.join(names)}]\\n")
    def use(called):
        sys.path_importer_cache.pop(os.path.abspath("users"), None)
        for module in __import__(called).all():
            print(os.path.relpath(module.__file__))
    def user(called, names):
        write(called, names)
        use(called)
    def path(*folders):
        sys.path[:0] = [os.path.abspath(name) for name in folders]
    many = [f"m{number}" for number in range(60)]
"""


def test_a_link_that_goes_elsewhere(both):
    """Its time of modification is the same, as where packers set it."""
    both({}, MANY + """\
    make("v1", [name + ".py" for name in [*many, "one", "two"]])
    make("v2", ["two.py"])
    os.mkdir("v2/one.py")
    os.utime("v2", (1e9, 1e9))
    make("second", ["one.py"])
    os.symlink("v1", "now")
    path("users", "now", "second")
    user("before", many)
    os.remove("now")
    os.symlink("v2", "now")
    user("after", ["one", "two"])
    """)


def test_a_folder_that_may_not_be_searched_any_more(both):
    """It can be read still, and has not changed."""
    if os.geteuid() != 0:
        pytest.skip("only root gives up what it may")
    both({}, MANY + """\
    make("first", [name + ".py" for name in [*many, "late"]])
    make("second", ["late.py"])
    path("users", "first", "second")
    user("before", many)
    write("after", ["late"])
    os.chmod("first", 0o700)
    if os.fork() == 0:
        os.setuid(65534)
        try:
            use("after")
        except OSError as error:
            print(error)
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    """)


def test_a_suffix_without_a_dot(both):
    """A finder of files takes any; what is no file is passed over."""
    both({}, MANY + """\
    from importlib.machinery import FileFinder, SourceFileLoader
    make("first", [name + "_x" for name in many])
    os.mkdir("first/odd_x")
    os.symlink("nowhere", "first/gone_x")
    os.utime("first", (1e9, 1e9))
    make("second", ["odd.py", "gone.py"])
    sys.path_hooks.insert(0, FileFinder.path_hook(
        (SourceFileLoader, ["_x"]), (SourceFileLoader, [".py"])))
    path("users", "first", "second")
    user("before", many)
    user("after", ["odd", "gone"])
    """)


@pytest.mark.parametrize("answer", ["()", "'x'", "(1, 2, 3)", "''", "0",
                                    "type('S', (str,), {})()"])
def test_a_finder_that_answers_with_no_spec(both, answer):
    """What importlib makes of it, at the statement; it is asked once."""
    both({"user.py": "import dep\ndef f():\n    return dep\n"}, f"""\
        import sys
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "dep":
                    print("asked")
                    return {answer}
        sys.meta_path.insert(0, Finder)
        try:
            import user
        except Exception as error:
            print(repr(error))
        """)
