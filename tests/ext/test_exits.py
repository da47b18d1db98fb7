"""Exit handlers: what a body registers at a first use is called in the place
of its statement, and atexit is to a program what it is without us."""
import textwrap

import pytest

LIBRARY = {"library.py": """\
    import atexit
    atexit.register(print, "library")
    def use():
        return "used"
    """}


@pytest.mark.parametrize("use", [
    "print(library.use())", "atexit.register(lambda: print(library.use()))"])
def test_the_place_of_a_statement(both, use):
    """After what the program has registered since: at exit the last comes
    first. Also where an exit handler is the first to use it."""
    run = both(LIBRARY, f"""\
        import atexit
        import library
        def main():
            atexit.register(print, "program 1")
            atexit.register(print, "program", 2, end="!\\n")
            {use}
        main()
        """)
    assert run.state("library") == "real"


def test_places_of_several(both):
    """Each in its own; those of what a late body imports in that body's."""
    both({"first.py": """\
        import atexit
        import inner
        atexit.register(print, "first")
        inner.use()
        def use():
            pass
        """, "inner.py": """\
        import atexit
        atexit.register(print, "inner")
        def use():
            pass
        """, "second.py": """\
        import atexit
        atexit.register(print, "second")
        def use():
            pass
        """}, """\
        import atexit
        import first
        first_again = lambda: first
        def main(second):
            atexit.register(print, "program 2")
            second.use()
            first.use()
            second.use()
            atexit.register(print, "program 3")
        atexit.register(print, "program 1")
        def late():
            import second
            main(second)
        late()
        """)
    both({name: f"""\
        import atexit
        atexit.register(print, {name!r})
        def use():
            pass
        """ for name in ("one.py", "two.py", "three.py")}, """\
        import atexit
        import one
        import two
        import three
        def main():
            atexit.register(print, "program")
            three.use()
            one.use()
            two.use()
        main()
        """, levels={"one": "full"})


def test_logging(both):
    """logging.shutdown() is logging's own exit handler: what the program's
    still log is not lost."""
    both({}, """\
        import atexit
        import logging
        import logging.handlers
        import sys
        def main():
            atexit.register(lambda: logging.warning("bye"))
            class Records(logging.handlers.MemoryHandler):
                def close(self):
                    print("closed with", len(self.buffer))
                    super().close()
            target = logging.StreamHandler(sys.stdout)
            logging.getLogger().addHandler(Records(100, target=target))
            logging.warning("hello")
        main()
        """)


def test_at_exit_nothing_new_is_called(both):
    both({"unused.py": """\
        import atexit
        atexit.register(print, "never")
        def use():
            print("used")
        """}, """\
        import atexit
        def last():
            print("last")
            atexit.register(print, "never")
            import unused
            unused.use()
        atexit.register(print, "first")
        atexit.register(last)
        """)


def test_errors_of_callbacks(both):
    both({}, """\
        import atexit, sys
        def hook(unraisable):
            print(unraisable.err_msg, unraisable.object,
                  repr(unraisable.exc_value))
        sys.unraisablehook = hook
        class Callback:
            def __repr__(self):
                return "<callback>"
            def __call__(self, what):
                raise what
        atexit.register(print, "still called")
        atexit.register(Callback(), SystemExit(3))
        atexit.register(Callback(), ValueError("no"))
        try:
            atexit._run_exitfuncs()
        except BaseException as error:
            print(repr(error))
        atexit.register(print, "called")
        atexit.register(Callback(), KeyboardInterrupt())
        """)


@pytest.mark.parametrize("call", [
    "register()", "register(1)", "register(None, 2)", "unregister()",
    "unregister(Odd())", "_clear(1)", "_ncallbacks(1)", "_run_exitfuncs(1)",
    "register(func=print)", "register", "unregister", "_clear",
    "register.__module__", "register.__doc__", "unregister.__doc__",
    "_clear.__doc__", "_run_exitfuncs.__doc__", "_ncallbacks.__doc__",
    "register(print, 'kept') is print",
    "register.__text_signature__", "unregister.__text_signature__"])
def test_it_is_atexit(both, call):
    both({}, f"""\
        import atexit
        class Odd:
            def __eq__(self, other):
                raise LookupError("odd")
        atexit.register(print, "there")
        try:
            print(atexit.{call})
        except Exception as error:
            print(repr(error))
        """)


