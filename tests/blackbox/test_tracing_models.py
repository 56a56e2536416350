"""Traces of memories and models: the trees of the contract, attribute by attribute, and what they never tell."""

import json
import os

import pytest
from support import provider_faults as faults
from support.provider import Provider
from support.provider_chat import Completion, model, scripted

KEY = "sk-PlantedKeyOfTheModel"
PLANTED = "PlantedSecretOfTheUser"
IDENTITY = {"user.id": "u-42", "session.id": "s-7", "langfuse.trace.metadata.agent_id": "a-1"}


@pytest.fixture
def provider():
    with Provider(dims=64, keys={KEY}) as provider:
        yield provider


@pytest.fixture
def start(provider, sink, start_server):
    """Starts a server that asks the provider for everything and exports at once."""
    def start(**settings):
        base = f"{provider.url}/v1"
        return start_server(**{
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": "10", "LLM_PROVIDER": "openai",
            "LLM_MODEL": "gpt-4.1-mini", "LLM_BASE_URL": base, "LLM_API_KEY": KEY, "LLM_MAX_RETRIES": "1",
            "EMBEDDING_PROVIDER": "openai", "EMBEDDING_MODEL": "text-embedding-3-small", "EMBEDDING_DIMS": "64",
            "EMBEDDING_BASE_URL": base, "EMBEDDING_API_KEY": KEY, **settings})
    return start


@pytest.fixture
def client(start):
    with start().client() as client:
        yield client


def add(client, text: str, **fields):
    return client.post("/ltm/memories", json={
        "messages": [{"role": "user", "content": text}], "user_id": "u-42", "session_id": "s-7", "agent_id": "a-1",
        **fields})


def context(operation: str) -> dict:
    """What every span of an operation on that scope tells."""
    return {**IDENTITY, "langfuse.trace.name": operation, "langfuse.trace.tags": operation.split(".")}


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.response.model": "gpt-4.1-mini", "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.request.temperature": 0.1, "gen_ai.request.max_tokens": 4096, "gen_ai.output.type": "json",
        "gen_ai.conversation.id": "s-7", "openai.api.type": "chat_completions", "server.address": "127.0.0.1"}


def test_the_tree_of_an_add(client, sink, provider):
    provider.chat = scripted(
        Completion({"facts": ["Lives in Lisbon", "Is vegetarian"]}, usage={
            "prompt_tokens": 612, "completion_tokens": 31, "total_tokens": 643,
            "prompt_tokens_details": {"cached_tokens": 512}, "completion_tokens_details": {"reasoning_tokens": 7}}))
    assert add(client, "I moved to Lisbon", category="fact").status_code == 200
    tree = sink.trace_of("POST /ltm/memories")
    assert tree.shape() == ("SERVER POST /ltm/memories", [("INTERNAL upsert_memory", [
        ("CLIENT chat gpt-4.1-mini", []), ("CLIENT embeddings text-embedding-3-small", []),
        *[("INTERNAL search memories", [])] * 2, ("CLIENT chat gpt-4.1-mini", []),
        ("INTERNAL BATCH memories", [])])])
    assert all(context("ltm.add").items() <= span.attributes.items() for span in tree.all())
    assert all(span.status == "UNSET" for span in tree.all())

    memory = tree.below[0]
    assert memory.span.attributes == {
        **context("ltm.add"), "gen_ai.operation.name": "upsert_memory", "gen_ai.memory.store.id": "maas.memories",
        "gen_ai.memory.record.count": 2, "langfuse.observation.type": "chain",
        "langfuse.observation.metadata.category": "fact", "langfuse.observation.metadata.events": "ADD,ADD"}
    extract, embed, reconcile = (below.span for below in memory.below if below.span.kind == "CLIENT")
    port = int(provider.url.rpartition(":")[2])
    told = dict(extract.attributes)
    assert told.pop("gen_ai.response.id").startswith("chatcmpl-")
    assert told == {
        **context("ltm.add"), **CHAT, "server.port": port, "gen_ai.usage.input_tokens": 612,
        "gen_ai.usage.output_tokens": 31, "gen_ai.usage.cache_read.input_tokens": 512,
        "gen_ai.usage.reasoning.output_tokens": 7, "langfuse.observation.metadata.purpose": "extract_facts"}
    told = dict(embed.attributes)
    assert told.pop("gen_ai.usage.input_tokens") > 0
    assert told == {
        **context("ltm.add"), "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small", "gen_ai.response.model": "text-embedding-3-small",
        "gen_ai.embeddings.dimension.count": 64, "gen_ai.request.encoding_formats": ["base64"],
        "server.address": "127.0.0.1", "server.port": port}
    assert reconcile.attributes["langfuse.observation.metadata.purpose"] == "reconcile"

    asked = [*provider.chats, *provider.embeddings]
    spans = {f"00-{tree.span.trace_id}-{span.span_id}" for span in (extract, embed, reconcile)}
    assert {request.headers["traceparent"][:52] for request in asked} == spans
    assert not any("baggage" in request.headers for request in asked)


