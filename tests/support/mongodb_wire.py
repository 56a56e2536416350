"""A proxy that speaks MongoDB's wire protocol: subclasses answer some commands themselves, the rest goes to a server."""

import contextlib
import socket
import struct
import threading

import bson

OP_MSG = 2013
OP_QUERY = 2004
HEADER = struct.Struct("<iiii")
MORE_TO_COME = 2


class CommandError(Exception):
    """What a server answers instead of doing what it was told."""

    def __init__(self, code: int, message: str, **more):
        super().__init__(message)
        self.document = {"ok": 0.0, "errmsg": message, "code": code, **more}


def receive(connection: socket.socket, size: int) -> bytes | None:
    parts = []
    while size > 0:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_message(connection: socket.socket) -> bytes | None:
    head = receive(connection, HEADER.size)
    if head is None:
        return None
    body = receive(connection, HEADER.unpack(head)[0] - HEADER.size)
    return None if body is None else head + body


def command_name(message: bytes) -> str:
    """The first key of a command's document, without decoding it."""
    opcode = HEADER.unpack_from(message)[3]
    if opcode == OP_QUERY:
        return "hello"
    if opcode != OP_MSG or message[20] != 0:
        return ""
    return message[26:message.index(b"\0", 26)].decode()


def decode(message: bytes) -> dict:
    """A command with the documents that come beside it."""
    command: dict = {}
    at = HEADER.size + 4
    while at < len(message):
        kind = message[at]
        size = struct.unpack_from("<i", message, at + 1)[0]
        section = message[at + 1:at + 1 + size]
        at += 1 + size
        if kind == 0:
            command.update(bson.decode(section))
        else:
            end = section.index(b"\0", 4)
            command[section[4:end].decode()] = bson.decode_all(section[end + 1:])
    return command


def encode_reply(document: dict, request: bytes) -> bytes:
    body = struct.pack("<iB", 0, 0) + bson.encode(document)
    return HEADER.pack(HEADER.size + len(body), 1, HEADER.unpack_from(request)[1], OP_MSG) + body


class WireProxy:
    """Listens on loopback; `handled` names the commands that answer() is asked for."""

    handled: frozenset = frozenset()

    def __init__(self, upstream_port: int):
        self.upstream_port = upstream_port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}"

    def close(self):
        self.listener.close()

    def answer(self, name: str, command: dict) -> dict | None:
        """The reply to a command; None: the server behind answers it."""
        raise NotImplementedError

    def change_reply(self, name: str, reply: dict) -> dict:
        """The server's reply to a handled command, as the client shall see it."""
        return reply

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket):
        with contextlib.suppress(OSError), client, \
                socket.create_connection(("127.0.0.1", self.upstream_port)) as upstream:
            for end in (client, upstream):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (message := receive_message(client)) is not None:
                self.relay(client, message, upstream)

    def relay(self, client: socket.socket, message: bytes, upstream: socket.socket):
        client.sendall(self.exchange(message, upstream))

    def exchange(self, message: bytes, upstream: socket.socket) -> bytes:
        name = command_name(message)
        is_handled = name in self.handled and HEADER.unpack_from(message)[3] == OP_MSG
        if is_handled:
            try:
                reply = self.answer(name, decode(message))
            except CommandError as error:
                reply = error.document
            if reply is not None:
                return encode_reply(reply, message)
        upstream.sendall(message)
        answer = receive_message(upstream)
        if answer is None:
            raise OSError("the server is gone")
        if is_handled:
            return encode_reply(self.change_reply(name, decode(answer)), message)
        return answer


class WithoutTransactions(WireProxy):
    """A server that is no member of a replica set."""

    handled = frozenset({"find", "insert", "update", "delete", "aggregate", "findAndModify", "commitTransaction"})

    def answer(self, name: str, command: dict) -> dict | None:
        if "txnNumber" in command:
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")
