"""DESIGN 4.3: ignore sets (rule 1) and levels, which operators edit live.

A module that must run at its statement prints; what must stay lazy is silent
and never used.
"""

import pytest

LOUD = 'print("run", __name__)\nvalue = 1\n'
QUIET = "value = 1\n"
USER = """\
    import pk
    import pk.sub
    import pkg.sub
    def use():
        return pk, pkg
    print("imported")
    """
PACKAGES = {"pk/__init__.py": LOUD, "pk/sub.py": LOUD,
            "pkg/__init__.py": QUIET, "pkg/sub.py": QUIET}
FAMILY = {
    "family/__init__.py": "",
    "family/one.py": "from family import two\n"
                     "def use():\n    return two\nprint('one')\n",
    "family/two.py": QUIET,
}


def test_rule_1_engine_off(lazily):
    """Rule 1: the engine is off after uninstall()."""
    run = lazily({"dep.py": LOUD, "user.py": """\
        import dep
        def use():
            return dep.value
        """}, """\
        import lazycore
        lazycore.uninstall()
        import user
        print("imported")
        user.use()
        lazycore.install()
        """)
    assert run.out == "run dep\nimported\n"


def test_levels_change_live(lazily):
    """Levels: an operator changes them live, for the next statement."""
    run = lazily(FAMILY, """\
        import lazycore
        from importlib import import_module
        def main():
            print(lazycore.level("family"))
            print(lazycore.level("family", "full"))
            import_module("family.one")
            print("family.two" in lazycore.proxies)
            print(lazycore.level("family", "outer"))
        main()
        """)
    assert run.out == "outer\nfull\none\nTrue\nouter\n"


def test_level_catalogue(lazily):
    """Levels: the catalogue, the standard library, and the default."""
    lazily({}, """\
        import lazycore
        def main():
            assert lazycore.level("json") == "full"
            assert lazycore.level("django") == "full"
            assert lazycore.level("sqlalchemy") == "outer"
            assert lazycore.level("sqlalchemy.orm") == "outer"
            assert lazycore.level("never_heard_of") == "outer"
            try:
                lazycore.level("json", "half")
            except ValueError as error:
                assert "half" in str(error), error
            else:
                raise AssertionError("'half' was taken for a level")
        main()
        """)