def test_the_tree_of_a_search(client, sink):
    add(client, "I live in Lisbon", infer=False)
    reply = client.post("/ltm/memories/search", json={"query": "Lisbon", "user_id": "u-42", "session_id": "s-7",
                                                      "agent_id": "a-1"})
    tree = sink.trace_of("POST /ltm/memories/search")
    assert tree.shape() == ("SERVER POST /ltm/memories/search", [("INTERNAL search_memory", [
        ("CLIENT embeddings text-embedding-3-small", []), ("INTERNAL search memories", [])])])
    assert all(context("ltm.search").items() <= span.attributes.items() for span in tree.all())
    assert tree.below[0].span.attributes == {
        **context("ltm.search"), "gen_ai.operation.name": "search_memory", "gen_ai.memory.store.id": "maas.memories",
        "gen_ai.memory.record.count": len(reply.json()["results"]), "langfuse.observation.type": "retriever"}


def test_the_trees_of_one_memory(client, sink):
    memory = add(client, "I live in Lisbon", infer=False).json()["results"][0]["id"]
    path = f"/ltm/memories/{memory}"
    assert client.get(path).status_code == client.get(f"{path}/history").status_code == 200
    assert client.put(path, json={"data": "I live in Porto"}).status_code == 200
    assert client.delete(path).status_code == 200
    for name, operation, below in (
            ("GET /ltm/memories/{id}", "get_memory", ["INTERNAL SELECT memories"]),
            ("GET /ltm/memories/{id}/history", "memory_history", ["INTERNAL SELECT memory_history"]),
            ("PUT /ltm/memories/{id}", "update_memory", ["INTERNAL SELECT memories",
                                                         "CLIENT embeddings text-embedding-3-small",
                                                         "INTERNAL UPDATE memories"]),
            ("DELETE /ltm/memories/{id}", "delete_memory", ["INTERNAL DELETE memories"])):
        tree = sink.trace_of(name)
        assert tree.shape() == (f"SERVER {name}", [(f"INTERNAL {operation}", [(each, []) for each in below])])
        assert tree.below[0].span.attributes["gen_ai.memory.record.id"] == memory


def test_the_trees_of_a_scope(client, sink):
    add(client, "I live in Lisbon", infer=False)
    client.get("/ltm/memories", params={"user_id": "u-42"})
    client.delete("/ltm/memories", params={"user_id": "u-42"})
    for name, operation in (("GET /ltm/memories", "search_memory"), ("DELETE /ltm/memories", "delete_memory")):
        span = sink.trace_of(name).named(operation)
        assert span.attributes["gen_ai.memory.record.count"] == 1 and span.attributes["user.id"] == "u-42"


def test_the_tree_of_a_batch_of_which_items_fail(start, sink, provider):
    provider.chat = lambda _request: "no JSON at all"
    items = [{"messages": [{"role": "user", "content": "I live in Lisbon"}], "user_id": "u-0", "infer": False},
             {"messages": [], "user_id": 7},
             {"messages": [{"role": "user", "content": "I live in Porto"}], "user_id": "u-2"}]
    with start(LTM_KEEP_ON_LLM_FAILURE="false").client() as client:
        reply = client.post("/ltm/memories/batch/add", json={"items": items})
    assert [result["success"] for result in reply.json()["results"]] == [True, False, False]
    tree = sink.trace_of("POST /ltm/memories/batch/add")
    assert tree.span.status == "UNSET" and tree.span.attributes["http.response.status_code"] == 200
    stored, failed = sorted(tree.below, key=lambda each: each.span.attributes["langfuse.observation.metadata.index"])
    assert [each.span.name for each in (stored, failed)] == ["upsert_memory"] * 2
    assert [each.span.attributes["langfuse.observation.metadata.index"] for each in (stored, failed)] == [0, 2]
    assert {span.attributes["user.id"] for span in stored.all()} == {"u-0"}
    assert {span.attributes["user.id"] for span in failed.all()} == {"u-2"}
    assert stored.span.status == "UNSET" and stored.shape()[1] == [
        ("CLIENT embeddings text-embedding-3-small", []), ("INTERNAL INSERT memories", [])]
    assert (failed.span.status, failed.span.attributes["error.type"]) == ("ERROR", "upstream_failed")
    assert {below.span.name for below in failed.below} == {"chat gpt-4.1-mini"}


