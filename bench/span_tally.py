"""A collector that counts the spans that it is sent, in a process of its own so that it holds nothing up."""

import asyncio
import multiprocessing
import signal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors import KINDS, Exporter

SERVER = 2  # the kind of a span that stands for a request which the server was asked


class Counting(Exporter):
    def __init__(self, spans, requests):
        super().__init__(*KINDS["quick"])
        self.spans, self.requests = spans, requests

    def begin(self, head: bytes):
        self.of_traces = b" /v1/traces " in head
        self.body = bytearray()

    def take(self, part: bytes):
        self.body += part

    def end(self):
        if not self.of_traces:
            return
        message = ExportTraceServiceRequest.FromString(bytes(self.body))
        kinds = [span.kind for resource in message.resource_spans for scope in resource.scope_spans
                 for span in scope.spans]
        with self.spans.get_lock():
            self.spans.value += len(kinds)
        with self.requests.get_lock():
            self.requests.value += kinds.count(SERVER)


async def serve(port, spans, requests):
    server = await asyncio.get_running_loop().create_server(lambda: Counting(spans, requests), "127.0.0.1", 0)
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run(*arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    asyncio.run(serve(*arguments))


class SpanTally:
    """Counts inside its `with` block."""

    def __enter__(self):
        context = multiprocessing.get_context("spawn")
        self._spans, self._requests = context.Value("q", 0), context.Value("q", 0)
        mine, theirs = context.Pipe()
        self._process = context.Process(target=run, args=(theirs, self._spans, self._requests), daemon=True)
        self._process.start()
        if not mine.poll(30):
            self.__exit__()
            raise RuntimeError("the collector of traces does not start")
        self.url = f"http://127.0.0.1:{mine.recv()}"
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.join()

    @property
    def spans(self) -> int:
        return self._spans.value

    @property
    def requests(self) -> int:
        """Spans of requests that the server was asked."""
        return self._requests.value
