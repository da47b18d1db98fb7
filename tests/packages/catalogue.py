"""The catalogue of levels, from the records of programs, sweeps and effects.

    catalogue.py [--write]

programs.tsv (run.py --record) says which programs passed with a package at
full and at outer, sweep.tsv (sweep.py --record) what a sweep over the package
compared and found. A package that a program proves gets a row in
lazycore/level.def: full where every program of it passed at full and the sweep
at full found no difference, and no module of it has effects on others
(lazycore/effects: a program that needs an effect need not be among ours); else
outer, where every program passed at outer.
With --write the rows are written, else they are printed.
"""
import argparse
import pathlib
import re
import sys
import textwrap

import table
from run import KEYS as PROGRAM_KEYS, ROOT
from sweep import KEYS as SWEEP_KEYS

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs.tsv"
SWEEPS = HERE / "sweep.tsv"
EFFECTS = ROOT / "lazycore" / "effects"
CATALOGUE = ROOT / "lazycore" / "level.def"
WIDTH = 79


def swept(row):
    """A sweep in a few words, or None where there was none."""
    if row is None:
        return None
    if row["differ"] != "0":
        return f"at {row['level']} {row['differ']} items differ"
    words = (f"{row['modules']} of {row['found']} modules in 2 orders, "
             f"{row['compared']} items alike at {row['level']}")
    if row["shared"] != "0":
        words += f", {row['shared']} differ as at outer"
    if row["accepted"] != "0":
        words += f", {row['accepted']} as accepted"
    return words


def effects(package):
    """Of PACKAGE's modules: how many there are, how many change what is not
    their own (`__main__` apart, which nobody imports), or None: not read."""
    path = EFFECTS / f"{package}.tsv"
    if not path.exists():
        return None
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    return len(rows), sum(row[3] == "effects" and
                          not row[0].endswith(".__main__") for row in rows)


def read_effects(package):
    """The same in a few words."""
    found = effects(package)
    if found is None:
        return "not read for effects"
    count, changing = found
    return f"{count - changing} of {count} modules free of effects"


def proved(package, programs, sweeps):
    """(level, what programs say, what the sweep says), or None."""
    rows = [row for (name, _), row in sorted(programs.items())
            if name == package]
    full, outer = (sweeps.get((package, level)) for level in ("full", "outer"))
    if full is None or not rows:
        return None
    read = read_effects(package)
    if (full["differ"] == "0" and all(row["full"] == "pass" for row in rows)
            and (effects(package) or (0, 1))[1] == 0):
        return ("FULL", ", ".join(row["program"] for row in rows),
                "; ".join((swept(full), read)))
    if all(row["outer"] == "pass" for row in rows):
        return ("OUTER", ", ".join(
            row["program"] + ("" if row["full"] == "pass"
                              else f" ({row['full']} at full)")
            for row in rows),
            "; ".join(filter(None, (swept(full), swept(outer), read))))
    return None


def rows():
    """{package: (level, programs, sweep)}"""
    programs = table.read(PROGRAMS, PROGRAM_KEYS)
    sweeps = table.read(SWEEPS, SWEEP_KEYS)
    found = {package: proved(package, programs, sweeps)
             for package in sorted({package for package, _ in programs})}
    return {package: row for package, row in found.items() if row}


def literal(text):
    """TEXT as C strings, one a line."""
    return [f'"{part}"' for part in textwrap.wrap(
        text, WIDTH - 10, drop_whitespace=False, break_on_hyphens=False)]


def row_text(package, level, programs, sweep):
    """One row, wrapped."""
    indent = " " * len("LEVEL(")
    parts = [*literal(programs)]
    parts[-1] += ","
    head = f"LEVEL({package}, {level}, {parts[0]}"
    lines = [head, *parts[1:]]
    if len(head) > WIDTH:
        lines = [f"LEVEL({package}, {level},", *parts]
    lines += literal(sweep)
    return ("\n" + indent).join(lines) + ")\n"


def text(found, old):
    """The whole of level.def: its comment in OLD, then rows by level."""
    comment = re.match(r"/\*.*?\*/\n", old, flags=re.S)[0]
    parts = [comment]
    for level in ("FULL", "OUTER"):
        parts += [row_text(package, *row) for package, row in found.items()
                  if row[0] == level]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(
        description="Make the catalogue of levels from the records.")
    parser.add_argument("--write", action="store_true",
                        help="write it to lazycore/level.def")
    options = parser.parse_args()
    made = text(rows(), CATALOGUE.read_text())
    if options.write:
        CATALOGUE.write_text(made)
    else:
        print(made, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
