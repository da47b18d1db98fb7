"""What a module that waits would import, as its code says: no more than that,
by no more than reading, and told to nobody half-way."""
import pytest

PACKAGE = {"pk/__init__.py": "E = 1\n", "pk/sub.py": "print('sub runs')\n"}
MAIN = """\
    import pk
    import user
    def main():
        print(hasattr(pk, "sub"))
        print(user.X)
    main()
    """


@pytest.mark.parametrize("text", [
    "import logging\nfrom importlib import import_module\n"
    "log = logging.getLogger('pk.sub')",
    "from importlib import import_module\nSUFFIX = '.sub'",
    "from importlib import import_module as get\nname = get('pk.sub\\0x')"
    " if X == 2 else None",
    "import importlib\nlogger = importlib.__name__, 'pk.sub'",
    "from importlib import import_module\nDATA = '" + "a." * 2000 + "a'"])
def test_strings_that_are_not_imported(both, text):
    both({**PACKAGE, "user.py": f"X = 1\n{text}\n"}, MAIN)


def test_long_names_need_no_stack(both):
    both({**PACKAGE, "user.py":
          "X = 1\ndef never():\n    pass\nfrom importlib import import_module\n"
          f"if X == 2:\n    import_module('{'a.' * 20000}a')\n"}, """\
        import threading, xml, user
        def main():
            print(hasattr(xml, "sax"))
        threading.stack_size(64 * 1024)
        thread = threading.Thread(target=main)
        thread.start()
        thread.join()
        print(user.X)
        """)


def test_names_of_a_package_that_are_no_submodules(both):
    both({**PACKAGE, "low/__init__.py": "part = 1\n",
          "low/part.py": "import pk.sub\n"}, """\
        import pk
        from low import part
        def main():
            print(hasattr(pk, "sub"))
            print(part)
        main()
        """)


@pytest.mark.parametrize("text, there", [
    ("__all__ = ['E', 'sub']", True), ("__all__ = ('E',)", False),
    ("KIND = 'sub'\n__all__ = ['E']", False),
    ("__all__ = ['E']\nKIND = 'sub'", False),
    ("__all__ = ['E']\n__all__.append('sub')", True),
    ("__all__ = ['E']\n__all__ += 'sub',", True)])
def test_what_a_package_lists(both, text, there):
    """It waits itself, so that its code has to tell."""
    run = both({"pk/__init__.py": f"E = 1\n{text}\n", "pk/sub.py": "",
                "user.py": "from pk import *\nX = 1\n"}, MAIN)
    assert run.out.startswith(str(there))


def test_a_list_of_another_class(both):
    """Its iterator is the program's, and not asked."""
    both({"pk/__init__.py": """\
        class List(list):
            def __iter__(self):
                globals().pop("__all__", None)
                return iter(["sub"] * 3)
        __all__ = List(["E"])
        E = 1
        """, "pk/sub.py": "", "user.py": "import xml\nX = 1\n",
          "other.py": "from pk import E as X\n"}, """\
        import xml, pk, other, user
        def main():
            pk.E
            print(hasattr(xml, "sax"))
            print(user.X, other.X)
        main()
        """)


def test_names_are_not_modules(both):
    """6,000 names from modules that are no packages."""
    files = {f"m{i}.py": "".join(f"def f{j}():\n    pass\n"
                                 for j in range(100)) for i in range(60)}
    imports = "".join(f"from m{i} import " +
                      ", ".join(f"f{j} as f{i}_{j}" for j in range(100)) + "\n"
                      for i in range(60))
    both({**PACKAGE, **files, "last.py": "import pk.sub\nX = 1\n"},
         "import pk\n" + imports + "import last\ndef main():\n"
         "    print(hasattr(pk, 'sub'), last.X)\nmain()\n")


def test_threads_that_ask_meanwhile(both):
    files = {f"m{i}.py": "X = 1\n" for i in range(150)}
    hub = "".join(f"import m{i}\n" for i in range(150))
    both({"pk/__init__.py": "", "pk/sub.py": "", **files,
          "hub.py": f"{hub}import last\nX = 1\n",
          "last.py": "import pk.sub\n"}, """\
        import sys, threading
        import pk, hub
        def main():
            sys.setswitchinterval(1e-5)
            gate = threading.Barrier(4)
            found = []
            def ask():
                gate.wait()
                found.append(hasattr(pk, "sub"))
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print(found, hub.X)
        main()
        """)


def test_a_submodule_that_all_lists_in_its_own_body(both):
    both({"pk/__init__.py": "__all__ = ['sub', 'x']\nx = 1\n",
          "pk/sub.py": "try:\n    from . import *\n"
                       "except AttributeError:\n    print('none')\n"}, """\
        def main():
            from pk import sub
            print(sub.__name__)
        main()
        """)
