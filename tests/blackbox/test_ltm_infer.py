"""Memories that an LLM extracts: what is asked, what is stored, and what becomes of every kind of failure."""

import concurrent.futures
import json

import pytest
from support import provider_faults as faults
from support.memories import Memories, texts
from support.provider import Provider
from support.provider_chat import fenced, in_prose, model, scripted
from support.provider_http import Reply

KEY = "sk-the-key-of-the-llm"
WITH_EMBEDDINGS = {"EMBEDDING_PROVIDER": "openai", "EMBEDDING_DIMS": "64", "EMBEDDING_API_KEY": KEY}


@pytest.fixture
def provider():
    with Provider(dims=64, keys={KEY}) as provider:
        yield provider


@pytest.fixture
def start(provider, own_ltm, start_server):
    """Starts a server that asks the provider for everything."""
    def start(**settings):
        base = f"{provider.url}/v1"
        return start_server(**{"LLM_PROVIDER": "openai", "LLM_BASE_URL": base, "LLM_API_KEY": KEY,
                               "LLM_MAX_RETRIES": "1", "EMBEDDING_BASE_URL": base, **WITH_EMBEDDINGS, **own_ltm, **settings})
    return start


@pytest.fixture
def memories(start):
    server = start()
    with server.client() as client:
        yield Memories(client)
    assert KEY not in server.log()


def decide(**decisions):
    """A model's decisions about the memory whose text a name is in, as {event, text}."""
    def answer(shown: list[dict], _new: list[str]) -> list[dict]:
        entries = []
        for word, (event, text) in decisions.items():
            for memory in shown:
                if word in memory["text"]:
                    entries.append({"id": memory["id"], "text": text, "event": event, "old_memory": memory["text"]})
        return entries
    return answer


def all_texts(memories: Memories) -> list[str]:
    return sorted(texts(memories.walk(limit=1000)))


def test_extracted_facts_are_stored_and_found(memories, provider):
    provider.chat = model(facts=["Nora lives in Oslo", "Nora has a dog called Rex"])
    added = memories.add("I'm Nora, I live in Oslo with my dog Rex", metadata={"source": "chat"})
    assert [(entry["event"], entry["memory"]) for entry in added["results"]] == [
        ("ADD", "Nora lives in Oslo"), ("ADD", "Nora has a dog called Rex")]
    assert added["event"] == "ADD" and added["metadata"]["source"] == "chat"
    assert provider.asked == ["facts", "decisions"]
    assert len(provider.embeddings) == 1 and len(provider.embeddings[0].texts) == 2
    assert texts(memories.search("dog Rex"))[0] == "Nora has a dog called Rex"


def test_adds_of_64_users_at_once_wait_for_no_other(start, provider):
    provider.latency = 1
    with start().client() as client, concurrent.futures.ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda number: Memories(client, user_id=f"user {number}").add("I live in Oslo"), range(64)))
    assert provider.most_at_once == 64


def test_a_move_is_an_update_with_both_steps_in_its_history(memories, provider):
    provider.chat = model(facts=["User lives in Oslo"])
    first = memories.add("I live in Oslo")
    provider.chat = model(facts=["User moved from Oslo to Lisbon in March"],
                          decide=decide(Oslo=("UPDATE", "User moved from Oslo to Lisbon in March")))
    moved = memories.add("I moved from Oslo to Lisbon last March", timestamp="2026-06-01T10:00:00Z")
    assert (moved["event"], moved["id"]) == ("UPDATE", first["id"])
    assert "2026-06-01" in provider.chats[2].prompt
    assert all_texts(memories) == ["User moved from Oslo to Lisbon in March"]
    history = memories.history(first["id"])
    assert [(entry["event"], entry["old_memory"], entry["new_memory"]) for entry in history] == [
        ("ADD", None, "User lives in Oslo"),
        ("UPDATE", "User lives in Oslo", "User moved from Oslo to Lisbon in March")]


