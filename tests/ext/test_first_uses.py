"""What a first use loads does not notice where it is loaded: signal handlers
wait for it, and it has the stack and the recursion that eager code has."""

import textwrap

import pytest

# A signal that comes while `late` loads; eagerly that was long ago. After its
# use nothing is on its way in either case.
LATE = {
    "switch.py": "on = False\nseen = []\nbodies = []\n",
    "late.py": """\
        import signal
        import switch
        switch.bodies.append("late")
        if switch.on:
            signal.raise_signal(signal.SIGUSR1)
            switch.mid = list(switch.seen)
        value = 42
        """}
HANDLES = textwrap.dedent("""\
    import late
    import signal, sys
    import switch
    def handler(number, frame):
        switch.seen.append((number, late.value, type(frame).__name__))
    signal.signal(signal.SIGUSR1, handler)
    switch.bodies, switch.seen
    def use():
        switch.on = "late" not in sys.modules
        late.value
        if not switch.on:
            signal.raise_signal(signal.SIGUSR1)
    """)


def with_signal(text):
    """A program that runs TEXT, a function's body in which `use()` is the
    first use, on top of which the signal comes."""
    return (HANDLES + "def main():\n"
            + textwrap.indent(textwrap.dedent(text), "    ") + "\nmain()\n")


def test_a_signal_handler_finds_what_was_loading(both):
    both(LATE, with_signal("use(); print(switch.seen, switch.bodies)"))


def test_a_signal_handler_runs_after_the_load(lazily):
    lazily(LATE, with_signal("use(); assert switch.mid == [], switch.mid"))


@pytest.mark.parametrize("error", [
    "TimeoutError('late')", "SystemExit(3)", "KeyboardInterrupt()",
    "AttributeError('late')", "ImportError('late')"])
def test_what_a_handler_raises_does_not_end_the_load(both, error):
    run = both(LATE, with_signal(f"""
        def handler(number, frame):
            raise {error}
        signal.signal(signal.SIGUSR1, handler)
        try:
            use()
        except BaseException as error:
            print(repr(error), getattr(error, "__notes__", None),
                  error.__cause__, error.__context__)
        print(late.value, switch.bodies)"""))
    assert run.loaded("late")


def test_a_handler_of_a_load_that_fails_runs_as_well(lazily):
    """What was on its way is the context of what the handler raises."""
    lazily({**LATE, "late.py": """\
        import signal
        signal.raise_signal(signal.SIGUSR1)
        raise ValueError("body")
        """}, """\
        import late, signal
        def handler(number, frame):
            raise TimeoutError("handler")
        signal.signal(signal.SIGUSR1, handler)
        def main():
            try:
                late
            except TimeoutError as error:
                assert repr(error.__context__) == "ValueError('body')"
            else:
                raise AssertionError("nothing raised")
        main()
        """)


def test_every_signal_that_waited_is_handled(lazily):
    """By their numbers, each once, though the first one raises."""
    lazily({"late.py": """\
        import signal
        for number in [signal.SIGUSR2, signal.SIGUSR1] * 3:
            signal.raise_signal(number)
        value = 1
        """}, """\
        import late, signal
        seen = []
        def handler(number, frame):
            seen.append(number)
            if number == signal.SIGUSR1:
                raise TimeoutError
        signal.signal(signal.SIGUSR1, handler)
        signal.signal(signal.SIGUSR2, handler)
        def main():
            try:
                late.value
            except TimeoutError:
                pass
            for i in range(3):
                pass
            assert seen == [signal.SIGUSR1, signal.SIGUSR2], seen
        main()
        """)


def test_a_handler_that_was_taken_back_does_not_run(both):
    """As for a signal that came a moment before."""
    both({**LATE, "late.py": """\
        import signal, switch
        if switch.on:
            signal.raise_signal(signal.SIGUSR1)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        value = 1
        """}, with_signal("""
        switch.on = "late" not in sys.modules
        late.value
        print(switch.seen)"""))


def test_a_handler_of_the_load_itself_runs_at_once(both):
    """Its body may wait for the signal."""
    both({"late.py": """\
        import signal
        seen = []
        signal.signal(signal.SIGUSR1, lambda *args: seen.append(args[0]))
        signal.raise_signal(signal.SIGUSR1)
        for i in range(3):
            pass
        at_once = list(seen)
        """}, "import late\ndef main():\n    print(late.at_once)\nmain()\n")


