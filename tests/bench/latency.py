"""`stats` while the service idles, spins in Python, and holds the GIL in one
call for five seconds: over one connection, and as `lazyctl stats`."""
import contextlib
import json
import pathlib
import socket
import subprocess
import threading
import time
import urllib.request

import common

REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"%s"}\n'


def exchange(file, sock, method):
    begin = time.perf_counter()
    sock.sendall(REQUEST % method)
    json.loads(file.readline())
    return (time.perf_counter() - begin) * 1e6


def measure(options, path, until=None):
    """Microseconds of exchanges; milliseconds of lazyctl."""
    wire, program = {b"ping": [], b"stats": []}, []
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        file = sock.makefile("rb")
        file.readline()
        for _ in range(options.count):
            for method, found in wire.items():
                found.append(exchange(file, sock, method))
            time.sleep(0.0005)
            if until is not None and not until.is_alive():
                raise SystemExit("the service did not hold the GIL so long")
    for _ in range(options.runs):
        begin = time.perf_counter()
        subprocess.run([options.lazyctl, "-s", path, "stats"], check=True,
                       stdout=subprocess.DEVNULL)
        program.append((time.perf_counter() - begin) * 1e3)
    if until is not None and not until.is_alive():
        raise SystemExit("the service did not hold the GIL so long")
    return wire[b"ping"], wire[b"stats"], program


def row(name, found, base):
    ping, stats, program = found
    half = common.percentile(stats, 0.5)
    return [name, common.percentile(ping, 0.5), common.percentile(ping, 0.99),
            half, common.percentile(stats, 0.99), max(stats),
            half / common.percentile(base[1], 0.5),
            common.percentile(program, 0.5)]


def ask(port, path):
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}",
                               timeout=60).read()


def main():
    options = common.options(__doc__, count=1000, runs=30)
    with common.folder() as name:
        folder = pathlib.Path(name)
        subprocess.run(
            [options.lazyd, "-s", folder / "s", "-l", folder / "log",
             "--stop-timeout", "0.5", "--wait-ready", "--app",
             common.SERVICES / "service.py", "--", "--port", "0",
             "--port-file", folder / "port"],
            check=True, env=common.environment())
        port = int((folder / "port").read_text())
        found = {"idle": measure(options, folder / "s")}
        holder = threading.Thread(target=ask,
                                  args=[port, "/hold?seconds=5"])
        holder.start()
        time.sleep(0.2)
        found["GIL held 5 s"] = measure(options, folder / "s", holder)
        holder.join()
        threading.Thread(target=ask, args=[port, "/spin"],
                         daemon=True).start()
        time.sleep(0.2)
        found["while True: pass"] = measure(options, folder / "s")
        subprocess.run([options.lazyctl, "-s", folder / "s", "stop"],
                       stdout=subprocess.DEVNULL)
    common.table(["service", "ping p50 us", "p99", "stats p50 us", "p99",
                  "max", "to idle", "lazyctl stats ms"],
                 [row(key, value, found["idle"])
                  for key, value in found.items()])


main()
