"""Whole trees, attribute by attribute: what fails as well as what succeeds."""

import pytest
from support.processes import free_port
from support.provider import Provider
from support.provider_chat import Completion, scripted

KEY = "sk-of-the-model"
ANY = object()  # a value that differs from run to run


@pytest.fixture
def provider():
    with Provider(dims=64, keys={KEY}) as provider:
        yield provider


@pytest.fixture
def start(provider, sink, start_server):
    def start(**settings):
        base = f"{provider.url}/v1"
        return start_server(**{
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": "10", "LLM_PROVIDER": "openai",
            "LLM_MODEL": "gpt-4.1-mini", "LLM_BASE_URL": base, "LLM_API_KEY": KEY, "LLM_MAX_RETRIES": "0",
            "EMBEDDING_PROVIDER": "openai", "EMBEDDING_MODEL": "text-embedding-3-small", "EMBEDDING_DIMS": "64",
            "EMBEDDING_BASE_URL": base, "EMBEDDING_API_KEY": KEY, **settings})
    return start


class Golden:
    """Makes the trees that are expected: (kind and name, status, attributes, trees below)."""

    def __init__(self, operation: str, server_port: int, provider_port: int, **identity: str):
        names = {"user": "user.id", "session": "session.id", "agent": "langfuse.trace.metadata.agent_id"}
        self.context = {"langfuse.trace.name": operation, "langfuse.trace.tags": operation.split("."),
                        **{names[name]: value for name, value in identity.items()}}
        self.server_port = server_port
        self.provider_port = provider_port

    def span(self, name: str, attributes: dict, below=(), error: str = "", **context):
        told = {**self.context, **context, **attributes, **({"error.type": error} if error else {})}
        return name, "ERROR" if error else "UNSET", told, list(below)

    def server(self, method: str, route: str, status: int, below=(), path: str = "", **more):
        name = f"SERVER {method} {route}"
        return self.span(name, {
            "http.request.method": method, "http.route": route, "http.response.status_code": status,
            "url.scheme": "http", "url.path": path or route, "server.address": "127.0.0.1",
            "server.port": self.server_port, "client.address": "127.0.0.1", "network.peer.address": "127.0.0.1",
            "network.peer.port": ANY, "network.protocol.version": "1.1", "user_agent.original": ANY, **more},
            below, error=str(status) if status >= 500 else "")

    def memory(self, operation: str, attributes: dict, below=(), error: str = "", **context):
        kind = "retriever" if operation == "search_memory" else "chain"
        return self.span(f"INTERNAL {operation}", {
            "gen_ai.operation.name": operation, "gen_ai.memory.store.id": "maas.memories",
            "langfuse.observation.type": kind, **attributes}, below, error, **context)

    def chat(self, purpose: str, usage: dict | None, error: str = "", conversation: str = "s-7", is_json: bool = True,
             **context):
        answered = {} if usage is None else {
            "gen_ai.response.model": "gpt-4.1-mini", "gen_ai.response.id": ANY,
            "gen_ai.response.finish_reasons": ["stop"],
            **{f"gen_ai.usage.{name}": value for name, value in usage.items()}}
        return self.span("CLIENT chat gpt-4.1-mini", {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1-mini",
            "gen_ai.request.temperature": 0.1, "gen_ai.request.max_tokens": ANY,
            "openai.api.type": "chat_completions", "langfuse.observation.metadata.purpose": purpose,
            "server.address": "127.0.0.1", "server.port": self.provider_port,
            **({"gen_ai.output.type": "json"} if is_json else {}),
            **({"gen_ai.conversation.id": conversation} if conversation else {}), **answered}, error=error, **context)

    def embeddings(self, **context):
        return self.span("CLIENT embeddings text-embedding-3-small", {
            "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small", "gen_ai.response.model": "text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 64, "gen_ai.request.encoding_formats": ["base64"],
            "gen_ai.usage.input_tokens": ANY, "server.address": "127.0.0.1", "server.port": self.provider_port},
            **context)

    def sqlite(self, operation: str, collection: str = "memories", more: dict | None = None, **context):
        return self.span(f"INTERNAL {operation} {collection}", {
            "db.system.name": "sqlite", "db.operation.name": operation, "db.collection.name": collection,
            **(more or {})}, **context)

    def search(self, rows, **context):
        return self.sqlite("search", more={"db.response.returned_rows": rows, "langfuse.observation.output": ANY,
                                           "langfuse.observation.type": "retriever"}, **context)


