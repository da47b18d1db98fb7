"""Rule 4, what it lets wait: an except clause is there for a module that is
missing, so that one of the standard library which is sure to load may wait."""
import os
import pathlib
import subprocess

import pytest

from conftest import interpreter

USE = "def use():\n    return {0}\n"


@pytest.mark.parametrize("guard", [
    "try:\n    import ssl\nexcept ImportError:\n    ssl = None\n",
    "try:\n    import ssl\nexcept (ImportError, AttributeError):\n"
    "    ssl = None\n",
    "import builtins\ntry:\n    import ssl\nexcept builtins.ImportError:\n"
    "    ssl = None\n",
    "try:\n    import ssl\nexcept:\n    ssl = None\n",
    "try:\n    import ssl\nexcept ImportError:\n    pass\nelse:\n"
    "    class Secure:\n        def get(self):\n            return ssl\n",
    "try:\n    raise ImportError\nexcept ImportError:\n    import ssl\n",
    "try:\n    import nowhere_at_all\nexcept ImportError:\n"
    "    try:\n        import ssl\n    except ImportError:\n        pass\n",
])
def test_what_is_sure_to_load_waits(both, guard):
    run = both({}, guard + USE.format("ssl.SSLContext.__name__")
               + "import sys\nprint(ssl is None, use())\n")
    assert run.out == "False SSLContext\n"
    run = both({}, guard + USE.format("ssl") + "print('imported')\n")
    assert run.state("ssl") == "proxy"


@pytest.mark.parametrize("guard", [
    "try:\n    import ssl\nfinally:\n    value = 1\n",
    "try:\n    import ssl\nexcept ImportError:\n    pass\nfinally:\n"
    "    value = 1\n",
    "import contextlib\nwith contextlib.suppress(ImportError):\n"
    "    import ssl\n",
    "import contextlib\nwith contextlib.suppress(ImportError):\n"
    "    try:\n        import ssl\n    except KeyError:\n        pass\n",
    "try:\n    import ssl\nexcept* ImportError:\n    pass\n",
    "try:\n    raise ImportError\nexcept ImportError as error:\n"
    "    import ssl\n",
    "try:\n    try:\n        import ssl\n    finally:\n        value = 1\n"
    "except ImportError:\n    pass\n",
])
def test_other_guards_hold(both, guard):
    run = both({}, guard + USE.format("ssl") + "print('imported')\n")
    assert run.state("ssl") == "eager"
    assert run.reason("ssl") == "guarded"


@pytest.mark.parametrize("missing", [
    "sys.modules['_ssl'] = None", "sys.modules['ssl'] = None",
    "sys.meta_path.insert(0, Refuses())"])
def test_the_fallback_is_taken_where_it_cannot_load(both, missing):
    """What it needs is looked for, too."""
    both({"setup.py": f"""\
        import sys
        class Refuses:
            def find_spec(self, name, path=None, target=None):
                if name == "_ssl":
                    raise ImportError(name)
        {missing}
        """, "user.py": """\
        try:
            import ssl
        except ImportError:
            ssl = "no"
        def use():
            return ssl
        """}, """\
        import setup
        setup.sys
        import user
        print(user.use())
        """)


FALLS_BACK = """\
import setup
setup.sys
try:
    import {0}
except ImportError:
    {0} = "no"
def use():
    return {0} if {0} == "no" else "yes"
print(use())
"""
REFUSES = """\
import sys
class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name == "socket":
            raise ImportError(name)
sys.meta_path.insert(0, Refuses())
"""


@pytest.mark.parametrize("files", [
    {"setup.py": "import sys\n", "socket.py": "value = 1\n"},
    {"setup.py": "import sys\n", "socket/__init__.py": "value = 1\n"},
    {"setup.py": "import sys\nsys.path.insert(0, 'own')\n",
     "own/socket.py": "value = 1\n"},
    {"setup.py": REFUSES},
])
def test_what_it_imports_is_another(both, files):
    """The standard library is then not of one piece."""
    run = both(files, FALLS_BACK.format("ssl"))
    assert run.out == "no\n"


