"""Which strings name a session, and how long a session lives."""

import time

import pytest
import redis
from support.processes import RedisServer, redis_available, serving, wait_until
from support.raw_http import exchange, request
from support.sessions import Session

# Ids.

IDS = {
    "one_character": "x", "spaces": "  a  b  ", "slash": "a/b//c/", "percent": "100%", "percent_sequence": "%2F%00%zz",
    "braces": "{}", "braces_in_text": "a{b}c", "star": "*", "question_mark": "a?limit=1", "hash": "a#b", "plus": "a+b",
    "ampersand": "a&b=c", "colon": "a:b:messages", "dot": ".", "dots": "..", "dots_and_slash": "../../etc/passwd",
    "quotes": "'\";--", "backslash": "\\\\x", "glob": "[a-z]*?", "route_word": "messages", "config": "config",
    "unicode": "übung-会話-🙂", "right_to_left": "שיחה", "decomposed": "e\u0301", "nul_word": "null",
    "256_bytes": "x" * 256, "256_bytes_of_two": "é" * 128, "256_bytes_of_four": "🙂" * 64,
    "line_separator": "a\u2028b", "no_break_space": "\u00a0", "byte_order_mark": "\ufeff",
}


@pytest.mark.parametrize("name", IDS)
def test_any_printable_text_names_a_session(client, name):
    session = Session(client, IDS[name])
    session.delete()
    stored = session.append("first", "second")
    for reply in (session.client.get(session.path("/messages")).json(), session.context(), session.delete()):
        assert reply["session_id"] == session.id
        assert reply.get("messages", stored) == stored
    assert session.messages() == []


def test_no_two_different_ids_name_the_same_session(client, session_id):
    tails = ["", "a", "A", "a:", "a:b", "a/b", "a%2Fb", "a b", "a+b", "{a}", "{", "}", "}{", "*", "?", "[a]", "é",
             "e\u0301", "a:messages", "a:settings", "a/messages", "a/config", " a", "a ", "a\\", "\\a", "a%", "%",
             "%25", "_", "a_b"]
    sessions = [Session(client, f"{session_id[-36:]}{tail}") for tail in tails]
    for position, session in enumerate(sessions):
        session.append(f"of {position}")
        session.configure(max_messages=position + 1)
    for position, session in enumerate(sessions):
        assert [item["content"] for item in session.messages()] == [f"of {position}"]
        assert session.settings()["max_messages"] == position + 1
    for position, session in enumerate(sessions):
        session.delete()
        assert [len(other.messages()) for other in sessions] == [0] * (position + 1) + [1] * (len(tails) - position - 1)


@pytest.mark.parametrize("id_in_path", ["..", "%2e%2e", "%2E%2E", "%2e."])
def test_two_dots_are_an_ordinary_id_however_they_are_written(server, client, id_in_path):
    reply = exchange(server.port, request("GET", f"/stm/{id_in_path}/messages"))[0]
    assert reply.status == 200
    assert reply.json()["session_id"] == ".."


