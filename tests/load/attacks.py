"""What hostile clients do, each as a function of a server's path and manners.

An attack runs in a process of its own. It calls begun() once it is in
position; after that it goes on, or stays, until it is killed, or returns.
"""
import contextlib
import itertools
import os
import pathlib
import signal
import socket
import time


def tables(pid):
    """The folders of descriptors of a server: that of its process, and that
    of lazyd's own threads, which have another."""
    tasks = pathlib.Path("/proc", str(pid), "task")
    found = [tasks / str(pid) / "fd"]
    for task in tasks.iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text() == "lazyd-control\n":
                found.append(task / "fd")
    return found


def counts(pid):
    """Descriptors and threads of a server."""
    return (sum(len(os.listdir(table)) for table in tables(pid)),
            len(os.listdir(f"/proc/{pid}/task")))


class Manners:
    """How one talks to a server: requests of it, and whether it greets."""

    def __init__(self, greets, ping, long, half, subscribe, slow, bomb, all):
        self.greets, self.ping, self.long, self.all = greets, ping, long, all
        self.half, self.subscribe, self.slow = half, subscribe, slow
        self.bomb = bomb


def rpc(method, params=""):
    return ('{"jsonrpc":"2.0","id":1,"method":"%s"%s}\n'
            % (method, params and f',"params":{params}')).encode()


LAZYD = Manners(
    True, rpc("ping"), rpc("commands"), rpc("ping")[:-9], rpc("subscribe"),
    rpc("load", '{"names":["xml.*"]}'),
    rpc("load", '{"names":[' + "[[]]," * 200000 + "[]]}"),
    rpc("list") + rpc("report", '{"verbose":true}') + rpc("trace") +
    rpc("show", '{"name":"sys"}') + rpc("why", '{"name":"sys"}') +
    rpc("ignore.add", '{"kind":"package","values":["x"],"dry_run":true}') +
    rpc("unused"))
REDIS = Manners(
    False, b"PING\r\n", b"COMMAND\r\n", b"*2\r\n$3\r\nGE", b"MONITOR\r\n",
    b"*2\r\n$3\r\nGET\r\n$1\r\n", b"*100000\r\n" + b"$1\r\na\r\n" * 50000,
    b"COMMAND\r\n")


