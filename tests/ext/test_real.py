"""What real programs taught: each case is the cause, without the package.

Responsible for programs that did otherwise under the engine than under the
plain interpreter when packages of the Debian archive were tried. Leaves the
packages themselves to tests/compat.
"""

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
