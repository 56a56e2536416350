"""Many clients at once: what was answered is there for everyone, and nothing is done twice or lost."""

import contextlib
import random
import threading

import pytest
from support.memories import Memories, Vocabulary, ids, memory_path, send, unique

WRITERS = 8
SEARCHERS = 8
# The server of the tests is written in Python: a few hundred changes keep it busy for as long as thousands do SQLite.
ADDS_OF_A_WRITER = {"sqlite": 250, "mongodb": 25}


@pytest.fixture(scope="module")
def clients(ltm_server):
    """As many as there are threads at most, each with a connection of its own."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(ltm_server.client()) for _ in range(WRITERS + SEARCHERS)]


def run_all(*functions):
    """Runs each in a thread of its own; the first thing that goes wrong in one goes wrong here."""
    failures = []

    def run(function):
        try:
            function()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_an_answered_add_is_found_by_the_next_search_of_its_client(clients, ltm_engine):
    """Eight writers and eight searchers on one scope, which grows to two thousand memories."""
    scope = {"user_id": unique()}
    words = Vocabulary(6).words(WRITERS * ADDS_OF_A_WRITER[ltm_engine])
    done, searches = [], []

    def write(number: int):
        try:
            memories = Memories(clients[number], **scope)
            for word in words[number::WRITERS]:
                stored = memories.store(f"{word} was told by writer {number}")
                assert stored["id"] in ids(memories.search(word, limit=20)), f"{word} was not found"
        finally:
            done.append(number)

    def search(number: int):
        choose = random.Random(number)
        memories = Memories(clients[WRITERS + number], **scope)
        while len(done) < WRITERS:
            found = memories.search(f"{choose.choice(words)} writer {number}", limit=50)
            scores = [memory["score"] for memory in found]
            assert scores == sorted(scores, reverse=True)
            assert len(set(ids(found))) == len(found)
            assert all(memory["user_id"] == scope["user_id"] for memory in found)
            searches.append(len(found))

    run_all(*(lambda number=number: write(number) for number in range(WRITERS)),
            *(lambda number=number: search(number) for number in range(SEARCHERS)))
    assert len(searches) > SEARCHERS
    memories = Memories(clients[0], **scope)
    assert {memory["memory"].split()[0] for memory in memories.walk(limit=1000)} == set(words)
    for word in random.Random(6).sample(words, 100):
        assert memories.search(word)[0]["memory"].startswith(word)


def test_changes_of_one_memory_by_many_lose_no_entry_of_its_history(clients):
    memories = Memories(clients[0])
    stored = memories.store("begin")
    answered = []

    def update(number: int):
        for turn in range(25):
            text = f"writer {number} turn {turn}"
            reply = send(clients[number], "PUT", memory_path(stored["id"]), {"data": text})
            assert reply.status_code in (200, 409), reply.text
            if reply.status_code == 200:
                assert reply.json()["memory"] == text
                answered.append(text)

    run_all(*(lambda number=number: update(number) for number in range(4)))
    told = memories.told(stored["id"])
    assert told[0] == ("ADD", None, "begin")
    assert sorted(new for _, _, new in told[1:]) == sorted(answered)
    assert [old for _, old, _ in told[1:]] == [new for _, _, new in told[:-1]]
    assert memories.get(stored["id"])["memory"] == told[-1][2]
    assert memories.found(told[-1][2]) == [told[-1][2]]


def test_of_many_equal_adds_at_once_exactly_one_is_stored(clients):
    memories = Memories(clients[0])
    for turn in range(40):
        barrier = threading.Barrier(WRITERS)
        replies = []

        def add(client):
            barrier.wait()
            replies.append(Memories(client, **memories.scope).add(f"the same  {turn}"))

        run_all(*(lambda client=client: add(client) for client in clients[:WRITERS]))
        assert sorted(reply["event"] for reply in replies) == ["ADD"] + ["NOOP"] * (WRITERS - 1)
        assert len({reply["id"] for reply in replies}) == 1
        assert [event for event, *_ in memories.told(replies[0]["id"])] == ["ADD"]
    assert len(memories.list()) == 40


def test_of_many_deletions_at_once_exactly_one_succeeds(clients):
    memories = Memories(clients[0])
    for turn in range(20):
        stored = memories.store(f"number {turn}")
        barrier = threading.Barrier(6)
        statuses = []

        def delete(client):
            barrier.wait()
            statuses.append(client.delete(memory_path(stored["id"])).status_code)

        run_all(*(lambda client=client: delete(client) for client in clients[:6]))
        assert sorted(statuses) == [200] + [404] * 5
        assert [event for event, *_ in memories.told(stored["id"])] == ["ADD", "DELETE"]


def test_a_change_and_a_deletion_at_once_end_in_the_deletion(clients):
    memories = Memories(clients[0])
    for turn in range(20):
        stored = memories.store(f"violin {turn}")

        def update(client):
            for number in range(5):
                reply = send(client, "PUT", memory_path(stored["id"]), {"data": f"violin {turn} {number}"})
                assert reply.status_code in (200, 404, 409)

        def delete():
            assert clients[2].delete(memory_path(stored["id"])).status_code == 200

        run_all(lambda: update(clients[0]), delete, lambda: update(clients[1]))
        told = memories.told(stored["id"])
        assert [event for event, *_ in told if event == "DELETE"] == ["DELETE"] and told[-1][0] == "DELETE"
        assert told[-1][1] == told[-2][2]
        assert memories.list() == memories.search("violin") == []


def test_forgetting_a_scope_while_others_add_leaves_no_half(clients):
    memories = Memories(clients[0])
    added = []

    def add(number: int):
        own = Memories(clients[number], **memories.scope)
        for turn in range(40):
            added.extend(own.remember(f"violin {number} {turn}", f"piano {number} {turn}"))

    def forget():
        for _ in range(10):
            Memories(clients[3], **memories.scope).forget()

    run_all(*(lambda number=number: add(number) for number in range(3)), forget)
    left = set(ids(memories.list()))
    assert set(ids(memories.search("violin piano", limit=1000))) == left
    for memory in added:
        events = [event for event, *_ in memories.told(memory["id"])]
        assert events == (["ADD"] if memory["id"] in left else ["ADD", "DELETE"])


def test_all_kinds_of_calls_at_once_leave_every_scope_as_its_client_left_it(clients):
    def work(number: int):
        choose = random.Random(number)
        memories = Memories(clients[number])
        held: dict[str, str] = {}
        for turn in range(40):
            if not held or choose.random() < 0.6:
                for memory in memories.remember(*(f"violin {turn} {part}" for part in range(choose.randint(1, 3)))):
                    held[memory["id"]] = memory["memory"]
            elif choose.random() < 0.5:
                memory_id = choose.choice(list(held))
                held[memory_id] = memories.update(memory_id, f"violin {turn} changed")["memory"]
            else:
                gone = choose.sample(list(held), min(2, len(held)))
                assert memories.batch("delete", gone, "memory_ids")["failed"] == 0
                for memory_id in gone:
                    del held[memory_id]
            found = memories.search("violin", limit=1000)
            assert {memory["id"]: memory["memory"] for memory in found} == held

    run_all(*(lambda number=number: work(number) for number in range(6)))


def test_scopes_that_do_not_fit_into_the_cache_are_found_all_the_same(start_server):
    """Each is read from the disk again and again, while others change it."""
    server = start_server(MAAS_LOCAL_MODEL="none", LTM_CACHE_MB="1")
    padding = " ".join(Vocabulary(9).words(150))

    def work(number: int):
        choose = random.Random(number)
        with server.client() as client:
            scopes = [Memories(client) for _ in range(6)]
            held = [set() for _ in scopes]
            for turn in range(60):
                at = choose.randrange(len(scopes))
                if choose.random() < 0.7 or not held[at]:
                    stored = scopes[at].remember(*(f"violin {turn} {part} {padding}" for part in range(3)))
                    held[at].update(ids(stored))
                else:
                    gone = held[at].pop()
                    scopes[at].delete(gone)
                assert set(ids(scopes[at].search("violin", limit=1000))) == held[at]

    run_all(*(lambda number=number: work(number) for number in range(4)))
    assert server.stop() == 0, server.log()
