# needs: python3-click
# packages: click
"""A command line tool: groups, types, options, contexts, prompts, completion,
formatting, styling, and errors, run in process.
"""
import enum
import inspect
import io
import os

import click
import click.shell_completion
import click.testing
from click import exceptions, types
from click.core import Context, ParameterSource
from click.decorators import make_pass_decorator
from click.formatting import HelpFormatter
from click.parser import OptionParser, split_arg_string
from click.termui import style, unstyle
from click.types import ParamType
from click.utils import LazyFile, make_default_short_help, make_str


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Pair(ParamType):
    name = "pair"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        left, found, right = value.partition("=")
        if not found:
            self.fail(f"{value!r} is no pair", param, ctx)
        return left, right

    def shell_complete(self, ctx, param, incomplete):
        return [click.shell_completion.CompletionItem(k + "=", help=k)
                for k in ("red", "blue") if k.startswith(incomplete)]


class Store:
    def __init__(self):
        self.items = []


pass_store = make_pass_decorator(Store, ensure=True)


class Plugins(click.MultiCommand):
    def list_commands(self, ctx):
        return ["alpha", "beta"]

    def get_command(self, ctx, name):
        if name in self.list_commands(ctx):
            return click.Command(name, callback=lambda: click.echo(
                f"plugin {name}"), help=f"Plugin {name}.")


@click.group(invoke_without_command=True, chain=True)
@click.version_option("1.2", prog_name="tool")
@click.option("--debug/--no-debug", "-d", envvar="TOOL_DEBUG")
@click.option("-v", "--verbose", count=True)
@click.pass_context
def tool(ctx, debug, verbose):
    """A tool."""
    ctx.ensure_object(Store)
    source = ctx.get_parameter_source("debug")
    click.echo(f"debug={debug} v={verbose} "
               f"{source is ParameterSource.ENVIRONMENT}")


@tool.command()
@click.argument("what", nargs=-1, type=Pair())
@click.option("--kind", type=click.Choice(["a", "b"], case_sensitive=False))
@click.option("--n", type=click.IntRange(1, 9, clamp=True), default=3,
              show_default=True)
@click.option("--when", type=click.DateTime())
@click.option("--ratio", type=click.FloatRange(0, 1), multiple=True)
@pass_store
def add(store, what, kind, n, when, ratio):
    """Add pairs to the store. It takes many."""
    store.items.extend(what)
    click.secho(f"{store.items} {kind} {n} {when} {ratio}", fg="green")


@tool.command("ask")
@click.option("--name", prompt="Name", confirmation_prompt=True)
@click.option("--secret", prompt=True, hide_input=True, default="s")
@click.confirmation_option(prompt="Sure?")
def ask(name, secret):
    click.echo(f"{name}/{secret}")


@tool.result_callback()
def finish(results, debug, verbose):
    click.echo(f"{len(results)} done")


@click.command()
@click.argument("source", type=click.File("r"))
@click.argument("target", type=click.Path(dir_okay=False, writable=True))
def copy(source, target):
    with click.open_file(target, "w", lazy=True, atomic=True) as out:
        out.write(source.read().upper())
    click.echo(open(target).read())


def main():
    more = inspect.signature(click.testing.CliRunner).parameters
    runner = click.testing.CliRunner(
        **({"mix_stderr": False} if "mix_stderr" in more else {}))
    for args, given in (
        ([], None), (["--version"], None), (["add", "--help"], None),
        (["-vv", "add", "a=1", "b=2", "--kind", "A", "--n", "40"], None),
        (["add", "x"], None), (["add", "--when", "never"], None),
        (["add", "--ratio", "0.5", "--ratio", "2"], None), (["ad"], None),
        (["add", "--when", "2020-01-02", "c=3", "ask"], "n\nn\n\ny\n"),
    ):
        done = runner.invoke(tool, args, input=given,
                             env={"TOOL_DEBUG": "1"}, prog_name="tool")
        print(args, done.exit_code, repr(done.stdout), repr(done.stderr))
    with runner.isolated_filesystem():
        with open("in", "w") as file:
            file.write("text")
        print(runner.invoke(copy, ["in", "out"]).output.strip(),
              runner.invoke(copy, ["gone", "out"]).stderr.splitlines()[-1])
        print(isinstance(LazyFile("lazy", "w"), io.IOBase), os.listdir("."))
    plugins = Plugins(name="plug")
    print(runner.invoke(click.CommandCollection(sources=[plugins]),
                        ["beta"]).output, plugins.get_help(Context(plugins)))
    complete = click.shell_completion.get_completion_class("bash")
    print(complete(tool, {}, "tool", "_X").get_completions(
        ["add"], "r")[0].value, complete.name)
    formatter = HelpFormatter(width=40)
    with formatter.section("Title"):
        formatter.write_dl([("-x", "something long enough to wrap here")])
    print(formatter.getvalue(), unstyle(style("x", fg="red", bold=True)),
          split_arg_string("a 'b c'"), make_str(b"x"),
          make_default_short_help("One. Two."))
    with Context(tool) as ctx:
        parser = OptionParser(ctx)
        parser.add_option(obj=click.Option(["-q"]), opts=["-q"], dest="q",
                          nargs=1)
        print(parser.parse_args(["-q", "1", "z"])[:2],
              types.convert_type((int, str)).name, Level.HIGH.name)
    for error in (exceptions.UsageError("u"), exceptions.FileError("f", "h"),
                  exceptions.BadParameter("b"), exceptions.Abort()):
        print(type(error).__name__, getattr(error, "exit_code", None), error)


if __name__ == "__main__":
    main()
