"""Servers of MongoDB's protocol without transactions: nothing is lost or doubled, at whatever step a process dies."""

import contextlib
import os
import socket
import threading
import time
import urllib.parse
import uuid

import httpx
import pymongo
import pytest

from support.memories import WORDS_ONLY, Memories, ids, memory_path, send, texts, unique
from support.mongodb_wire import CommandError, WithoutTransactions, decode
from support.processes import wait_until

MONGODB_URI = os.environ.get("MAAS_TEST_MONGODB_URI")
pytestmark = pytest.mark.skipif(not MONGODB_URI, reason="MAAS_TEST_MONGODB_URI names no server")

# Each step of a change, and whether it is carried out before everything hangs.
STEPS = ("lease", "history", "memory", "release")
MOMENTS = [(step, done) for step in STEPS for done in (False, True)]


def step_of(name: str, command: dict) -> str:
    """Which step of a change a command is; empty: none."""
    collection = command.get(name, "")
    if not isinstance(collection, str) or name not in ("insert", "update", "delete"):
        return ""
    if collection.endswith("_history"):
        return "history"
    if collection.endswith("_owners"):
        return "release" if any("$unset" in update["u"] for update in command["updates"]) else \
            "lease" if any("lease_holder" in update["u"].get("$set", {}) for update in command["updates"]) else ""
    return "memory"


class EndsInNothing(WithoutTransactions):
    """Lets transactions begin, and knows no command to end them, as some servers do."""

    def answer(self, name: str, command: dict):
        if name == "commitTransaction":
            raise CommandError(59, "no such command: 'commitTransaction'")


class Hanging(WithoutTransactions):
    """Answers nothing more to a connection that comes to a moment of a change; `moments` has them by the user or memory."""

    def __init__(self, upstream_port: int):
        self.moments: dict[str, tuple] = {}
        self.reached: set[tuple] = set()
        self.ended = threading.Event()
        super().__init__(upstream_port)

    def close(self):
        self.ended.set()
        super().close()

    def hang(self, moment: tuple):
        self.reached.add(moment)
        self.ended.wait()
        raise OSError("the test is over")

    def exchange(self, message: bytes, upstream: socket.socket) -> bytes:
        moment = None
        if any(key.encode() in message for key in self.moments):
            name = next((name for name in ("insert", "update", "delete") if message[26:].startswith(name.encode())), "")
            if name:
                command = decode(message)
                moment = next((moment for key, moment in self.moments.items()
                               if key in str(command) and step_of(name, command) == moment[1]), None)
        if moment and not moment[2]:
            self.hang(moment)
        answer = super().exchange(message, upstream)
        if moment:
            self.hang(moment)
        return answer


def proxied(proxy, **settings) -> dict:
    return {"MONGODB_URI": proxy.uri, "MONGODB_DB_NAME": f"plain-{uuid.uuid4()}", "MONGODB_TIMEOUT_MS": "10000",
            **WORDS_ONLY, **settings}


@pytest.fixture
def proxy():
    """Makes proxies before the server; they are closed at the end."""
    proxies = []

    def make(kind):
        proxies.append(kind(urllib.parse.urlsplit(MONGODB_URI).port))
        return proxies[-1]

    yield make
    for each in proxies:
        each.close()


@pytest.mark.parametrize("kind", [WithoutTransactions, EndsInNothing])
def test_a_server_without_transactions_is_used_and_told(proxy, start_server, kind):
    server = start_server(**proxied(proxy(kind)))
    with server.client() as client:
        ready = client.get("/health/ready")
        assert ready.status_code == 200
        assert "without transactions" in ready.json()["checks"]["ltm"]["detail"]
        memories = Memories(client)
        stored = memories.store("a violin")
        assert memories.add("A  VIOLIN")["event"] == "NOOP"
        memories.update(stored["id"], "a piano")
        assert memories.found("piano") == ["a piano"]
        assert len(memories.told(stored["id"])) == 2
        assert memories.forget() == 1
        assert memories.found("piano") == []
    assert server.stop() == 0, server.log()
    checked = server.run("check")
    assert checked.returncode == 0
    assert "without transactions" in checked.stdout


def check_whole(database):
    """Every memory has the history of its versions, and none has more; what is gone is told so."""
    versions = {document["_id"]: (document["version"], document["text"]) for document in database.memories.find()}
    told: dict[str, list] = {}
    for entry in database.memories_history.find().sort("version", 1):
        told.setdefault(entry["_id"].rpartition("/")[0], []).append(entry)
    assert set(versions) <= set(told)
    for memory, entries in told.items():
        assert [entry["version"] for entry in entries] == list(range(1, len(entries) + 1)), memory
        assert (entries[-1]["event"] == "DELETE") == (memory not in versions), memory
        if memory in versions:
            assert versions[memory] == (entries[-1]["version"], entries[-1]["new_text"])


