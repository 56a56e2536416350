"""A proxy in front of a MongoDB-wire server whose line fails at one message: before it, after it, or inside its reply."""

import collections.abc
import dataclasses
import socket
import threading
import time

from support.mongodb_wire import HEADER, OP_MSG, WireProxy, command_name

# What changes or reads memories; hello, ping and what prepares a database go through.
COMMANDS = frozenset({"find", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction",
                      "abortTransaction"})
LATE_SECONDS = .1


class Cut(OSError):
    """The line is cut here."""


def wait_for_its_end(client: socket.socket):
    """Says no more, until the client has had enough."""
    client.recv(1)
    raise Cut


def lose_the_command(proxy, client, message, upstream):
    raise Cut


def lose_the_reply(proxy, client, message, upstream):
    proxy.exchange(message, upstream)
    raise Cut


def cut_the_reply(proxy, client, message, upstream):
    reply = proxy.exchange(message, upstream)
    client.sendall(reply[:len(reply) // 2])
    raise Cut


def cut_the_header(proxy, client, message, upstream):
    client.sendall(proxy.exchange(message, upstream)[:HEADER.size // 2])
    raise Cut


def stop_in_the_reply(proxy, client, message, upstream):
    reply = proxy.exchange(message, upstream)
    client.sendall(reply[:len(reply) // 2])
    wait_for_its_end(client)


def say_nothing(proxy, client, message, upstream):
    proxy.exchange(message, upstream)
    wait_for_its_end(client)


def hold_the_command(proxy, client, message, upstream):
    wait_for_its_end(client)


def be_late(proxy, client, message, upstream):
    reply = proxy.exchange(message, upstream)
    time.sleep(LATE_SECONDS)
    client.sendall(reply)


def trickle(proxy, client, message, upstream):
    reply = proxy.exchange(message, upstream)
    part = max(1, len(reply) // 50)
    for at in range(0, len(reply), part):
        client.sendall(reply[at:at + part])
        time.sleep(LATE_SECONDS / 50)


def tell_an_absurd_length(proxy, client, message, upstream):
    reply = proxy.exchange(message, upstream)
    client.sendall(HEADER.pack(0x7FFFFFFF, *HEADER.unpack_from(reply)[1:]) + reply[HEADER.size:])
    wait_for_its_end(client)


def tell_garbage(proxy, client, message, upstream):
    """A document of the right length that is none. (libmongoc 1.23 does not survive one of a wrong length.)"""
    reply = proxy.exchange(message, upstream)
    begin = HEADER.size + 9  # behind the flags, the kind of the section and the document's length
    client.sendall(reply[:begin] + b"\xff" * (len(reply) - begin - 1) + b"\0")


HARMLESS = (be_late, trickle)
QUICK = (lose_the_command, lose_the_reply, cut_the_reply, cut_the_header, tell_garbage)
SLOW = (stop_in_the_reply, say_nothing, hold_the_command, tell_an_absurd_length)  # the client waits its time out


@dataclasses.dataclass
class Plan:
    fault: collections.abc.Callable
    after: int  # so many commands go through before


class FaultyLine(WireProxy):
    """One fault at a time, at the command that a plan names; everything else goes through."""

    def __init__(self, upstream_port: int):
        self.lock = threading.Lock()
        self.plan: Plan | None = None
        super().__init__(upstream_port)

    def fail(self, fault, after: int = 0):
        with self.lock:
            self.plan = Plan(fault, after)

    def heal(self) -> bool:
        """Ends the plan; whether its fault has happened."""
        with self.lock:
            happened, self.plan = self.plan is None, None
            return happened

    def due(self, message: bytes):
        """The fault that this message meets."""
        if HEADER.unpack_from(message)[3] != OP_MSG or command_name(message) not in COMMANDS:
            return None
        with self.lock:
            if self.plan is None:
                return None
            if self.plan.after > 0:
                self.plan.after -= 1
                return None
            fault, self.plan = self.plan.fault, None
            return fault

    def relay(self, client: socket.socket, message: bytes, upstream: socket.socket):
        fault = self.due(message)
        if fault:
            fault(self, client, message, upstream)
        else:
            super().relay(client, message, upstream)
