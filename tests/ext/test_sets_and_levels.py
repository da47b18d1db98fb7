"""DESIGN 4.3: ignore sets (rule 1) and levels, which operators edit live.

A module that must run at its statement prints; what must stay lazy is silent
and never used.
"""

import pytest

LOUD = 'print("run", __name__)\nvalue = 1\n'
QUIET = "value = 1\n"
USER = """\
    import pk
    from pk import sub
    import pkg.sub
    def use():
        return pk, sub, pkg
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
            assert lazycore.level("django") == "outer"
            assert lazycore.level("chardet") == "full"
            assert lazycore.level("sqlalchemy") == "outer"
            assert lazycore.level("sqlalchemy.orm") == "outer"
            assert lazycore.level("never_heard_of") == "outer"
            import json
            assert lazycore.show("json")["level_why"] == \
                "a part of the standard library"
            known = lazycore.explain_level("django.db")
            assert known["level"] == "outer", known
            assert known["source"] == "catalogue", known
            assert known["why"].startswith("programs: "), known
            assert lazycore.explain_level("never_heard_of")["why"] == \
                "not in the catalogue"
            try:
                lazycore.level("json", "half")
            except ValueError as error:
                assert "half" in str(error), error
            else:
                raise AssertionError("'half' was taken for a level")
        main()
        """)


def test_rule_1_name_is_exact(both):
    """Rule 1: a name matches itself, neither a submodule nor a longer one."""
    files = {**PACKAGES, "pk/sub.py": QUIET}
    run = both(files, USER, ignore=["name=pk"])
    assert run.out == "run pk\nimported\n"
    assert (run.state("pk"), run.reason("pk")) == ("ignored", "ignore_name")
    assert run.state("pk.sub") == "proxy"
    assert run.state("pkg") == "proxy"


def test_rule_1_package_and_all_below(both):
    """Rule 1: a package matches itself and all below; `foo` not `foobar`."""
    run = both(PACKAGES, USER, ignore=["package=pk"])
    assert run.out == "run pk\nrun pk.sub\nimported\n"
    for name in ("pk", "pk.sub"):
        assert run.state(name) == "ignored"
        assert run.reason(name) == "ignore_package"
    assert run.state("pkg") == "proxy"
    assert run.state("pkg.sub") == "proxy"


@pytest.mark.parametrize("rule, folder", [("VeNdOrEd", "vendored"),
                                          ("vendored", "VENDORED")])
def test_rule_1_path_in_any_case(both, rule, folder):
    """Rule 1: a path is a substring of the file's, case-insensitive on both
    sides."""
    files = {f"{folder}/dep.py": LOUD, "plain.py": QUIET,
             "user.py": """\
        import dep
        import plain
        def use():
            return dep, plain
        """}
    run = both(files, f"""\
        import sys
        sys.path.append({folder!r})
        import user
        print("imported", user.__name__)
        """, ignore=["path=" + rule])
    assert run.out == "run dep\nimported user\n"
    assert (run.state("dep"), run.reason("dep")) == ("ignored", "ignore_path")
    assert run.state("plain") == "proxy"


@pytest.mark.parametrize("name", ["ignorenames", "ignorepkg", "ignorepath"])
def test_rule_1_edits_take_effect_at_the_next_statement(lazily, name):
    """Rule 1, live: an edit serves the statement that follows, both ways."""
    user = "import dep{0}\ndef use():\n    return dep{0}\n"
    files = {f"dep{i}.py": LOUD for i in range(3)}
    files.update({f"user{i}.py": user.format(i) for i in range(3)})
    run = lazily(files, f"""\
        import lazycore
        from importlib import import_module
        rules = lazycore.{name}
        def main():
            import_module("user0")
            rules.add("dep1")
            import_module("user1")
            print("first")
            rules.add("dep2")
            rules.remove("dep2")
            import_module("user2")
        main()
        """)
    assert run.out == "run dep1\nfirst\n"
    assert [run.state(f"dep{i}") for i in range(3)] == [
        "proxy", "ignored", "proxy"]


def test_level_eager(both):
    """Levels: `eager` ignores all modules of the package."""
    run = both(PACKAGES, USER, levels={"pk": "eager"})
    assert run.out == "run pk\nrun pk.sub\nimported\n"
    assert (run.state("pk"), run.reason("pk")) == ("ignored", "level_eager")
    assert run.state("pkg") == "proxy"


@pytest.mark.parametrize("statement", [
    "import pk\nimport pk.sub",
    "import pk.sub as s\nprint(s.value)\nimport pk",
    "try:\n    import pk.sub\nfinally:\n    pass",
    "def f():\n    import pk.sub\nf()", "print('late')\nimport pk.sub",
    "from pk.sub import *", "import importlib\n"
    "importlib.import_module('pk.sub')",
    "class C:\n    import pk.sub", "import pk.sub",
])
@pytest.mark.parametrize("rule", ["package=pk", "path=PK"])
def test_rule_1_is_the_first(both, statement, rule):
    """Rule 1 goes before every other: what an ignore set covers is ignored,
    however it is imported."""
    run = both({"pk/__init__.py": LOUD, "pk/sub.py": LOUD,
                "user.py": statement + "\ndef use():\n    return pk, s\n"},
               "import user\nprint(user.__name__)\n", ignore=[rule])
    reason = {"package=pk": "ignore_package", "path=PK": "ignore_path"}[rule]
    for name in ("pk", "pk.sub"):
        assert (run.state(name), run.reason(name)) == ("ignored", reason)
