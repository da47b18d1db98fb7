"""Threads: first touches at once, and what else they do with names.

Loads that meet: test_threads_meeting.py; forks: test_forks.py. No test waits
for time to pass; what would hang is ended by a signal, with the stacks of its
threads, and fails.
"""

import pytest

from gathering import GATHER, PRELUDE, SLOW


@pytest.mark.parametrize("use", ["m.value", "m.f()", "v", "f()",
                                 "getattr(sys.modules[__name__], 'v')"])
def test_first_touch_by_eight_threads(lazily, use):
    """Trap: 8 threads' first touch, 7 get AttributeError (LazyLoader)."""
    rounds = 25
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for i in range(rounds):
        files[f"m{i}.py"] = SLOW.format(i)
        files[f"user{i}.py"] = (
            f"import m{i} as m, sys\nfrom m{i} import value as v, f\n"
            f"def touch():\n    return {use}\ndef keep():\n"
            "    return m, v, f, sys\n")
    lazily(files, f"""\
        import prelude
        from gather import at_once
        from importlib import import_module
        def main():
            for i in range({rounds}):
                user = import_module(f"user{{i}}")
                assert f"m{{i}}" not in prelude.sys.modules
                errors, results = at_once(8, lambda n: user.touch())
                assert errors == [], errors
                assert results == [i] * 8, results
        main()
        """)


def test_module_body_runs_once(lazily):
    """The same: whoever comes first, a module's body runs once."""
    files = {"prelude.py": PRELUDE, "gather.py": GATHER, "log.py": "ran = []",
             **{f"m{i}.py": f"import log\nlog.ran.append({i})\n"
                + SLOW.format(i) for i in range(30)},
             "user.py": "".join(f"import m{i}\n" for i in range(30))
             + "def touch(n):\n    return ["
             + ", ".join(f"m{i}.value" for i in range(30)) + "]\n"}
    lazily(files, """\
        import prelude
        from gather import at_once
        import user
        import log
        def main():
            prelude.sys
            errors, results = at_once(8, user.touch)
            assert errors == [], errors
            assert results == [list(range(30))] * 8
            assert log.ran == list(range(30)), log.ran
        main()
        """)


def test_chains_met_from_both_ends(lazily):
    """No deadlock: threads that load the modules of a cycle from different
    ends, as importlib's own locks allow."""
    n = 12
    files = {"prelude.py": PRELUDE, "gather.py": GATHER}
    for i in range(n):
        files[f"c{i}.py"] = (f"import c{(i + 1) % n} as next_one\n"
                             f"name = {i}\n"
                             + SLOW.format(i) +
                             "def follow(k):\n    return name if k == 0 "
                             "else next_one.follow(k - 1)\n")
    lazily(files, f"""\
        import prelude
        from gather import at_once
        {"; ".join(f"import c{i}" for i in range(n))}
        def main():
            prelude.sys
            modules = ({", ".join(f"lambda: c{i}" for i in range(n))})
            errors, results = at_once(
                {n}, lambda i: modules[i]().follow({n}))
            assert errors == [], errors
            assert sorted(results) == list(range({n})), results
        main()
        """)


def test_deferring_while_others_load(lazily):
    """Statements in one thread, first touches in others, edits of the ignore
    sets and readers of the registry in more."""
    files = {"prelude.py": PRELUDE, "gather.py": GATHER,
             **{f"m{i}.py": SLOW.format(i) for i in range(60)},
             **{f"user{i}.py": f"import m{i}\nfrom m{i} import value\n"
                f"def touch():\n    return m{i}.value, value\n"
                for i in range(60)}}
    lazily(files, """\
        import prelude
        from gather import at_once
        from importlib import import_module
        import lazycore
        def work(n):
            out = []
            for i in range(60):
                if n < 4:
                    out.append(import_module(f"user{i}").touch())
                elif n == 4:
                    lazycore.ignorenames.add(f"m{i}")
                    lazycore.ignorenames.discard(f"m{i}")
                elif n == 5:
                    assert len(lazycore.proxies) >= 0
                    lazycore.stats(), lazycore.show(f"m{i}")
                elif n == 6:
                    dict(prelude.sys.modules)
                    lazycore.inject()
                else:
                    import_module(f"m{i}")
            return out
        def main():
            errors, results = at_once(8, work)
            assert errors == [], errors
            expected = [(i, i) for i in range(60)]
            assert [r for r in results if r] == [expected] * 4
        main()
        """)


