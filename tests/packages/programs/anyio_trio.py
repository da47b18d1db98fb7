# needs: python3-anyio python3-trio
# packages: anyio trio sniffio outcome
"""The same structured programs under AnyIO on asyncio and on trio, then what
trio has of its own: nurseries, channels, test clocks, guest and instruments.
"""
import contextlib
import functools
import math
import os
import pickle
import signal
import tempfile

import anyio
import anyio.abc
import anyio.from_thread
import anyio.streams.memory
import outcome
import sniffio
import trio
import trio.lowlevel
import trio.testing
from anyio import CapacityLimiter, Event, Lock, create_task_group
from anyio import create_memory_object_stream, fail_after, move_on_after
from anyio import to_process, to_thread
from anyio.lowlevel import RunVar, checkpoint
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.stapled import StapledObjectStream
from anyio.streams.text import TextReceiveStream, TextSendStream
from trio import CancelScope, MultiError, Nursery, open_memory_channel
from trio.abc import Instrument

setting = RunVar("setting", default="unset")


async def serve(stream):
    async with stream:
        reader = BufferedByteReceiveStream(stream)
        line = await reader.receive_until(b"\n", 100)
        await stream.send(line.upper() + b"!")


async def portable(name):
    setting.set(name)
    print(sniffio.current_async_library() == name, setting.get(),
          anyio.get_current_task().name is not None)
    send, receive = create_memory_object_stream(math.inf)
    both = StapledObjectStream(send, receive)
    event, lock = Event(), Lock()
    got = []

    async def worker(number):
        await event.wait()
        async with lock:
            await checkpoint()
            await both.send(number)

    async with create_task_group() as group:
        for n in range(3):
            group.start_soon(worker, n)
        event.set()
        for _ in range(3):
            got.append(await both.receive())
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        group.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await TextSendStream(stream).send("hello\n")
            print(await TextReceiveStream(stream).receive())
        group.cancel_scope.cancel()
    print(sorted(got))
    with move_on_after(0.01) as scope:
        await anyio.sleep_forever()
    print(scope.cancel_called)
    try:
        with fail_after(0.01):
            await anyio.sleep(5)
    except TimeoutError as error:
        print(type(error).__name__)
    try:
        async with create_task_group() as group:
            group.start_soon(functools.partial(fail))
    except ValueError as error:
        print("child", error)
    print(await to_thread.run_sync(anyio.from_thread.run, double, 4),
          await to_thread.run_sync(len, "abc", limiter=CapacityLimiter(1)))
    done = await anyio.run_process(["/bin/echo", "process"])
    print(done.stdout, done.returncode)
    with tempfile.TemporaryDirectory() as folder:
        path = anyio.Path(folder) / "f.txt"
        await path.write_text("text\n")
        async with await anyio.open_file(path) as file:
            print([line async for line in file], await path.exists())
    with anyio.open_signal_receiver(signal.SIGUSR1) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        async for number in signals:
            print(signal.Signals(number).name)
            break


async def fail():
    raise ValueError("failed")


async def double(x):
    await anyio.sleep(0)
    return 2 * x


class Counter(Instrument):
    def __init__(self):
        self.steps = 0

    def before_task_step(self, task):
        self.steps += 1


async def own():
    send, receive = open_memory_channel(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed, send)
        print([x async for x in receive], isinstance(nursery, Nursery))
    left, right = trio.testing.memory_stream_pair()
    await left.send_all(b"abc")
    print(await right.receive_some(2), await trio.to_thread.run_sync(
        trio.from_thread.run, trio.sleep, 0))
    with CancelScope(deadline=trio.current_time() + 5) as scope:
        await trio.sleep(100)
    print(scope.cancelled_caught, trio.current_time() >= 5)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            nursery.start_soon(fail)
    except MultiError as error:
        print(len(error.exceptions))
    try:
        send.send_nowait(1)
    except trio.ClosedResourceError as error:
        print(type(error).__name__)
    with contextlib.suppress(trio.WouldBlock):
        trio.Lock().acquire_nowait()
    return trio.lowlevel.current_task().name.split(".")[-1]


async def feed(channel):
    async with channel:
        for n in range(3):
            await channel.send(n)


def main():
    for backend in ("asyncio", "trio"):
        anyio.run(portable, backend, backend=backend)
    counter = Counter()
    print(trio.run(own, clock=trio.testing.MockClock(autojump_threshold=0),
                   instruments=[counter]), counter.steps > 5)
    print(outcome.capture(int, "3").unwrap(), outcome.capture(int, "x"),
          pickle.loads(pickle.dumps(outcome.Value(2))), anyio.get_all_backends())
    with anyio.from_thread.start_blocking_portal() as portal:
        print(portal.call(double, 6), callable(to_process.run_sync))


if __name__ == "__main__":
    main()