def test_taking_back(both):
    both({}, """\
        import atexit
        class Any:
            def __init__(self, name, equals=()):
                self.name, self.equals = name, equals
            def __call__(self, *args, **kwargs):
                print(self.name, args, kwargs)
            def __eq__(self, other):
                return getattr(other, "name", "") in self.equals or self is other
        a, b, c = Any("a"), Any("b", "a"), Any("c")
        before = atexit._ncallbacks()
        for callback in (a, b, c, a, b):
            atexit.register(callback, 1, key="word")
        print(atexit._ncallbacks() - before)
        atexit.unregister(b)
        atexit._run_exitfuncs()
        atexit._run_exitfuncs()
        atexit.register(a)
        atexit._clear()
        atexit.register(b)
        def undo():
            atexit.unregister(c)
            print("undone")
        atexit.register(c)
        atexit.register(undo)
        atexit.register(a, 2)
        """)


@pytest.mark.parametrize("end", ["os._exit(0)", "raise SystemExit"])
def test_forked(both, end):
    both(LIBRARY, f"""\
        import atexit, os, sys
        import library
        atexit.register(lambda: print("program"))
        def main():
            sys.stdout.flush()
            if os.fork() == 0:
                atexit.register(lambda: print("child"))
                library.use()
                {end}
            os.wait()
            library.use()
        main()
        """)


def test_uninstall_hands_back(both):
    both(LIBRARY, """\
        import atexit, sys
        import library
        def main():
            atexit.register(print, "program 1", end=".\\n")
            atexit.register(print, "program 2")
            if "lazycore" in sys.modules:
                lazycore = sys.modules["lazycore"]
                library.use()
                lazycore.uninstall()
                assert atexit.register.__self__ is atexit
                atexit.register(print, "program 3")
                lazycore.install()
                assert atexit.register.__self__ is lazycore
            else:
                atexit.register(print, "program 3")
            atexit.register(print, "program 4")
        main()
        """)


def test_callbacks_are_let_go(both):
    """Once taken back, and while the next is called: none later."""
    both({}, """\
        import atexit, weakref
        class Thing:
            def __init__(self, name):
                self.name = name
            def __call__(self):
                print(self.name)
            def __del__(self):
                print("gone:", self.name)
        thing = Thing("taken back")
        atexit.register(thing)
        atexit.unregister(thing)
        del thing
        print("cleared")
        atexit.register(Thing("cleared"))
        atexit._clear()
        atexit.register(print, "end")
        """)


INSIDE = {
    "what equals everything": """\
        from unittest import mock
        atexit.register(print, "gone")
        atexit.unregister(mock.ANY)
        """,
    "cleared in a callback": """\
        def clear():
            atexit._clear()
            atexit.register(print, "new")
        atexit.register(clear)
        """,
    "cleared in the first one": """\
        atexit._clear()
        def clear():
            atexit._clear()
            atexit.register(print, "never")
        atexit.register(clear)
        """,
    "one more each time": """\
        def again():
            print("again")
            atexit.register(again)
        atexit.register(again)
        """,
    "an odd one": """\
        class Odd:
            def __eq__(self, other):
                raise LookupError("odd")
        atexit._clear()
        print(atexit.unregister(Odd()))
        """,
}


@pytest.mark.parametrize("how", INSIDE)
def test_from_the_inside(both, how):
    body = textwrap.dedent(INSIDE[how])
    both({}, "import atexit\natexit.register(print, 'first')\n"
         + body + "atexit.register(print, 'last')\n")


def test_functions_that_were_taken_while_installed(lazily):
    run = lazily({}, """\
        import lazycore
        from atexit import register, unregister
        lazycore.uninstall()
        register(print, "kept")
        register(len, ())
        unregister(len)
        """)
    assert run.out == "kept\n"
    run = lazily({}, """\
        import lazycore
        from atexit import register, unregister
        lazycore.uninstall()
        def taken_back():
            raise SystemError
        import atexit, sys
        atexit._clear()
        register(taken_back)
        unregister(taken_back)
        sys.unraisablehook = lambda unraisable: print("called")
        """)
    assert run.out == ""


def test_uninstalled_by_a_callback(lazily):
    run = lazily({}, """\
        import atexit, lazycore
        def uninstall():
            lazycore.uninstall()
            lazycore.install()
            lazycore.uninstall()
        atexit.register(print, "first")
        atexit.register(uninstall)
        atexit.register(print, "last")
        """)
    assert run.out == "last\nfirst\n"
