"""What differs between the eager and the lazy runs of one file of tests."""

# The case that stands for a file as a whole.
WHOLE = "(file)"


def passed_always(runs):
    """Cases that passed in every run."""
    sets = [{case for case, outcome in run["cases"].items()
             if outcome == "passed"} for run in runs]
    return set.intersection(*sets) if sets else set()


def passed_once(runs):
    return {case for run in runs for case, outcome in run["cases"].items()
            if outcome == "passed"}


def differing(eager, lazy):
    """Cases that pass in all EAGER runs of a file and in no LAZY one; (file)
    where the file as a whole does and no single case explains it."""
    cases = sorted(passed_always(eager) - passed_once(lazy))
    good = ("passed", "skipped")
    if (not cases and all(run["status"] in good for run in eager)
            and not any(run["status"] in good for run in lazy)):
        return [WHOLE]
    return cases


def read_list(path):
    """{(file, case): reason} of lines 'FILE CASE  REASON'."""
    listed = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            cells = line.split(None, 2)
            if len(cells) != 3:
                raise SystemExit(f"{path}:{number}: FILE CASE REASON expected")
            listed[cells[0], cells[1]] = cells[2].strip()
    return listed


def read_names(path):
    """The first word of each line that is no comment."""
    with open(path, encoding="utf-8") as lines:
        return [line.split()[0] for line in lines
                if line.strip() and not line.startswith("#")]
