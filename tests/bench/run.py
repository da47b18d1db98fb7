"""All measurements of DESIGN's bars, or those that are named.

    tests/bench/run.py [--build DIR] [--rounds N] [--peer ROOT]
                       [--json FILE] [NAME...]
"""
import json
import os

import accounting
import common
import control
import lazyctl
import pause
import peers
import prefork
import rules
import start
import statement
import steady

BENCHMARKS = {module.__name__: module
              for module in (accounting, start, peers, rules, control,
                             lazyctl, statement, steady, pause,
                             prefork)}


def main():
    options = common.options(__doc__)
    for name in options.names or BENCHMARKS:
        if name not in BENCHMARKS:
            raise SystemExit(f"{name}: one of {', '.join(BENCHMARKS)}")
    for name in options.names or BENCHMARKS:
        print("load of the machine: %.1f %.1f %.1f" % os.getloadavg())
        BENCHMARKS[name].run(options)
    if options.json:
        options.json.write_text(json.dumps(common.tables, indent=1) + "\n")


main()
