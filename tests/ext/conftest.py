"""Programs run twice: by the plain interpreter, and with lazycore installed.

Responsible for writing small programs to a folder of their own, for running
them in fresh interpreters and for what the engine says of them at their end.
Leaves what is to be expected to the tests. LAZYCORE_DIR names the folder of
the built extension, LAZYCORE_PYTHON another interpreter than this one.
"""

import marshal
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

TIMEOUT_S = 60

# A sanitizer's build runs so: then the interpreter counts no blocks.
counts_blocks = pytest.mark.skipif(
    os.environ.get("PYTHONMALLOC") == "malloc",
    reason="PYTHONMALLOC=malloc: Python counts no blocks of memory")

# Found by the interpreter right after `site`: where lazyd installs as well.
# At the end of the program it writes down what the engine knows.
BOOT = """\
def boot():
    import os
    if os.environ["LAZYCORE_TEST_MODE"] == "eager":
        return
    import atexit
    import lazycore
    sets = dict(name=lazycore.ignorenames, package=lazycore.ignorepkg,
                path=lazycore.ignorepath)
    for rule in os.environ["LAZYCORE_TEST_IGNORE"].split():
        kind, value = rule.split("=")
        sets[kind].add(value)
    for rule in os.environ["LAZYCORE_TEST_LEVELS"].split():
        lazycore.level(*rule.split("="))
    for rule in os.environ.get("LAZYCORE_TEST_RULES_OFF", "").split():
        lazycore.rule(rule, False)
    lazycore.install(settle=os.environ["LAZYCORE_TEST_SETTLE"] == "on")
    pid = os.getpid()

    def dump():
        import os
        import sys
        if os.getpid() != pid:
            return
        import lazycore
        known = dict(stats=lazycore.stats(), modules={}, loaded=[])
        states = "proxies reals eager ignored existing lost"
        for state in states.split():
            for name in getattr(lazycore, state):
                known["modules"][name] = lazycore.show(name)
        known["loaded"] = sorted(sys.modules)
        main = sys.modules["__main__"]
        known["pending"] = sorted(lazycore.pending(main))
        import marshal
        with open(os.environ["LAZYCORE_TEST_DUMP"], "wb") as file:
            marshal.dump(known, file, 2)

    atexit.register(dump)


boot()
del boot
"""


class Run:
    """What came of one program, and what the engine knew at its end."""

    def __init__(self, done, dump):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        self._known = marshal.loads(dump.read_bytes()) if dump.exists() else None

    @property
    def known(self):
        assert self._known is not None, "no report at exit:\n" + self.err
        return self._known

    @property
    def stats(self):
        return self.known["stats"]

    @property
    def pending(self):
        """Names of __main__ that no one has looked up."""
        return self.known["pending"]

    def show(self, name):
        return self.known["modules"][name]

    def reason(self, name):
        return self.show(name)["reason"]

    def state(self, name):
        return self.show(name)["state"]

    def loaded(self, name):
        return name in self.known["loaded"]


def extension_folder():
    folder = os.environ.get("LAZYCORE_DIR")
    if not folder:
        pytest.exit("LAZYCORE_DIR is not set: it names the folder where the "
                    "extension lazycore was built", 4)
    found = list(Path(folder).glob("lazycore*.so"))
    if not found:
        pytest.exit(f"LAZYCORE_DIR={folder} holds no lazycore*.so: build the "
                    "target lazycore first", 4)
    return str(Path(folder).resolve())


def interpreter():
    return os.environ.get("LAZYCORE_PYTHON") or sys.executable


def pytest_configure(config):
    extension_folder()


def pytest_report_header(config):
    return f"lazycore: {extension_folder()}, run by {interpreter()}"


@pytest.fixture(scope="session")
def boot_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boot")
    (folder / "sitecustomize.py").write_text(BOOT)
    return folder


@pytest.fixture(scope="session")
def bare_interpreter(tmp_path_factory):
    """The interpreter in a virtual environment: without the packages of the
    machine, whose .pth files run in every start."""
    folder = tmp_path_factory.mktemp("bare")
    prefix = subprocess.check_output(
        [interpreter(), "-c", "import sys; print(sys.base_prefix)"], text=True)
    (folder / "pyvenv.cfg").write_text(f"home = {prefix.strip()}/bin\n")
    python = folder / "bin" / "python3"
    python.parent.mkdir()
    python.symlink_to(os.path.realpath(interpreter()))
    return str(python)


