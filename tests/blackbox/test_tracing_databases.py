"""Spans of databases: what each engine tells of itself, and what it never tells."""

import pytest
from support.processes import RedisServer, free_port, mongo_database

PLANTED = "PlantedSecretOfTheUser"


@pytest.fixture
def start(sink, start_server):
    def start(**settings):
        return start_server(**{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": "10",
                               "MAAS_LOCAL_MODEL": "none", **settings})
    return start


def of_session(operation: str) -> dict:
    return {"session.id": "s-7", "langfuse.trace.name": operation, "langfuse.trace.tags": operation.split(".")}


def of_user(operation: str) -> dict:
    return {"user.id": "u-42", "langfuse.trace.name": operation, "langfuse.trace.tags": operation.split(".")}


def append(client, *texts: str):
    messages = [{"role": "user", "content": text} for text in texts]
    assert client.post("/stm/s-7/messages", json={"messages": messages}).status_code == 200


def use_session(client):
    """One request of each kind."""
    append(client, PLANTED, PLANTED)
    client.get("/stm/s-7/messages")
    client.get("/stm/s-7/context")
    client.put("/stm/s-7/config", json={"max_messages": 5})
    client.get("/stm/s-7/config")
    client.delete("/stm/s-7")


SESSION_CALLS = {  # route: (trace name, SQLite's call, its collection, Redis' call, what both tell)
    "POST /stm/{session_id}/messages": ("stm.append", "INSERT", "messages", "EVALSHA", {}),
    "GET /stm/{session_id}/messages": ("stm.list", "SELECT", "messages", "ZRANGE", {"db.response.returned_rows": 2}),
    "GET /stm/{session_id}/context": ("stm.context", "SELECT", "messages", "EVALSHA", {}),
    "PUT /stm/{session_id}/config": ("stm.configure", "UPDATE", "sessions", "EVALSHA", {}),
    "GET /stm/{session_id}/config": ("stm.settings", "SELECT", "sessions", "HMGET", {}),
    "DELETE /stm/{session_id}": ("stm.delete", "DELETE", "messages", "UNLINK", {}),
}
SQLITE_TELLS = {"POST /stm/{session_id}/messages": {"db.operation.batch.size": 2},
                "GET /stm/{session_id}/context": {"db.response.returned_rows": 2}}


def test_the_trees_of_sessions_in_sqlite(start, sink):
    with start().client() as client:
        use_session(client)
    for route, (name, operation, collection, _, told) in SESSION_CALLS.items():
        tree = sink.trace_of(route)
        assert tree.shape() == (f"SERVER {route}", [(f"INTERNAL {operation} {collection}", [])])
        assert tree.below[0].span.attributes == {
            **of_session(name), "db.system.name": "sqlite", "db.operation.name": operation,
            "db.collection.name": collection, **told, **SQLITE_TELLS.get(route, {})}
        assert tree.below[0].span.status == "UNSET"


def test_the_trees_of_sessions_in_redis(start, sink, redis_server):
    with start(REDIS_URL=f"{redis_server.url}/3").client() as client:
        use_session(client)
    port = int(redis_server.url.rpartition(":")[2])
    for route, (name, _, _, command, told) in SESSION_CALLS.items():
        tree = sink.trace_of(route)
        assert tree.shape() == (f"SERVER {route}", [(f"CLIENT {command}", [])])
        assert tree.below[0].span.attributes == {
            **of_session(name), "db.system.name": "redis", "db.operation.name": command, "db.namespace": "3",
            "server.address": "127.0.0.1", "server.port": port, **told}
        assert tree.below[0].span.status == "UNSET"


def test_a_redis_that_is_away_or_refuses_is_an_error_of_the_call(start, sink, tmp_path):
    redis = RedisServer(tmp_path).start()
    try:
        with start(REDIS_URL=redis.url).client() as client:
            append(client, "hello")
            with redis.connect() as direct:
                direct.set("maas:{default/s-8}:messages", "no list of messages")
            assert client.get("/stm/s-8/messages").status_code == 500
            redis.stop()
            assert client.get("/stm/s-7/context").status_code == 503
    finally:
        redis.stop()
    refused = sink.trace_of("GET /stm/{session_id}/messages")
    call = refused.below[0].span
    assert (call.status, call.attributes["error.type"], call.attributes["db.response.status_code"]) \
        == ("ERROR", "WRONGTYPE", "WRONGTYPE")
    away = sink.trace_of("GET /stm/{session_id}/context")
    assert (away.below[0].span.status, away.below[0].span.attributes["error.type"]) == ("ERROR", "_OTHER")
    assert (away.span.status, away.span.attributes["error.type"]) == ("ERROR", "503")


