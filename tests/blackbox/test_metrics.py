"""/metrics: what Prometheus' own parser makes of it, what is counted, and what no label ever tells."""

import threading
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.otlp_sink import Fault
from support.processes import wait_until
from support.provider import Provider

KEY = "sk-PlantedKeyOfTheModel"
PLANTED = "PlantedSecretOfTheUser"


def families(client) -> dict:
    """What is told, read by the parser of Prometheus' own client."""
    reply = client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    read = list(text_string_to_metric_families(reply.text))
    names = [family.name for family in read]
    assert len(set(names)) == len(names), "a metric comes twice"
    for family in read:
        assert family.type in ("counter", "gauge", "histogram"), family
        assert family.documentation
        series = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(set(series)) == len(series), f"a series of {family.name} comes twice"
        if family.type == "histogram":
            check_histogram(family)
    return {family.name: family for family in read}


def check_histogram(family):
    """Buckets only grow, and the last holds all."""
    rows = {}
    for sample in family.samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        row = rows.setdefault(labels, {"buckets": []})
        if sample.name.endswith("_bucket"):
            row["buckets"].append((float(sample.labels["le"]), sample.value))
        else:
            row[sample.name.rpartition("_")[2]] = sample.value
    for row in rows.values():
        assert [bound for bound, _ in row["buckets"]] == sorted(bound for bound, _ in row["buckets"])
        counts = [count for _, count in row["buckets"]]
        assert counts == sorted(counts)
        assert row["buckets"][-1] == (float("inf"), row["count"])


def value(read: dict, family: str, sample: str = "", **labels) -> float:
    """The sum of the series that have these labels."""
    if family not in read:
        return 0
    names = {"counter": f"{family}_total", "gauge": family}
    wanted = family + sample if sample else names[read[family].type]
    return sum(each.value for each in read[family].samples
               if each.name == wanted and labels.items() <= each.labels.items())


def append(client, session: str, *texts: str):
    reply = client.post(f"/stm/{session}/messages",
                        json={"messages": [{"role": "user", "content": text} for text in texts]})
    assert reply.status_code == 200


def test_requests_are_counted_by_their_route(client):
    before = families(client)
    append(client, "metrics-1", "hello")
    assert client.get("/nowhere/at/all").status_code == 404
    assert client.get("/stm/metrics-1/context", params={"max_messages": "many"}).status_code == 422
    after = families(client)

    def risen(**labels):
        name = "http_server_request_duration_seconds"
        return value(after, name, "_count", **labels) - value(before, name, "_count", **labels)

    assert risen(http_request_method="POST", http_route="/stm/{session_id}/messages",
                 http_response_status_code="200", url_scheme="http") == 1
    assert risen(http_response_status_code="404") == 1
    assert risen(http_route="/stm/{session_id}/context", http_response_status_code="422") == 1
    assert value(after, "http_server_active_requests", http_request_method="GET") == 1, "the one that asks"
    assert value(after, "target_info") == 1


def test_sessions_and_their_messages_are_counted(client):
    before = families(client)
    append(client, "metrics-new", "one", "two")
    append(client, "metrics-new", "three")
    after = families(client)
    for name, risen in (("maas_stm_sessions_started", 1), ("maas_stm_messages_appended", 3)):
        assert value(after, name) - value(before, name) == risen


def test_memories_are_counted_by_what_became_of_them(start_server):
    with start_server(MAAS_LOCAL_MODEL="none").client() as client:
        def add(text):
            reply = client.post("/ltm/memories", json={"messages": text, "user_id": "u", "category": "fact"})
            return reply.json()["results"][0]["id"]

        first = add("I live in Lisbon")
        add("I live in Lisbon")
        add("I like tea")
        client.put(f"/ltm/memories/{first}", json={"data": "I live in Porto"})
        client.post("/ltm/memories/search", json={"query": "tea", "user_id": "u"})
        client.delete(f"/ltm/memories/{first}")
        client.delete("/ltm/memories", params={"user_id": "u"})
        read = families(client)
        written = {event: value(read, "maas_ltm_memories_written", maas_event=event)
                   for event in ("ADD", "UPDATE", "NOOP", "DELETE")}
        assert written == {"ADD": 2, "UPDATE": 1, "NOOP": 1, "DELETE": 2}
        assert value(read, "maas_ltm_memories_written", maas_event="ADD", maas_category="fact") == 2
        assert value(read, "maas_ltm_visible_lag_seconds", "_count") == 3
        for arm in ("search", "words", "vectors"):
            assert value(read, "maas_ltm_search_duration_seconds", "_count", maas_arm=arm) == 1
        assert value(read, "maas_queue_depth", maas_queue="sqlite_writes") == 0


def test_what_expires_is_counted(start_server):
    with start_server(MAAS_LOCAL_MODEL="none").client() as client:
        client.post("/ltm/memories", json={"messages": "gone soon", "user_id": "u", "ttl_seconds": 1})
        time.sleep(1.1)
        assert client.delete("/ltm/memories/expired").status_code == 200
        assert value(families(client), "maas_expired_deleted", maas_kind="memories") == 1


