"""Requests that are proper HTTP but not valid: every bad field is named, at once, as Pydantic v2 words it."""

import json

import pytest

ANY = object()
ROLES = "'user', 'assistant', 'system' or 'summary'"
STRATEGIES = "'sliding_window' or 'token_threshold'"
WORDS = {
    "missing": "Field required",
    "string_type": "Input should be a valid string",
    "string_too_long": "String should have at most 256 bytes",
    "string_unicode": "Input should be a valid string, unable to parse raw data as a unicode string",
    "int_type": "Input should be a valid integer",
    "int_from_float": "Input should be a valid integer, got a number with a fractional part",
    "int_parsing": "Input should be a valid integer, unable to parse string as an integer",
    "int_parsing_size": "Unable to parse input string as an integer, exceeded maximum size",
    "list_type": "Input should be a valid list",
    "dict_type": "Input should be a valid dictionary",
    "model_attributes_type": "Input should be a valid dictionary or object to extract fields from",
    "greater_than": "Input should be greater than 0",
    "value_error": "Value error, control characters are not allowed",
}
CONTEXTS = {"greater_than": {"gt": 0}, "string_too_long": {"max_length": 256}}


def problem(kind: str, *loc, value=ANY, expected: str = "") -> dict:
    """What one entry of `detail` must be; `value` is its input."""
    entry = {"type": kind, "loc": list(loc), "msg": WORDS.get(kind, f"Input should be {expected}"), "input": value}
    if expected:
        entry["ctx"] = {"expected": expected}
    elif kind in CONTEXTS:
        entry["ctx"] = CONTEXTS[kind]
    return entry


def role(index: int, value) -> dict:
    return problem("enum", "body", "messages", index, "role", value=value, expected=ROLES)


def check(reply, *problems: dict):
    assert reply.status_code == 422, reply.text
    assert set(reply.json()) == {"detail"}
    assert reply.headers["Content-Type"] == "application/json" and reply.headers["X-Request-ID"]
    entries = reply.json()["detail"]
    for entry in entries:
        assert set(entry) - {"ctx"} == {"type", "loc", "msg", "input"}
    by_place = sorted(entries, key=lambda entry: str(entry["loc"]))
    expected = sorted(problems, key=lambda entry: str(entry["loc"]))
    assert [(entry["type"], entry["loc"]) for entry in by_place] == [(want["type"], want["loc"]) for want in expected]
    for entry, want in zip(by_place, expected, strict=True):
        assert entry["msg"] == want["msg"]
        assert entry.get("ctx", ANY) == want.get("ctx", entry.get("ctx", ANY))
        if want["input"] is not ANY:
            # As text, so that 1, 1.0 and True differ.
            assert json.dumps(entry["input"]) == json.dumps(want["input"])


