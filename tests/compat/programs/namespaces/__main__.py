"""Namespace packages: PEP 420 over two folders, pkgutil.extend_path, a .pth
folder added by site, one in a zip.
"""
import importlib
import importlib.resources
import os
import pkgutil
import site
import sys
import tempfile
import zipfile

ROOT = tempfile.mkdtemp()


def write(path, text):
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


write("one/ns/a.py", "from ns.b import B\ndef a():\n    return 'a' + B\n")
write(
    "two/ns/b.py", "import ns.a\nB = 'b'\ndef back():\n    return ns.a.a()\n"
)
write("two/ns/deep/x.py", "from . import y\ndef x():\n    return y.Y * 2\n")
write("one/ns/deep/y.py", "Y = 21\n")
EXT = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
write("one/old/__init__.py", EXT)
write("one/old/m1.py", "from old.m2 import two\n")
write("two/old/__init__.py", EXT)
write("two/old/m2.py", "def two():\n    return 'two of ' + __name__\n")
write(
    "sitedir/extra.pth",
    os.path.join(ROOT, "three") + "\nimport sys; sys.pth_ran = True\n",
)
write("three/ns/c.py", "C = 'sea'\n")
write("three/ns/data.txt", "resource text\n")
os.makedirs(os.path.join(ROOT, "four"))
with zipfile.ZipFile(os.path.join(ROOT, "four", "z.zip"), "w") as z:
    z.mkdir("ns")
    z.writestr("ns/z.py", "Z = 'zed'\n")
    z.writestr("zp/__init__.py", "from .m import m\n")
    z.writestr(
        "zp/m.py", "import zp\ndef m():\n    return zp.__name__ + '/m'\n"
    )
    z.writestr("zp/info.txt", "zip text")

sys.path[:0] = [os.path.join(ROOT, d) for d in ("one", "two", "four/z.zip")]
import ns.a
import ns.b
import ns.deep.x
import old.m1
import ns.z
import zp
from old import m2
from ns.deep import y as why


def main():
    print(ns.a.a(), ns.b.back(), ns.deep.x.x(), why.Y, ns.z.Z)
    print(
        old.m1.two(),
        m2.two.__module__,
        len(old.__path__),
        len(list(ns.__path__)),
    )
    try:
        importlib.import_module("ns.c")
    except ImportError as exc:
        print(exc.name)
    site.addsitedir(os.path.join(ROOT, "sitedir"))
    print(sys.pth_ran, len(list(ns.__path__)))
    importlib.import_module("ns.c")
    print(ns.c.C, ns.c.__spec__.origin[-4:])
    print(
        zp.m(), importlib.resources.files(zp).joinpath("info.txt").read_text()
    )
    print(
        sorted(m.name for m in pkgutil.walk_packages(ns.__path__, "ns.")),
        ns.__file__,
        type(ns.__path__).__name__,
    )


if __name__ == "__main__":
    main()
    print("done")
