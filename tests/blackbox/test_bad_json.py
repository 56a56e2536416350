"""Bodies that are not JSON, or JSON that can't be kept exactly, and bodies that are not declared as JSON."""

import gzip
import json

import pytest

STORE = b'{"messages": [{"role": "user", "content": "must not be stored", "metadata": {"x": %s}}]}'


def check_json_invalid(reply, body: bytes):
    assert reply.status_code == 422, reply.text
    entry, = reply.json()["detail"]
    assert set(entry) == {"type", "loc", "msg", "input", "ctx"}
    assert (entry["type"], entry["msg"], entry["input"]) == ("json_invalid", "JSON decode error", {})
    where, offset = entry["loc"]
    assert where == "body" and isinstance(offset, int) and 0 <= offset <= len(body)
    assert isinstance(entry["ctx"]["error"], str) and entry["ctx"]["error"]


def send(session, call: str, body: bytes, **headers: str):
    method, rest = {"append": ("POST", "/messages"), "configure": ("PUT", "/config")}[call]
    return session.client.request(method, session.path(rest), content=body,
                                  headers={"Content-Type": "application/json", **headers})


MALFORMED = {
    "open_object": b"{", "open_list": b'{"messages": [', "open_string": b'{"messages', "mismatched": b'{"messages": [}',
    "comma_at_the_end_of_an_object": b'{"messages": [],}', "comma_at_the_end_of_a_list": b'{"messages": [[],]}',
    "single_quotes": b"{'messages': []}", "bare_key": b"{messages: []}", "no_colon": b'{"messages" []}',
    "no_comma": b'{"messages": [] "a": 1}', "number_as_key": b"{1: 2}", "comment": b'{"messages": [] /* none */}',
    "text_after": b'{"messages": []} x', "second_value": b"{}{}", "nul_after": b"{}\0", "comma_after": b"{},",
    "bracket_after": b'{"messages": []}]', "only_spaces": b"  \r\n\t ", "only_nul": b"\0", "word": b"hello",
    "cut_literal": b"nul", "wrong_case": b'{"a": True}', "undefined": b'{"a": undefined}', "form": b"messages=x&a=1",
    "nan": b"NaN", "nan_inside": b'{"a": NaN}', "infinity": b'{"a": Infinity}', "minus_infinity": b'{"a": -Infinity}',
    "leading_zero": b'{"a": 01}', "plus": b'{"a": +1}', "no_whole_part": b'{"a": .5}', "no_fraction": b'{"a": 1.}',
    "no_exponent": b'{"a": 1e}', "hexadecimal": b'{"a": 0x10}', "only_minus": b'{"a": -}',
    "two_points": b'{"a": 1.2.3}', "raw_line_break": b'{"a": "x\ny"}', "raw_tab": b'{"a": "x\ty"}',
    "raw_nul": b'{"a": "x\0y"}', "raw_escape": b'{"a": "\x1b"}',
    "unknown_escape": rb'{"a": "\x41"}', "short_escape": rb'{"a": "\u12"}', "wrong_hex": rb'{"a": "\u12g4"}',
    "lone_high_surrogate": rb'{"a": "\ud800"}', "lone_low_surrogate": rb'{"a": "\udc00"}',
    "high_surrogate_and_letter": rb'{"a": "\ud83d\u0041"}', "swapped_surrogates": rb'{"a": "\ude42\ud83d"}',
    "surrogate_in_a_key": rb'{"\udfff": 1}', "two_high_surrogates": rb'{"a": "\ud800\ud800\udc00"}',
    "raw_surrogate": b'{"a": "\xed\xa0\x80"}', "byte_ff": b'{"a": "\xff"}', "cut_sequence": b'{"a": "\xc3"}',
    "overlong": b'{"a": "\xc0\xaf"}', "overlong_nul": b'{"a": "\xc0\x80"}',
    "beyond_unicode": b'{"a": "\xf4\x90\x80\x80"}',
    "latin_1": '{"a": "é"}'.encode("latin-1"), "invalid_key": b'{"\xfe": 1}', "lone_continuation": b'{"a": "\x80"}',
    "utf_16": '{"messages": []}'.encode("utf-16-le"), "utf_32": '{"messages": []}'.encode("utf-32-be"),
    "compressed": gzip.compress(b'{"messages": []}', mtime=0), "random": bytes(range(128, 256)),
    "deep_lists": b"[" * 100_000, "deep_objects": b'{"a":' * 50_000,
}