def summarize(start, **settings) -> dict:
    """The context of a session of which much has to be summarized."""
    with start(STM_DEFAULT_STRATEGY="token_threshold", STM_MAX_TOKENS="200", **settings).client() as client:
        messages = [{"role": "user", "content": f"I told you fact {n} about my trip to Lisbon"} for n in range(60)]
        stored = client.post("/stm/s-7/messages", json={"messages": messages}).json()["messages"]
        reply = client.get("/stm/s-7/context").json()
    return {**reply, "tokens_before": sum(message["token_count"] for message in stored)}


def summary_told(of: dict) -> dict:
    told = {"strategy": "token_threshold", "messages_in": 60, "tokens_before": of["tokens_before"],
            "summarized": of["summarized"]}
    return {"session.id": "s-7", "langfuse.trace.name": "stm.context", "langfuse.trace.tags": ["stm", "context"],
            "langfuse.observation.type": "chain",
            **{f"langfuse.observation.metadata.{name}": value for name, value in told.items()}}


def test_the_tree_of_a_summary(start, sink):
    made = summarize(start)
    assert made["summarized"] > 0
    tree = sink.trace_of("GET /stm/{session_id}/context")
    assert tree.shape() == ("SERVER GET /stm/{session_id}/context", [
        ("INTERNAL SELECT messages", []),
        ("INTERNAL stm.summarize", [("CLIENT chat gpt-4.1-mini", []), ("INTERNAL UPDATE messages", [])])])
    assert tree.named("stm.summarize").attributes == {
        **summary_told(made), "langfuse.observation.metadata.tokens_after": made["total_tokens"]}
    chat = tree.named("chat gpt-4.1-mini").attributes
    assert chat["langfuse.observation.metadata.purpose"] == "summarize" and chat["gen_ai.conversation.id"] == "s-7"
    assert "gen_ai.output.type" not in chat
    assert chat["langfuse.trace.name"] == "stm.context" and chat["langfuse.trace.tags"] == ["stm", "context"]


def test_a_summary_that_could_not_be_made_says_so(start, sink, provider):
    provider.break_with(faults.status(500), kind="chat")
    made = summarize(start, LLM_MAX_RETRIES="0")
    assert made["summarized"] == 0
    tree = sink.trace_of("GET /stm/{session_id}/context")
    assert tree.span.status == "UNSET" and tree.named("chat gpt-4.1-mini").attributes["error.type"] == "500"
    assert tree.named("stm.summarize").attributes == summary_told(made)


def test_what_a_provider_refuses_is_an_error_of_the_call(client, sink, provider):
    provider.fail(faults.status(401), kind="embedding")
    assert add(client, "I live in Lisbon", infer=False).status_code == 502
    tree = sink.trace_of("POST /ltm/memories")
    call, memory = tree.named("embeddings text-embedding-3-small"), tree.named("upsert_memory")
    assert (call.status, call.attributes["error.type"]) == ("ERROR", "401")
    assert "401" in call.description and KEY not in call.description
    assert (memory.status, memory.attributes["error.type"]) == ("ERROR", "upstream_failed")
    assert (tree.span.status, tree.span.attributes["error.type"]) == ("ERROR", "502")


def test_a_model_that_takes_too_long_is_an_error_of_the_call(start, sink, provider):
    provider.latency = 30
    with start(LLM_TIMEOUT_MS="300", LTM_KEEP_ON_LLM_FAILURE="false").client() as client:
        assert add(client, "I live in Lisbon").status_code == 504
    tree = sink.trace_of("POST /ltm/memories")
    call = tree.named("chat gpt-4.1-mini")
    assert (call.status, call.attributes["error.type"]) == ("ERROR", "timeout")
    assert (tree.span.status, tree.span.attributes["error.type"]) == ("ERROR", "504")


def test_a_call_that_is_tried_again_is_one_span(client, sink, provider):
    provider.fail(faults.status(503), kind="embedding")
    assert add(client, "I live in Lisbon", infer=False).status_code == 200
    tree = sink.trace_of("POST /ltm/memories")
    assert len(provider.embeddings) == 2
    assert tree.named("embeddings text-embedding-3-small").status == "UNSET"


def test_an_unknown_memory_is_no_error_of_the_server(client, sink):
    assert client.get("/ltm/memories/0192d3a0-0000-7000-8000-000000000000").status_code == 404
    tree = sink.trace_of("GET /ltm/memories/{id}")
    assert tree.span.status == "UNSET"
    memory = tree.named("get_memory")
    assert (memory.status, memory.attributes["error.type"]) == ("ERROR", "not_found")


