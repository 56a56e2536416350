"""MongoDB that dies, hangs, refuses, is late or is shared: what long-term memory makes of it. Each test has its own."""

import contextlib
import signal
import threading
import time

import httpx
import pytest
from support.memories import WORDS_ONLY, Memories, ids, send, texts, unique
from support.processes import MongoServer, Server, serving, wait_until

ANSWER_SECONDS = 2
ALLOWANCE_SECONDS = 3  # for an instrumented build and a server in Python, on two cores with other work
USER, PASSWORD = "maas", "pa55word-that-nothing-may-tell"


def settings(mongo: MongoServer, **others: str) -> dict:
    return {**WORDS_ONLY, "MONGODB_URI": mongo.uri, **others}


def readiness(client: httpx.Client) -> tuple[int, dict]:
    reply = client.get("/health/ready")
    return reply.status_code, reply.json()["checks"]["ltm"]


def wait_until_ready(client: httpx.Client):
    wait_until(lambda: readiness(client)[0] == 200, 10, "/health/ready to say 200")


def assert_refuses_every_call(client: httpx.Client):
    """503 in time and with a reason, while the process itself says that it lives."""
    scope = {"user_id": "u"}
    calls = {
        "add": lambda: send(client, "POST", "/ltm/memories", {**scope, "messages": "x"}),
        "search": lambda: send(client, "POST", "/ltm/memories/search", {**scope, "query": "x"}),
        "list": lambda: client.get("/ltm/memories", params=scope),
        "get": lambda: client.get("/ltm/memories/x"),
        "update": lambda: send(client, "PUT", "/ltm/memories/x", {"data": "y"}),
        "delete": lambda: client.delete("/ltm/memories/x"),
        "history": lambda: client.get("/ltm/memories/x/history"),
        "forget": lambda: client.delete("/ltm/memories", params=scope),
        "expired": lambda: client.delete("/ltm/memories/expired"),
    }
    for name, call in calls.items():
        reply = call()
        assert reply.status_code == 503, f"{name}: {reply.text}"
        assert reply.json()["detail"], name
        assert reply.elapsed.total_seconds() < ANSWER_SECONDS + ALLOWANCE_SECONDS, name
    assert client.get("/health").status_code == 200
    status, check = readiness(client)
    assert (status, check["engine"], check["status"]) == (503, "mongodb", "unavailable")
    assert check["detail"]


class Writer(threading.Thread):
    """Adds one text after the other, and keeps what became of each."""

    def __init__(self, server: Server, user: str, number: int):
        super().__init__(daemon=True)
        self.server, self.user, self.number = server, user, number
        self.acknowledged: dict[str, str] = {}  # text by id
        self.refused: list[str] = []
        self.slowest = 0.0
        self.odd: list[str] = []
        self.ended = threading.Event()

    def run(self):
        with self.server.client() as client:
            turn = 0
            while not self.ended.is_set():
                text = f"violin {self.number} {turn}"
                turn += 1
                reply = send(client, "POST", "/ltm/memories", {"user_id": self.user, "messages": text})
                self.slowest = max(self.slowest, reply.elapsed.total_seconds())
                if reply.status_code == 200:
                    self.acknowledged[reply.json()["id"]] = text
                elif reply.status_code == 503:
                    self.refused.append(text)
                    time.sleep(.02)
                else:
                    self.odd.append(reply.text)


@contextlib.contextmanager
def load(server: Server, users: list[str]):
    """Two writers for each user; what they have met is in order at the end."""
    writers = [Writer(server, user, number) for number, user in enumerate(users * 2)]
    for writer in writers:
        writer.start()
    yield writers
    for writer in writers:
        writer.ended.set()
    for writer in writers:
        writer.join()
        assert writer.odd == []
        assert writer.slowest < ANSWER_SECONDS + ALLOWANCE_SECONDS


def acknowledged(writers: list[Writer]) -> int:
    return sum(len(writer.acknowledged) for writer in writers)


def wait_for_more(writers: list[Writer], more: int):
    before = acknowledged(writers)
    wait_until(lambda: acknowledged(writers) >= before + more, 30, "the load to go on")


def wait_for_refusals(writers: list[Writer]):
    before = {writer: len(writer.refused) for writer in writers}
    wait_until(lambda: all(len(writer.refused) > before[writer] for writer in writers), 10, "every writer to be refused")


