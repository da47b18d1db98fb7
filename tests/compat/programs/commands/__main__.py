"""Command line applications: argparse with subcommands found by pkgutil,
optparse, cmd, configparser, curses setupterm, getopt, shlex, textwrap,
string templates.
"""
import cmd
import contextlib
import curses
import getopt
import io
import optparse
import readline
import shlex
import shutil
import string
import textwrap

from cliapp.main import build, run
from cliapp import config as cfg
import cliapp.commands


class Shell(cmd.Cmd):
    prompt = "> "
    use_rawinput = False

    def do_run(self, arg):
        """run it"""
        print("ran", shlex.split(arg), file=self.stdout)

    def do_EOF(self, arg):
        return True


def main():
    for args in (
        ["add", "1", "2"],
        ["greet", "--name", "bob"],
        ["nope"],
        ["--help"],
        ["add", "x", "y"],
        ["dump", "--fmt", "json"],
        ["dump", "--fmt", "xml"],
        ["dump", "--fmt", "csv"],
    ):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                code = run(args)
            except SystemExit as exc:
                code = exc.code
        print(args, code, out.getvalue())
    print(sorted(cliapp.commands.COMMANDS), build().prog)
    p = optparse.OptionParser(usage="%prog [x]", prog="o")
    p.add_option("-v", action="count", default=0)
    p.add_option("-f", type="choice", choices=["a", "b"])
    print(
        vars(p.parse_args(["-vv", "-f", "b", "rest"])[0]),
        getopt.getopt(["-a", "1", "--long=x", "r"], "a:", ["long="]),
    )
    out = io.StringIO()
    Shell(
        stdin=io.StringIO("run 'a b' c\nhelp run\nwhat\n"), stdout=out
    ).cmdloop("hi")
    print(out.getvalue())
    print(
        cfg.load("[a]\nx = ${b:y}/z\n[b]\ny = 1\n"), cfg.Settings().as_dict()
    )
    try:
        curses.setupterm("xterm", 1)
        print(
            curses.tigetnum("colors"),
            curses.tigetstr("cup")[:2],
            curses.ascii.isctrl("\x01") if hasattr(curses, "ascii") else None,
        )
    except curses.error as exc:
        print("curses", exc)
    print(
        textwrap.fill("some long text " * 4, 30),
        string.Template("$a ${b}").substitute(a=1, b=2),
        shutil.get_terminal_size().columns,
        bool(readline.get_completer_delims()),
    )


if __name__ == "__main__":
    main()
    print("done")
