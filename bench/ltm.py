"""Measures long-term memory on the embedded engine, beside numpy and SQLite FTS5 in the same run.

    make bench        or        python3 bench/ltm.py [--binary FILE] [--model DIRECTORY] [--sizes N…]

Needs numpy and the local embedding model. The model embeds the words of the memories, some thousand memories
for the figures of adding, and all queries; the vectors of the many memories to search are put together from
those of their words and written into the database while nothing serves it: see corpus.py. Queries are known
before they are measured, so that their embeddings come from the cache. Prints a table with the limits that
hold on two cores of a current server, and adds itself to bench/results.json. Ends with 1 if a request failed;
a figure beyond its limit is marked.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is loaded

import argparse
import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

from corpus import Corpus, Memories
from measuring import (REPOSITORY, Run, exit_status, figure, measure_rounds, print_figures, results_of, save,
                       show_progress, verdict, wrk)
from services import Maas
from yardsticks import Fts5, Numpy

SCOPES, SCOPE_SIZE = 1000, 100
QUERIES = 200
BATCH = 50
EMBEDDED_ADDS = 1000
LAGS = 20
STARTS = 5
YARDSTICK_SECONDS = .4
LIMIT = 10
MANY = 5000  # memories that tell what one takes
SEARCH = "/ltm/memories/search"
MAX_SEARCH_US = {100: 60, 1000: 250, 10_000: 2000, 100_000: 8000}
MAX_P99_MS = {1000: 5}
MAX_IDLE_MB, MAX_IDLE_WITH_MODEL_MB = 30, 160
MAX_KIB_PER_MEMORY = 3.5
MAX_ADD_MS = 12
MIN_ADDS_PER_SECOND = 200
MIN_RECALL = 98  # per cent
# All that is searched stays loaded; a first search of a large scope takes its time.
SETTINGS = {"LTM_CACHE_MB": 4096, "MAAS_REQUEST_TIMEOUT_MS": 600_000}


class Client:
    """One connection that stays open."""

    def __init__(self, server: Maas):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, method: str, path: str, body: bytes | str | None = None) -> dict:
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{self.server.name} answered {method} {path} with {reply.status}: "
                               f"{text[:300]!r}")
        return json.loads(text)

    def search(self, user: str, query: str) -> list[dict]:
        return self.send("POST", SEARCH, search_body(user, query))["results"]


def search_body(user: str, query: str) -> str:
    return json.dumps({"user_id": user, "query": query, "limit": LIMIT})


def batches(memories: Memories) -> list[bytes]:
    items = [{"messages": text, "user_id": memories.user, "timestamp": time}
             for text, time in zip(memories.texts, memories.times)]
    return [json.dumps({"items": items[begin:begin + BATCH]}).encode()
            for begin in range(0, len(items), BATCH)]


def add_all(server: Maas, bodies: list[bytes], connections: int = 4) -> tuple[float, float]:
    """The seconds that pass, and those that the service's process uses."""
    def send(own: list[bytes]):
        with Client(server) as client:
            for body in own:
                reply = client.send("POST", "/ltm/memories/batch/add", body)
                if reply["failed"]:
                    raise RuntimeError(f"{server.name} did not add: {reply['results'][:1]}")
    began, used = time.monotonic(), server.cpu_seconds()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(send, bodies[number::connections]) for number in range(connections)]:
            done.result()
    return time.monotonic() - began, server.cpu_seconds() - used


def first_search(server: Maas, user: str, query: str) -> float:
    """Milliseconds."""
    with Client(server) as client:
        client.send("GET", "/health")  # connects
        began = time.perf_counter()
        client.search(user, query)
        return 1000 * (time.perf_counter() - began)


def find_added(server: Maas, user: str) -> tuple[int, float]:
    """Adds memories and looks for each until it is found: the most searches that took, and the median of the
    milliseconds from the reply that it is stored to the one that has it."""
    searches, times = [], []
    with Client(server) as client:
        for number in range(LAGS):
            text = f"Note {number} is about the zeppelin{number} over the harbour."
            query = f"zeppelin{number} of {user}"  # not known: it is embedded too
            added = client.send("POST", "/ltm/memories", json.dumps({"messages": text, "user_id": user}))
            began, count, found = time.perf_counter(), 0, False
            while not found and count < 1000:
                count += 1
                found = added["id"] in [memory["id"] for memory in client.search(user, query)]
            if not found:
                raise RuntimeError(f"{server.name} does not find what was added")
            searches.append(count)
            times.append(1000 * (time.perf_counter() - began))
            client.send("DELETE", f"/ltm/memories/{added['id']}")
    return max(searches), statistics.median(times)