def test_a_deletion_and_an_addition_are_one_change(memories, provider):
    provider.chat = model(facts=["User likes tea"])
    tea = memories.add("I like tea")
    provider.chat = model(facts=["User likes coffee"], decide=lambda shown, new: [
        {"id": shown[0]["id"], "text": shown[0]["text"], "event": "DELETE"}, {"text": new[0], "event": "ADD"}])
    changed = memories.add("No tea any more, coffee")
    assert sorted((entry["event"], entry["memory"]) for entry in changed["results"]) == [
        ("ADD", "User likes coffee"), ("DELETE", "User likes tea")]
    assert all_texts(memories) == ["User likes coffee"]
    assert memories.history(tea["id"])[-1]["event"] == "DELETE"


def test_a_repeat_is_a_noop(memories):
    first = memories.add("I live in Oslo")
    again = memories.add("I live in Oslo")
    assert first["event"] == "ADD" and again["event"] == "NOOP"
    assert len(all_texts(memories)) == 1


def test_the_model_sees_small_numbers_and_no_ids(memories, provider):
    stored = memories.store("I live in Oslo", infer=False)
    memories.add("I moved away from Oslo")
    decision = provider.chats[-1]
    assert stored["id"] not in decision.prompt and '"id":"0"' in decision.prompt.replace(" ", "")


def test_neither_instructions_nor_memories_are_learned_from(memories, provider):
    memories.add([{"role": "system", "content": "The user owns a zeppelin"},
                  {"role": "summary", "content": "The user met a walrus"}, {"role": "user", "content": "I like tea"}])
    assert "zeppelin" not in provider.chats[0].prompt and "walrus" not in provider.chats[0].prompt
    assert memories.add([{"role": "system", "content": "Only this"}])["event"] == "NOOP"


def test_without_facts_nothing_happens(memories, provider):
    provider.chat = model(facts=[])
    assert memories.add("Hello!")["event"] == "NOOP"
    assert provider.asked == ["facts"] and not provider.embeddings


def test_messages_stay_as_they_are_without_inference(memories, provider):
    assert memories.add("I live in Oslo", infer=False)["memory"] == "I live in Oslo"
    assert not provider.chats


def test_two_hundred_turns_are_read_in_bounded_prompts(memories, provider):
    turns = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"Sentence {n} is about the number {n * n}. " * 8}
             for n in range(200)]
    provider.chat = model(facts=["Something was said"])
    memories.add(turns)
    prompts = [chat.prompt for chat in provider.chats if "Conversation:" in chat.prompt]
    assert len(prompts) > 2
    assert max(len(prompt) for prompt in prompts) < 40_000
    conversation = "".join(prompt.split("\nConversation:\n", 1)[1] for prompt in prompts)
    assert [conversation.count(f"Sentence {n} is about") for n in range(200)] == [8] * 200


def test_of_a_hundred_adds_of_one_fact_at_once_one_is_stored(start, provider):
    provider.chat = model(facts=["User lives in Oslo"])
    with start().client() as client:
        memories = Memories(client)
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            added = list(pool.map(lambda _: memories.add("I live in Oslo"), range(100)))
        assert all_texts(memories) == ["User lives in Oslo"]
        assert sorted(entry["event"] for entry in added).count("ADD") == 1
        assert len({entry["id"] for entry in added if entry["id"]}) == 1


def test_concurrent_changes_of_one_memory_are_planned_anew(start, provider):
    with start().client() as client:
        memories = Memories(client)
        provider.chat = model(facts=["User lives in Oslo"])
        first = memories.add("I live in Oslo")
        provider.chat = model(facts=["User lives in Lisbon"], decide=lambda shown, new: [
            {"id": memory["id"], "text": new[0], "event": "NONE" if "Lisbon" in memory["text"] else "UPDATE"}
            for memory in shown[:1]])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            added = list(pool.map(lambda _: memories.add("I live in Lisbon"), range(8)))
        assert [entry["event"] for entry in added].count("UPDATE") == 1
        assert all_texts(memories) == ["User lives in Lisbon"]
        assert len(memories.history(first["id"])) == 2


