"""What the module signal says and keeps, whose handlers may have to wait."""

import pytest


@pytest.mark.parametrize("handler", [
    "lambda n, f: 1 / 0", "lambda n, f, *, g=use: g()",
    "lambda n, f, g=use: g()", "functools.partial(use)"])
def test_handlers_that_can_do_something_are_held(lazily, handler):
    lazily({"late.py": "import signal\nsignal.raise_signal(10)\nvalue = 1\n"},
           f"""\
        import functools, late, signal
        def use(*args):
            late.value
            1 / 0
        signal.signal(10, {handler})
        def main():
            try:
                late
            except ZeroDivisionError:
                assert late.value == 1
                return
            raise AssertionError("nothing came")
        main()
        """)


def test_install_leaves_calls_that_are_restarted(lazily):
    lazily({}, """\
        import lazycore, signal
        lazycore.uninstall()
        signal.signal(10, lambda *args: print())
        signal.siginterrupt(10, False)
        def flags():
            with open("/proc/self/status") as file:
                return [line for line in file if line.startswith("Sig")]
        before = flags()
        lazycore.install()
        assert flags() == before
        import ctypes
        action = ctypes.create_string_buffer(256)
        assert ctypes.CDLL(None).sigaction(10, None, action) == 0
        assert int.from_bytes(action[136:140], "little") & 0x10000000
        """)


def test_handlers_that_were_there_first_are_held(lazily):
    lazily({"late.py": "import signal\nsignal.raise_signal(10)\nvalue = 1\n"},
           """\
        import late, signal
        seen = []
        def handler(number, frame):
            seen.append(late.value)
        import lazycore
        lazycore.uninstall()
        signal.signal(10, handler)
        lazycore.install()
        assert signal.getsignal(10) is handler
        def main():
            late
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
