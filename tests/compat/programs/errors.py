"""Errors of imports are those of plain Python, where code looks at them."""
import contextlib
import pathlib
import sys

pathlib.Path("broken.py").write_text("value = undefined_name\n")
pathlib.Path("wrong.py").write_text("def f(:\n")
pathlib.Path("half.py").write_text("A = 1\nraise KeyError('half')\n")
sys.path.insert(0, str(pathlib.Path.cwd()))

for name in ("missing", "broken", "wrong", "half", "json.missing",
             "missing.sub"):
    try:
        __import__(name)
    except Exception as error:
        print(name, type(error).__name__, str(error).split("(")[0],
              name in sys.modules)

try:
    import missing_too
except ModuleNotFoundError as error:
    print(error.name, error)
try:
    from json import no_such_name
except ImportError as error:
    print(error.name, str(error).split("(")[0])
with contextlib.suppress(ImportError):
    import missing_again

print("missing_again" in globals(), "missing_too" in globals())
with contextlib.suppress(KeyError):
    import half
print("half" in sys.modules)
sys.exit("the end")
