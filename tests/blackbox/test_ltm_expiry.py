"""Memories with an end: nobody sees them from that moment on, and they are removed later."""

import time

import pytest
from support.memories import WORDS_ONLY, Memories, ids, memory_path, send, unique, wait_until_expired
from support.processes import serving, wait_until

SWEEP_SECONDS = 10  # how often the server looks for what has expired
ALLOWANCE_SECONDS = 20


@pytest.fixture(scope="module")
def expiry_server(tmp_path_factory):
    """A server of its own: what is removed here is removed of everyone."""
    with serving(tmp_path_factory.mktemp("expiry"), **WORDS_ONLY) as server:
        yield server


@pytest.fixture(scope="module")
def expiry_client(expiry_server):
    with expiry_server.client() as client:
        yield client


@pytest.fixture
def memories(expiry_client):
    return Memories(expiry_client)


def views(memories: Memories, memory_id: str) -> dict[str, bool]:
    """Whether each read shows the memory, which must be about a violin."""
    searched = memories.batch("search", [{"query": "violin", **memories.scope}])["results"][0]["result"]
    return {"get": memories.is_visible(memory_id), "list": memory_id in ids(memories.list()),
            "pages": memory_id in ids(memories.walk(limit=1)), "search": memory_id in ids(memories.search("violin")),
            "filtered": memory_id in ids(memories.search("violin", filters={"memory": {"contains": "violin"}})),
            "batch": memory_id in ids(searched["results"])}


def test_an_expired_memory_is_invisible_to_every_read_at_once(memories):
    kept = memories.store("a violin for ever")
    brief = memories.store("a violin for two seconds", ttl_seconds=2)
    before = views(memories, brief["id"])
    if time.time() < brief["expires_at"]:
        assert set(before.values()) == {True}
    wait_until_expired(brief)
    assert set(views(memories, brief["id"]).values()) == {False}
    assert set(views(memories, kept["id"]).values()) == {True}


def test_an_expired_memory_can_not_be_changed_or_deleted(memories):
    brief = memories.store("a violin", ttl_seconds=1)
    wait_until_expired(brief)
    for method in ("PUT", "DELETE"):
        reply = send(memories.client, method, memory_path(brief["id"]),
                     {"data": "x", "ttl_seconds": 0} if method == "PUT" else b"")
        assert (reply.status_code, reply.json()) == (404, {"detail": "Memory not found"})
    assert memories.batch("delete", [brief["id"]], "memory_ids")["failed"] == 1
    assert memories.list() == []


def test_an_expired_text_can_be_told_anew(memories):
    brief = memories.store("a violin", ttl_seconds=1)
    wait_until_expired(brief)
    again = memories.store("a violin")
    assert again["id"] != brief["id"]
    assert ids(memories.list()) == ids(memories.search("violin")) == [again["id"]]


def test_a_duplicate_does_not_prolong_a_memory(memories):
    brief = memories.store("a violin", ttl_seconds=2)
    again = memories.add("A  violin", ttl_seconds=100)
    if again["event"] == "NOOP":
        assert (again["id"], again["expires_at"]) == (brief["id"], brief["expires_at"])
        wait_until_expired(brief)
        assert not memories.is_visible(brief["id"])
    else:  # a slow machine: it had expired
        assert time.time() > brief["expires_at"]


def test_the_words_of_an_expired_memory_lead_to_no_neighbour_of_it(memories):
    """As if it had never been there, also before it is removed."""
    memories.store("How much was it?")
    brief = memories.store("a violin", ttl_seconds=1)
    memories.store("That was cheap")
    memories.search("violin")  # the server has the scope at hand
    wait_until_expired(brief)
    assert memories.found("violin") == []


def test_a_memory_can_be_kept_before_its_end(memories):
    while True:
        brief = memories.store(f"a violin {unique()}", ttl_seconds=3)
        reply = send(memories.client, "PUT", memory_path(brief["id"]), {"data": "a violin", "ttl_seconds": 0})
        if reply.status_code == 200:
            break
        assert time.time() > brief["expires_at"]  # a slow machine: once more
    assert reply.json()["expires_at"] is None
    wait_until_expired(brief)
    assert set(views(memories, brief["id"]).values()) == {True}
    assert brief["id"] not in memories.forget_expired()["ids"]
    assert memories.is_visible(brief["id"])


