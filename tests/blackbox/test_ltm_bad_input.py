"""Requests to long-term memory that are not valid: every bad field is named at once, and nothing is stored."""

import json

import pytest
from support.memories import Memories, check_errors, memory_path, send, unique
from support.sessions import message

SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")
ADD, SEARCH, UPDATE = "add", "search", "update"
GOOD = {ADD: {"messages": "must not be stored"}, SEARCH: {"query": "kept"}, UPDATE: {"data": "must not be stored"}}


@pytest.fixture(scope="module")
def guarded_memories(ltm_server, ltm_client):
    """What bad requests are aimed at: in the end it must be as it was, and the server's log clean."""
    memories = Memories(ltm_client, user_id=unique("guarded"))
    memories.remember("kept, the one", "kept, the other", metadata={"a": 1})
    before = memories.list()
    yield memories
    assert memories.list() == before
    assert [memories.told(memory["id"]) for memory in before] == [
        [("ADD", None, memory["memory"])] for memory in before]
    assert [report for report in SANITIZER_REPORTS if report in ltm_server.log()] == []


@pytest.fixture
def guarded(guarded_memories):
    yield guarded_memories
    assert guarded_memories.client.get("/health").json() == {"status": "ok"}


def call(memories: Memories, name: str, body, **headers: str):
    """`body` as bytes is sent as it is."""
    method, path = {ADD: ("POST", "/ltm/memories"), SEARCH: ("POST", "/ltm/memories/search"),
                    UPDATE: ("PUT", memory_path(memories.list()[0]["id"]))}[name]
    return send(memories.client, method, path, body, **headers)


def with_field(memories: Memories, name: str, field: str, value) -> dict:
    scope = {} if name == UPDATE else memories.scope
    return {**GOOD[name], **scope, field: value}


TEXT, LIST_OR_TEXT = "string_type", "string_type|list_type"
BOOLEAN = "bool_type|bool_parsing"
BAD_FIELDS = [(name, field, value, kind) for names, field, values in [
    ((ADD,), "messages", [(None, LIST_OR_TEXT), (5, LIST_OR_TEXT), (True, LIST_OR_TEXT), ({}, LIST_OR_TEXT),
                          (message("x"), LIST_OR_TEXT)]),
    ((SEARCH,), "query", [(None, TEXT), (5, TEXT), (True, TEXT), ([], TEXT), ({}, TEXT), (["x"], TEXT),
                          ("", "value_error"), (" ", "value_error"), ("\t\r\n", "value_error"),
                          ("\u3000\u00a0\u2028", "value_error")]),
    ((UPDATE,), "data", [(None, TEXT), (5, TEXT), (False, TEXT), (["x"], TEXT), ({}, TEXT), ([message("x")], TEXT),
                         ("", "value_error"), (" \n", "value_error")]),
    ((ADD, SEARCH), "user_id", [(5, TEXT), (True, TEXT), (["u"], TEXT), ({}, TEXT), (1.5, TEXT),
                                ("x" * 257, "string_too_long"), ("é" * 129, "string_too_long"),
                                ("\0", "value_error"), ("a\nb", "value_error"), ("\x7f", "value_error"),
                                ("a\x1b[31m", "value_error")]),
    ((ADD, SEARCH), "agent_id", [(0, TEXT), ([], TEXT), ("🙂" * 65, "string_too_long"), ("\t", "value_error")]),
    ((ADD, SEARCH), "session_id", [(0, TEXT), ({}, TEXT), ("x" * 8000, "string_too_long"), ("\r", "value_error")]),
    ((ADD, UPDATE), "category", [(value, "enum") for value in (
        "", "opinion", "Fact", "FACT", " fact", "fact\0", 1, True, ["fact"], {})]),
    ((ADD, UPDATE), "metadata", [(value, "dict_type") for value in ([], [["a", 1]], "{}", "", 5, 0, False)]),
    ((ADD, UPDATE), "ttl_seconds", [
        (-1, "greater_than_equal"), ("-1", "greater_than_equal"), (-2**63, "greater_than_equal"),
        (1.5, "int_from_float"), (-0.5, "int_from_float"), ("", "int_parsing"), ("soon", "int_parsing"),
        ("1.5", "int_parsing"), ("9" * 40, "int_parsing_size"), (True, "int_type"), ([], "int_type"),
        ({}, "int_type"), (1e30, "int_parsing_size"), (2**63, "int_parsing_size"),
        (2**63 - 1, "less_than_equal|value_error")]),
    ((ADD,), "timestamp", [(value, "value_error|datetime_parsing|datetime_type") for value in (
        "", "yesterday", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2023-05-08T25:00:00Z", "8 May 2023",
        "2023-05-08T13:56:00+99:00", "2023-05-08T13:56:00Z trailing", True, [], {}, 1e300, -1e300, 2**63 - 1)]),
    ((ADD,), "infer", [("perhaps", BOOLEAN), (5, BOOLEAN), ([], BOOLEAN), ({}, BOOLEAN), (0.5, BOOLEAN),
                       (True, "value_error")]),
    ((SEARCH,), "limit", [(-1, "greater_than_equal"), (1001, "less_than_equal"), ("1001", "less_than_equal"),
                          (2**63 - 1, "less_than_equal"), (1.5, "int_from_float"), ("ten", "int_parsing"),
                          (True, "int_type"), ([], "int_type"), ({}, "int_type"), ("9" * 30, "int_parsing_size")]),
    ((SEARCH,), "threshold", [(-0.1, "greater_than_equal"), (1.1, "less_than_equal"), ("2", "less_than_equal"),
                              (-1e308, "greater_than_equal"), ("high", "float_parsing"), ("", "float_parsing"),
                              ("NaN", "float_parsing|finite_number"), ("inf", "float_parsing|finite_number"),
                              ([], "float_type"), ({}, "float_type")]),
    ((SEARCH,), "recency_half_life_days", [(0, "greater_than"), (-1, "greater_than"), ("0", "greater_than"),
                                           ("x", "float_parsing"), ([], "float_type")]),
    ((SEARCH,), "recency_weight", [(-0.1, "greater_than_equal"), (1.1, "less_than_equal"), ("x", "float_parsing"),
                                   ({}, "float_type")]),
    ((SEARCH,), "categories", [("fact", "list_type"), (5, "list_type"), ({}, "list_type"), (True, "list_type")]),
    ((SEARCH,), "explain", [("perhaps", BOOLEAN), (5, BOOLEAN), ([], BOOLEAN), ({}, BOOLEAN)]),
] for name in names for value, kind in values]


