"""Threads whose loads meet: one waits for another's, in cycles, at a package
and its submodules, and after a load that failed.

No test waits for time to pass; what would hang is ended by a signal, with the
stacks of its threads, and fails.
"""

import pytest

from gathering import GATHER, PRELUDE, SHARED, SLOW

# A module whose body fails, the next time it runs when it is let go; and a
# thread that has waited for one load finds the next one begun.
HELD_UP = {
    "steps.py": """\
        import threading
        runs = 0
        begun, go = ([threading.Event() for _ in range(4)] for _ in range(2))
        passed, again = threading.Event(), threading.Event()
        """,
    "dep.py": """\
        import steps
        steps.runs += 1
        run = steps.runs
        steps.begun[run].set()
        assert steps.go[run].wait(30)
        raise ValueError(run)
        """,
    "user.py": "import dep\ndef touch():\n    return dep.value\n",
}


def test_what_a_failed_load_leaves_is_nobodys(lazily):
    """Who has waited for a load that failed tries again, and waits for the
    load that has begun meanwhile; importlib hands out that one's module, too,
    when it has failed."""
    lazily({"prelude.py": PRELUDE, **HELD_UP}, """\
        import prelude
        import importlib._bootstrap as bootstrap
        import threading
        import steps
        import user
        errors = {}
        def work(name):
            try:
                user.touch()
            except BaseException as error:
                errors[name] = repr(error)
        def start(name):
            thread = threading.Thread(target=work, args=(name,), name=name)
            thread.start()
            return thread
        def main():
            prelude.sys
            wait = bootstrap._lock_unlock_module
            def wait_and_be_late(name):
                if threading.current_thread().name != "late" or name != "dep":
                    return wait(name)
                if steps.passed.is_set():
                    steps.again.set()
                    return wait(name)
                wait(name)
                steps.passed.set()
                assert steps.begun[2].wait(30)
            bootstrap._lock_unlock_module = wait_and_be_late
            threads = [start("first")]
            steps.begun[1].wait()
            threads.append(start("late"))
            import lazycore
            while not any(one["kind"] == "wait" for one in lazycore.threads()):
                pass
            steps.go[1].set()
            steps.passed.wait()
            threads.append(start("second"))
            steps.again.wait()
            steps.go[2].set()
            steps.go[3].set()
            for thread in threads:
                thread.join()
            assert errors == {"first": "ValueError(1)",
                              "second": "ValueError(2)",
                              "late": "ValueError(3)"}, errors
        main()
        """)


def test_a_cycle_entered_at_both_ends_at_once(lazily):
    """Two threads, each of which has begun what the other needs next: one is
    given the module as far as it is, as importlib has it, and none waits for
    ever."""
    body = """\
        import steps, {other}
        early = "{name}"
        steps.meet.wait(30)
        found = {other}.early, getattr({other}, "late", None)
        late = 1
        """
    lazily({"prelude.py": PRELUDE, "gather.py": GATHER,
            "steps.py": "import threading\nmeet = threading.Barrier(2)\n",
            "a.py": body.format(name="a", other="b"),
            "b.py": body.format(name="b", other="a")}, """\
        import prelude
        from gather import at_once
        import a, b
        def main():
            prelude.sys
            touch = (lambda: a.found), (lambda: b.found)
            errors, results = at_once(2, lambda n: touch[n]())
            assert errors == [], errors
            assert sorted(name for name, _ in results) == ["a", "b"], results
            assert [late for _, late in results].count(None) == 1, results
            assert a.late == b.late == 1
        main()
        """)


@pytest.mark.parametrize("touch", ["user.touch()", "import_module('dep')",
                                   "import_module('pk.sub')"])
def test_who_waits_for_whose_module(lazily, touch):
    """By either of the two ways in which importlib takes a module's lock."""
    slow = """\
        import steps
        steps.begun.set()
        assert steps.go.wait(30)
        value = 1
        """
    lazily({"prelude.py": PRELUDE, "dep.py": slow, "pk/sub.py": slow,
            "pk/__init__.py": "",
            "user.py": "import dep\ndef touch():\n    return dep.value\n",
            "steps.py": "import threading\nbegun = threading.Event()\n"
                        "go = threading.Event()\n"}, f"""\
        import prelude
        import lazycore, threading
        from importlib import import_module
        import steps
        import user
        def touch():
            {touch}
        def main():
            prelude.sys
            holder = threading.Thread(target=touch, name="holder")
            waiter = threading.Thread(target=touch, name="waiter")
            holder.start()
            steps.begun.wait()
            waiter.start()
            while len(now := [one for one in lazycore.threads()
                              if one["module"] in ("dep", "pk.sub")]) < 2:
                pass
            load, wait = sorted(now, key=lambda one: one["kind"])
            assert (load["kind"], load["thread"]) == ("load", "holder"), now
            assert load["tid"] == holder.native_id, now
            assert (wait["kind"], wait["thread"]) == ("wait", "waiter"), now
            assert (wait["holder"], wait["holder_thread"]) == (
                holder.native_id, "holder"), now
            assert wait["since_ns"] >= load["since_ns"] > 0
            steps.go.set()
            holder.join()
            waiter.join()
            assert lazycore.threads() == []
        main()
        """)


