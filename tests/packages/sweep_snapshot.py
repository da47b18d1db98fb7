"""What a sweep compares: the state of an interpreter as plain data.

take() gives a flat dict; a key says what is looked at and where, as in
`name:package.module:NAME`, and the values are texts, numbers and lists of
these. Containers are known by their length, numbers and texts by their value,
functions and classes by module and qualified name, all else by type. Of other
packages' modules only what the package put there is taken: values that are of
the package. What
modules add to at their import is compared without its order: loads in another
order are what laziness is. Functions of the engine count as those in whose
place they stand.
"""
import abc
import codecs
import collections
import copyreg
import gc
import logging
import os
import re
import signal
import sys
import threading
import types
import warnings

PLAIN = (bool, int, float, complex, str, bytes, type(None))
CONTAINERS = (dict, list, set, frozenset, collections.deque, tuple,
              types.MappingProxyType)
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type)
# What importlib keeps in a module, and what only tells how it was loaded.
OF_MODULES = {"__builtins__", "__cached__", "__file__", "__loader__",
              "__spec__", "__warningregistry__", "__annotations__",
              "__path__", "__doc__"}
# Filled by abc and by functools as classes are used.
OF_CLASSES = {"_abc_impl", "__weakref__", "__dict__", "__doc__",
              "__abstractmethods__"}
STAND_INS = {f"lazycore.{name}": f"builtin_function_or_method builtins.{name}"
             for name in ("__import__", "dir", "globals", "locals", "vars")}
STAND_INS["lazycore._reload"] = "function importlib.reload"
OURS = ("lazycore", "sweep_snapshot", "sweep_driver", "__main__",
        "__mp_main__")
# They take themselves away when they are first used.
ONCE = re.compile(r"\bsix\._MovedItems:|\bsix\.Module_")


def qualified(thing):
    module = getattr(thing, "__module__", None)
    name = getattr(thing, "__qualname__", None) or getattr(
        thing, "__name__", "?")
    return f"{module}.{name}"


def is_a(value, types_):
    """Without asking VALUE, which may be a proxy."""
    return issubclass(type(value), types_)


def kind(value):
    """VALUE without what differs from run to run."""
    if is_a(value, types.ModuleType):
        return f"module {vars(value).get('__name__')}"
    if is_a(value, FUNCTIONS):
        name = qualified(value)
        return STAND_INS.get(name) or f"{type(value).__name__} {name}"
    text = qualified(type(value))
    if type(value) in PLAIN:
        return f"{text} {repr(value)[:200]}"
    if type(value) in (staticmethod, classmethod):
        return f"{text} {kind(value.__func__)}"
    return text


def length(value):
    """Of a container, or None; not of the interpreter's own."""
    if (not is_a(value, CONTAINERS) or value is sys.modules
            or value is sys.path_importer_cache):
        return None
    return dict.__len__(value) if is_a(value, dict) else len(value)


def within(package, name):
    return isinstance(name, str) and (name == package
                                      or name.startswith(package + "."))


def of(package, value):
    """Whether VALUE is of the package, or its class is."""
    if is_a(value, types.ModuleType):
        return within(package, vars(value).get("__name__"))
    thing = value if is_a(value, FUNCTIONS) else type(value)
    return within(package, getattr(thing, "__module__", None))


def put(state, key, value):
    state[f"name:{key}"] = kind(value)
    size = length(value)
    if size is not None:
        state[f"length:{key}"] = size
    registry = vars(value).get("registry") if is_a(
        value, types.FunctionType) else None
    if length(registry) is not None:  # of functools.singledispatch
        state[f"length:{key}:registry"] = length(registry)


def instance_lengths(state, key, value, package):
    """Containers held by an instance of a class of the package, but for a
    cache that fills as loggers are used."""
    if is_a(value, (type, types.ModuleType)) or not of(package, value):
        return
    try:
        attributes = dict(object.__getattribute__(value, "__dict__"))
    except (AttributeError, TypeError):
        return
    for name, held in attributes.items():
        if (isinstance(name, str) and length(held) is not None
                and not (name == "_cache" and is_a(value, logging.Logger))):
            state[f"length:{key}:{name}"] = length(held)


def namespaces(state, package):
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in OURS:
            continue
        own = within(package, name)
        if own:
            state[f"module:{name}"] = qualified(type(module))
        if not is_a(module, types.ModuleType):
            continue
        for attribute, value in list(vars(module).items()):
            if not isinstance(attribute, str):
                continue
            # A name that could not be bound loads when it is hashed.
            attribute = str.__str__(attribute)
            if attribute not in OF_MODULES and (own or of(package, value)):
                put(state, f"{name}:{attribute}", value)
                instance_lengths(state, f"{name}:{attribute}", value, package)


