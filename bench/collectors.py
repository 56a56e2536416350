"""Collectors of traces: one that takes whatever comes and looks at nothing, one that counts, and those that fail."""

import asyncio
import threading


def reply(status: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n".encode()


# After how many seconds each answers, and what; None: never.
KINDS: dict[str, tuple[float | None, bytes]] = {
    "quick": (0, reply("200 OK")),
    "silent": (None, b""),
    "slow": (1, reply("200 OK")),
    "500": (0, reply("500 Internal Server Error")),
    "429": (0, reply("429 Too Many Requests", "Retry-After: 1\r\n")),
    "garbage": (0, b"\x00\xff this is not HTTP\r\n\r\n"),
}


class Exporter(asyncio.Protocol):
    """A connection of one, which sends one request at a time."""

    def __init__(self, delay: float | None, answer: bytes):
        self.delay, self.answer = delay, answer
        self.head = b""
        self.missing = 0  # bytes of the body

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data: bytes):
        if not self.missing:
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            self.missing = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            self.head = b""
            self.begin(head)
        self.missing -= len(data)
        self.take(data)
        if not self.missing:
            self.end()
            if self.delay is not None:
                asyncio.get_running_loop().call_later(self.delay, self.reply)

    def begin(self, head: bytes):
        """A request, of whose body take() is given every part. Those who look at it do so in these three."""

    def take(self, part: bytes):
        pass

    def end(self):
        pass

    def reply(self):
        self.transport.write(self.answer)
        if not self.answer.startswith(b"HTTP/"):
            self.transport.close()


class Collectors:
    """One of each kind, on free ports of loopback; they have one thread together."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.ports = asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.ports[kind]}"

    async def listen(self) -> dict[str, int]:
        loop = asyncio.get_running_loop()
        self.servers = {kind: await loop.create_server(lambda each=each: Exporter(*each), "127.0.0.1", 0)
                        for kind, each in KINDS.items()}
        return {kind: server.sockets[0].getsockname()[1] for kind, server in self.servers.items()}
