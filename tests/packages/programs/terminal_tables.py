# needs: python3-rich python3-tqdm python3-colorama python3-tabulate python3-prettytable python3-texttable python3-markdown-it
# packages: rich tqdm colorama tabulate prettytable texttable
"""What a command line tool shows: rich renderables of every kind, progress,
tables in all formats by name, colours that are stripped."""
import copy
import io
import logging

import colorama
import colorama.ansi
import prettytable
import rich
import rich.traceback
import tabulate
import texttable
import tqdm
import tqdm.auto
from colorama import Back, Fore, Style as Tone
from colorama.ansitowin32 import AnsiToWin32, StreamWrapper
from prettytable import MSWORD_FRIENDLY, PrettyTable
from prettytable.colortable import ColorTable, Themes
from rich import box, inspect as look, pretty
from rich.columns import Columns
from rich.console import Console, Group
from rich.emoji import Emoji
from rich.errors import MarkupError, MissingStyle
from rich.highlighter import RegexHighlighter
from rich.layout import Layout
from rich.logging import RichHandler
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.progress_bar import ProgressBar
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme
from rich.tree import Tree
from tabulate import TableFormat, tabulate as table_of
from tqdm.contrib.logging import logging_redirect_tqdm
from tqdm.utils import FormatReplace


class Mail(RegexHighlighter):
    base_style = "tool."
    highlights = [r"(?P<mail>\w+@\w+)"]


class Boxed:
    def __rich_console__(self, console, options):
        yield "[b]boxed[/b]"
        yield Panel(str(options.max_width), box=box.ASCII, width=12)

    def __rich_repr__(self):
        yield "width", 12


class Quiet(tqdm.tqdm):
    """A bar whose rate is not shown."""

    @property
    def format_dict(self):
        return dict(super().format_dict, elapsed=0, rate=None)


def shown():
    out = io.StringIO()
    console = Console(file=out, width=60, theme=Theme({"tool.mail": "bold red"}),
                      force_terminal=True, color_system="truecolor",
                      legacy_windows=False, _environ={})
    grid = Table("a", "b", title="T", box=box.ROUNDED)
    grid.add_row("1", Text("two", style="italic"))
    tree = Tree("root")
    tree.add("leaf").add(Emoji.replace(":smiley:"))
    layout = Layout()
    layout.split_row(Layout(Panel("l"), size=10), Layout(Panel("r")))
    for thing in (grid, tree, Boxed(), Markdown("# h\n\n* x `c`\n\n> q"),
                  Syntax("def f(): pass", "python", theme="monokai"), Mail()(
                      "to me@home"), Columns(["x", "y"]), Group("g", "h"),
                  ProgressBar(10, 4, width=20), pretty.Pretty(
                      {"k": [1, 2] * 20}), Boxed.__rich_repr__):
        console.print(thing if not callable(thing) else "[u]l[/u]")
    console.print(layout, height=4)
    console.rule("end")
    console.print_json('{"a": [1, true]}')
    with Progress(TextColumn("{task.description}"), BarColumn(10),
                  console=console, auto_refresh=False) as bar:
        bar.update(bar.add_task("go", total=2), completed=2)
    logger = logging.getLogger("tool")
    logger.addHandler(RichHandler(console=console, show_time=False,
                                  show_path=False))
    logger.warning("careful")
    try:
        {}["none"]
    except KeyError:
        console.print(len(rich.traceback.Traceback().trace.stacks))
    for bad in (lambda: console.print("[/nothing]"), lambda: console.get_style(
            "no such style")):
        try:
            bad()
        except (MarkupError, MissingStyle) as error:
            print(type(error).__name__)
    look(3, console=console, methods=False, docs=False)
    print(ascii(out.getvalue()))
    quiet = Console(record=True, file=io.StringIO(), width=20)
    quiet.print("[red]x[/red]")
    print(quiet.export_text(), "<svg" in quiet.export_svg(clear=False, title="t"),
          rich.box.DOUBLE)


def tables():
    rows = [["ab", 1.5], ["é", 20]]
    for name in tabulate.tabulate_formats:
        print(name, table_of(rows, ["n", "v"], tablefmt=name), sep="\n")
    print(table_of({"k": [1]}, "keys", TableFormat(
        None, None, None, None, tabulate.DataRow("<", "|", ">"),
        tabulate.DataRow("<", "|", ">"), 0, None)))
    table = PrettyTable(["n", "v"], sortby="v", reversesort=True)
    table.add_rows(rows)
    print(table, table.get_html_string(), table.get_csv_string(), table.
          get_json_string(), copy.copy(table).field_names)
    table.set_style(MSWORD_FRIENDLY)
    print(table, repr(ColorTable(["x"], theme=Themes.OCEAN).get_string()),
          prettytable.from_csv(io.StringIO("a,b\n1,2")))
    try:
        table.add_row([1])
    except ValueError as error:
        print(error)
    old = texttable.Texttable(max_width=30)
    old.set_cols_dtype(["t", "i"])
    old.add_rows([["h", "i"], ["long text that wraps", 3]])
    print(old.draw(), texttable.obj2unicode(3))


shown()
tables()
out = io.StringIO()
for _ in Quiet(range(3), file=out, ascii=True, ncols=40, mininterval=0):
    pass
print(repr(out.getvalue().split("\r")[-1]), tqdm.auto.tqdm.__name__,
      tqdm.tqdm.format_sizeof(12345), tqdm.trange(0, disable=True).n,
      format(FormatReplace("x"), "s"))
with logging_redirect_tqdm():
    tqdm.tqdm.write("written")
wrapped = io.StringIO()
StreamWrapper(wrapped, AnsiToWin32(wrapped, strip=True)).write(
    Fore.RED + "red" + Tone.RESET_ALL + Back.BLUE)
print(wrapped.getvalue(), repr(colorama.ansi.code_to_chars(31)),
      repr(colorama.Cursor.UP(2)))