def all_classes():
    # By identity: a metaclass may compare its classes in its own way.
    seen, found, waiting = {id(object)}, [], [object]
    while waiting:
        for child in type.__subclasses__(waiting.pop()):
            if id(child) not in seen:
                seen.add(id(child))
                found.append(child)
                waiting.append(child)
    return found


def abc_registered(cls, package):
    """Names of what was registered with an abstract base class; of the
    package, where the class is not."""
    try:
        registry = abc._get_dump(cls)[0]
    except (AttributeError, TypeError):
        return []
    own = of(package, cls)
    return sorted(qualified(child) for child in (ref() for ref in registry)
                  if child is not None and (own or of(package, child)))


def classes(state, package):
    found = collections.defaultdict(list)
    for cls in all_classes():
        name = qualified(cls)
        if is_a(cls, abc.ABCMeta) and (
                registered := abc_registered(cls, package)):
            found[f"abc:{name}"].append(registered)
        if not of(package, cls):
            continue
        found[f"mro:{name}"].append([qualified(base) for base in cls.__mro__])
        found[f"subclasses:{name}"].append(
            sorted(map(qualified, type.__subclasses__(cls))))
        for attribute, value in list(vars(cls).items()):
            if isinstance(attribute, str) and attribute not in OF_CLASSES:
                found[f"attribute:{name}:{attribute}"].append(
                    [kind(value), length(value)])
    # Several classes may have one name.
    for key, values in found.items():
        state[key] = sorted(values, key=repr)


def codec_functions():
    """The codecs' search functions: the list is known by its first, which
    is the standard library's."""
    import encodings
    for holder in gc.get_referrers(encodings.search_function):
        if type(holder) is list and holder[0] is encodings.search_function:
            return sorted(map(qualified, holder))
    return []


def codec_errors():
    for holder in gc.get_referrers(codecs.lookup_error("strict")):
        if type(holder) is dict and "xmlcharrefreplace" in holder:
            return sorted(holder)
    return []


def logger_state(logger):
    return [logger.level, logger.propagate, logger.disabled,
            sorted(qualified(type(item)) for item in logger.handlers),
            sorted(qualified(type(item)) for item in logger.filters)]


def registries(state, callbacks):
    state["registry:codecs"] = codec_functions()
    state["registry:codec errors"] = codec_errors()
    state["registry:copyreg"] = sorted(
        f"{qualified(cls)} {qualified(function)}"
        for cls, function in copyreg.dispatch_table.items())
    state["registry:copyreg extensions"] = sorted(
        map(repr, copyreg._extension_registry))
    state["registry:atexit"] = callbacks
    for number in sorted(signal.valid_signals()):
        handler = signal.getsignal(number)
        state[f"registry:signal {int(number)}"] = (
            qualified(handler) if callable(handler) else repr(handler))
    state["registry:logging"] = logger_state(logging.root)
    state["registry:logging levels"] = sorted(logging._nameToLevel)
    state["registry:logging class"] = qualified(logging.getLoggerClass())
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            state[f"registry:logging {name}"] = logger_state(logger)
    for where in ("meta_path", "path_hooks"):
        state[f"registry:{where}"] = sorted(
            qualified(item if isinstance(item, FUNCTIONS) else type(item))
            for item in getattr(sys, where))
    state["registry:warnings"] = sorted((
        [action, getattr(message, "pattern", message), qualified(category),
         getattr(module, "pattern", module), line]
        for action, message, category, module, line in warnings.filters),
        key=repr)
    state["registry:sys.path"] = sorted(sys.path)
    state["registry:environ"] = sorted(os.environ)
    for where, name in ((sys, "excepthook"), (sys, "displayhook"),
                        (sys, "unraisablehook"), (threading, "excepthook")):
        state[f"registry:{where.__name__}.{name}"] = qualified(
            getattr(where, name))
    state["registry:recursion limit"] = sys.getrecursionlimit()
    state["registry:threads"] = threading.active_count()


def take(package, callbacks):
    """CALLBACKS: how many atexit functions were registered."""
    gc.collect()
    state = {}
    namespaces(state, package)
    gc.collect()
    classes(state, package)
    registries(state, callbacks)
    return {key: value for key, value in state.items()
            if not ONCE.search(key)}
