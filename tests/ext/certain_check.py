"""What is wrong with certain.def for the standard library of the interpreter
that runs this: certain_check.py FILE. Prints a line for each, and the number
of modules that it has looked at."""
import ast
import os
import re
import sys

# Modules in C that are built wherever CPython is: they need no library.
PLAIN_C = set("""
    _asyncio _bisect _contextvars _csv _datetime _heapq _json _lsprof
    _multiprocessing _opcode _pickle _posixshmem _posixsubprocess _queue
    _random _socket _statistics _struct _zoneinfo array binascii fcntl math
    mmap pyexpat select unicodedata""".split())
FOLDER = os.path.dirname(os.__file__)
# Words of conditions that do not hold on Linux, or when it is imported.
ELSEWHERE = ("win32", "'nt'", "_WINDOWS", "_mswindows", "darwin", "'aix'",
             "cygwin", "'java'", "android", "'ios'", "TYPE_CHECKING", "__name__ ==")


def source(name):
    """(file, whether it is a package), or None"""
    path = os.path.join(FOLDER, *name.split("."))
    for file, package in ((path + "/__init__.py", True),
                          (path + ".py", False)):
        if os.path.exists(file):
            return file, package
    return None


def statements(body):
    """Import statements whose failure leaves the module."""
    for one in body:
        if isinstance(one, (ast.Import, ast.ImportFrom)):
            yield one
        elif isinstance(one, ast.If):
            if not any(word in ast.unparse(one.test) for word in ELSEWHERE):
                yield from statements(one.body)
            yield from statements(one.orelse)
        elif isinstance(one, ast.With):
            yield from statements(one.body)
        elif isinstance(one, ast.Try):
            raises = any(isinstance(each, ast.Raise)
                         for handler in one.handlers for each in handler.body)
            if raises or not one.handlers:
                yield from statements(one.body)


def imported(name):
    file, package = source(name)
    with open(file, encoding="utf-8") as text:
        tree = ast.parse(text.read())
    for one in statements(tree.body):
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
            continue
        parts = name.split(".") + [""] * package
        base = ".".join(parts[:-one.level]) if one.level else ""
        base = ".".join(filter(None, (base, one.module)))
        yield base
        yield from (f"{base}.{alias.name}" for alias in one.names
                    if source(f"{base}.{alias.name}"))


def closure(name, needs):
    """What NAME comes to import, but for what is listed itself."""
    found, queue = set(), [name]
    while queue:
        for other in imported(queue.pop()):
            if other not in found:
                found.add(other)
                if source(other) is not None and other not in needs:
                    queue.append(other)
    return found


def main():
    with open(sys.argv[1]) as file:
        rows = re.findall(r"^(?:CERTAIN|NEEDS)\(([\w.]+)(?:, (\w+))?\)$",
                          file.read(), re.M)
    needs = dict(rows)
    looked = 0
    for name, need in rows:
        if source(name) is None:
            continue
        looked += 1
        parent = name.rpartition(".")[0]
        if parent and parent not in needs:
            print(f"{name}: {parent} is not listed")
        for other in sorted(closure(name, needs)):
            if other in needs:
                if needs[other] not in ("", need):
                    print(f"{name}: {other} needs {needs[other]}")
            elif (source(other) is None and other != need
                  and other not in sys.builtin_module_names
                  and other not in PLAIN_C
                  and other not in ("os.path", "__main__")):
                print(f"{name}: {other} may be missing")
    print(looked)


main()
