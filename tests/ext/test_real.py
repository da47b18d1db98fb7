"""What real programs taught: each case is the cause, without the package.

Responsible for programs that did otherwise under the engine than under the
plain interpreter when packages of the Debian archive were tried. Leaves the
packages themselves to tests/compat.
"""

import pytest

PATCHED = {
    "patcher/__init__.py": "",
    "patcher/override.py": "import tool\ntool.KIND = 'local'\n",
    "tool.py": "KIND = 'system'\n",
    "pk/__init__.py": "import patcher.override\nimport user\n"
                      "def kind():\n    return user.KIND\n",
    "user.py": "from tool import KIND\n",
}


def test_a_package_imports_another_for_effect(both):
    """setuptools/__init__.py: `import _distutils_hack.override` first, and
    no code that uses the name; what comes after builds on its effect."""
    run = both(PATCHED, "import pk\nprint(pk.kind())\n")
    assert run.reason("patcher.override") == "for_effect"


def test_a_package_hands_on_what_it_imports(both):
    """What a package takes from elsewhere stays lazy: others take it."""
    run = both({"pk/__init__.py": "from dep import value\nimport pk.sub\n",
                "pk/sub.py": "", "dep.py": "value = 1\n"},
               "import pk\nprint(pk.__name__)\n",
               levels={"pk": "full"})
    assert run.state("dep") == "proxy"
    assert run.state("pk.sub") == "proxy"


def test_a_statement_does_not_list_its_names_in_all(both):
    """celery/app/base.py: `from . import builtins` registers tasks, in a
    module that has an __all__ without it."""
    run = both({"pk/__init__.py": "tasks = []\n",
                "pk/base.py": "from . import builtins\nfrom . import listed\n"
                              "__all__ = ('App', 'listed')\n"
                              "class App:\n    pass\n",
                "pk/builtins.py": "import pk\npk.tasks.append('group')\n",
                "pk/listed.py": ""},
               "import pk\nfrom pk.base import App\nApp()\nprint(pk.tasks)\n",
               levels={"pk": "full"})
    assert run.reason("pk.builtins") == "for_effect"
    assert run.state("pk.listed") == "proxy"


FINALIZER = """\
    import clean
    import dep
    import other
    class Thing:
        def close(self):
            note(dep.value)
        def __del__(self):
            self.close()
    def note(value):
        print("closed", value, clean.tidy(), flush=True)
    def unrelated():
        return other
    thing = Thing()
    """


def test_a_finalizer_at_the_end_finds_its_names(both):
    """__del__ of an object that lives until nothing can be imported."""
    run = both({"dep.py": "value = 1\n", "other.py": "",
                "clean.py": "def tidy():\n    return 'tidy'\n"}, FINALIZER)
    assert "closed 1 tidy" in run.out
    assert not run.loaded("other")


def test_a_finalizer_of_a_module_finds_its_names(both):
    """The same in an imported module; a failing import is its own matter."""
    run = both({"pk/__init__.py": "", "pk/res.py": """\
        import dep
        import bad
        class Res:
            def __del__(self):
                print("released", dep.value, flush=True)
                bad
        """, "dep.py": "value = 1\n", "bad.py": "value = 1\n"}, """\
        from pk import res
        def main():
            with open("bad.py", "w") as file:
                file.write("raise ValueError\\n")
        held = res.Res()
        main()
        print('end')
        """)
    assert "released 1" in run.out


@pytest.mark.parametrize("wait", [
    "def wait():\n    try:\n        yield\n    finally:\n        note()\n"
    "kept = wait()\nnext(kept)\n",
    "import contextlib\n@contextlib.contextmanager\ndef wait():\n    try:\n"
    "        yield\n    finally:\n        note()\n"
    "kept = wait()\nkept.__enter__()\n",
    "class Never:\n    def __await__(self):\n        yield\n"
    "async def wait():\n    try:\n        await Never()\n    finally:\n"
    "        note()\nkept = wait()\nkept.send(None)\n",
])
def test_a_suspended_generator_finds_its_names_at_the_end(both, wait):
    """Its `finally` runs when nothing can be imported any more."""
    run = both({"dep.py": "value = 1\n", "other.py": ""},
               "import dep\nimport other\ndef note():\n"
               "    print('left', dep.value, flush=True)\n"
               "def unrelated():\n    return other\n" + wait)
    assert run.out == "left 1\n"
    assert not run.loaded("other")


@pytest.mark.parametrize("use", ["", "dep.value\n"])
def test_what_lives_until_the_end_is_finalized(both, use):
    """Nothing of ours keeps the namespace of __main__ then."""
    run = both({"dep.py": "value = 1\n"}, f"""\
import dep
{use}class Thing:
    def __del__(self):
        print("gone", flush=True)
thing = Thing()
""")
    assert run.out == "gone\n"


def test_what_is_uninstalled_binds_nothing_at_exit(lazily):
    run = lazily({"dep.py": "print('loaded')\n"}, """\
        import dep
        class Thing:
            def __del__(self):
                print("gone", flush=True)
            def use(self):
                return dep
        def main():
            import lazycore
            lazycore.uninstall()
        thing = Thing()
        main()
        """)
    assert run.out == "gone\n"