@pytest.mark.parametrize("name,value", [
    ("socket", "None"), ("struct", "None"), ("collections", "None"),
    ("socket", "sys.__class__('socket')"), ("socket", "object()"),
    ("socket", "other"),
])
@pytest.mark.parametrize("guard", [
    "try:\n    import ssl\n", "try:\n    from ssl import SSLContext as ssl\n"])
def test_something_stands_for_what_it_imports(both, name, value, guard):
    """In sys.modules: None, what is no module, and another's."""
    both({"other.py": "value = 1\n", "setup.py": f"""\
        import sys
        import other
        sys.modules["{name}"] = {value}
        """}, "import setup\nsetup.sys\n" + guard + """\
except Exception:
    ssl = "no"
def use():
    return ssl
print(getattr(use(), "__name__", use()))
""")


@pytest.mark.parametrize("change", [
    "sys.modules['struct'] = None", "sys.modules['nothing'] = sys.modules.pop('"
    "nothing'); sys.modules['struct'] = None",
    "sys.modules['struct'] = sys.__class__('struct')"])
def test_something_stands_for_what_was_loaded(both, change):
    """Its place is seen again, whether or not others have moved."""
    run = both({"change.py": f"""\
        import struct
        import sys
        def change():
            struct.pack
            {change}
        sys.modules["nothing"] = sys
        """}, """\
        import change
        change.change
        try:
            import plistlib
        except ImportError:
            plistlib = "no"
        change.change()
        try:
            import zipfile
        except (ImportError, AttributeError):
            zipfile = "no"
        def use():
            return plistlib
        print(zipfile)
        """)
    assert run.out == "no\n"


@pytest.mark.parametrize("refused", ["ssl", "socket"])
def test_an_audit_hook_refuses_it(both, refused):
    run = both({"setup.py": f"""\
        import sys
        def hook(event, args):
            if event.startswith("lazycore"):
                print(event)
            if event == "import" and args[0] == "{refused}":
                raise ImportError
        sys.addaudithook(hook)
        """}, FALLS_BACK.format("ssl"))
    assert run.out == "no\n"


def test_what_it_imports_is_another_in_an_archive(both, lab):
    lab.zip("own.zip", {"socket.py": "value = 1\n"})
    run = both({"setup.py": "import sys\nsys.path.insert(0, 'own.zip')\n"},
               FALLS_BACK.format("ssl"))
    assert run.out == "no\n"


def test_what_is_called_so_and_no_module(both):
    run = both({"socket.txt": "", "socket/notes.txt": "", "test.py": "1/0\n",
                "setup.py": "import sys\n"},
               FALLS_BACK.format("mailbox").replace("print(use())", ""))
    assert run.state("mailbox") == "proxy"


def test_another_appears(both):
    """What was looked through is looked through again once it has changed."""
    run = both({"maker.py": """\
        import atexit
        import importlib
        import pathlib
        def make():
            file = pathlib.Path("datetime.py")
            file.write_text("value = 1\\n")
            atexit.register(file.unlink)
            importlib.invalidate_caches()
        """}, """\
        import maker
        try:
            import graphlib
        except ImportError:
            graphlib = "no"
        made = maker.make()
        try:
            import plistlib
        except AttributeError:
            plistlib = "no"
        def use():
            return graphlib
        print(plistlib)
        """)
    assert run.out == "no\n"
    assert run.state("graphlib") == "proxy"


def test_another_module_of_that_name(both):
    """Which may fail, as any."""
    run = both({"queue.py": "import nowhere_at_all\n"}, """\
        try:
            import queue
        except ImportError:
            queue = "no"
        print(queue)
        """)
    assert run.out == "no\n"


def test_extensions_are_run(both):
    """A library that they need may be missing; the file tells nothing."""
    run = both({}, "try:\n    import _lsprof\nexcept ImportError:\n"
               "    _lsprof = None\n" + USE.format("_lsprof"))
    assert run.state("_lsprof") in ("eager", "existing")


def test_within_the_standard_library(both):
    """It is of one piece: what shutil takes from zlib is there. What one's own
    module takes from it may not be."""
    run = both({"own.py": "from imaplib import IMAP4_SSL as dumps\n"
                          "import mailbox\n" + USE.format("dumps, mailbox")},
               """\
        try:
            from tempfile import _text_openflags, mkdtemp, nothing
        except ImportError:
            mkdtemp = None
        try:
            import own
        except ImportError:
            own = None
        def use():
            return mkdtemp, own
        """)
    assert run.reason("tempfile") == "guarded"
    assert run.state("random") == "proxy"
    assert run.reason("imaplib") == "guarded"
    assert run.state("mailbox") == "proxy"


