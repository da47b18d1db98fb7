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
