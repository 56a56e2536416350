"""The calls of the long-term memory in one scope, as a test wants to write them."""

from __future__ import annotations

import datetime
import json
import random
import urllib.parse
import uuid

import httpx

from support.processes import wait_until
from support.sessions import message, succeeded

WORDS_ONLY = {"MAAS_LOCAL_MODEL": "none"}  # fast, and the same everywhere

MEMORY_FIELDS = {"id", "memory", "metadata", "created_at", "updated_at", "score", "event", "user_id", "agent_id",
                 "session_id", "category", "expires_at"}
HISTORY_FIELDS = {"id", "memory_id", "old_memory", "new_memory", "event", "created_at", "updated_at", "is_deleted"}
CATEGORIES = ("semantic", "episodic", "fact", "preference")
NOTHING_NEW = {**dict.fromkeys(MEMORY_FIELDS), "memory": "", "event": "NOOP", "results": []}
HOUR = 3600.0
LONG_AGO = 1_600_000_000.0


def unique(name: str = "user") -> str:
    return f"{name}-{uuid.uuid4()}"


def memory_path(memory_id: str, rest: str = "") -> str:
    """Dots are encoded too: HTTP clients take the segments '.' and '..' for steps of a path."""
    return f"/ltm/memories/{urllib.parse.quote(memory_id, safe='').replace('.', '%2E')}{rest}"


def send(client: httpx.Client, method: str, path: str, body=None, **headers: str) -> httpx.Response:
    """`body` as bytes is sent as it is."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.request(method, path, content=content, headers={"Content-Type": "application/json", **headers})


def texts(memories: list[dict]) -> list[str]:
    return [memory["memory"] for memory in memories]


def ids(memories: list[dict]) -> list[str]:
    return [memory["id"] for memory in memories]


def seconds(time: str) -> float:
    """The epoch seconds of an ISO 8601 text, which must tell its offset."""
    parsed = datetime.datetime.fromisoformat(time)
    assert parsed.utcoffset() == datetime.timedelta(0), f"{time} is not UTC with an offset"
    return parsed.timestamp()


def shown(metadata: dict | None, category: str = "semantic", expires_at: float | None = None) -> dict:
    """What a memory's `metadata` shows: the caller's keys, the category and the end, if it has one."""
    return {**(metadata or {}), "category": category, **({} if expires_at is None else {"expires_at": expires_at})}


class Memories:
    """Every call but `post` asserts success and gives the reply's JSON; without ids the scope is a new user's."""

    def __init__(self, client: httpx.Client, **scope: str):
        self.client = client
        self.scope = scope or {"user_id": unique()}

    def post(self, path: str, body=None, **fields) -> httpx.Response:
        """To /ltm/memories/…, as it is; without a body the fields and the scope are one."""
        return send(self.client, "POST", f"/ltm/memories{path}", {**self.scope, **fields} if body is None else body)

    def add(self, messages, **fields) -> dict:
        return succeeded(self.post("", messages=messages, **fields))

    def remember(self, *contents: str | dict, **fields) -> list[dict]:
        """The results of one request; a text is a user's message."""
        sent = [message(item) if isinstance(item, str) else item for item in contents]
        return self.add(sent, **fields)["results"]

    def store(self, text: str, **fields) -> dict:
        """One memory that was not there, as it is shown later."""
        reply = self.add(text, **fields)
        assert [item["event"] for item in reply["results"]] == ["ADD"], reply
        return {**reply["results"][0], "event": None}

    def apart(self, *contents: str, **fields) -> list[dict]:
        """Memories that are nobody's neighbours: days lie between them."""
        return [self.store(text, timestamp=LONG_AGO + 48 * HOUR * number, **fields)
                for number, text in enumerate(contents)]

    def ask(self, query: str, **fields) -> dict:
        """The whole reply to a search."""
        return succeeded(self.post("/search", query=query, **fields))

    def search(self, query: str, **fields) -> list[dict]:
        return self.ask(query, **fields)["results"]

    def found(self, query: str, **fields) -> list[str]:
        """The texts that a search finds."""
        return texts(self.search(query, **fields))

    def page(self, **query) -> dict:
        if isinstance(query.get("filters"), dict):
            query["filters"] = json.dumps(query["filters"])
        return succeeded(self.client.get("/ltm/memories", params={**self.scope, **query}))

    def list(self, **query) -> list[dict]:
        return self.page(**{"limit": 1000, **query})["results"]

    def walk(self, between_pages=lambda: None, **query) -> list[dict]:
        """All pages, one after the other."""
        page = self.page(**query)
        found = page["results"]
        while page["next_cursor"] is not None:
            between_pages()
            page = self.page(**query, cursor=page["next_cursor"])
            found += page["results"]
        return found

    def get(self, memory_id: str) -> dict:
        return succeeded(self.client.get(memory_path(memory_id)))

    def is_visible(self, memory_id: str) -> bool:
        reply = self.client.get(memory_path(memory_id))
        assert reply.status_code in (200, 404), reply.text
        return reply.status_code == 200

    def update(self, memory_id: str, data: str, **fields) -> dict:
        return succeeded(send(self.client, "PUT", memory_path(memory_id), {"data": data, **fields}))

    def delete(self, memory_id: str) -> dict:
        return succeeded(self.client.delete(memory_path(memory_id)))

    def forget(self) -> int:
        """Everything in the scope; how many there were."""
        reply = succeeded(self.client.delete("/ltm/memories", params=self.scope))
        assert set(reply) == {"deleted"}
        return reply["deleted"]

    def forget_expired(self) -> dict:
        return succeeded(self.client.delete("/ltm/memories/expired"))

    def history(self, memory_id: str) -> list[dict]:
        reply = succeeded(self.client.get(memory_path(memory_id, "/history")))
        assert set(reply) == {"entries"}
        return reply["entries"]

    def told(self, memory_id: str) -> list[tuple]:
        """The history in short: (event, old text, new text)."""
        return [(entry["event"], entry["old_memory"], entry["new_memory"]) for entry in self.history(memory_id)]

    def batch(self, what: str, entries: list, key: str = "items") -> dict:
        """The reply to a batch of `add`, `search` or `delete`; its counts must be those of its results."""
        reply = succeeded(send(self.client, "POST", f"/ltm/memories/batch/{what}", {key: entries}))
        assert set(reply) == {"results", "total", "succeeded", "failed"}
        good = [entry for entry in reply["results"] if entry["success"]]
        assert reply["total"] == len(reply["results"]) == len(entries)
        assert (reply["succeeded"], reply["failed"]) == (len(good), len(entries) - len(good))
        for index, entry in enumerate(reply["results"]):
            assert set(entry) == {"index", "success", "result", "error"}
            assert entry["index"] == index
            assert (entry["error"] is None) == entry["success"] == (entry["result"] is not None)
        return reply


