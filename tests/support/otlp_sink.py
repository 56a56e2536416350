"""A collector of traces and metrics by OTLP over HTTP: protobuf and JSON, gzip, and the faults of real ones."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import http.server
import json
import threading
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support.processes import wait_until

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}
STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}
ID_LENGTHS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


@dataclasses.dataclass(eq=False)
class Export:
    """One request as it came; its body decoded from gzip."""

    path: str
    headers: dict[str, str]
    body: bytes
    arrived: float = dataclasses.field(default_factory=time.monotonic)
    message: ExportTraceServiceRequest | ExportMetricsServiceRequest | None = None  # None: it was refused


@dataclasses.dataclass(eq=False)
class Span:
    name: str
    kind: str
    status: str
    description: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    attributes: dict
    resource: dict
    scope: tuple[str, str, str]  # name, version, schema URL
    flags: int

    def __repr__(self):
        return f"{self.kind} {self.name} {self.attributes}"


@dataclasses.dataclass
class Fault:
    """What a sink answers instead of taking what it is sent."""

    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    delay: float = 0  # seconds, or until the sink ends
    raw: bytes | None = None  # in place of a reply


def value_of(any_value):
    """A value that the contract allows on a span: nothing nested in names, nothing empty."""
    which = any_value.WhichOneof("value")
    assert which in ("string_value", "bool_value", "int_value", "double_value", "array_value"), which
    if which != "array_value":
        return getattr(any_value, which)
    return [value_of(each) for each in any_value.array_value.values]


def attributes_of(pairs) -> dict:
    names = [pair.key for pair in pairs]
    assert len(set(names)) == len(names), f"an attribute comes twice: {names}"
    return {pair.key: value_of(pair.value) for pair in pairs}


@dataclasses.dataclass(eq=False)
class Point:
    """A series of a metric as it was last told."""

    name: str
    unit: str
    kind: str  # "sum", "gauge", "histogram"
    attributes: dict
    value: float  # the sum of a histogram
    count: int  # of a histogram, else 0
    resource: dict


def points_in(message: ExportMetricsServiceRequest):
    for of_resource in message.resource_metrics:
        resource = attributes_of(of_resource.resource.attributes)
        for metric in (metric for of_scope in of_resource.scope_metrics for metric in of_scope.metrics):
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            if kind != "gauge":
                assert data.aggregation_temporality == 2, f"{metric.name} is not cumulative"
            for point in data.data_points:
                assert point.time_unix_nano > 0 and (kind == "gauge" or point.start_time_unix_nano > 0)
                if kind == "histogram":
                    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                    assert sum(point.bucket_counts) == point.count
                value, count = (point.sum, point.count) if kind == "histogram" else (point.as_double, 0)
                yield Point(metric.name, metric.unit, kind, attributes_of(point.attributes), value, count, resource)


def from_json(body: bytes, kind=ExportTraceServiceRequest):
    """OTLP's JSON, held to where it differs from protobuf's: ids in hex, enums as numbers, times as text."""
    def read(value, name=""):
        if isinstance(value, dict):
            return {key: read(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [read(each) for each in value]
        if name in ID_LENGTHS:
            assert len(value) in (0, ID_LENGTHS[name]) and value == value.lower(), f"{name} {value}"
            return base64.b64encode(bytes.fromhex(value)).decode()
        if name.endswith("UnixNano") or name == "intValue":
            assert isinstance(value, str) and int(value) >= 0, f"{name} {value!r}"
        if name in ("kind", "code"):
            assert isinstance(value, int), f"{name} {value!r}"
        return value
    return json_format.ParseDict(read(json.loads(body)), kind())


def spans_in(message: ExportTraceServiceRequest):
    for of_resource in message.resource_spans:
        resource = attributes_of(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            scope = (of_scope.scope.name, of_scope.scope.version, of_scope.schema_url)
            for span in of_scope.spans:
                yield Span(span.name, KINDS[span.kind], STATUSES[span.status.code], span.status.message,
                           span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                           span.start_time_unix_nano, span.end_time_unix_nano, attributes_of(span.attributes),
                           resource, scope, span.flags)


class OtlpSink:
    """Listens on loopback, on a free port unless it is told one. `faults` are taken one by one by spans; `fault` is
    what stays, for all."""

    def __init__(self, port: int = 0):
        self.exports: list[Export] = []  # of spans
        self.metric_exports: list[Export] = []
        self.faults: list[Fault] = []
        self.fault: Fault | None = None
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with contextlib.suppress(ConnectionError):  # the exporter may have given up
                    sink._answer(self)

            def log_message(self, *_arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        export = Export(request.path, {name.lower(): value for name, value in request.headers.items()}, body)
        of_metrics = request.path == "/v1/metrics"
        with self._lock:
            (self.metric_exports if of_metrics else self.exports).append(export)
            fault = self.faults.pop(0) if self.faults and not of_metrics else self.fault
        if fault:
            self._ending.wait(fault.delay)
            if fault.raw is not None:
                request.wfile.write(fault.raw)
                request.close_connection = True
                return
            if fault.status != 200:
                self._reply(request, fault.status, fault.body, fault.headers)
                return
        is_json = export.headers.get("content-type") == "application/json"
        try:
            kind = ExportMetricsServiceRequest if of_metrics else ExportTraceServiceRequest
            message = from_json(body, kind) if is_json else kind.FromString(body)
            assert of_metrics or request.path == "/v1/traces", request.path
            list(points_in(message) if of_metrics else spans_in(message))
        except Exception as error:  # a test reads it: what a handler raises is lost in its thread
            self.problems.append(repr(error))
            self._reply(request, 400, b"", {})
            return
        with self._lock:
            export.message = message
        self._reply(request, 200, fault.body if fault else b"{}" if is_json else b"", {})

    @staticmethod
    def _reply(request, status: int, body: bytes, headers: dict):
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def spans(self) -> list[Span]:
        assert not self.problems, self.problems
        with self._lock:
            messages = [export.message for export in self.exports if export.message]
        return [span for message in messages for span in spans_in(message)]

    def points(self) -> list[Point]:
        """What the last export of metrics told."""
        assert not self.problems, self.problems
        with self._lock:
            messages = [export.message for export in self.metric_exports if export.message]
        return list(points_in(messages[-1])) if messages else []

    def wait_for(self, condition, seconds: float = 20):
        """The spans that have come when there is one for which `condition` holds."""
        wait_until(lambda: any(condition(span) for span in self.spans()), seconds, "a span")
        return self.spans()

    def trace_of(self, route: str, seconds: float = 20) -> "Tree":
        """The only trace whose root has this name."""
        spans = self.wait_for(lambda span: span.name == route, seconds)
        roots = [span for span in spans if span.name == route]
        assert len(roots) == 1, roots
        return Tree(roots[0], [span for span in spans if span.trace_id == roots[0].trace_id])


class Tree:
    """A span with those below it, in the order in which they began."""

    def __init__(self, span: Span, spans: list[Span]):
        self.span = span
        below = sorted((each for each in spans if each.parent_id == span.span_id), key=lambda each: each.start)
        self.below = [Tree(each, spans) for each in below]

    def all(self) -> list[Span]:
        return [self.span, *(span for tree in self.below for span in tree.all())]

    def shape(self):
        """(kind and name, [shapes below])"""
        return f"{self.span.kind} {self.span.name}", [tree.shape() for tree in self.below]

    def named(self, name: str) -> Span:
        found = [span for span in self.all() if span.name == name]
        assert len(found) == 1, (name, self.shape())
        return found[0]