def check_stored(client: httpx.Client, writers: list[Writer]):
    """All that was acknowledged, once, with its history; and nothing that nobody sent."""
    for user in {writer.user for writer in writers}:
        memories = Memories(client, user_id=user)
        of_user = [writer for writer in writers if writer.user == user]
        stored = {memory["id"]: memory["memory"] for memory in memories.walk(limit=1000)}
        assert len(set(stored.values())) == len(stored), "a text was stored twice"
        for writer in of_user:
            assert writer.acknowledged.items() <= stored.items(), "an acknowledged memory is missing"
        doubtful = {text for writer in of_user for text in writer.refused}
        told = {text for writer in of_user for text in writer.acknowledged.values()}
        assert set(stored.values()) - told <= doubtful
        for memory_id, text in stored.items():
            assert memories.told(memory_id) == [("ADD", None, text)]
        assert set(ids(memories.search("violin", limit=1000))) == set(stored)


def test_a_server_that_is_killed_and_restarted_under_load_loses_nothing_acknowledged(start_mongo, start_server):
    mongo = start_mongo("--sync-on-commit")  # as MongoDB does when it is asked to, which it is
    server = start_server(**settings(mongo))
    with server.client() as client:
        with load(server, [unique(), unique()]) as writers:
            for _ in range(2):
                wait_for_more(writers, 20)
                mongo.kill()
                wait_for_refusals(writers)
                assert_refuses_every_call(client)
                mongo.start()
                wait_for_more(writers, 20)
                wait_until_ready(client)
        check_stored(client, writers)
    assert server.stop() == 0, server.log()


def test_a_server_that_hangs_and_goes_on_under_load_loses_nothing_acknowledged(start_mongo, start_server):
    mongo = start_mongo()
    server = start_server(**settings(mongo))
    with server.client() as client:
        with load(server, [unique()]) as writers:
            wait_for_more(writers, 20)
            mongo.send(signal.SIGSTOP)
            wait_for_refusals(writers)
            assert_refuses_every_call(client)
            mongo.send(signal.SIGCONT)
            wait_for_more(writers, 20)
            wait_until_ready(client)
        check_stored(client, writers)
    assert server.stop() == 0, server.log()


def test_a_service_whose_server_hangs_can_be_stopped(start_mongo, start_server):
    mongo = start_mongo()
    server = start_server(**settings(mongo))
    with load(server, [unique()]) as writers:
        wait_for_more(writers, 5)
        for writer in writers:
            writer.ended.set()
        mongo.send(signal.SIGSTOP)
        assert server.stop() == 0, server.log()
        mongo.kill()


def test_a_service_started_before_its_server_serves_once_that_is_there(start_mongo, start_server, tmp_path):
    mongo = start_mongo()
    mongo.kill()
    server = start_server(**settings(mongo))
    with server.client() as client:
        assert_refuses_every_call(client)
        mongo.start()
        wait_until_ready(client)
        memories = Memories(client)
        assert memories.found("violin") == []
        memories.store("a violin")
        assert memories.found("violin") == ["a violin"]


def told_problem(server: Server) -> str:
    """What /health/ready and `maas check` say, both without the password."""
    with server.client() as client:
        status, check = readiness(client)
        assert (status, check["status"]) == (503, "unavailable")
        assert_refuses_every_call(client)
    checked = server.run("check")
    assert checked.returncode == 1
    said = check["detail"] + checked.stdout
    for place in (said, checked.stderr, server.log()):
        assert PASSWORD not in place
    assert "mongodb" in checked.stdout
    return said


def test_a_wrong_password_is_named(start_mongo, start_server):
    mongo = start_mongo()
    with mongo.connect() as admin:
        admin.admin.command("createUser", USER, pwd=PASSWORD + "!", roles=["root"])
    assert mongo.stop() == 0
    mongo.arguments = ("--auth",)
    mongo.start()
    host = mongo.uri.removeprefix("mongodb://")
    server = start_server(**settings(mongo, MONGODB_URI=f"mongodb://{USER}:{PASSWORD}@{host}"))
    assert "refused the user or the password" in told_problem(server)
    right = start_server(name="right", **settings(
        mongo, MONGODB_URI=f"mongodb://{USER}:{PASSWORD}!@{host}", MAAS_DATA_DIR=str(mongo.directory / "data")))
    with right.client() as client:
        Memories(client).store("a violin")


