"""pdb with commands, trace, profile, cProfile, bdb, timeit, dis, doctest,
InteractiveConsole over an application module.
"""
import bdb
import cProfile
import code
import contextlib
import dis
import doctest
import io
import os
import pdb
import profile
import pstats
import sys
import timeit
import trace

import dbgapp
from dbgapp import calc


def run_pdb():
    out = io.StringIO()
    commands = (
        "b dbgapp.calc.mean\nc\nw\np values\nn\nn\ns\n"
        "p sorted(vars())\nr\nc\nq\n"
    )
    debugger = pdb.Pdb(
        stdin=io.StringIO(commands), stdout=out, nosigint=True, readrc=False
    )
    debugger.use_rawinput = False
    try:
        debugger.run("print(calc.mean([1, 2, 6]))", globals())
    except bdb.BdbQuit:
        print("quit")
    text = out.getvalue().replace(os.path.dirname(dbgapp.__file__), "APP")
    print(
        "\n".join(
            line
            for line in text.splitlines()
            if "APP" in line or "->" in line or "[" in line
        )
    )


def run_trace():
    tracer = trace.Trace(
        count=1, trace=0, countfuncs=0, ignoredirs=[sys.prefix]
    )
    tracer.runfunc(calc.mean, [1, 2, 3])
    counts = tracer.results().counts
    print(
        sorted(
            (os.path.basename(f), n, c)
            for (f, n), c in counts.items()
            if "dbgapp" in f
        )
    )
    tracer = trace.Trace(count=0, trace=0, countcallers=1)
    tracer.runfunc(calc.label, 3)
    print(
        sorted(
            (a[2], b[2])
            for a, b in tracer.results().callers
            if "dbgapp" in b[0] and "dbgapp" in a[0]
        )
    )


def run_profiles():
    for module in (profile, cProfile):
        prof = module.Profile()
        prof.runcall(calc.label, 4)
        stats = pstats.Stats(prof, stream=io.StringIO())
        print(
            sorted(
                (os.path.basename(f[0]), f[2], s[0])
                for f, s in stats.stats.items()
                if "dbgapp" in f[0]
            )
        )


def run_console():
    console = code.InteractiveConsole(
        {"__name__": "__console__", "__doc__": None}
    )
    with contextlib.redirect_stderr(io.StringIO()) as err:
        for line in (
            "import dbgapp.calc as c, json",
            "from dbgapp.calc import *",
            "print(c.mean([1, 3]), label(2))",
            "import nothing_here",
            "for i in range(2):",
            "    print(json.dumps(i))",
            "",
            "1/0",
            "import math; math.floor(2.5)",
        ):
            print(console.push(line))
    print([line for line in err.getvalue().splitlines() if "Error" in line])


def main():
    run_pdb()
    run_trace()
    run_profiles()
    run_console()
    print(doctest.testmod(calc), doctest.testmod(dbgapp))
    print(
        timeit.timeit("mean([1,2])", "from dbgapp.calc import mean", number=3)
        > 0
    )
    print([i.opname for i in dis.get_instructions(calc.label)][:3])


if __name__ == "__main__":
    main()
    print("done")
