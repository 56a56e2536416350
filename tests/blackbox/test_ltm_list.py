"""Listing a scope: order, limits, categories, and pages that lose and repeat nothing."""

import datetime
import threading

import pytest
from support.memories import CATEGORIES, HOUR, LONG_AGO, Memories, check_errors, ids, seconds, texts

MANY = 1000
PAGE = 37


def test_the_newest_comes_first(memories):
    stored = [memories.store(f"memory {number}") for number in range(20)]
    assert memories.list() == stored[::-1]


def test_of_one_request_the_last_comes_first(memories):
    stored = memories.remember(*(f"memory {number}" for number in range(50)))
    assert ids(memories.list()) == ids(stored)[::-1]


def test_newest_is_what_was_said_last_not_what_came_last(memories):
    for number in (3, 1, 4, 0, 2):
        memories.store(f"memory {number}", timestamp=LONG_AGO + number)
    assert texts(memories.list()) == [f"memory {number}" for number in (4, 3, 2, 1, 0)]


def test_of_one_moment_the_last_arrived_comes_first(memories):
    for number in range(9):
        memories.store(f"memory {number}", timestamp=LONG_AGO)
    assert texts(memories.list()) == [f"memory {number}" for number in range(8, -1, -1)]
    assert texts(memories.walk(limit=2)) == [f"memory {number}" for number in range(8, -1, -1)]


def test_times_long_ago_and_far_ahead_are_in_order_too(memories):
    times = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2024-02-29T00:00:00Z",
             "9999-12-31T23:59:59.999999Z"]
    stored = [memories.store(f"memory {number}", timestamp=time) for number, time in enumerate(times)]
    assert memories.walk(limit=1) == memories.list() == stored[::-1]
    assert [datetime.datetime.fromisoformat(memory["created_at"]) for memory in stored] == [
        datetime.datetime.fromisoformat(time) for time in times]


def test_a_change_does_not_move_a_memory(memories):
    first, second = memories.store("one"), memories.store("two")
    memories.update(first["id"], "changed")
    assert ids(memories.list()) == ids([second, first])


@pytest.mark.parametrize(("limit", "expected"), [("0", 0), ("1", 1), ("4", 4), ("5", 5), ("6", 5), ("1000", 5)])
def test_limit_takes_the_newest(memories, limit, expected):
    stored = memories.remember(*(f"memory {number}" for number in range(5)))
    page = memories.page(limit=limit)
    assert ids(page["results"]) == ids(stored)[::-1][:expected]
    if expected == 5:
        assert page["next_cursor"] is None


def test_without_a_limit_a_hundred_are_listed(memories):
    memories.remember(*(f"memory {number}" for number in range(130)))
    page = memories.page()
    assert len(page["results"]) == 100
    assert len(memories.page(cursor=page["next_cursor"])["results"]) == 30


@pytest.mark.parametrize(("limit", "kind"), [
    ("-1", "greater_than_equal"), ("1001", "less_than_equal"), ("x", "int_parsing"), ("", "int_parsing"),
    ("1.5", "int_parsing"), ("9" * 30, "int_parsing_size"),
])
def test_a_limit_outside_0_to_1000_is_refused(memories, limit, kind):
    reply = memories.client.get("/ltm/memories", params={**memories.scope, "limit": limit})
    check_errors(reply, (kind, "query", "limit"))


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_may_be_asked_for(memories, category):
    stored = {name: memories.store(name, category=name) for name in CATEGORIES}
    assert memories.list(category=category) == [stored[category]]
    assert memories.page(category=category, limit=1)["next_cursor"] is None


@pytest.mark.parametrize("query", ["", "user_id=", "agent_id=&session_id=&user_id=", "limit=5", "other=x"])
def test_a_list_without_a_scope_is_refused(ltm_client, query):
    reply = ltm_client.get(f"/ltm/memories?{query}")
    check_errors(reply, ("value_error", "query"))
    assert reply.json()["detail"][0]["msg"] == (
        "Value error, At least one of user_id, agent_id, or session_id must be provided")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "*", "%FF", "0", "A" * 5000, "eyJ0IjoxfQ", "../..", "bnVsbA==", "-1"])
def test_a_cursor_that_no_page_gave_is_refused(memories, cursor):
    reply = memories.client.get("/ltm/memories", params={**memories.scope, "cursor": cursor})
    assert reply.status_code == 422
    assert [entry["loc"] for entry in reply.json()["detail"]] == [["query", "cursor"]]


def test_every_bad_parameter_is_named_at_once(memories):
    reply = memories.client.get("/ltm/memories", params={
        "user_id": "x" * 257, "limit": "-1", "category": "opinion", "cursor": "*", "filters": "{"})
    assert reply.status_code == 422
    assert {tuple(entry["loc"][:2]) for entry in reply.json()["detail"]} == {
        ("query", name) for name in ("user_id", "limit", "category", "cursor", "filters")}


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 12])
def test_pages_hold_everything_once_and_in_order(memories, limit):
    stored = memories.remember(*(f"memory {number}" for number in range(11)))
    assert ids(memories.walk(limit=limit)) == ids(stored)[::-1]


def test_pages_keep_to_category_and_filters(memories):
    stored = [memories.store(f"memory {number}", category=CATEGORIES[number % 2], metadata={"n": number},
                             timestamp=LONG_AGO + number * HOUR) for number in range(30)]
    walked = memories.walk(limit=3, category=CATEGORIES[1], filters={"metadata.n": {"gte": 10}})
    assert walked == stored[:10:-2]


def test_a_page_may_end_where_a_memory_was_deleted(memories):
    stored = memories.remember(*(f"memory {number}" for number in range(9)))[::-1]
    page = memories.page(limit=4)
    memories.delete(stored[3]["id"])
    memories.delete(stored[4]["id"])
    rest = memories.page(limit=100, cursor=page["next_cursor"])
    assert ids(rest["results"]) == ids(stored[5:])


def test_a_walk_over_a_thousand_while_more_come_repeats_and_loses_nothing(ltm_server, memories):
    stored = set(ids(memories.remember(*(f"memory {number}" for number in range(MANY)))))
    done = threading.Event()
    added = []
    arrivals = threading.Semaphore(0)

    def wait_for_one():
        assert arrivals.acquire(timeout=10), "nothing comes meanwhile"

    def add_more(writer: int):
        with ltm_server.client() as client:
            mine = Memories(client, **memories.scope)
            while not done.is_set():
                number = len(added)
                added.append(mine.store(f"later {writer} {number}"))
                added.append(mine.store(f"earlier {writer} {number}", timestamp=LONG_AGO + number))
                arrivals.release()

    writers = [threading.Thread(target=add_more, args=(writer,)) for writer in range(2)]
    for thread in writers:
        thread.start()
    try:
        walked = memories.walk(limit=PAGE, between_pages=wait_for_one)
    finally:
        done.set()
        for thread in writers:
            thread.join()
    assert len(set(ids(walked))) == len(walked)
    assert stored <= set(ids(walked)) <= stored | set(ids(added))
    times = [seconds(memory["created_at"]) for memory in walked]
    assert times == sorted(times, reverse=True)
