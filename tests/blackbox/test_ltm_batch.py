"""Batches: each item is served like a request of its own, and one bad item never fails the others."""

import pytest
from support.memories import CATEGORIES, MEMORY_FIELDS, NOTHING_NEW, Memories, check_errors, ids, texts, unique
from support.sessions import message

UNKNOWN = "01900000-0000-7000-8000-000000000000"
BATCHES = [("add", "items"), ("search", "items"), ("delete", "memory_ids")]


def entry(batch: str, scope: dict):
    return {"add": {"messages": "x", **scope}, "search": {"query": "x", **scope}, "delete": UNKNOWN}[batch]


# Adding.

def test_each_item_is_added_like_a_request_of_its_own(memories):
    reply = memories.batch("add", [
        {"messages": "one", **memories.scope},
        {"messages": [message("two"), message("three")], "category": "fact", "metadata": {"a": 1}, **memories.scope},
        {"messages": "", **memories.scope}, {"messages": "ONE", **memories.scope}])
    results = [item["result"] for item in reply["results"]]
    assert (reply["total"], reply["succeeded"], reply["failed"]) == (4, 4, 0)
    assert all(set(result) == MEMORY_FIELDS | {"results"} for result in results)
    assert [result["event"] for result in results] == ["ADD", "ADD", "NOOP", "NOOP"]
    assert texts(results[1]["results"]) == ["two", "three"]
    assert results[2] == NOTHING_NEW
    assert results[3]["id"] == results[0]["id"]
    assert texts(memories.list()) == ["three", "two", "one"]


def test_the_same_fact_in_many_items_is_stored_once(memories):
    reply = memories.batch("add", [{"messages": "tea", **memories.scope}] * 20)
    results = [item["result"] for item in reply["results"]]
    assert [result["event"] for result in results] == ["ADD"] + ["NOOP"] * 19
    assert len({result["id"] for result in results}) == 1
    assert len(memories.list()) == 1


def test_items_of_many_scopes_stay_apart(ltm_client):
    users = [Memories(ltm_client) for _ in range(10)]
    reply = Memories(ltm_client).batch("add", [{"messages": "the same", **user.scope} for user in users])
    assert reply["succeeded"] == 10
    assert [len(user.list()) for user in users] == [1] * 10


BAD_ITEMS = [
    (None, ""), (5, ""), ([], ""), ("text", ""), ({}, "messages: Field required"),
    ({"messages": "x"}, "At least one of user_id, agent_id, or session_id must be provided"),
    ({"messages": 5, "user_id": "u"}, "messages: "), ({"messages": [5], "user_id": "u"}, "messages"),
    ({"messages": [{"role": "user"}], "user_id": "u"}, "content: Field required"),
    ({"messages": "x", "user_id": 5}, "user_id: Input should be a valid string"),
    ({"messages": "x", "user_id": "u", "category": "opinion"}, "category: Input should be "),
    ({"messages": "x", "user_id": "u", "ttl_seconds": -1}, "ttl_seconds: "),
    ({"messages": "x", "user_id": "u", "metadata": []}, "metadata: Input should be a valid dictionary"),
    ({"messages": "x", "user_id": "u", "metadata": {"user_id": "v"}}, "metadata"),
    ({"messages": "x", "user_id": "u", "timestamp": "soon"}, "timestamp: "),
    ({"messages": "x", "user_id": "u", "infer": True}, "infer: "),
    ({"messages": "x", "user_id": "u\0"}, "user_id: "), ({"messages": "x", "user_id": "u" * 257}, "user_id: "),
]


@pytest.mark.parametrize(("item", "error"), BAD_ITEMS)
def test_a_bad_item_is_told_what_is_wrong_and_the_others_are_added(memories, item, error):
    if isinstance(item, dict) and item.get("user_id") == "u":
        item = {**item, **memories.scope}
    reply = memories.batch("add", [{"messages": "before", **memories.scope}, item,
                                   {"messages": "after", **memories.scope}])
    assert [result["success"] for result in reply["results"]] == [True, False, True]
    assert error in reply["results"][1]["error"]
    assert texts(memories.list()) == ["after", "before"]


