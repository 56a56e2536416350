"""Traces: which spans requests have, what these tell and don't tell, and collectors that fail."""

import json

import pytest
from support.otlp_sink import Fault
from support.processes import free_port, wait_until
from support.raw_http import RawConnection

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLERS_SPAN = "00f067aa0ba902b7"
PLANTED = "PlantedSecretOfTheUser"


@pytest.fixture
def start(sink, start_server):
    """Starts a server that exports at once."""
    def start(**settings):
        return start_server(**{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": "10", **settings})
    return start


@pytest.fixture
def client(start):
    with start().client() as client:
        yield client


def test_a_request_has_a_span_as_the_conventions_say(client, sink):
    port = client.base_url.port
    client.get("/stm/s-7/context?max_messages=3&sig=abc", headers={"User-Agent": "tester/1"})
    span = sink.trace_of("GET /stm/{session_id}/context").span
    attributes = dict(span.attributes)
    assert attributes.pop("network.peer.port") > 0
    assert attributes == {
        "http.request.method": "GET", "http.route": "/stm/{session_id}/context", "http.response.status_code": 200,
        "url.path": "/stm/s-7/context", "url.query": "max_messages=3&sig=REDACTED", "url.scheme": "http",
        "server.address": "127.0.0.1", "server.port": port, "client.address": "127.0.0.1",
        "network.peer.address": "127.0.0.1", "network.protocol.version": "1.1", "user_agent.original": "tester/1",
        "session.id": "s-7", "langfuse.trace.name": "stm.context", "langfuse.trace.tags": ["stm", "context"]}
    assert (span.kind, span.status, span.parent_id) == ("SERVER", "UNSET", "")
    assert 0 < span.start <= span.end
    assert span.scope[0] == "maas" and span.scope[2] == "https://opentelemetry.io/schemas/1.41.1"


def test_the_client_of_a_proxy_is_the_client(client, sink):
    client.get("/stm/s/config", headers={"X-Forwarded-For": "203.0.113.7, 10.0.0.1", "Host": "memory.example"})
    attributes = sink.trace_of("GET /stm/{session_id}/config").span.attributes
    assert attributes["client.address"] == "203.0.113.7" and attributes["network.peer.address"] == "127.0.0.1"
    assert attributes["server.address"] == "memory.example" and attributes["server.port"] == 80


def test_spans_tell_for_whom_they_are(client, sink):
    body = {"messages": [{"role": "user", "content": "I moved to Lisbon"}], "user_id": "u-42", "agent_id": "a-1",
            "session_id": "s-7", "infer": False}
    assert client.post("/ltm/memories", json=body).status_code == 200
    for span in sink.trace_of("POST /ltm/memories").all():
        told = {"user.id": "u-42", "session.id": "s-7", "langfuse.trace.metadata.agent_id": "a-1",
                "langfuse.trace.name": "ltm.add", "langfuse.trace.tags": ["ltm", "add"]}
        assert told.items() <= span.attributes.items()


@pytest.mark.parametrize("method,path,name,status", [
    ("GET", "/ltm/memories/0192d3a0-0000-7000-8000-000000000000", "GET /ltm/memories/{id}", 404),
    ("GET", "/nowhere/PlantedPath", "GET", 404),
    ("PATCH", "/ltm/memories", "PATCH /ltm/memories", 405),
    ("POST", "/ltm/memories", "POST /ltm/memories", 422),
    ("BREW", "/ltm/memories", "HTTP /ltm/memories", 405)])
def test_a_request_that_is_refused_is_no_error_of_the_server(client, sink, method, path, name, status):
    assert client.request(method, path).status_code == status
    span = sink.trace_of(name).span
    assert span.status == "UNSET" and "error.type" not in span.attributes
    assert span.attributes["http.response.status_code"] == status
    known = method != "BREW"
    assert span.attributes["http.request.method"] == (method if known else "_OTHER")
    assert span.attributes.get("http.request.method_original") == (None if known else method)


def test_a_request_without_its_engine_is_an_error(start, sink):
    with start(REDIS_URL=f"redis://127.0.0.1:{free_port()}").client() as client:
        assert client.get("/stm/s/messages").status_code == 503
    span = sink.trace_of("GET /stm/{session_id}/messages").span
    assert span.status == "ERROR" and span.attributes["error.type"] == "503"
    assert span.attributes["http.response.status_code"] == 503


def test_a_request_that_no_handler_sees_has_its_span_too(start, sink):
    server = start(MAAS_MAX_BODY_BYTES="1024")
    with server.client() as client:
        assert client.post("/ltm/memories", content=b"x" * 2000).status_code == 413
    span = sink.trace_of("POST").span
    assert span.attributes["http.response.status_code"] == 413
    assert "http.route" not in span.attributes


def test_bytes_that_are_no_text_are_told_all_the_same(start, sink):
    server = start()
    with RawConnection(server.port) as raw:
        raw.send(b"GET /caf\xe9 HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\r\n\r\n")
        assert raw.read_reply().status == 404
    attributes = sink.trace_of("GET").span.attributes
    assert attributes["url.path"] == "/caf%E9" and attributes["user_agent.original"] == "%FF"


def test_who_asks_for_health_is_not_traced(client, sink):
    for path in ("/health", "/health/ready", "/metrics", "/healthy"):
        client.get(path)
    assert [span.attributes["url.path"] for span in sink.wait_for(lambda _span: True)] == ["/healthy"]


def test_a_callers_trace_goes_on(client, sink):
    headers = {"traceparent": f"00-{CALLER}-{CALLERS_SPAN}-01", "tracestate": "vendor=1"}
    client.get("/stm/s/config", headers=headers)
    tree = sink.trace_of("GET /stm/{session_id}/config")
    span = tree.span
    assert (span.trace_id, span.parent_id) == (CALLER, CALLERS_SPAN)
    assert span.flags & 0x301 == 0x301 and tree.below[0].span.flags & 0x301 == 0x101
    assert span.attributes["langfuse.internal.is_app_root"] is True
    assert span.attributes["langfuse.internal.as_root"] == "true"


def test_a_callers_trace_shows_as_no_root_unless_it_is_to(start, sink):
    with start(MAAS_TRACE_CALLERS_AS_ROOT="false").client() as client:
        client.get("/stm/s/config", headers={"traceparent": f"00-{CALLER}-{CALLERS_SPAN}-01"})
    span = sink.trace_of("GET /stm/{session_id}/config").span
    assert span.trace_id == CALLER and not any("internal" in name for name in span.attributes)


@pytest.mark.parametrize("settings,headers", [
    ({}, [("traceparent", f"00-{CALLER}-{CALLERS_SPAN}-01")] * 2),
    ({}, [("traceparent", f"00-{CALLER.upper()}-{CALLERS_SPAN}-01")]),
    ({"OTEL_PROPAGATORS": "none"}, [("traceparent", f"00-{CALLER}-{CALLERS_SPAN}-01")])])
def test_a_trace_is_not_continued(start, sink, settings, headers):
    with start(**settings).client() as client:
        client.get("/stm/s/config", headers=headers)
    span = sink.trace_of("GET /stm/{session_id}/config").span
    assert span.parent_id == "" and span.trace_id != CALLER


def test_what_a_caller_does_not_sample_is_not_exported(client, sink):
    client.get("/stm/unsampled/config", headers={"traceparent": f"00-{CALLER}-{CALLERS_SPAN}-00"})
    client.get("/stm/sampled/config")
    assert sink.trace_of("GET /stm/{session_id}/config").span.attributes["session.id"] == "sampled"


@pytest.mark.parametrize("settings,traced", [
    ({"OTEL_TRACES_SAMPLER": "always_off"}, False),
    ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, False),
    ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"}, True),
    ({"OTEL_TRACES_EXPORTER": "none"}, False),
    ({"OTEL_SDK_DISABLED": "TRUE"}, False)])
def test_settings_choose_what_is_traced(start, sink, settings, traced):
    server = start(**settings)
    with server.client() as client:
        client.get("/stm/s/config")
    assert server.stop() == 0  # flushes
    assert bool(sink.exports) == traced


def test_spans_tell_of_the_service(start, sink):
    with start(OTEL_SERVICE_NAME="memory", OTEL_RESOURCE_ATTRIBUTES="service.name=other,deployment.environment.name=a%2Cb"
               ).client() as client:
        client.get("/stm/s/config")
    resource = sink.trace_of("GET /stm/{session_id}/config").span.resource
    assert resource["service.name"] == "memory" and resource["deployment.environment.name"] == "a,b"
    assert resource["telemetry.sdk.language"] == "cpp" and resource["service.instance.id"]
    assert resource["service.version"] and resource["process.pid"] > 0 and resource["host.name"]


def test_json_is_spoken_where_it_is_asked_for(start, sink):
    with start(OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_EXPORTER_OTLP_HEADERS="authorization=Basic%20a%3D").client() as client:
        client.get("/stm/s/config")
    tree = sink.trace_of("GET /stm/{session_id}/config")
    assert tree.span.attributes["http.response.status_code"] == 200
    assert sink.exports[0].headers["content-type"] == "application/json"
    assert sink.exports[0].headers["authorization"] == "Basic a="


def test_nothing_that_was_said_is_told_unless_it_is_asked_for(client, sink):
    body = {"messages": [{"role": "user", "content": PLANTED}], "user_id": "u", "infer": False}
    memory = client.post("/ltm/memories", json=body).json()["results"][0]["id"]
    client.post("/ltm/memories/search", json={"query": PLANTED, "user_id": "u"})
    client.put(f"/ltm/memories/{memory}", json={"data": PLANTED})
    client.post("/stm/s/messages", json={"messages": [{"role": "user", "content": PLANTED}]})
    client.get("/stm/s/context")
    client.delete(f"/ltm/memories/{memory}")
    sink.wait_for(lambda span: span.name == "DELETE /ltm/memories/{id}")
    assert not any(PLANTED.encode() in export.body for export in sink.exports)


def test_what_was_said_is_told_where_it_is_asked_for(start, sink):
    with start(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="span_only").client() as client:
        body = json.dumps({"messages": [{"role": "user", "content": PLANTED}]})
        reply = client.post("/stm/s/messages", content=body)
        client.get("/openapi.json")
    attributes = sink.trace_of("POST /stm/{session_id}/messages").span.attributes
    assert attributes["langfuse.observation.input"] == body
    assert attributes["langfuse.observation.output"] == reply.text
    assert not any("observation" in name for name in sink.trace_of("GET /openapi.json").span.attributes)


UNUSABLE = [Fault(status=500), Fault(status=400, body=b"no"), Fault(status=429, headers={"Retry-After": "1"}),
            Fault(raw=b"this is not HTTP\r\n\r\n"), Fault(raw=b""), Fault(delay=3600),
            Fault(body=b"\xff\xff\xff garbage")]


@pytest.mark.parametrize("fault", UNUSABLE, ids=str)
def test_a_collector_that_fails_fails_no_request(start, sink, fault):
    sink.fault = fault
    server = start(OTEL_EXPORTER_OTLP_TIMEOUT="60000", MAAS_TRACE_STOP_TIMEOUT_MS="500")
    with server.client() as client:
        for _ in range(20):
            assert client.get("/stm/s/config").status_code == 200
        wait_until(lambda: sink.exports, 20, "an export")
        assert client.get("/stm/s/config").status_code == 200
    assert server.stop() == 0


def test_a_collector_that_is_not_there_fails_no_request(start_server):
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}", OTEL_BSP_SCHEDULE_DELAY="10")
    with server.client() as client:
        for _ in range(20):
            assert client.get("/stm/s/config").status_code == 200
    assert server.stop() == 0
    assert '"message":"spans were lost","exported":0,"dropped":40' in server.log()


