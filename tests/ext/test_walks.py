"""The walk for what leaked costs milliseconds: none where nothing leaked. What
did leak has its value once any code has got that."""
from gathering import GATHER, PRELUDE, SHARED
from settling import MAIN, write

# Counts the walks, which go through gc.get_referrers().
WALKS = """\
    import gc
    walks = []
    def get_referrers(*objects):
        walks.append([repr(each) for each in objects])
        return real(*objects)
    real, gc.get_referrers = gc.get_referrers, get_referrers
    """
DONE = """
    import walks
    walks.walks.append("none")
    print(walks.walks[0])
    """


def test_hot_namespace(lazily, settled_by_hand):
    run = lazily({"hot.py": write("difflib, decimal"), "walks.py": WALKS},
                 "    import walks; walks.gc\n" + MAIN + DONE)
    assert run.out.startswith("hot ['difflib', 'decimal'] [] ")
    assert run.out.endswith("\nnone\n")


def test_first_touch_by_eight_threads(lazily):
    rounds = 20
    files = {"prelude.py": PRELUDE, "gather.py": GATHER, "walks.py": WALKS}
    for i in range(rounds):
        files[f"m{i}.py"] = "for x in range(2000):\n    pass\n"
        files[f"user{i}.py"] = (f"import m{i}\nfrom m{i} import x\n"
                                f"def touch():\n    return m{i}.x, x\n")
    run = lazily(files, f"""\
    import prelude
    from gather import at_once
    from importlib import import_module
    import walks
    def main():
        walks.gc, prelude.sys
        for i in range({rounds}):
            user = import_module(f"user{{i}}")
            errors, results = at_once(8, lambda n: user.touch())
            assert errors == [] and results == [(1999, 1999)] * 8
    main()
    """ + DONE)
    assert run.out == "none\n"


def test_what_waits_for_another(lazily):
    """While package's names come, its __getattr__ loads what one of them waits for
    now."""
    run = lazily({"package.py": """\
        from base import Future
        def __getattr__(name):
            from pool import Pool
            return Pool
        def never():
            return Future
        """, "base.py": "class Future: pass\nclass Error(Exception): pass\n",
                  "pool.py": """\
        import base
        class Broken(base.Error):
            pass
        class Pool:
            pass
        """, "user.py": "from package import Future, Pool\n"
                        "def touch():\n    return Pool\n"
                        "def never():\n    return Future\n",
                  "walks.py": WALKS}, """\
    import walks, user
    def main():
        walks.gc
        assert user.touch().__name__ == "Pool"
        assert user.never().__name__ == "Future"
    main()
    """ + DONE)
    assert run.out == "none\n"


def test_one_walk_for_a_copy(lazily):
    """All that a copied namespace holds of one module comes at once."""
    names = [f"n{i}" for i in range(9)]
    run = lazily({"dep.py": "\n".join(f"{name} = '{name}'" for name in names),
                  "user.py": f"from dep import {', '.join(names)}\n"
                             f"def touch():\n    return {', '.join(names)}\n",
                  "walks.py": WALKS}, f"""\
    import walks, user
    def main():
        walks.gc
        copy = dict(user.__dict__)
        touched = user.touch()
        assert [type(copy[name]) for name in {names}] == [str] * 9
        return touched
    assert main() == tuple({names})
    print(len(walks.walks))
    """)
    assert run.out == "1\n"


# One thread gets x while another waits for it, as far as it came lazily.
MEANWHILE = {
    "shared.py": SHARED,
    "dep.py": "import shared\nfor run in shared.body:\n    run()\nx = 'x'\n",
    "user.py": "from dep import x\ndef touch():\n    return x\n",
}


def test_others_wait(both):
    both(MEANWHILE, """\
        import shared, user
        def main():
            copy = dict(user.__dict__)
            thread = shared.threading.Thread(target=user.touch)
            def load():
                thread.start()
                shared.await_import(thread)
            shared.body.append(load)
            user.touch()
            print(type(copy["x"]))
            if thread.ident is not None:
                thread.join()
        main()
        """)


def test_the_last_one_fails(both):
    both(MEANWHILE, """\
        import ctypes, shared, user
        def main():
            copy = dict(user.__dict__)
            def touch():
                try:
                    user.touch()
                except KeyError:
                    pass
            thread = shared.threading.Thread(target=touch)
            fail = ctypes.pythonapi.PyThreadState_SetAsyncExc
            error = ctypes.py_object(KeyError)
            def load():
                thread.start()
                shared.await_import(thread)
                fail(ctypes.c_ulong(thread.ident), error)
            shared.body.append(load)
            user.touch()
            if thread.ident is not None:
                thread.join()
            print(type(copy["x"]))
        main()
        """)


def test_fork_meanwhile(both):
    """In the child, the thread that loads it never comes to its end."""
    both(MEANWHILE, """\
        import shared, user
        def main():
            copy = dict(user.__dict__)
            begun, end = shared.threading.Event(), shared.threading.Event()
            pid = shared.os.getpid()
            def load():
                if shared.os.getpid() == pid:
                    begun.set()
                    end.wait()
            shared.body.append(load)
            thread = shared.threading.Thread(target=user.touch)
            thread.start()
            if "dep" not in shared.sys.modules:
                begun.wait()
            child = shared.os.fork()
            if child == 0:
                user.touch()
                print(type(copy["x"]), flush=True)
                shared.os._exit(0)
            shared.os.waitpid(child, 0)
            end.set()
            thread.join()
        main()
        """)


def test_code_before_the_last(both):
    """package's __getattr__, asked for b, uses a."""
    both({"shared.py": "body = []\n", "package.py": """\
        import shared
        a = "a"
        def __getattr__(name):
            if name != "b":
                raise AttributeError(name)
            for run in shared.body:
                run()
            return "b"
        """, "user.py": "from package import a, b\n"
                        "def touch():\n    return a\n"
                        "def never():\n    return b\n"}, """\
        import shared, user
        def main():
            copy = dict(user.__dict__)
            seen = set()
            shared.body.append(lambda: seen.add((user.touch(),
                                                 type(copy["a"]))))
            user.never()
            seen.add((user.touch(), type(copy["a"])))
            print(seen, type(copy["b"]))
        main()
        """)
