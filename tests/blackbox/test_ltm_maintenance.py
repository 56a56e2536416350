"""maas reembed and maas reprocess: what a model could not do at first is done later, once."""

import pytest
from support import provider_faults as faults
from support.memories import Memories, texts
from support.provider import Provider
from support.provider_chat import model


@pytest.fixture
def provider():
    with Provider(dims=64) as provider:
        yield provider


@pytest.fixture
def start(own_ltm, start_server):
    """Starts a server on the engine; several of a test share its data."""
    return lambda **settings: start_server(**own_ltm, **settings)


def embedding(provider: Provider, **others: str) -> dict:
    return {"EMBEDDING_PROVIDER": "openai", "EMBEDDING_BASE_URL": f"{provider.url}/v1", "EMBEDDING_DIMS": "64", **others}


def chatting(provider: Provider) -> dict:
    return {"LLM_PROVIDER": "ollama", "LLM_BASE_URL": f"{provider.url}/v1", "LLM_MAX_RETRIES": "0"}


def cosines(memories: Memories) -> list:
    return [found["explanation"]["cosine"] for found in memories.search("memory", explain=True, limit=1000)]


def test_memories_without_a_vector_get_one(provider, start):
    first = start()
    with first.client() as client:
        users = [Memories(client) for _ in range(3)]
        for memories in users:
            memories.remember(*(f"memory number {n}" for n in range(200)))
    busy = first.run("reembed")
    assert busy.returncode == 1 and "in use by another MaaS" in busy.stderr
    first.stop()
    second = start(**embedding(provider))
    with second.client() as client:
        before = Memories(client, **users[0].scope)
        assert cosines(before) == [None] * 200
        history = before.history(before.search("memory", limit=1)[0]["id"])
    second.stop()
    done = second.run("reembed", timeout=120)
    assert done.returncode == 0 and done.stdout == "600 memories embedded\n", done.stderr
    provider.take()
    assert second.run("reembed").stdout == "0 memories embedded\n"
    assert not provider.requests
    with second.start().client() as client:
        for user in users:
            memories = Memories(client, **user.scope)
            found = cosines(memories)
            assert len(found) == 200 and None not in found
        assert Memories(client).history(history[0]["memory_id"]) == history


def test_reembedding_goes_on_where_it_failed(provider, start):
    server = start()
    with server.client() as client:
        memories = Memories(client)
        memories.remember(*(f"memory number {n}" for n in range(600)))
    server.stop()
    server = start(**embedding(provider, EMBEDDING_MAX_RETRIES="0"))
    server.stop()
    provider.fail(faults.slow(0), faults.status(500))
    failed = server.run("reembed", timeout=60)
    assert failed.returncode == 1 and "status 500" in failed.stderr
    assert sum(len(request.texts) for request in provider.take()) == 512
    assert server.run("reembed", timeout=60).stdout == "344 memories embedded\n"


def test_without_a_model_there_is_nothing_to_embed_with(start_server):
    server = start_server()
    server.stop()
    failed = server.run("reembed")
    assert failed.returncode == 2 and "EMBEDDING_PROVIDER" in failed.stderr
    failed = server.run("reprocess")
    assert failed.returncode == 2 and "LLM_PROVIDER" in failed.stderr


def test_messages_kept_while_the_llm_failed_are_processed_later(provider, start):
    server = start(**chatting(provider), **embedding(provider))
    provider.break_with(faults.status(500), kind="chat")
    with server.client() as client:
        memories = Memories(client)
        kept = memories.add([{"role": "user", "content": "I like tea"}, {"role": "user", "content": "and coffee"}],
                            category="preference", metadata={"source": "chat"}, ttl_seconds=3600)
        verbatim = memories.store("word for word", infer=False)
    server.stop()
    failed = server.run("reprocess")
    assert failed.returncode == 1 and "status 500" in failed.stderr
    provider.heal()
    provider.take()
    provider.chat = model(facts=["User likes tea and coffee"])
    done = server.run("reprocess")
    assert done.returncode == 0 and done.stdout == "2 memories processed\n", done.stderr
    assert provider.asked == ["facts", "decisions"]
    assert "I like tea\nuser: and coffee" in provider.chats[0].prompt
    with server.start().client() as client:
        memories = Memories(client, **memories.scope)
        assert sorted(texts(memories.walk())) == ["User likes tea and coffee", "word for word"]
        made = memories.search("tea")[0]
        assert made["category"] == "preference" and made["metadata"]["source"] == "chat"
        assert "unprocessed" not in made["metadata"] and made["expires_at"]
        assert [entry["event"] for entry in memories.history(kept["id"])] == ["ADD", "DELETE"]
        assert memories.get(verbatim["id"])["memory"] == "word for word"
