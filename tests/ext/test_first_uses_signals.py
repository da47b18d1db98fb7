"""Signal handlers wait for what a first use loads: eagerly, nothing would be
loading when they come."""

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
        for i in range(3):
            pass
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
    """A handler waits for a second at most, also where the body is in a call
    that only a signal ends."""
    lazily({"switch.py": "seen = []\n", "late.py": """\
        import signal, switch
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR1)
        while len(switch.seen) < 2:
            signal.pause()
        """}, """\
        import late, signal, switch
        def handler(number, frame):
            switch.seen.append(number)
        signal.signal(signal.SIGUSR1, handler)
        signal.signal(signal.SIGUSR2, handler)
        def main():
            late
            signal.pause
            assert sorted(switch.seen) == [10, 12], switch.seen
        main()
        """)


@pytest.mark.parametrize("then", ["value = 1", "signal.pause()"])
def test_the_second_load_waits_for_itself(lazily, then):
    """What has been sent for the first one is not taken for the second's."""
    lazily({"switch.py": "seen = []\n",
            "late.py": "import signal, switch\nsignal.raise_signal(10)\n"
            "while not switch.seen:\n    signal.pause()\n",
            "later.py": "import signal, switch\nsignal.raise_signal(10)\n"
            f"{then}\n"}, """\
        import late, later, signal, switch
        def handler(number, frame):
            switch.seen.append(number)
        signal.signal(10, handler)
        def main():
            late
            assert switch.seen == [10]
            later
            assert switch.seen == [10, 10]
        main()
        """)


@pytest.mark.parametrize("body, seen", [
    ("signal.signal(10, signal.SIG_DFL)", []),
    ("signal.pthread_sigmask(signal.SIG_BLOCK, [10])", [10]),
    ("signal.pthread_sigmask(signal.SIG_BLOCK, [10])\n"
     "assert signal.sigtimedwait([10], 0) is None", [10])])
def test_what_a_slow_body_does_to_a_signal_that_waits(lazily, body, seen):
    """It has come: nothing is sent again."""
    lazily({"late.py": f"""\
import signal, time
signal.raise_signal(10)
{body}
end = time.monotonic() + 1.1
while time.monotonic() < end:
    time.sleep(end - time.monotonic())
"""}, f"""\
        import late, signal
        seen = []
        def handler(number, frame):
            seen.append(number)
        signal.signal(10, handler)
        def main():
            late
            assert seen == {seen}, seen
            assert signal.sigpending() == set()
        main()
        """)


@pytest.mark.parametrize("use", [
    "import late", "from late import value", "import late as other",
    "importlib.import_module('late')", "__import__('late')"])
def test_an_import_in_a_function_of_what_waits(both, use):
    """Eagerly it was there: handlers wait, and it has room."""
    both({**LATE, "late.py": textwrap.dedent(LATE["late.py"])
          + "def down(n):\n    return n and down(n - 1) + 1\n"
          "switch.deep = down(500)\n"}, HANDLES + textwrap.dedent(f"""\
    import importlib
    importlib.import_module
    def main(n):
        if n:
            return main(n - 1)
        switch.on = "late" not in sys.modules
        {use}
        if not switch.on:
            signal.raise_signal(signal.SIGUSR1)
        for i in range(3):
            pass
        print(switch.seen, switch.bodies, switch.deep)
    main(900)
    """))


def test_a_wakeup_descriptor_hears_once(lazily):
    """So does asyncio, whose handlers do nothing."""
    lazily({"late.py": "import signal\nsignal.raise_signal(10)\n"}, """\
        import late, os, signal
        seen = []
        def handler(number, frame):
            seen.append(number)
        signal.signal(10, handler)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        def main():
            globals().copy()
            late
            for i in range(3):
                pass
            assert seen == [10] and os.read(reader, 9) == b"\\n"
        main()
        """)


def test_a_timeout_of_a_body(lazily):
    lazily({"late.py": "while True:\n    pass\n"}, """\
        import late, signal
        def handler(number, frame):
            raise TimeoutError
        signal.signal(signal.SIGALRM, handler)
        def main():
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            try:
                late
            except TimeoutError:
                return
        main()
        """)


def test_a_handler_meets_signals_in_its_own_first_use(lazily):
    """One that ran after a load has nothing more that waits for it."""
    lazily({"late.py": "import signal\nsignal.raise_signal(10)\n",
            "later.py": "import signal\nsignal.raise_signal(12)\n"}, """\
        import late, later, signal
        seen = []
        def handler(number, frame):
            seen.append(number)
            if number == 10:
                later
                seen.append("used")
        signal.signal(10, handler)
        signal.signal(12, handler)
        def main():
            late
            assert seen == [10, 12, "used"], seen
        main()
        """)


@pytest.mark.parametrize("use", [
    "globals()['late']", "globals().get('late')", "vars(other)['late']",
    "late.value", "other.late", "list(globals().copy().values())",
    "eval('late')", "getattr(other, 'late', None)", "hasattr(other, 'late')",
    "late.dynamic", "dynamic"])
def test_what_a_handler_raises_is_not_forgiven(lazily, use):
    """The engine forgives a load what no use of it asked for; it is no load
    that raises here. Nor is what it raises the missing of a name."""
    lazily({"other.py": "import late\n"
            "def f():\n    return late\n", "late.py": """\
        import signal
        def __getattr__(name):
            return name
        signal.raise_signal(signal.SIGUSR1)
        value = 1
        """}, f"""\
        import late, other, signal
        from late import dynamic
        other.f, signal.SIGUSR1
        def keep():
            return late, dynamic
        def handler(number, frame):
            raise AttributeError("mine")
        signal.signal(signal.SIGUSR1, handler)
        def main():
            try:
                {use}
                for i in range(3):
                    pass
            except AttributeError as error:
                assert str(error) == "mine" and not hasattr(error, "__notes__")
            else:
                raise AssertionError("nothing came")
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
        import signal
        import late
        def main():
            # A shell's background job has it ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
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


def test_a_child_of_the_body_is_not_held(lazily, settled_by_hand):
    """What it was forked in goes on there, maybe to its end. What comes before
    Python has seen to the fork is lost in any case."""
    lazily({"late.py": """\
        import os, select
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, b"x")
        while child == 0:
            select.select([], [], [], 0.05)
        """}, """\
        import late, os, signal
        def handler(number, frame):
            os._exit(7)
        os._exit
        signal.signal(signal.SIGTERM, handler)
        def main():
            child = late.child
            os.read(late.reader, 1)
            os.kill(child, signal.SIGTERM)
            assert os.waitpid(child, 0)[1] == 7 << 8
        main()
        """)
