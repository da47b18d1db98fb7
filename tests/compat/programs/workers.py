"""A pipeline of processes, threads and queues."""
import concurrent.futures
import functools
import hashlib
import multiprocessing
import operator
import queue
import threading


def crunch(number):
    return hashlib.sha256(str(number).encode()).hexdigest()[:8]


def threads():
    todo, done = queue.Queue(), queue.SimpleQueue()

    def work():
        while (item := todo.get()) is not None:
            done.put((item, crunch(item)))

    crew = [threading.Thread(target=work) for _ in range(4)]
    for thread in crew:
        thread.start()
    for number in range(20):
        todo.put(number)
    for _ in crew:
        todo.put(None)
    for thread in crew:
        thread.join()
    return sorted(done.get() for _ in range(20))


def main():
    found = threads()
    print(found[0], found[-1])
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert [text for _, text in found] == list(pool.map(crunch, range(20)))
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(
                2, mp_context=context) as pool:
            print(method, functools.reduce(operator.add,
                                           pool.map(crunch, range(4))))
        with context.Manager() as manager:
            shared = manager.dict(one=1)
            child = context.Process(target=shared.update, kwargs={"two": 2})
            child.start()
            child.join()
            print(method, dict(shared), child.exitcode)


if __name__ == "__main__":
    main()
