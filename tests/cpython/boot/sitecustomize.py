"""Turns lazy imports on right after site, in this process and its children."""
import lazycore

lazycore.install()