def test_every_bad_field_of_an_item_is_named(memories):
    reply = memories.batch("add", [{"category": "opinion", "ttl_seconds": "x", **memories.scope}])
    for name in ("messages: Field required", "category: Input should be", "ttl_seconds: "):
        assert name in reply["results"][0]["error"]


# Searching.

def test_each_search_is_answered_like_a_request_of_its_own(ltm_client):
    one, two = Memories(ltm_client), Memories(ltm_client)
    stored = one.store("green tea"), two.store("black tea")
    reply = one.batch("search", [{"query": "tea", **one.scope}, {"query": "tea", **two.scope},
                                 {"query": " ", **one.scope}, {"query": "tea", "limit": 0, **one.scope},
                                 {"query": "nothing alike", **one.scope}])
    assert [item["success"] for item in reply["results"]] == [True, True, False, True, True]
    assert "query: " in reply["results"][2]["error"]
    results = [item["result"] and item["result"]["results"] for item in reply["results"]]
    assert [result and ids(result) for result in results] == [[stored[0]["id"]], [stored[1]["id"]], None, [], []]
    assert results[0] == one.search("tea")


def test_a_search_of_a_batch_may_be_explained(memories):
    memories.store("green tea")
    plain, explained = (item["result"] for item in memories.batch("search", [
        {"query": "tea", **memories.scope}, {"query": "tea", "explain": True, **memories.scope}])["results"])
    assert set(plain) == {"results"} and set(explained) == {"results", "timing_ms"}
    assert set(explained["results"][0]) == MEMORY_FIELDS | {"explanation"}


@pytest.mark.parametrize(("item", "error"), [
    (None, ""), ({}, "query: Field required"), ({"query": "x"}, "At least one of user_id"),
    ({"query": 5, "user_id": "u"}, "query: Input should be a valid string"), ({"query": "", "user_id": "u"}, "query: "),
    ({"query": "x", "user_id": "u", "limit": 1001}, "limit: "),
    ({"query": "x", "user_id": "u", "limit": -1}, "limit: "),
    ({"query": "x", "user_id": "u", "threshold": 2}, "threshold: "),
    ({"query": "x", "user_id": "u", "categories": ["opinion"]}, "categories"),
    ({"query": "x", "user_id": "u", "filters": {"metadata.a": {"like": 1}}}, "filters"),
    ({"query": "x", "user_id": "u", "explain": "perhaps"}, "explain: "),
])
def test_a_bad_search_fails_alone(memories, item, error):
    stored = memories.store("green tea")
    good = {"query": "tea", **memories.scope}
    reply = memories.batch("search", [good, item, good])
    assert [result["success"] for result in reply["results"]] == [True, False, True]
    assert error in reply["results"][1]["error"]
    assert ids(reply["results"][2]["result"]["results"]) == [stored["id"]]


# Deleting.

def test_each_id_is_deleted_like_a_request_of_its_own(memories):
    stored = memories.remember("one", "two", "three")
    wanted = [stored[0]["id"], UNKNOWN, stored[2]["id"], stored[0]["id"]]
    reply = memories.batch("delete", wanted, "memory_ids")
    assert [item["success"] for item in reply["results"]] == [True, False, True, False]
    assert [item["error"] for item in reply["results"]] == [None, "Memory not found", None, "Memory not found"]
    assert reply["results"][0]["result"] == {
        "id": stored[0]["id"], "deleted": True, "message": "Memory deleted successfully!"}
    assert texts(memories.list()) == ["two"]
    assert memories.told(stored[0]["id"]) == [("ADD", None, "one"), ("DELETE", "one", None)]


@pytest.mark.parametrize("item", [None, 5, "", ["x"], {}, "x" * 257, "a\0b"])
def test_a_bad_id_fails_alone(memories, item):
    stored = memories.remember("one", "two")
    reply = memories.batch("delete", [stored[0]["id"], item, stored[1]["id"]], "memory_ids")
    assert [result["success"] for result in reply["results"]] == [True, False, True]
    assert memories.list() == []


