"""Lines to MongoDB that fail at any message of any request, inside replies too: nothing is lost, doubled or untrue."""

import dataclasses
import os
import urllib.parse
import uuid
from collections.abc import Callable

import httpx
import pytest

from support import mongodb_wire_faults as faults
from support.memories import WORDS_ONLY, Memories, memory_path, send
from support.mongodb_wire_faults import FaultyLine
from support.processes import wait_until

MONGODB_URI = os.environ.get("MAAS_TEST_MONGODB_URI")
pytestmark = pytest.mark.skipif(not MONGODB_URI, reason="MAAS_TEST_MONGODB_URI names no server")

TIMEOUT_SECONDS = 2
# A change asks up to ten times; a request that meets silence once has no reason to wait for it again.
ANSWER_SECONDS = 3 * TIMEOUT_SECONDS + 5
MOST_COMMANDS = 30

OLD, NEW = "a violin in the attic", "a piano in the attic"


@pytest.fixture
def start_line(start_server):
    """A server of MaaS' and the line to its database."""
    lines = []

    def start():
        lines.append(FaultyLine(urllib.parse.urlsplit(MONGODB_URI).port))
        server = start_server(MONGODB_URI=lines[-1].uri, MONGODB_DB_NAME=f"faults-{uuid.uuid4()}",
                              MONGODB_TIMEOUT_MS=str(1000 * TIMEOUT_SECONDS), **WORDS_ONLY)
        return server, lines[-1]

    yield start
    for line in lines:
        line.close()


@dataclasses.dataclass
class Call:
    """A request, and what a memory looks like before it and after: (text, history), or None if it is not there."""

    send: Callable[[Memories, str], httpx.Response]
    before: tuple | None
    after: tuple | None
    is_true: Callable[[dict, str], bool] = lambda reply, memory_id: True


ADDED = ("ADD", None, OLD)
STORED = (OLD, [ADDED])
UPDATED = (NEW, [ADDED, ("UPDATE", OLD, NEW)])
DELETED = (None, [ADDED, ("DELETE", OLD, None)])

READS = {
    "get": Call(lambda memories, memory_id: memories.client.get(memory_path(memory_id)), STORED, STORED,
                lambda reply, memory_id: reply["memory"] == OLD),
    "history": Call(lambda memories, memory_id: memories.client.get(memory_path(memory_id, "/history")), STORED, STORED,
                    lambda reply, memory_id: [entry["event"] for entry in reply["entries"]] == ["ADD"]),
    "list": Call(lambda memories, memory_id: memories.client.get("/ltm/memories", params=memories.scope), STORED, STORED,
                 lambda reply, memory_id: [each["id"] for each in reply["results"]] == [memory_id]),
    "search": Call(lambda memories, memory_id: memories.post("/search", query="violin"), STORED, STORED,
                   lambda reply, memory_id: [each["id"] for each in reply["results"]] == [memory_id]),
}
CHANGES = {
    "add": Call(lambda memories, _: memories.post("", messages=OLD), None, STORED,
                lambda reply, _: reply["event"] == "ADD"),
    "update": Call(lambda memories, memory_id: send(memories.client, "PUT", memory_path(memory_id), {"data": NEW}),
                   STORED, UPDATED, lambda reply, _: reply["memory"] == NEW),
    "delete": Call(lambda memories, memory_id: memories.client.delete(memory_path(memory_id)), STORED, DELETED),
    "forget": Call(lambda memories, _: memories.client.delete("/ltm/memories", params=memories.scope), STORED, DELETED,
                   lambda reply, _: reply == {"deleted": 1}),
}
CALLS = {**READS, **CHANGES}


def state(memories: Memories, memory_id: str | None) -> tuple | None:
    """What is stored now, by every way to it; they must say the same."""
    listed = memories.list()
    if memory_id is None:
        assert len(listed) <= 1, "stored twice"
        if not listed:
            return None
        memory_id = listed[0]["id"]
    found = memories.search("attic")
    assert [each["id"] for each in found] == [each["id"] for each in listed]
    assert [each["id"] for each in listed] == ([memory_id] if memories.is_visible(memory_id) else [])
    return (listed[0]["memory"] if listed else None, memories.told(memory_id))


def meet(line: FaultyLine, client: httpx.Client, call: Call, fault, after: int) -> bool:
    """One request whose command number `after` meets the fault; False: it has no such command."""
    memories = Memories(client)
    memory_id = memories.store(OLD)["id"] if call.before else None
    line.fail(fault, after)
    reply = call.send(memories, memory_id)
    happened = line.heal()
    told = f"{fault.__name__} at command {after}: {reply.status_code} {reply.text}"
    assert reply.elapsed.total_seconds() < ANSWER_SECONDS, told
    assert reply.status_code in (200, 503), told
    wait_until(lambda: client.get("/health/ready").status_code == 200, 30, "the service to recover")
    now = state(memories, memory_id)
    if reply.status_code == 200:
        assert call.is_true(reply.json(), memory_id), told
        assert now == call.after, told
    else:
        assert happened, told
        assert fault not in faults.HARMLESS, told
        assert reply.json()["detail"], told
        assert now in (call.before, call.after), told
    return happened


def meet_everywhere(line: FaultyLine, client: httpx.Client, call: Call, fault):
    commands = 0
    while meet(line, client, call, fault, commands):
        commands += 1
        assert commands < MOST_COMMANDS
    assert commands > 0


@pytest.mark.parametrize("name", CALLS)
def test_a_line_that_breaks_at_any_message_leaves_everything_true(start_line, name):
    server, line = start_line()
    with server.client() as client:
        for fault in faults.QUICK + faults.HARMLESS:
            meet_everywhere(line, client, CALLS[name], fault)
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("fault", faults.SLOW, ids=lambda fault: fault.__name__)
def test_a_line_that_falls_silent_at_any_message_leaves_everything_true(start_line, fault):
    server, line = start_line()
    with server.client() as client:
        for name in ("add", "search"):
            meet_everywhere(line, client, CALLS[name], fault)
    assert server.stop() == 0, server.log()
