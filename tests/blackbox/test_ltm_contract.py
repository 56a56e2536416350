"""Adding, reading, changing and forgetting one memory, as the contract has it."""

import datetime
import re
import time

import pytest
from support.memories import CATEGORIES, HISTORY_FIELDS, MEMORY_FIELDS, NOTHING_NEW, Memories, ids, memory_path, \
    seconds, send, shown, texts, unique
from support.sessions import message

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UNKNOWN = "01900000-0000-7000-8000-000000000000"
PARTS = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "data:,"}},
         {"type": "text", "text": "two"}]


# Shapes.

def test_an_added_memory_shows_all_its_fields(memories):
    before = time.time()
    reply = memories.post("", messages="I live in Lisbon", category="fact", metadata={"source": "chat"})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    body = reply.json()
    assert set(body) == MEMORY_FIELDS | {"results"}
    result, = body["results"]
    assert {**result, "results": [result]} == body
    assert UUID7.fullmatch(result["id"])
    assert before - 1 < seconds(result["created_at"]) < time.time() + 1
    assert abs(seconds(result["updated_at"]) - seconds(result["created_at"])) < 1
    del result["id"], result["created_at"], result["updated_at"]
    assert result == {"memory": "I live in Lisbon", "metadata": {"source": "chat", "category": "fact"}, "score": None,
                      "event": "ADD", "agent_id": None, "session_id": None, "category": "fact", "expires_at": None,
                      **memories.scope}


def test_get_and_list_show_what_add_replied(memories):
    stored = memories.store("The keys hang behind the door", metadata={"n": [1, None, "é"]})
    assert memories.get(stored["id"]) == stored
    assert memories.page() == {"results": [stored], "next_cursor": None}


def test_search_shows_the_same_with_a_score(memories):
    stored = memories.store("The keys hang behind the door")
    reply = memories.ask("keys")
    assert set(reply) == {"results"}
    found, = reply["results"]
    assert {**found, "score": None} == stored
    assert isinstance(found["score"], float) and 0 < found["score"] <= 1


def test_a_scope_of_three_ids_is_shown(ltm_client):
    scope = {"user_id": unique(), "agent_id": "helper ü", "session_id": "s/1"}
    stored = Memories(ltm_client, **scope).store("x")
    assert {name: stored[name] for name in scope} == scope


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_stored(memories, category):
    stored = memories.store("x", category=category)
    assert stored["category"] == stored["metadata"]["category"] == category
    assert memories.get(stored["id"]) == stored


def test_without_a_category_it_is_semantic(memories):
    assert memories.store("x")["category"] == memories.store("y", category="semantic")["category"] == "semantic"


@pytest.mark.parametrize("field", ["category", "metadata", "ttl_seconds", "infer", "timestamp", "agent_id",
                                   "session_id"])
def test_null_is_absent(memories, field):
    stored = memories.store("x", **{field: None})
    assert (stored["metadata"], stored["expires_at"]) == (shown(None), None)


@pytest.mark.parametrize("name", ["agent_id", "session_id"])
def test_an_empty_id_is_not_given(memories, name):
    assert memories.store("x", **{name: ""})[name] is None


# Messages.

@pytest.mark.parametrize(("messages", "expected"), [
    ("a text", ["a text"]), ([message("one"), message("two", "assistant")], ["one", "two"]),
    ([message("kept", "tool"), message("rule", "system"), message("too", "user")], ["kept", "too"]),
    ([message("")], []), ([message(""), message("x")], ["x"]), ([message(PARTS)], None),
    ([message([])], []), ([message(PARTS[1:2])], []), ([message("x", name="Ana")], ["x"]),
    ([message("x", unknown=1, name=None)], ["x"]), (" spaced out \n", None),
])
def test_messages_become_memories(memories, messages, expected):
    results = memories.add(messages)["results"]
    if expected is None:  # one memory that holds the text, joined or trimmed as the server likes
        joined, = texts(results)
        assert re.search(r"one\s*two|spaced out", joined)
    else:
        assert texts(results) == expected
        assert texts(memories.list())[::-1] == expected


