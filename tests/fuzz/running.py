"""The runs of programs, eagerly or lazily, in processes forked for them.

Responsible for forking, for what a program finds in builtins (show and its
kin), for the checks at its end and for how the process ends. Leaves comparing
and shrinking to differential.py, which starts this as a process of its own
and writes requests to its stdin; the smaller that is, the less is copied by
each fork. LAZYCORE_DIR names the folder of the extension.
"""

import builtins
import contextlib  # noqa: F401: many programs need it, and it is here
import gc
import importlib.util  # noqa: F401: likewise
import marshal
import os
import resource
import signal
import sys
import types

from model import Program

TIMEOUT_S = 20
OUTPUT_MAX = 1 << 20


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


def run_here(folder, program, lazy):
    """0 or 1; what the program prints goes to the files of outputs()."""
    signal.alarm(TIMEOUT_S)
    for number, path in zip((1, 2), outputs(folder, lazy)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
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
    return status


def outputs(folder, lazy):
    """The files for what is printed, and for what went wrong."""
    side = "lazy" if lazy else "eager"
    return os.path.join(folder, side), os.path.join(folder, side + ".err")


def ended(folder):
    """The file that says that the program's eager run ended with 0."""
    return os.path.join(folder, "ended")


def one(folder, program, lazy, finalize):
    """The run of one program, in this process, which ends."""
    status = run_here(folder, program, lazy)
    if finalize and status == 0:
        sys.exit(0)
    os._exit(status)


def series(pairs):
    """The eager runs of programs, PAIRS of folder and program, one after the
    other in one process: to fork takes longer than most programs do. What one
    leaves behind may show in the next, which is then for the caller to run
    again, alone."""
    places = (sys.modules, builtins.__dict__)
    before = [dict(place) for place in places]
    path, finders = list(sys.path), list(sys.meta_path)
    for folder, program in pairs:
        if run_here(folder, program, False) == 0:
            open(ended(folder), "w").close()
        for place, names in zip(places, before):
            place.clear()
            place.update(names)
        sys.path[:], sys.meta_path[:] = path, finders
        sys.path_importer_cache.clear()
    os._exit(0)


def program_of(fields):
    program = Program()
    vars(program).update(fields)
    return program


def answer(request):
    """In the child: what was asked for."""
    runs, lazy, finalize = request
    pairs = [(folder, program_of(fields)) for folder, fields in runs]
    if len(pairs) > 1:
        series(pairs)
    one(*pairs[0], lazy, finalize)


def serve():
    """Answer each request with the exit status of a process forked for it."""
    sys.path.insert(0, os.environ["LAZYCORE_DIR"])
    import lazycore  # noqa: F401: the children install it
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_MAX, OUTPUT_MAX))
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    gc.freeze()  # a run looks at no object of ours, and copies no page of it
    while True:
        try:
            request = marshal.load(requests)
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            answer(request)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        marshal.dump(status, answers)
        answers.flush()


if __name__ == "__main__":
    serve()