def connect(path, manners, timeout=10):
    """A connection; None where the server says no."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(timeout)
    while True:
        try:
            sock.connect(path)
            break
        except BlockingIOError:  # its backlog is full
            time.sleep(0.001)
    if manners.greets:
        greeting = sock.recv(4096)
        if b'"hello"' not in greeting:
            sock.close()
            return None
    return sock


def stay():
    while True:
        signal.pause()


def flood(sock, data):
    """Send without end and read nothing, until the server has enough."""
    sock.settimeout(None)
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(data)


def in_turns(socks, data):
    """The same on many connections, none of which is waited for."""
    at = dict.fromkeys(socks, 0)
    for sock in socks:
        sock.setblocking(False)
    while at:
        moved = False
        for sock in list(at):
            try:
                at[sock] = (at[sock] + sock.send(data[at[sock]:])) % len(data)
                moved = True
            except BlockingIOError:
                pass
            except OSError:
                sock.close()
                del at[sock]
        if not moved:
            time.sleep(0.01)


# --- the attacks ------------------------------------------------------------

def idle(path, manners, begun, count=1):
    kept = [connect(path, manners) for _ in range(count)]
    begun()
    stay()
    return kept


def idle_128(path, manners, begun):
    idle(path, manners, begun, 128)


def one_more(path, manners, begun):
    """All of its places taken, and it knocks on."""
    kept = []
    while len(kept) < 129 and (sock := connect(path, manners)) is not None:
        kept.append(sock)
    begun()
    while True:
        if (sock := connect(path, manners)) is not None:
            sock.close()
        time.sleep(0.002)


def half(path, manners, begun):
    sock = connect(path, manners)
    sock.sendall(manners.half)
    begun()
    stay()


def halves_128(path, manners, begun):
    """Each just below the limit of a line, together 128 MiB."""
    socks = [connect(path, manners) for _ in range(120)]
    begun()
    data = manners.half + b"a" * ((1 << 20) - len(manners.half) - 1)
    at = dict.fromkeys(socks, 0)
    for sock in socks:
        sock.setblocking(False)
    while True:
        for sock in [s for s in at if at[s] < len(data)]:
            try:
                at[sock] += sock.send(data[at[sock]:at[sock] + 65536])
            except BlockingIOError:
                pass
            except OSError:
                sock.close()
                del at[sock]
        time.sleep(0.001)


def endless(path, manners, begun):
    """64 MiB without the end of a line."""
    sock = connect(path, manners)
    begun()
    with contextlib.suppress(OSError):
        for _ in range(64):
            sock.sendall(b"a" * (1 << 20))
    stay()


def never_reads(path, manners, begun):
    sock = connect(path, manners)
    begun()
    flood(sock, manners.long * 16)
    stay()


def never_read_120(path, manners, begun):
    socks = [connect(path, manners) for _ in range(120)]
    begun()
    in_turns(socks, manners.long * 16)
    stay()


def drip(path, manners, begun):
    sock = connect(path, manners)
    begun()
    while True:
        for byte in manners.ping:
            sock.sendall(bytes([byte]))
            time.sleep(1)


def connects(path, manners, begun, count=10000):
    begun()
    for number in range(count):
        sock = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            sock.connect(path)
            if number % 2:
                sock.sendall(manners.ping)
        sock.close()


def killed(path, manners, begun):
    """Clients that die of SIGKILL within a request, or after one."""
    begun()
    for number in itertools.count():
        ready, child_ready = os.pipe()
        pid = os.fork()
        if pid == 0:
            sock = connect(path, manners)
            sock.sendall(manners.half if number % 2 else manners.slow)
            os.write(child_ready, b"x")
            stay()
        os.close(child_ready)
        os.read(ready, 1)
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def stalled_subscribers(path, manners, begun):
    """64 that listen to everything and read nothing, while much happens."""
    socks = [connect(path, manners) for _ in range(64)]
    for sock in socks:
        sock.sendall(manners.subscribe)
    begun()
    while True:
        connects(path, manners, lambda: None, 100)
        time.sleep(0.01)


def bombs(path, manners, begun):
    """Lines of a megabyte that are hundreds of thousands of values."""
    sock = connect(path, manners)
    sock.settimeout(None)
    begun()
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(manners.bomb)
            sock.recv(1 << 16)
            time.sleep(0.02)
    stay()


def wants_all(path, manners, begun):
    """Asks for what there is most of, reads it, and asks again."""
    sock = connect(path, manners)
    sock.settimeout(None)
    begun()
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(manners.all)
            left = manners.all.count(b"\n")
            while left > 0:
                data = sock.recv(1 << 20)
                if not data:
                    return
                left -= data.count(b"\n") if manners.greets else left
    stay()


def want_all_120(path, manners, begun):
    """As many ask for what there is most of, and read nothing."""
    socks = [connect(path, manners) for _ in range(120)]
    begun()
    in_turns(socks, manners.all)
    stay()


ATTACKS = {
    "idle client": idle,
    "128 idle clients": idle_128,
    "one more, again and again": one_more,
    "half a request": half,
    "120 halves of 1 MiB": halves_128,
    "64 MiB without an end": endless,
    "pipelines, never reads": never_reads,
    "120 that never read": never_read_120,
    "one byte a second": drip,
    "10,000 connect and close": connects,
    "killed in mid-request": killed,
    "64 subscribers that stall": stalled_subscribers,
    "lines of 400,000 values": bombs,
    "asks for all, and reads it": wants_all,
    "120 that ask for all": want_all_120,
}