@pytest.mark.parametrize("call", ["append", "configure"])
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json_is_one_json_invalid(guarded, call, name):
    check_json_invalid(send(guarded, call, MALFORMED[name]), MALFORMED[name])


@pytest.mark.parametrize("value", [
    b"18446744073709551616", b"-9223372036854775809", b"1" + b"0" * 400, b"-1" + b"0" * 30, b"1e400", b"-1e400",
    b"1" + b"0" * 400 + b".5", b"1e99999999999999999999", rb'"\ud800"', b'"\xff"', b'{"\xff": 1}', b"NaN",
    b"[1, [Infinity]]",
])
def test_what_metadata_could_not_keep_is_refused(guarded, value):
    check_json_invalid(guarded.post(STORE % value), STORE % value)


@pytest.mark.parametrize("body", [b'{"unknown": 1e400}', b'{"unknown": [18446744073709551616]}',
                                  rb'{"unknown": "\ud800"}'])
@pytest.mark.parametrize("call", ["append", "configure"])
def test_unknown_fields_must_be_valid_json_too(guarded, call, body):
    check_json_invalid(send(guarded, call, body), body)


@pytest.mark.parametrize(("opening", "closing", "own_levels"), [(b"[", b"]", 0), (b'{"a":', b"}", 1)])
def test_a_body_may_nest_128_levels_and_no_more(session, opening, closing, own_levels):
    def body(levels: int) -> bytes:
        inside = levels - 4  # the body, messages, the message and its metadata are levels too
        return STORE % (opening * inside + (b"1" if own_levels else b"") + closing * inside)

    accepted = session.post(body(128))
    assert accepted.status_code == 200, accepted.text
    assert session.messages()[0]["metadata"] == json.loads(body(128))["messages"][0]["metadata"]
    check_json_invalid(session.post(body(129)), body(129))
    assert len(session.messages()) == 1


def test_nothing_of_a_list_with_one_bad_message_is_stored(guarded):
    reply = guarded.post({"messages": [{"role": "user", "content": "good"}, {"role": "user", "content": None}]})
    assert reply.status_code == 422


# How a body is declared.

@pytest.mark.parametrize("call", ["append", "configure"])
@pytest.mark.parametrize("content_type", [
    "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/jsonx", "application/xjson", "application/json-seq", "application/+xml", "json",
    "application", "image/json", "text/plain; charset=application/json", "application/octet-stream",
])
def test_a_body_of_another_type_is_refused(guarded, call, content_type):
    reply = send(guarded, call, b'{"messages": [{"role": "user", "content": "x"}]}', **{"Content-Type": content_type})
    assert reply.status_code == 415
    assert isinstance(reply.json()["detail"], str)


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8",
    "application/vnd.api+json", "application/merge-patch+json; x=y", "application/problem+JSON",
])
def test_json_may_be_declared_in_many_ways(session, content_type):
    body = b'{"messages": [{"role": "user", "content": "x"}]}'
    reply = send(session, "append", body, **{"Content-Type": content_type})
    assert reply.status_code == 200, reply.text
    assert len(session.messages()) == 1


def test_a_body_without_a_type_is_json(session):
    reply = session.client.post(session.path("/messages"), content=b'{"messages": [{"role": "user", "content": "x"}]}')
    assert "Content-Type" not in reply.request.headers
    assert reply.status_code == 200
    assert len(session.messages()) == 1


def test_an_empty_body_is_missing_whatever_its_type(guarded):
    reply = send(guarded, "append", b"", **{"Content-Type": "text/plain"})
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["type"] == "missing"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-unknown", "gzip, gzip", "identity, gzip"])
def test_an_encoded_body_is_refused(guarded, coding):
    reply = send(guarded, "append", gzip.compress(b'{"messages": []}'), **{"Content-Encoding": coding})
    assert reply.status_code == 415
    assert isinstance(reply.json()["detail"], str)


def test_the_identity_coding_is_accepted(session):
    assert send(session, "append", b'{"messages": []}', **{"Content-Encoding": "identity"}).status_code == 200
