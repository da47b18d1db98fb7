"""How long a service stands still for `lazyctl load --dry-run`.

The heap is of Python objects, 0 to 1 GiB. `told` is what lazyd says; `seen`
the longest gap that a thread of the service saw between two readings of the
clock while the dry run went on, which is also the price of the GIL and of
pages that it writes to while they are shared. Without a dry run that thread
sees the gaps that this machine has anyway: `idle`.
"""
import json
import os
import signal
import subprocess

import common

HEAPS = (0, 256, 1024)  # MiB
BAR_MS = 100

SERVICE = """
import colorsys, os, pathlib, signal, sys, time
folder = pathlib.Path(__file__).parent
def use():
    return colorsys
keep = [b"%92d" % i for i in range(int(sys.argv[1]) * 8192)]  # 128 bytes each
gap = 0.0
def tell(*_):
    global gap
    (folder / "gap.new").write_text(str(gap))
    (folder / "gap.new").rename(folder / "gap")
    gap = 0.0
signal.signal(signal.SIGUSR1, tell)
import lazycore
lazycore.ready()
before = time.perf_counter()
while True:
    for i in range(20):  # and it works at its heap
        keep and keep[(i * 7919) % len(keep)]
    now = time.perf_counter()
    if now - before > gap:
        gap = now - before
    before = time.perf_counter()
"""


def gap_ms(folder, pid):
    path = folder / "gap"
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    while not path.exists():
        os.sched_yield()
    return float(path.read_text()) * 1e3


def measure(options, folder, heap):
    (folder / "app.py").write_text(SERVICE)
    told, seen, idle = [], [], []
    with common.service(options, folder, folder / "app.py",
                        str(heap)) as socket:
        def ctl(*words):
            return json.loads(subprocess.check_output(
                [options.lazyctl, "-s", socket, "--json", *words]))
        stats = ctl("stats")
        for _ in range(options.rounds):
            gap_ms(folder, stats["pid"])
            ctl("ping")
            idle.append(gap_ms(folder, stats["pid"]))
            told.append(ctl("load", "--dry-run", "colorsys")["pause_ns"] / 1e6)
            seen.append(gap_ms(folder, stats["pid"]))
    return stats["memory"]["rss"] / 2**20, told, seen, idle


def run(options):
    rows = []
    for heap in HEAPS:
        with common.folder() as folder:
            rss, told, seen, idle = measure(options, folder, heap)
        rows.append([f"{heap} MiB", rss, min(told), common.median(told),
                     max(told),
                     common.median(seen), common.median(idle),
                     "ok" if max(told) < BAR_MS else "ABOVE"])
    common.table(f"pause of a dry run, ms; bar: {BAR_MS} ms told",
                 ["heap", "rss MiB", "told, min", "median", "max", "seen", "idle", ""],
                 rows)
