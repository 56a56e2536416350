"""Settings of a session: partial changes, null, the server's defaults, and what they do to a sliding window."""

import pytest
from support.processes import serving
from support.sessions import Session

DEFAULTS = {"strategy": "sliding_window", "max_messages": 50, "max_tokens": 8000}
NOTHING_SET = {"strategy": None, "max_messages": None, "max_tokens": None}


def contents(context: dict) -> list[str]:
    return [item["content"] for item in context["messages"]]


def test_an_unknown_session_has_the_servers_defaults(client, session):
    reply = client.get(session.path("/config"))
    assert reply.status_code == 200
    assert reply.json() == {"session_id": session.id, "config": DEFAULTS}


def test_put_replies_with_the_sessions_own_settings(client, session):
    reply = client.put(session.path("/config"), json={"max_messages": 3})
    assert reply.status_code == 200
    assert reply.json() == {"session_id": session.id, "config": {**NOTHING_SET, "max_messages": 3}}
    assert session.settings() == {**DEFAULTS, "max_messages": 3}


def test_an_absent_field_keeps_its_value(session):
    session.configure(strategy="token_threshold", max_messages=5, max_tokens=100)
    assert session.configure(max_tokens=200) == {"strategy": "token_threshold", "max_messages": 5, "max_tokens": 200}
    assert session.configure(strategy="sliding_window") == {
        "strategy": "sliding_window", "max_messages": 5, "max_tokens": 200}
    assert session.configure() == {"strategy": "sliding_window", "max_messages": 5, "max_tokens": 200}


@pytest.mark.parametrize("field", ["strategy", "max_messages", "max_tokens"])
def test_null_goes_back_to_the_servers_default(session, field):
    own = {"strategy": "token_threshold", "max_messages": 5, "max_tokens": 100}
    session.configure(**own)
    assert session.configure(**{field: None}) == {**own, field: None}
    assert session.settings() == {**own, field: DEFAULTS[field]}


def test_an_empty_change_changes_nothing(session):
    assert session.configure() == NOTHING_SET
    assert session.settings() == DEFAULTS
    session.configure(max_messages=4)
    assert session.configure() == {**NOTHING_SET, "max_messages": 4}


def test_unknown_settings_are_ignored(session):
    assert session.configure(max_messages=4, ttl=1, summarizer="x") == {**NOTHING_SET, "max_messages": 4}


@pytest.mark.parametrize("value", [1, 50, 2**31, 2**63 - 1])
def test_every_positive_integer_is_a_setting(session, value):
    session.configure(max_messages=value, max_tokens=value)
    assert session.settings() == {**DEFAULTS, "max_messages": value, "max_tokens": value}
    session.append("a", "b")
    for strategy in ("sliding_window", "token_threshold"):
        session.configure(strategy=strategy)
        assert session.context()["strategy"] == strategy


@pytest.mark.parametrize("body", [b'{"max_messages": "5"}', b'{"max_messages": 5.0}', b'{"max_messages": 5e0}',
                                  b'{"max_messages": 4, "max_messages": 5}'])
