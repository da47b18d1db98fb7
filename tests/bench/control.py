"""`ping` and `stats` while the service idles, spins in Python, and holds the
GIL in one call for five seconds, beside a socket that only echoes."""
import contextlib
import json
import os
import socket
import threading
import time
import urllib.request

import common

REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"%s"}\n'
COUNT = 500


def echo(path):
    """The floor: a process that sends back what it gets. Its pid."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    pid = os.fork()
    if pid == 0:
        connection, _ = listener.accept()
        while data := connection.recv(4096):
            connection.sendall(data)
        os._exit(0)
    listener.close()
    return pid


@contextlib.contextmanager
def connection(path, greets):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        file = sock.makefile("rb")
        if greets:
            file.readline()
        yield sock, file


def exchange(sock, file, method):
    begin = time.perf_counter()
    sock.sendall(REQUEST % method)
    line = file.readline()
    took = (time.perf_counter() - begin) * 1e6
    json.loads(line)
    return took


def measure(path, method, holder=None, greets=True):
    """Microseconds of COUNT exchanges over one connection."""
    found = []
    with connection(path, greets) as (sock, file):
        for _ in range(COUNT):
            found.append(exchange(sock, file, method))
            time.sleep(0.0005)
    if holder is not None and not holder.is_alive():
        raise SystemExit("the service did not hold the GIL so long")
    return found


def ask(port, path):
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}",
                               timeout=60).read()


def asked(port, path):
    thread = threading.Thread(target=ask, args=[port, path], daemon=True)
    thread.start()
    time.sleep(0.2)
    return thread


@contextlib.contextmanager
def notes(options):
    with common.folder() as folder:
        with common.service(options, folder, common.SERVICES / "service.py",
                            "--port", "0", "--port-file", folder / "port"
                            ) as path:
            yield path, int((folder / "port").read_text())


def run(options):
    """Three services at once, each in its state, so that rounds can turn."""
    found = {}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(common.folder())
        idle, _ = stack.enter_context(notes(options))
        busy, busy_port = stack.enter_context(notes(options))
        held, held_port = stack.enter_context(notes(options))
        for number in range(options.rounds):
            pid = echo(folder / f"echo{number}")
            rows = [("echo", "-", measure(folder / f"echo{number}", b"ping",
                                          greets=False))]
            os.waitpid(pid, 0)
            for method in (b"ping", b"stats"):
                rows.append((method.decode(), "idle", measure(idle, method)))
            holder = asked(held_port, "/hold?seconds=5")
            for method in (b"ping", b"stats"):
                rows.append((method.decode(), "GIL held 5 s",
                             measure(held, method, holder)))
            holder.join()
            for method, state, values in rows:
                found.setdefault((method, state), []).append(values)
        spin(busy, busy_port, idle, options.rounds, found)
    report(found, options.rounds)


def spin(busy, port, idle, rounds, found):
    """Last, for it never ends; the idle one in turn with it."""
    asked(port, "/spin")
    for _ in range(rounds):
        for method in (b"ping", b"stats"):
            for path, state in ((idle, "idle beside it"),
                                (busy, "while True: pass")):
                found.setdefault((method.decode(), state), []).append(
                    measure(path, method))


def report(found, rounds):
    rows = []
    for (method, state), columns in sorted(found.items()):
        base = {"while True: pass": "idle beside it", "-": "-"}.get(
            state, "idle")
        half = [common.percentile(values, 0.5) for values in columns]
        ninety_nine = [common.percentile(values, 0.99) for values in columns]
        against = [common.percentile(values, 0.5) for values in
                   found[method, base]]
        rows.append([f"{method} {state}", *common.spread(half),
                     common.median(half) / common.median(against),
                     *common.spread(ninety_nine)])
    common.table(
        f"control socket, us, {rounds} rounds of {COUNT} in turn",
        ["request", "p50 min", "median", "max", "to idle", "p99 min",
         "median", "max"], rows)