def test_a_memory_for_ever_can_be_given_an_end(memories):
    kept = memories.store("a violin")
    ending = memories.update(kept["id"], "a violin", ttl_seconds=1)
    wait_until_expired(ending)
    assert set(views(memories, kept["id"]).values()) == {False}


def test_deleting_a_scope_takes_what_has_expired_with_it(memories):
    brief = memories.store("a violin", ttl_seconds=1)
    memories.store("a piano")
    wait_until_expired(brief)
    assert memories.forget() == 1  # what could be seen
    assert memories.told(brief["id"])[-1] == ("DELETE", "a violin", None)


def test_a_restart_does_not_bring_back_what_has_expired(own_ltm, tmp_path):
    with serving(tmp_path, **WORDS_ONLY, **own_ltm) as server, server.client() as client:
        brief = Memories(client, user_id="u").store("a violin", ttl_seconds=1)
        kept = Memories(client, user_id="u").store("a violin for long", ttl_seconds=1000)
    wait_until_expired(brief)
    with serving(tmp_path, **WORDS_ONLY, **own_ltm) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        assert memories.list() == [kept]
        assert set(views(memories, brief["id"]).values()) == {False}


# Removal.

def test_deleting_the_expired_says_which(own_ltm, start_server):
    """A server of its own; the sweep could be faster, but not every time."""
    for _ in range(3):
        server = start_server(**WORDS_ONLY, **own_ltm, name=unique("maas"))
        with server.client() as client:
            memories = Memories(client)
            kept = memories.store("a violin for ever"), memories.store("a piano", ttl_seconds=1000)
            brief = [memories.store(f"a violin {number}", ttl_seconds=1) for number in range(5)]
            other = Memories(client).store("somebody else's", ttl_seconds=1)
            wait_until_expired(*brief, other)
            reply = memories.forget_expired()
            assert set(reply) == {"deleted", "ids"} and reply["deleted"] == len(reply["ids"])
            assert set(reply["ids"]) <= {*ids(brief), other["id"]}
            assert memories.forget_expired() == {"deleted": 0, "ids": []}
            for memory in brief:
                assert memories.told(memory["id"]) == [
                    ("ADD", None, memory["memory"]), ("DELETE", memory["memory"], None)]
                assert memories.history(memory["id"])[-1]["is_deleted"] is True
            assert set(ids(memories.list())) == set(ids(kept))
        server.kill()
        if len(reply["ids"]) == 6:
            return
    pytest.fail("the expired memories were not named")


def test_the_expired_of_another_tenant_are_left_alone(own_ltm, start_server):
    server = start_server(MAAS_API_KEYS="red:red-key,blue:blue-key", **WORDS_ONLY, **own_ltm)
    with (server.client(headers={"X-API-Key": "red-key"}) as red,
          server.client(headers={"X-API-Key": "blue-key"}) as blue):
        brief = Memories(red).store("a violin", ttl_seconds=1)
        wait_until_expired(brief)
        assert brief["id"] not in Memories(blue).forget_expired()["ids"]
        assert Memories(blue).history(brief["id"]) == []


def test_the_sweep_removes_what_has_expired_and_tells_so(memories):
    brief = memories.store("a violin", ttl_seconds=1)
    changed = memories.store("a piano", ttl_seconds=1000)
    memories.update(changed["id"], "a grand piano", ttl_seconds=1)
    wait_until(lambda: all(memories.told(memory["id"])[-1][0] == "DELETE" for memory in (brief, changed)),
               SWEEP_SECONDS + ALLOWANCE_SECONDS, "the sweep to remove what has expired")
    assert memories.told(brief["id"]) == [("ADD", None, "a violin"), ("DELETE", "a violin", None)]
    assert memories.told(changed["id"]) == [
        ("ADD", None, "a piano"), ("UPDATE", "a piano", "a grand piano"), ("DELETE", "a grand piano", None)]
    assert brief["id"] not in memories.forget_expired()["ids"]
