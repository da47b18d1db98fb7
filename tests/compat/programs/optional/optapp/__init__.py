import importlib
from .version import VERSION
from .compat import json
from .circ_a import A as Circ
from . import backends

late = "early"
from . import tweaks  # noqa: E402


def dumps(v):
    return json.dumps(v)


def __getattr__(name):
    if name == "heavy":
        return importlib.import_module(".heavy", __name__)
    if name == "old_name":
        import warnings

        warnings.warn("old_name is old", DeprecationWarning, 2)
        return "new"
    raise AttributeError("module %r has no attribute %r" % (__name__, name))


def __dir__():
    return sorted(list(globals()) + ["heavy"])