def check_errors(reply: httpx.Response, *expected: tuple):
    """A 422 that names exactly these: (type, place…). A type may be several, joined by '|'."""
    assert reply.status_code == 422, reply.text
    assert set(reply.json()) == {"detail"}
    assert reply.headers["Content-Type"] == "application/json" and reply.headers["X-Request-ID"]
    named = {}
    for entry in reply.json()["detail"]:
        assert set(entry) - {"ctx"} == {"type", "loc", "msg", "input"}, entry
        assert isinstance(entry["msg"], str) and entry["msg"]
        assert named.setdefault(tuple(entry["loc"]), entry["type"]) == entry["type"], f"named twice: {entry['loc']}"
    assert set(named) == {tuple(place) for _, *place in expected}
    for kinds, *place in expected:
        assert named[tuple(place)] in kinds.split("|"), place


class Vocabulary:
    """Words that are nobody's relatives: no two share a stem or four characters in a row."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.grams: set[str] = set()

    def word(self) -> str:
        while True:
            word = "".join(self.random.choices("abdfghkmnoprtuvwxz", k=8))
            marked = f"#{word}#"
            grams = {marked[i:i + 4] for i in range(len(marked) - 3)}
            if not grams & self.grams:
                self.grams |= grams
                return word

    def words(self, count: int) -> list[str]:
        return [self.word() for _ in range(count)]


def wait_until_expired(*memories: dict):
    """Until the clock says so, which the server shares."""
    end = max(memory["expires_at"] for memory in memories)
    wait_until(lambda: datetime.datetime.now().timestamp() > end, 30, f"{end} to pass")
