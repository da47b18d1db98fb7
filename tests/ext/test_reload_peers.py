"""The traps of tests/bench/reload_peers.py, which the README lists."""
import importlib.util
import os
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench" / "reload_peers.py"
spec = importlib.util.spec_from_file_location("reload_peers", BENCH)
peers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peers)

# What cannot be repaired, and is said.
TOLD = {"double registration": "4 in a list, which is told"}

pytestmark = pytest.mark.skipif(
    "LD_PRELOAD" in os.environ or "LAZYCORE_PYTHON" in os.environ,
    reason="it runs the plain interpreter")


@pytest.mark.parametrize("trap, program", peers.TRAPS,
                         ids=[trap for trap, _ in peers.TRAPS])
def test_none_is_a_trap_here(trap, program):
    found = peers.run("lazyd", program, os.environ["LAZYCORE_DIR"], 10)
    assert found == TOLD.get(trap, "ok")


def test_they_are_traps():
    """A program that finds nothing wrong with anyone tests nothing."""
    for trap in ("a body that fails half-way", "identity of classes",
                 "double registration", "an extension"):
        found = peers.run("importlib", dict(peers.TRAPS)[trap],
                          os.environ["LAZYCORE_DIR"], 10)
        assert not found.startswith("ok"), (trap, found)
