"""What a module makes once is there once, also in what the program forks."""
import pytest

# Each makes something that processes share, or tell apart.
MADE = {
    "a lock and a value": ("""\
        import multiprocessing
        lock = multiprocessing.Lock()
        count = multiprocessing.Value("i", 0, lock=False)
        def use():
            with lock:
                count.value += 1
        def shown():
            return count.value
        """),
    "a pipe": ("""\
        import os
        inner, outer = os.pipe()
        def use():
            os.write(outer, b"x")
        def shown():
            return len(os.read(inner, 10))
        """),
    "a random name": ("""\
        import os, random, uuid
        name = f"{uuid.uuid4()} {random.random()} {os.getpid()}"
        def use():
            with open("names", "a") as file:
                print(name, file=file)
        def shown():
            with open("names") as file:
                names = set(file)
            os.unlink("names")
            return len(names)
        """),
}
FORKS = {
    "os.fork": """\
    for i in range(3):
        if os.fork() == 0:
            shared.use()
            os._exit(0)
        os.wait()
""",
    "multiprocessing": """\
    context = multiprocessing.get_context("fork")
    def child():
        shared.use()
    for i in range(3):
        process = context.Process(target=child)
        process.start()
        process.join()
""",
}


def program(forks):
    return ("import multiprocessing, os\nimport shared\ndef main():\n"
            + forks + "    print(shared.shown())\nmain()\n")


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("forks", FORKS)
def test_made_once(both, made, forks):
    both({"shared.py": MADE[made]}, program(FORKS[forks]))


def test_behind_what_is_free(both):
    """Its own body has no effects; that of what it imports has."""
    both({"shared.py": "import behind\n"
                       "def use():\n    return behind.use()\n"
                       "def shown():\n    return behind.shown()\n",
          "behind.py": MADE["a pipe"]}, program(FORKS["os.fork"]))


def test_in_the_order_of_the_statements(both):
    files = {f"{name}.py": f"import sys\nprint({name!r})\n"
                           "sys.stdout.flush()\nhere = 1\n"
             for name in ("zeta", "alpha", "mid")}
    both(files, """\
        import os, sys
        import zeta
        import alpha
        import mid
        def main():
            if os.fork() == 0:
                print(zeta.here + alpha.here + mid.here)
                sys.stdout.flush()
                os._exit(0)
            os.wait()
        main()
        """)


def test_what_stays_pending(lazily):
    """What is free of effects, the standard library, and packages that the
    catalogue knows."""
    run = lazily({"plain.py": "class Plain:\n    pass\n",
                  "click.py": "import os\nos.getpid()\n",
                  "other.py": "import os\nos.getpid()\n"}, """\
        import os
        import click
        import fractions
        import other
        import plain
        def uses():
            return click, fractions, other, plain
        def main():
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        main()
        """)
    assert run.pending == ["click", "fractions", "plain"]
    assert run.state("other") == "real"


def test_one_that_fails(lazily):
    """Forking goes on; it is tried again where it is used."""
    lazily({"bad.py": "import os\nos.getpid()\nraise ValueError('bad')\n"},
           """\
        import os
        import bad
        def main():
            for i in range(2):
                pid = os.fork()
                if pid == 0:
                    os._exit(7)
                print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            try:
                bad.use
            except ValueError as error:
                print(error)
        main()
        """)
