"""One run of a program, eagerly or lazily, in a process forked for it.

Responsible for what the program finds in builtins (show and its kin), for
the checks at its end and for how the process ends. Leaves forking, comparing
and shrinking to differential.py.
"""

import gc
import os
import signal
import sys
import types

TIMEOUT_S = 20


# Modules of the process that is forked for each run are no program's own.
SHARED = frozenset(sys.modules) - {"__main__"}


def describe(value, depth=0):
    """What a value is, the same in every order of loading."""
    if depth > 4:
        return "..."
    kind = type(value)
    if kind is types.ModuleType:
        return f"module {value.__name__}"
    if kind in (bool, int, str, type(None)):
        return repr(value)
    if kind in (list, tuple, set, frozenset):
        items = [describe(item, depth + 1) for item in value]
        if kind in (set, frozenset):
            items.sort()
        return f"{kind.__name__}[{', '.join(items)}]"
    if kind is dict:
        return "dict{%s}" % ", ".join(sorted(
            f"{describe(k, depth + 1)}: {describe(v, depth + 1)}"
            for k, v in value.items()))
    if kind is types.FunctionType or isinstance(value, type):
        return f"{kind.__name__} {value.__module__}.{value.__qualname__}"
    return f"object {kind.__module__}.{kind.__qualname__}"


def trace(error):
    """Where ERROR and its causes came from, on stderr. traceback would read
    the source for it, which takes longer than the program."""
    if error.__cause__ or error.__context__:
        trace(error.__cause__ or error.__context__)
    print("Traceback:", file=sys.stderr)
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        print(f"  {code.co_filename}:{step.tb_lineno} in {code.co_name}",
              file=sys.stderr)
        step = step.tb_next
    print(f"{type(error).__name__}: {error}",
          *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)


def show(label, function):
    try:
        text = describe(function())
    except Exception as error:
        text = f"raised {type(error).__name__}"
        trace(error)
    print(label, text)


def together(label, functions):
    """What several threads see that begin at once."""
    import threading
    seen = {}

    def look(at):
        barrier.wait()
        try:
            seen[at] = describe(functions[at]())
        except Exception as error:
            seen[at] = f"raised {type(error).__name__}"
            trace(error)

    sys.setswitchinterval(1e-5)
    barrier = threading.Barrier(len(functions))
    threads = [threading.Thread(target=look, args=(at,))
               for at in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(label, describe([seen[at] for at in range(len(functions))]))


def toggle(on):
    import lazycore
    if on:
        lazycore.install()
    else:
        lazycore.uninstall()


def is_own(name):
    return isinstance(name, str) and name[1:].isdigit()


def own_names(names):
    names = [n[0] if isinstance(n, tuple) else n for n in names]
    return sorted(str(n) for n in names if is_own(n))


def own_values(names):
    return {str(n): v for n, v in names.items() if is_own(n)}


def check_namespace(name, module):
    """Its dict must be whole, with ordinary names only, all found."""
    names = vars(module)
    keys = list(names)
    if len(keys) != len(names) or len(set(keys)) != len(keys):
        print("damaged", name, keys)
    for key in keys:
        if key not in names:
            print("lost", name, key)
        elif type(names[key]).__name__ in ("ModuleProxy", "NameProxy"):
            print("pending", name, key)
        elif type(key) is not str:
            print("key", name, key)


def own_modules(folder):
    for name in sorted(sys.modules.keys() - SHARED):
        module = sys.modules[name]
        file = getattr(module, "__file__", None)
        if type(module) is types.ModuleType and file and \
                file.startswith(folder):
            yield name, module


def check_namespaces(folder, program, lazy):
    """All that the eager run had must load now, if it has not by now."""
    path = os.path.join(folder, "loaded")
    if not lazy:
        with open(path, "w") as file:
            print(*[name for name, _ in own_modules(folder)], file=file)
    with open(path) as file:
        loaded = file.read().split()
    for name, module in own_modules(folder):
        try:
            check_namespace(name, module)
        except ImportError:
            if name in loaded and not program.cycles:
                raise


def run_main(folder, program, lazy):
    import lazycore
    sys.path[:0] = [folder] + [
        os.path.join(folder, name) for name in program.folders]
    if program.zipped:
        sys.path.insert(0, os.path.join(folder, "lib.zip"))
    sys.argv = [os.path.join(folder, "main.py")]
    import builtins
    builtins.show = show
    builtins.own_names = own_names
    builtins.together = together
    builtins.collect = gc.collect
    builtins.toggle = toggle if lazy else bool
    builtins.own_values = own_values
    main = types.ModuleType("__main__")
    main.__file__ = sys.argv[0]
    sys.modules["__main__"] = main
    code = compile(program.text("main.py"), sys.argv[0], "exec",
                   dont_inherit=True)
    if lazy:
        for package, level in program.levels.items():
            lazycore.level(package, level)
        for kind, value in program.ignored:
            getattr(lazycore, "ignore" + kind + "s"[kind == "pkg":]).add(value)
        lazycore.install()
        if len(program.files) % 4 == 0:
            gc.set_threshold(len(program.files))
    exec(code, main.__dict__)
    check_namespaces(folder, program, lazy)


def child(folder, program, lazy, out, finalize):
    signal.alarm(TIMEOUT_S)
    os.dup2(out, 1)
    errors = os.open(os.path.join(folder, "stderr"),
                     os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(errors, 2)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", closefd=False)
    status = 0
    try:
        run_main(folder, program, lazy)
    except BaseException as error:
        status = 1
        trace(error)
    sys.stdout.flush()
    sys.stderr.flush()
    if finalize and status == 0:
        sys.exit(0)
    os._exit(status)
