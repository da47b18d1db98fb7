# needs: python3-ipython python3-traitlets python3-prompt-toolkit python3-decorator python3-pickleshare python3-matplotlib-inline
# packages: IPython traitlets prompt_toolkit decorator
"""An embedded shell: cells with magics, completion, display by kind, an
extension; configured objects; a prompt on a pipe with key bindings."""
import contextlib
import io
import pickle
import re
import sys
import types

import IPython.core.display
import prompt_toolkit
import traitlets
import traitlets.config
from IPython.core import inputtransformer2, magic, oinspect
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import HTML, JSON, Image, display
from IPython.lib import pretty
from IPython.utils.capture import capture_output
from prompt_toolkit import PromptSession, application
from prompt_toolkit.completion import NestedCompleter, WordCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import HTML as Marked, to_formatted_text
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.styles import Style, merge_styles
from prompt_toolkit.validation import ValidationError, Validator
from pygments.lexers.python import PythonLexer
from traitlets import (Bool, Dict, Enum, HasTraits, Instance, Int, List, TraitError,
                       Unicode, Union, default, directional_link, link, observe,
                       validate)
from traitlets.config import Application, Config, Configurable, SingletonConfigurable
from traitlets.utils.importstring import import_item


class Engine(Configurable):
    power = Int(1, help="how strong").tag(config=True)
    kind = Enum(["a", "b"], "a").tag(config=True)
    names = List(Unicode()).tag(config=True)
    part = Instance("collections.OrderedDict", ())
    either = Union([Bool(), Unicode()])

    @default("names")
    def _names(self):
        return ["none"]

    @validate("power")
    def _power(self, proposal):
        if proposal["value"] < 0:
            raise TraitError("negative power")
        return proposal["value"]

    @observe("power", "kind")
    def _changed(self, change):
        print("changed", change.name, change.old, change.new)


class Tool(Application):
    name = "tool"
    classes = [Engine]
    aliases = {"power": "Engine.power"}
    flags = {"b": ({"Engine": {"kind": "b"}}, "kind b")}

    def start(self):
        print(Engine(parent=self).trait_values(config=True))


@magics_class
class Own(Magics):
    @line_magic
    def twice(self, line):
        return line * 2

    @cell_magic
    def upper(self, line, cell):
        print(cell.upper())


class NoDigits(Validator):
    def validate(self, document):
        if any(c.isdigit() for c in document.text):
            raise ValidationError(0, "digits")


def traits():
    e = Engine(config=Config(Engine=Config(power=3)))
    e.kind = "b"
    for bad in (lambda: setattr(e, "power", -1), lambda: setattr(e, "kind", "z"),
                lambda: setattr(e, "names", [1]), lambda: setattr(e, "either", 2)):
        try:
            bad()
        except TraitError as error:
            print(re.sub(r" at 0x\w+", "", str(error))[:50])
    other = HasTraits()
    other.add_traits(power=Int(), seen=Dict())
    link((e, "power"), (other, "power"))
    directional_link((e, "kind"), (other, "seen"), lambda k: {"k": k})
    other.power = 9
    print(e.power, other.seen, sorted(e.trait_names(config=True)))
    Tool.launch_instance(["--power=7", "-b", "--Engine.names=x"])
    print(Tool.instance().generate_config_file().count("Engine"),
          pickle.loads(pickle.dumps(Config(a=1))), import_item("os.path").__name__ !=
          "", issubclass(SingletonConfigurable, traitlets.config.LoggingConfigurable))


def shell():
    ip = InteractiveShell.instance(colors="NoColor", history_length=0)
    ip.history_manager.enabled = False
    ip.register_magics(Own)
    ip.run_line_magic("load_ext", "extra")
    for cell in ("x = %twice ab\nx", "%%upper\nloud", "a = [1, 2]\na.app?", "1/0",
                 "%who_ls", "%timeit?", "%%capture c\nprint(1)", "def f(:", "!!echo hi",
                 "%pinfo2 nothing", "for i in range(2):\n  display(i)", "%nothing",
                 "%config InteractiveShell.ast_node_interactivity", "await go()",
                 "async def go(): return 5", "await go()", "%%writefile w.py\nq = 1",
                 "%run w.py", "q", "%xmode Plain", "{}['k']", "%alias_magic t twice"):
        with capture_output() as shown:
            result = ip.run_cell(cell)
        text = re.sub(r"\x1b\[[\d;]*m|0x\w+|Cell In\[\d+\]|File.*|/\S+", "", shown.stdout)
        print(repr(cell), result.success, result.result, text.splitlines()[-1:])
    with provisionalcompleter():
        print([c.text for c in ip.Completer.completions("a.app", 5)][:2],
              ip.complete("%twi")[1])
    data, _ = ip.display_formatter.format(HTML("<b>x</b>"))
    ip.display_formatter.formatters["text/html"].for_type(complex, lambda c: "cplx")
    print(data["text/html"], ip.display_formatter.format(1j)[0], JSON({"a": 1}).data,
          Image(b"\x89PNG\r\n\x1a\n", format="png", width=3).width)
    display({"a": 1}, HTML("<i>"))
    print(pretty.pretty({"k": [1] * 30}).count("\n"), inputtransformer2
          .TransformerManager().transform_cell("%cd x\n!ls\ny?"), oinspect.getdoc(
              Own), ip.extension_manager.loaded - {"storemagic"})
    try:
        ip.run_line_magic("nothing", "")
    except UsageError as error:
        print(error)
    print(magic.magic_kinds, IPython.core.display.__name__, ip.user_ns["extra_loaded"])


def prompt():
    keys = KeyBindings()

    @keys.add("c-t")
    def _(event):
        event.current_buffer.insert_text("typed")

    with create_pipe_input() as pipe:
        pipe.send_text("say \x14 it\x1b[D\x1b[D\x7f\n")
        session = PromptSession(Marked("<b>&gt;</b> "), input=pipe, lexer=PygmentsLexer(
            PythonLexer), output=DummyOutput(), key_bindings=keys, validator=NoDigits(),
            style=merge_styles([Style([("b", "bold")])]))
        print(repr(session.prompt()))
        pipe.send_text("\x04")
        try:
            session.prompt()
        except EOFError:
            print("end of input")
    words = NestedCompleter.from_nested_dict({"show": {"all": None}, "set": None})
    print([c.text for c in words.get_completions(Document("show a"), None)],
          [c.text for c in WordCompleter(["ab"]).get_completions(Document("a"), None)],
          to_formatted_text(Marked("<i>x</i>")), application.get_app().is_running)
    prompt_toolkit.print_formatted_text("plain", file=io.StringIO())


extra = types.ModuleType("extra")
extra.load_ipython_extension = lambda ip: ip.push({"extra_loaded": True})
sys.modules["extra"] = extra
with contextlib.redirect_stderr(io.StringIO()):
    traits()
    shell()
    prompt()
