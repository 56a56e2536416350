"""What grows, decade by decade: each curve fills an engine tenfold and measures its requests again."""

import dataclasses
import pathlib
import random
import re
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator

from archive import Archive, scope
from corpus import Corpus
from ltm import SEARCH, Client, load_and_check, search_body
from measuring import HERE, show_progress, wrk
from services import Maas, Service

QUERIES = 200
SCOPE_SIZE = 20
HOT_SCOPES = 200       # that are searched again and again
COLD_SCOPES = 1000     # that are searched once; of fewer than half of these nothing can be said
SESSION_SAMPLE = 20_000
FILL_CONNECTIONS, SESSION_CONNECTIONS, SEARCH_CONNECTIONS = 128, 32, 8  # as in load.py and ltm.py
SLOW_US, SLOW_CONNECTIONS, SLOW_SECONDS = 5000, 2, 3
BYTES_OF_A_BODY_FILE = 4_000_000
# All that is searched stays loaded; a first search of a large scope takes its time.
SETTINGS = {"LTM_CACHE_MB": 16_384, "MAAS_REQUEST_TIMEOUT_MS": 600_000, "MAAS_BODY_TIMEOUT_MS": 600_000}


@dataclasses.dataclass
class Decade:
    size: int
    fill_seconds: float  # from which the next decade's are foreseen
    points: dict[str, dict]  # by case


@dataclasses.dataclass
class Bench:
    """Where a curve is measured, and how."""

    binary: pathlib.Path
    directory: pathlib.Path
    corpus: Corpus
    seconds: int
    rounds: int
    engine: str
    backend: Service | None = None  # redis, mongodb
    settings: dict = dataclasses.field(default_factory=dict)

    def server(self, name: str) -> Maas:
        redis = self.backend if self.engine == "redis" else None
        return Maas(self.binary, self.directory / name, redis, **SETTINGS, **self.settings)

    def point(self, server: Maas, *arguments, connections: int = SESSION_CONNECTIONS) -> dict:
        """The median of some rounds, and the least and the most CPU."""
        tried = wrk(server, list(arguments), 1, SLOW_CONNECTIONS)
        # A run cuts off what is in flight at its end, whose CPU no reply stands for: too much where a reply takes long.
        is_slow = tried["cpu_us"] > SLOW_US
        connections = SLOW_CONNECTIONS if is_slow else connections
        seconds = SLOW_SECONDS * self.seconds if is_slow else self.seconds
        runs = [wrk(server, list(arguments), seconds, connections) for _ in range(self.rounds)]
        found = {name: statistics.median(run[name] for run in runs)
                 for name in ("requests_per_second", "cpu_us", "p50_ms", "p99_ms")}
        costs = [run["cpu_us"] for run in runs]
        return found | {"connections": connections, "least_cpu_us": min(costs), "most_cpu_us": max(costs), "rss_mb": server.rss_mb(),
                        "failed": sum(run["failed"] + run["socket_errors"] for run in runs)}

    def searched(self, server: Maas, name: str, queries: list[tuple[str, str]]) -> dict:
        file = self.directory / f"{name}.jsonl"
        file.write_text("".join(search_body(user, query) + "\n" for user, query in queries))
        return self.point(server, "post", SEARCH, file, connections=SEARCH_CONNECTIONS)


def memories_of_a_scope(bench: Bench, sizes: list[int]) -> Iterator[Decade]:
    stored = 0
    for size in sizes:
        user, began, queries = f"one-{size}", time.monotonic(), []
        server = bench.server("memories")
        with Archive(server, stored) as archive:
            for memories in scope(bench.corpus, user, size, size):
                show_progress(f"{bench.engine}: {archive.count - stored} of {size} memories")
                archive.add(memories)
                queries = queries or [(user, query) for query in bench.corpus.queries(memories, QUERIES, size)]
        stored = archive.count
        with server:
            server.wait_until(server.is_ready, 60)
            empty = server.own_memory_mb()
            first = time.monotonic()
            load_and_check(server, queries[:1], f"{size} memories")
            loaded = time.monotonic()
            load_and_check(server, queries, f"{size} memories")
            point = bench.searched(server, user, queries)
            point |= {"first_search_ms": 1000 * (loaded - first),
                      "kib_each": 1024 * (server.own_memory_mb() - empty) / size}
            yield Decade(size, loaded - began, {"search": point})