@pytest.fixture(scope="session")
def version():
    """(major, minor) of the interpreter under test."""
    code = "import sys; print(*sys.version_info[:2])"
    out = subprocess.check_output([interpreter(), "-c", code], text=True)
    return tuple(map(int, out.split()))


@pytest.fixture
def counted_blocks():
    """For tests of what is judged by allocated blocks, which only the
    interpreter's own allocator counts."""
    if os.environ.get("PYTHONMALLOC", "").startswith("malloc"):
        pytest.skip("PYTHONMALLOC=malloc counts no blocks")


class Lab:
    """A folder for programs and a way to run them."""

    def __init__(self, folder, boot, bare):
        self.folder = folder
        self.boot = boot
        self.bare = bare
        self.settle = "on"
        self.runs = 0

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, bytes):
                path.write_bytes(text)
            else:
                path.write_text(textwrap.dedent(text))

    def zip(self, name, files):
        with zipfile.ZipFile(self.folder / name, "w") as archive:
            for member, text in files.items():
                archive.writestr(member, textwrap.dedent(text))

    def environment(self, mode, dump, ignore, levels, env):
        result = {name: value for name, value in os.environ.items()
                  if not name.startswith("PYTHON")}
        for name in ("PYTHONMALLOC", "PYTHONDEVMODE"):
            if name in os.environ:
                result[name] = os.environ[name]
        result.update(
            PYTHONPATH=os.pathsep.join([str(self.boot), extension_folder()]),
            PYTHONHASHSEED="0",
            LAZYCORE_TEST_SETTLE=self.settle,
            LAZYCORE_TEST_MODE=mode,
            LAZYCORE_TEST_DUMP=str(dump),
            LAZYCORE_TEST_IGNORE=" ".join(ignore),
            LAZYCORE_TEST_LEVELS=" ".join(
                f"{name}={level}" for name, level in levels.items()))
        result.update(env or {})
        return result

    def run(self, mode, file="main.py", args=(), options=(), stdin="",
            ignore=(), levels=None, env=None, packages=False):
        """Run FILE, or what OPTIONS say where FILE is None, to its end.

        IGNORE holds rules such as "name=foo"; LEVELS is a dict. Both are set
        before install. With PACKAGES those of the machine are there."""
        self.runs += 1
        dump = self.folder / f".known-{self.runs}"
        command = [interpreter() if packages else self.bare, *options]
        if file is not None:
            command.append(file)
        done = subprocess.run(
            [*command, *args], cwd=self.folder, input=stdin, text=True,
            capture_output=True, timeout=TIMEOUT_S,
            env=self.environment(mode, dump, ignore, levels or {}, env))
        return Run(done, dump)


@pytest.fixture
def lab(tmp_path, boot_folder, bare_interpreter):
    return Lab(tmp_path, boot_folder, bare_interpreter)


@pytest.fixture
def settled_by_hand(lab):
    """The program itself looks for hot namespaces, or nobody does."""
    lab.settle = "off"


@pytest.fixture
def both(lab):
    """both(files, main, status=0, **how): the lazy run, once it is known
    that standard output and exit status are those of the eager run."""

    def run_both(files, main, status=0, **how):
        lab.write(files)
        lab.write({"main.py": main})
        eager = lab.run("eager", **how)
        assert eager.status == status, "eagerly:\n" + eager.out + eager.err
        lazy = lab.run("lazy", **how)
        assert (lazy.out, lazy.status) == (eager.out, eager.status), lazy.err
        return lazy

    return run_both


@pytest.fixture
def lazily(lab):
    """lazily(files, main, **how): for programs that ask the engine itself
    and would mean nothing without it; they end with exit status 0."""

    def run_lazily(files, main, status=0, **how):
        lab.write(files)
        lab.write({"main.py": main})
        run = lab.run("lazy", **how)
        assert run.status == status, run.out + run.err
        return run

    return run_lazily
