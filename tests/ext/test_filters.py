"""Filters of warnings: a body that runs at a first use has those of its
statement, and what it adds stands behind what was added since."""
import pytest

LIBRARY = {"library.py": """\
    import warnings
    class Mine(UserWarning):
        pass
    warnings.simplefilter("always", Mine)
    warnings.warn("old", DeprecationWarning)
    def use():
        warnings.warn("mine", Mine)
        return 1
    """}
MAIN = """\
import sys
import warnings
import library
def shown():
    return [(action, category.__name__) for action, _, category, *_ in
            warnings.filters]
{since}
def main():
    def attempt(use):
        try:
            print(use())
        except Warning as warning:
            print(repr(warning))
    attempt(library.use)
    print(shown())
    for i in range(2):
        attempt(lambda: warnings.warn("others"))
sys.stderr = sys.stdout
warnings.formatwarning = lambda message, *rest: f"shown: {{message}}\\n"
main()
"""


@pytest.mark.parametrize("since", [
    "", "warnings.simplefilter('ignore')", "warnings.simplefilter('error')",
    "warnings.simplefilter('default')",
    "warnings.simplefilter('ignore', append=True)",
    "warnings.simplefilter('always', UserWarning)",
    "warnings.resetwarnings()",
    "warnings.resetwarnings()\nwarnings.simplefilter('error')",
    "warnings.filterwarnings('ignore', 'mine')\n"
    "warnings.simplefilter('error', DeprecationWarning)",
    "del warnings.filters[-1]",
    "warnings.filters = warnings.filters[:]\n"
    "warnings.simplefilter('ignore')"])
def test_filters_of_the_statement(both, since):
    run = both(LIBRARY, MAIN.format(since=since))
    assert run.state("library") == "real"


def test_a_filter_that_both_make(both):
    """Then the later one counts, which is the program's."""
    both({"library.py": "import warnings\n"
                        "warnings.simplefilter('ignore', BytesWarning)\n"
                        "def use():\n    pass\n"},
         MAIN.format(since="warnings.simplefilter('error', BytesWarning)\n"
                           "warnings.simplefilter('ignore', BytesWarning)"))


@pytest.mark.parametrize("body", [
    "warnings.resetwarnings()", "del warnings.filters[:2]",
    "with warnings.catch_warnings():\n    warnings.simplefilter('error')",
    "warnings.simplefilter('always', append=True)",
    "import below\nbelow.x"])
def test_what_a_body_does_to_them(both, body):
    both({"library.py": f"import warnings\n{body}\n"
                        "def use():\n    return 1\n",
          "below.py": "import warnings\nx = 1\n"
                      "warnings.simplefilter('ignore', BytesWarning)\n"},
         MAIN.format(since="warnings.simplefilter('error', UserWarning)"))


def test_a_body_that_fails(both):
    """Half of what it does is done."""
    both({"library.py": "import warnings\n"
                        "warnings.simplefilter('always', BytesWarning)\n"
                        "raise ValueError('broken')\n"}, """\
        import warnings
        try:
            from library import use
        except ValueError:
            pass
        warnings.simplefilter("ignore")
        def main():
            print(len(warnings.filters), warnings.filters[1][0])
        main()
        """)


def test_a_block_that_catches(both):
    """What is recorded there is what the block itself warns of."""
    both({"library.py": "import warnings\nimport below\n"
                        "def use():\n    warnings.warn('now')\n"
                        "    return below\n", "below.py": ""}, """\
        import warnings
        import library
        def main():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                library.use()
            print([str(each.message) for each in caught])
        main()
        """)


def test_other_threads_keep_theirs(lazily):
    """While others run, nothing is taken from them: only the order is made
    right."""
    run = lazily({"library.py": "import gate, warnings\n"
                                "warnings.simplefilter('always', Warning)\n"
                                "gate.begun.set()\ngate.go.wait(20)\n"
                                "def use():\n    return 1\n",
                  "gate.py": "import threading\n"
                             "begun = threading.Event()\n"
                             "go = threading.Event()\n"}, """\
        import threading, warnings, gate
        import library
        warnings.simplefilter("ignore")
        def other():
            gate.begun.wait(20)
            print([each[0] for each in warnings.filters[:2]])
            gate.go.set()
        def main():
            gate.go, gate.begun
            thread = threading.Thread(target=other)
            thread.start()
            print(library.use())
            thread.join()
            print([each[0] for each in warnings.filters[:2]])
        main()
        """)
    assert run.out == "['always', 'ignore']\n1\n['ignore', 'always']\n"


def test_no_leak(lazily):
    run = lazily({f"m{i}.py": "import warnings\nX = 1\n"
                              "warnings.simplefilter('always', Warning)\n"
                  for i in range(40)}, """\
        import gc, importlib, sys, warnings
        counts = []
        for i in range(40):
            exec(f"import m{i} as m", globals())
            warnings.simplefilter("ignore", ResourceWarning)
            m.X
            del m, sys.modules[f"m{i}"]
            gc.collect()
            counts.append(len([each for each in gc.get_objects()
                               if type(each) is tuple and len(each) == 5]))
        print(max(counts[20:]) - min(counts[20:]) < 5)
        """)
    assert run.out == "True\n"
