"""Drives a sanitized server with a mixed load on both engines and stops it in the middle of it.

    MAAS_BINARY=build/tsan/maas .deps/venv/bin/python tests/load/tsan_load.py [SECONDS]

SECONDS is the time on each engine. Fails on a status that was not expected, on a reply that was cut,
on an exit code of the server other than 0, and on a sanitizer's report in its log.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import random
import re
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.load import Connection  # noqa: E402
from support.processes import BINARY, TRACED, RedisServer, Server, redis_available  # noqa: E402
from support.raw_http import request  # noqa: E402
from support.sessions import message, session_path  # noqa: E402

SESSIONS = [f"session {number}" for number in range(8)]  # fewer than connections: they meet
REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: \w+Sanitizer|runtime error:")
SENTENCE = "The quick brown fox jumps over the lazy dog near the river bank. "


class Worker(threading.Thread):
    """One client that does one thing after the other until the server is gone."""

    def __init__(self, port: int, number: int, stopping: threading.Event):
        super().__init__(daemon=True)
        self.port = port
        self.random = random.Random(number)
        self.stopping = stopping
        self.counts = collections.Counter()
        self.faults: list[str] = []
        self.connection: Connection | None = None
        self.actions = [(self.append, 30), (self.read, 15), (self.context, 20), (self.configure, 5),
                        (self.delete, 2), (self.health, 5), (self.refused, 3), (self.reconnect, 5),
                        (self.abandon, 3), (self.pipeline, 3)]

    def run(self):
        actions, weights = zip(*self.actions)
        with contextlib.ExitStack() as stack:
            stack.callback(self.disconnect)
            while not self.faults:
                [action] = self.random.choices(actions, weights)
                try:
                    action()
                except (OSError, EOFError) as error:
                    within_reply = self.connection is not None and self.connection.began
                    if not self.stopping.is_set() or within_reply or isinstance(error, TimeoutError):
                        self.faults.append(f"{action.__name__}: {error!r}")
                    return
                self.counts[action.__name__] += 1

    def connected(self) -> Connection:
        if self.connection is None:
            self.connection = Connection(self.port, 60)
        self.connection.began = False
        return self.connection

    def disconnect(self):
        if self.connection is not None:
            self.connection.socket.close()
            self.connection = None

    def call(self, method: str, path: str, body: object = None, expected: int = 200):
        connection = self.connected()
        content = b"" if body is None else json.dumps(body).encode()
        connection.send(request(method, path, content))
        reply = connection.read_reply(method)
        if reply.status != expected:
            self.faults.append(f"{method} {path} was answered with {reply.status}: {reply.body[:300]!r}")
        if (reply.header("Connection") or "").lower() == "close":
            self.disconnect()

    def path(self, rest: str = "") -> str:
        return session_path(self.random.choice(SESSIONS), rest)

    def append(self):
        messages = [message(SENTENCE * self.random.randint(1, 4)) for _ in range(self.random.randint(0, 4))]
        self.call("POST", self.path("/messages"), {"messages": messages})

    def read(self):
        self.call("GET", self.path(self.random.choice(["/messages", "/messages?limit=5", "/config"])))

    def context(self):
        """With few tokens it summarizes again and again."""
        self.call("GET", self.path(self.random.choice(["/context", "/context?max_tokens=120"])))

    def configure(self):
        self.call("PUT", self.path("/config"), self.random.choice([
            {"strategy": "token_threshold", "max_tokens": 300},
            {"strategy": "sliding_window", "max_messages": 10}, {"strategy": None}]))

    def delete(self):
        self.call("DELETE", self.path())

    def health(self):
        self.call("GET", self.random.choice(["/health", "/health/ready"]))

    def refused(self):
        self.call("POST", self.path("/messages"), {"messages": [{"role": "nobody"}]}, expected=422)
        self.call("GET", "/nowhere", expected=404)

    def reconnect(self):
        self.disconnect()
        self.call("GET", "/health")

    def abandon(self):
        """Leaves within a request, or before its reply is read."""
        data = request("POST", self.path("/messages"), json.dumps({"messages": [message("left")]}).encode())
        self.connected().send(data[:self.random.randint(1, len(data))])
        self.disconnect()

    def pipeline(self):
        connection = self.connected()
        connection.send(b"".join(request("GET", self.path("/context")) for _ in range(4)))
        for _ in range(4):
            reply = connection.read_reply()
            if reply.status != 200:
                self.faults.append(f"a pipelined request was answered with {reply.status}")
            if (reply.header("Connection") or "").lower() == "close":
                self.disconnect()
                return
            connection.began = bool(connection.buffer)


def run_load(server: Server, seconds: float, kinds: list[type[Worker]]) -> list[str]:
    """What went wrong."""
    stopping = threading.Event()
    workers = [kind(server.port, number, stopping) for number, kind in enumerate(kinds)]
    for worker in workers:
        worker.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.running() and not any(worker.faults for worker in workers):
        time.sleep(0.05)
    stopping.set()
    exit_code = server.stop(60)
    for worker in workers:
        worker.join(90)
    faults = [fault for worker in workers for fault in worker.faults]
    faults += ["a client hangs" for worker in workers if worker.is_alive()]
    if exit_code != 0:
        faults.append(f"the server ended with {exit_code}")
    if found := REPORT.search(server.log()):
        faults.append(f"a sanitizer's report: {server.log()[found.start():found.start() + 8000]}")
    print("  " + ", ".join(f"{count} {name}" for name, count in
                           sorted(sum((worker.counts for worker in workers), collections.Counter()).items())))
    return faults


def run_on(engine: str, seconds: float, connections: int) -> list[str]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        settings = {"MAAS_ACCESS_LOG_SAMPLE": "0", "MAAS_WORKERS": "4", **TRACED}
        if engine == "redis":
            redis_server = RedisServer(directory)
            stack.callback(redis_server.kill)
            settings["REDIS_URL"] = redis_server.start().url
            settings["REDIS_TIMEOUT_MS"] = "20000"  # a sanitized server on a busy machine is slow
        server = Server(directory, **settings)
        stack.callback(server.kill)
        server.spawn_server()
        server.wait_for_health(60)
        return run_load(server, seconds, [Worker] * connections)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=20)
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    if not BINARY.exists():
        print(f"there is no {BINARY}; build it first", file=sys.stderr)
        return 2
    if not redis_available():
        print("redis-server is missing; run scripts/setup test", file=sys.stderr)
        return 2
    failed = False
    for engine in ("sqlite", "redis"):
        print(f"{engine}: {arguments.connections} connections, {arguments.seconds:g} s", flush=True)
        for fault in run_on(engine, arguments.seconds, arguments.connections):
            print(f"  FAILED: {fault}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