def wait_until_quiet(server: Maas):
    """Until the server does nothing any more, which it does after an index is built."""
    quiet = 0
    while quiet < 3:
        before = server.cpu_seconds()
        time.sleep(.5)
        quiet = quiet + 1 if server.cpu_seconds() - before < .02 else 0


class Scopes:
    """The memories and queries of every scope that is searched, by the name of its case."""

    def __init__(self, corpus: Corpus, sizes: list[int], directory: pathlib.Path):
        self.corpus = corpus
        self.cases: dict[str, list[Memories]] = {
            f"{SCOPES} x {SCOPE_SIZE}": [corpus.memories(f"many-{number}", SCOPE_SIZE, number)
                                         for number in range(SCOPES)]}
        for size in sizes:
            self.cases[str(size)] = [corpus.memories(f"one-{size}", size, SCOPES + size)]
        self.queries: dict[str, list[tuple[str, str]]] = {}  # user and query
        self.files: dict[str, pathlib.Path] = {}
        for case, all_memories in self.cases.items():
            each = max(1, QUERIES // len(all_memories))
            self.queries[case] = [(memories.user, query) for number, memories in enumerate(all_memories)
                                  for query in corpus.queries(memories, each, number)]
            self.files[case] = directory / f"{case}.jsonl"
            lines = [search_body(user, query) + "\n" for user, query in self.queries[case]]
            self.files[case].write_text("".join(lines))

    def size(self, case: str) -> int:
        """Of one scope."""
        return len(self.cases[case][0].texts)

    def count(self, case: str) -> int:
        return sum(len(memories.texts) for memories in self.cases[case])

    def vectors(self, memories: Memories) -> numpy.ndarray:
        return self.corpus.vectors(memories, len(memories.texts))

    def all_memories(self) -> list[Memories]:
        return [memories for case in self.cases.values() for memories in case]


def measure_model(options, directory: pathlib.Path, corpus: Corpus) -> tuple[list[dict], str]:
    """What embedding costs. Gives the corpus the words' vectors; the name of their model."""
    server = Maas(options.binary, directory / "model", MAAS_LOCAL_MODEL=options.model, **SETTINGS)
    starts = [1000 * server.seconds_to_start() for _ in range(STARTS)]
    figures = [figure(f"start to first 200 with the model, median of {STARTS}", statistics.median(starts),
                      "ms")]
    with server:
        time.sleep(1)  # idle is what follows the start
        figures.append(figure("idle memory with the model", server.rss_mb(), "MB", MAX_IDLE_WITH_MODEL_MB))
        show_progress("embedding words")
        words = Memories("words", corpus.common, [0] * len(corpus.common), numpy.empty(0))
        add_all(server, batches(words))
        rates, costs = [], []
        for number in range(options.rounds):
            show_progress(f"embedding memories, round {number + 1}")
            seconds, used = add_all(server, batches(corpus.memories(f"adds-{number}", EMBEDDED_ADDS, number)))
            rates.append(EMBEDDED_ADDS / seconds)
            costs.append(1000 * used / EMBEDDED_ADDS)
        figures += [figure("adds with the model, in batches of 50", statistics.median(rates), "/s",
                           least=MIN_ADDS_PER_SECOND),
                    figure("CPU per add with the model", statistics.median(costs), "ms", MAX_ADD_MS),
                    figure("memory with the model after the adds", server.rss_mb(), "MB")]
    database = sqlite3.connect(directory / "model/data/maas.db")
    with contextlib.closing(database):
        rows = database.execute(
            "SELECT text, vector, model FROM ltm_memories WHERE user_id = 'words'").fetchall()
    corpus.set_word_vectors({text: numpy.frombuffer(vector, "<f4") for text, vector, _ in rows})
    return figures, rows[0][2]


def measure_words_alone(options, store: pathlib.Path, scopes: Scopes) -> tuple[list[dict], list[dict]]:
    """Fills the store, and searches it without vectors."""
    server = Maas(options.binary, store, **SETTINGS)
    with server:
        time.sleep(1)
        figures = [figure("idle memory without the model", server.rss_mb(), "MB", MAX_IDLE_MB)]
        bodies = [body for memories in scopes.all_memories() for body in batches(memories)]
        show_progress("adding by words alone")
        seconds, used = add_all(server, bodies)
        count = sum(len(memories.texts) for memories in scopes.all_memories())
        figures += [figure("adds by words alone, in batches of 50", count / seconds, "/s"),
                    figure("CPU per add by words alone", 1000 * used / count, "ms")]
        found = {("words alone", "health"): run_of(server, ["health"], options)}
        for case, file in scopes.files.items():
            load_and_check(server, scopes.queries[case], case)
            found["words alone", case] = run_of(server, ["post", SEARCH, file], options)
        rows = measure_rounds(found, 1)  # nothing depends on these, and the whole takes minutes
    return rows, figures


def run_of(server: Maas, arguments: list, options):
    return lambda _: wrk(server, arguments, options.seconds, options.connections)


def load_and_check(server: Maas, queries: list[tuple[str, str]], case: str):
    """Loads the scopes of a case; every query finds something."""
    show_progress(f"loading {case}")
    with Client(server) as client:
        for user, query in queries:
            if not client.search(user, query):
                raise RuntimeError(f"{server.name} finds nothing for {query!r} in {user}")


def write_vectors(store: pathlib.Path, scopes: Scopes, model: str):
    show_progress("writing vectors")
    database = sqlite3.connect(store / "data/maas.db", isolation_level=None)
    with contextlib.closing(database):
        database.execute("PRAGMA synchronous=OFF")
        sequences = {(user, text): sequence for sequence, user, text in
                     database.execute("SELECT sequence, user_id, text FROM ltm_memories")}
        for memories in scopes.all_memories():
            rows = ((model, vector.astype("<f4").tobytes(), sequences[memories.user, text])
                    for text, vector in zip(memories.texts, scopes.vectors(memories)))
            database.execute("BEGIN")
            database.executemany("UPDATE ltm_memories SET model = ?, vector = ? WHERE sequence = ?", rows)
            database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def load_cold(server: Maas, scopes: Scopes) -> list[dict]:
    """The first searches of all scopes. Their queries are embedded before, in another scope."""
    queries = [query for case in scopes.queries.values() for _, query in case]
    with Client(server) as client:
        client.send("POST", "/ltm/memories", json.dumps({"messages": "A lonely memory.", "user_id": "alone"}))
        show_progress("embedding queries")
        before = server.cpu_seconds()
        for query in queries:
            client.search("alone", query)
        used = server.cpu_seconds() - before
    figures = [figure("CPU to embed a query, and search one memory", 1000 * used / len(queries), "ms")]
    for case, queries in scopes.queries.items():
        show_progress(f"loading {case}")
        before = server.own_memory_mb()
        first = dict(reversed(queries))  # of each user one query
        times = [first_search(server, user, query) for user, query in first.items()]
        began = time.monotonic()
        wait_until_quiet(server)
        rest = time.monotonic() - began
        kib = 1024 * (server.own_memory_mb() - before) / scopes.count(case)
        figures.append(figure(f"first search of a scope that is not loaded, {case}", statistics.median(times),
                              "ms"))
        if rest > 3:
            figures.append(figure(f"index of {case} ready after another", rest - 1.5, "s"))
        # Few memories can't be told from what the process keeps for later.
        if scopes.count(case) >= MANY:
            most = MAX_KIB_PER_MEMORY if scopes.size(case) >= MANY else None
            figures.append(figure(f"memory per memory, {case}", kib, "KiB", most))
        load_and_check(server, queries, case)
    return figures


def found_ids(server: Maas, queries: list[tuple[str, str]]) -> list[set[str]]:
    with Client(server) as client:
        return [{memory["id"] for memory in client.search(user, query)} for user, query in queries]


def yardsticks(scopes: Scopes) -> dict:
    found = {}
    frequent = set(scopes.corpus.common[:100])
    for case, all_memories in scopes.cases.items():
        memories = all_memories[0]
        queries = [query for user, query in scopes.queries[case] if user == memories.user]
        exact, by_words = Numpy(scopes.vectors(memories)), Fts5(memories.texts, queries, frequent)
        name = str(len(memories.texts))
        found["numpy cosine", name] = lambda _, yardstick=exact: yardstick.run(YARDSTICK_SECONDS)
        found["SQLite FTS5", name] = lambda _, yardstick=by_words: yardstick.run(YARDSTICK_SECONDS)
    return found


def measure_searches(options, store: pathlib.Path, scopes: Scopes) -> tuple[list[dict], list[dict]]:
    settings = {"MAAS_LOCAL_MODEL": options.model, **SETTINGS}
    largest = list(scopes.cases)[-1]
    with Maas(options.binary, store, **settings) as server:
        figures = load_cold(server, scopes)
        found = {("maas", "health"): run_of(server, ["health"], options)}
        for case, file in scopes.files.items():
            found["maas", case] = run_of(server, ["post", SEARCH, file], options)
        show_progress("preparing yardsticks")
        found |= yardsticks(scopes)
        rows = measure_rounds(found, options.rounds)
        indexed = found_ids(server, scopes.queries[largest])
        for case in list(scopes.cases)[1:]:
            show_progress(f"finding what was added to {case}")
            searches, milliseconds = find_added(server, f"one-{case}")
            figures += [figure(f"searches until an added memory is found, {case}", searches, "", 1),
                        figure(f"time until it is found, query embedded, {case}", milliseconds, "ms")]
    with Maas(options.binary, store, LTM_HNSW_THRESHOLD=10**9, **settings) as server:
        load_and_check(server, scopes.queries[largest], largest)
        exact = found_ids(server, scopes.queries[largest])
        rows += measure_rounds({("maas, no index", largest):
                                run_of(server, ["post", SEARCH, scopes.files[largest]], options)}, 1)
    hits = sum(len(some & all_) for some, all_ in zip(indexed, exact))
    figures.append(figure(f"recall@{LIMIT} of {largest} against an exact search",
                          100 * hits / sum(map(len, exact)), "%", least=MIN_RECALL))
    return rows, figures


def judge(rows: list[dict], scopes: Scopes):
    """Adds each row's ratio to /health of the same server's, its limits and whether they are kept."""
    health_us = next(row["cpu_us"] for row in rows if (row["service"], row["case"]) == ("maas", "health"))
    for row in rows:
        row["cpu_ratio_to_health"] = row["cpu_us"] / health_us if health_us else 0
        if row["service"] != "maas" or row["case"] == "health":
            continue
        size = scopes.size(row["case"])
        if size in MAX_SEARCH_US:
            row["limit"] = f"<= {MAX_SEARCH_US[size]} us"
            row["within_limit"] = row["cpu_us"] <= MAX_SEARCH_US[size]
        if size in MAX_P99_MS:
            row["limit"] += f", p99 < {MAX_P99_MS[size]} ms"
            row["within_limit"] = row["within_limit"] and row["p99_ms"] < MAX_P99_MS[size]


def print_results(rows: list[dict], figures: list[dict], options):
    print(f"Searches with a limit of {LIMIT}, query vectors cached; wrk -t1 -c{options.connections} "
          f"-d{options.seconds}s, median of {options.rounds} rounds,\ninterleaved, on {os.cpu_count()} CPUs. "
          "CPU: user and system time of the service's process, or of the yardstick,\n"
          "which is called without HTTP. Words alone and no index: one round."
          f"\n\n{'':16} {'memories':>12} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>9} "
          f"{'x health':>8} {'non-2xx':>8}  limit")
    for row in rows:
        print(f"{row['service']:16} {row['case']:>12} {row['requests_per_second']:8.0f} {row['p50_ms']:8.3f} "
              f"{row['p99_ms']:8.3f} {row['cpu_us']:9.1f} {row['cpu_ratio_to_health']:8.2f} "
              f"{row['failed']:8}  {row['limit']:22} {verdict(row)}".rstrip())
    print_figures(figures)


def measure(options, directory: pathlib.Path) -> tuple[list[dict], list[dict]]:
    corpus = Corpus(options.model / "tokenizer.json")
    scopes = Scopes(corpus, options.sizes, directory)
    store = directory / "store"
    model_figures, model = measure_model(options, directory, corpus)
    word_rows, word_figures = measure_words_alone(options, store, scopes)
    write_vectors(store, scopes, model)
    rows, figures = measure_searches(options, store, scopes)
    rows += word_rows
    judge(rows, scopes)
    return rows, word_figures + model_figures + figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--model", type=pathlib.Path, help="default: model beside the binary")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000, 100_000],
                        help="memories of the scopes; of the largest last the recall is measured")
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        print("missing: wrk; run scripts/setup bench", file=sys.stderr)
        return 2
    options.binary = options.binary.resolve()
    options.model = (options.model or options.binary.parent / "model").resolve()
    if not options.binary.exists() or not (options.model / "tokenizer.json").exists():
        print(f"there is no {options.binary}, or no model in {options.model}; make bench makes both",
              file=sys.stderr)
        return 2
    (REPOSITORY / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build") as name:
        try:
            rows, figures = measure(options, pathlib.Path(name))
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    print_results(rows, figures, options)
    used = {name: getattr(options, name) for name in ("sizes", "seconds", "connections", "rounds")}
    save({"long_term_memory": results_of(used, rows, figures)})
    return exit_status(rows, figures)


if __name__ == "__main__":
    sys.exit(main())
