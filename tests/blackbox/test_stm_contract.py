"""Messages of a session, as the contract has them, on every engine."""

import itertools
import json
import random
import re
import threading

import pytest
from support.processes import serving
from support.sessions import Session, message
from support.tokens import count_tokens

STORED_FIELDS = {"role", "content", "metadata", "id", "timestamp", "token_count"}
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def contents(messages: list[dict]) -> list[str]:
    return [item["content"] for item in messages]


# Shapes.

def test_append_replies_with_the_messages_as_stored(session):
    reply = session.post({"messages": [message("hello"), message("hi", "assistant", metadata={"a": 1})]})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    body = reply.json()
    assert set(body) == {"session_id", "added", "messages"}
    assert body["session_id"] == session.id
    assert body["added"] == 2
    first, second = body["messages"]
    assert set(first) == set(second) == STORED_FIELDS
    assert (first["role"], first["content"], first["metadata"]) == ("user", "hello", None)
    assert (second["role"], second["content"], second["metadata"]) == ("assistant", "hi", {"a": 1})
    assert UUID7.fullmatch(first["id"]) and UUID7.fullmatch(second["id"])
    assert first["id"] != second["id"]


def test_list_replies_with_exactly_what_append_replied(client, session):
    appended = session.append("one", message("two", "assistant", metadata={"k": [1, 2]}))
    reply = client.get(session.path("/messages"))
    assert reply.json() == {"session_id": session.id, "messages": appended}


def test_an_unknown_session_has_no_messages(client, session):
    assert client.get(session.path("/messages")).json() == {"session_id": session.id, "messages": []}


@pytest.mark.parametrize("role", ["user", "assistant", "system", "summary"])
def test_every_role_is_stored(session, role):
    assert session.append(message("x", role))[0]["role"] == role
    assert session.messages()[0]["role"] == role


@pytest.mark.parametrize("body", [
    pytest.param({"messages": []}, id="empty_list"),
    pytest.param({}, id="absent_list"),
    pytest.param({"other": 1}, id="only_unknown_fields"),
])
def test_without_messages_nothing_is_added(session, body):
    session.append("already here")
    reply = session.post(body)
    assert reply.status_code == 200
    assert reply.json() == {"session_id": session.id, "added": 0, "messages": []}
    assert contents(session.messages()) == ["already here"]


def test_unknown_body_fields_and_query_parameters_are_ignored(client, session):
    reply = client.post(session.path("/messages"), params={"unknown": "1"}, json={
        "messages": [{"role": "user", "content": "x", "id": "mine", "timestamp": 5, "token_count": -1, "name": "n"}],
        "user_id": "u", "limit": "no number"})
    assert reply.status_code == 200
    stored = reply.json()["messages"][0]
    assert set(stored) == STORED_FIELDS
    assert stored["id"] != "mine" and stored["timestamp"] > 1_000_000_000 and stored["token_count"] == 1
    assert session.messages(unknown="x", offset=-1) == [stored]


def test_the_last_of_duplicate_keys_wins(session):
    reply = session.post(b'{"messages": [], "messages": [{"role": "system", "role": "user", '
                         b'"content": 1, "content": "kept", "metadata": {"a": 1, "a": 2}}]}')
    assert reply.status_code == 200
    stored = session.messages()[0]
    assert (stored["role"], stored["content"], stored["metadata"]) == ("user", "kept", {"a": 2})


# Order, time and limits.

def test_messages_come_oldest_first_over_many_appends(session):
    for start in range(0, 60, 7):
        session.append(*(f"message {number}" for number in range(start, start + 7)))
    assert contents(session.messages()) == [f"message {number}" for number in range(63)]


def test_a_thousand_messages_of_one_append_keep_their_order(session):
    session.append(*(f"{number}" for number in range(1000)))
    assert contents(session.messages()) == [f"{number}" for number in range(1000)]


def test_timestamps_are_epoch_seconds_that_rise_by_a_microsecond_at_least(session):
    stored = [item for _ in range(5) for item in session.append(*("x" * 20))]
    times = [item["timestamp"] for item in stored]
    assert all(isinstance(time, float) and time == round(time, 6) for time in times)
    assert all(round((later - earlier) * 1e6) >= 1 for earlier, later in itertools.pairwise(times))
    assert [item["timestamp"] for item in session.messages()] == times


