"""Sends exact bytes to the server and reads its replies, for what a proper HTTP client would never send."""

import contextlib
import dataclasses
import json
import socket
import uuid


@dataclasses.dataclass
class Reply:
    version: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """All values of that name joined by commas; None if there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def json(self):
        return json.loads(self.body)


class RawConnection:
    """One TCP connection to the server."""

    def __init__(self, port: int, timeout: float = 20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes):
        """A server that has answered already may have closed; the reply can still be read."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def end_sending(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            if not self._receive():
                raise EOFError(f"the server closed after {self.buffer!r}")
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _read_bytes(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not self._receive():
                raise EOFError(f"the server closed {count - len(self.buffer)} bytes too early")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_reply(self, method: str = "GET") -> Reply:
        """The next reply, a 1xx one included; `method` is what it answers."""
        status_line, *lines = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        reply = Reply(version, int(status), headers)
        if method == "HEAD" or reply.status < 200 or reply.status in (204, 304):
            return reply
        length = reply.header("Content-Length")
        assert length is not None, "every reply of this server has a Content-Length"
        reply.body = self._read_bytes(int(length))
        return reply

    def is_closed(self) -> bool:
        """Waits until the server closes; False if it sends something instead, or neither until the time-out."""
        try:
            return not self.buffer and not self._receive()
        except TimeoutError:
            return False


def exchange(port: int, data: bytes, replies: int = 1) -> list[Reply]:
    """The first replies to `data` on a connection of its own."""
    with RawConnection(port) as connection:
        connection.send(data)
        return [connection.read_reply() for _ in range(replies)]


def request(method: str, target: str, body: bytes = b"", *headers: str, request_id: str = "") -> bytes:
    """The bytes of a proper HTTP/1.1 request with JSON in it; `headers` are whole lines."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"X-Request-ID: {request_id or uuid.uuid4()}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers]).encode("latin-1") + b"\r\n\r\n" + body
