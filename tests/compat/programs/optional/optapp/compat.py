import sys

HAVE = {}
try:
    import ujson_missing as json

    HAVE["json"] = True
except ImportError:
    import json

    HAVE["json"] = False
try:
    from cStringIO import StringIO
except ImportError:
    from io import StringIO
if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None
try:
    import optapp_c_ext
except ModuleNotFoundError as exc:
    HAVE[exc.name] = False
try:
    from .fast import speed
except ImportError:
    speed = None
HAVE["speed"] = speed
for name in ("zlib", "nothing_at_all"):
    try:
        __import__(name)
    except ImportError:
        HAVE[name] = False
    else:
        HAVE[name] = True
