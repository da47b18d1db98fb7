"""Own finders and loaders: source from a dict, a decrypting path hook, a
module __class__, a lazy __getattr__ package.
"""
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import base64
import os
import sys
import tempfile

SOURCES = {
    "virt": (
        "pkg",
        "from .a import alpha\nfrom . import b\n"
        "NAMES = [alpha.__name__, b.NAME]\n",
    ),
    "virt.a": (
        "mod",
        "import json\ndef alpha():\n"
        "    return json.dumps({'from': __name__})\n",
    ),
    "virt.b": (
        "mod",
        "from .a import alpha as first\nNAME = 'bee'\ndef beta():\n"
        "    return first() + NAME\n",
    ),
}


class DictFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    asked = []

    def find_spec(self, name, path, target=None):
        if name.startswith("virt"):
            self.asked.append(name)
        if name in SOURCES:
            return importlib.util.spec_from_loader(
                name, self, is_package=self.is_package(name)
            )

    def is_package(self, name):
        return SOURCES[name][0] == "pkg"

    def get_source(self, name):
        return SOURCES[name][1]


class Base64Loader(importlib.machinery.SourceFileLoader):
    def get_data(self, path):
        data = super().get_data(path)
        return base64.b64decode(data) if path.endswith(".b64") else data

    def path_stats(self, path):
        raise OSError


def install():
    sys.meta_path.append(DictFinder())
    hook = importlib.machinery.FileFinder.path_hook((Base64Loader, [".b64"]))
    sys.path_hooks.insert(
        0,
        lambda p: hook(p)
        if p.endswith("secret")
        else (_ for _ in ()).throw(ImportError),
    )
    folder = os.path.join(tempfile.mkdtemp(), "secret")
    os.mkdir(folder)
    with open(os.path.join(folder, "hidden.b64"), "wb") as f:
        f.write(
            base64.b64encode(
                b"import shlex\ndef words(s):\n    return shlex.split(s)\n"
            )
        )
    sys.path.append(folder)
    sys.path_importer_cache.clear()


install()
import hidden
import virt.b
from virt import NAMES
from virt.a import alpha


class Strange(type(sys)):
    @property
    def now(self):
        return "computed " + self.__name__


strange = Strange("strange")
sys.modules["strange"] = strange
import strange as other


def main():
    print(NAMES, alpha(), virt.b.beta(), sorted(set(DictFinder.asked)))
    print(
        hidden.words("a 'b c'"),
        type(hidden.__loader__).__name__,
        os.path.basename(hidden.__file__),
    )
    print(
        other.now, virt.__spec__.loader.__class__.__name__, virt.b.__package__
    )
    try:
        importlib.import_module("virt.missing")
    except ModuleNotFoundError as exc:
        print(exc, exc.name)
    spec = importlib.util.find_spec("virt.a")
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    print(again is not sys.modules["virt.a"], again.alpha())
    importlib.reload(virt.b)
    print(
        virt.b.NAME,
        importlib.import_module(".a", "virt") is sys.modules["virt.a"],
    )


if __name__ == "__main__":
    main()
    print("done")
