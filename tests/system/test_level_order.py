"""With a ledger of --check-levels, what has effects begins in the order in
which eager code begins it."""
import pytest

# Makes a package outer: zreg's effect is nobody's name.
OUTER = {"pkg/zz.py": "from . import zreg\nuse = lambda: zreg\n",
         "pkg/zreg.py": "print('zreg')\n"}
CHECK = """
    def main():
        import pkg.zz
        print(sorted(set(map(str, pkg.plugins))))
    main()
    """
APP = """
    def main():
        import pkg
        print(pkg.plugins)
    main()
    """

PACKAGE_THAT_RUNS = {
    "pkg/__init__.py": "plugins = []\nfrom . import sub\nuse = lambda: sub\n",
    "pkg/sub/__init__.py": "from . import a\nfrom . import b\n"
                           "use = lambda: (a, b)\n",
    "pkg/sub/a.py": "from .. import sub, plugins\nplugins.append('a')\n"
                    "def helper():\n    return sub\nA = 1\n",
    "pkg/sub/b.py": "from .. import plugins\nplugins.append('b starts')\n"
                    "from .a import A\nplugins.append('b%d' % A)\n",
}
PACKAGE_ABOVE = {
    "pkg/__init__.py": "plugins = []\nfrom .sub.base import Base\n"
                       "use = lambda: Base\n",
    "pkg/sub/__init__.py": "from .base import Base\n"
                           "from .dates import Dates\n",
    "pkg/sub/base.py": "from ..one import x\nclass Base: pass\n",
    "pkg/sub/dates.py": "from ..two import y\nfrom .base import Base\n"
                        "class Dates(Base): pass\n",
    "pkg/one.py": "from . import plugins\nplugins.append(1)\nx = 1\n",
    "pkg/two.py": "from . import plugins\nplugins.append(2)\ny = 2\n",
}


@pytest.fixture
def compared(lab):
    """compared(files, check, app): what both ways print, with the ledger that
    CHECK gives."""
    def compare(files, check, app):
        for name, text in {**OUTER, **files}.items():
            lab.write(name, text)
        levels = lab.folder / "levels"
        check = lab.write("check.py", check)
        lab.lazyd("--check-levels", "-o", levels, "--app", check)
        assert "module pkg" in levels.read_text()
        app = lab.write("app.py", app)
        eager = lab.foreground("--lazy=off", "--app", app).out
        assert lab.foreground("--level-file", levels, "--app", app).out == eager
        return eager
    return compare


def test_a_package_whose_body_runs_is_not_ahead_of_it(compared):
    assert compared(PACKAGE_THAT_RUNS, CHECK, APP) == \
        "['a', 'b starts', 'b1']\n"


def test_the_package_above_comes_first(compared):
    assert compared(PACKAGE_ABOVE, CHECK, APP) == "[1, 2]\n"


def test_a_submodule_with_effects_that_a_function_names(compared):
    check = """
        def main():
            import pkg.zz
            pkg.use().use().__name__
            print(sorted(pkg.plugins))
        main()
        """
    assert compared({
        "pkg/__init__.py": "plugins = []\nfrom . import a\nuse = lambda: a\n",
        "pkg/a.py": "from pkg import plugins\nfrom pkg.u import m0\n"
                    "plugins.append('a')\ndef use():\n    return m0\n",
        "pkg/u/__init__.py": "A = 1\n",
        "pkg/u/m0.py": "from pkg import plugins\nplugins.append('m0')\n",
        "pkg/uses.py": "from pkg.u import A\ndef f():\n    return A\n",
        "pkg/zz.py": "from . import zreg, uses\nuse = lambda: (zreg, uses)\n",
    }, check, APP.replace("print(pkg.plugins)", "pkg.use()\n"
                          "        print(pkg.plugins)")) == "['m0', 'a']\n"


def test_what_no_check_has_met_has_effects(compared):
    """pkg.t.a has no row: no code has imported it there."""
    check = """
        def main():
            import pkg
            import pkg.zz
            pkg.use()
            print(pkg.plugins)
        main()
        """
    assert compared({
        "pkg/__init__.py": "plugins = []\nfrom . import s, t\n"
                           "use = lambda: (s, t)\n",
        "pkg/s.py": "value = 1\n",
        "pkg/t/__init__.py": "",
        "pkg/t/a.py": "from pkg import plugins\nplugins.append('a')\n",
        "pkg/late.py": "from pkg.t import a\nuse = lambda: a\n",
    }, check, """
        def main():
            import pkg.late
            pkg.late.use
            print(pkg.plugins)
        main()
        """) == "['a']\n"
