"""Turns lazy imports on right after site, in this process and its children."""
try:
    import lazycore
except ImportError:
    pass  # a subinterpreter
else:
    lazycore.install()
