"""Embedding providers over HTTP: what they are asked, to the byte, and what becomes of what they answer."""

import concurrent.futures
import dataclasses
import json
import time

import pytest
from support import provider_faults as faults
from support.memories import Memories, texts
from support.provider import Provider

KEY = "sk-the-key-of-the-embedder"
DIMS = 256


@pytest.fixture
def provider():
    with Provider(dims=DIMS, keys={KEY}) as provider:
        yield provider


# The settings of each provider, with {url} for the stub's.
PROVIDERS = {
    "openai": {"EMBEDDING_BASE_URL": "{url}/v1"},
    "azure_openai": {"AZURE_ENDPOINT": "{url}", "EMBEDDING_API_VERSION": "2024-06-01"},
    "cohere": {"EMBEDDING_BASE_URL": "{url}", "EMBEDDING_MODEL": "embed-v4.0"},
    "huggingface": {"EMBEDDING_BASE_URL": "{url}/", "EMBEDDING_MODEL": "intfloat/e5-small-v2"},
    "ollama": {"EMBEDDING_BASE_URL": "{url}", "EMBEDDING_MODEL": "nomic-embed-text"},
}
BEARER = ("authorization", f"Bearer {KEY}")
REQUESTS = {
    "openai": ("/v1/embeddings", {}, BEARER, {
        "model": "text-embedding-3-small", "input": ["A cat sat."], "encoding_format": "base64", "dimensions": DIMS}),
    "azure_openai": ("/openai/deployments/text-embedding-3-small/embeddings", {"api-version": "2024-06-01"},
                     ("api-key", KEY), {"model": "text-embedding-3-small", "input": ["A cat sat."],
                                        "encoding_format": "base64", "dimensions": DIMS}),
    "cohere": ("/v2/embed", {}, BEARER, {
        "model": "embed-v4.0", "texts": ["A cat sat."], "input_type": "search_document", "embedding_types": ["float"],
        "output_dimension": DIMS}),
    "huggingface": ("/embed", {}, BEARER, {"inputs": ["passage: A cat sat."], "truncate": True}),
    "ollama": ("/api/embed", {}, BEARER, {"model": "nomic-embed-text", "input": ["search_document: A cat sat."]}),
}
QUERIES = {
    "openai": ("input", "the cat"), "azure_openai": ("input", "the cat"), "cohere": ("texts", "the cat"),
    "huggingface": ("inputs", "query: the cat"), "ollama": ("input", "search_query: the cat"),
}


def settings(provider: Provider, name: str, **others: str) -> dict:
    chosen = {key: value.format(url=provider.url) for key, value in PROVIDERS[name].items()}
    return {"EMBEDDING_PROVIDER": name, "EMBEDDING_API_KEY": KEY, "EMBEDDING_DIMS": str(DIMS),
            "EMBEDDING_MAX_RETRIES": "1", "EMBEDDING_TIMEOUT_MS": "1000", **chosen, **others}


@pytest.fixture(params=PROVIDERS)
def name(request):
    return request.param


@pytest.fixture
def server(name, provider, start_server):
    server = start_server(**settings(provider, name))
    yield server
    assert KEY not in server.log()


@pytest.fixture
def memories(server):
    with server.client() as client:
        yield Memories(client)


def test_requests_are_those_that_the_provider_documents(memories, name, provider):
    memories.store("A cat sat.")
    request = provider.requests[0]
    path, query, header, body = REQUESTS[name]
    assert (request.method, request.path, request.query) == ("POST", path, query)
    assert request.headers["content-type"] == "application/json"
    assert header in request.headers.items()
    assert {"authorization", "api-key"} & set(request.headers) == {header[0]}
    assert request.body == json.dumps(body, separators=(",", ":")).encode()
    memories.search("the cat")
    field, text = QUERIES[name]
    assert provider.requests[1].json[field] == [text]
    if name == "cohere":
        assert provider.requests[1].json["input_type"] == "search_query"


