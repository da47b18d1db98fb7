"""DESIGN section 9, row 7: the seed's report(), verbose, memory_query_func."""

import re

import pytest

FILES = {"dep.py": "x = 1\n", "unused.py": "",
         "user.py": "import dep\nimport unused\ndef f():\n    return dep\n"
                    "def g():\n    return unused\n"}
STATE_LINES = [
    r"proxy imported \d+ \[.*'unused'.*\]",
    r"proxy imported \(maximum size reached\) \d+",
    r"fully imported \(pre lazyimport\) \d+ \[.*'sys'.*\]",
    r"fully imported \(via lazyimport\) \d+ \[.*'dep'.*\]",
    r"fully imported \(via allowed bypass\) \d+ \[.*\]",
    r"fully imported \(by rule\) \d+ \[.*\]",
    r"fully imported \(lost track of these\) \d+ \[.*\]",
    r"builtins \(proxied\) \d+ \[.*\]",
    r"builtins \(fully imported\) \d+ \[.*'sys'.*\]",
    r"builtins \(not imported\) \d+ \[.*\]",
]


def check_state(lines):
    assert len(lines) == len(STATE_LINES), lines
    for line, pattern in zip(lines, STATE_LINES):
        assert re.fullmatch(pattern, line), line
        count = re.search(r" (\d+) \[", line)
        if count:
            names = line[line.index("["):].count("'") // 2
            assert int(count[1]) == names, line


@pytest.mark.parametrize("verbose", [None, 0, False])
def test_row_report_is_silent_at_0(lazily, verbose):
    """Row 7: verbose 0, the default, prints nothing."""
    setting = "" if verbose is None else f"lazycore.verbose = {verbose}"
    run = lazily(FILES, f"""\
        import lazycore
        {setting}
        import user
        def main():
            user.f()
            lazycore.report("now")
        main()
        """)
    assert run.err == ""


@pytest.mark.parametrize("verbose", [1, True])
def test_row_report_of_loads_at_1(lazily, verbose):
    """Row 7: verbose 1 prints a line for each load, and the state on call."""
    run = lazily(FILES, f"""\
        import sys
        import user
        def main():
            import lazycore
            user.f
            lazycore.verbose = {verbose}
            user.f()
            lazycore.report("now")
            lazycore.verbose = 0
        main()
        """)
    lines = run.err.splitlines()
    assert re.fullmatch(r"lazyimport: load dep \(now using \d+\.\d{3} Mb\)",
                        lines[0])
    assert re.fullmatch(
        r"lazyimport report: now \(now using \d+\.\d{3} Mb\)", lines[1])
    check_state(lines[2:])


def test_row_report_of_the_state_at_2(lazily):
    """Row 7: verbose 2 prints the state with each load."""
    run = lazily(FILES, """\
        import user
        def main():
            import lazycore
            user.f
            lazycore.verbose = 2
            user.f()
            lazycore.verbose = 0
        main()
        """)
    lines = run.err.splitlines()
    assert lines[0].startswith("lazyimport: load dep (now using ")
    check_state(lines[1:])


def test_row_memory_query_func(lazily):
    """Row 7: memory_query_func replaces the built-in figure."""
    run = lazily(FILES, """\
        import lazycore
        import user
        def main():
            user.f
            assert lazycore.memory_query_func is None
            lazycore.memory_query_func = lambda: 12.5
            lazycore.verbose = 1
            user.f()
            lazycore.memory_query_func = None
            lazycore.verbose = 0
        main()
        """)
    assert run.err == "lazyimport: load dep (now using 12.500 Mb)\n"


@pytest.mark.parametrize("function", [
    "lambda: 1 / 0", "lambda: 'text'", "3", "lambda x: x"])
def test_row_memory_query_func_that_fails(lazily, function):
    """Row 7: one that fails costs the figure, not the load."""
    run = lazily(FILES, f"""\
        import lazycore
        import user
        def main():
            user.f
            lazycore.memory_query_func = {function}
            lazycore.verbose = 1
            assert user.f().x == 1
            lazycore.verbose = 0
        main()
        """)
    assert run.err == "lazyimport: load dep\n"


@pytest.mark.parametrize("stderr", ["None", "Broken()"])
def test_row_report_without_stderr(lazily, stderr):
    """Row 7: a stderr that is not there, or that raises, costs nothing."""
    lazily(FILES, f"""\
        import sys
        import lazycore
        import user
        class Broken:
            def write(self, text):
                raise OSError("full")
        def main():
            user.f
            saved = sys.stderr
            sys.stderr = {stderr}
            lazycore.verbose = 2
            try:
                assert user.f().x == 1
                lazycore.report("now")
            finally:
                lazycore.verbose = 0
                sys.stderr = saved
        main()
        """)


@pytest.mark.parametrize("value", ["3", "-1", "'x'", "None", "10 ** 40"])
def test_row_verbose_of_another_value(lazily, value):
    """Row 7: whatever verbose is set to, no load and no report fails."""
    lazily(FILES, f"""\
        import lazycore
        import user
        def main():
            user.f
            lazycore.verbose = {value}
            assert user.f().x == 1
            lazycore.report("now")
            lazycore.verbose = 0
        main()
        """)


def test_row_proxy_tally_attribute(lazily):
    """Row 6: lazycore.proxyTally, as the seed has it, follows the count."""
    lazily(FILES, """\
        import lazycore
        before = lazycore.proxyTally
        import dep
        assert lazycore.proxyTally == before + 1
        assert lazycore.proxyTally == lazycore.stats()["proxy_total"]
        def f():
            return dep
        """)


def test_row_report_during_a_load(lazily):
    """Row 6 and 7: a module whose body runs is not lost."""
    run = lazily({"slow.py": "import lazycore\nlazycore.report('inside')\n"
                  "x = 1\n"}, """\
        def main():
            import lazycore
            lazycore.verbose = 1
            import slow
            lazycore.verbose = 0
        main()
        """)
    assert "fully imported (lost track of these) 0 []" in run.err
