"""Make the C data of lazycore/effects.h from the records in this folder.

    generate.py OUTPUT.c

A record is a file PACKAGE.tsv, or PACKAGE-VERSION.tsv for another version
than Debian's, with a line a module: its name, "package" or
"module", bytes of the source that was read, "free" or "effects", the lines
(from 0) of the modules that its body imports, joined by commas, or "-", and,
where it has effects, the first one that was found; "sure" where it is free
and its import cannot end in an ImportError.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def records():
    """[(name, record, kind, bytes, state, [names it imports], sure)]."""
    found = []
    for path in sorted(HERE.glob("*.tsv")):
        rows = [line.split("\t") for line in
                path.read_text().splitlines()]
        names = [row[0] for row in rows]
        for name, kind, size, state, imports, *more in rows:
            if name.split(".")[0] != path.stem.split("-")[0]:
                sys.exit(f"{path.name}: {name} is of another package")
            if kind not in ("package", "module") or \
                    state not in ("free", "effects"):
                sys.exit(f"{path.name}: {name}: {kind}, {state}?")
            found.append((name, path.stem, kind, int(size), state,
                          [] if imports == "-" else
                          [names[int(at)] for at in imports.split(",")],
                          state == "free" and more == ["sure"]))
    return sorted(found, key=lambda row: (row[0].encode(), row[1]))


def main(output):
    rows = records()
    at = {row[:2]: index for index, row in enumerate(rows)}
    if len(at) != len(rows):
        sys.exit("a module stands in the record twice")
    lines = ['#include "lazycore/effects.h"', "",
             "const struct lz_effects lz_effects[] = {"]
    name_at = import_at = 0
    for name, _, kind, size, state, imports, sure in rows:
        lines.append(f"    {{{name_at}, {size}, {import_at}, {len(imports)}, "
                     f"{int(kind == 'package')}, {int(state == 'free')}, "
                     f"{int(sure)}}},")
        name_at += len(name.encode()) + 1
        import_at += len(imports)
    lines += ["};", "", f"const unsigned lz_effects_count = {len(rows)};", "",
              "const char lz_effects_names[] ="]
    lines += [f'    "{row[0]}\\0"' for row in rows] + ["    ;", ""]
    lines += ["const uint16_t lz_effects_imports[] = {"]
    lines += ["    " + " ".join(f"{at[other, row[1]]}," for other in row[5])
              for row in rows if row[5]] + ["};", ""]
    pathlib.Path(output).write_text("\n".join(lines))


main(sys.argv[1])
