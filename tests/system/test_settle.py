"""Hot namespaces: what is pending in them is loaded by itself, and said."""
HOT = """
import difflib, decimal
LIMIT = 3
def loop(count):
    total = 0
    for _ in range(count):
        total += LIMIT
    return total
def never():
    return difflib, decimal
"""
# Ends by the test's deadline where nothing is ever loaded.
UNTIL_SETTLED = """
import hot, lazycore, signal
def main():
    while lazycore.pending(hot):
        hot.loop(10000)
    lazycore.ready()
    signal.pause()
main()
"""
FOR_A_WHILE = """
import hot, lazycore, signal, time
def main():
    while time.process_time() < 3:
        hot.loop(10000)
    assert lazycore.pending(hot) == ["difflib", "decimal"]
    lazycore.ready()
    signal.pause()
main()
"""


def test_hot_namespace(lab):
    lab.write("hot.py", HOT)
    lab.start(lab.write("app.py", UNTIL_SETTLED), "-C", lab.folder)
    lab.logged("'hot' is hot: what was pending in it is loaded, ")
    settled = lab.ask("stats")["settled"]
    assert settled["namespaces"] == 1
    assert settled["looks"] >= 4
    assert settled["modules"] >= 2
    module = lab.ask("show", "difflib")
    assert module["state"] == "real"
    assert module["trigger"]["file"].endswith("hot.py")
    assert module["trigger"]["function"] == "(hot)"
    assert "were hot" in lab.ctl("stats").out


# A worker loads nothing that its server has not.
WORKER = """
import hot, lazycore, os, signal, time
def work():
    while {until}:
        import sys
        hot.loop(10000)
    os._exit({status})
def main():
    if os.fork() == 0:
        work()
    print("worker:", os.WEXITSTATUS(os.wait()[1]), lazycore.pending(hot),
          flush=True)
    lazycore.ready()
    signal.pause()
main()
"""


def test_worker_of_a_forking_server(lab):
    lab.write("hot.py", HOT)
    text = WORKER.format(until="lazycore.pending(hot)", status=7)
    lab.start(lab.write("app.py", text), "-C", lab.folder)
    assert lab.ask("stats")["settled"]["namespaces"] == 0, "the worker's"
    assert "worker: 7 ['difflib', 'decimal']" in lab.logged("worker: ")


def test_worker_without_settling(lab):
    lab.write("hot.py", HOT)
    text = WORKER.format(until="time.process_time() < 1",
                         status="len(lazycore.pending(hot))")
    lab.start(lab.write("app.py", text), "-C", lab.folder, "--settle=off")
    lab.logged("worker: 2 ")


ORPHAN = """
import os, threading, time
def work():
    if os.fork() == 0:
        end = time.process_time() + 0.4
        while time.process_time() < end:
            import json
    else:
        print("ended:", os.wait()[1])
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_child_of_a_thread_ends(lab):
    """With the last of its threads, which is Python's, not ours."""
    done = lab.lazyd("-F", "--no-socket", "--app",
                     lab.write("app.py", ORPHAN))
    assert done.out == "ended: 0\n"


def test_module_of_the_program(lab):
    lab.write("hot.py", HOT.replace("difflib, decimal", "models"))
    lab.write("models.py", "import enum\nclass Colour(enum.Enum):\n"
                           "    RED = 1\n")
    lab.start(lab.write("app.py", UNTIL_SETTLED), "-C", lab.folder)
    assert lab.ask("show", "models")["trigger"]["function"] == "(hot)"


def test_why_it_stays_slow(lab):
    """Once, in the log; the module's own code is not touched."""
    lab.write("hot.py", HOT.replace("difflib, decimal", "models"))
    lab.write("models.py", "known = []\nprint('models')\n")
    text = FOR_A_WHILE.replace('["difflib", "decimal"]', '["models"]')
    lab.start(lab.write("app.py", text), "-C", lab.folder)
    log = lab.logged("'hot' is hot, and slower for 'models' that is pending "
                     "in it, but that may have effects: models: line 2: calls "
                     "builtins.print")
    assert log.count("'hot' is hot") == 1
    assert lab.ask("show", "models")["state"] == "proxy"


def test_off(lab):
    lab.write("hot.py", HOT)
    lab.start(lab.write("app.py", FOR_A_WHILE), "-C", lab.folder,
              "--settle=off")
    assert lab.ask("stats")["settled"] == \
        {"looks": 0, "namespaces": 0, "modules": 0}
    assert lab.ask("show", "difflib")["state"] == "proxy"


def test_bad_value(lab):
    done = lab.lazyd("--app", lab.write("app.py", ""), "--settle=maybe",
                     status=2)
    assert "--settle 'maybe' is neither on nor off" in done.err