def test_memories_are_found_by_the_providers_vectors(memories, provider):
    provider.shuffled = True
    for day, text in enumerate(["The cat chases a mouse", "Trains are late in winter", "She plays the violin"], 1):
        memories.store(text, timestamp=f"2026-01-0{day}T12:00:00Z")  # no two in one conversation
    assert texts(memories.search("a cat chases a mouse"))[0] == "The cat chases a mouse"
    explanation = memories.search("the cat chases a mouse", explain=True)[0]["explanation"]
    assert explanation["cosine"] > .5


def test_the_same_text_is_embedded_once(memories, provider):
    memories.add("A cat sat.")
    memories.add("A cat sat.")
    for _ in range(3):
        memories.search("the cat")
    assert len(provider.requests) == 2


def test_many_texts_are_split_by_the_providers_limit(memories, provider, name):
    contents = [f"Memory number {n}." for n in range(600)]
    memories.remember(*contents)
    limit = {"cohere": 96, "huggingface": 32, "ollama": 512}.get(name, 600)
    assert max(len(request.texts) for request in provider.requests) <= limit
    assert sum(len(request.texts) for request in provider.requests) == 600
    assert texts(memories.search("Memory number 77."))[0] == "Memory number 77."


def test_a_text_of_any_length_is_embedded_and_keeps_no_other_from_it(provider, name, start_server):
    words = "the cat drinks tea " * 20_000
    with start_server(**settings(provider, name, EMBEDDING_TIMEOUT_MS="20000")).client() as client:
        memories = Memories(client)
        assert len(memories.remember(words, *(f"{n} {words[:40_000]}" for n in range(20)))) == 21
        assert texts(memories.search("a cat"))
    assert max(len(text) for request in provider.requests for text in request.texts) <= 256 * 1024 + 100
    assert max(len(request.body) for request in provider.requests) < 2_000_000
    if "openai" in name:
        assert max(sum(map(len, request.texts)) for request in provider.requests) <= 300_000


def test_no_key_is_sent_where_none_is_set(provider, start_server):
    provider.keys = None
    with start_server(**settings(provider, "ollama", EMBEDDING_API_KEY="")).client() as client:
        Memories(client).store("A cat sat.")
    assert not {"authorization", "api-key"} & set(provider.requests[0].headers)


