"""What a first use loads has the stack and the recursion that it would have in
eager code, wherever the use is."""

import os
import textwrap

import pytest

# run(use, kib): in a thread with a stack of that size, to its end.
APART = {"apart.py": """\
    import threading
    def run(use, kib):
        threading.stack_size(kib * 1024)
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    """}
THREAD = textwrap.dedent("""\
    import threading
    from apart import run
    import decimal, email.mime.multipart, logging.config, xml.dom.minidom
    import mine
    def use():
        print(xml.dom.minidom.parseString("<a/>").documentElement.tagName,
              mine.deep, logging.config.dictConfig.__name__,
              email.mime.multipart.MIMEMultipart.__name__, decimal.Decimal(1))
    """)
# Nests in C: more than a small stack holds.
MINE = {**APART, "mine.py": """\
    import ast
    deep = len(ast.dump(ast.parse("(" * 90 + "1" + ")" * 90)))
    nested = []
    for i in range(300):
        nested = [nested]
    deep += len(repr(nested))
    """}


def test_a_thread_with_a_small_stack(both):
    both(MINE, THREAD + "run(use, 64)\n")


def test_a_thread_whose_stack_holds_less_than_its_frames(both):
    """A body may nest as deep as Python allows, through C."""
    both({**APART, "late.py": """\
        def nest(n):
            return sorted([n], key=lambda v: nest(v - 1) if v else 0)
        try:
            nest(450)
        except RecursionError:
            pass
        value = 1
        """}, """\
        import late
        from apart import run
        def use():
            print(late.value)
        run(use, 1120)
        """)


def test_a_small_stack_where_the_main_one_has_no_limit(both):
    both(MINE, THREAD + textwrap.dedent("""\
    import resource
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    for limit in (1 << 40, 512 << 20):
        try:
            resource.setrlimit(resource.RLIMIT_STACK, (limit, hard))
            break
        except ValueError:
            pass
    run(use, 64)
    """))


def test_signals_that_a_body_blocks_stay_blocked(both):
    both({**APART, "late.py": "import signal\n"
          "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
          "value = 1\n"}, """\
        import late, signal
        from apart import run
        signal.pthread_sigmask
        def blocked():
            late.value
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        run(blocked, 128)
        """)


@pytest.mark.skipif("TSAN_OPTIONS" in os.environ,
                    reason="greenlet itself races with its exit")
def test_greenlets_that_come_with_a_load_on_a_small_stack(both, version):
    """Their stacks may be parts of the one that the load had."""
    pytest.importorskip("greenlet")
    if version != (3, 11):
        pytest.skip("the package is for the system's Python")
    both({**APART, "late.py": """\
        import greenlet
        def body():
            greenlet.getcurrent().parent.switch("in")
            return "out"
        def begin():
            other = greenlet.greenlet(body)
            return other, other.switch()
        if "lazycore" in __import__("sys").modules:
            begun = begin()
        """}, """\
        import late
        from apart import run
        def use():
            other, said = getattr(late, "begun", None) or late.begin()
            print(said, other.switch())
        run(use, 256)
        """, packages=True)


def test_threads_with_small_stacks_at_once(both):
    both(MINE, THREAD + textwrap.dedent("""\
    import sys
    sys.setswitchinterval(1e-5)
    threading.stack_size(64 * 1024)
    threads = [threading.Thread(target=lambda: (
        mine.deep, decimal.Decimal, email.mime.multipart.MIMEMultipart))
        for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    use()
    """))


def test_a_small_stack_and_a_load_that_fails(both):
    both({**APART, "switch.py": "on = False\n", "late.py": """\
        import switch
        def f():
            raise ValueError("late")
        if switch.on:
            f()
        """}, """\
        import sys, switch
        from apart import run
        import late
        switch.on = "late" not in sys.modules
        seen = []
        def use():
            for i in range(2):
                try:
                    late.f()
                except ValueError as error:
                    seen.append(str(error))
        run(use, 64)
        print(seen)
        """)


def test_a_daemon_thread_loads_on_a_small_stack_when_python_ends(both):
    """It is ended there, in the middle of the load."""
    both({"switch.py": "import threading\nstarted = threading.Event()\n"
          "lazy = False\n", "late.py": """\
        import switch
        if switch.lazy:
            switch.started.set()
            while True:
                pass
        """}, """\
        import sys, switch, threading
        import late
        switch.lazy = "late" not in sys.modules
        threading.stack_size(64 * 1024)
        def use():
            late
            switch.started.set()
        threading.Thread(target=use, daemon=True).start()
        switch.started.wait()
        print("done")
        """)


@pytest.mark.parametrize("limit", [200, 1000, 5000])
def test_a_first_use_at_the_recursion_limit(both, limit):
    """The body runs once, and to its end."""
    both({"switch.py": "bodies = []\n", "late.py": """\
        import switch
        import json.decoder
        switch.bodies.append(1)
        def down(n):
            return n and 1 + down(n - 1)
        value = down(100), json.decoder
        """}, f"""\
        import sys
        import late, switch
        switch.bodies
        sys.setrecursionlimit({limit})
        def use(n):
            try:
                return use(n + 1)
            except RecursionError:
                return late.value[0]
        print(use(0), switch.bodies, sys.getrecursionlimit())
        """)


def test_a_body_that_recurses_for_ever_still_fails(both):
    both({"late.py": """\
        def down():
            return down()
        try:
            down()
        except RecursionError:
            value = "too deep"
        """}, """\
        import late
        def use(n):
            return use(n - 1) if n else late.value
        def frames(n=0):
            try:
                return frames(n + 1)
            except RecursionError:
                return n
        before = frames()
        print(use(900), frames() == before)
        """)


def test_a_body_that_sets_the_recursion_limit(both):
    both({"late.py": "import sys\nsys.setrecursionlimit(3000)\nvalue = 1\n"},
         """\
        import sys
        import late
        def use(n):
            return use(n - 1) if n else late.value
        def frames(n=0):
            try:
                return frames(n + 1)
            except RecursionError:
                return n
        print(use(900), sys.getrecursionlimit(), frames())
        """)