def first_searches(server: Maas, queries: list[tuple[str, str]]) -> dict:
    times, used = [], server.cpu_seconds()
    with Client(server) as client:
        for user, query in queries:
            began = time.perf_counter()
            client.search(user, query)
            times.append(1000 * (time.perf_counter() - began))
    cpu_us = 1e6 * (server.cpu_seconds() - used) / len(queries)
    return {"requests_per_second": 1000 / statistics.fmean(times), "cpu_us": cpu_us, "least_cpu_us": cpu_us,
            "most_cpu_us": cpu_us, "p50_ms": statistics.median(times),
            "p99_ms": sorted(times)[int(.99 * len(times))], "rss_mb": server.rss_mb(), "failed": 0}


def scopes(bench: Bench, sizes: list[int]) -> Iterator[Decade]:
    choose = random.Random(1)
    stored = 0
    for size in sizes:
        began = time.monotonic()
        server = bench.server("scopes")
        hot = set(choose.sample(range(size), max(1, min(HOT_SCOPES, size // 2))))
        cold = [number for number in range(size) if number not in hot]
        cold = choose.sample(cold, min(COLD_SCOPES, len(cold)))
        with Archive(server, stored * SCOPE_SIZE) as archive:
            for number in range(stored, size):
                if number % 1000 == 0:
                    show_progress(f"{bench.engine}: {number} of {size} scopes")
                archive.add(bench.corpus.memories(f"user-{number}", SCOPE_SIZE, number))
        stored, filled = size, time.monotonic()

        def queries(numbers: list[int], each: int) -> list[tuple[str, str]]:
            # The same again, as a seed decides.
            return [(f"user-{number}", query) for number in numbers for query in
                    bench.corpus.queries(bench.corpus.memories(f"user-{number}", SCOPE_SIZE, number), each, number)]

        again = queries(sorted(hot), max(1, QUERIES // len(hot)))
        with server:
            server.wait_until(server.is_ready, 60)
            load_and_check(server, again, f"{size} scopes")
            points = {"search again": bench.searched(server, f"scopes-{size}", again)}
            if len(cold) >= COLD_SCOPES / 2:
                points["first search"] = first_searches(server, queries(cold, 1))
            yield Decade(size, filled - began, points)


def started_sessions(server: Maas) -> int:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=60) as reply:
        found = re.search(r"^maas_stm_sessions_started_total (\S+)$", reply.read().decode(), re.M)
    return int(float(found[1])) if found else 0


def fill_sessions(server: Maas, prefix: str, first: int, end: int):
    before = started_sessions(server)
    subprocess.run(["wrk", "-t1", f"-c{FILL_CONNECTIONS}", "-d3600s", "--timeout", "60s", "-s",
                    HERE / "requests.lua", server.url, "--", "fill", prefix, str(first), str(end)],
                   capture_output=True, check=True)
    if (started := started_sessions(server) - before) != end - first:
        raise RuntimeError(f"{server.name}: {started} of {end - first} sessions were started")


def sessions(bench: Bench, sizes: list[int]) -> Iterator[Decade]:
    """Sessions of two messages are read; appends are to others, at most as many."""
    with bench.server("sessions") as server:
        filled = 0
        for size in sizes:
            show_progress(f"{bench.engine}: {size} sessions")
            began = time.monotonic()
            fill_sessions(server, "read-", filled, size)
            filled, some = size, min(size, SESSION_SAMPLE)
            took = time.monotonic() - began
            fill_sessions(server, f"append-{size}-", 0, some)
            points = {"context": bench.point(server, "context", "read-", some, size),
                      "append": bench.point(server, "append", f"append-{size}-", some)}
            if bench.backend:
                points["append"]["backend_rss_mb"] = bench.backend.rss_mb()
            yield Decade(size, took, points)


def message_length(bench: Bench, sizes: list[int]) -> Iterator[Decade]:
    """Texts of many words, each a new one."""
    text = " ".join(bench.corpus.memories("prose", BYTES_OF_A_BODY_FILE // 120, 1).texts)
    with bench.server("length") as server:
        for size in sizes:
            show_progress(f"{bench.engine}: messages of {size} bytes")
            file = bench.directory / f"length-{size}.jsonl"
            starts = range(0, len(text) - size, max(size, 1000))
            with file.open("w") as lines:
                for start in starts:
                    lines.write(f'{{"messages":[{{"role":"user","content":"{text[start:start + size]}"}}]}}\n')
            yield Decade(size, 0, {"append": bench.point(server, "post", f"/stm/of-{size}/messages", file)})