def test_a_host_that_is_not_there_is_named(start_server):
    server = start_server(**WORDS_ONLY, MONGODB_URI=f"mongodb://{USER}:{PASSWORD}@127.0.0.1:1")
    assert "127.0.0.1:1" in told_problem(server)


@pytest.mark.parametrize(("name", "value"), [
    ("MONGODB_URI", f"mongo://{USER}:{PASSWORD}@host"), ("MONGODB_URI", f"mongodb://{USER}:{PASSWORD}@@host"),
    ("MONGODB_DB_NAME", "a/b"), ("MONGODB_DB_NAME", "x" * 64), ("MONGODB_COLLECTION_NAME", "a$b"),
    ("MONGODB_COLLECTION_NAME", "system.users"), ("MONGODB_TIMEOUT_MS", "0"), ("MONGODB_POOL_SIZE", "0"),
    ("MAAS_EXACT_SCAN_LIMIT", "0"), ("VECTOR_STORE_PROVIDER", "qdrant"),
])
def test_a_setting_that_can_not_be_is_refused(tmp_path, name, value):
    given = {"MONGODB_URI": "mongodb://127.0.0.1:1", name: value}
    ended = Server(tmp_path, **given, **WORDS_ONLY).run("serve", "--port", "0")
    assert ended.returncode == 2
    assert name in ended.stderr
    assert PASSWORD not in ended.stdout + ended.stderr


def test_the_uri_is_shown_to_nobody(tmp_path):
    shown = Server(tmp_path, MONGODB_URI=f"mongodb://{USER}:{PASSWORD}@127.0.0.1:1").run("config")
    assert "MONGODB_URI=***" in shown.stdout
    assert PASSWORD not in shown.stdout + shown.stderr


def test_a_scope_larger_than_the_limit_is_listed_and_not_searched(start_mongo, start_server):
    server = start_server(**settings(start_mongo(), MAAS_EXACT_SCAN_LIMIT="10"))
    with server.client() as client:
        memories = Memories(client)
        memories.remember(*(f"violin {number}" for number in range(10)))
        assert len(memories.search("violin")) == 10
        more = memories.store("violin and piano")
        for _ in range(2):
            reply = memories.post("/search", query="violin")
            assert reply.status_code == 503
            assert "MAAS_EXACT_SCAN_LIMIT" in reply.json()["detail"]
        assert len(memories.list()) == 11
        memories.delete(more["id"])
        assert len(memories.search("violin")) == 10
        many = Memories(client)
        many.remember(*(f"violin {number}" for number in range(11)))
        assert many.post("/search", query="violin").status_code == 503


def test_two_services_on_one_server_see_each_others_changes_at_once(start_mongo, tmp_path):
    chosen = settings(start_mongo())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "one", **chosen) as one, serving(tmp_path / "two", **chosen) as two, \
            one.client() as here, two.client() as there:
        scope = {"user_id": unique()}
        first, second = Memories(here, **scope), Memories(there, **scope)
        for turn in range(10):
            stored = first.store(f"violin {turn}")
            assert stored["id"] in ids(second.search("violin"))
            assert second.add(f"VIOLIN  {turn}")["event"] == "NOOP"
            second.update(stored["id"], f"piano {turn}")
            assert f"piano {turn}" in first.found("piano")
            if turn % 2:
                second.delete(stored["id"])
                assert f"piano {turn}" not in first.found("piano")
        assert texts(first.list()) == texts(second.list())
        assert ids(first.search("piano")) == ids(second.search("piano"))


def test_the_memories_of_two_databases_and_collections_stay_apart(start_mongo, tmp_path):
    mongo = start_mongo()
    places = [{}, {"MONGODB_DB_NAME": "other"}, {"MONGODB_COLLECTION_NAME": "others"}]
    for number, place in enumerate(places):
        (tmp_path / str(number)).mkdir()
        with serving(tmp_path / str(number), **settings(mongo, **place)) as server, server.client() as client:
            memories = Memories(client, user_id="u")
            assert memories.list() == memories.search("violin") == []
            memories.store("a violin")
    with mongo.connect() as admin:
        assert {"memories", "memories_history", "memories_owners", "others"} <= set(
            admin["maas"].list_collection_names())
        assert admin["other"]["memories"].count_documents({}) == 1
