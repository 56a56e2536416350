"""Contexts that are kept under a token threshold by summaries, on every engine. No LLM: summaries are extractive."""

import random
import threading

import pytest
from support.sessions import Session, message
from support.tokens import count_tokens

SUBJECTS = ["Anna", "the new build server", "our Lisbon office", "Doctor Weiss", "the blue notebook", "her brother Tom"]
VERBS = ["moved to", "needs a replacement for", "was delighted by", "asked twice about", "will pay for", "forgot"]
OBJECTS = ["the flat in Porto", "three redundant power supplies", "a trip in early May", "the vegetarian menu",
           "last year's invoices", "the piano lessons", "a password manager"]
ENDS = ["on Monday morning", "before the audit", "because of the rain", "at a price of 420 euros", "without telling me"]


def conversation(count: int, seed: int = 1) -> list[dict]:
    """Messages of two speakers, about 45 tokens each."""
    choose = random.Random(seed)

    def sentence() -> str:
        return " ".join(choose.choice(part) for part in (SUBJECTS, VERBS, OBJECTS, ENDS)).capitalize() + "."

    return [message(f"({number}) " + " ".join(sentence() for _ in range(3)), ("user", "assistant")[number % 2])
            for number in range(count)]


def tokens_of(messages: list[dict]) -> int:
    return sum(item["token_count"] for item in messages)


def check_totals(context: dict, budget: int):
    assert context["strategy"] == "token_threshold"
    assert context["total_tokens"] == tokens_of(context["messages"]) <= budget
    assert all(item["token_count"] == count_tokens(item["content"]) for item in context["messages"])


def check_summary(context: dict, before: list[dict]):
    """`context` replaced the oldest of `before` by a summary at their place and left the others alone."""
    replaced = before[:context["summarized"]]
    summary, *kept = context["messages"]
    assert summary["role"] == "summary" and summary["content"].strip()
    assert summary["metadata"] == {
        "summary": {"method": "extractive", "messages": len(replaced), "tokens": tokens_of(replaced)}}
    assert summary["timestamp"] == replaced[-1]["timestamp"]
    assert summary["id"] not in {item["id"] for item in before}
    assert kept == before[len(replaced):]


def check_nothing_replaced(context: dict, before: list[dict], budget: int):
    """The reply is the newest messages that fit, and as many of them as fit."""
    kept = context["messages"]
    assert kept == before[len(before) - len(kept):]
    if len(kept) < len(before):
        assert tokens_of(before[len(before) - len(kept) - 1:]) > budget


@pytest.fixture
def threshold_session(session):
    session.configure(strategy="token_threshold")
    return session


# One read.

BUDGETS = [1, 2, 3, 4, 5, 8, 12, 16, 20, 30, 40, 60, 90, 130, 200, 300, 500, 800, 1200, 2000, 3000, 5000, 8000]


@pytest.mark.parametrize("budget", BUDGETS)
def test_two_hundred_messages_never_exceed_the_budget(threshold_session, budget):
    session = threshold_session
    session.configure(max_tokens=budget)
    before = session.append(*conversation(200))
    assert tokens_of(before) > 8000
    context = session.context()
    check_totals(context, budget)
    if context["summarized"]:
        assert context["summarized"] >= 120
        check_summary(context, before)
        assert session.messages() == context["messages"]
    else:
        check_nothing_replaced(context, before, budget)
        assert session.messages() == before
    again = session.context()
    assert again == {**context, "summarized": 0}


@pytest.mark.parametrize("budget", [60, 200, 1200, 8000])
def test_a_budget_for_some_sentences_gets_a_summary(threshold_session, budget):
    session = threshold_session
    session.configure(max_tokens=budget)
    session.append(*conversation(200))
    assert session.context()["summarized"] >= 120


