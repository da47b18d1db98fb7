"""What is known of builtins and the standard library: what may be called in a
module's body without changing anything outside of it, and what may not."""
import builtins
import sys

STD = set(sys.stdlib_module_names)
PURE_BUILTINS = (
    set(
        """abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate
filter float format frozenset getattr hasattr hash hex id int isinstance issubclass iter len list map max memoryview min next object
oct ord pow property range repr reversed round set slice sorted staticmethod str sum super tuple type vars dir zip globals locals
BaseException __build_class__ NotImplemented""".split()
    )
    | {
        n
        for n in dir(builtins)
        if isinstance(getattr(builtins, n), type)
        and issubclass(getattr(builtins, n), BaseException)
    }
)
BAD_STD = {
    "atexit",
    "signal",
    "copyreg",
    "faulthandler",
    "site",
    "readline",
}
BAD_STD_CALLS = {
    "codecs.register",
    "codecs.register_error",
    "warnings.filterwarnings",
    "warnings.simplefilter",
    "warnings.resetwarnings",
    "warnings.warn",
    "warnings.warn_explicit",
    "logging.basicConfig",
    "logging.config.dictConfig",
    "logging.config.fileConfig",
    "logging.addLevelName",
    "logging.setLoggerClass",
    "logging.captureWarnings",
    "logging.disable",
    "sys.addaudithook",
    "sys.setdlopenflags",
    "sys.setrecursionlimit",
    "sys.settrace",
    "sys.setprofile",
    "sys.setswitchinterval",
    "sys.exit",
    "os.chdir",
    "os.putenv",
    "os.unsetenv",
    "os.umask",
    "os.register_at_fork",
    "os.setuid",
    "mimetypes.add_type",
    "mimetypes.init",
    "importlib.import_module",
    "__import__",
    "random.seed",
    "resource.setrlimit",
    "socket.setdefaulttimeout",
    "threading.settrace",
    "threading.setprofile",
    "os.makedirs",
    "os.mkdir",
    "os.remove",
    "os.unlink",
    "os.environ.setdefault",
    "os.environ.update",
    "os.environ.pop",
    "sys.path.append",
    "sys.path.insert",
    "sys.modules.update",
    "sys.modules.setdefault",
    "sys.modules.pop",
    "ctypes.CDLL",
    "locale.setlocale",
    "gc.disable",
    "gc.enable",
    "gc.set_threshold",
    "gc.freeze",
    "multiprocessing.set_start_method",
    "asyncio.set_event_loop_policy",
    "email.charset.add_charset",
    "email.charset.add_codec",
    "email.charset.add_alias",
    "xml.etree.ElementTree.register_namespace",
    "tokenize.open",
    "sqlite3.register_adapter",
    "sqlite3.register_converter",
    "decimal.setcontext",
    "gettext.install",
    "gettext.textdomain",
    "gettext.bindtextdomain",
    "encodings.search_function",
    "io.open",
    "webbrowser.register",
    "shutil.register_archive_format",
    "shutil.register_unpack_format",
    "exec",
    "eval",
    "compile",
    "open",
    "input",
    "setattr",
    "delattr",
    "breakpoint",
}
MUTATORS = {
    "append",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "clear",
    "remove",
    "discard",
    "sort",
    "reverse",
    "appendleft",
    "write",
    "register",
}
SAFE_METHODS = set(
    "get items keys values copy split join format strip lower upper replace startswith endswith count index find encode decode rstrip lstrip partition rpartition splitlines title group match search __name__ isidentifier".split()
)
