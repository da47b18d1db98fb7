"""A real lazyd and a real lazyctl, for one test at a time.

Responsible for starting them on sockets in a folder of the test's own, for
waiting (on readiness, on lines, on the end of a process; never for a while)
and for ending what is left, by its pid. LAZYD and LAZYCTL name the programs.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import urllib.request

import pytest

from nobody import AS_NOBODY, NOBODY, lazyd_for_nobody

# Who runs us in the background, or by nohup, has these ignored, and what we
# start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

TIMEOUT_S = 30
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="not root")
# By the name that lazyd has for it: sys.executable shows it.
PYTHON = os.environ.get("LAZYD_PYTHON", "/usr/bin/python3")
SERVICES = pathlib.Path(__file__).resolve().parent.parent / "service"

# What a test's own service does to be found ready, and to stay.
SERVE = """
import lazycore, signal
signal.getsignal(signal.SIGTERM)
lazycore.ready()
while True:
    signal.pause()
"""

# Closes all that is not its own; what it and a child open then has the numbers
# of what was, and nobody closes it behind their backs.
CLOSE_ALL = """
import os
os.closerange(3, 65536)
files = [open(f"file{i}", "w+") for i in range(40)]
print("first", files[0].fileno(), flush=True)
if os.fork() == 0:
    for file in files:
        file.write("child")
        file.flush()
    os._exit(0)
print("child", os.wait()[1], flush=True)
"""

# A module whose load loads COUNT more, with SIZE more bytes in their names.
BURST = """
import importlib.abc, importlib.machinery, sys
class Loader(importlib.abc.Loader):
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        pass
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith("made_"):
            return importlib.machinery.ModuleSpec(name, Loader())
sys.meta_path.append(Finder())
for i in range({count}):
    importlib.import_module("made_%d_%s" % (i, "x" * {size}))