def test_integers_are_read_as_the_python_service_read_them(client, session, body):
    reply = client.put(session.path("/config"), content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 200, reply.text
    assert reply.json()["config"] == {**NOTHING_SET, "max_messages": 5}
    assert isinstance(session.settings()["max_messages"], int)


def test_messages_and_settings_of_a_session_are_independent(session):
    session.configure(max_messages=2)
    assert session.messages() == []
    session.append("a", "b", "c")
    assert session.settings() == {**DEFAULTS, "max_messages": 2}


def test_the_environment_sets_the_defaults(tmp_path, engine_settings, session_id):
    settings = {"STM_MAX_MESSAGES": "3", "STM_MAX_TOKENS": "77", **engine_settings}
    with serving(tmp_path, **settings) as server, server.client() as client:
        session = Session(client, session_id)
        assert session.settings() == {"strategy": "sliding_window", "max_messages": 3, "max_tokens": 77}
        session.append(*"abcde")
        assert contents(session.context()) == list("cde")
        session.configure(max_messages=4)
        assert contents(session.context()) == list("bcde")
        session.configure(max_messages=None)
        assert contents(session.context()) == list("cde")


# The sliding window.

def test_the_window_has_the_newest_messages_in_order(session):
    stored = session.append(*(str(number) for number in range(60)))
    context = session.context()
    assert context == {"session_id": session.id, "messages": stored[-50:], "strategy": "sliding_window",
                       "total_tokens": sum(item["token_count"] for item in stored[-50:]), "summarized": 0}


@pytest.mark.parametrize("max_messages", [1, 2, 9, 10, 11, 1000])
def test_max_messages_sizes_the_window(session, max_messages):
    stored = session.append(*(f"message number {number}" for number in range(10)))
    session.configure(max_messages=max_messages)
    assert session.context()["messages"] == stored[-max_messages:]


def test_reading_the_window_deletes_nothing(session):
    session.configure(max_messages=2)
    stored = session.append(*"abcdef")
    session.context()
    session.context(max_messages=1, max_tokens=1)
    assert session.messages() == stored
    session.configure(max_messages=4)
    assert contents(session.context()) == list("cdef")


def test_the_sessions_max_tokens_do_not_cut_a_sliding_window(session):
    session.configure(max_tokens=1)
    stored = session.append("many words in this one", "and many more in that one")
    assert session.context()["messages"] == stored


def test_the_context_of_an_unknown_session_is_empty(client, session):
    assert client.get(session.path("/context")).json() == {
        "session_id": session.id, "messages": [], "strategy": "sliding_window", "total_tokens": 0, "summarized": 0}
    assert session.messages() == []


# Overrides for one call.

@pytest.mark.parametrize("max_messages", [1, 3, 60, 2**63 - 1])
def test_max_messages_of_the_query_counts_for_this_call_only(session, max_messages):
    stored = session.append(*(str(number) for number in range(70)))
    session.configure(max_messages=5)
    assert session.context(max_messages=max_messages)["messages"] == stored[-max_messages:]
    assert session.context()["messages"] == stored[-5:]
    assert session.settings()["max_messages"] == 5


@pytest.mark.parametrize("budget", [1, 2, 3, 6, 7, 100, 2**63 - 1])
def test_max_tokens_of_the_query_cuts_a_sliding_window(session, budget):
    stored = session.append("one", "two words", "three words here", "one")  # 1, 2, 3 and 1 tokens
    assert [item["token_count"] for item in stored] == [1, 2, 3, 1]
    kept = {1: 1, 2: 1, 3: 1, 6: 3, 7: 4}.get(budget, 4)
    context = session.context(max_tokens=budget)
    assert context["messages"] == stored[-kept:]
    assert context["total_tokens"] == sum(item["token_count"] for item in stored[-kept:])
    assert context["summarized"] == 0
    assert session.messages() == stored


def test_both_overrides_hold_together(session):
    stored = session.append("one", "two words", "three words here", "one")
    assert session.context(max_tokens=4, max_messages=3)["messages"] == stored[-2:]
    assert session.context(max_tokens=100, max_messages=3)["messages"] == stored[-3:]


def test_max_messages_of_the_query_cuts_a_token_threshold_too(session):
    session.configure(strategy="token_threshold")
    stored = session.append(*"abcdef")
    context = session.context(max_messages=2)
    assert context == {"session_id": session.id, "messages": stored[-2:], "strategy": "token_threshold",
                       "total_tokens": 2, "summarized": 0}
    assert session.context()["messages"] == stored


def test_max_tokens_of_the_query_summarizes_with_it(session):
    session.configure(strategy="token_threshold")
    stored = session.append(*(f"The garden has {number} old apple trees by the wall." for number in range(20)))
    context = session.context(max_tokens=100)
    assert context["summarized"] >= 12
    assert context["total_tokens"] <= 100
    assert context["messages"][0]["role"] == "summary"
    assert context["messages"][1:] == stored[context["summarized"]:]
    assert session.messages() == context["messages"]
    assert session.settings()["max_tokens"] == 8000
