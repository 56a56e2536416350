"""Measures latency against load: appends, contexts and searches over ever more connections, from one to more than the
server can use.

    make bench-report        or        .deps/bench-venv/bin/python bench/saturation.py [--seconds N]

wrk sends the next request of a connection when the reply before has come, so that the load is what is answered: the
curve of a case goes from the latency of a server that idles to that of one that is full, whose requests wait for each
other. Adds itself to bench/results.json.
"""

import argparse
import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile

from corpus import Corpus
from load import APPEND_SESSIONS, READ_MESSAGES, READ_SESSIONS
from ltm import SEARCH, add_all, batches, load_and_check, search_body
from machine import machine
from measuring import REPOSITORY, Run, save, show_progress, wrk
from services import Maas, Redis

CONNECTIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
MEMORIES, QUERIES = 1000, 200


def fill_searches(server: Maas, corpus: Corpus, directory: pathlib.Path) -> pathlib.Path:
    memories = corpus.memories("one", MEMORIES, 1)
    queries = [("one", query) for query in corpus.queries(memories, QUERIES, 1)]
    add_all(server, batches(memories))
    load_and_check(server, queries, f"{MEMORIES} memories")
    file = directory / "searches.jsonl"
    file.write_text("".join(search_body(*query) + "\n" for query in queries))
    return file


def point(runs: list[Run]) -> dict:
    figures = ("requests_per_second", "p50_ms", "p99_ms", "p999_ms", "cpu_us")
    return {figure: statistics.median(run[figure] for run in runs) for figure in figures} | {
        "failed": sum(run["failed"] + run["socket_errors"] for run in runs), "runs": runs}


def measure(options, directory: pathlib.Path, corpus: Corpus) -> list[dict]:
    curves = []
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(Redis(directory / "redis"))
        servers = [stack.enter_context(Maas(options.binary, directory / "embedded")),
                   stack.enter_context(Maas(options.binary, directory / "on-redis", redis))]
        cases = []
        for server in servers:
            server.wait_until(server.is_ready)
            server.fill("read", READ_SESSIONS, READ_MESSAGES)
            cases += [(server, "append", ["append", "load-", APPEND_SESSIONS]),
                      (server, "context", ["context", "read", READ_SESSIONS])]
        searches = fill_searches(servers[0], corpus, directory)
        cases.append((servers[0], "search", ["post", SEARCH, searches]))
        for server, case, arguments in cases:
            engine = "redis" if server.redis else "embedded"
            wrk(server, arguments, 1, 8)  # what is slow once has been so
            runs = {connections: [] for connections in CONNECTIONS}
            for number in range(options.rounds):
                for connections, found in runs.items():
                    show_progress(f"{case} on {engine}, {connections} connections, round {number + 1}")
                    found.append(wrk(server, arguments, options.seconds, connections))
            points = [{"connections": connections, **point(found)} for connections, found in runs.items()]
            curves.append({"engine": engine, "case": case, "points": points})
    show_progress("")
    return curves


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--seconds", type=int, default=1, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.binary = options.binary.resolve()
    corpus = Corpus(options.binary.parent / "model/tokenizer.json")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build") as name:
        try:
            curves = measure(options, pathlib.Path(name), corpus)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    for curve in curves:
        for each in curve["points"]:
            print(f"{curve['case']:8} {curve['engine']:9} {each['connections']:4} connections "
                  f"{each['requests_per_second']:9.0f}/s  p50 {each['p50_ms']:8.3f} ms  p99 {each['p99_ms']:8.3f} ms  "
                  f"p99.9 {each['p999_ms']:8.3f} ms  CPU {each['cpu_us']:7.1f} us  failed {each['failed']}")
    save({"saturation": {"machine": machine(), "options": {"seconds": options.seconds, "rounds": options.rounds},
                         "curves": curves}})
    if any(each["failed"] for curve in curves for each in curve["points"]):
        print("requests failed, so the figures mean nothing", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
