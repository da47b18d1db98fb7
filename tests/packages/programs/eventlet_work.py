# needs: python3-eventlet python3-greenlet
# packages: eventlet greenlet
"""Green threads with eventlet: servers, pools, events, queues, WSGI, patched
modules, data base pools, backdoor-free back ends and timeouts.
"""
import eventlet
import eventlet.green.urllib.request
import eventlet.wsgi
from eventlet import event, greenpool, patcher, pools, queue, semaphore
from eventlet import timeout, tpool, websocket
from eventlet.db_pool import ConnectionPool
from eventlet.green import socket, subprocess, threading, time
from eventlet.greenthread import GreenThread
from eventlet.hubs import get_hub, use_hub
from eventlet.support import greenlets
from eventlet.support.greendns import is_ip_addr
from greenlet import GreenletExit

use_hub("poll")
green_http = eventlet.import_patched("http.client")


class Links(pools.Pool):
    made = 0

    def create(self):
        Links.made += 1
        return f"link {Links.made}"


class Rows:
    class Connection:
        def rollback(self):
            print("rolled back")

        def close(self):
            pass

    def connect(self, **kw):
        return self.Connection()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise KeyError("fail")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode(), b" ",
            environ["wsgi.input"].read()]


def network():
    listener = eventlet.listen(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def echo(connection, address):
        connection.sendall(connection.recv(100).upper())
        connection.close()

    server = eventlet.spawn(eventlet.serve, listener, echo, 5)

    def ask(text):
        link = eventlet.connect(("127.0.0.1", port))
        link.sendall(text)
        return link.recv(100)

    pile = greenpool.GreenPile(2)
    for n in range(3):
        pile.spawn(ask, b"a%d" % n)
    print(sorted(pile))
    server.kill()
    listener = eventlet.listen(("127.0.0.1", 0))
    web = eventlet.spawn(eventlet.wsgi.server, listener, application,
                         log_output=False, debug=False)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    opened = eventlet.green.urllib.request.urlopen(base + "/x", b"body")
    print(opened.status, opened.read())
    link = green_http.HTTPConnection(base[7:])
    link.request("GET", "/ok")
    print(link.getresponse().read())
    link.close()
    web.kill()
    left, right = socket.socketpair()
    left.sendall(b"pair")
    print(right.recv(10), isinstance(left, socket.socket))
    print(subprocess.check_output(["/bin/echo", "child"]))


def main():
    network()
    pool = greenpool.GreenPool(3)
    print(list(pool.imap(lambda x: x * x, range(5))), pool.free(),
          list(pool.starmap(pow, [(2, 3), (3, 2)])))
    ready = event.Event()
    waiter = eventlet.spawn(ready.wait)
    ready.send("sent")
    print(waiter.wait(), ready.ready(), isinstance(waiter, GreenThread))
    failing = eventlet.spawn(int, "x")
    try:
        failing.wait()
    except ValueError as error:
        print(error)
    victim = eventlet.spawn(eventlet.sleep, 5)
    victim.kill()
    try:
        print(victim.wait())
    except GreenletExit:
        print("killed")
    tasks, ordered = queue.LightQueue(1), queue.PriorityQueue()
    eventlet.spawn_n(tasks.put, 1)
    for n in (3, 1, 2):
        ordered.put(n)
    print(tasks.get(), [ordered.get() for _ in range(3)])
    try:
        tasks.get(timeout=0.01)
    except queue.Empty as error:
        print(type(error).__name__)
    with timeout.Timeout(0.01, False):
        eventlet.sleep(5)
    try:
        with eventlet.Timeout(0.01):
            eventlet.sleep(5)
    except eventlet.Timeout as error:
        print(error, eventlet.timeout.is_timeout(error))
    links = Links(max_size=1)
    with links.item() as first:
        print(first, links.free())
    with links.item() as second:
        print(second, links.made)
    rows = ConnectionPool(Rows(), max_size=1)
    with rows.item() as row:
        print(type(row).__name__)
    print(tpool.execute(sum, [1, 2]), tpool.Proxy([3, 1]).count(3))
    tpool.killall()
    gate = semaphore.CappedSemaphore(1, 2)
    with gate:
        print(gate.balance, gate.locked())
    worker = threading.Thread(target=lambda: time.sleep(0) or print("thread"))
    worker.start()
    worker.join()
    print(patcher.is_monkey_patched("os"), patcher.original("time").__name__,
          websocket.WebSocketWSGI.__name__, is_ip_addr("127.0.0.1"),
          type(get_hub()).__module__, greenlets.greenlet.__name__)


if __name__ == "__main__":
    main()
