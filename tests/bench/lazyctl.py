"""`lazyctl ping` from start to exit, beside a program that does nothing."""
import os
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


def run(options):
    with common.folder() as folder:
        app = folder / "app.py"
        app.write_text(APP)
        with common.service(options, folder, app) as path:
            words = [str(options.lazyctl), "-s", str(path)]
            commands = {"/bin/true": ["/bin/true"],
                        "lazyctl --version": [words[0], "--version"],
                        "lazyctl ping": [*words, "ping"],
                        "lazyctl stats": [*words, "stats"]}
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
