"""Within a package at `outer` what waits is loaded in the order of the
statements, since cycles may depend on it; and what a pending module does to
the import system is there for the import that would fail without."""
import pytest

# Works when it is entered at app.models, and not at app.views.
CYCLE = {
    "app/__init__.py": "",
    "app/models.py": """\
        import os
        base = os.getpid()
        class Model:
            pass
        from app.views import View
        """,
    "app/views.py": """\
        import os
        from app.models import Model
        here = os.getpid()
        class View:
            model = Model
        """,
}
LEAVE = """\
def main():
    print(View.__name__, "app.models" in sys.modules)
    print(Model.__name__)
main()
"""


@pytest.mark.parametrize("statements", [
    "from app.models import Model\nfrom app.views import View\n",
    "import app.models\nimport app.views\n"
    "def __getattr__(name):\n    raise AttributeError(name)\n"
    "class View:\n    pass\nclass Model:\n    pass\n"
    "def first():\n    print(app.views.View.model.__name__)\n",
])
def test_entered_at_the_end_of_the_statement(both, statements):
    first = "first()\n" if "def first" in statements else ""
    both(CYCLE, "import sys\n" + statements + first + LEAVE)


@pytest.mark.parametrize("use", [
    "from app.views import View", "importlib.import_module('app.views')",
    "__import__('app.views')"])
def test_entered_by_an_eager_import(both, use):
    both(CYCLE, f"""\
        import importlib
        from app.models import Model
        def main():
            {use}
            print(Model.__name__)
        main()
        """)


def test_at_full_they_are_not(both):
    run = both({**CYCLE, "app/views.py": "import os\nos.getpid()\n"
                                         "class View:\n    pass\n",
                "app/models.py": "import os\nos.getpid()\n"
                                 "class Model:\n    pass\n"}, """\
        from app.models import Model
        from app.views import View
        def uses():
            return Model
        def main():
            print(View.__name__)
        main()
        """, levels={"app": "full"})
    assert run.state("app.models") == "proxy"


def test_what_is_free_of_effects_waits(both):
    run = both({"app/__init__.py": "", "app/plain.py": "class Plain:\n    x = 1\n",
                "app/other.py": "import os\nos.getpid()\nvalue = 1\n"}, """\
        from app.plain import Plain
        from app.other import value
        def uses():
            return Plain
        def main():
            print(value)
        main()
        """)
    assert run.state("app.plain") == "proxy"


def test_one_that_fails(lazily):
    """Eager code would have ended there; it runs once for what comes after
    it, and once for its own use."""
    run = lazily({"app/__init__.py": "", "app/bad.py": "print('bad')\n1/0\n",
                  "app/good.py": "import os\nos.getpid()\nvalue = 1\n"}, """\
        import app.bad
        from app.good import value
        def main():
            print(value)
            try:
                app.bad.x
            except ZeroDivisionError as error:
                print(error)
        main()
        """)
    assert run.out.count("bad") == 2


PATHS = {
    "sys.path": "sys.path.insert(0, 'libs')",
    "a finder": """\
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == 'vendored':
            import importlib.util
            return importlib.util.spec_from_file_location(
                name, 'libs/vendored.py')
sys.meta_path.append(Finder)""",
    "sys.modules": "import types\n"
                   "sys.modules['vendored'] = types.ModuleType('vendored')\n"
                   "sys.modules['vendored'].value = 1",
}


@pytest.mark.parametrize("how", PATHS)
@pytest.mark.parametrize("where", ["", "    "])
def test_an_import_that_needs_a_pending_module(both, how, where):
    between = "def main():\n" if where else ""
    end = "" if where else "def main():\n"
    both({"setup_paths.py": f"import sys\n{PATHS[how]}\ndone = 1\n",
          "libs/vendored.py": "value = 1\n"},
         f"import setup_paths\n{between}{where}import vendored\n{end}"
         "    print(vendored.value, setup_paths.done)\nmain()\n")