def field_id(value) -> str:
    return json.dumps(value)[:24] if not isinstance(value, str) else value[:24].encode("unicode_escape").decode()


@pytest.mark.parametrize(("name", "field", "value", "kind"), BAD_FIELDS, ids=field_id)
def test_a_bad_field_is_named(guarded, name, field, value, kind):
    check_errors(call(guarded, name, with_field(guarded, name, field, value)), (kind, "body", field))


# Inside of lists and objects.

@pytest.mark.parametrize(("item", "errors"), [
    (None, [("model_attributes_type",)]), ("text", [("model_attributes_type",)]), (5, [("model_attributes_type",)]),
    ([], [("model_attributes_type",)]), ({}, [("missing", "role"), ("missing", "content")]),
    ({"role": "user"}, [("missing", "content")]), ({"content": "x"}, [("missing", "role")]),
    ({"role": 5, "content": "x"}, [("string_type", "role")]),
    ({"role": None, "content": "x"}, [("string_type", "role")]),
    ({"role": "", "content": "x"}, [("string_too_short|value_error", "role")]),
    ({"role": "user", "content": None}, [(LIST_OR_TEXT, "content")]),
    ({"role": "user", "content": 5}, [(LIST_OR_TEXT, "content")]),
    ({"role": "user", "content": {"text": "x"}}, [(LIST_OR_TEXT, "content")]),
    ({"role": "user", "content": [5]}, [("model_attributes_type", "content", 0)]),
    ({"role": "user", "content": [{"text": "x"}]}, [("missing", "content", 0, "type")]),
    ({"role": "user", "content": [{"type": "text"}]}, [("missing", "content", 0, "text")]),
    ({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": 5}]},
     [("string_type", "content", 1, "text")]),
    ({"role": "user", "content": "x", "name": 5}, [("string_type", "name")]),
], ids=field_id)
def test_a_bad_message_is_named_by_its_place(guarded, item, errors):
    reply = guarded.post("", messages=[message("good"), item])
    check_errors(reply, *((kind, "body", "messages", 1, *place) for kind, *place in errors))


@pytest.mark.parametrize("name", [ADD, UPDATE])
@pytest.mark.parametrize("key", ["user_id", "agent_id", "session_id", "run_id", "category", "expires_at"])
@pytest.mark.parametrize("value", ["x", None, 5])
def test_a_reserved_key_in_metadata_is_refused(guarded, name, key, value):
    reply = call(guarded, name, with_field(guarded, name, "metadata", {"good": 1, key: value}))
    check_errors(reply, ("value_error", "body", "metadata", key))


def test_a_reserved_name_deeper_in_metadata_is_the_callers_own(memories):
    stored = memories.store("x", metadata={"a": {"user_id": "u", "category": "c"}})
    assert stored["metadata"]["a"] == {"user_id": "u", "category": "c"}


def test_bad_categories_are_named_by_their_place(guarded):
    reply = call(guarded, SEARCH, with_field(guarded, SEARCH, "categories", ["fact", "opinion", 5, "fact", None]))
    check_errors(reply, *(("enum", "body", "categories", place) for place in (1, 2, 4)))


def test_every_bad_field_is_named_at_once(guarded):
    check_errors(
        guarded.post("", {"messages": [{"role": 5}], "user_id": 5, "agent_id": "\0", "session_id": "x" * 257,
                          "category": "opinion", "metadata": [], "ttl_seconds": -1, "timestamp": "soon", "infer": "x"}),
        ("string_type", "body", "messages", 0, "role"), ("missing", "body", "messages", 0, "content"),
        ("string_type", "body", "user_id"), ("value_error", "body", "agent_id"),
        ("string_too_long", "body", "session_id"), ("enum", "body", "category"), ("dict_type", "body", "metadata"),
        ("greater_than_equal", "body", "ttl_seconds"), ("value_error", "body", "timestamp"),
        (BOOLEAN, "body", "infer"))
    check_errors(
        guarded.post("/search", {"query": 5, "user_id": [], "limit": "x", "threshold": 2, "categories": ["x", {}],
                                 "explain": "x", "recency_half_life_days": 0, "recency_weight": 7}),
        ("string_type", "body", "query"), ("string_type", "body", "user_id"), ("int_parsing", "body", "limit"),
        ("less_than_equal", "body", "threshold"), ("enum", "body", "categories", 0), ("enum", "body", "categories", 1),
        (BOOLEAN, "body", "explain"), ("greater_than", "body", "recency_half_life_days"),
        ("less_than_equal", "body", "recency_weight"))
    check_errors(
        call(guarded, UPDATE, {"data": 5, "metadata": {"category": "fact"}, "category": "x", "ttl_seconds": "x"}),
        ("string_type", "body", "data"), ("value_error", "body", "metadata", "category"), ("enum", "body", "category"),
        ("int_parsing", "body", "ttl_seconds"))


def test_a_thousand_bad_messages_are_all_named(guarded):
    reply = guarded.post("", messages=[{"role": "user"}] * 1000)
    check_errors(reply, *(("missing", "body", "messages", index, "content") for index in range(1000)))


# The words.

def test_infer_without_a_model_says_what_to_do(guarded):
    entry, = guarded.post("", messages="x", infer=True).json()["detail"]
    assert entry == {"type": "value_error", "loc": ["body", "infer"], "input": True, "msg": (
        "Value error, infer needs an LLM and none is configured (LLM_PROVIDER, LLM_API_KEY); leave it out or send "
        "false to keep the messages as they are")} | ({"ctx": entry["ctx"]} if "ctx" in entry else {})


@pytest.mark.parametrize("body", [{"messages": "x"}, {"messages": "x", "user_id": "", "agent_id": None},
                                  {"query": "x"}, {"query": "x", "session_id": ""}])
def test_a_scope_is_required(guarded, body):
    reply = guarded.post("" if "messages" in body else "/search", body)
    check_errors(reply, ("value_error", "body"))
    assert reply.json()["detail"][0]["msg"] == (
        "Value error, At least one of user_id, agent_id, or session_id must be provided")


def test_a_missing_scope_is_named_beside_other_fields(guarded):
    check_errors(guarded.post("", {}), ("missing", "body", "messages"), ("value_error", "body"))
    check_errors(guarded.post("/search", {"limit": -1}), ("missing", "body", "query"),
                 ("greater_than_equal", "body", "limit"), ("value_error", "body"))


@pytest.mark.parametrize("query", ["", "user_id=", "limit=5"])
def test_deleting_needs_a_scope(guarded, query):
    check_errors(guarded.client.delete(f"/ltm/memories?{query}"), ("value_error", "query"))


# Ids in the path and in the query.

BAD_IDS = [("x" * 257, "string_too_long"), ("%C3%A9" * 129, "string_too_long"), ("%00", "value_error"),
           ("a%0Ab", "value_error"), ("%7F", "value_error"), ("%FF", "string_unicode"), ("%ED%A0%80", "string_unicode")]


@pytest.mark.parametrize(("bad", "kind"), BAD_IDS)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/history")])
def test_a_bad_memory_id_is_named(guarded, method, rest, bad, kind):
    reply = send(guarded.client, method, f"/ltm/memories/{bad}{rest}", {"data": "x"} if method == "PUT" else b"")
    assert reply.status_code == 422
    entry, = reply.json()["detail"]
    assert (entry["type"], entry["loc"][0]) == (kind, "path")


@pytest.mark.parametrize(("bad", "kind"), BAD_IDS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("field", ["user_id", "agent_id", "session_id"])
def test_a_bad_id_in_the_query_is_named(guarded, method, field, bad, kind):
    reply = guarded.client.request(method, f"/ltm/memories?{field}={bad}")
    check_errors(reply, (kind, "query", field))


def test_an_id_of_256_bytes_is_fine(ltm_client):
    memories = Memories(ltm_client, user_id="é" * 100 + unique("x" * 19)[:56])
    assert len(memories.scope["user_id"].encode()) == 256
    stored = memories.store("x")
    assert memories.list() == [stored]
    assert memories.forget() == 1


# Bodies.

@pytest.mark.parametrize("name", [ADD, SEARCH, UPDATE])
@pytest.mark.parametrize(("body", "kind"), [
    (b"null", "missing"), (b"[]", "model_attributes_type"), (b'"x"', "model_attributes_type"),
    (b"5", "model_attributes_type"), (b"true", "model_attributes_type"),
])
def test_a_body_must_be_an_object(guarded, name, body, kind):
    check_errors(call(guarded, name, body), (kind, "body"))


@pytest.mark.parametrize("name", [ADD, UPDATE])
def test_a_body_must_be_there(guarded, name):
    check_errors(call(guarded, name, b""), ("missing", "body"))


INVALID = {
    "open": b'{"messages": "x', "trailing": b"{} x", "nan": b'{"a": NaN}', "lone_surrogate": rb'{"a": "\ud800"}',
    "invalid_utf8": b'{"a": "\xff"}', "raw_surrogate": b'{"a": "\xed\xa0\x80"}',
    "beyond_64_bits": b'{"a": 18446744073709551616}', "below_64_bits": b'{"a": -9223372036854775809}',
    "huge_exponent": b'{"a": 1e400}', "deep": b'{"a":' * 50_000,
    "deep_lists": b"[" * 100_000, "latin_1": '{"a": "é"}'.encode("latin-1"), "utf_16": "{}".encode("utf-16"),
}


@pytest.mark.parametrize("path", ["", "/search", "/batch/add", "/batch/search", "/batch/delete"])
@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_json_is_refused(guarded, path, name):
    reply = guarded.post(path, INVALID[name])
    assert reply.status_code == 422, reply.text
    entry, = reply.json()["detail"]
    assert (entry["type"], entry["msg"], entry["loc"][0]) == ("json_invalid", "JSON decode error", "body")


@pytest.mark.parametrize("path", ["", "/search", "/batch/add", "/batch/search", "/batch/delete"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                          "application/xml", "application/jsonx"])
def test_another_content_type_is_415(guarded, path, content_type):
    reply = guarded.client.post(f"/ltm/memories{path}", content=b'{"messages": "x", "user_id": "u"}',
                                headers={"Content-Type": content_type})
    assert reply.status_code == 415
    assert isinstance(reply.json()["detail"], str)


def test_a_body_over_the_limit_is_413(guarded):
    reply = guarded.post("", messages="x" * (4 << 20))
    assert (reply.status_code, set(reply.json())) == (413, {"detail"})


@pytest.mark.parametrize("levels", [3, 100, 120])
def test_metadata_may_be_deep(memories, levels):
    metadata = {}
    for _ in range(levels):
        metadata = {"a": metadata}
    stored = memories.store("x", metadata=metadata)
    assert memories.get(stored["id"])["metadata"] == {**metadata, "category": "semantic"}