def put(session, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return session.client.put(session.path("/config"), content=content, headers={"Content-Type": "application/json"})


# Bodies as a whole.

@pytest.mark.parametrize("send", [lambda session, body: session.post(body), put], ids=["append", "configure"])
@pytest.mark.parametrize(("body", "kind"), [
    (b"", "missing"), (b"null", "missing"), (b" null\n", "missing"), (b"[]", "model_attributes_type"),
    (b'[{"role": "user", "content": "x"}]', "model_attributes_type"), (b'"{}"', "model_attributes_type"),
    (b"5", "model_attributes_type"), (b"-1.5", "model_attributes_type"), (b"true", "model_attributes_type"),
])
def test_a_body_must_be_an_object(guarded, send, body, kind):
    check(send(guarded, body), problem(kind, "body", value=json.loads(body or b"null")))


# Messages.

@pytest.mark.parametrize("messages", [None, {}, {"role": "user", "content": "x"}, "text", "", 5, 1.5, False])
def test_messages_must_be_a_list(guarded, messages):
    check(guarded.post({"messages": messages}), problem("list_type", "body", "messages", value=messages))


@pytest.mark.parametrize("item", [None, "text", 5, True, [], [{"role": "user", "content": "x"}]])
def test_a_message_must_be_an_object(guarded, item):
    check(guarded.post({"messages": [item]}), problem("model_attributes_type", "body", "messages", 0, value=item))


@pytest.mark.parametrize("value", ["robot", "User", "USER", "", " user", "user\0", "tool", None, 5, True, ["user"], {}])
def test_a_role_must_be_one_of_four(guarded, value):
    check(guarded.post({"messages": [{"role": value, "content": "x"}]}), role(0, value))


@pytest.mark.parametrize("value", [None, 5, 1.5, True, ["text"], {"text": "x"}, [{"type": "text", "text": "x"}]])
def test_content_must_be_a_string(guarded, value):
    check(guarded.post({"messages": [{"role": "user", "content": value}]}),
          problem("string_type", "body", "messages", 0, "content", value=value))


@pytest.mark.parametrize("value", [[], [["a", 1]], "{}", "", 5, 0, False, True])
def test_metadata_must_be_an_object_or_null(guarded, value):
    check(guarded.post({"messages": [{"role": "user", "content": "x", "metadata": value}]}),
          problem("dict_type", "body", "messages", 0, "metadata", value=value))


@pytest.mark.parametrize(("item", "missing"), [
    ({}, ["role", "content"]), ({"role": "user"}, ["content"]), ({"content": "x", "metadata": {}}, ["role"]),
    ({"Role": "user", "Content": "x"}, ["role", "content"]),
])
def test_role_and_content_are_required(guarded, item, missing):
    check(guarded.post({"messages": [item]}),
          *(problem("missing", "body", "messages", 0, field, value=item) for field in missing))


def test_every_bad_field_of_every_message_is_named_at_once(guarded):
    good = {"role": "user", "content": "must not be stored"}
    check(guarded.post({"messages": [good, {"role": "robot", "content": 1, "metadata": []}, good, 7, {"role": None},
                                     {"content": [], "metadata": "x"}]}),
          role(1, "robot"),
          problem("string_type", "body", "messages", 1, "content", value=1),
          problem("dict_type", "body", "messages", 1, "metadata", value=[]),
          problem("model_attributes_type", "body", "messages", 3, value=7),
          role(4, None),
          problem("missing", "body", "messages", 4, "content", value={"role": None}),
          problem("missing", "body", "messages", 5, "role", value={"content": [], "metadata": "x"}),
          problem("string_type", "body", "messages", 5, "content", value=[]),
          problem("dict_type", "body", "messages", 5, "metadata", value="x"))


def test_a_thousand_bad_messages_are_all_named(guarded):
    reply = guarded.post({"messages": [{"role": "x", "content": "y"}] * 1000})
    check(reply, *(role(index, "x") for index in range(1000)))


# Settings.

@pytest.mark.parametrize("value", ["", "window", "SLIDING_WINDOW", "token_threshold ", 1, True, ["sliding_window"], {}])
def test_a_strategy_must_be_one_of_two(guarded, value):
    check(put(guarded, {"strategy": value}), problem("enum", "body", "strategy", value=value, expected=STRATEGIES))


@pytest.mark.parametrize("field", ["max_messages", "max_tokens"])
@pytest.mark.parametrize(("value", "kind"), [
    (0, "greater_than"), (-1, "greater_than"), (-2**63, "greater_than"), ("0", "greater_than"), ("-7", "greater_than"),
    (1.5, "int_from_float"), (-0.5, "int_from_float"), (1e-300, "int_from_float"),
    ("", "int_parsing"), ("five", "int_parsing"), ("5.5", "int_parsing"), ("0x5", "int_parsing"),
    ("5\0", "int_parsing"), ("1 000", "int_parsing"), ("9223372036854775808", "int_parsing_size"),
    ("-" + "9" * 40, "int_parsing_size"),
    (True, "int_type"), (False, "int_type"), ([], "int_type"), ([5], "int_type"), ({}, "int_type"),
])
def test_a_limit_must_be_a_positive_integer(guarded, field, value, kind):
    check(put(guarded, {field: value}), problem(kind, "body", field, value=value))


@pytest.mark.parametrize("number", [b"9223372036854775808", b"18446744073709551616", b"-9223372036854775809",
                                    b"1" * 400])
def test_a_limit_beyond_64_bits_is_refused(guarded, number):
    reply = put(guarded, b'{"max_tokens": ' + number + b"}")
    assert reply.status_code == 422
    entry, = reply.json()["detail"]
    if entry["type"] == "json_invalid":
        assert entry["loc"][0] == "body"
    else:
        assert (entry["type"], entry["loc"]) == ("int_parsing_size", ["body", "max_tokens"])


def test_a_whole_float_beyond_64_bits_is_refused(guarded):
    assert put(guarded, b'{"max_tokens": 1e30}').status_code == 422


def test_every_bad_setting_is_named_at_once_and_none_is_changed(guarded):
    check(put(guarded, {"strategy": "x", "max_messages": 0, "max_tokens": "many"}),
          problem("enum", "body", "strategy", value="x", expected=STRATEGIES),
          problem("greater_than", "body", "max_messages", value=0),
          problem("int_parsing", "body", "max_tokens", value="many"))
    check(put(guarded, {"strategy": "token_threshold", "max_messages": 3, "max_tokens": 0}),
          problem("greater_than", "body", "max_tokens", value=0))


# Queries.

INTEGERS = [("abc", "int_parsing"), ("", "int_parsing"), ("1.5", "int_parsing"), ("1e3", "int_parsing"),
            ("0x10", "int_parsing"), ("--1", "int_parsing"), ("true", "int_parsing"), ("null", "int_parsing"),
            ("1,5", "int_parsing"), ("٣", "int_parsing"), ("1\0", "int_parsing"), ("NaN", "int_parsing"),
            ("9223372036854775808", "int_parsing_size"), ("-9223372036854775809", "int_parsing_size"),
            ("9" * 500, "int_parsing_size")]


@pytest.mark.parametrize(("text", "kind"), INTEGERS)
def test_limit_must_be_an_integer(guarded, text, kind):
    reply = guarded.client.get(guarded.path("/messages"), params={"limit": text})
    check(reply, problem(kind, "query", "limit", value=text))


@pytest.mark.parametrize("name", ["max_tokens", "max_messages"])
@pytest.mark.parametrize(("text", "kind"), [*INTEGERS, ("0", "greater_than"), ("-1", "greater_than"),
                                            ("-9223372036854775808", "greater_than")])
def test_overrides_must_be_positive_integers(guarded, name, text, kind):
    reply = guarded.client.get(guarded.path("/context"), params={name: text})
    check(reply, problem(kind, "query", name))


def test_every_bad_query_parameter_is_named_at_once(guarded):
    reply = guarded.client.get(guarded.path("/context"), params={"max_tokens": "x", "max_messages": "0"})
    check(reply, problem("int_parsing", "query", "max_tokens", value="x"),
          problem("greater_than", "query", "max_messages"))


@pytest.mark.parametrize("query", ["limit=%FF", "limit=%ED%A0%80", "limit=1%C3"])
def test_a_query_value_of_invalid_utf8_is_refused(guarded, query):
    reply = guarded.client.get(f"{guarded.path('/messages')}?{query}")
    assert reply.status_code in (400, 422)
    reply.json()


# Session ids.

@pytest.mark.parametrize(("id_in_path", "kind"), [
    ("x" * 257, "string_too_long"), ("%C3%A9" * 129, "string_too_long"), ("%F0%9F%99%82" * 65, "string_too_long"),
    ("x" * 8000, "string_too_long"), ("%00", "value_error"), ("a%0Ab", "value_error"), ("a%0D%0Ab", "value_error"),
    ("%09", "value_error"), ("%1B%5B31m", "value_error"), ("%1F", "value_error"), ("%7F", "value_error"),
    ("%FF", "string_unicode"), ("a%C3", "string_unicode"), ("%C3%28", "string_unicode"), ("%C0%AF", "string_unicode"),
    ("%ED%A0%80", "string_unicode"), ("%F4%90%80%80", "string_unicode"), ("%80", "string_unicode"),
])
@pytest.mark.parametrize("call", ["append", "list", "context", "delete", "configure", "settings"])
def test_session_ids_are_checked_by_every_call(guarded, call, id_in_path, kind):
    method, rest, body = {
        "append": ("POST", "/messages", {"messages": []}), "list": ("GET", "/messages", None),
        "context": ("GET", "/context", None), "delete": ("DELETE", "", None), "configure": ("PUT", "/config", {}),
        "settings": ("GET", "/config", None)}[call]
    reply = guarded.client.request(method, f"/stm/{id_in_path}{rest}", json=body)
    check(reply, problem(kind, "path", "session_id"))


def test_path_query_and_body_are_judged_together(guarded):
    too_long = "x" * 257
    check(guarded.client.get(f"/stm/{too_long}/messages", params={"limit": "x"}),
          problem("string_too_long", "path", "session_id", value=too_long),
          problem("int_parsing", "query", "limit", value="x"))
    check(guarded.client.post(f"/stm/{too_long}/messages", json={"messages": [{"role": "x", "content": "y"}]}),
          problem("string_too_long", "path", "session_id", value=too_long), role(0, "x"))
    check(guarded.client.put(f"/stm/{too_long}/config", json={"max_tokens": 0}),
          problem("string_too_long", "path", "session_id", value=too_long),
          problem("greater_than", "body", "max_tokens", value=0))
