"""DESIGN 4.3: the parts of its rules that a simpler rule would miss.

Each test fails with just that part off, and was seen to. Leaves the rules
themselves to test_policy.py.
"""

import pytest

LOUD = 'print("run", __name__)\nvalue = 1\n'
QUIET = "value = 1\n"


@pytest.mark.parametrize("statement", [
    "first.table[0:0] = [1]", "first.table[:] = []", "del first.table[:1]",
    "first.table[0] += 1", "first.table[0:1] += [2]", "first.value += 1"])
def test_rule_5_slices_and_assignments_in_place(both, statement):
    """Rule 5: a store or delete of a subscript that is a slice, as in
    `sys.path[:0] = [...]`, or of what an operator changes in place."""
    run = both({"first.py": "table = [1, 2]\nvalue = 1\n", "dep.py": LOUD},
               f"import first\n{statement}\nimport dep\nprint('imported')\n"
               "def use():\n    return dep\n")
    assert run.out == "run dep\nimported\n"
    assert run.reason("dep") == "late"


@pytest.mark.parametrize("statement", [
    "__all__[0] = 'y'", "__all__[:] = ['y']", "__all__[1:] += ['y']"])
def test_rule_5_subscripts_of_all(both, statement):
    """Rule 5, not: stores into `__all__`."""
    run = both({"dep.py": QUIET}, f"__all__ = ['x']\n{statement}\nimport dep\n"
               "x = y = 1\ndef use():\n    return dep\n")
    assert run.state("dep") == "proxy"
