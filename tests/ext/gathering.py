"""Programs whose threads do the same at once."""

PRELUDE = """\
    import faulthandler, signal, sys
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(40)
    sys.setswitchinterval(5e-6)
    """
GATHER = """\
    import threading
    def at_once(count, function):
        barrier = threading.Barrier(count)
        errors, results = [], []
        def work(i):
            barrier.wait()
            try:
                results.append(function(i))
            except BaseException as error:
                errors.append(repr(error))
        threads = [threading.Thread(target=work, args=(i,))
                   for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors, results
    """
SLOW = "x = 0\nfor i in range(2000):\n    x += 1\nvalue = {0}\n" \
       "def f():\n    return value\n"

# shared.py: one thread waits until another is in an import, or at its end.
SHARED = """\
    import os, sys, threading, time
    sys.setswitchinterval(100)
    body = []
    def await_import(thread):
        while thread.is_alive() and not imports(thread):
            time.sleep(0.001)
    def imports(thread):
        frame = sys._current_frames().get(thread.ident)
        while frame is not None:
            if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
                return True
            frame = frame.f_back
        return False
    """
