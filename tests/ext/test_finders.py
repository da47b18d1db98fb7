"""Finders of importlib that a program has changed are asked as they are."""
import pytest

CHANGED = """\
    import importlib.machinery as machinery
    import importlib.util
    import os
    import sys
    sys.path.insert(0, os.path.abspath("real"))
    asked = []
    {0}
    import user
    def main():
        print(user.use())
        print("dep" in asked)
    main()
    """
PATH_FINDER = """\
old = machinery.PathFinder.find_spec
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        asked.append(name)
        if name == "dep":
            return importlib.util.spec_from_file_location(
                name, os.path.abspath("mock/dep.py"))
        return old(name, path, target)
    machinery.PathFinder.find_spec = find_spec"""
FILE_FINDER = """\
old = machinery.FileFinder.find_spec
    def find_spec(self, name, target=None):
        asked.append(name)
        return old(self, name.replace("dep", "other"), target) \\
            if name == "other" else old(self, name, target)
    machinery.FileFinder.find_spec = find_spec"""
FILES = {"real/dep.py": "value = 'real'\n", "mock/dep.py": "value = 'mock'\n",
         "user.py": "import dep\ndef use():\n    return dep.value\n"}


@pytest.mark.parametrize("changed, value", [(PATH_FINDER, "mock"),
                                            (FILE_FINDER, "real")])
def test_a_replaced_find_spec_is_asked(both, changed, value):
    run = both(FILES, CHANGED.format(changed))
    assert run.out == f"{value}\nTrue\n"
    assert run.state("dep") == "real"


@pytest.mark.parametrize("name", ["BuiltinImporter", "FrozenImporter"])
def test_one_of_built_in_modules_is_asked(both, name):
    both(FILES, CHANGED.format(f"""\
kept = machinery.{name}.find_spec
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        asked.append(name)
        return kept(name, path, target)
    machinery.{name}.find_spec = find_spec"""))


def test_it_is_put_back(both):
    run = both(FILES, CHANGED.format(
        PATH_FINDER + "\n    machinery.PathFinder.find_spec = old"))
    assert run.out == "real\nFalse\n"


def test_a_finder_with_many_suffixes(both):
    run = both({"odd/dep.x9": "value = 9\n",
                "odd/user.x1": "import dep\ndef use():\n"
                               "    return dep.value\n"}, """\
        import importlib.machinery as machinery
        import os
        import sys
        make = machinery.FileFinder.path_hook(
            (machinery.SourceFileLoader, [f".x{n}" for n in range(1, 20)]))
        def hook(path):
            if path.endswith("/odd"):
                return make(path)
            raise ImportError
        sys.path_hooks.insert(0, hook)
        sys.path.insert(0, os.path.abspath("odd"))
        import user
        def main():
            print(user.use())
        main()
        """)
    assert run.out == "9\n"
