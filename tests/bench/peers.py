"""lazyd beside CPython 3.15's own lazy imports, each against its own eager
run: the services of start.py under python3 and lazyd, and in a chroot under
python3.15 as it comes and with -X lazy_imports=all.

The chroot is named with --peer and is made, as root, by

    mmdebstrap --variant=apt --include=python3.15,python3-flask,\\
python3-django,python3-sqlalchemy,python3-sympy,python3-tornado sid ROOT
    chroot ROOT python3.15 -m compileall -q /usr/lib/python3/dist-packages

python3.15 finds the packages of sid's python3-* there by itself. They are
newer than this system's, so python3 and lazyd run a second time with the
chroot's packages in front: in these rows all four run the same code, the
standard library apart.

Everything starts through chroot(8), and all of it round after round in turn.
A module counts as executed when it is in sys.modules at the first answer.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time

import common
import start

PACKAGES = "usr/lib/python3/dist-packages"
# Writes sys.modules at the signal, from modules that are there in any case.
COUNTER = f"""
import _signal, posix, sys
def write(number, frame):
    names = "\\n".join(sorted(sys.modules)) + "\\n"
    out = posix.open(%r, posix.O_WRONLY | posix.O_CREAT, 0o644)
    posix.write(out, names.encode())
    posix._exit(0)
_signal.signal({signal.SIGUSR2:d}, write)
"""


class Way:
    """One way to run a service: with COMMAND, where ROOT is /, and with PATH
    in front of Python's; its own eager run is the way called EAGER."""

    def __init__(self, name, eager, command, root=None, path=()):
        self.name, self.eager, self.command = name, eager, command
        self.root, self.path = root or pathlib.Path("/"), list(path)
        self.answers, self.modules, self.broken = [], set(), None

    def inside(self, path):
        return pathlib.Path("/") / path.relative_to(self.root)

    def start(self, script, folder, **more):
        port_file, errors = folder / "port", folder / "errors"
        words = start.arguments(script, self.inside(port_file))
        environment = {**common.environment(), "HOME": "/",
                       "PYTHONPATH": ":".join(map(str, self.path))}
        with open(errors, "w") as out:
            try:
                return start.first_answer(
                    ["chroot", self.root, *self.command,
                     self.inside(folder / script), *self.ends(words)],
                    port_file, environment, errors=out, **more)
            except start.Breaks as error:
                self.broken = said(errors.read_text()) or str(error)

    def ends(self, words):
        return ["--", *words] if "--app" in self.command else words

    def count(self, script, folder):
        names = folder / "names"
        (folder / "sitecustomize.py").write_text(
            COUNTER % str(self.inside(names)))

        def look(process):
            os.kill(process.pid, signal.SIGUSR2)
            process.wait(start.PATIENCE)

        self.path.insert(0, self.inside(folder))
        try:
            if self.start(script, folder, after=look):
                self.modules = set(names.read_text().split())
        finally:
            del self.path[0]
            for path in (names, folder / "sitecustomize.py"):
                path.unlink(missing_ok=True)


def said(text):
    """The exception of the last traceback in TEXT."""
    lines = re.findall(r"^[A-Z]\w*(?:Error|Exception): .*", text, re.M)
    return lines[-1] if lines else None


def ways(options, script):
    lazyd = [options.lazyd, "-F", "--no-socket", "--app"]
    newer = ["python3.15"]
    yield Way("python3", "python3", [common.PYTHON])
    yield Way("lazyd", "python3", lazyd)
    if script != "service.py":
        packages, python = [options.peer / PACKAGES], "python3, sid's packages"
        yield Way(python, python, [common.PYTHON], path=packages)
        yield Way("lazyd, sid's packages", python, lazyd, path=packages)
    yield Way("3.15", "3.15", newer, options.peer)
    yield Way("3.15 all", "3.15", [*newer, "-X", "lazy_imports=all"],
              options.peer)


@contextlib.contextmanager
def folders(options, script):
    """A folder of the service for each root, where it may write."""
    with common.folder() as here, tempfile.TemporaryDirectory(
            prefix="bench-", dir=options.peer / "tmp") as there:
        for folder in (here, pathlib.Path(there)):
            folder.chmod(0o755)
            shutil.copy(common.SERVICES / script, folder)
        yield {pathlib.Path("/"): here, options.peer: pathlib.Path(there)}


def measure(options, script):
    found = list(ways(options, script))
    with folders(options, script) as places:
        for way in found:  # this also warms the caches
            way.count(script, places[way.root])
        common.settle()
        for _ in range(options.rounds):
            for way in found:
                if way.broken is None:
                    answer = way.start(script, places[way.root])
                    way.answers += [answer] if answer else []
    return found


def figures(way):
    took, cpu, memory = zip(*way.answers)
    return [min(took), common.median(took), min(cpu), common.median(cpu),
            common.median(memory), len(way.modules)]


def row(script, way, found):
    name = f"{script} {way.name}"
    if way.broken is not None:
        return [name, "breaks", *["-"] * 11]
    base = next(other for other in found if other.name == way.eager)
    cells = [name]
    for index, value in enumerate(figures(way)):
        cells += [value, "-" if base.broken is not None else
                  value / figures(base)[index]]
    return cells


def run(options):
    if options.peer is None:
        print("peers: skipped, no --peer is given\n")
        return
    options.peer = options.peer.resolve()
    begin, rows, broken = time.monotonic(), [], []
    for script in start.installed():
        found = measure(options, script)
        rows += [row(script, way, found) for way in found]
        broken += [f"{script} {way.name} breaks: {way.broken}"
                   for way in found if way.broken is not None]
    common.table(
        f"start to first answer beside CPython 3.15, {options.rounds} rounds "
        "in turn; each ratio is to the same Python's eager run",
        ["service", "ms min", "ratio", "median", "ratio", "CPU ms min",
         "ratio", "median", "ratio", "Private_Dirty MB", "ratio", "modules",
         "ratio"], rows)
    print(*broken, f"took {time.monotonic() - begin:.0f} s", sep="\n")
    print()
