import argparse
import sys
from . import commands
from .commands import COMMANDS


def build():
    parser = argparse.ArgumentParser(prog="cliapp", description=__doc__)
    sub = parser.add_subparsers(dest="cmd", required=True)
    for name in sorted(COMMANDS):
        COMMANDS[name].arguments(
            sub.add_parser(name, help=COMMANDS[name].__doc__)
        )
    return parser


def run(argv=None):
    args = build().parse_args(argv)
    try:
        return COMMANDS[args.cmd]().run(args)
    except Exception as exc:
        print(type(exc).__name__, exc, file=sys.stderr)
        return 1
