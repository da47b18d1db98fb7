# needs: python3-gevent python3-greenlet
# packages: gevent greenlet zope
"""Greenlets with gevent: patched standard library, servers, pools, queues,
locals, timeouts, a WSGI server, subprocesses and bare greenlets.
"""
from gevent import monkey

monkey.patch_all(thread=False, signal=False)

import queue  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import urllib.request  # noqa: E402

import gevent  # noqa: E402
import gevent.pool  # noqa: E402
import gevent.pywsgi  # noqa: E402
import gevent.threadpool  # noqa: E402
import greenlet  # noqa: E402
from gevent import event, lock, server, util  # noqa: E402
from gevent.local import local  # noqa: E402
from gevent.queue import Channel, JoinableQueue, PriorityQueue  # noqa: E402
from gevent.select import select  # noqa: E402
from gevent.events import IEventLoopBlocked, subscribers  # noqa: E402
from gevent.resolver.blocking import Resolver  # noqa: E402


class Worker(gevent.Greenlet):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def _run(self):
        gevent.sleep(0.001 * (3 - self.number))
        return self.number ** 2


class Keep(local):
    def __init__(self, start):
        self.values = [start]


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


def echo(connection, address):
    with connection.makefile("rwb") as file:
        file.write(file.readline().upper())
        file.flush()


def network():
    lines = server.StreamServer(("127.0.0.1", 0), echo)
    lines.start()

    def ask(text):
        with socket.create_connection(("127.0.0.1", lines.server_port)) as s:
            s.sendall(text + b"\n")
            return s.recv(100)

    print([g.get() for g in [gevent.spawn(ask, b"a%d" % n) for n in range(3)]])
    lines.stop()
    web = gevent.pywsgi.WSGIServer(("127.0.0.1", 0), application, log=None)
    web.start()
    base = f"http://127.0.0.1:{web.server_port}/page"
    print(urllib.request.urlopen(base, timeout=5).read())
    web.stop()
    left, right = socket.socketpair()
    left.send(b"x")
    print(select([right], [], [], 1)[0] == [right], isinstance(
        left, gevent.socket.socket))
    print(subprocess.check_output(["/bin/echo", "child"]), Resolver(
        ).gethostbyname("127.0.0.1"))


def groups():
    workers = [Worker(n) for n in range(3)]
    for worker in workers:
        worker.start()
    gevent.joinall(workers, raise_error=True)
    print([w.value for w in workers], [g.value for g in gevent.iwait(
        workers)] != [])
    pool = gevent.pool.Pool(2)
    print(pool.map(lambda x: x + 1, range(4)), sorted(
        pool.imap_unordered(str, range(3))), pool.free_count())
    threads = gevent.threadpool.ThreadPool(2)
    print(threads.apply(sum, ([1, 2],)), threads.map(len, ["a", "bc"]))
    threads.kill()
    failing = gevent.Greenlet(int, "x")
    failing.link_exception(lambda g: print("linked", type(g.exception)))
    gevent.get_hub().exception_stream = None
    failing.start()
    try:
        failing.get()
    except ValueError as error:
        print(error, failing.successful())
    victim = gevent.spawn(gevent.sleep, 10)
    gevent.sleep(0)
    victim.kill()
    print(type(victim.value).__name__, victim.dead)


def synchronising():
    tasks, ordered, channel = JoinableQueue(), PriorityQueue(), Channel()
    done = []

    def take():
        for item in tasks:
            done.append(item)
            tasks.task_done()

    taker = gevent.spawn(take)
    for n in range(3):
        tasks.put(n)
    tasks.join()
    taker.kill()
    for n in (2, 1):
        ordered.put(n)
    gevent.spawn(channel.put, "through")
    print(done, ordered.get(), channel.get())
    try:
        ordered.get(timeout=0.01) and ordered.get(timeout=0.01)
    except queue.Empty as error:
        print(type(error).__name__)
    result = event.AsyncResult()
    gevent.spawn_later(0.001, result.set, 5)
    flag, keep = event.Event(), Keep(1)
    gevent.spawn(lambda: (keep.values.append(2), flag.set()))
    print(result.get(timeout=1), flag.wait(1), keep.values)
    with lock.BoundedSemaphore(1), lock.RLock():
        with gevent.Timeout(0.01, False):
            gevent.sleep(5)
        try:
            with gevent.Timeout(0.01):
                gevent.sleep(5)
        except gevent.Timeout as error:
            print(error)


def bare():
    def child(x):
        while x < 3:
            x = x + parent.switch(x)
        raise greenlet.GreenletExit("end")

    parent = greenlet.getcurrent()
    made = greenlet.greenlet(child)
    print(made.switch(0), made.switch(1), made.switch(1), made.switch(1),
          made.dead)
    thrower = greenlet.greenlet(lambda: parent.switch())
    thrower.switch()
    try:
        thrower.throw(KeyError, "k")
    except KeyError as error:
        print("thrown", error, greenlet.GREENLET_USE_GC)
    print(monkey.is_module_patched("socket"), monkey.get_original(
        "socket", "socket") is not socket.socket, IEventLoopBlocked.__name__,
        isinstance(subscribers, list), callable(util.print_run_info))


if __name__ == "__main__":
    network()
    groups()
    synchronising()
    bare()
