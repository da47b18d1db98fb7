"""asyncio: subprocesses, signal handlers, task groups, executors, queues,
timeouts, streams over a unix socket.
"""
import asyncio
import contextvars
import os
import signal
import sys
import tempfile
from asyncio import subprocess as sub
from concurrent.futures import ThreadPoolExecutor

VAR = contextvars.ContextVar("VAR", default="none")


async def child():
    proc = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; d=sys.stdin.read(); print(d.upper()); sys.exit(3)",
        stdin=sub.PIPE,
        stdout=sub.PIPE,
    )
    out, _ = await proc.communicate(b"hello")
    print(out, proc.returncode)
    proc = await asyncio.create_subprocess_shell(
        "echo a; echo b >&2; exit 4", stdout=sub.PIPE, stderr=sub.STDOUT
    )
    print(sorted([line async for line in proc.stdout]), await proc.wait())


async def signals():
    loop = asyncio.get_running_loop()
    got = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 10)
    print("signal", loop.remove_signal_handler(signal.SIGUSR1))


async def groups():
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("inner")

    async def wait():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("cancelled")
            raise

    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError as exc:
        print(type(exc))
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(fail())
            tg.create_task(wait())
    except* ValueError as group:
        print(group.exceptions)
    VAR.set("outer")
    with ThreadPoolExecutor(1) as pool:
        print(
            await asyncio.get_running_loop().run_in_executor(
                pool, contextvars.copy_context().run, VAR.get
            ),
            await asyncio.to_thread(VAR.get),
        )


async def streams():
    path = os.path.join(tempfile.mkdtemp(), "s")

    async def serve(reader, writer):
        while data := await reader.readline():
            writer.write(data[::-1].strip() + b"\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"abc\nxyz\n")
    print(await reader.readuntil(b"\n"), await reader.readline())
    writer.close()
    await writer.wait_closed()
    server.close()
    queue = asyncio.PriorityQueue()
    for n in (3, 1, 2):
        await queue.put(n)
    print([await queue.get() for _ in range(3)])
    try:
        await asyncio.gather(
            asyncio.sleep(0, "x"),
            asyncio.wait_for(asyncio.Event().wait(), 0.01),
        )
    except asyncio.TimeoutError:
        print("timeout")


async def main():
    await child()
    await signals()
    await groups()
    await streams()


if __name__ == "__main__":
    asyncio.run(main(), debug=True)
    print("done")