def change(client: httpx.Client, kind: str, user: str, memory: dict):
    with contextlib.suppress(httpx.TransportError):
        if kind == "add":
            Memories(client, user_id=user).post("", messages=f"new {user}")
        elif kind == "update":
            send(client, "PUT", memory_path(memory["id"]), {"data": f"new {user}"})
        else:
            client.delete(memory_path(memory["id"]))


def test_a_process_that_dies_at_any_step_of_a_change_leaves_nothing_lost_or_doubled(proxy, start_server):
    hanging = proxy(Hanging)
    settings = proxied(hanging, MONGODB_POOL_SIZE="64")
    server = start_server(**settings)
    wanted = {(kind, *moment) for kind in ("add", "update", "delete") for moment in MOMENTS}
    prepared, users, threads = {}, {}, []
    with server.client() as client:
        # Changes whose owners share a lane wait for each other: who doesn't get anywhere is replaced.
        for moment in sorted(wanted) * 8:
            user = unique("-".join(map(str, moment)))
            kept, other = Memories(client, user_id=user).remember(f"kept {user}", f"old {user}")
            prepared.setdefault(moment, []).append((user, kept, other))
    deadline = time.monotonic() + 8
    while hanging.reached < wanted and time.monotonic() < deadline:
        for moment in wanted - hanging.reached:
            if not prepared[moment]:
                continue
            user, kept, other = prepared[moment].pop()
            users[user] = (moment[0], kept, other)
            hanging.moments |= {user: moment, other["id"]: moment}
            threads.append(threading.Thread(
                target=lambda *given: change(httpx.Client(base_url=server.url, timeout=30), *given),
                args=(moment[0], user, other), daemon=True))
            threads[-1].start()
        end = time.monotonic() + .8
        while hanging.reached < wanted and time.monotonic() < end:
            time.sleep(.02)
    server.kill()
    for thread in threads:
        thread.join()
    assert hanging.reached == wanted
    hanging.moments = {}

    database = pymongo.MongoClient(MONGODB_URI)[settings["MONGODB_DB_NAME"]]
    left = database.memories_owners.count_documents({"lease_holder": {"$exists": True}})
    assert left >= len(wanted) * 5 // 8  # from the lease that was given to the release that was not
    other = start_server(name="other", **settings)
    # By itself, once the leases have ended; without a change by anybody.
    wait_until(lambda: not database.memories_owners.count_documents({"lease_holder": {"$exists": True}}), 120,
               "what was left to be settled")
    check_whole(database)
    with other.client() as client:
        for user, (kind, kept, old) in users.items():
            memories = Memories(client, user_id=user)
            stored = memories.list()
            assert kept["id"] in ids(stored)
            assert len(set(texts(stored))) == len(stored)
            assert set(texts(stored)) <= {f"kept {user}", f"old {user}", f"new {user}"}
            assert set(ids(memories.search(user, limit=100))) == set(ids(stored))
            if kind == "add":
                assert {kept["id"], old["id"]} <= set(ids(stored))
                memories.add(f"new {user}")
                assert len(memories.list()) == 3
            elif kind == "update":
                assert len(stored) == 2
                memories.update(old["id"], f"newest {user}")
                assert f"newest {user}" in memories.found("newest")
            else:
                memories.forget()
                assert memories.list() == []
    check_whole(database)
    assert other.stop() == 0, other.log()


def test_a_process_goes_on_soon_after_its_server_was_away(proxy, start_server):
    """What it knows to be its own needs no waiting until the lease ends."""
    hanging = proxy(Hanging)
    server = start_server(**{**proxied(hanging), "MONGODB_TIMEOUT_MS": "2000"})
    user = unique()
    with server.client() as client:
        memories = Memories(client, user_id=user)
        memories.store("a violin")
        hanging.moments[user] = ("add", "memory", True)
        assert memories.post("", messages="a piano").status_code == 503
        assert hanging.reached
        hanging.moments = {}
        wait_until(lambda: memories.post("", messages="a flute").status_code == 200, 20, "the next change")
        # The server has done what it didn't confirm.
        assert sorted(texts(memories.list())) == ["a flute", "a piano", "a violin"]
        assert sorted(memories.found("violin piano flute")) == ["a flute", "a piano", "a violin"]
    assert server.stop() == 0, server.log()
