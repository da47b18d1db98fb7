"""Eight threads at a time, over and over: first touches, failures, imports,
reloads, edits, reports and forks. TSan looks on."""
import faulthandler
import importlib
import os
import signal
import sys
import threading
import lazycore
import files

COUNT = 20
BODY = "x = 0\nfor i in range(300):\n    x += 1\nvalue = {0}\n" \
       "def f():\n    return value\n"


def at_once(function, count=8):
    barrier = threading.Barrier(count)
    results, errors = [None] * count, []

    def work(i):
        barrier.wait()
        try:
            results[i] = function(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, errors


def user_of(names):
    return ("".join("import %s\nfrom %s import value as v_%s, f as f_%s\n"
                    % (name, name, name, name) for name in names)
            + "def touch():\n    return ["
            + ", ".join("%s.value, v_%s, f_%s()" % (name, name, name)
                        for name in names) + "]\n")


def write_all():
    source = {}
    for i in range(COUNT):
        for kind in "mnr":
            source["%s%d.py" % (kind, i)] = BODY.format(i)
        source["pk/p%d.py" % i] = BODY.format(i)
        source["u%d.py" % i] = user_of(["m%d" % i])
        source["w%d.py" % i] = user_of(["n%d" % i])
    source["pk/__init__.py"] = "from . import p0\nfrom .p1 import value\n" \
        "def both():\n    return p0.value, value\n"
    source["all.py"] = user_of(["r%d" % i for i in range(COUNT)])
    source["bad.py"] = "import os\nif not os.path.exists('cured'):\n" \
        "    raise ValueError('on purpose')\nvalue = 1\n"
    source["badly.py"] = "import bad\ndef touch():\n    return bad.value\n"
    files.write(source)


def first_touches():
    for i in range(COUNT):
        user = importlib.import_module("u%d" % i)
        assert lazycore.pending(user), i
        results, errors = at_once(lambda n: user.touch())
        assert errors == [], errors
        assert results == [[i, i, i]] * 8, results


def failures():
    if os.path.exists("cured"):
        os.unlink("cured")
    import badly
    for _ in range(5):
        results, errors = at_once(lambda n: badly.touch())
        assert [repr(error) for error in errors] == \
            ["ValueError('on purpose')"] * 8, errors
    files.write({"cured": ""})
    results, errors = at_once(lambda n: badly.touch())
    assert errors == [] and results == [1] * 8


def touch_all():
    import all  # outside of try, where what it imports would be eager
    assert all.r19.value == 19
    assert lazycore.show("r19")["state"] == "real"


def fork_and_touch():
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(20)
            lazycore.ignorenames.add("forked")
            touch_all()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def mixture(n):
    for i in range(COUNT):
        if n < 3:
            assert importlib.import_module("w%d" % i).touch() == [i, i, i]
        elif n == 3:
            lazycore.ignorenames.add("n%d" % i)
            lazycore.level("pk", ("outer", "full")[i % 2])
            lazycore.ignorenames.discard("n%d" % i)
        elif n == 4:
            lazycore.stats(), lazycore.show("n%d" % i), len(lazycore.proxies)
        elif n == 5:
            # The source is still that of the first round.
            answer = lazycore.reload("m%d" % i, force=True)
            assert answer["verdict"] == "applied", answer
        elif n == 6:
            module = importlib.import_module("pk.p%d" % i)
            assert module.f() == i
        elif i % 5 == 0:
            # A sanitizer's allocator has locks that a child of a process
            # with threads may find held for ever.
            if "ASAN_OPTIONS" not in os.environ:
                fork_and_touch()
        else:
            lazycore.inject(), dict(sys.modules), dir(sys.modules["u1"])


def main():
    faulthandler.dump_traceback_later(50, exit=True)
    sys.setswitchinterval(5e-5)
    write_all()
    first_touches()
    failures()
    results, errors = at_once(mixture)
    assert errors == [], errors
    for i in range(COUNT):
        assert importlib.import_module("u%d" % i).touch() == [i, i, i]
    import all
    results, errors = at_once(lambda n: all.touch())
    assert errors == [], errors
    assert results == [[i for i in range(COUNT) for _ in range(3)]] * 8
    import pk
    assert pk.both() == (0, 1)
    faulthandler.cancel_dump_traceback_later()
    files.write({"crowd-ended": ""})


main()
