"""`lazyctl ping` from start to exit, beside a program that does nothing and,
where they are installed, redis-cli and birdc asking servers of their own."""
import contextlib
import os
import shutil
import subprocess
import time

import common

EACH = 40
APP = """\
import lazycore, signal
signal.getsignal(2)
lazycore.ready()
while True:
    signal.pause()
"""


def took_ms(command):
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull,
                                        os.O_WRONLY, 0)])
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"{command} ended with {status}")
    return (time.perf_counter() - begin) * 1e3


@contextlib.contextmanager
def server(path, *command):
    """A server in the foreground, once it has its socket."""
    process = subprocess.Popen([str(word) for word in command],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        common.await_path(path)
        yield
    finally:
        process.terminate()
        process.wait()


def peers(folder, stack):
    """Their commands, with servers that run."""
    found = {}
    if shutil.which("redis-server") and shutil.which("redis-cli"):
        path = folder / "redis"
        stack.enter_context(server(path, "redis-server", "--port", "0",
                                   "--unixsocket", path, "--save", "",
                                   "--dir", folder))
        found["redis-cli PING"] = [shutil.which("redis-cli"), "-s", str(path),
                                   "PING"]
    bird = shutil.which("bird", path="/usr/sbin:/usr/bin")
    birdc = shutil.which("birdc", path="/usr/sbin:/usr/bin")
    if bird and birdc:
        path, conf = folder / "bird", folder / "bird.conf"
        conf.write_text("router id 127.0.0.1;\nprotocol device { }\n")
        stack.enter_context(server(path, bird, "-f", "-c", conf, "-s", path,
                                   "-P", folder / "bird.pid"))
        found["birdc show status"] = [birdc, "-s", str(path), "show",
                                      "status"]
    return found


def run(options):
    with common.folder() as folder, contextlib.ExitStack() as stack:
        app = folder / "app.py"
        app.write_text(APP)
        path = stack.enter_context(common.service(options, folder, app))
        words = [str(options.lazyctl), "-s", str(path)]
        commands = {"/bin/true": ["/bin/true"],
                    "lazyctl --version": [words[0], "--version"],
                    "lazyctl ping": [*words, "ping"],
                    "lazyctl stats": [*words, "stats"],
                    **peers(folder, stack)}
        found = {key: [] for key in commands}
        for _ in range(options.rounds * EACH):
            for key, command in commands.items():
                found[key].append(took_ms(command))
    base = common.median(found["/bin/true"])
    common.table(
        f"start to exit, ms, {options.rounds * EACH} rounds in turn",
        ["command", "min", "median", "p99", "max", "ratio"],
        [[key, min(values), common.median(values),
          common.percentile(values, 0.99), max(values),
          common.median(values) / base] for key, values in found.items()])
