"""Changing a memory, and the history of what became of it."""

import time

import pytest
from support.memories import CATEGORIES, HISTORY_FIELDS, MEMORY_FIELDS, Memories, memory_path, seconds, send, shown, \
    unique

UNKNOWN = "01900000-0000-7000-8000-000000000000"
WHOLE = {"metadata": {"source": "chat", "n": [1, {"a": None}]}, "category": "preference", "ttl_seconds": 5000,
         "timestamp": "2023-05-08T13:56:00Z"}


@pytest.fixture
def stored(memories):
    return memories.store("I like tea", **WHOLE)


def changed(memories, stored: dict, *names: str, data: str = "I like coffee", **fields) -> dict:
    """The reply to a change, which nothing but the text, `updated_at` and these fields may show."""
    reply = memories.update(stored["id"], data, **fields)
    assert set(reply) == MEMORY_FIELDS
    assert reply["memory"] == data
    assert seconds(reply["updated_at"]) >= seconds(stored["updated_at"])
    kept = MEMORY_FIELDS - {"memory", "updated_at", *names}
    assert {name: reply[name] for name in kept} == {name: stored[name] for name in kept}
    assert memories.get(stored["id"]) == reply
    assert memories.list() == [reply]
    return reply


# Changes.

def test_a_new_text_changes_the_text_and_when_it_was_changed(memories, stored):
    before = time.time()
    reply = changed(memories, stored)
    assert before - 1 < seconds(reply["updated_at"]) < time.time() + 1
    assert (reply["event"], reply["score"]) == (None, None)


@pytest.mark.parametrize("field", ["metadata", "category", "ttl_seconds"])
def test_null_leaves_a_field_as_it_was(memories, stored, field):
    changed(memories, stored, **{field: None})


def test_new_metadata_replaces_the_old(memories, stored):
    reply = changed(memories, stored, "metadata", metadata={"other": 1})
    assert reply["metadata"] == shown({"other": 1}, "preference", stored["expires_at"])
    reply = changed(memories, stored, "metadata", metadata={})
    assert reply["metadata"] == shown({}, "preference", stored["expires_at"])


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_new_category_replaces_the_old(memories, stored, category):
    reply = changed(memories, stored, "metadata", "category", category=category)
    assert reply["category"] == category
    assert reply["metadata"] == shown(WHOLE["metadata"], category, stored["expires_at"])
    assert memories.search("coffee", categories=[category])
    assert memories.search("coffee", categories=[other for other in CATEGORIES if other != category]) == []


def test_a_new_time_to_live_counts_from_now(memories, stored):
    before = time.time()
    reply = changed(memories, stored, "metadata", "expires_at", ttl_seconds=90)
    assert before + 89 < reply["expires_at"] < time.time() + 91
    assert reply["metadata"]["expires_at"] == reply["expires_at"]


def test_a_time_to_live_of_0_is_for_ever(memories, stored):
    reply = changed(memories, stored, "metadata", "expires_at", ttl_seconds=0)
    assert reply["expires_at"] is None
    assert "expires_at" not in reply["metadata"]


def test_a_memory_without_an_end_can_get_one(memories):
    stored = memories.store("x")
    reply = changed(memories, stored, "metadata", "expires_at", ttl_seconds=100)
    assert 0 < reply["expires_at"] - time.time() <= 100


def test_the_same_text_again_is_a_change_too(memories, stored):
    reply = changed(memories, stored, "metadata", "category", data="I like tea", category="fact")
    assert reply["category"] == "fact"


def test_a_change_is_found_by_its_new_words_and_not_by_the_old(memories, stored):
    memories.update(stored["id"], "Violins are expensive")
    assert memories.found("violin") == ["Violins are expensive"]
    assert memories.found("tea") == []


def test_a_change_never_leaves_the_scope(memories, stored):
    other = Memories(memories.client)
    reply = memories.update(stored["id"], "x", user_id=other.scope["user_id"], agent_id="a")
    assert (reply["user_id"], reply["agent_id"]) == (memories.scope["user_id"], None)
    assert other.list() == []


def test_two_memories_may_become_alike(memories):
    first, second = memories.store("one"), memories.store("two")
    assert memories.update(second["id"], "one")["id"] == second["id"]
    assert {memory["id"] for memory in memories.list()} == {first["id"], second["id"]}
    assert memories.add("ONE")["event"] == "NOOP"