def test_what_is_not_there_is_not(both):
    """The error is the same; what is guarded loads nothing."""
    run = both({"other.py": "import os\nos.getpid()\nvalue = 1\n"}, """\
        import other
        def uses():
            return other
        try:
            import missing
        except ImportError as error:
            print(error)
        def main():
            try:
                import missing.too
            except ImportError as error:
                print(error, error.name)
        main()
        """)
    assert run.state("other") == "proxy"
    both({"other.py": "import os\nos.getpid()\nvalue = 1\n"}, """\
        import other
        def uses():
            return other
        import missing.one
        """, status=1)


def test_a_thread_that_a_body_waits_for(both):
    """It loads nothing that waits for the body: what another thread loads may
    wait for this one."""
    both({"app/__init__.py": "", "app/x.py": """\
        import threading
        got = []
        def work():
            from app.y import value
            got.append(value)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        value = got[0]
        """, "app/y.py": "import os\nos.getpid()\nvalue = 'y'\n", "app/z.py": """\
        import os
        os.getpid()
        from app.x import value
        value = "z" + value
        """}, """\
        import app.x
        import app.z
        def main():
            print(app.x.value, app.z.value)
        main()
        """)


PROBES = {
    "an import in a function that is tried": ("""\
        def fast():
            import _not_there
        try:
            fast()
        except ImportError:
            value = 1
        """),
    "a fork": ("""\
        import os
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        value = 1
        """),
    "a fork in a thread": ("""\
        import os, threading
        def work():
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        value = 1
        """),
}


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_while_a_body_is_under_way(both, probe):
    """Eager code has not come to the statement of b by then."""
    both({"a.py": PROBES[probe], "b.py": """\
        print("b begins")
        from a import value
        print("b goes on")
        """}, """\
        import a
        import b
        def main():
            print(a.value, b.value)
        main()
        """)


def test_interrupted_before_a_fork(lazily):
    """It does not fork then."""
    run = lazily({"ends.py": "import os, sys\nos.getpid()\nsys.exit(3)\n"}, """\
        import os
        import ends
        def main():
            try:
                os.fork()
            except SystemExit as error:
                print("not forked:", error.code)
            return ends
        try:
            main()
        except SystemExit:
            pass
        """)
    assert run.out == "not forked: 3\n"


TRIES = """\
    try:
        import vendored
    except ImportError:
        vendored = None
    """


def test_what_a_load_lets_be_found(both):
    """What was found missing for one is asked again for the next."""
    both({"app/__init__.py": "", "app/c.py": "print('c')\nvalue = 1\n",
          "app/z.py": TRIES, "app/b.py": TRIES,
          "app/a.py": """\
              import os, sys
              sys.path.insert(0, os.path.join(os.getcwd(), "libs"))
              print("a")
              """,
          "libs/vendored.py": "print('vendored')\nvalue = 2\n"}, """\
        from app import z
        from app import a
        from app import b
        from app import c
        def main():
            print("main", c.value)
            print(b.vendored.__name__, z.__name__, a.__name__)
        main()
        """)


def test_the_end_of_what_was_found_asks_too(lazily):
    """A finder's own objects go with what was asked."""
    tries = "try:\n    import plug.sub\nexcept ImportError:\n    pass\n"
    loud = "print(__name__)\nvalue = 1\n"
    run = lazily({"app/__init__.py": "", "app/z.py": tries, "app/a.py": loud,
                  "other/__init__.py": "", "other/m1.py": tries + loud,
                  "other/m2.py": loud, "other/m3.py": loud, "finder.py": """\
        import importlib, importlib.machinery, sys
        class Path(list):
            def __del__(self):
                if armed:
                    armed.pop()
                    importlib.import_module("other.m3")
        armed = []
        class Finder:
            def find_spec(name, path=None, target=None):
                if name == "plug":
                    spec = importlib.machinery.ModuleSpec(name, None)
                    spec.submodule_search_locations = Path()
                    return spec
        sys.meta_path.append(Finder)
        """}, """\
        import finder
        finder.armed
        from app import z
        from app import a
        from other import m1
        from other import m2
        from other import m3
        def main():
            finder.armed.append(1)
            print("main", a.value, finder.armed)
            print(z.__name__, m1.value, m2.value, m3.value)
        main()
        """)
    assert run.out.endswith("app.z 1 1 1\n")
    assert "main 1 []\n" in run.out, "the end of what was found came later"