def check(tree, golden):
    name, status, attributes, below = golden
    span = tree.span
    assert (f"{span.kind} {span.name}", span.status) == (name, status)
    assert span.attributes.keys() == attributes.keys(), name
    assert {key: value for key, value in span.attributes.items() if attributes[key] is not ANY} \
        == {key: value for key, value in attributes.items() if value is not ANY}, name
    assert [f"{each.span.kind} {each.span.name}" for each in tree.below] == [each[0] for each in below], name
    for each, expected in zip(tree.below, below):
        check(each, expected)


@pytest.fixture
def golden(provider):
    def golden(client, operation: str, **identity):
        return Golden(operation, client.base_url.port, int(provider.url.rpartition(":")[2]), **identity)
    return golden


SCOPE = {"user_id": "u-42", "session_id": "s-7", "agent_id": "a-1"}
WHO = {"user": "u-42", "session": "s-7", "agent": "a-1"}
USAGE = {"prompt_tokens": 612, "completion_tokens": 31, "total_tokens": 643,
         "prompt_tokens_details": {"cached_tokens": 512}}
TOLD = {"input_tokens": 612, "output_tokens": 31, "cache_read.input_tokens": 512}


def said(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def test_add(start, sink, provider, golden):
    provider.chat = scripted(Completion({"facts": ["Lives in Lisbon", "Is vegetarian"]}, usage=USAGE))
    with start().client() as client:
        reply = client.post("/ltm/memories", json={"messages": said("I moved to Lisbon"), "category": "fact", **SCOPE})
        assert reply.status_code == 200
        g = golden(client, "ltm.add", **WHO)
    tree = sink.trace_of("POST /ltm/memories")
    reconciled = {"input_tokens": ANY, "output_tokens": ANY}
    check(tree, g.server("POST", "/ltm/memories", 200, [g.memory(
        "upsert_memory", {"gen_ai.memory.record.count": 2, "langfuse.observation.metadata.category": "fact",
                          "langfuse.observation.metadata.events": "ADD,ADD"},
        [g.chat("extract_facts", TOLD), g.embeddings(), g.search(0), g.search(0), g.chat("reconcile", reconciled),
         g.sqlite("BATCH", more={"db.operation.batch.size": 2})])]))


def test_search(start, sink, golden):
    with start().client() as client:
        client.post("/ltm/memories", json={"messages": said("I live in Lisbon"), "infer": False, **SCOPE})
        client.post("/ltm/memories/search", json={"query": "Lisbon", **SCOPE})
        g = golden(client, "ltm.search", **WHO)
    check(sink.trace_of("POST /ltm/memories/search"), g.server("POST", "/ltm/memories/search", 200, [g.memory(
        "search_memory", {"gen_ai.memory.record.count": 1}, [g.embeddings(), g.search(1)])]))


def test_context_with_a_summary(start, sink, golden):
    with start(STM_DEFAULT_STRATEGY="token_threshold", STM_MAX_TOKENS="200").client() as client:
        messages = [{"role": "user", "content": f"I told you fact {n} about my trip to Lisbon"} for n in range(60)]
        client.post("/stm/s-7/messages", json={"messages": messages})
        made = client.get("/stm/s-7/context").json()
        g = golden(client, "stm.context", session="s-7")
    told = {"strategy": "token_threshold", "messages_in": 60, "summarized": made["summarized"],
            "tokens_before": ANY, "tokens_after": made["total_tokens"]}
    check(sink.trace_of("GET /stm/{session_id}/context"), g.server("GET", "/stm/{session_id}/context", 200, [
        g.sqlite("SELECT", "messages", {"db.response.returned_rows": 60}),
        g.span("INTERNAL stm.summarize", {
            "langfuse.observation.type": "chain",
            **{f"langfuse.observation.metadata.{name}": value for name, value in told.items()}}, [
            g.chat("summarize", {"input_tokens": ANY, "output_tokens": ANY}, is_json=False),
            g.sqlite("UPDATE", "messages")])], path="/stm/s-7/context"))


def test_a_batch_with_one_item_that_fails(start, sink, provider, golden):
    provider.chat = lambda _request: "no JSON at all"
    items = [{"messages": said("I live in Lisbon"), "user_id": "u-0", "infer": False},
             {"messages": said("I live in Porto"), "user_id": "u-1"}]
    with start(LTM_KEEP_ON_LLM_FAILURE="false").client() as client:
        reply = client.post("/ltm/memories/batch/add", json={"items": items})
        assert [result["success"] for result in reply.json()["results"]] == [True, False]
        g = golden(client, "ltm.batch_add")
    tree = sink.trace_of("POST /ltm/memories/batch/add")
    stored, failed = {"user.id": "u-0"}, {"user.id": "u-1"}
    asked = len(provider.chats)
    check(tree, g.server("POST", "/ltm/memories/batch/add", 200, [
        g.memory("upsert_memory", {
            "langfuse.observation.metadata.index": 0, "gen_ai.memory.record.count": 1,
            "langfuse.observation.metadata.category": "semantic", "langfuse.observation.metadata.events": "ADD"},
            [g.embeddings(**stored), g.sqlite("INSERT", **stored)], **stored),
        g.memory("upsert_memory", {"langfuse.observation.metadata.index": 1},
                 [g.chat("extract_facts", {"input_tokens": ANY, "output_tokens": ANY}, conversation="", **failed)] * asked,
                 error="upstream_failed", **failed)]))


def test_a_model_that_takes_too_long(start, sink, provider, golden):
    provider.latency = 30
    with start(LLM_TIMEOUT_MS="300", LTM_KEEP_ON_LLM_FAILURE="false").client() as client:
        assert client.post("/ltm/memories", json={"messages": said("I moved"), **SCOPE}).status_code == 504
        g = golden(client, "ltm.add", **WHO)
    tree = sink.trace_of("POST /ltm/memories")
    check(tree, g.server("POST", "/ltm/memories", 504, [g.memory(
        "upsert_memory", {}, [g.chat("extract_facts", None, error="timeout")], error="deadline_exceeded")]))
    assert "300 ms" in tree.named("chat gpt-4.1-mini").description


def test_a_memory_that_is_not_there(start, sink, golden):
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    with start().client() as client:
        assert client.get(f"/ltm/memories/{unknown}").status_code == 404
        g = golden(client, "ltm.get")
    check(sink.trace_of("GET /ltm/memories/{id}"), g.server("GET", "/ltm/memories/{id}", 404, [g.memory(
        "get_memory", {"gen_ai.memory.record.id": unknown},
        [g.sqlite("SELECT", more={"db.response.returned_rows": 0})], error="not_found")],
        path=f"/ltm/memories/{unknown}"))


def test_an_engine_that_is_away(start, sink, golden):
    port = free_port()
    with start(REDIS_URL=f"redis://127.0.0.1:{port}").client() as client:
        assert client.get("/stm/s-7/context").status_code == 503
        g = golden(client, "stm.context", session="s-7")
    check(sink.trace_of("GET /stm/{session_id}/context"), g.server("GET", "/stm/{session_id}/context", 503, [
        g.span("CLIENT EVALSHA", {"db.system.name": "redis", "db.operation.name": "EVALSHA", "db.namespace": "0",
                                  "server.address": "127.0.0.1", "server.port": port}, error="_OTHER")],
        path="/stm/s-7/context"))
