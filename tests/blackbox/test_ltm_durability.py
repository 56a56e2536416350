"""What was acknowledged is kept: memories, their histories and what finds them, over kill -9 under load."""

import contextlib
import pathlib
import random
import shutil
import sqlite3
import threading

import httpx
import pytest
from support.memories import CATEGORIES, WORDS_ONLY, Memories, ids, memory_path, send, texts, unique
from support.processes import MongoServer, Server, wait_until
from support.sessions import message

ROUNDS = 10
WRITERS = 4
COMMON = "ledger"  # stands in every text


class Writer(threading.Thread):
    """Adds, changes and deletes memories of a user of its own, one after the other, until the server is gone."""

    def __init__(self, server: Server, user: str):
        super().__init__(daemon=True)
        self.server = server
        self.user = user
        self.random = random.Random(user)
        self.told: dict[str, list[tuple]] = {}  # id -> the history as acknowledged
        self.doubtful: tuple | None = None  # the last request, if nobody knows whether it took effect
        self.acknowledged = 0
        self.number = 0
        self.refused: list[str] = []

    def run(self):
        with self.server.client() as client, contextlib.suppress(httpx.TransportError):
            memories = Memories(client, user_id=self.user)
            while not self.refused:
                living = [memory_id for memory_id, told in self.told.items() if told[-1][0] != "DELETE"]
                if not living or self.random.random() < 0.5:
                    self.add(memories)
                elif self.random.random() < 0.6:
                    self.update(memories, self.random.choice(living))
                else:
                    self.delete(memories, self.random.choice(living))
                self.doubtful = None

    def text(self) -> str:
        self.number += 1
        return f"{COMMON} {self.user} entry {self.number} " + "word " * self.random.randint(0, 50)

    def succeeded(self, reply: httpx.Response) -> dict:
        if reply.status_code != 200:
            self.refused.append(f"{reply.status_code} {reply.text}")
            return {"results": []}
        self.acknowledged += 1
        return reply.json()

    def add(self, memories: Memories):
        new = [self.text() for _ in range(self.random.randint(1, 4))]
        self.doubtful = ("ADD", new)
        reply = self.succeeded(memories.post("", messages=[message(text) for text in new],
                                             category=self.random.choice(CATEGORIES)))
        for result in reply["results"]:
            self.told[result["id"]] = [("ADD", None, result["memory"])]

    def update(self, memories: Memories, memory_id: str):
        entry = ("UPDATE", self.told[memory_id][-1][2], self.text())
        self.doubtful = (memory_id, entry)
        self.succeeded(send(memories.client, "PUT", memory_path(memory_id), {"data": entry[2]}))
        self.told[memory_id].append(entry)

    def delete(self, memories: Memories, memory_id: str):
        entry = ("DELETE", self.told[memory_id][-1][2], None)
        self.doubtful = (memory_id, entry)
        self.succeeded(memories.client.delete(memory_path(memory_id)))
        self.told[memory_id].append(entry)

    def check(self, memories: Memories):
        """Asserts that the server holds what it acknowledged, whole, and nothing else."""
        stored = {memory["id"]: memory["memory"] for memory in memories.walk(limit=1000)}
        for memory_id, told in self.told.items():
            allowed = [told]
            if self.doubtful and self.doubtful[0] == memory_id:
                allowed.append([*told, self.doubtful[1]])
            found = memories.told(memory_id)
            assert found in allowed, f"{memory_id} was acknowledged as {told}"
            assert stored.get(memory_id) == found[-1][2], "the last entry of the history is not the state"
        unasked = {memory_id: text for memory_id, text in stored.items() if memory_id not in self.told}
        if unasked:  # a request that was not answered took effect, as a whole
            assert self.doubtful and self.doubtful[0] == "ADD"
            assert sorted(unasked.values()) == sorted(self.doubtful[1])
            for memory_id, text in unasked.items():
                assert memories.told(memory_id) == [("ADD", None, text)]
        assert set(ids(memories.search(COMMON, limit=1000))) == set(stored)


def databases(directory: pathlib.Path) -> list[pathlib.Path]:
    def is_database(path: pathlib.Path) -> bool:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    return [path for path in directory.rglob("*") if path.is_file() and is_database(path)]


def check_database_files(data: pathlib.Path, copy: pathlib.Path):
    """Looks at a copy: opening a database that was not closed properly changes it."""
    shutil.copytree(data, copy)
    files = databases(copy)
    assert files, f"no SQLite database in {sorted(copy.rglob('*'))}"
    for file in files:
        with contextlib.closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    shutil.rmtree(copy)


def check_all(server: Server, writers: list[Writer]):
    with server.client() as client:
        for writer in writers:
            writer.check(Memories(client, user_id=writer.user))


