"""`lazyctl ping` from start to exit, beside a program that does nothing."""
import os
import pathlib
import subprocess
import time

import common


def took_ms(command):
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull,
                                        os.O_WRONLY, 0)])
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"{command} ended with {status}")
    return (time.perf_counter() - begin) * 1e3


def main():
    options = common.options(__doc__, rounds=300)
    with common.folder() as name:
        folder = pathlib.Path(name)
        app = folder / "app.py"
        app.write_text("import lazycore, signal\nsignal.getsignal(2)\n"
                       "lazycore.ready()\nwhile True:\n"
                       "    signal.pause()\n")
        subprocess.run([options.lazyd, "-s", folder / "s", "-l",
                        folder / "log", "--wait-ready", "--app", app],
                       check=True, env=common.environment())
        socket = str(folder / "s")
        lazyctl = str(options.lazyctl)
        commands = {"/bin/true": ["/bin/true"],
                    "lazyctl --version": [lazyctl, "--version"],
                    "lazyctl ping": [lazyctl, "-s", socket, "ping"],
                    "lazyctl stats": [lazyctl, "-s", socket, "stats"]}
        found = {key: [] for key in commands}
        for _ in range(options.rounds):
            for key, command in commands.items():
                found[key].append(took_ms(command))
        subprocess.run([lazyctl, "-s", socket, "stop"],
                       stdout=subprocess.DEVNULL)
    print(f"{options.rounds} rounds, in turn")
    common.table(["command", "least ms", "p50", "p99"],
                 [[key, min(values), common.percentile(values, 0.5),
                   common.percentile(values, 0.99)]
                  for key, values in found.items()])


main()
