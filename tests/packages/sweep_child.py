"""One run of the sweep, in an interpreter of its own: see sweep.py.

    sweep_child.py MODE FOLDER PACKAGE LIST OUTPUT

MODE is eager, or the level at which PACKAGE is lazy: full, outer, or
catalogue. FOLDER is where the engine is. LIST is a file with the
names of the modules to import, one a line, in order, after a first line that
says how: `at once` imports all by statements before the first is used, `one
by one` imports and uses each before the next. OUTPUT gets a line of JSON for
each import that is begun or failed, and a last one with the snapshot, or with
why there is none.

Imports nothing of its own before the package is imported, so that what the
package needs is lazy in it.
"""
import sys

FAILURES_MAX = 20
MODE, FOLDER, PACKAGE, LIST, OUTPUT = sys.argv[1:]
# The script's own folder is not where a program's modules are.
OWN_FOLDER = sys.path.pop(0)
if MODE != "eager":
    sys.path.insert(0, FOLDER)
    import lazycore
    del sys.path[0]
    lazycore.install()
    if MODE != "catalogue":
        lazycore.level(PACKAGE, MODE)


failures = []


def say(**line):
    import json
    with open(OUTPUT, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class TooMany(BaseException):
    """Lazily, so much has failed that the rest tells nothing new."""


def attempt(name, action):
    """Errors of ACTION are told, for module NAME."""
    try:
        action()
    except BaseException as error:  # SystemExit too
        lines = str(error).strip().splitlines() or [""]
        # The engine's own text begins with a traceback.
        text = lines[-1] if lines[0].startswith("Traceback") else lines[0]
        say(failed=name, error=f"{type(error).__name__}: {text}"[:300])
        failures.append(name)
        if MODE != "eager" and len(failures) >= FAILURES_MAX:
            raise TooMany from None


def import_one_by_one(names):
    import importlib
    for name in names:
        say(begun=name)
        attempt(name, lambda: importlib.import_module(name))


def import_at_once(names):
    """Statements first, in a module of their own; then each name is used."""
    def one(number):
        exec(compile(f"import {names[number]} as m{number}\n"
                     f"__all__ = ['m{number}']", "<sweep>", "exec"),
             driver.__dict__)

    import types
    driver = types.ModuleType("sweep_driver")
    sys.modules["sweep_driver"] = driver
    for number, name in enumerate(names):
        say(begun=name)
        attempt(name, lambda: one(number))
    for number, name in enumerate(names):
        attempt(name, lambda: getattr(driver, f"m{number}", None))
    del sys.modules["sweep_driver"]


def bind_all():
    """Load what is pending, and what that leaves pending, and bind it."""
    tried = set()
    while news := sorted(set(lazycore.proxies) - tried):
        for name in news:
            attempt(name, lambda: lazycore.load(name))
        tried.update(news)
    for name, module in sorted(sys.modules.items(), key=lambda item: item[0]):
        if type(module) is type(sys):
            for pending in sorted(lazycore.pending(module)):
                attempt(f"{name}.{pending}",
                        lambda: getattr(module, pending, None))


def main():
    sys.argv[:] = ["sweep"]
    with open(LIST, encoding="utf-8") as file:
        how, *names = file.read().splitlines()
    import atexit
    callbacks = atexit._ncallbacks()
    (import_at_once if how == "at once" else import_one_by_one)(names)
    if MODE != "eager":
        bind_all()
        say(bound=lazycore.stats()["names_resolved"])
    callbacks = atexit._ncallbacks() - callbacks
    if MODE != "eager":
        lazycore.uninstall()
    sys.path.insert(0, OWN_FOLDER)
    import sweep_snapshot
    del sys.path[0]
    say(snapshot=sweep_snapshot.take(PACKAGE, callbacks))


if __name__ == "__main__":
    import os
    try:
        main()
    except TooMany:
        pass
    except BaseException:
        import traceback
        say(broken=traceback.format_exc())
    # Threads of the package's, and what it wants done at the end, are no part
    # of the comparison.
    os._exit(0)
