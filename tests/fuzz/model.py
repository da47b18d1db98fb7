"""What the fuzzer's generator knows of the program it writes.

Responsible for the files of a program and for what is known of each module
while it is written. Leaves what is written to statements.py, bodies.py and
programs.py.
"""

# Statements that bring the standard library, what each binds, and a use.
STDLIB = (
    ("import os.path as {0}", "{0}", "{0}.sep"),
    ("from os import path as {0}", "{0}", "{0}.sep"),
    ("import collections.abc as {0}", "{0}", "{0}.Sized"),
    ("from collections import abc as {0}", "{0}", "{0}.Sized"),
    ("import collections.abc", "collections", "collections.abc.Sized"),
    ("from json import dumps as {0}", "{0}", "{0}([1])"),
    ("from json import *", "loads", "loads('[2]')"),
    ("import json.decoder", "json", "json.decoder.JSONDecoder"),
    ("import html.entities as {0}", "{0}", "{0}.name2codepoint['lt']"),
    ("from html import escape as {0}", "{0}", "{0}('<')"),
    ("import urllib.parse", "urllib", "urllib.parse.quote('a b')"),
    ("from urllib import parse as {0}", "{0}", "{0}.quote('a b')"),
    ("import xml.dom.minidom", "xml", "xml.dom.Node.ELEMENT_NODE"),
    ("from xml.dom.minidom import Node as {0}", "{0}", "{0}"),
    ("import concurrent.futures as {0}", "{0}", "{0}.TimeoutError"),
    ("from concurrent.futures import ThreadPoolExecutor as {0}", "{0}",
     "{0}"),
    ("import importlib.machinery", "importlib",
     "importlib.machinery.ModuleSpec"),
    ("import importlib.util as {0}", "{0}", "{0}.find_spec"),
    ("import curses.ascii as {0}", "{0}", "{0}.isalpha('a')"),
    ("from wsgiref.headers import Headers as {0}", "{0}", "{0}"),
    ("from colorsys import *", "rgb_to_hsv", "rgb_to_hsv(0, 0, 0)[2]"),
    ("import string, colorsys as {0}, bisect", "{0}",
     "{0}.hsv_to_rgb(0, 0, 0)[2]"),
)


class Program:
    """Files, each a list of blocks; main.py is what runs."""

    def __init__(self):
        self.files = {}
        self.folders = []  # on sys.path besides the program's own
        self.zipped = []  # top-level names that live in lib.zip
        self.levels = {}
        self.ignored = []  # (kind, value) of the ignore sets
        self.cycles = False  # imports that fail eagerly may succeed lazily

    def copy(self, files=None):
        other = Program()
        other.files = dict(self.files if files is None else files)
        other.folders = list(self.folders)
        other.zipped = list(self.zipped)
        other.levels = dict(self.levels)
        other.ignored = list(self.ignored)
        other.cycles = self.cycles
        return other

    def text(self, path):
        return "".join(block + "\n" for block in self.files[path])


class Module:
    """What the generator knows of a module it has written or will write."""

    def __init__(self, name, parent, number):
        self.name = name
        self.parent = parent
        self.number = number
        self.children = []
        self.is_package = self.is_namespace = False
        self.folder = ""
        self.exports = {}  # plain name -> kind
        self.refs = []  # (expression, kind) that its body may use
        self.late_refs = []  # the same, for functions only
        self.blocks = []
        self.early = f"E{number}"
        self.patched = f"P{number}"  # only main uses it, and may change it
        self.effects = set()  # modules that run when this one does
        self.replaced = self.clash = self.has_all = False
        self.broken = self.done = False

    @property
    def tail(self):
        return self.name.rpartition(".")[2]

    @property
    def top(self):
        return self.name.partition(".")[0]

    def ancestors(self):
        result, module = [], self.parent
        while module is not None:
            result.append(module)
            module = module.parent
        return result

    def path(self):
        base = self.folder + self.name.replace(".", "/")
        return base + ("/__init__.py" if self.is_package else ".py")