def test_a_body_that_waits_for_a_signal_gets_it(lazily):
    """A handler waits for a second at most."""
    lazily({"switch.py": "seen = []\n", "late.py": """\
        import signal, switch
        while not switch.seen:
            signal.raise_signal(signal.SIGUSR1)
        """}, """\
        import late, signal, switch
        signal.signal(signal.SIGUSR1, lambda *args: switch.seen.append(1))
        def main():
            late
        main()
        """)


def test_an_interrupt_does_not_wait(lazily):
    lazily({"late.py": """\
        import signal
        signal.raise_signal(signal.SIGINT)
        for i in range(3):
            pass
        raise AssertionError("it waited")
        """}, """\
        import late
        def main():
            try:
                late
            except KeyboardInterrupt:
                return
            raise AssertionError("nothing came")
        main()
        """)


def test_a_child_handles_its_own_signals_only(lazily, settled_by_hand):
    """TSan delivers none to a child of a process with several threads."""
    lazily({"late.py": """\
        import os, signal
        signal.raise_signal(signal.SIGUSR1)
        child = os.fork()
        """}, """\
        import late, os, signal
        seen = []
        signal.signal(signal.SIGUSR1, lambda *args: seen.append(1))
        os.fork
        def main():
            if late.child == 0:
                mine = list(seen)
                signal.raise_signal(signal.SIGUSR1)
                os._exit(len(mine) * 10 + len(seen))
            assert os.waitpid(late.child, 0)[1] == 1 << 8
            assert seen == [1]
        main()
        """)


def test_what_signal_says_of_handlers(both):
    """Each gets back what it has put there, and what was wrong is refused in
    the same words."""
    both({}, """\
        import _signal, inspect, signal, threading
        def handler(*args):
            pass
        class Callable:
            def __call__(self, *args):
                pass
        called = Callable()
        print(signal.signal(signal.SIGUSR1, handler))
        print(signal.getsignal(signal.SIGUSR1) is handler)
        print(signal.signal(signal.SIGUSR1, called) is handler)
        print(signal.signal(signal.SIGUSR1, signal.SIG_IGN) is called)
        print(signal.signal(signal.SIGUSR1, signal.SIG_DFL))
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        print(signal.getsignal(signal.SIGKILL), signal.getsignal(33))
        for args in [(), (1,), (1, 2, 3), (10, None), (10, "text"), (10, 7),
                     (0, handler), (99, handler), ("x", handler),
                     (9, handler)]:
            try:
                print(signal.signal(*args))
            except (TypeError, ValueError, OSError) as error:
                print(args[:1], repr(error))
        print(signal.getsignal(10))
        def elsewhere():
            try:
                signal.signal(signal.SIGUSR1, handler)
            except ValueError as error:
                print(error)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        print(inspect.signature(signal.signal), signal.signal.__module__,
              inspect.signature(signal.getsignal))
        print(_signal.signal.__module__, type(_signal.signal),
              inspect.signature(_signal.signal), _signal.signal.__name__)
        """)


def test_uninstalled_the_handlers_are_there(lazily):
    lazily({}, """\
        import _signal, lazycore, signal
        def handler(*args):
            raise TimeoutError
        signal.signal(signal.SIGUSR1, handler)
        lazycore.uninstall()
        assert _signal.signal is not lazycore.signal
        assert _signal.getsignal(signal.SIGUSR1) is handler
        try:
            signal.raise_signal(signal.SIGUSR1)
        except TimeoutError:
            lazycore.install()
        assert signal.getsignal(signal.SIGUSR1) is handler
        """)


THREAD = textwrap.dedent("""\
    import threading
    import decimal, email.mime.multipart, logging.config, xml.dom.minidom
    import mine
    def use():
        print(xml.dom.minidom.parseString("<a/>").documentElement.tagName,
              mine.deep, logging.config.dictConfig.__name__,
              email.mime.multipart.MIMEMultipart.__name__, decimal.Decimal(1))
    def run(kib):
        threading.stack_size(kib * 1024)
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    """)
# Nests in C: more than a small stack holds.
MINE = {"mine.py": """\
    import ast
    deep = len(ast.dump(ast.parse("(" * 90 + "1" + ")" * 90)))
    nested = []
    for i in range(300):
        nested = [nested]
    deep += len(repr(nested))
    """}


def test_a_thread_with_a_small_stack(both):
    both(MINE, THREAD + "run(64)\n")


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
    both({"switch.py": "on = False\n", "late.py": """\
        import switch
        def f():
            raise ValueError("late")
        if switch.on:
            f()
        """}, """\
        import sys, switch, threading
        import late
        switch.on = "late" not in sys.modules
        threading.stack_size(64 * 1024)
        seen = []
        def use():
            for i in range(2):
                try:
                    late.f()
                except ValueError as error:
                    seen.append(str(error))
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
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
