"""multiprocessing with fork and forkserver, a Manager, shared memory;
ProcessPoolExecutor with errors that travel.
"""
import concurrent.futures
import multiprocessing
import multiprocessing.managers
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import shared_memory

from mpapp import errors, jobs
from mpapp.state import Counter


class Manager(multiprocessing.managers.BaseManager):
    pass


Manager.register("Counter", Counter)


def pools():
    for method in ("fork", "forkserver", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(2, jobs.init, (method,)) as pool:
            print(
                method,
                pool.map(jobs.square, range(6)),
                pool.apply(jobs.tag),
                pool.starmap(jobs.add, [(1, 2), (3, 4)]),
            )
            try:
                pool.apply(jobs.fail, ("x",))
            except errors.JobError as exc:
                print(method, type(exc).__name__, exc.code, exc.args)


def executors():
    with ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("fork")
    ) as pool:
        futures = {pool.submit(jobs.digest, w): w for w in ("a", "b", "c")}
        print(
            sorted((futures[f], f.result()[:8]) for f in as_completed(futures))
        )
        f = pool.submit(jobs.fail, "y")
        print(type(f.exception()).__name__, f.exception().code)
    with ProcessPoolExecutor(1) as pool:
        try:
            pool.submit(jobs.die).result()
        except concurrent.futures.process.BrokenProcessPool as exc:
            print("broken", "terminated abruptly" in str(exc))


def managers():
    with Manager() as m:
        c = m.Counter(5)
        procs = [
            multiprocessing.Process(target=jobs.bump, args=(c, n))
            for n in (1, 2)
        ]
        [p.start() for p in procs]
        [p.join() for p in procs]
        print(c.value(), c.decimal())
    with multiprocessing.Manager() as m:
        d = m.dict(a=1)
        q = m.Queue()
        p = multiprocessing.Process(target=jobs.fill, args=(d, q))
        p.start()
        p.join()
        print(dict(d), q.get(), p.exitcode)
    block = shared_memory.SharedMemory(create=True, size=8)
    try:
        p = multiprocessing.Process(target=jobs.poke, args=(block.name,))
        p.start()
        p.join()
        print(bytes(block.buf[:4]))
    finally:
        block.close()
        block.unlink()


def main():
    pools()
    executors()
    managers()


if __name__ == "__main__":
    main()
    print("done")
