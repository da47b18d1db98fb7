# needs: python3-yaml python3-ruamel.yaml python3-toml python3-tomli python3-tomlkit
# packages: yaml ruamel toml tomli tomlkit
"""Configuration in YAML and TOML: tags, constructors, representers and
resolvers of our own, round trips that keep comments, marks of errors."""
import copy
import io
import pickle
from collections import OrderedDict

import ruamel.yaml
import toml
import toml.decoder
import tomli
import tomlkit
import tomlkit.items
import yaml
import yaml.constructor
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import LiteralScalarString
from toml.encoder import TomlPreserveInlineDictEncoder
from tomlkit.exceptions import ParseError, UnexpectedCharError
from yaml import SafeLoader, YAMLObject
from yaml.representer import SafeRepresenter

TEXT = """\
# head
base: &b {x: 1, y: [1, 2]}
more:
  <<: *b   # merged
  y: 0o14
when: 2024-01-02
text: |
  two
  lines
"""


class Point(YAMLObject):
    yaml_tag = "!point"
    yaml_loader = [SafeLoader]
    yaml_dumper = yaml.SafeDumper

    def __init__(self, x):
        self.x = x


class Dumper(yaml.SafeDumper):
    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


Dumper.add_representer(OrderedDict, SafeRepresenter.represent_dict)


def upper(loader, node):
    return loader.construct_scalar(node).upper()


yaml.add_constructor("!up", upper, Loader=SafeLoader)


def plain():
    print(yaml.safe_load(TEXT), yaml.load("!point {x: 3}", SafeLoader).x)
    print(yaml.safe_load("!up abc"), yaml.safe_dump(Point(4)),
          yaml.dump(OrderedDict(a=[1, "2"]), Dumper=Dumper))
    print([type(t).__name__ for t in yaml.scan("a: [1]")])
    print([type(e).__name__ for e in yaml.parse("- x")],
          yaml.compose("k: v").value[0][0].tag)
    for bad in ("a: [", "!none x", "a: b: c", "\x01"):
        try:
            yaml.safe_load(bad)
        except yaml.constructor.ConstructorError as error:
            print("constructor", error.problem)
        except yaml.MarkedYAMLError as error:
            print(type(error).__name__, error.problem_mark.line)
        except yaml.YAMLError as error:
            print(type(error).__name__)
    for kind in ("BaseLoader", "FullLoader", "UnsafeLoader", "CSafeLoader"):
        print(kind, yaml.load("[1, yes, ~]", Loader=getattr(yaml, kind)))
    print(yaml.load("!!python/tuple [1, 2]", yaml.FullLoader),
          yaml.dump({1: {2, 3}, "c": 1 + 2j}), list(yaml.safe_load_all("1\n---\n2")))


def round_trips():
    tool = ruamel.yaml.YAML()
    data = tool.load(TEXT)
    data["text"] = LiteralScalarString("new\n")
    data.insert(0, "first", CommentedMap(a=1))
    data.yaml_add_eol_comment("why", "when")
    out = io.StringIO()
    tool.dump(data, out)
    print(out.getvalue())
    for kind in ("safe", "rt", "base", "unsafe"):
        print(kind, ruamel.yaml.YAML(typ=kind, pure=True).load("[1, 0x10]"))
    safe = ruamel.yaml.YAML(typ="safe")
    safe.register_class(Point)
    print(safe.load("!point {x: 5}").x, copy.deepcopy(data)["first"])
    try:
        tool.load("a: 1\na: 2")
    except ruamel.yaml.constructor.DuplicateKeyError as error:
        print(type(error).__name__, error.problem.splitlines()[0])


def tomls():
    text = '# top\ntitle = "t" # name\n[a.b]\nwhen = 2024-01-02T03:04:05Z\n' \
           'list = [1, 2]\n[[c]]\nx = 1\n[[c]]\ny = {z = 1.5}\n'
    print(tomli.loads(text, parse_float=str) == toml.loads(text))
    document = tomlkit.parse(text)
    document["a"]["b"]["list"].append(3)
    document["new"] = tomlkit.table()
    document["new"].add(tomlkit.comment("fresh"))
    document["new"].add("k", tomlkit.item([1, {"a": 2}]))
    print(tomlkit.dumps(document), pickle.loads(pickle.dumps(document)) ==
          document, isinstance(document["c"], tomlkit.items.AoT))
    print(toml.dumps({"a": toml.TomlDecoder().get_empty_inline_table()},
                     TomlPreserveInlineDictEncoder()), document.unwrap()["c"])
    for parse in (tomli.loads, toml.loads, tomlkit.parse):
        for bad in ("a = ", "a = 1\na = 2", "[a", "= 3"):
            try:
                parse(bad)
            except (tomli.TOMLDecodeError, toml.decoder.TomlDecodeError,
                    UnexpectedCharError, ParseError,
                    tomlkit.exceptions.TOMLKitError) as error:
                print(type(error).__module__, type(error).__name__)


plain()
round_trips()
tomls()