def everything(client, provider):
    """Requests of every kind, some of which fail, with planted texts."""
    provider.chat = scripted({"facts": [PLANTED]}, then=model(facts=[PLANTED]))
    memory = add(client, PLANTED).json()["results"][0]["id"]
    client.post("/ltm/memories/search", json={"query": PLANTED, "user_id": "u-42"})
    client.put(f"/ltm/memories/{memory}", json={"data": PLANTED + " again"})
    client.get(f"/ltm/memories/{memory}/history")
    client.get("/ltm/memories", params={"user_id": "u-42"})
    item = {"messages": [{"role": "user", "content": PLANTED}], "user_id": "u-42"}
    client.post("/ltm/memories/batch/add", json={"items": [item, {**item, "infer": False}]})
    client.post("/ltm/memories/batch/search", json={"items": [{"query": PLANTED, "user_id": "u-42"}]})
    client.post("/stm/s-7/messages", json={"messages": [{"role": "user", "content": f"{PLANTED} {n}"} for n in range(60)]})
    client.get("/stm/s-7/context", params={"max_tokens": 100})
    provider.chat = lambda _request: PLANTED
    add(client, PLANTED)
    provider.fail(faults.status(400, PLANTED), kind="embedding")
    add(client, PLANTED + " refused", infer=False)
    client.delete("/ltm/memories", params={"user_id": "u-42"})


def test_nothing_that_was_said_is_told_unless_it_is_asked_for(start, sink, provider):
    server = start(STM_DEFAULT_STRATEGY="token_threshold", MAAS_LOG_LEVEL="trace", OTEL_METRIC_EXPORT_INTERVAL="50")
    with server.client() as client:
        everything(client, provider)
        shown = client.get("/metrics").text
    spans = sink.wait_for(lambda span: span.name == "DELETE /ltm/memories")
    assert {"chat gpt-4.1-mini", "embeddings text-embedding-3-small", "upsert_memory"} <= {span.name for span in spans}
    server.stop()
    for secret in (PLANTED, KEY):
        assert not any(secret.encode() in export.body for export in [*sink.exports, *sink.metric_exports])
        assert secret not in shown and secret not in server.log()


def test_what_was_said_is_told_where_it_is_asked_for(start, sink, provider):
    with start(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true").client() as client:
        provider.chat = scripted({"facts": ["Lives in Lisbon"]})
        memory = add(client, PLANTED).json()["results"][0]["id"]
        client.post("/ltm/memories/search", json={"query": "Lisbon", "user_id": "u-42"})
    tree = sink.trace_of("POST /ltm/memories")
    chat = tree.below[0].below[0].span.attributes
    said = json.loads(chat["gen_ai.input.messages"])
    assert PLANTED in said[-1]["parts"][0]["content"] and said[-1]["role"] == "user"
    answer = json.loads(chat["gen_ai.output.messages"])[0]
    assert answer["role"] == "assistant" and answer["finish_reason"] == "stop"
    assert json.loads(answer["parts"][0]["content"]) == {"facts": ["Lives in Lisbon"]}
    embed = tree.named("embeddings text-embedding-3-small").attributes
    assert json.loads(embed["langfuse.observation.input"]) == ["Lives in Lisbon"]
    record = {"id": memory, "content": "Lives in Lisbon"}
    added = tree.named("upsert_memory").attributes
    assert json.loads(added["gen_ai.memory.records"]) == [{**record, "metadata": {"event": "ADD"}}]
    found = sink.trace_of("POST /ltm/memories/search").named("search_memory").attributes
    assert found["gen_ai.memory.query.text"] == "Lisbon"
    hit = json.loads(found["gen_ai.memory.records"])[0]
    assert hit.pop("score") > 0 and hit == record


def test_an_embedding_model_in_this_process_has_a_span(start, sink):
    directory = os.environ.get("MAAS_TEST_MODEL_DIR")
    if not directory:
        pytest.skip("MAAS_TEST_MODEL_DIR names no model")
    with start(EMBEDDING_PROVIDER="local", MAAS_LOCAL_MODEL=directory, EMBEDDING_DIMS="", LLM_PROVIDER="none").client() as client:
        assert add(client, "I live in Lisbon").status_code == 200
    tree = sink.trace_of("POST /ltm/memories")
    call = tree.below[0].below[0].span
    assert call.kind == "INTERNAL" and call.name.startswith("embeddings ")
    assert call.attributes["gen_ai.provider.name"] == "local" and "server.address" not in call.attributes
    assert call.attributes["gen_ai.embeddings.dimension.count"] == 384