@pytest.mark.parametrize("names", ["dumps", "PlistFormat, dumps as ssl"])
def test_names_that_its_code_binds_wait(both, names):
    guard = f"try:\n    from plistlib import {names}\n" \
            "except ImportError:\n    dumps = None\n"
    use = USE.format("ssl" if "ssl" in names else "dumps")
    run = both({}, guard + use)
    assert run.state("plistlib") == "proxy"
    run = both({}, guard + use + "print(use()([1])[:5], use().__name__)\n")
    assert run.out == "b'<?xml' dumps\n"
    run = both({"own.py": guard + use}, """\
        try:
            import own
        except ImportError:
            own = None
        def use():
            return own
        """)
    assert run.state("plistlib") == "proxy"


@pytest.mark.parametrize("module,name,waits", [
    ("difflib", "ndiff", True),
    ("difflib", "re", False),          # deleted again
    ("imaplib", "IMAP4", True),
    ("imaplib", "IMAP4_SSL", False),   # where there is an ssl
    ("ftplib", "ssl", False),          # in a guard
    ("pickletools", "code2op", True),
    ("inspect", "k", False),           # of a loop
    ("mailbox", "nowhere", False),
    ("ntpath", "_readlink_deep", False),  # in the else of a try
    ("xml.sax", "handler", False),     # a submodule, bound as it loads
    ("importlib.metadata", "version", True),
])
def test_names_that_some_way_leaves_out_do_not(both, module, name, waits):
    run = both({}, f"""\
        import colorsys
        import importlib
        try:
            from {module} import {name} as taken
        except ImportError:
            taken = None
        def use():
            return taken, colorsys, importlib
        print("imported")
        """)
    assert (run.state(module) == "proxy") == waits
    both({}, f"""\
        try:
            from {module} import {name} as taken
        except ImportError:
            taken = None
        def use():
            return taken
        print(getattr(use(), "__name__", type(use())))
        """)


def test_names_of_what_is_loaded_are_taken(both):
    run = both({}, """\
        import plistlib
        plistlib.dumps
        del plistlib.loads
        try:
            from plistlib import loads
        except ImportError:
            loads = None
        def use():
            return loads
        print(use())
        """)
    assert run.out == "None\n"


def test_within_other_guards_all_is_run(both):
    run = both({"own.py": "import mailbox\n" + USE.format("mailbox")}, """\
        try:
            import own
        finally:
            value = 1
        """)
    assert run.reason("mailbox") == "guarded"


def test_the_error_of_a_late_load_is_not_lost(both):
    """A use in the try is in the try."""
    both({}, """\
        import sys
        try:
            import ssl
            sys.modules["ssl"] = None
            print(ssl.nothing_of_that_name)
        except (ImportError, AttributeError) as error:
            print("caught")
        """)


def test_the_list(tmp_path):
    """certain.def, for the standard library at hand: what a module of it
    imports without a guard is in the list, or there in any case."""
    here = pathlib.Path(__file__).parent
    environment = {name: value for name, value in os.environ.items()
                   if name != "LD_PRELOAD"}
    done = subprocess.run(
        [interpreter(), here / "certain_check.py",
         here.parents[1] / "lazycore" / "certain.def"],
        stdout=subprocess.PIPE, text=True, check=True, env=environment)
    *wrong, looked = done.stdout.splitlines()
    assert not wrong
    assert int(looked) > 150


@pytest.mark.parametrize("names", ["*", "X"])
@pytest.mark.parametrize("failing", [
    "from string import strip", "from json import nosuch",
    "import nowhere_at_all", "from below import nosuch"])
def test_what_a_guarded_import_meets_itself(both, names, failing):
    """With `import *` as well as with names."""
    both({"inner.py": f"{failing}\nX = 1\n", "below.py": ""}, f"""\
        try:
            from inner import {names}
        except ImportError:
            print("fallback")
        else:
            print("no fallback", X)
        """)