# Batches as a whole.

@pytest.mark.parametrize(("batch", "key"), BATCHES)
def test_an_empty_batch_does_nothing(memories, batch, key):
    assert memories.batch(batch, [], key) == {"results": [], "total": 0, "succeeded": 0, "failed": 0}


@pytest.mark.parametrize(("batch", "key"), BATCHES)
def test_fifty_are_served_and_one_more_is_refused(memories, batch, key):
    assert memories.batch(batch, [entry(batch, memories.scope)] * 50, key)["total"] == 50
    memories.forget()
    reply = memories.post(f"/batch/{batch}", {key: [entry(batch, memories.scope)] * 51})
    assert (reply.status_code, reply.json()) == (400, {"detail": "Batch size 51 exceeds maximum of 50"})
    assert memories.list() == []


@pytest.mark.parametrize(("batch", "key"), BATCHES)
@pytest.mark.parametrize("items", [None, {}, "x", 5, True])
def test_a_batch_must_be_a_list(memories, batch, key, items):
    check_errors(memories.post(f"/batch/{batch}", {key: items}), ("list_type", "body", key))


@pytest.mark.parametrize(("batch", "key"), BATCHES)
@pytest.mark.parametrize(("body", "kind", "inside"), [
    (b"", "missing", False), (b"null", "missing", False), (b"[]", "model_attributes_type", False),
    (b"{}", "missing", True), (b'{"entries": []}', "missing", True),
])
def test_a_batch_must_be_there(memories, batch, key, body, kind, inside):
    check_errors(memories.post(f"/batch/{batch}", body), (kind, "body", *([key] if inside else [])))


@pytest.mark.parametrize(("batch", "key"), BATCHES)
def test_the_largest_batch_is_a_setting(start_server, batch, key):
    server = start_server(MAAS_LOCAL_MODEL="none", LTM_MAX_BATCH_SIZE="3")
    with server.client() as client:
        memories = Memories(client)
        assert memories.batch(batch, [entry(batch, memories.scope)] * 3, key)["total"] == 3
        reply = memories.post(f"/batch/{batch}", {key: [entry(batch, memories.scope)] * 4})
        assert (reply.status_code, reply.json()) == (400, {"detail": "Batch size 4 exceeds maximum of 3"})


def test_a_request_may_bring_so_many_memories_and_no_more(start_server):
    server = start_server(MAAS_LOCAL_MODEL="none", LTM_MAX_MEMORIES_PER_REQUEST="5")
    with server.client() as client:
        memories = Memories(client)
        several = [message(f"memory {number}") for number in range(6)]
        assert len(memories.add(several[:5])["results"]) == 5
        memories.forget()
        assert memories.post("", messages=several).status_code == 422
        items = [{"messages": several[:3], **memories.scope}, {"messages": several[3:], **memories.scope}]
        assert memories.post("/batch/add", {"items": items}).status_code == 422
        assert memories.list() == []


def test_two_thousand_memories_may_come_at_once(memories):
    results = memories.remember(*(f"memory {number}" for number in range(2000)))
    assert len(results) == 2000
    assert memories.post("", messages=[message(f"other {number}") for number in range(2001)]).status_code == 422
    assert memories.forget() == 2000


def test_a_batch_of_everything_that_exists_is_one_round(ltm_client):
    memories = Memories(ltm_client, user_id=unique(), agent_id="a")
    memories.batch("add", [{"messages": f"{category} note", "category": category, **memories.scope}
                           for category in CATEGORIES])
    reply = memories.batch("search", [{"query": "note", "categories": [category], **memories.scope}
                                      for category in CATEGORIES])
    assert [[found["category"] for found in item["result"]["results"]] for item in reply["results"]] == [
        [category] for category in CATEGORIES]
    memories.batch("delete", ids(memories.list()), "memory_ids")
    assert memories.ask("note") == {"results": []}