def test_what_does_not_fit_the_queue_is_dropped_and_counted(start, sink):
    sink.fault = Fault(delay=3600)
    server = start(OTEL_BSP_MAX_QUEUE_SIZE="8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4", OTEL_EXPORTER_OTLP_TIMEOUT="60000",
                   MAAS_TRACE_STOP_TIMEOUT_MS="200")
    with server.client() as client:
        for _ in range(50):
            assert client.get("/stm/s/config").status_code == 200
    assert "spans are lost" in server.log()
    assert server.stop() == 0
    assert '"message":"spans were lost","exported":0,"dropped":100' in server.log()


def test_spans_that_wait_are_sent_when_the_server_stops(start, sink):
    server = start(OTEL_BSP_SCHEDULE_DELAY="3600000")
    with server.client() as client:
        client.get("/stm/s/config")
    assert not sink.exports
    assert server.stop() == 0
    assert sink.trace_of("GET /stm/{session_id}/config")


def test_values_that_are_not_understood_are_warned_of_and_ignored(start, sink):
    server = start(OTEL_TRACES_SAMPLER="jaeger_remote", OTEL_TRACES_SAMPLER_ARG="2", OTEL_PROPAGATORS="b3",
                   OTEL_EXPORTER_OTLP_TIMEOUT="soon", OTEL_RESOURCE_ATTRIBUTES="a=1,b", OTEL_TRACES_EXPORTER="zipkin",
                   OTEL_EXPORTER_OTLP_HEADERS="secret-without-value", OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
                   OTEL_EXPORTER_OTLP_COMPRESSION="zstd")
    with server.client() as client:
        client.get("/stm/s/config")
    assert sink.trace_of("GET /stm/{session_id}/config").span.resource["service.name"] == "my-maas"
    log = server.log()
    for name in ("OTEL_TRACES_SAMPLER 'jaeger_remote'", "OTEL_TRACES_SAMPLER_ARG '2'", "OTEL_PROPAGATORS 'b3'",
                 "OTEL_EXPORTER_OTLP_TIMEOUT 'soon'", "OTEL_RESOURCE_ATTRIBUTES 'a=1,b'", "OTEL_TRACES_EXPORTER 'zipkin'",
                 "OTEL_EXPORTER_OTLP_HEADERS '***'", "OTEL_EXPORTER_OTLP_PROTOCOL 'grpc'",
                 "OTEL_EXPORTER_OTLP_COMPRESSION 'zstd'"):
        assert name in log
    assert "secret-without-value" not in log
