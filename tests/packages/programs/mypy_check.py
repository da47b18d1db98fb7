# needs: python3-mypy python3-mypy-extensions python3-typing-extensions
# packages: mypy mypy_extensions
"""A type checker as a library: modules of several shapes, a plug-in found by
its name, stubs made, reports, errors of the options."""
import contextlib
import io
import pathlib

import mypy.api
import mypy.build
import mypy.errors
import mypy.stubgen
from mypy import checker, nodes, options
from mypy.build import BuildSource
from mypy.plugin import Plugin
from mypy.stubgen import generate_stubs, parse_options
from mypy.traverser import TraverserVisitor
from mypy.types import Instance
from mypy.version import __version__
from mypy_extensions import TypedDict, mypyc_attr

CODE = """\
from dataclasses import dataclass
from enum import Enum
from typing import Generic, List, NamedTuple, Optional, Protocol, TypeVar, overload
T = TypeVar("T", bound="Shape")
class Shape(Protocol):
    def area(self) -> float: ...
@dataclass(order=True)
class Box:
    side: int
    def area(self) -> str: return "x"
class Kind(Enum):
    A = 1
class Pair(NamedTuple):
    x: int
    y: str = ""
class Stack(Generic[T]):
    items: List[T]
    def top(self) -> Optional[T]: return self.items[0]
@overload
def f(x: int) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x): return x
def g(s: Shape) -> float: return s.area()
g(Box(1))
Box("a") < 3
reveal_type(f("a"))
reveal_type([k.name for k in Kind])
Pair(1, 2)
x: int = magic()
def magic() -> str: return ""
def h(o: Optional[str]) -> int:
    if o is None: return "none"
    return len(o)
async def co() -> int: return 1
y: str = co()
match x:
    case int(): pass
"""


class Count(TraverserVisitor):
    def __init__(self):
        super().__init__()
        self.calls = []

    def visit_call_expr(self, o):
        self.calls.append(getattr(o.callee, "name", "?"))
        super().visit_call_expr(o)


@mypyc_attr(allow_interpreted_subclasses=True)
class Own(Plugin):
    """A plug-in that does nothing but be asked."""

    asked = 0

    def get_function_hook(self, fullname):
        Own.asked += 1


path = pathlib.Path("code.py")
path.write_text(CODE)
for extra in (["--strict"], ["--none-such"], ["absent"]):
    out, err, status = mypy.api.run([*extra, "--no-color-output", "--cache-dir=cache",
                                     "--no-error-summary", "code.py"])
    print(extra, status, out, err.splitlines()[-1:])
made = options.Options()
made.cache_dir = "cache"
made.export_types = made.preserve_asts = True
result = mypy.build.build([BuildSource("code.py", "code")], made)
print(len(result.errors), type(result.files["code"]).__name__)
count = Count()
tree = result.files["code"]
tree.accept(count)
print(count.calls, isinstance(tree.names["Box"].node, nodes.TypeInfo),
      isinstance(tree.names["x"].node.type, Instance))
print([b.name for b in tree.names["Box"].node.mro], sorted(tree.names["Box"].node
                                                           .metadata))
try:
    mypy.build.build([BuildSource("bad.py", "bad", "x = (\n")], made)
except mypy.errors.CompileError as error:
    print(error.messages)
with contextlib.redirect_stdout(io.StringIO()):
    generate_stubs(parse_options(["code.py", "-o", "stubs"]))
print(pathlib.Path("stubs/code.pyi").read_text())
print(Own(made).get_function_hook("x"), Own.asked, __version__[:1],
      TypedDict("P", {"x": int})(x=1), checker.TypeChecker.__name__,
      mypy.stubgen.__name__)