def test_rebuild_under_readers(lazily):
    """A dict that is rebuilt while other threads look names up in it."""
    files = {"prelude.py": PRELUDE, "gather.py": GATHER,
             **{f"m{i}.py": SLOW.format(i) for i in range(20)}}
    for j in range(10):
        files[f"user{j}.py"] = (
            "".join(f"import m{i}\n" for i in range(20)) + "constant = 7\n"
            "def read():\n    total = 0\n    for i in range(2000):\n"
            "        total += constant\n    return total\n"
            "def touch():\n    return ["
            + ", ".join(f"m{i}.value" for i in range(20)) + "]\n")
    lazily(files, """\
        import prelude
        from gather import at_once
        from importlib import import_module
        def main():
            prelude.sys
            for j in range(10):
                user = import_module(f"user{j}")
                errors, results = at_once(
                    8, lambda n: user.read() if n % 2 else user.touch())
                assert errors == [], errors
                for result in results:
                    assert result in (14000, list(range(20))), result
        main()
        """)


def test_asyncio_and_executors(both):
    """An event loop with first touches in tasks and in executor threads."""
    both({f"m{i}.py": f"value = {i}\n" for i in range(6)}, """\
        import asyncio
        import m0, m1, m2, m3, m4, m5
        async def task(get):
            await asyncio.sleep(0)
            return get().value
        async def main():
            loop = asyncio.get_running_loop()
            print(await asyncio.gather(
                task(lambda: m0), task(lambda: m1), task(lambda: m2),
                loop.run_in_executor(None, lambda: m3.value),
                loop.run_in_executor(None, lambda: m4.value),
                asyncio.to_thread(lambda: m5.value)))
        asyncio.run(main())
        """)


def test_contextvars_and_thread_locals(both):
    """A load sees the context of the thread that causes it."""
    both({"context.py": "import contextvars, threading\n"
                        "var = contextvars.ContextVar('v', default='none')\n"
                        "local = threading.local()\n",
          "dep.py": "import context\nseen = context.var.get()\n"
                    "local = getattr(context.local, 'x', 'none')\n"}, """\
        import context, threading
        import dep
        def work():
            context.var.set("thread")
            context.local.x = "here"
            print(dep.seen, dep.local)
        def main():
            import sys
            thread = threading.Thread(target=work)
            if "dep" in sys.modules:
                sys.modules["dep"].seen = "thread"
                sys.modules["dep"].local = "here"
            thread.start()
            thread.join()
        main()
        """)


def test_failing_first_touch_by_eight_threads(lazily):
    """Each thread gets the original error; a later touch succeeds."""
    lazily({"prelude.py": PRELUDE, "gather.py": GATHER,
            "dep.py": "import os\nfor i in range(1000):\n    pass\n"
                      "if not os.path.exists('ready'):\n"
                      "    raise ValueError('not ready')\nvalue = 1\n",
            "user.py": "import dep\ndef f(n=0):\n    return dep.value\n"}, """\
        import prelude
        from gather import at_once
        import user
        import lazycore
        def main():
            prelude.sys
            user.f
            for i in range(10):
                errors, results = at_once(8, user.f)
                assert results == []
                assert set(errors) == {"ValueError('not ready')"}, errors
            open("ready", "w").close()
            errors, results = at_once(8, user.f)
            assert errors == [] and results == [1] * 8
            assert lazycore.pending(user) == []
        main()
        """)