@pytest.mark.parametrize("level", ["outer", "full"])
def test_packages_met_by_their_parts(lazily, level):
    """No deadlock: threads that touch a package and its submodules."""
    parts = range(8)
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for k in range(10):
        files[f"pk{k}/__init__.py"] = "".join(
            f"from .p{i} import value as v{i}\n" for i in parts) + (
            "def all():\n    return ["
            + ", ".join(f"v{i}" for i in parts) + "]\n")
        for i in parts:
            files[f"pk{k}/p{i}.py"] = (
                f"from . import p{(i + 1) % 8} as n\n" + SLOW.format(i)
                + "def g():\n    return n.value\n")
            files[f"u{k}_{i}.py"] = (
                f"import pk{k}.p{i}\nimport pk{k}\ndef touch():\n"
                f"    return pk{k}.p{i}.g(), len(pk{k}.all())\n")
    lazily(files, """\
        import prelude
        from gather import at_once
        from importlib import import_module
        def main():
            prelude.sys
            for k in range(10):
                users = [import_module(f"u{k}_{i}") for i in range(8)]
                errors, results = at_once(8, lambda i: users[i].touch())
                assert errors == [], errors
                expected = sorted(((i + 1) % 8, 8) for i in range(8))
                assert sorted(results) == expected, results
        main()
        """, levels={f"pk{k}": level for k in range(10)})


def test_main_thread_where_another_thread_needs_threading_first(both):
    """Up to 3.12 `threading` takes whoever runs its body for the main
    thread; the real one then waits at exit for ever."""
    run = both({}, """\
        import _thread, logging, signal, threading
        def other(done):
            logging.getLogger("x").warning("from another thread")
            done.release()
        def main():
            signal.alarm(40)
            done = _thread.allocate_lock()
            done.acquire()
            _thread.start_new_thread(other, (done,))
            done.acquire()
            main = threading.main_thread()
            print(main is threading.current_thread(), main.name,
                  main.ident == _thread.get_ident(),
                  main.native_id == _thread.get_native_id(),
                  threading._active[main.ident] is main, main.is_alive())
            joiner = threading.Thread(target=main.join)
            joiner.start()
            print(joiner.is_alive())
        main()
        """)
    assert "True MainThread True True True True\nTrue" in run.out


def test_loads_of_submodules_while_the_package_is_first_used(lazily):
    """Trap: importlib takes a submodule's lock before its parent's, and who
    loads the package takes them the other way: a deadlock for an error."""
    rounds, parts = 6, 40
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for i in range(rounds):
        files[f"pool{i}/__init__.py"] = "".join(
            f"from pool{i} import p{n}\n" for n in range(parts))
        for n in range(parts):
            files[f"pool{i}/p{n}.py"] = f"value = {n}\n"
        files[f"user{i}.py"] = (
            f"import pool{i}\ndef use(n):\n"
            f"    return getattr(pool{i}, f'p{{n}}').value\n")
    lazily(files, f"""\
        import prelude
        import lazycore
        from gather import at_once
        from importlib import import_module
        def main():
            for i in range({rounds}):
                user = import_module(f"user{{i}}")
                assert f"pool{{i}}" not in prelude.sys.modules
                def work(n):
                    if n % 2:
                        return user.use(n)
                    lazycore.load(f"pool{{i}}.p{{n * 2}}")
                errors, results = at_once(16, work)
                assert errors == [], errors
        main()
        """)


@pytest.mark.parametrize("how", ["from p{i}.sub import value",
                                 "import p{i}.sub",
                                 "importlib.import_module('p{i}.sub')"])
def test_submodule_imported_while_its_package_loads(lazily, how):
    """A package whose body imports its submodule, loaded by one thread, and
    the submodule imported in a function by another: importlib would lock them
    in two orders, and raise."""
    count = 80
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for i in range(count):
        files[f"p{i}/__init__.py"] = (SLOW.format(0)
                                      + "from .sub import value as it\n"
                                        "twice = it * 2\n")
        files[f"p{i}/sub.py"] = SLOW.format(i)
    cases = "".join(f"    def f{i}():\n        {how.format(i=i)}\n"
                    for i in range(count)).replace("\n    ", "\n")
    files["cases.py"] = "import importlib\n" + cases[4:]
    lazily(files, f"""\
        import prelude, random, sys
        from gather import at_once
        import cases
        import lazycore
        def one(i, n):
            if n:
                return lazycore.load(f"p{{i}}")
            for _ in range(random.randrange(300)):
                pass
            return getattr(cases, f"f{{i}}")()
        def main():
            prelude.sys
            for i in range({count}):
                errors, results = at_once(2, lambda n: one(i, n))
                assert errors == [], errors
                assert sys.modules[f"p{{i}}"].twice == 2 * i
        main()
        """)


def test_submodule_that_is_there_while_its_package_loads(both):
    """Its package is whole before anyone else gets it."""
    both({"shared.py": SHARED,
          "app/__init__.py": "import shared\nimport app.part\n"
                             "for run in shared.body:\n    run()\nx = 'x'\n",
          "app/part.py": "",
          "user.py": "from app import x\ndef touch():\n    return x\n"}, """\
        import importlib, shared, user
        def work():
            importlib.import_module("app.part")
            print(getattr(shared.sys.modules["app"], "x", "half"))
        def main():
            thread = shared.threading.Thread(target=work)
            def load():
                thread.start()
                shared.await_import(thread)
            shared.body.append(load)
            user.touch()
            if thread.ident is None:
                thread.start()
            thread.join()
        main()
        """)