def test_models_are_counted(start_server):
    with Provider(dims=64, keys={KEY}) as provider:
        base = f"{provider.url}/v1"
        settings = {"LLM_PROVIDER": "openai", "LLM_MODEL": "gpt-4.1-mini", "LLM_BASE_URL": base, "LLM_API_KEY": KEY,
                    "EMBEDDING_PROVIDER": "openai", "EMBEDDING_MODEL": "text-embedding-3-small",
                    "EMBEDDING_DIMS": "64", "EMBEDDING_BASE_URL": base, "EMBEDDING_API_KEY": KEY}
        with start_server(**settings).client() as client:
            client.post("/ltm/memories", json={"messages": f"I am {PLANTED}", "user_id": PLANTED})
            for _ in range(2):
                client.post("/ltm/memories/search", json={"query": PLANTED, "user_id": PLANTED})
            read = families(client)
            text = client.get("/metrics").text
        of_chat = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "openai",
                   "gen_ai_request_model": "gpt-4.1-mini", "server_address": "127.0.0.1"}
        assert value(read, "gen_ai_client_operation_duration_seconds", "_count", **of_chat) == len(provider.chats)
        assert value(read, "gen_ai_client_operation_duration_seconds", "_count",
                     gen_ai_operation_name="embeddings") == len(provider.embeddings)
        for kind in ("input", "output"):
            assert value(read, "gen_ai_client_token_usage", "_sum", gen_ai_token_type=kind, **of_chat) > 0
        assert value(read, "maas_cache_lookups", maas_cache="embeddings", maas_result="hit") >= 1
        assert PLANTED not in text and KEY not in text


def test_metrics_need_no_key(start_server):
    with start_server(MAAS_API_KEYS="acme:k-1").client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/stm/s/messages").status_code == 401


def test_scraped_under_load_and_bounded_in_its_series(client):
    """Ids, paths and methods that anybody makes up make no series."""
    ended = threading.Event()

    def load(number):
        with client.__class__(base_url=client.base_url) as other:
            count = 0
            while not ended.is_set():
                append(other, f"load-{number}-{count}", "hello")
                other.get(f"/made/up/{number}/{count}")
                other.request(f"VERB{count % 50}", "/health")
                count += 1

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        series = [sum(len(family.samples) for family in families(client).values()) for _ in range(30)]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert series[-1] < 2000
    assert series[-1] - series[5] < 200, "what many requests make grows no further"


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_metrics_are_sent_to_a_collector(start_server, sink, protocol):
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
                          OTEL_METRIC_EXPORT_INTERVAL="100", OTEL_SERVICE_NAME="maas-of-tests",
                          OTEL_EXPORTER_OTLP_METRICS_HEADERS="authorization=Basic%20abc")
    with server.client() as client:
        append(client, "s", "one", "two")
        wait_until(lambda: any(point.name == "maas.stm.messages.appended" for point in sink.points()), 20, "a metric")
    points = sink.points()
    appended = [point for point in points if point.name == "maas.stm.messages.appended"]
    assert [(point.kind, point.unit, point.value) for point in appended] == [("sum", "{message}", 2)]
    assert appended[0].resource["service.name"] == "maas-of-tests"
    assert appended[0].resource["process.pid"] > 0
    request = {"http.request.method": "POST", "url.scheme": "http", "http.route": "/stm/{session_id}/messages",
               "http.response.status_code": 200}
    told = [point for point in points
            if point.name == "http.server.request.duration" and point.attributes == request]
    assert [(point.kind, point.unit, point.count) for point in told] == [("histogram", "s", 1)]
    assert all(export.headers["authorization"] == "Basic abc" for export in sink.metric_exports)
    assert not any("authorization" in export.headers for export in sink.exports)


def test_metrics_are_sent_once_more_when_the_server_stops(start_server, sink):
    server = start_server(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{sink.url}/v1/metrics")
    with server.client() as client:
        append(client, "s", "one")
    server.stop()
    assert not sink.exports, "only metrics have a place to go to"
    assert any(point.name == "maas.stm.messages.appended" for point in sink.points())


@pytest.mark.parametrize("settings", [{"OTEL_METRICS_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_metrics_can_be_kept(start_server, sink, settings):
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRIC_EXPORT_INTERVAL="100", **settings)
    with server.client() as client:
        append(client, "s", "one")
        assert value(families(client), "maas_stm_messages_appended") == 1
        time.sleep(.5)
    server.stop()
    assert not sink.metric_exports


def test_a_collector_that_takes_nothing_is_told_of_once_and_counted(start_server, sink):
    sink.fault = Fault(500)
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRIC_EXPORT_INTERVAL="50",
                          OTEL_BSP_SCHEDULE_DELAY="10")
    with server.client() as client:
        append(client, "s", "one")
        wait_until(lambda: len(sink.metric_exports) > 3, 20, "exports of metrics")
        wait_until(lambda: value(families(client), "maas_trace_spans", maas_outcome="dropped") > 0, 20, "lost spans")
    assert server.log().count("metrics were not taken") == 1
