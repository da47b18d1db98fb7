"""Hot namespaces in which modules of the program's own are pending: those whose
bodies are free of effects are loaded."""
import pytest

from settling import write

pytestmark = pytest.mark.usefixtures("settled_by_hand")

BODIES = """\
    import sys
    def main():
        import hot, lazycore
        {before}
        hot.settle = lazycore.settle
        print(hot.watched(), lazycore.pending(hot), hot.opcodes())
    main()
    """
SETTLED = "hot [] {'LOAD_GLOBAL_MODULE'}\n"


def own(files, module, before="pass"):
    """HOT with MODULE pending, and what is printed of it."""
    top = module.split(".")[0]
    files = {"hot.py": write("x").replace(
        "import sys, time, x", f"import sys, time, {module}").replace(
        "return x", f"return {top}"), **files}
    return files, BODIES.format(before=before)


FREE = """\
    from __future__ import annotations
    import dataclasses, enum, logging, re
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        import nowhere
    log = logging.getLogger(__name__)
    WORD = re.compile("x+")
    class Colour(enum.Enum):
        RED = 1
    @dataclasses.dataclass
    class Item:
        name: str
        colour: Colour = Colour.RED
    """


def test_module_of_the_program_that_is_free(lazily):
    run = lazily(*own({"other.py": FREE}, "other"))
    assert run.out == SETTLED
    assert run.state("other") == "real"


def test_all_that_it_imports_is_free(lazily):
    files = {"app/__init__.py": "from .base import Base\n",
             "app/base.py": "class Base: pass\n",
             "app/models.py": "from .base import Base\n"
                              "class User(Base): pass\n"}
    run = lazily(*own(files, "app.models"))
    assert run.out == SETTLED
    assert run.loaded("app.base")


@pytest.mark.parametrize("files, module", [
    ({"app/__init__.py": "", "app/base.py": "print('x')\n",
      "app/models.py": "from . import base\nclass User: pass\n"},
     "app.models"),
    ({"app/__init__.py": "import sys\nsys.x = 1\n", "app/models.py": ""},
     "app.models"),
    ({"app/__init__.py": "", "app/one.py": "import app.two\n",
      "app/two.py": "import app.one\n"}, "app.one"),
    ({"other.py": "import threading\nlock = threading.Lock()\n"}, "other"),
    ({"other.py": "import third\nclass A(third.B): pass\n",
      "third.py": "class B: pass\n"}, "other"),
    ({"other.py": "from third import *\n", "third.py": "B = 1\n"}, "other"),
    ({"other.py": "try:\n    import third\nexcept ImportError:\n"
                  "    third = None\n", "third.py": ""}, "other"),
    ({"other.py": "def __getattr__(name):\n    return name\nprint()\n"},
     "other"),
])
def test_module_of_the_program_that_is_not(lazily, files, module):
    """Or that brings what is not: of its own package, a cycle, what is for
    one thread, of another package."""
    run = lazily(*own(files, module))
    top = module.split(".")[0]
    assert run.out.startswith(f"None ['{top}'] ")
    assert run.out.count("\n") == 1


def test_what_it_imports_is_there(lazily):
    files = {"other.py": "import third, threading\nclass A(third.B): pass\n"
                         "lock = threading.Lock()\n",
             "third.py": "class B: pass\n"}
    run = lazily(*own(files, "other", "import third, threading\n"
                                      "        third.B, threading.Lock"))
    assert run.out == SETTLED


def test_base_of_what_is_there_registers(lazily):
    files = {"other.py": "import third\nclass A(third.B): pass\n",
             "third.py": "known = []\nclass B:\n"
                         "    def __init_subclass__(cls):\n"
                         "        known.append(cls)\n"}
    run = lazily(*own(files, "other", "import third\n        third.B"))
    assert run.out.startswith("None ['other'] ")


def test_it_is_asked_again_once_it_is_written_to(lazily):
    files = {"other.py": "print('x')\n"}
    files, main = own(files, "other")
    main = main.replace("    main()", """\
        with open("other.py", "w") as file:
            file.write("x = 1 # of another size\\n")
        hot.difflib_ = 1
        exec("import difflib\\ndef f(): return difflib", hot.__dict__)
        print(hot.watched(), lazycore.pending(hot))
    main()""")
    run = lazily(files, main)
    assert run.out.splitlines()[0].startswith("None ['other'] ")
    assert run.out.splitlines()[1] == "hot []"


def test_garbage_is_the_service_s_own(lazily):
    """What it says of the collector while a body runs holds; nothing is
    collected in there."""
    run = lazily({"hot.py": write("body"), "body.py": "VALUE = 1\n"}, """\
        import gc, hot, lazycore, sys
        seen = []
        def audit(event, args):
            if event == "exec" and args[0].co_filename.endswith("body.py"):
                seen.append(gc.isenabled())
                collected = gc.get_stats()[0]["collections"]
                kept = [[] for _ in range(5000)]
                seen.append(gc.get_stats()[0]["collections"] - collected)
                gc.disable()
        def main():
            sys.addaudithook(audit)
            before = gc.get_threshold()
            hot.settle = lazycore.settle
            print(hot.watched(), lazycore.pending(hot))
            print(seen, gc.isenabled(), gc.get_threshold() == before)
        main()
        """)
    assert run.out == "hot []\n[True, 0] False True\n"


def test_thresholds_are_the_service_s_own(lazily):
    """Set while a body runs, and put back after it as found in there."""
    run = lazily({"hot.py": write("body"), "more.py": write("other"),
                  "body.py": "VALUE = 1\n", "other.py": "VALUE = 1\n"}, """\
        import gc, hot, lazycore, more, sys
        found = []
        def audit(event, args):
            if event == "exec" and args[0].co_filename.endswith("body.py"):
                found.append(gc.get_threshold())
                gc.set_threshold(900, 11, 12)
        def main():
            sys.addaudithook(audit)
            before = gc.get_threshold()
            hot.settle = more.settle = lazycore.settle
            print(hot.watched(), gc.get_threshold() == (900, 11, 12))
            gc.set_threshold(*found[0])
            print(more.watched(), gc.get_threshold() == before)
        main()
        """)
    assert run.out == "hot True\nmore True\n"