@pytest.mark.parametrize("messages", ["", [], [message("be kind", "system")], [message("")], [message([])],
                                      [message("a", "system"), message("", "user")]])
def test_nothing_to_keep_is_a_noop(memories, messages):
    assert memories.add(messages, category="fact", metadata={"a": 1}) == NOTHING_NEW
    assert memories.list() == []


def test_the_first_result_stands_at_the_top(memories):
    memories.store("known")
    reply = memories.add([message("known"), message("new"), message("newer")])
    assert [item["event"] for item in reply["results"]] == ["NOOP", "ADD", "ADD"]
    assert {name: reply[name] for name in MEMORY_FIELDS} == reply["results"][0]


CONTENTS = {
    "nul": "a\0b\0", "controls": "\x01\x1b[31m\x7f", "special_token": "<|endoftext|>", "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 ❤️",
    "right_to_left": "שלום עולם \u202eabc\u202c", "combining": "e\u0301 \u1100\u1161\u11a8", "cjk": "東京は日本の首都です。",
    "beyond_bmp": "𝔘𝔫𝔦 \U0010ffff", "noncharacters": "\ufffe\uffff", "sql": "'; DROP TABLE memories; --",
    "long": "word " * 20_000 + "end", "punctuation": "?!… ---", "one_word": "x" * 50_000,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_any_text_comes_back_unchanged(memories, name):
    stored = memories.store(CONTENTS[name], metadata={CONTENTS[name][:50]: CONTENTS[name]})
    assert stored["memory"] == CONTENTS[name]
    assert stored["metadata"] == shown({CONTENTS[name][:50]: CONTENTS[name]})
    assert memories.get(stored["id"]) == stored
    assert memories.list() == [stored]
    assert memories.told(stored["id"]) == [("ADD", None, CONTENTS[name])]


@pytest.mark.parametrize("metadata", [None, {}, {"a": {"b": [{"c": [[], {}, None]}]}}, {"": "empty key"},
                                      {"n": [0, -1, 2**53 + 1, 2**63 - 1, -2**63, 0.1, 1e300]}, {"t": True, "id": 5},
                                      {"memory": "x", "score": 2, "event": "ADD", "created_at": "now"}])
def test_metadata_is_shown_with_the_category_and_touches_no_field(memories, metadata):
    stored = memories.store("the text", metadata=metadata, category="preference")
    assert stored["metadata"] == shown(metadata, "preference")
    assert (stored["memory"], stored["score"]) == ("the text", None)
    assert memories.get(stored["id"]) == stored


def test_infer_false_keeps_messages_as_they_are(memories):
    assert memories.store("I like tea. I hate rain.", infer=False)["memory"] == "I like tea. I hate rain."


# Duplicates.

@pytest.mark.parametrize(("first", "second"), [
    ("Tea", "Tea"), ("I like Tea", "i LIKE tea"), ("I like tea", "  I \t like\n\ntea "), ("ｔｅａ　ｔｉｍｅ", "tea time"),
    ("ﬁne", "fine"), ("e\u0301t\u00e9", "\u00e9te\u0301"), ("Straße", "STRASSE"), ("ｶﾞｷﾞ", "ガギ"), ("①", "1"),
    ("a\u00a0b", "a b"), ("ΣΟΦΟΣ", "σοφος"),
])
def test_the_same_text_folded_is_a_noop_with_the_id_that_is_there(memories, first, second):
    stored = memories.store(first, metadata={"kept": True})
    again = memories.add(second, metadata={"kept": False})
    assert (again["event"], again["id"], again["memory"]) == ("NOOP", stored["id"], first)
    assert memories.list() == [stored]
    assert memories.told(stored["id"]) == [("ADD", None, first)]


@pytest.mark.parametrize(("first", "second"), [("tea", "tee"), ("tea", "te a"), ("tea", "tea."), ("été", "ete")])
def test_another_text_is_no_duplicate(memories, first, second):
    memories.store(first)
    memories.store(second)


def test_the_same_text_twice_in_one_request_is_stored_once(memories):
    first, second, third = memories.remember("one fact", "ONE  fact", "another")
    assert [first["event"], second["event"], third["event"]] == ["ADD", "NOOP", "ADD"]
    assert first["id"] == second["id"]
    assert len(memories.list()) == 2


def test_another_category_or_scope_is_no_duplicate(ltm_client):
    user = unique()
    scopes = [{"user_id": user}, {"user_id": user, "agent_id": "a"}, {"user_id": user, "session_id": "s"},
              {"agent_id": user}, {"session_id": user}, {"user_id": user.upper()}]
    stored = [Memories(ltm_client, **scope).store("tea", category=category)
              for scope in scopes for category in CATEGORIES]
    assert len(set(ids(stored))) == len(scopes) * len(CATEGORIES)


def test_a_deleted_text_can_be_told_anew(memories):
    first = memories.store("tea")
    memories.delete(first["id"])
    assert memories.store("tea")["id"] != first["id"]


# Times.

@pytest.mark.parametrize(("timestamp", "expected"), [
    ("2023-05-08T13:56:00Z", "2023-05-08T13:56:00+00:00"), ("2023-05-08T13:56:00", "2023-05-08T13:56:00+00:00"),
    ("2023-05-08T13:56:00+02:00", "2023-05-08T11:56:00+00:00"), ("2023-05-08T13:56:00.25-05:30",
                                                                "2023-05-08T19:26:00.25+00:00"),
    ("2024-02-29T23:59:59.999999+00:00", "2024-02-29T23:59:59.999999+00:00"), (0, "1970-01-01T00:00:00+00:00"),
    (1683554160, "2023-05-08T13:56:00+00:00"), (1683554160.5, "2023-05-08T13:56:00.5+00:00"),
    (-86400, "1969-12-31T00:00:00+00:00"),
])
def test_a_timestamp_says_when_it_was_said(memories, timestamp, expected):
    stored = memories.store("x", timestamp=timestamp)
    assert seconds(stored["created_at"]) == datetime.datetime.fromisoformat(expected).timestamp()
    assert abs(seconds(stored["updated_at"]) - time.time()) < 60
    assert memories.get(stored["id"]) == stored


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_can_not_be_shown_is_refused(memories, timestamp):
    """In UTC it is of the year 0 or 10000, which ISO 8601 has no four digits for."""
    assert memories.post("", messages="x", timestamp=timestamp).status_code == 422
    assert memories.list() == []


def test_a_time_to_live_is_shown_as_the_moment_of_its_end(memories):
    before = time.time()
    stored = memories.store("x", ttl_seconds=3600)
    assert isinstance(stored["expires_at"], float)
    assert before + 3599 < stored["expires_at"] < time.time() + 3601
    assert stored["metadata"] == shown(None, expires_at=stored["expires_at"])
    assert memories.get(stored["id"]) == stored


def test_a_time_to_live_of_0_is_for_ever(memories):
    assert memories.store("x", ttl_seconds=0)["expires_at"] is None


def test_the_default_time_to_live_is_a_setting(start_server):
    server = start_server(MAAS_LOCAL_MODEL="none", LTM_DEFAULT_TTL_SECONDS="500")
    with server.client() as client:
        memories = Memories(client)
        assert 0 < memories.store("default")["expires_at"] - time.time() <= 500
        assert memories.store("for ever", ttl_seconds=0)["expires_at"] is None
        assert 500 < memories.store("longer", ttl_seconds=900)["expires_at"] - time.time() <= 900


# Deletion and unknown ids.

def test_delete_says_so_and_forgets(memories):
    stored, other = memories.store("x"), memories.store("y")
    assert memories.delete(stored["id"]) == {
        "id": stored["id"], "deleted": True, "message": "Memory deleted successfully!"}
    assert not memories.is_visible(stored["id"])
    assert memories.list() == [other]
    assert memories.found("x") == []


@pytest.mark.parametrize("memory_id", [UNKNOWN, "no uuid", "ü / ?", "..", "x" * 256, "0"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_id_is_404(ltm_client, method, memory_id):
    reply = send(ltm_client, method, memory_path(memory_id), {"data": "x"} if method == "PUT" else b"")
    assert (reply.status_code, reply.json()) == (404, {"detail": "Memory not found"})


def test_what_was_deleted_is_unknown(memories):
    stored = memories.store("x")
    memories.delete(stored["id"])
    for method in ("GET", "PUT", "DELETE"):
        reply = send(memories.client, method, memory_path(stored["id"]), {"data": "x"} if method == "PUT" else b"")
        assert reply.status_code == 404


def test_deleting_a_scope_takes_everything_in_it_and_only_that(ltm_client):
    user, other = unique(), unique()
    inside = [Memories(ltm_client, user_id=user, **more).store("x")
              for more in ({}, {"agent_id": "a"}, {"session_id": "s"}, {"agent_id": "a", "session_id": "s"})]
    outside = Memories(ltm_client, user_id=other).store("x")
    assert Memories(ltm_client, user_id=user, agent_id="a").forget() == 2
    assert set(ids(Memories(ltm_client, user_id=user).list())) == {inside[0]["id"], inside[2]["id"]}
    assert Memories(ltm_client, user_id=user).forget() == 2
    assert Memories(ltm_client, user_id=user).forget() == 0
    assert Memories(ltm_client, user_id=user).search("x") == []
    assert Memories(ltm_client, user_id=other).list() == [outside]
    assert [Memories(ltm_client).told(item["id"])[-1][0] for item in inside] == ["DELETE"] * 4


# Routes.

@pytest.mark.parametrize(("method", "path"), [
    ("PATCH", "/ltm/memories"), ("PUT", "/ltm/memories"), ("POST", f"/ltm/memories/{UNKNOWN}"),
    ("PATCH", f"/ltm/memories/{UNKNOWN}"), ("POST", f"/ltm/memories/{UNKNOWN}/history"),
    ("DELETE", f"/ltm/memories/{UNKNOWN}/history"), ("GET", "/ltm/memories/batch/add"),
    ("PUT", "/ltm/memories/batch/search"), ("DELETE", "/ltm/memories/batch/delete"),
])
def test_a_wrong_method_is_405_and_told_the_right_ones(ltm_client, method, path):
    reply = ltm_client.request(method, path)
    assert (reply.status_code, reply.json()) == (405, {"detail": "Method Not Allowed"})
    assert reply.headers["Allow"] and method not in reply.headers["Allow"].split(", ")


@pytest.mark.parametrize("path", ["/ltm", "/ltm/", "/ltm/memories/", "/ltm/memories/x/y", "/ltm/memories/batch/get",
                                  "/ltm/memory", f"/ltm/memories/{UNKNOWN}/history/1", "/LTM/memories"])
def test_an_unknown_path_is_404(ltm_client, path):
    reply = ltm_client.get(path)
    assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})


def test_head_is_get_without_a_body(memories):
    stored = memories.store("x")
    for path in (memory_path(stored["id"]), memory_path(stored["id"], "/history"),
                 f"/ltm/memories?user_id={stored['user_id']}"):
        head, whole = memories.client.head(path), memories.client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert memories.client.head(memory_path(UNKNOWN)).status_code == 404


def test_unknown_fields_and_parameters_are_ignored(memories):
    stored = memories.store("x", memory="y", id=UNKNOWN, version=5, limit="many")
    assert stored["memory"] == "x" and stored["id"] != UNKNOWN
    assert memories.page(unknown="1", offset="x")["results"] == [stored]
    assert len(memories.search("x", unknown=1, cursor=5)) == 1


def test_a_history_entry_shows_all_its_fields(memories):
    stored = memories.store("x")
    entry, = memories.history(stored["id"])
    assert set(entry) == HISTORY_FIELDS
