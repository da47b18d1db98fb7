"""Hot namespaces: what is pending in them is loaded where it is known to be
free of effects, and the interpreter specialises their look-ups again."""
import pytest

# Looks once in a while at itself, as lazyd's operator does at others, for
# three times the CPU time that it takes to find a namespace hot.
HOT = """\
    import sys, time, {pending}
    LIMIT = 3
    def loop(count):
        total = 0
        for _ in range(count):
            total += LIMIT
        return total
    def watched():
        end = time.process_time() + 0.3
        settled = None
        while settled is None and time.process_time() < end:
            loop(20000)
            settled = settle()
        loop(20000)
        return settled
    def opcodes():
        import dis
        return {{one.opname for one in
                 dis.get_instructions(loop, adaptive=True)
                 if one.argval == "LIMIT"}}
    def never():
        return {uses}
    """
MAIN = """\
    import hot, lazycore, sys
    hot.settle = lazycore.settle
    before = lazycore.pending(hot)
    print(hot.watched(), before, lazycore.pending(hot), hot.opcodes())
    """


def write(pending, uses=None):
    return HOT.format(pending=pending, uses=uses or pending)


def test_standard_library(lazily):
    run = lazily({"hot.py": write("difflib, decimal")}, MAIN)
    assert run.out == \
        "hot ['difflib', 'decimal'] [] {'LOAD_GLOBAL_MODULE'}\n"
    assert run.state("difflib") == run.state("decimal") == "real"


@pytest.mark.parametrize("module", ["other", "threading", "turtle"])
def test_not_known_to_be_free(lazily, module):
    """One such name is enough: then nothing is loaded for nothing."""
    run = lazily({"hot.py": write(f"difflib, {module}"), "other.py": ""}, MAIN)
    assert run.out.startswith(f"None ['difflib', '{module}'] "
                              f"['difflib', '{module}'] ")
    assert run.state("difflib") == "proxy"


def test_named_like_the_standard_library(lazily):
    """Our own file in the place of a standard module is not one."""
    run = lazily({"hot.py": write("difflib"), "difflib.py": ""}, MAIN)
    assert run.out.startswith("None ['difflib'] ['difflib'] ")


def test_attributes_and_submodules(lazily):
    files = {"hot.py": write("xml.dom.minidom as dom, json.tool", "dom, json")
             .replace("import sys,", "from decimal import Decimal\n"
                      "    import sys,")}
    run = lazily(files, MAIN)
    assert run.out.startswith("hot ")
    assert "] [] {'LOAD_GLOBAL_MODULE'}" in run.out
    assert run.loaded("xml.dom.minidom") and run.loaded("decimal")


def test_cold_namespace(lazily):
    """Its time goes elsewhere."""
    files = {"hot.py": write("difflib"), "cold.py": """\
        import textwrap
        def never():
            return textwrap
        """}
    run = lazily(files, "import cold\n" + MAIN.replace("    ", ""))
    assert run.out.startswith("hot ")
    assert run.state("textwrap") == "proxy"


def test_module_that_fails(lazily):
    """It stays pending, for its first use to raise, and is not tried over and
    over."""
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys
        class Broken:
            def find_spec(self, name, path=None, target=None):
                if name == "heapq":
                    raise ImportError("no heapq")
        def main():
            sys.modules.pop("heapq", None)
            sys.modules.pop("collections", None)
            sys.meta_path.insert(0, Broken())
            hot.settle = lazycore.settle
            print(hot.watched(), lazycore.pending(hot))
            print(lazycore.show("difflib")["failures"])
        main()
        """)
    assert run.out == "None ['difflib']\n1\n"


def test_while_someone_goes_through_sys_modules(lazily):
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys
        def main():
            lazycore.settle()
            hot.settle = lazycore.settle
            for name in sys.modules:
                print(hot.watched())
                break
            walk = iter(sys.modules.items())
            next(walk)
            print(hot.watched(), lazycore.pending(hot))
            list(walk)
            print(hot.watched(), lazycore.pending(hot))
        main()
        """)
    assert run.out.splitlines()[0] == "None"


def test_other_threads_are_seen(lazily):
    run = lazily({"hot.py": write("difflib")}, """\
        import hot, lazycore, sys, threading, time
        def main():
            hot.settle = lambda: None
            sys.setswitchinterval(1e-4)
            stop = []
            def work():
                while not stop:
                    hot.loop(1000)
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            settled = None
            while settled is None:
                settled = lazycore.settle()
                time.sleep(0.001)
            stop.append(True)
            for thread in threads:
                thread.join()
            print(settled, lazycore.pending(hot))
        main()
        """)
    assert run.out == "hot []\n"