@pytest.mark.parametrize(("count", "oldest"), [(5, 3), (10, 6), (100, 60), (200, 120)])
def test_sixty_percent_are_replaced_if_that_is_enough(threshold_session, count, oldest):
    session = threshold_session
    before = session.append(*(f"This is one of many sentences, number {number:03}." for number in range(count)))
    # The remaining 40 % take half of the budget at most, so no more have to go.
    context = session.context(max_tokens=tokens_of(before) * 9 // 10)
    assert context["summarized"] == oldest
    check_summary(context, before)


def test_more_than_sixty_percent_are_replaced_if_the_rest_is_too_large(threshold_session):
    session = threshold_session
    before = session.append(*conversation(20), *(message("heavy words " * 400) for _ in range(10)))
    context = session.context(max_tokens=2000)
    assert 18 < context["summarized"] < 30
    check_totals(context, 2000)
    check_summary(context, before)


def test_a_session_within_its_budget_is_left_alone(threshold_session):
    session = threshold_session
    before = session.append(*conversation(20))
    session.configure(max_tokens=tokens_of(before))
    assert session.context() == {"session_id": session.id, "messages": before, "strategy": "token_threshold",
                                 "total_tokens": tokens_of(before), "summarized": 0}
    session.configure(max_tokens=tokens_of(before) - 1)
    assert session.context()["summarized"] >= 12


def test_an_empty_session_has_an_empty_context(threshold_session):
    threshold_session.configure(max_tokens=1)
    assert threshold_session.context() == {"session_id": threshold_session.id, "messages": [], "total_tokens": 0,
                                           "strategy": "token_threshold", "summarized": 0}


@pytest.mark.parametrize("budget", [1, 10, 100, 1000])
@pytest.mark.parametrize("text", ["words and more words. " * 2000, "x" * 20_000, "\n" * 40_000, "🙂" * 5_000,
                                  "\0" * 5_000], ids=["sentences", "one_word", "line_breaks", "emoji", "nul"])
def test_one_huge_message_never_exceeds_the_budget(threshold_session, text, budget):
    session = threshold_session
    session.configure(max_tokens=budget)
    before = session.append(text)
    assert before[0]["token_count"] > budget
    context = session.context()
    check_totals(context, budget)
    if context["summarized"]:
        assert len(context["messages"]) == 1
        check_summary(context, before)
    else:
        assert context["messages"] == []
        assert session.messages() == before
    assert session.context() == {**context, "summarized": 0}


def test_a_huge_message_among_small_ones_takes_none_of_the_newest_away(threshold_session):
    session = threshold_session
    session.configure(max_tokens=300)
    before = session.append("small talk", "report " * 5000, "thank you", "you are welcome", "goodbye")
    context = session.context()
    check_totals(context, 300)
    check_summary(context, before)
    assert [item["content"] for item in context["messages"][1:]] == ["you are welcome", "goodbye"]


def test_messages_without_tokens_cost_nothing(threshold_session):
    session = threshold_session
    session.configure(max_tokens=1)
    before = session.append(*[""] * 30)
    assert session.context() == {"session_id": session.id, "messages": before, "strategy": "token_threshold",
                                 "total_tokens": 0, "summarized": 0}


def test_a_sliding_window_is_never_summarized(session):
    session.configure(max_tokens=10, max_messages=300)
    before = session.append(*conversation(200))
    context = session.context()
    assert (context["messages"], context["summarized"]) == (before, 0)


# Summaries of summaries.

def test_a_later_summary_replaces_the_earlier_one(threshold_session):
    session = threshold_session
    session.configure(max_tokens=800)
    held = session.append(*conversation(40, seed=2))
    summaries = []
    for seed in range(3, 8):
        context = session.context()
        check_totals(context, 800)
        assert context["summarized"] >= 1
        check_summary(context, held)
        assert [item["role"] for item in context["messages"]].count("summary") == 1
        summaries.append(context["messages"][0]["id"])
        held = context["messages"] + session.append(*conversation(30, seed))
        assert session.messages() == held
    assert len(set(summaries)) == 5


def test_the_next_append_follows_a_summary_in_time(threshold_session):
    session = threshold_session
    session.configure(max_tokens=30)
    session.append(*conversation(10))
    context = session.context()
    later = session.append("x")[0]
    times = [item["timestamp"] for item in [*context["messages"], later]]
    assert times == sorted(set(times))
    assert session.messages()[-1] == later


def test_appending_and_reading_in_turns_keeps_the_budget_at_every_read(threshold_session):
    session = threshold_session
    session.configure(max_tokens=400)
    held = []
    for turn, sent in enumerate(conversation(60)):
        held += session.append(sent)
        context = session.context()
        check_totals(context, 400)
        if context["summarized"]:
            check_summary(context, held)
            held = context["messages"]
        elif tokens_of(held) <= 400:
            assert context["messages"] == held
        else:
            check_nothing_replaced(context, held, 400)
        assert context["messages"][-1]["content"].startswith(f"({turn})")
    assert session.messages() == held
    assert len(held) < 60


# Concurrency.

def run_together(*functions):
    """Runs all at the same time and raises what one of them raised."""
    failures = []
    barrier = threading.Barrier(len(functions))

    def guarded(function):
        barrier.wait()
        try:
            function()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("turn", range(3))
def test_concurrent_readers_summarize_once_and_lose_nothing(server, threshold_session, turn):
    session = threshold_session
    session.configure(max_tokens=1000)
    before = session.append(*conversation(200, seed=turn))
    replies = []

    def read():
        with server.client() as client:
            replies.append(Session(client, session.id).context())

    run_together(*[read] * 6)
    assert [reply["summarized"] > 0 for reply in replies].count(True) == 1
    winner = next(reply for reply in replies if reply["summarized"])
    check_summary(winner, before)
    assert session.messages() == winner["messages"]
    for reply in replies:
        check_totals(reply, 1000)
        assert reply["messages"][-1] == before[-1]


def test_appends_while_summaries_are_made_are_never_lost(server, threshold_session):
    session = threshold_session
    session.configure(max_tokens=500)
    appended, replies = [], []
    writing = threading.Event()
    writing.set()

    def write(seed: int):
        with server.client() as client:
            for start in range(0, 60, 3):
                appended.extend(Session(client, session.id).append(*conversation(60, seed)[start:start + 3]))

    def write_all():
        try:
            run_together(*[lambda seed=seed: write(seed) for seed in range(3)])
        finally:
            writing.clear()

    def read():
        with server.client() as client:
            while writing.is_set():
                replies.append(Session(client, session.id).context())

    run_together(write_all, read, read)
    replies.append(session.context())
    for reply in replies:
        check_totals(reply, 500)
    summaries = sum(reply["summarized"] > 0 for reply in replies)
    assert summaries > 0
    stored = session.messages()
    # What is not stored any more was replaced by a summary, and only the oldest were.
    assert len(stored) == len(appended) + summaries - sum(reply["summarized"] for reply in replies)
    kept = [item for item in stored if item["role"] != "summary"]
    appended.sort(key=lambda item: item["timestamp"])
    assert kept == appended[len(appended) - len(kept):]
    assert len(stored) - len(kept) <= 1
