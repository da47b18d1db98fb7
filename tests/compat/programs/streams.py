"""An asyncio server and its clients, with a time limit and a subprocess."""
import asyncio
import contextlib
import json
import signal
import struct
import sys


async def serve(reader, writer):
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            size, = struct.unpack("!I", await reader.readexactly(4))
            message = json.loads(await reader.readexactly(size))
            answer = json.dumps({"sum": sum(message)}).encode()
            writer.write(struct.pack("!I", len(answer)) + answer)
            await writer.drain()
    writer.close()


async def ask(port, numbers):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = json.dumps(numbers).encode()
    writer.write(struct.pack("!I", len(data)) + data)
    size, = struct.unpack("!I", await reader.readexactly(4))
    answer = json.loads(await reader.readexactly(size))
    writer.close()
    return answer["sum"]


async def main():
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, stopped.set)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        print(await asyncio.gather(*(ask(port, list(range(n)))
                                     for n in range(10))))
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    except asyncio.TimeoutError as error:
        print("late", type(error).__name__)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE)
    print((await process.communicate())[0].decode().strip())
    signal.raise_signal(signal.SIGUSR1)
    await stopped.wait()
    print("stopped")


asyncio.run(main())