FAULTS = {
    "wrong key": (faults.unauthorized(), 502, "status 401; check EMBEDDING_API_KEY", 1),
    "unknown model": (faults.no_such_model(), 502, "status 404; check EMBEDDING_MODEL", 1),
    "wrong dimensions": (faults.wrong_dims(7), 502, f"7 dimensions where EMBEDDING_DIMS is {DIMS}", 1),
    "one wrong": (faults.wrong_dims(7, last_only=True), 502, f"7 dimensions where EMBEDDING_DIMS is {DIMS}", 1),
    "NaN": (faults.nan(), 502, "", 1),
    "infinity": (faults.infinity(), 502, "", 1),
    "zeros": (faults.zero_vector(), 502, "a vector of zeros", 1),
    "too few": (faults.too_few_vectors(), 502, "1 vectors for 2 texts", 1),
    "too many": (faults.too_many_vectors(), 502, "3 vectors for 2 texts", 1),
    "malformed": (faults.malformed_json(), 502, "is no JSON", 1),
    "html": (faults.not_json(), 502, "is no JSON", 1),
    "wrong shape": (faults.wrong_shape(), 502, "", 1),
    "500": (faults.status(500), 502, "failed", 2),
    "429": (faults.too_many_requests(0), 502, "status 429", 2),
    "cut": (faults.cut(.5), 502, "", 2),
    "slow": (faults.slow(5), 504, "EMBEDDING_TIMEOUT_MS", 1),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_failure_is_told_and_stores_nothing(memories, name, provider, case):
    fault, status, text, requests = FAULTS[case]
    provider.break_with(fault)
    reply = memories.post("", messages=[{"role": "user", "content": "the secret tea"},
                                        {"role": "user", "content": "the secret cake"}])
    assert reply.status_code == status, reply.text
    detail = reply.json()["detail"]
    assert text in detail and name in detail
    assert KEY not in reply.text and "secret" not in reply.text
    assert len(provider.requests) == requests
    provider.heal()
    assert not list(memories.walk())
    assert memories.add("the secret tea")["event"] == "ADD"


def test_what_passes_is_tried_again(memories, provider):
    provider.fail(faults.too_many_requests(0), kind="embedding")
    assert memories.add("A cat sat.")["event"] == "ADD"
    assert len(provider.requests) == 2


def test_a_provider_that_is_away_is_unavailable(memories, server, provider):
    provider.stop()
    reply = memories.post("", messages="A cat sat.")
    assert reply.status_code == 503
    with server.client() as client:
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert "can't be reached" in json.dumps(ready.json()["checks"]["embedder"])
    provider.start()
    assert memories.add("A cat sat.")["event"] == "ADD"
    with server.client() as client:
        assert client.get("/health/ready").status_code == 200


def test_token_vectors_are_pooled(provider, start_server):
    provider.token_level = True
    with start_server(**settings(provider, "huggingface")).client() as client:
        memories = Memories(client)
        memories.remember("The cat chases a mouse", "Trains are late in winter")
        assert texts(memories.search("the cat"))[0] == "The cat chases a mouse"


def test_searches_at_once_share_requests(provider, start_server):
    provider.latency = .05
    with start_server(**settings(provider, "openai")).client() as client:
        memories = Memories(client)
        memories.store("A cat sat.")
        provider.take()
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            found = list(pool.map(lambda n: memories.search(f"cat number {n}"), range(64)))
        assert all(texts(results) == ["A cat sat."] for results in found)
        assert len(provider.requests) <= 16
        assert sum(len(request.texts) for request in provider.requests) == 64


def test_a_text_that_is_refused_fails_its_own_call_alone(provider, start_server):
    refused = dataclasses.replace(faults.status(400, "a text is too odd"), kind="embedding",
                                  when=lambda request: any("odd" in text for text in request.texts))
    provider.break_with(refused)
    said = ["an odd text", *(f"cat number {number}" for number in range(8))]
    with start_server(**settings(provider, "openai", EMBEDDING_MAX_CONCURRENCY="1")).client() as client:
        memories = Memories(client)
        with concurrent.futures.ThreadPoolExecutor(len(said) + 1) as pool:
            with provider.holding("embedding"):
                first = pool.submit(memories.post, "", messages="a dog")
                provider.wait_for(1, "embedding")
                replies = [pool.submit(memories.post, "", messages=text) for text in said]
                time.sleep(.5)  # meanwhile most of them have come
            statuses = [reply.result().status_code for reply in replies]
        assert first.result().status_code == 200
        assert statuses == [502] + [200] * 8
        assert sorted(texts(memories.list())) == sorted(["a dog", *said[1:]])
    assert any(len(request.texts) > 1 for request in provider.requests), "none were joined"


def test_one_calls_failure_fails_no_other(provider, start_server):
    with start_server(**settings(provider, "openai")).client() as client:
        memories = Memories(client)
        provider.fail(faults.status(500), times=2, kind="embedding")
        assert memories.post("", messages="A dog").status_code == 502
        assert memories.add("A cat sat.")["event"] == "ADD"


def test_vectors_of_another_model_are_not_compared(provider, start_server):
    first = start_server(**settings(provider, "openai"))
    with first.client() as client:
        scope = Memories(client).scope
        Memories(client, **scope).store("The cat chases a mouse")
    first.stop()
    second = start_server(**settings(provider, "openai", EMBEDDING_MODEL="text-embedding-3-large"))
    with second.client() as client:
        memories = Memories(client, **scope)
        assert memories.search("cat", explain=True)[0]["explanation"]["cosine"] is None
        memories.store("The cat sleeps")
        cosines = [found["explanation"]["cosine"] for found in memories.search("cat", explain=True)]
        assert any(cosine is not None for cosine in cosines)
