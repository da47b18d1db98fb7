"""What tools do: look at modules, classes, signatures, sources, docs."""
import dataclasses
import dis
import doctest
import enum
import gc
import inspect
import pickle
import pkgutil
import pydoc
import sys
import textwrap
import traceback
import types
import typing
import unittest
import unittest.mock
import weakref
import xml.dom.minidom as minidom


class Colour(enum.Enum):
    """Colours.

    >>> Colour.RED.value
    1
    """
    RED = 1
    BLUE = 2


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: typing.Optional[int] = None
    colour: "Colour" = Colour.RED


class Cases(unittest.TestCase):
    def test_patch(self):
        with unittest.mock.patch("textwrap.fill", return_value="patched"):
            self.assertEqual(textwrap.fill("x"), "patched")
        self.assertEqual(textwrap.fill("x"), "x")

    def test_warns(self):
        with self.assertWarns(DeprecationWarning):
            import warnings
            warnings.warn("old", DeprecationWarning)


def fail():
    raise LookupError("as told")


print(typing.get_type_hints(Point), inspect.signature(Point))
print(pickle.loads(pickle.dumps(Point(1, 2, Colour.BLUE))))
print(inspect.getsource(fail).strip(), inspect.getmodule(fail).__name__)
print(inspect.getmembers(sys.modules[__name__], inspect.isclass))
print(pydoc.plain(pydoc.render_doc(Colour)).splitlines()[0])
print(sorted(name for name in dir() if not name.startswith("_")))
print([type(value).__name__ for name, value in sorted(globals().items())
       if isinstance(value, types.ModuleType)])
print(doctest.testmod())
result = unittest.TextTestRunner(stream=open("tests.log", "w")).run(
    unittest.defaultTestLoader.loadTestsFromTestCase(Cases))
print(result.testsRun, result.wasSuccessful())
try:
    fail()
except LookupError as error:
    print("".join(traceback.format_exception_only(error)).strip(),
          traceback.extract_tb(error.__traceback__)[-1].line)
print([entry.opname for entry in dis.get_instructions(fail)])
print(weakref.ref(Point)() is Point, gc.is_tracked(Point))
print([info.name for info in pkgutil.iter_modules(
    [__import__("json").__path__[0]])])
print(minidom.parseString("<a><b/></a>").toxml())
print([frame.function for frame in inspect.stack()])
