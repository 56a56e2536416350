"""A stub of the providers of models, for tests and benchmarks: chat and embeddings in every provider's protocol.

    with Provider() as provider:
        server = start_server(LLM_PROVIDER="openai", LLM_BASE_URL=provider.url + "/v1", LLM_API_KEY="key", …)
        provider.fail(faults.status(500), times=2, kind="chat")
        …
        assert provider.asked == ["facts"] * 3

What it serves, all by POST, on one port of 127.0.0.1 (see provider_protocols.py):

    openai        {any prefix}/chat/completions, {any prefix}/embeddings
    azure_openai  /openai/deployments/{deployment}/chat/completions and …/embeddings, with ?api-version=
    cohere        /v2/embed
    huggingface   /hf-inference/models/{model}/pipeline/feature-extraction
    tei           /embed (Text Embeddings Inference)
    ollama        /api/embed (and /v1/chat/completions)

provider_faults.py has the faults, provider_chat.py the model, provider_embeddings.py the vectors
(`embed(text, dims)`), provider_http.py what a recorded request knows. As a program, for benchmarks:

    python tests/support/provider.py --port 0 --latency 0.05 --dims 384

prints its URL and serves until SIGTERM, or until its standard input ends if that is a pipe. It keeps no record.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import os
import pathlib
import signal
import stat
import sys
import threading
import traceback

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.processes import wait_until  # noqa: E402
from support.provider_chat import Model, asks, completion_body, simple_model  # noqa: E402
from support.provider_embeddings import Options, embeddings_body  # noqa: E402
from support.provider_faults import Fault  # noqa: E402
from support.provider_http import Connection, Reply, Request  # noqa: E402
from support.provider_protocols import LIMITS, refusal, route  # noqa: E402

NO_FAULT = Fault()


class Provider:
    """Serves inside its `with` block, or from `start` to `stop`; started again, it has the same port.

    Its attributes may be set at any time by any thread; what they say goes for replies made after that.
    A mistake in a test's own callable is answered by 500 and raised at the end of the block.
    """

    def __init__(self, *, dims: int = 64, keys: set[str] | None = None, models: set[str] | None = None,
                 latency: float = 0, limits: dict[str, int] | None = None, record: bool = True, port: int = 0):
        """`keys` and `models`: all others are refused, as the protocol does that; None: any will do.
        `limits`: the most texts in one request by protocol, in place of LIMITS."""
        self.dims = dims  # of a vector, if the request doesn't tell
        self.keys = keys
        self.models = models
        self.latency = latency  # seconds before each reply; does not keep others waiting
        self.limits = {**LIMITS, **(limits or {})}
        self.record = record
        self.port = port
        self.chat: Model = simple_model  # called on the server's thread: one that blocks holds up all replies
        self.shuffled = False     # OpenAI's vectors in another order than the texts', with the right `index`
        self.token_level = False  # Hugging Face's reply has a vector for each token
        self.keep_alive = True    # False: each reply closes its connection, and says so
        self.chunk_bytes: int | None = None  # replies in chunks of that size instead of with a Content-Length
        self.most_at_once = 0     # the most requests that were waiting for their reply at one time
        self.served = 0           # requests that came, recorded or not
        self.connections = 0      # connections that were opened
        self._requests: list[Request] = []
        self._faults: collections.deque[list] = collections.deque()  # [fault, how many times still]
        self._lasting: list[Fault] = []
        self._held: list[tuple[Request, Connection]] | None = None
        self._held_kind: str | None = None
        self._at_once = 0
        self._mistakes: list[Exception] = []
        self._open: set[Connection] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # The life of the server

    @property
    def url(self) -> str:
        """Without a slash at the end. OpenAI's base is `url + "/v1"`; that of the others is `url`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Provider:
        return self.start()

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None and self._mistakes:
            raise self._mistakes[0]

    def start(self) -> Provider:
        self._loop = asyncio.new_event_loop()
        try:
            server = self._loop.run_until_complete(self._loop.create_server(
                lambda: Connection(self), "127.0.0.1", self.port, backlog=1024))
        except BaseException:
            self._loop.close()
            raise
        self.port = server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=[server], name="provider", daemon=True)
        self._thread.start()
        return self

    def _run(self, server: asyncio.Server):
        self._loop.run_forever()
        server.close()
        for connection in list(self._open):
            connection.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))  # connection_lost of each
        self._loop.close()

    def stop(self):
        """Closes the port and all connections. Then nobody can connect until `start`."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None

    def close_connections(self):
        """Closes those that are idle, as a provider does when it has enough of them."""
        async def close():
            for connection in list(self._open):
                if connection.current is None:
                    connection.transport.close()
        asyncio.run_coroutine_threadsafe(close(), self._loop).result()

    # What came

    @property
    def requests(self) -> list[Request]:
        """All that came since the start or the last `take`, in order; a copy."""
        with self._lock:
            return list(self._requests)

    @property
    def chats(self) -> list[Request]:
        return [request for request in self.requests if request.kind == "chat"]

    @property
    def embeddings(self) -> list[Request]:
        return [request for request in self.requests if request.kind == "embedding"]

    @property
    def asked(self) -> list[str]:
        """What the chats asked for, each "facts", "decisions", "summary" or ""."""
        return [asks(request.json) for request in self.chats]

    def take(self) -> list[Request]:
        """The requests, which are forgotten by that."""
        with self._lock:
            taken, self._requests = self._requests, []
            return taken

    def wait_for(self, count: int, kind: str | None = None, seconds: float = 20) -> list[Request]:
        """The requests of that kind, as soon as there are so many."""
        def come():
            found = [request for request in self.requests if kind in (None, request.kind)]
            return found if len(found) >= count else None
        return wait_until(come, seconds, f"{count} requests to the provider")

    # What goes wrong

    def fail(self, *faults: Fault, times: int = 1, kind: str | None = None):
        """The next requests (of that kind) meet these faults, each one of them `times` times, one after the other.
        A request that is refused anyway, for its key, model or body, meets none."""
        with self._lock:
            self._faults.extend([_of_kind(fault, kind), times] for fault in faults)

    def break_with(self, *faults: Fault, kind: str | None = None):
        """Until `heal`, requests meet the first of these faults that fits them; queued faults go first."""
        with self._lock:
            self._lasting.extend(_of_kind(fault, kind) for fault in faults)

    def heal(self):
        """No more faults, of `fail` neither."""
        with self._lock:
            self._faults.clear()
            self._lasting.clear()

    @contextlib.contextmanager
    def holding(self, kind: str | None = None):
        """Inside the block no request (of that kind) gets its reply; at its end all that came do."""
        with self._lock:
            assert self._held is None, "the provider holds already"
            self._held, self._held_kind = [], kind
        try:
            yield
        finally:
            with self._lock:
                held, self._held = self._held, None
            if self._thread is not None:
                for request, connection in held:
                    self._loop.call_soon_threadsafe(self._answer, request, connection)

    # The handler of connections, on the server's thread

    def opened(self, connection: Connection):
        self.connections += 1
        self._open.add(connection)

    def closed(self, connection: Connection):
        self._open.discard(connection)

    def handle(self, request: Request, connection: Connection):
        request.protocol, request.kind, request.path_model = route(request.path)
        self.served += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        with self._lock:
            if self.record:
                self._requests.append(request)
            if self._held is not None and self._held_kind in (None, request.kind):
                self._held.append((request, connection))
                return
        self._answer(request, connection)

    def finished(self, _: Request):
        self._at_once -= 1

    def _answer(self, request: Request, connection: Connection):
        if connection.current is not request:
            return  # the client has gone
        try:
            refused = refusal(request, self.keys, self.models, self.limits)
            fault = NO_FAULT if refused else self._next_fault(request)
        except Exception as mistake:
            self._mistaken(mistake, request, connection)
            return
        if seconds := self.latency + fault.delay:
            self._loop.call_later(seconds, self._send, request, connection, fault, refused)
        else:
            self._send(request, connection, fault, refused)

    def _send(self, request: Request, connection: Connection, fault: Fault, refused: Reply | None):
        if connection.current is not request:
            return
        try:
            if refused is not None:
                reply = refused
            else:
                reply = fault.reply(request) if fault.reply else self._proper_reply(request, fault)
            reply = fault.change(reply) if fault.change else reply
        except Exception as mistake:
            self._mistaken(mistake, request, connection)
            return
        connection.reply(request, reply)

    def _mistaken(self, mistake: Exception, request: Request, connection: Connection):
        self._mistakes.append(mistake)
        connection.reply(request, Reply(500, "".join(traceback.format_exception(mistake)), content_type="text/plain"))

    def _next_fault(self, request: Request) -> Fault:
        if not self._faults and not self._lasting:
            return NO_FAULT
        with self._lock:
            for entry in self._faults:
                if entry[0].fits(request):
                    entry[1] -= 1
                    if entry[1] == 0:
                        self._faults.remove(entry)
                    return entry[0]
            return next((fault for fault in self._lasting if fault.fits(request)), NO_FAULT)

    def _proper_reply(self, request: Request, fault: Fault) -> Reply:
        if request.kind == "embedding":
            return Reply(body=embeddings_body(request, Options(
                self.dims, self.shuffled, self.token_level, fault.as_floats, fault.vectors, fault.indices)))
        answer = self.chat(request.json)
        if isinstance(answer, Reply):
            return answer
        return Reply(body=completion_body(answer, request.json, request.model, self.served))


def _of_kind(fault: Fault, kind: str | None) -> Fault:
    return dataclasses.replace(fault, kind=kind) if kind else fault


def _wait_for_the_end_of_input(ended: threading.Event):
    while os.read(0, 4096):  # sys.stdin has a lock that would be held when the program ends
        pass
    ended.set()


def main():
    parser = argparse.ArgumentParser(description="A stub of the providers of models.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--dims", type=int, default=384)
    arguments = parser.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_wait_for_the_end_of_input, args=[ended], daemon=True).start()
    with Provider(port=arguments.port, latency=arguments.latency, dims=arguments.dims, record=False) as provider:
        print(provider.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