def use_memories(client):
    """One request of each kind."""
    def add(text, **fields):
        return client.post("/ltm/memories", json={"messages": text, "user_id": "u-42", **fields})

    first = add(PLANTED).json()["results"][0]["id"]
    client.get(f"/ltm/memories/{first}")
    client.get(f"/ltm/memories/{first}/history")
    client.put(f"/ltm/memories/{first}", json={"data": PLANTED + " again"})
    client.post("/ltm/memories/search", json={"query": PLANTED, "user_id": "u-42"})
    client.get("/ltm/memories", params={"user_id": "u-42"})
    client.delete(f"/ltm/memories/{first}")
    return first


def test_the_trees_of_memories_in_sqlite(start, sink):
    with start().client() as client:
        memory = use_memories(client)
    calls = {"POST /ltm/memories": ["INSERT memories"], "GET /ltm/memories/{id}": ["SELECT memories"],
             "GET /ltm/memories/{id}/history": ["SELECT memory_history"],
             "PUT /ltm/memories/{id}": ["SELECT memories", "UPDATE memories"],
             "POST /ltm/memories/search": ["search memories"], "GET /ltm/memories": ["SELECT memories"],
             "DELETE /ltm/memories/{id}": ["DELETE memories"]}
    for route, names in calls.items():
        tree = sink.trace_of(route)
        assert [each.shape() for each in tree.below[0].below] == [(f"INTERNAL {name}", []) for name in names]
        for each in tree.below[0].below:
            assert each.span.attributes["db.system.name"] == "sqlite"
    search = sink.trace_of("POST /ltm/memories/search").named("search memories").attributes
    output = search.pop("langfuse.observation.output")
    assert output.startswith(f'[{{"id":"{memory}","score":')
    assert search == {**of_user("ltm.search"), "db.system.name": "sqlite", "db.operation.name": "search",
                      "db.collection.name": "memories", "db.response.returned_rows": 1,
                      "langfuse.observation.type": "retriever"}


@pytest.fixture
def mongodb():
    with mongo_database() as settings:
        if not settings:
            pytest.skip("MAAS_TEST_MONGODB_URI names no server")
        yield settings


def test_the_trees_of_memories_in_mongodb(start, sink, mongodb):
    with start(**mongodb).client() as client:
        use_memories(client)
    host, _, port = mongodb["MONGODB_URI"].removeprefix("mongodb://").rpartition(":")
    server = {"db.system.name": "mongodb", "db.namespace": mongodb["MONGODB_DB_NAME"], "server.address": host,
              "server.port": int(port)}
    added = sink.trace_of("POST /ltm/memories").below[0].below
    assert {"insert memories", "insert memories_history", "commitTransaction"} <= {each.span.name for each in added}
    for span in (each.span for each in added):
        assert (span.kind, span.status) == ("CLIENT", "UNSET")
        is_commit = span.name == "commitTransaction"  # which is the whole server's
        told = {**server, **of_user("ltm.add"), **({"db.namespace": "admin"} if is_commit else {})}
        assert {name: span.attributes.get(name) for name in told} == told
    found = sink.trace_of("GET /ltm/memories/{id}").below[0].below
    assert [each.shape() for each in found] == [("CLIENT find memories", [])]
    assert found[0].span.attributes == {
        **server, "langfuse.trace.name": "ltm.get", "langfuse.trace.tags": ["ltm", "get"],
        "db.collection.name": "memories", "db.operation.name": "find", "db.response.returned_rows": 1}


@pytest.mark.parametrize("engine", ["sqlite", "redis", "mongodb"])
def test_no_span_metric_or_log_tells_what_was_said(start, sink, engine, redis_server, mongodb):
    def use(**settings):
        server = start(OTEL_METRIC_EXPORT_INTERVAL="50", MAAS_LOG_LEVEL="trace", **settings)
        with server.client() as client:
            use_session(client)
            use_memories(client)
            client.post("/ltm/memories", json={"messages": PLANTED, "user_id": 7})
            client.post("/stm/s-7/messages", content=f'{{"messages": {PLANTED}')
            told = client.get("/metrics").text
        server.stop()
        sink.wait_for(lambda span: span.name == "DELETE /ltm/memories/{id}")
        assert sink.metric_exports
        assert PLANTED not in told and PLANTED not in server.log()
        for export in [*sink.exports, *sink.metric_exports]:
            assert PLANTED.encode() not in export.body
        assert f'db_system_name="{engine}"' in told

    use(**{"sqlite": {}, "redis": {"REDIS_URL": redis_server.url}, "mongodb": mongodb}[engine])


def test_log_lines_of_a_request_tell_its_trace(start, sink):
    server = start(REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    with server.client() as client:
        assert client.get("/stm/s-7/context").status_code == 503
    server.stop()
    span = sink.trace_of("GET /stm/{session_id}/context").span
    lines = [line for line in server.log().splitlines() if span.trace_id in line]
    assert len(lines) == 2, "one of the failure, one of the access"
    assert all(f'"span_id":"{span.span_id}"' in line for line in lines)
