"""Drives the long-term memory of a sanitized server with writers and searchers and stops it in the middle of it.

    MAAS_BINARY=build/tsan/maas .deps/venv/bin/python tests/load/tsan_ltm_load.py [SECONDS]

Memories are found by words alone, or by the model that MAAS_TEST_MODEL_DIR names too. Fails on what
tests/load/tsan_load.py fails on.
"""

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.memories import CATEGORIES, Vocabulary, memory_path  # noqa: E402
from support.processes import BINARY, TRACED, Server  # noqa: E402
from support.raw_http import request  # noqa: E402
from support.sessions import message  # noqa: E402
from tsan_load import Worker, run_load  # noqa: E402

SCOPES = [{"user_id": "u0"}, {"user_id": "u1"}, {"user_id": "u1", "agent_id": "a"}, {"session_id": "s"}]  # they meet
WORDS = Vocabulary(1).words(40)
FILTERS = [None, None, {"metadata.n": {"gte": 3}}, {"NOT": {"category": "fact"}}]


class LtmWorker(Worker):
    """What writers and searchers share."""

    known: list[str] = []  # ids that some worker has seen; they may be gone
    lock = threading.Lock()

    def text(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 12)))

    def scope(self) -> dict:
        return self.random.choice(SCOPES)

    def any_id(self) -> str:
        with self.lock:
            return self.random.choice(self.known) if self.known else "01900000-0000-7000-8000-000000000000"

    def remember(self, memory_ids: list[str]):
        with self.lock:
            self.known.extend(memory_ids)
            del self.known[:-200]

    def exchange(self, method: str, path: str, body: object = None, expected: tuple[int, ...] = (200,)) -> dict:
        """The JSON of a reply; a status that wasn't expected is a fault."""
        connection = self.connected()
        connection.send(request(method, path, b"" if body is None else json.dumps(body).encode()))
        reply = connection.read_reply(method)
        if reply.status not in expected:
            self.faults.append(f"{method} {path} was answered with {reply.status}: {reply.body[:300]!r}")
        if (reply.header("Connection") or "").lower() == "close":
            self.disconnect()
        return reply.json() if reply.status == 200 else {}

    def abandon(self):
        """Leaves within a request, or before its reply is read."""
        body = json.dumps({"messages": self.text(), **self.scope()}).encode()
        data = request("POST", "/ltm/memories", body)
        self.connected().send(data[:self.random.randint(1, len(data))])
        self.disconnect()


class Writer(LtmWorker):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.actions = [(self.add, 40), (self.add_batch, 8), (self.update, 25), (self.delete, 10),
                        (self.delete_batch, 4), (self.forget, 1), (self.forget_expired, 3), (self.reconnect, 3),
                        (self.abandon, 3), (self.refused, 3)]

    def body(self) -> dict:
        messages = [message(self.text(), name=self.random.choice(["Ana", "Ben"]))
                    for _ in range(self.random.randint(0, 5))]
        return {"messages": messages, "category": self.random.choice(CATEGORIES), **self.scope(),
                "metadata": {"n": self.random.randint(0, 6)}, "ttl_seconds": self.random.choice([0, 0, 0, 1, 2])}

    def add(self):
        reply = self.exchange("POST", "/ltm/memories", self.body())
        self.remember([result["id"] for result in reply.get("results", [])])

    def add_batch(self):
        self.exchange("POST", "/ltm/memories/batch/add", {"items": [self.body() for _ in range(5)]})

    def update(self):
        change = {"data": self.text(), **self.random.choice([{}, {"ttl_seconds": 1}, {"category": "fact"}])}
        self.exchange("PUT", memory_path(self.any_id()), change, (200, 404, 409))

    def delete(self):
        self.exchange("DELETE", memory_path(self.any_id()), None, (200, 404))

    def delete_batch(self):
        self.exchange("POST", "/ltm/memories/batch/delete", {"memory_ids": [self.any_id() for _ in range(5)]})

    def forget(self):
        self.exchange("DELETE", "/ltm/memories?user_id=u0")

    def forget_expired(self):
        self.exchange("DELETE", "/ltm/memories/expired")

    def refused(self):
        self.exchange("POST", "/ltm/memories", {"messages": [{"role": 5}]}, (422,))


class Searcher(LtmWorker):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.actions = [(self.search, 50), (self.search_batch, 5), (self.list, 12), (self.get, 10), (self.history, 8),
                        (self.health, 3), (self.reconnect, 3), (self.abandon, 2)]

    def query(self) -> dict:
        return {"query": self.text(), "limit": self.random.choice([1, 10, 100]), **self.scope(),
                "filters": self.random.choice(FILTERS), "explain": self.random.random() < 0.3,
                "recency_half_life_days": self.random.choice([None, 5])}

    def search(self):
        reply = self.exchange("POST", "/ltm/memories/search", self.query())
        self.remember([result["id"] for result in reply.get("results", [])[:2]])

    def search_batch(self):
        self.exchange("POST", "/ltm/memories/batch/search", {"items": [self.query() for _ in range(5)]})

    def list(self):
        page = self.exchange("GET", "/ltm/memories?user_id=u1&limit=20")
        if page.get("next_cursor"):
            self.exchange("GET", f"/ltm/memories?user_id=u1&cursor={page['next_cursor']}")

    def get(self):
        self.exchange("GET", memory_path(self.any_id()), None, (200, 404))

    def history(self):
        self.exchange("GET", memory_path(self.any_id(), "/history"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=20)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--searchers", type=int, default=8)
    arguments = parser.parse_args()
    if not BINARY.exists():
        print(f"there is no {BINARY}; build it first", file=sys.stderr)
        return 2
    model = os.environ.get("MAAS_TEST_MODEL_DIR", "none")
    print(f"long-term memory: {arguments.writers} writers, {arguments.searchers} searchers, {arguments.seconds:g} s, "
          f"model {model}", flush=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        # A small cache: scopes are thrown out and read again while they are used.
        server = Server(pathlib.Path(name), MAAS_LOCAL_MODEL=model, MAAS_WORKERS="4", MAAS_ACCESS_LOG_SAMPLE="0",
                        LTM_CACHE_MB="1", **TRACED)
        stack.callback(server.kill)
        server.spawn_server()
        server.wait_for_health(60)
        faults = run_load(server, arguments.seconds, [Writer] * arguments.writers + [Searcher] * arguments.searchers)
    for fault in faults:
        print(f"  FAILED: {fault}", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