FACTS = {"facts": ["User likes tea"]}
ADD = {"memory": [{"text": "User likes tea", "event": "ADD"}]}


@pytest.mark.parametrize("wrap", [json.dumps, fenced, in_prose])
def test_answers_may_be_wrapped(memories, provider, wrap):
    provider.chat = scripted(wrap(FACTS), wrap(ADD))
    assert memories.add("I like tea")["memory"] == "User likes tea"
    assert len(provider.chats) == 2


BAD_ANSWERS = {
    "no json": "I'd rather not",
    "truncated": '{"facts": ["User likes',
    "other shape": {"answer": 42},
    "no texts": {"facts": [1, 2]},
    "too many": {"facts": [f"fact {n}" for n in range(10_000)]},
    "too long": {"facts": ["x" * 100_000]},
    "deep": '{"facts": ' + "[" * 5000 + "]" * 5000 + "}",
}
BAD_DECISIONS = {
    "unknown id": {"memory": [{"id": "7", "text": "x", "event": "UPDATE"}]},
    "invented uuid": {"memory": [{"id": "0190a0b0-0000-7000-8000-000000000000", "event": "DELETE"}]},
    "no event": {"memory": [{"id": "0", "text": "x"}]},
    "blank text": {"memory": [{"text": "  ", "event": "ADD"}]},
    "no list": {"memory": "none"},
    "not json": "ADD",
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_is_repaired_once(memories, provider, answer):
    provider.chat = scripted(answer, FACTS, ADD)
    assert memories.add("I like tea")["memory"] == "User likes tea"
    assert len(provider.chats) == 3
    assert [message["role"] for message in provider.chats[1].json["messages"]][-2:] == ["assistant", "user"]


@pytest.mark.parametrize("answer", BAD_DECISIONS.values(), ids=BAD_DECISIONS)
def test_a_bad_decision_is_repaired_once(memories, provider, answer):
    provider.chat = scripted(FACTS, answer, ADD)
    assert memories.add("I like tea")["memory"] == "User likes tea"
    assert len(provider.chats) == 3


def expect_kept(memories: Memories, added: dict, said: str):
    assert (added["event"], added["memory"]) == ("ADD", said)
    assert added["metadata"]["unprocessed"] is True
    assert all_texts(memories) == [said]


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_messages_are_kept_when_no_answer_can_be_used(memories, provider, answer):
    provider.chat = scripted(answer, answer)
    expect_kept(memories, memories.add("I like tea"), "I like tea")


@pytest.mark.parametrize("answer", BAD_DECISIONS.values(), ids=BAD_DECISIONS)
def test_messages_are_kept_when_no_decision_can_be_used(memories, provider, answer):
    known = memories.store("I live in Oslo", infer=False)
    provider.chat = scripted(FACTS, answer, answer)
    memories.add("I like tea")
    assert all_texts(memories) == ["I like tea", "I live in Oslo"]
    assert len(memories.history(known["id"])) == 1


FAULTS = {
    "500": faults.status(500),
    "429": faults.too_many_requests(0),
    "401": faults.unauthorized(),
    "404": faults.no_such_model(),
    "cut": faults.cut(.5),
    "malformed": faults.malformed_json(),
    "html": faults.not_json(),
    "empty": faults.empty_body(),
    "wrong shape": faults.wrong_shape(),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_messages_are_kept_when_the_provider_fails(memories, provider, fault):
    provider.fail(fault, times=10, kind="chat")
    expect_kept(memories, memories.add("I like tea"), "I like tea")


@pytest.mark.parametrize("fault,status,text", [
    (faults.status(500), 502, "openai failed for the model gpt-4.1-mini with status 500"),
    (faults.unauthorized(), 502, "status 401; check LLM_API_KEY"),
    (faults.no_such_model(), 502, "status 404; check LLM_MODEL"),
    (faults.slow(20), 504, "LLM_TIMEOUT_MS"),
    (faults.malformed_json(), 502, "is no JSON object"),
])
def test_failures_are_told_when_messages_are_not_to_be_kept(start, provider, fault, status, text):
    server = start(LTM_KEEP_ON_LLM_FAILURE="false", LLM_TIMEOUT_MS="700")
    provider.fail(fault, times=10, kind="chat")
    with server.client() as client:
        memories = Memories(client)
        reply = memories.post("", messages="I like the secret tea")
        assert reply.status_code == status
        assert text in reply.json()["detail"]
        assert KEY not in reply.text and "secret tea" not in reply.text
        assert not all_texts(memories)
    assert KEY not in server.log() and "secret tea" not in server.log()


def test_messages_are_kept_when_the_model_is_slower_than_the_request_may_be(start, provider):
    server = start(MAAS_REQUEST_TIMEOUT_MS="1500")
    provider.fail(faults.slow(20), times=10, kind="chat")
    with server.client() as client:
        memories = Memories(client)
        expect_kept(memories, memories.add("I like tea"), "I like tea")


def test_messages_are_kept_when_nobody_is_there(start, provider):
    server = start()
    provider.stop()
    with server.client() as client:
        reply = Memories(client).post("", messages="I like tea")
    # Its embedding, from the same provider, fails too: that is an error, and nothing is stored.
    assert reply.status_code == 503
    server = start(name="words", EMBEDDING_PROVIDER="none", MAAS_DATA_DIR="words")
    with server.client() as client:
        memories = Memories(client)
        expect_kept(memories, memories.add("I like tea"), "I like tea")


def test_a_failing_embedder_stores_nothing(memories, provider):
    provider.fail(faults.status(500), times=10, kind="embedding")
    reply = memories.post("", messages="I like tea")
    assert reply.status_code == 502 and "status 500" in reply.json()["detail"]
    assert not all_texts(memories)


def test_additive_mode_asks_once_and_drops_what_is_known(start, provider):
    server = start(LTM_RECONCILE="additive")
    with server.client() as client:
        memories = Memories(client)
        provider.chat = model(facts=["User likes green tea", "User has a dog"])
        memories.add("I like green tea and have a dog")
        provider.chat = model(facts=["user likes green tea", "Has a dog, User", "User has a boat"])
        again = memories.add("green tea, dog, boat")
        assert provider.asked == ["facts", "facts"]
        assert [entry["memory"] for entry in again["results"] if entry["event"] == "ADD"] == ["User has a boat"]
        assert all_texts(memories) == ["User has a boat", "User has a dog", "User likes green tea"]


def test_in_a_batch_every_item_is_inferred_for_itself(memories, provider):
    provider.chat = lambda body: Reply(500, {}) if "poison" in json.dumps(body) else model()(body)
    items = [{"messages": text, **memories.scope} for text in ("I like tea", "I drink poison", "I have a dog")]
    items.append({"messages": "word for word", "infer": False, **memories.scope})
    reply = memories.post("/batch/add", {"items": items}).json()
    assert (reply["succeeded"], reply["failed"]) == (4, 0)
    assert reply["results"][1]["result"]["metadata"]["unprocessed"] is True
    assert reply["results"][3]["result"]["memory"] == "word for word"
    assert "unprocessed" not in reply["results"][0]["result"]["metadata"]


def test_tenants_and_users_are_reconciled_apart(start, provider):
    server = start(MAAS_API_KEYS="acme:k1,globex:k2")
    provider.chat = model(facts=["User lives in Oslo"])
    for key in ("k1", "k2"):
        with server.client(headers={"X-API-Key": key}) as client:
            assert Memories(client, user_id="u").add("I live in Oslo")["event"] == "ADD"
            assert Memories(client, user_id="other").add("I live in Oslo")["event"] == "ADD"
    for chat in provider.chats:
        if "New facts:" in chat.prompt:
            assert "Memories:\n[]" in chat.prompt