"""


def program(variable):
    path = os.environ.get(variable)
    if not path or not os.access(path, os.X_OK):
        pytest.exit(f"{variable} does not name a program: {path}", 4)
    return str(pathlib.Path(path).resolve())


LAZYD = program("LAZYD")
LAZYCTL = program("LAZYCTL")


def is_sanitized():
    """Whether lazyd was built with a sanitizer."""
    with open(LAZYD, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def clean_environment():
    dropped = ("PYTHON", "LAZY", "XDG_")
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(dropped)}
    for key in ("PYTHONMALLOC",):
        if key in os.environ:
            kept[key] = os.environ[key]
    return kept


def wait_for_end(pidfd, seconds=TIMEOUT_S):
    """Whether the process behind PIDFD ended in time."""
    return bool(select.select([pidfd], [], [], seconds)[0])


class Watched:
    """A process of which only the pid is known."""

    def __init__(self, pid):
        self.pid = pid
        self.fd = os.pidfd_open(pid)

    def ended(self, seconds=TIMEOUT_S):
        return wait_for_end(self.fd, seconds)

    def signal(self, number):
        signal.pidfd_send_signal(self.fd, number)

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.ended(0):
                break
            with contextlib.suppress(ProcessLookupError):
                self.signal(number)
            self.ended(15)
        os.close(self.fd)


class Done:
    """What a program that ended had to say."""

    def __init__(self, completed):
        self.status = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n--out\n{self.out}\n--err\n{self.err}"


class Lab:
    """A folder, the daemons started in it, and their client."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = clean_environment()
        # A home of its own: logs and .pyc go there.
        self.environment["HOME"] = str(folder / "home")
        (folder / "home").mkdir()
        self.socket = folder / "s"
        self.pidfile = folder / "pid"
        self.log = folder / "log"
        self.left = contextlib.ExitStack()

    # --- files

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def await_true(self, condition, events):
        """Until CONDITION() is, which is asked at inotify's EVENTS here."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.inotify_init1(0)
        try:
            assert libc.inotify_add_watch(fd, os.fsencode(self.folder),
                                          events) >= 0
            while not condition():
                assert select.select([fd], [], [], TIMEOUT_S)[0]
                os.read(fd, 4096)
        finally:
            os.close(fd)

    def await_file(self, name):
        """Until a file of that name was moved here or written and closed."""
        self.await_true((self.folder / name).exists, events=0x88)

    def logged(self, *parts):
        """The log, once all PARTS are in it: a process of its own writes."""
        def text():
            return self.log.read_text() if self.log.exists() else ""
        self.await_true(lambda: all(part in text() for part in parts),
                        events=0x102)
        return text()

    # --- programs that end

    def run(self, *command, status=0, **how):
        how.setdefault("cwd", self.folder)
        how.setdefault("stdin", subprocess.DEVNULL)
        how["env"] = {**self.environment, **how.pop("env", {})}
        done = Done(subprocess.run(
            [str(word) for word in command], text=True, timeout=TIMEOUT_S,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how))
        if status is not None:
            assert done.status == status, done
        return done

    def python(self, *words, **how):
        return self.run(PYTHON, *words, **how)

    def lazyd(self, *words, **how):
        return self.run(LAZYD, *words, **how)

    def ctl(self, *words, status=0, socket=None, **how):
        return self.run(LAZYCTL, "-s", socket or self.socket, *words,
                        status=status, **how)

    def ask(self, *words, **how):
        """The answer of lazyctl --json."""
        return self.ctl("--json", *words, **how).json()

    def foreground(self, *words, **how):
        """lazyd -F without a socket, to its end."""
        return self.lazyd("-F", "--no-socket", *words, **how)

    # --- programs that stay

    def start(self, app, *words, arguments=(), ready=True, **how):
        """lazyd in the background with all its files in our folder."""
        options = ["-s", self.socket, "-p", self.pidfile, "-l", self.log]
        options += ["--wait-ready"] if ready else []
        self.lazyd(*options, *words, "--app", app, "--", *arguments, **how)
        return self.watch(int(self.pidfile.read_text()))

    def serve(self, text, *words, name="app.py", **how):
        """Start a program that ends by waiting for ever."""
        body = textwrap.dedent(text) + SERVE
        return self.start(self.write(name, body), *words, **how)

    def serve_as_nobody(self):
        """A service of another user's; its folder."""
        app = self.write("app.py", SERVE)
        self.folder.chmod(0o755)
        own = self.folder / "own"
        own.mkdir(mode=0o700)
        os.chown(own, NOBODY, NOBODY)
        self.run(lazyd_for_nobody(LAZYD, self.folder),
                 "-s", own / "s", "-p", own / "pid", "-l", own / "log",
                 "--wait-ready", "--app", app, **AS_NOBODY)
        self.watch(int((own / "pid").read_text()))
        return own

    def watch(self, pid):
        watched = Watched(pid)
        self.left.callback(watched.end)
        return watched

    def popen(self, *command, **how):
        how.setdefault("cwd", self.folder)
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        how["env"] = {**self.environment, **how.pop("env", {})}
        process = subprocess.Popen([str(word) for word in command],
                                   text=True, **how)
        self.left.callback(end_process, process)
        return process

    def stay(self, app, *words, arguments=(), **how):
        """lazyd in the foreground, its socket in our folder."""
        return self.popen(LAZYD, "-F", "-s", self.socket, *words,
                          "--app", app, "--", *arguments, **how)

    # --- the socket by hand

    @contextlib.contextmanager
    def connection(self, path=None):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.connect(str(path or self.socket))
            yield Wire(sock)


class Wire:
    """Lines of JSON over a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")
        self.hello = self.read()

    def read(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, method, identifier=1, **params):
        request = {"jsonrpc": "2.0", "id": identifier, "method": method}
        if params:
            request["params"] = params
        self.send(json.dumps(request).encode() + b"\n")
        return self.read()


def end_process(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def deadline():
    """No test waits for ever, whatever it waits for."""
    def late(*_):
        raise TimeoutError("the test took too long")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(2 * TIMEOUT_S)
    yield
    signal.alarm(0)


@pytest.fixture
def lab(deadline):
    # Not tmp_path: a socket's path has room for 107 bytes only.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lazyd-"))
    lab = Lab(folder)
    with lab.left:
        yield lab
    shutil.rmtree(folder)


def get(port, path="/health", **how):
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, **how)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return answer.read()


class Notes:
    """One of the services of tests/service under lazyd."""

    def __init__(self, lab, script, *words):
        port_file = lab.folder / "port"
        arguments = ([port_file] if script != "service.py" else
                     ["--port", "0", "--port-file", port_file])
        self.lab = lab
        self.process = lab.start(SERVICES / script, *words,
                                 arguments=arguments)
        self.port = int(port_file.read_text())

    def get(self, path="/health", **how):
        return get(self.port, path, **how)

    def json(self, path="/health", **how):
        return json.loads(self.get(path, **how))


@pytest.fixture
def notes(lab):
    return Notes(lab, "service.py")
