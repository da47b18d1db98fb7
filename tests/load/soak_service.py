"""The service that soak.py runs, and the modules that its clients rewrite."""
import os

MODULES = 320
# Asked for a number it answers with the two values of that module.
APP = """
import lazycore, os, signal, socket, sys, threading
import pool
pool.__all__

def serve(sock):
    for line in sock.makefile("r"):
        try:
            module = getattr(pool, "part" + line.strip())
            sock.sendall(b"%d %d\\n" % module.both())
        except OSError:
            return
        except Exception as error:
            sock.sendall(("%r\\n" % error).encode())

def accept(listener):
    while True:
        threading.Thread(target=serve, args=[listener.accept()[0]],
                         daemon=True).start()

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
threading.Thread(target=accept, args=[listener], daemon=True).start()
signal.getsignal(signal.SIGTERM)
lazycore.ready()
while True:
    signal.pause()
"""
PART = """\
VALUE = {generation}
MIRROR = {generation} + 1000000
def both(value=VALUE, mirror=MIRROR):
    return VALUE, MIRROR
"""


def write_part(pool, number, generation):
    """At once, or a load in between would see half of it."""
    path, new = pool / f"part{number}.py", pool / f"part{number}.new"
    new.write_text(PART.format(generation=generation))
    os.rename(new, path)


def make_pool(folder):
    pool = folder / "pool"
    pool.mkdir()
    for number in range(MODULES):
        write_part(pool, number, 0)
    names = [f"part{number}" for number in range(MODULES)]
    (pool / "__init__.py").write_text(
        f"__all__ = {names}\n" +
        "".join(f"from pool import {name}\n" for name in names))
    (pool / "broken.py").write_text("raise ValueError('as it is')\n")
    return pool
