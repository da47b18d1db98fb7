"""With a rule of DESIGN 4.3 switched off, the tests of that rule fail: so they
are tests of it. What must happen for a rule to be noticed is in each test."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

# Each rule, and tests of what it makes eager.
RULES = {
    "guarded": ["test_policy.py", "rule_4_guard", 8],
    "late": ["test_policy.py", "rule_5_late or rule_5_warning", 6],
    "for_effect": ["test_policy.py", "rule_6_for_effect", 3],
    "same_package": ["test_policy.py", "rule_7_same_package", 2],
    "namespaces": ["test_policy.py", "namespaces_are_bound or vars_of_a", 4],
    "forks": ["test_forks_share.py", "made_once", 6],
    "foresight": ["test_rules_off.py", "foresight_of", 1],
    "sys_modules": ["test_taken.py", "second_copy or taken_is or submodule_is", 12],
}


def outcome(text, word):
    found = re.search(rf"(\d+) {word}", text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("rule", RULES)
def test_rule_is_noticed(rule):
    file, selected, least = RULES[rule]
    if os.environ.get("LAZYCORE_TEST_RULES_OFF"):
        pytest.skip("a rule is off already")
    if "LAZYCORE_PYTHON" in os.environ or "LD_PRELOAD" in os.environ:
        pytest.skip("it is about the tests: once is enough, plainly built")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "--tb=no", str(HERE / file), "-k", selected],
        text=True, stdout=subprocess.PIPE, timeout=300,
        env={**os.environ, "LAZYCORE_TEST_RULES_OFF": rule})
    assert outcome(done.stdout, "failed") >= least, done.stdout
    assert outcome(done.stdout, "passed") == 0, done.stdout
    assert outcome(done.stdout, "error") == 0, done.stdout


def test_foresight_of_a_pending_module(both):
    """A submodule that only a pending module would import is there."""
    run = both({"pack/__init__.py": "", "pack/part.py": "value = 1\n",
                "user.py": "import pack.part\n"
                           "use = lambda: pack.part\n"}, """\
        import pack
        import user
        def main():
            print(pack.part.value)
            return user
        main()
        """)
    assert run.out == "1\n"


@pytest.mark.parametrize("pending", ["array", "_decimal", "_elementtree"])
def test_foresight_of_what_has_no_code(both, pending):
    """It imports in C, where nothing can be read."""
    both({}, f"""\
        import collections, xml.etree, {pending}
        def part(package, name):
            try:
                return getattr(package, name).__name__
            except AttributeError as error:
                return error
        def main():
            print(part(collections, "abc"), part(xml.etree, "ElementPath"))
            return {pending}
        main()
        """)


def test_rules_are_named_and_switched(lazily):
    run = lazily({}, """\
        import lazycore
        print(lazycore.rule("late"), lazycore.rule("late", False),
              lazycore.rule("late"), lazycore.rule("late", True))
        try:
            lazycore.rule("lat")
        except ValueError as error:
            print(error)
        """)
    first, second = run.out.splitlines()
    assert first == "True False False True"
    assert second.startswith("no rule 'lat': use one of guarded, late, ")