@pytest.mark.parametrize(("id_in_path", "session_id"), [
    ("a+b", "a+b"), ("a%20b", "a b"), ("%61bc", "abc"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("%25", "%"),
    ("%C3%A9", "é"), ("a;b=c", "a;b=c"), ("a%3Fb", "a?b"), ("%7Bx%7D", "{x}"), ("a%25zz", "a%zz"),
])
def test_ids_are_percent_decoded_once(server, id_in_path, session_id):
    reply = exchange(server.port, request("GET", f"/stm/{id_in_path}/messages"))[0]
    assert reply.status == 200
    assert reply.json()["session_id"] == session_id


# Lifetime.

@pytest.fixture(scope="module")
def short_lived_server(engine, engine_settings, tmp_path_factory):
    with serving(tmp_path_factory.mktemp(engine), STM_SESSION_TTL_SECONDS="1", **engine_settings) as server:
        yield server


@pytest.fixture
def short_lived(short_lived_server, session_id):
    with short_lived_server.client() as client:
        yield Session(client, session_id)


def test_messages_and_settings_expire_together_although_they_are_read(short_lived):
    short_lived.append("a", "b", "c")
    short_lived.configure(max_messages=2)

    def state() -> tuple:
        return (len(short_lived.messages()), len(short_lived.context()["messages"]),
                short_lived.settings()["max_messages"])

    assert state() == (3, 2, 2)
    wait_until(lambda: short_lived.messages() == [], 10, "the session to expire while it is read")
    assert state() == (0, 0, 50)


def test_an_expired_session_starts_anew(short_lived):
    short_lived.append("old")
    short_lived.configure(strategy="token_threshold", max_messages=2)
    wait_until(lambda: short_lived.messages() == [], 10, "the session to expire")
    stored = short_lived.append("new")
    assert short_lived.messages() == stored
    assert short_lived.settings() == {"strategy": "sliding_window", "max_messages": 50, "max_tokens": 8000}


@pytest.mark.parametrize("prolong", [lambda session: session.append("later"),
                                     lambda session: session.configure(max_messages=40),
                                     lambda session: session.configure(max_tokens=None)],
                         ids=["append", "change_of_settings", "reset_of_settings"])
def test_an_append_or_a_change_of_settings_restarts_the_time_to_live(short_lived, prolong):
    # An attempt counts only if the last look fell between the first end of life and the prolonged one.
    for _ in range(10):
        short_lived.delete()
        short_lived.append("first")
        born = time.monotonic()
        time.sleep(0.6)
        prolonged_after = time.monotonic()
        prolong(short_lived)
        time.sleep(max(0, born + 1.1 - time.monotonic()))
        messages, settings = short_lived.messages(), short_lived.settings()
        if time.monotonic() < prolonged_after + 1:
            assert messages and messages[0]["content"] == "first"
            assert settings["max_messages"] in (40, 50)
            return
    pytest.fail("this machine is too slow to look within the second that the session lives")


def test_settings_alone_expire_too(short_lived):
    short_lived.configure(max_messages=7)
    assert short_lived.settings()["max_messages"] == 7
    wait_until(lambda: short_lived.settings()["max_messages"] == 50, 10, "the settings to expire")


def test_zero_seconds_mean_for_ever(tmp_path):
    if not redis_available():
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path).start()
    try:
        with (serving(tmp_path, STM_SESSION_TTL_SECONDS="0", REDIS_URL=f"{server.url}/5") as maas,
              maas.client() as client):
            Session(client, "s").append("kept")
            Session(client, "s").configure(max_messages=7)
            assert len(Session(client, "s").messages()) == 1
        with redis.Redis(port=server.port, db=5) as database:
            keys = database.keys()
            assert keys, "REDIS_URL names database 5"
            assert {database.ttl(key) for key in keys} == {-1}
    finally:
        server.stop()


def test_zero_seconds_mean_for_ever_on_sqlite(tmp_path):
    with serving(tmp_path, STM_SESSION_TTL_SECONDS="0") as server, server.client() as client:
        stored = Session(client, "s").append("kept")
        time.sleep(1.2)  # whole seconds or not, nothing may come to its end
        assert Session(client, "s").messages() == stored


def test_a_session_lives_a_day_by_default(redis_server, tmp_path, session_id):
    with serving(tmp_path, REDIS_URL=f"{redis_server.url}/6") as server, server.client() as client:
        Session(client, session_id).append("x")
        Session(client, session_id).configure(max_messages=7)
    with redis.Redis(port=redis_server.port, db=6) as database:
        lifetimes = [database.ttl(key) for key in database.keys()]
    assert lifetimes and all(86_000 < seconds <= 86_400 for seconds in lifetimes)


def test_the_last_life_counts_after_a_restart(tmp_path):
    with serving(tmp_path, STM_SESSION_TTL_SECONDS="1") as server, server.client() as client:
        Session(client, "s").append("x")
    time.sleep(1.1)
    with serving(tmp_path, STM_SESSION_TTL_SECONDS="1") as server, server.client() as client:
        assert Session(client, "s").messages() == Session(client, "s").context()["messages"] == []