def begin(server: Server, users: list[str]) -> list[Writer]:
    writers = [Writer(server, user) for user in users]
    for writer in writers:
        writer.start()
    return writers


def wait_for(writers: list[Writer], acknowledged: int):
    wait_until(lambda: sum(writer.acknowledged for writer in writers) >= acknowledged
               or not any(writer.is_alive() for writer in writers), 60, "the load")


@pytest.fixture
def server(ltm_engine, tmp_path):
    """On a MongoDB server of its own: what is killed leaves transactions open that would be in the way of others."""
    mongo = None
    settings = {}
    if ltm_engine == "mongodb":
        mongo = MongoServer(tmp_path).start()
        settings = {"MONGODB_URI": mongo.uri, "MONGODB_TIMEOUT_MS": "10000"}
    server = Server(tmp_path, **WORDS_ONLY, **settings)
    yield server
    server.kill()
    if mongo:
        mongo.kill()


def test_every_acknowledged_change_survives_kills_under_load(server, tmp_path):
    moments = random.Random(8)
    rounds = []
    for number in range(ROUNDS):
        server.start()
        if rounds:
            check_all(server, rounds[-1])
        writers = begin(server, [f"round {number} writer {writer}" for writer in range(WRITERS)])
        wait_for(writers, moments.randint(1, 150))
        server.kill()
        for writer in writers:
            writer.join()
            assert writer.refused == []
        check_database_files(tmp_path / "data", tmp_path / "copy")
        rounds.append(writers)
    server.start()
    for writers in rounds:
        check_all(server, writers)
    assert server.stop() == 0, server.log()
    assert any(writer.doubtful for writers in rounds for writer in writers), "no kill came in the middle of a request"
    kinds = {entry[0] for writers in rounds for writer in writers for told in writer.told.values() for entry in told}
    assert kinds == {"ADD", "UPDATE", "DELETE"}


def test_a_stop_under_load_loses_nothing(server):
    for number in range(3):
        server.start()
        writers = begin(server, [f"stop {number} writer {writer}" for writer in range(WRITERS)])
        wait_for(writers, 40)
        assert server.stop() == 0, server.log()
        for writer in writers:
            writer.join()
            assert writer.refused == []
        server.start()
        check_all(server, writers)
        assert server.stop() == 0, server.log()


def test_a_large_request_is_stored_whole_or_not_at_all(server):
    moments = random.Random(5)
    for number in range(6):
        server.start()
        user, answered = unique(), []

        def add_many():
            with server.client() as client, contextlib.suppress(httpx.TransportError):
                contents = [message(f"{COMMON} {part}") for part in range(1500)]
                answered.append(Memories(client, user_id=user).post("", messages=contents).status_code)

        with server.client() as client:
            client.get("/health")
            thread = threading.Thread(target=add_many)
            thread.start()
            thread.join(moments.uniform(0.02, 0.6))  # moments of a request's life
            server.kill()
            thread.join()
        server.start()
        with server.client() as client:
            memories = Memories(client, user_id=user)
            stored = memories.walk(limit=1000)
            assert len(stored) in ((1500,) if answered == [200] else (0, 1500))
            assert len(memories.search(COMMON, limit=1000)) == min(1000, len(stored))
        assert server.stop() == 0, server.log()


def test_memories_and_histories_survive_a_restart(server):
    with server.start().client() as client:
        memories = Memories(client, user_id="u", agent_id="ü / a", session_id="s")
        one = memories.store("a violin\0", category="fact", metadata={"n": [1, None, "é"]}, ttl_seconds=5000,
                             timestamp="2023-05-08T13:56:00.123456Z")
        two = memories.store("a piano")
        memories.update(two["id"], "a grand piano")
        gone = memories.store("a drum")
        memories.delete(gone["id"])
        before = (memories.list(), [memories.history(memory["id"]) for memory in (one, two, gone)],
                  memories.ask("violin piano", explain=True)["results"])
        cursor = memories.page(limit=1)["next_cursor"]
    assert server.stop() == 0, server.log()
    with server.start().client() as client:
        memories = Memories(client, user_id="u", agent_id="ü / a", session_id="s")
        assert (memories.list(), [memories.history(memory["id"]) for memory in (one, two, gone)],
                memories.ask("violin piano", explain=True)["results"]) == before
        assert memories.page(cursor=cursor)["results"] == before[0][1:]
        assert memories.add("A  VIOLIN\0", category="fact")["id"] == one["id"]
        later = memories.store("a drum")
        assert later["id"] != gone["id"]
        assert texts(memories.list())[0] == "a drum"
    assert server.stop() == 0, server.log()
