"""Plug-ins: found in a folder, registered by decorator, by subclass, by
entry in a table; fallbacks by try; a name made late."""
import importlib
import pathlib
import pkgutil
import sys

FILES = {
    "plug/__init__.py": "",
    "plug/registry.py": "COMMANDS = {}\n\n\ndef command(function):\n"
                        "    COMMANDS[function.__name__] = function\n"
                        "    return function\n\n\nclass Base:\n"
                        "    known = []\n\n"
                        "    def __init_subclass__(cls):\n"
                        "        Base.known.append(cls.__name__)\n",
    "plug/hello.py": "from .registry import command\n\n\n@command\n"
                     "def hello():\n    return 'hello'\n",
    "plug/shapes.py": "from .registry import Base\n\n\n"
                      "class Circle(Base):\n    pass\n",
    "plug/fast.py": "raise ImportError('no fast here')\n",
    "plug/slow.py": "WAY = 'slow'\n",
    "plug/lazyattr.py": "def __getattr__(name):\n"
                        "    if name.startswith('made_'):\n"
                        "        return name[5:]\n"
                        "    raise AttributeError(name)\n",
}

for name, text in FILES.items():
    path = pathlib.Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
sys.path.insert(0, str(pathlib.Path.cwd()))

import plug                                               # noqa: E402
import plug.registry as registry                          # noqa: E402
from plug import lazyattr                                 # noqa: E402

try:
    from plug import fast as way
except ImportError as error:
    print("no fast:", error)
    from plug import slow as way


def main():
    for info in sorted(pkgutil.iter_modules(plug.__path__),
                       key=lambda info: info.name):
        try:
            importlib.import_module("plug." + info.name)
        except ImportError as error:
            print("skipped", info.name, error)
    print(sorted(registry.COMMANDS), registry.Base.known, way.WAY)
    print(registry.COMMANDS["hello"](), lazyattr.made_late)
    print(hasattr(lazyattr, "other"), hasattr(plug, "nothing"))
    print(sorted(name for name in sys.modules if name.startswith("plug")))


main()
