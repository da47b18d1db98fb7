"""The catalogue of levels holds: each row has its proof, and still passes."""
import os
import pathlib
import re

import pytest

import catalogue
import run
import sweep
import table

PROGRAMS = sorted(run.PROGRAMS.glob("*.py"))
ROW = re.compile(r'LEVEL\((\w+), (\w+),((?:\s*"[^"]*")+),((?:\s*"[^"]*")+)\)')


def strings(text):
    return "".join(re.findall(r'"([^"]*)"', text))


def rows():
    """{package: (level, programs, sweep)} as the file has them."""
    text = catalogue.CATALOGUE.read_text().partition("*/")[2]
    found = {match[1]: (match[2], strings(match[3]), strings(match[4]))
             for match in ROW.finditer(text)}
    assert len(found) == text.count("LEVEL("), "a row is not understood"
    return found


CATALOGUE = rows()


def test_catalogue_follows_from_the_records():
    assert CATALOGUE == catalogue.rows()


def test_catalogue_is_large_enough():
    assert len(CATALOGUE) >= 60


@pytest.mark.parametrize("package", CATALOGUE)
def test_row_has_both_proofs(package):
    """Named programs are there and are about the package; it was swept; and
    at full nothing may have differed in either."""
    level, programs, _ = CATALOGUE[package]
    names = [name.split()[0] for name in programs.split(", ")]
    results = table.read(catalogue.PROGRAMS, run.KEYS)
    for name in names:
        _, about = run.header(run.PROGRAMS / f"{name}.py")
        assert package in about, name
        assert results[package, name][level.lower()] == "pass"
    swept = table.read(catalogue.SWEEPS, sweep.KEYS)[package, "full"]
    assert int(swept["modules"]) > 0 and int(swept["compared"]) > 0
    if level == "FULL":
        assert swept["differ"] == "0"
        assert catalogue.effects(package)[1] == 0
    else:
        assert level == "OUTER"
        assert (swept["differ"] != "0" or "at full" in programs
                or catalogue.effects(package) is None
                or catalogue.effects(package)[1]), "nothing is against full"


def test_every_program_is_recorded():
    recorded = {name for _, name in table.read(catalogue.PROGRAMS, run.KEYS)}
    assert {path.stem for path in PROGRAMS} == recorded


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program_at_its_levels(program):
    """As under python3, with what the catalogue says."""
    trial = run.Trial(pathlib.Path(os.environ["LAZYD"]), program)
    outcome = trial.at_level(None)
    if outcome.verdict == "missing":
        pytest.skip(outcome.detail)
    assert outcome.verdict == "pass", outcome.detail
