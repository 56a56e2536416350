"""The HTTP/1.1 side of the provider stub: requests as they came, replies whole or spoiled, one connection."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import http
import json
import socket
import struct
import time
import typing
import urllib.parse

JSON = "application/json"


class Head(typing.NamedTuple):
    """What stands before a request's body."""

    method: str
    target: str
    version: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    header_list: list[tuple[str, str]]


@functools.lru_cache(maxsize=1000)
def parse_head(head: bytes) -> Head:
    """Cached, as a client's heads are mostly alike and this would take as long as all the rest: don't write to it."""
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, _, target = request_line.partition(" ")
    target, _, version = target.partition(" ")
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    header_list = []
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        header_list.append((name, value))
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(method, target, version, urllib.parse.unquote(path),
                dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), headers, header_list)


@dataclasses.dataclass(eq=False)
class Request:
    """One request as it came. `protocol` and `kind` are what its path says, see provider_protocols.py."""

    head: Head
    body: bytes
    arrived: float = dataclasses.field(default_factory=time.monotonic)
    protocol: str = ""  # openai, azure_openai, cohere, huggingface, tei, ollama; empty: the path is nobody's
    kind: str = ""      # chat or embedding
    path_model: str | None = None  # the model that the path names
    answered: bool = False  # whether a reply was sent, or as much of it as a fault lets through
    abandoned: bool = False  # whether the client closed before that

    @property
    def method(self) -> str:
        return self.head.method

    @property
    def target(self) -> str:
        """Path and query as they were sent."""
        return self.head.target

    @property
    def path(self) -> str:
        """Without the query, percent-decoded."""
        return self.head.path

    @property
    def query(self) -> dict[str, str]:
        return self.head.query

    @property
    def headers(self) -> dict[str, str]:
        """By lower-cased name; of several with one name, all values joined by commas."""
        return self.head.headers

    @property
    def header_list(self) -> list[tuple[str, str]]:
        """In the order in which they came, names lower-cased."""
        return self.head.header_list

    @functools.cached_property
    def json(self) -> typing.Any:
        """The body; raises ValueError if it is not JSON."""
        return json.loads(self.body)

    @property
    def model(self) -> str | None:
        return self.path_model or self.json.get("model")

    @property
    def texts(self) -> list[str]:
        """What an embedding request wants to be embedded, in order."""
        given = self.json[{"cohere": "texts", "huggingface": "inputs", "tei": "inputs"}.get(self.protocol, "input")]
        return [given] if isinstance(given, str) else given

    @property
    def prompt(self) -> str:
        """The text of all messages of a chat request, one after the other."""
        return "\n\n".join(message_text(message) for message in self.json["messages"])


def message_text(message: dict) -> str:
    """The text of a chat message, whose content may be a list of parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


@dataclasses.dataclass
class Reply:
    """What is sent back. `ending` tells how much of it:

    "whole"; "cut": the head and `share` of the body, then the connection is closed; "stall": the same,
    then nothing more; "close": closed without a byte; "reset": the same with a TCP reset.
    """

    status: int = 200
    body: bytes | str | dict | list = b""  # a dict or list is sent as JSON
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    content_type: str | None = JSON
    ending: str = "whole"
    share: float = 0.5

    def body_bytes(self) -> bytes:
        body = json.dumps(self.body) if isinstance(self.body, (dict, list)) else self.body
        return body.encode() if isinstance(body, str) else body


class Handler(typing.Protocol):
    """Who answers requests. Everything is called on the thread of the event loop."""

    keep_alive: bool
    chunk_bytes: int | None

    def opened(self, connection: Connection): ...

    def closed(self, connection: Connection): ...

    def handle(self, request: Request, connection: Connection):
        """Sees to it that `connection.reply` is called with that request, at once or later."""

    def finished(self, request: Request):
        """The request has its reply, or its client has gone."""


class Connection(asyncio.Protocol):
    """Answers one request after the other; what comes in the meantime waits."""

    def __init__(self, handler: Handler):
        self.handler = handler
        self.buffer = bytearray()
        self.needed = 0  # bytes in the buffer before another look at it is worth while
        self.transport: asyncio.Transport | None = None
        self.current: Request | None = None
        self.advancing = False
        self.continued = False

    def connection_made(self, transport):
        self.transport = transport
        self.handler.opened(self)

    def connection_lost(self, _):
        if self.current is not None:
            request, self.current = self.current, None
            request.abandoned = not request.answered
            self.handler.finished(request)
        self.handler.closed(self)

    def data_received(self, data: bytes):
        self.buffer += data
        self._advance()

    def _advance(self):
        if self.advancing or len(self.buffer) < self.needed:
            return
        self.advancing = True
        while self.current is None and self.buffer and not self.transport.is_closing():
            request = self._next_request()
            if request is None:
                break
            self.current = request
            self.handler.handle(request, self)
        self.advancing = False

    def _next_request(self) -> Request | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = parse_head(bytes(self.buffer[:end]))
        if head.version != "HTTP/1.1":
            self._refuse(505, f"not a request of HTTP/1.1: {head}")
            return None
        if "transfer-encoding" in head.headers:
            self._refuse(501, "the stub reads bodies with a Content-Length only")
            return None
        if "expect" in head.headers and not self.continued:
            self.continued = True
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.needed = end + 4 + int(head.headers.get("content-length", 0))
        if len(self.buffer) < self.needed:
            return None
        body = bytes(self.buffer[end + 4:self.needed])
        del self.buffer[:self.needed]
        self.needed, self.continued = 0, False
        return Request(head, body)

    def _refuse(self, status: int, why: str):
        self.buffer.clear()
        self._write(Reply(status, content_type="text/plain"),
                    {"Content-Length": str(len(why)), "Connection": "close"}, why.encode())
        self.transport.close()

    def _write(self, reply: Reply, headers: dict[str, str], body: bytes = b""):
        lines = [f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, 'Unknown')}"]
        if reply.content_type:
            lines.append(f"Content-Type: {reply.content_type}")
        lines += [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
        self.transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def reply(self, request: Request, reply: Reply):
        """Sends the reply to `request`, unless its client has gone."""
        if self.current is not request:
            return
        request.answered = True
        if reply.ending == "reset":
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
            return
        if reply.ending == "close":
            self.transport.close()
            return
        body = reply.body_bytes()
        sent = body if reply.ending == "whole" else body[:int(len(body) * reply.share)]
        size = self.handler.chunk_bytes
        headers = {"Transfer-Encoding": "chunked"} if size else {"Content-Length": str(len(body))}
        close = not self.handler.keep_alive or request.headers.get("connection", "").lower() == "close"
        if close:
            headers["Connection"] = "close"
        if size:
            sent = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in
                            (sent[start:start + size] for start in range(0, len(sent), size)))
            sent += b"0\r\n\r\n" if reply.ending == "whole" else b""
        self._write(reply, headers, sent)
        if reply.ending == "stall":
            return  # until the client closes
        if close or reply.ending == "cut":
            self.transport.close()
            return
        self.current = None
        self.handler.finished(request)
        self._advance()


PHRASES = {status.value: status.phrase for status in http.HTTPStatus}
