"""How spans get to collectors: what is tried again and what is not, compression, what is refused in part."""

import email.utils
import json
import time

import pytest
from support.otlp_sink import Fault, OtlpSink
from support.processes import free_port, wait_until


@pytest.fixture
def start(sink, start_server):
    """Starts a server that exports at once."""
    def start(**settings):
        return start_server(**{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": "10", **settings})
    return start


def counts(server) -> dict:
    lines = [json.loads(line) for line in server.log().splitlines() if '"spans were lost"' in line]
    return {name: lines[-1][name] for name in ("exported", "dropped")} if lines else {}


@pytest.mark.parametrize("fault", [
    Fault(status=429), Fault(status=502), Fault(status=503), Fault(status=504), Fault(raw=b""),
    Fault(status=503, headers={"Retry-After": "0"}), Fault(status=503, headers={"Retry-After": "nonsense"})], ids=str)
def test_what_may_pass_is_tried_again(start, sink, fault):
    sink.faults = [fault, fault]
    server = start()
    with server.client() as client:
        client.get("/openapi.json")
    sink.trace_of("GET /openapi.json")
    assert len(sink.exports) == 3 and len({export.body for export in sink.exports}) == 1
    assert server.stop() == 0
    assert counts(server) == {}


@pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 500, 501, 505])
def test_what_does_not_pass_is_dropped(start, sink, status):
    sink.faults = [Fault(status=status, headers={"Retry-After": "1"})]
    server = start()
    with server.client() as client:
        client.get("/openapi.json")
        wait_until(lambda: sink.exports, 20, "an export")
        client.get("/docs")
    sink.trace_of("GET /docs")
    assert server.stop() == 0
    assert [span.name for span in sink.spans()] == ["GET /docs"]
    assert counts(server) == {"exported": 1, "dropped": 1}
    assert f"status {status}" in server.log()


@pytest.mark.parametrize("as_date", [False, True])
def test_a_collector_says_when_to_try_again(start, sink, as_date):
    wish = email.utils.formatdate(time.time() + 8, usegmt=True) if as_date else "2"
    date = time.monotonic() + 7  # it has whole seconds
    sink.faults = [Fault(status=429, headers={"Retry-After": wish})]
    with start().client() as client:
        client.get("/openapi.json")
    sink.trace_of("GET /openapi.json")
    first, second = sink.exports
    assert second.arrived >= (date if as_date else first.arrived + 2)


def test_a_collector_that_wants_more_time_than_there_is_is_not_waited_for(start, sink):
    sink.faults = [Fault(status=429, headers={"Retry-After": "3600"})]
    server = start(OTEL_BSP_EXPORT_TIMEOUT="5000")
    with server.client() as client:
        client.get("/openapi.json")
        wait_until(lambda: "status 429" in server.log(), 20, "a line in the log")
    assert server.stop() == 0
    assert len(sink.exports) == 1 and counts(server) == {"exported": 0, "dropped": 1}


@pytest.mark.parametrize("protocol,reply", [
    ("http/protobuf", b"\x0a\x06\x08\x01\x12\x02no"),
    ("http/json", b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}')])
def test_what_is_refused_in_part_is_counted_and_not_sent_again(start, sink, protocol, reply):
    sink.faults = [Fault(body=reply)]
    server = start(OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    with server.client() as client:
        client.get("/openapi.json")
        wait_until(lambda: '"detail":"no"' in server.log(), 20, "a line in the log")
    assert server.stop() == 0
    assert len(sink.exports) == 1 and counts(server) == {"exported": 0, "dropped": 1}


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_what_is_sent_can_be_compressed(start, sink, protocol):
    with start(OTEL_EXPORTER_OTLP_COMPRESSION="gzip", OTEL_EXPORTER_OTLP_PROTOCOL=protocol).client() as client:
        client.get("/openapi.json")
    sink.trace_of("GET /openapi.json")
    assert sink.exports[0].headers["content-encoding"] == "gzip"


def test_the_setting_for_traces_wins(start, sink):
    server = start(OTEL_EXPORTER_OTLP_COMPRESSION="gzip", OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="none",
                   OTEL_EXPORTER_OTLP_HEADERS="x-key=all", OTEL_EXPORTER_OTLP_TRACES_HEADERS="x-key=traces")
    with server.client() as client:
        client.get("/openapi.json")
    sink.trace_of("GET /openapi.json")
    headers = sink.exports[0].headers
    assert "content-encoding" not in headers and headers["x-key"] == "traces"


def test_a_collector_that_comes_late_gets_what_waited(start_server):
    port = free_port()
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}", OTEL_BSP_SCHEDULE_DELAY="10")
    with server.client() as client:
        client.get("/openapi.json")
        with OtlpSink(port) as sink:
            sink.trace_of("GET /openapi.json")
    assert server.stop() == 0
    assert counts(server) == {}


def test_a_stop_ends_the_wait_for_a_collector(start, sink):
    sink.fault = Fault(status=503, headers={"Retry-After": "20"})
    server = start(MAAS_TRACE_STOP_TIMEOUT_MS="3600000")
    with server.client() as client:
        client.get("/openapi.json")
        wait_until(lambda: sink.exports, 20, "an export")
    assert server.stop() == 0
    assert len(sink.exports) == 1 and counts(server) == {"exported": 0, "dropped": 1}
