"""With an embedding model, memories are found by what they mean. Runs where MAAS_TEST_MODEL_DIR names one."""

import os
import threading

import pytest
from support.memories import WORDS_ONLY, Memories, ids
from support.processes import serving
from support.sessions import message

MODEL = os.environ.get("MAAS_TEST_MODEL_DIR", "")
pytestmark = pytest.mark.skipif(not MODEL, reason="MAAS_TEST_MODEL_DIR names no model")
MEANINGS = [
    ("I adopted a puppy last spring", "Does she have a dog?"),
    ("My physician told me to rest", "What did the doctor say?"),
    ("We are getting married in June", "When is the wedding?"),
    ("He repairs automobiles for a living", "Who works with cars?"),
    ("She is allergic to peanuts", "Which food makes her sick?"),
    ("They purchased a small apartment downtown", "Where did they buy a home?"),
    ("I play the violin in an orchestra", "musical instruments"),
    ("The infant slept through the night", "baby"),
]


@pytest.fixture(scope="module")
def semantic_server(ltm_engine, ltm_settings, tmp_path_factory):
    with serving(tmp_path_factory.mktemp(f"semantic-{ltm_engine}"), MAAS_LOCAL_MODEL=MODEL, **ltm_settings) as server:
        yield server


@pytest.fixture(scope="module")
def semantic_client(semantic_server):
    with semantic_server.client() as client:
        yield client


@pytest.fixture
def memories(semantic_client):
    return Memories(semantic_client)


@pytest.mark.parametrize(("text", "query"), MEANINGS)
def test_a_memory_is_found_without_a_common_word(memories, text, query):
    memories.apart(*(text for text, _ in MEANINGS))
    assert memories.found(query, limit=1) == [text]


def test_ready_names_the_model(semantic_client):
    reply = semantic_client.get("/health/ready")
    assert reply.status_code == 200
    check = reply.json()["checks"]["embedder"]
    assert (check["engine"], check["status"]) == ("local", "ok")


def test_an_explanation_tells_the_cosine(memories):
    memories.apart(*(text for text, _ in MEANINGS))
    reply = memories.ask("Does she have a dog?", explain=True)
    assert reply["timing_ms"]["embed"] >= 0 and reply["timing_ms"]["search"] > 0
    first = reply["results"][0]["explanation"]
    assert first["cosine_rank"] == 1 and 0 < first["cosine"] <= 1.0001
    assert all(-1.0001 <= result["explanation"]["cosine"] <= 1.0001 for result in reply["results"])
    scores = [result["score"] for result in reply["results"]]
    assert scores == sorted(scores, reverse=True) and all(0 < score <= 1 for score in scores)


def test_a_changed_text_is_found_by_its_new_meaning(memories):
    stored = memories.apart(*(text for text, _ in MEANINGS))
    memories.update(stored[0]["id"], "The invoice from the tax office arrived")
    assert memories.found("Does she have a dog?", limit=1) != ["The invoice from the tax office arrived"]
    assert ids(memories.search("government bill to pay", limit=1)) == [stored[0]["id"]]


def test_a_batch_of_adds_is_found(memories):
    reply = memories.batch("add", [{"messages": [message(text)], "timestamp": 1e9 + number * 1e6, **memories.scope}
                                   for number, (text, _) in enumerate(MEANINGS)])
    assert reply["failed"] == 0
    searched = memories.batch("search", [{"query": query, "limit": 1, **memories.scope} for _, query in MEANINGS])
    assert [item["result"]["results"][0]["memory"] for item in searched["results"]] == [text for text, _ in MEANINGS]


@pytest.mark.parametrize("text", ["👍", "東京は大きい", "word " * 5000, "\0", "?!", "x" * 100_000, "مرحبا"])
def test_any_text_can_be_embedded(memories, text):
    stored = memories.store(text)
    assert memories.list() == [stored]
    assert len(memories.search(text)) <= 1


def test_many_clients_are_embedded_at_once(semantic_server, memories):
    found = []

    def work(number: int):
        with semantic_server.client() as client:
            own = Memories(client)
            own.apart(*(text for text, _ in MEANINGS))
            found.append(own.found(MEANINGS[number][1], limit=1) == [MEANINGS[number][0]])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(MEANINGS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * len(MEANINGS)


def test_a_restart_keeps_the_vectors(own_ltm, tmp_path):
    with serving(tmp_path, MAAS_LOCAL_MODEL=MODEL, **own_ltm) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        memories.apart(*(text for text, _ in MEANINGS))
        before = {query: memories.search(query) for _, query in MEANINGS}
    with serving(tmp_path, MAAS_LOCAL_MODEL=MODEL, **own_ltm) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        after = {query: memories.search(query) for _, query in MEANINGS}
        assert {query: ids(found) for query, found in after.items()} == {
            query: ids(found) for query, found in before.items()}


def test_memories_of_a_server_without_a_model_are_found_by_words_with_one(own_ltm, tmp_path):
    with serving(tmp_path, **WORDS_ONLY, **own_ltm) as server, server.client() as client:
        words = Memories(client, user_id="u").store("I adopted a puppy", timestamp=0)
    with serving(tmp_path, MAAS_LOCAL_MODEL=MODEL, **own_ltm) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        assert ids(memories.search("puppy")) == [words["id"]]
        later = memories.store("The infant slept")
        assert ids(memories.search("baby", limit=1)) == [later["id"]]
    with serving(tmp_path, **WORDS_ONLY, **own_ltm) as server, server.client() as client:
        assert len(Memories(client, user_id="u").list()) == 2
