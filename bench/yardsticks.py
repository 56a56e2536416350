"""What comparable searches cost elsewhere: brute force in numpy, bm25 in SQLite FTS5. Both run in this process
on one thread, without HTTP; each does one part of what the service's search does."""

import sqlite3
import statistics
import time
from collections.abc import Callable

import numpy

from measuring import Run

LIMIT = 10


def timed(search: Callable, queries: list, seconds: float) -> Run:
    times = []
    search(queries[0])
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() < began + seconds:
        start = time.perf_counter()
        search(queries[len(times) % len(queries)])
        times.append(1000 * (time.perf_counter() - start))
    used = time.process_time() - used
    return {"requests_per_second": len(times) / (time.perf_counter() - began),
            "p50_ms": statistics.median(times), "p99_ms": sorted(times)[int(.99 * len(times))],
            "cpu_us": 1e6 * used / len(times), "failed": 0, "socket_errors": 0}


class Numpy:
    """The largest cosines."""

    def __init__(self, vectors: numpy.ndarray):
        self.vectors = vectors
        self.queries = list(vectors[::max(1, len(vectors) // 200)].copy())

    def search(self, query: numpy.ndarray) -> numpy.ndarray:
        cosines = self.vectors @ query
        best = numpy.argpartition(cosines, -LIMIT)[-LIMIT:]
        return best[numpy.argsort(-cosines[best])]

    def run(self, seconds: float) -> Run:
        return timed(self.search, self.queries, seconds)


class Fts5:
    """Plain BM25 of stems, all memories that hold one of the words."""

    def __init__(self, texts: list[str], queries: list[str], frequent: set[str]):
        self.database = sqlite3.connect(":memory:")
        self.database.execute("CREATE VIRTUAL TABLE memories USING fts5(text, tokenize='porter')")
        self.database.executemany("INSERT INTO memories VALUES(?)", ((text,) for text in texts))
        self.queries = []
        for query in queries:
            words = [word for word in query.split() if word not in frequent] or query.split()
            self.queries.append(" OR ".join(f'"{word}"' for word in words))

    def search(self, query: str) -> list:
        return self.database.execute("SELECT rowid, text FROM memories WHERE memories MATCH ?"
                                     " ORDER BY bm25(memories) LIMIT ?", (query, LIMIT)).fetchall()

    def run(self, seconds: float) -> Run:
        return timed(self.search, self.queries, seconds)