def test_a_changed_text_is_a_duplicate_and_the_old_one_no_more(memories):
    stored = memories.store("tea")
    memories.update(stored["id"], "Coffee")
    again = memories.add("coffee")
    assert (again["event"], again["id"]) == ("NOOP", stored["id"])
    assert memories.store("tea")["id"] != stored["id"]


@pytest.mark.parametrize("text", ["a\0b", "<|endoftext|>", "👩‍💻", "東京", "  spaces \n", "'; DROP TABLE x; --",
                                  "y" * 100_000])
def test_any_text_is_kept_unchanged(memories, stored, text):
    changed(memories, stored, data=text)
    assert memories.told(stored["id"])[-1] == ("UPDATE", "I like tea", text)


# Bad changes.

@pytest.mark.parametrize("data", ["", " ", "\t\n", "\u3000\u00a0"])
def test_a_blank_text_is_refused(memories, stored, data):
    reply = send(memories.client, "PUT", memory_path(stored["id"]), {"data": data})
    assert reply.status_code == 422
    assert [entry["loc"] for entry in reply.json()["detail"]] == [["body", "data"]]
    assert memories.list() == [stored]
    assert len(memories.history(stored["id"])) == 1


def test_an_unknown_id_with_a_bad_body_is_told_about_the_body(ltm_client):
    reply = send(ltm_client, "PUT", memory_path(UNKNOWN), {"data": 5})
    assert reply.status_code == 422


# History.

def test_the_history_tells_everything_oldest_first(memories):
    stored = memories.store("one")
    memories.update(stored["id"], "two")
    last = memories.update(stored["id"], "three", category="fact")
    entries = memories.history(stored["id"])
    assert [entry["event"] for entry in entries] == ["ADD", "UPDATE", "UPDATE"]
    assert [entry["old_memory"] for entry in entries] == [None, "one", "two"]
    assert [entry["new_memory"] for entry in entries] == ["one", "two", "three"]
    assert [entry["is_deleted"] for entry in entries] == [False] * 3
    assert {entry["memory_id"] for entry in entries} == {stored["id"]}
    assert {entry["created_at"] for entry in entries} == {stored["created_at"]}
    assert all(set(entry) == HISTORY_FIELDS for entry in entries)
    ids = [entry["id"] for entry in entries]
    assert len(set(ids)) == 3 and all(isinstance(entry_id, str) and entry_id for entry_id in ids)
    times = [seconds(entry["updated_at"]) for entry in entries]
    assert times == sorted(times)
    assert times[-1] == seconds(last["updated_at"])


def test_the_history_survives_deletion_and_tells_of_it(memories):
    stored = memories.store("one")
    memories.update(stored["id"], "two")
    memories.delete(stored["id"])
    entries = memories.history(stored["id"])
    assert memories.told(stored["id"]) == [("ADD", None, "one"), ("UPDATE", "one", "two"), ("DELETE", "two", None)]
    assert entries[-1]["is_deleted"] is True
    assert entries[-1]["created_at"] == stored["created_at"]


@pytest.mark.parametrize("memory_id", [UNKNOWN, "no uuid", "ü / ?", "x" * 256])
def test_an_unknown_memory_has_no_history(memories, memory_id):
    assert memories.history(memory_id) == []


def test_a_duplicate_and_a_failed_change_leave_no_trace(memories, stored):
    memories.add("i LIKE tea", category="preference")
    send(memories.client, "PUT", memory_path(stored["id"]), {"data": ""})
    assert memories.told(stored["id"]) == [("ADD", None, "I like tea")]


def test_deleting_a_scope_is_told_in_every_history(ltm_client):
    memories = Memories(ltm_client, session_id=unique())
    stored = memories.remember("one", "two")
    assert memories.forget() == 2
    for memory in stored:
        assert memories.told(memory["id"])[-1] == ("DELETE", memory["memory"], None)


def test_a_text_told_anew_has_a_history_of_its_own(memories):
    first = memories.store("tea")
    memories.delete(first["id"])
    second = memories.store("tea")
    assert [event for event, *_ in memories.told(first["id"])] == ["ADD", "DELETE"]
    assert [event for event, *_ in memories.told(second["id"])] == ["ADD"]