def test_concurrent_appends_lose_nothing_and_keep_the_order_of_each_list(server, session_id):
    def append_lists(writer: int):
        with server.client() as client:
            for turn in range(10):
                Session(client, session_id).append(*(f"{writer} {turn} {part}" for part in range(5)))

    writers = [threading.Thread(target=append_lists, args=(writer,)) for writer in range(6)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    with server.client() as client:
        stored = Session(client, session_id).messages()
    assert len(stored) == len({item["id"] for item in stored}) == 300
    times = [item["timestamp"] for item in stored]
    assert times == sorted(set(times))
    for writer in range(6):
        own = [text for text in contents(stored) if text.startswith(f"{writer} ")]
        assert own == [f"{writer} {turn} {part}" for turn in range(10) for part in range(5)]


@pytest.mark.parametrize(("limit", "expected"), [
    ("1", ["e"]), ("2", ["d", "e"]), ("5", list("abcde")), ("6", list("abcde")), ("0", []), ("-1", []),
    ("-9223372036854775808", []), ("9223372036854775807", list("abcde")),
])
def test_limit_takes_the_newest(session, limit, expected):
    session.append(*"abcde")
    assert contents(session.messages(limit=limit)) == expected


def test_no_limit_means_all_messages_beyond_any_window(session):
    session.configure(max_messages=2, max_tokens=1)
    session.append(*(str(number) for number in range(120)))
    assert len(session.messages()) == 120


# Content and metadata.

CONTENTS = {
    "empty": "", "space": " ", "newlines": "a\r\nb\n\n\tc", "nul": "a\0b\0", "controls": "\x01\x1b[31m\x7f\x85",
    "special_token": "<|endoftext|><|endofprompt|> <|fim_prefix|>", "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇵🇹 ❤️",
    "right_to_left": "שלום עולם مرحبا بالعالم \u202eabc\u202c", "combining": "e\u0301 \u1100\u1161\u11a8 ẛ̣",
    "cjk": "東京は日本の首都です。", "beyond_bmp": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010ffff", "noncharacters": "\ufffe\uffff\ufeff",
    "json": '{"role": "user"}', "quotes": "\"\\/\b\f'`", "line_separators": "a\u2028b\u2029c",
    "sql_and_redis": "'; DROP TABLE messages; -- \r\n*1\r\n$8\r\nFLUSHALL\r\n", "format": "{} %s %00 ${HOME} {0}",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_comes_back_unchanged(session, name):
    stored = session.append(CONTENTS[name])[0]
    assert stored["content"] == CONTENTS[name]
    assert session.messages() == [stored]
    assert session.context()["messages"] == [stored]


def test_a_megabyte_of_content_comes_back_unchanged(session):
    words = ["memory", " of", " agents", "\n", " été", " 東京", " 👍🏽", " 12345", " don't", "  ", " x = y;"]
    text = "".join(random.Random(7).choices(words, k=200_000))[:1_000_000]
    stored = session.append(text)[0]
    assert stored["content"] == text
    assert stored["token_count"] == count_tokens(text)
    assert session.messages() == [stored]


METADATA = {
    "absent": None, "empty": {}, "null_inside": {"a": None, "b": [None]}, "booleans": {"t": True, "f": False},
    "nested": {"a": {"b": [{"c": [[], {}, [1, [2, [3]]]]}]}}, "unicode": {"ключ 🔑": "値\0", "": "empty key"},
    "integers": {"a": [0, -1, 2**53, 2**53 + 1, 2**63 - 1, -2**63]},
    "floats": {"a": [0.1, -0.5, 1.0, -0.0, 1e-7, 1.5e300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]},
    "like_ours": {"role": "x", "id": 1, "summary": {"method": "mine"}, "tenant": "other"},
    "many_keys": {f"key {number}": number for number in range(500)},
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_comes_back_unchanged(session, name):
    sent = message("x") if name == "absent" else message("x", metadata=METADATA[name])
    stored = session.append(sent)[0]
    # As text, so that 1 and 1.0 or True differ; the order of keys is the sender's.
    assert json.dumps(stored["metadata"]) == json.dumps(METADATA[name])
    assert session.messages() == [stored]


def test_null_metadata_is_no_metadata(session):
    assert session.append(message("x", metadata=None))[0]["metadata"] is None


def test_unsigned_integers_of_64_bits_are_kept_exactly_or_refused(session):
    reply = session.post({"messages": [message("x", metadata={"n": [2**63, 2**64 - 1]})]})
    if reply.status_code == 200:
        assert session.messages()[0]["metadata"] == {"n": [2**63, 2**64 - 1]}
    else:
        assert reply.status_code == 422
        assert session.messages() == []


# Deletion.

def test_delete_forgets_messages_and_settings(client, session):
    defaults = session.settings()
    session.append("x")
    session.configure(strategy="token_threshold", max_messages=3, max_tokens=9)
    assert session.delete() == {"session_id": session.id, "deleted": True}
    assert session.messages() == []
    assert session.settings() == defaults
    assert session.context()["messages"] == []


def test_delete_of_an_unknown_session_succeeds(session):
    assert session.delete() == {"session_id": session.id, "deleted": True}
    assert session.delete() == {"session_id": session.id, "deleted": True}


def test_a_deleted_session_starts_anew(session):
    session.append("old")
    session.delete()
    stored = session.append("new")
    assert session.messages() == stored


# Token counts.

@pytest.mark.parametrize("name", CONTENTS)
def test_token_counts_are_those_of_the_default_model(session, name):
    assert session.append(CONTENTS[name])[0]["token_count"] == count_tokens(CONTENTS[name], "o200k_base")


def test_token_counts_of_random_texts_are_exact(session):
    choose = random.Random(11)
    alphabets = ["abc ABC'sdtlmre", "0123456789 .,", " \n\r\t\u00a0\u3000", "éßñŁœ ǅ ʰ", "日本語漢字かな",
                 "अआइ ا ب ת ש", "!?/\\-_=+*&^%$#@~`", "👍🏽👩‍💻❤️"]

    def random_text() -> str:
        alphabet = "".join(choose.sample(alphabets, choose.randint(1, 3)))
        return "".join(choose.choices(alphabet, k=choose.randint(1, 120)))

    texts = [random_text() for _ in range(300)]
    stored = session.append(*texts)
    wrong = [(text, item["token_count"], count_tokens(text)) for text, item in zip(texts, stored, strict=True)
             if item["token_count"] != count_tokens(text)]
    assert wrong == []


@pytest.mark.parametrize(("model", "encoding"), [("gpt-4", "cl100k_base"), ("gpt-4o-mini", "o200k_base"),
                                                 ("gpt-3.5-turbo", "cl100k_base"), ("unheard-of", "cl100k_base")])
def test_the_model_decides_the_encoding(tmp_path, model, encoding):
    with serving(tmp_path, LLM_MODEL=model) as server, server.client() as client:
        texts = list(CONTENTS.values())
        counted = [item["token_count"] for item in Session(client, "s").append(*texts)]
    expected = {name: [count_tokens(text, name) for text in texts] for name in ("o200k_base", "cl100k_base")}
    assert expected["o200k_base"] != expected["cl100k_base"], "these texts would prove nothing"
    assert counted == expected[encoding]


# Durability.

def test_messages_and_settings_survive_a_restart_on_sqlite(tmp_path):
    with serving(tmp_path) as server, server.client() as client:
        session = Session(client, "kept / ü")
        stored = session.append("one", message("two\0", "assistant", metadata={"n": [1, None, "é"]}))
        session.configure(strategy="token_threshold", max_messages=7)
        settings = session.settings()
    with serving(tmp_path) as server, server.client() as client:
        session = Session(client, "kept / ü")
        assert session.messages() == stored
        assert session.settings() == settings
        later = session.append("three")
        assert session.messages() == stored + later
        assert later[0]["timestamp"] > stored[-1]["timestamp"]


def test_two_servers_on_one_redis_share_sessions(redis_server, tmp_path, session_id):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (serving(tmp_path / "a", REDIS_URL=redis_server.url) as first, first.client() as one,
          serving(tmp_path / "b", REDIS_URL=redis_server.url) as second, second.client() as two):
        here, there = Session(one, session_id), Session(two, session_id)
        stored = here.append("from the first") + there.append("from the second")
        assert here.messages() == there.messages() == stored
        here.delete()
        assert there.messages() == []
