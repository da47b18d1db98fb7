from xml.sax.saxutils import escape
from . import base


@base.fmt("xml")
def dump(v):
    return escape("<%s>" % v)
