"""Measures what tracing costs, and what collectors that fail do to requests, beside the same server without it.

    make bench        or        python3 bench/tracing.py [--binary FILE] [--seconds N] [--rounds N]

Appends on Redis; every request is sampled. Takes some two minutes, prints tables and adds to
bench/results.json. Ends with 1 if a request failed; a figure beyond its limit is marked.
"""

import argparse
import contextlib
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from collectors import Collectors
from measuring import (REPOSITORY, exit_status, figure, measure_rounds, print_figures, results_of, save,
                       show_progress, verdict, wrk)
from services import Maas, Redis, free_port

SESSIONS = 1000
COST_CONNECTIONS, LATENCY_CONNECTIONS = 32, 4
STOP_TIMEOUT_MS = 2000
STOP_SLACK_MS = 300  # for the rest of a stop
MAX_COST_RATIO = 1.35
MAX_SLOWER, MAX_SLOWER_MS = 1.05, 1.0  # at p99: the larger counts
MAX_GROWTH_MB = 16  # beyond that of the server without traces
NO_COLLECTOR = "unreachable"
FAILING = (NO_COLLECTOR, "silent", "slow", "500", "429", "garbage")


class Traced(Maas):
    """Tells in the end how many spans it lost, and how long it took to stop."""

    def __init__(self, binary: pathlib.Path, directory: pathlib.Path, redis: Redis, **settings):
        super().__init__(binary, directory, redis, MAAS_TRACE_STOP_TIMEOUT_MS=STOP_TIMEOUT_MS, **settings)
        self.requests = 0

    def load(self, prefix: str, seconds: int, connections: int) -> dict:
        run = wrk(self, ["append", prefix, SESSIONS], seconds, connections)
        self.requests += run["requests"]
        return run

    def stop_ms(self) -> float:
        began = time.monotonic()
        self.stop()
        return 1000 * (time.monotonic() - began)

    def dropped(self) -> int:
        """As its log says at its end."""
        log = (self.directory / f"{self.name}.log").read_text(errors="replace")
        found = re.search(r'"spans were lost".*"dropped":(\d+)', log)
        return int(found[1]) if found else 0


def runs(servers: dict[str, Traced], case: str, seconds: int, connections: int) -> dict:
    return {(name, case): lambda number, server=server: server.load(f"{case}{number}-", seconds, connections)
            for name, server in servers.items()}


def ratios(rows: list[dict], name: str, base: str, value: str) -> list[float]:
    """One of each round, so that what disturbs a round disturbs both sides of it."""
    by_name = {row["service"]: [run[value] for run in row["runs"]] for row in rows}
    return [mine / theirs for mine, theirs in zip(by_name[name], by_name[base])]


def measure_cost(start, collector: str, options) -> tuple[list[dict], list[dict]]:
    with contextlib.ExitStack() as stack:
        settings = {"off": {}, "disabled": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_SDK_DISABLED": "true"},
                    "on": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_TRACES_SAMPLER": "always_on",
                           **options.sent_as}}
        servers = {name: stack.enter_context(start(name, each)) for name, each in settings.items()}
        rows = measure_rounds(runs(servers, "cost", options.seconds, COST_CONNECTIONS), options.rounds)
        servers["on"].stop()
        lost = servers["on"].dropped() / max(1, servers["on"].requests)
    figures = [figure("CPU per append: all sampled, of that without traces",
                      statistics.median(ratios(rows, "on", "off", "cpu_us")), "x", MAX_COST_RATIO),
               figure("CPU per append: disabled, of that without traces (the noise)",
                      statistics.median(ratios(rows, "disabled", "off", "cpu_us")), "x"),
               figure("spans lost while all are sampled, under full load", 100 * lost, "%")]
    return rows, figures


def measure_failures(start, collectors: Collectors, options) -> tuple[list[dict], list[dict]]:
    def settings(kind: str) -> dict:
        url = f"http://127.0.0.1:{free_port()}" if kind == NO_COLLECTOR else collectors.url(kind)
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": 200}
    figures = []
    with contextlib.ExitStack() as stack:
        servers = {"off": stack.enter_context(start("off-2", {}))}
        servers |= {kind: stack.enter_context(start(kind, settings(kind))) for kind in FAILING}
        for server in servers.values():
            server.load("warm", 1, LATENCY_CONNECTIONS)  # what grows once has grown
        before = {name: server.rss_mb() for name, server in servers.items()}
        rows = measure_rounds(runs(servers, "failing", options.seconds, LATENCY_CONNECTIONS), options.rounds)
        growth = {name: server.rss_mb() - before[name] for name, server in servers.items()}
        for name, server in servers.items():
            show_progress(f"stopping: {name}")
            server.load("last", 1, LATENCY_CONNECTIONS)  # so that spans wait when it stops
            figures.append(figure(f"{name}: memory after the load", server.rss_mb(), "MB"))
            if name == "off":
                continue
            figures.append(figure(f"{name}: growth beyond that without traces", growth[name] - growth["off"],
                                  "MB", MAX_GROWTH_MB))
            figures.append(figure(f"{name}: time to stop", server.stop_ms(), "ms", STOP_TIMEOUT_MS + STOP_SLACK_MS))
            figures.append(figure(f"{name}: spans counted as lost, of the requests",
                                  100 * server.dropped() / server.requests, "%"))
    show_progress("")
    base = rows[0]["p99_ms"]
    for row in rows[1:]:
        most = max(base * MAX_SLOWER, base + MAX_SLOWER_MS)
        row |= {"limit": f"p99 <= {most:.2f} ms", "within_limit": row["p99_ms"] <= most}
    return rows, figures


def print_rows(title: str, rows: list[dict]):
    print(f"\n{title}\n{'':12} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'non-2xx':>8}  limit")
    for row in rows:
        print(f"{row['service']:12} {row['requests_per_second']:8.0f} {row['p50_ms']:8.3f} {row['p99_ms']:8.3f} "
              f"{row['cpu_us']:8.1f} {row['failed']:8}  {row['limit']:14} {verdict(row)}".rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sent-as", type=json.loads, default={}, help='settings of traces, as {"OTEL_…": "…"}')
    parser.add_argument("--cost-only", action="store_true", help="no collectors that fail, no file of results")
    options = parser.parse_args()
    if missing := [tool for tool in ("wrk", "redis-server") if not shutil.which(tool)]:
        print(f"missing: {', '.join(missing)}; run scripts/setup bench", file=sys.stderr)
        return 2
    options.binary = options.binary.resolve()
    if not options.binary.exists():
        print(f"there is no {options.binary}; run make bench, which builds it first", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build")))
        try:
            redis = stack.enter_context(Redis(directory / "redis"))
            collectors = stack.enter_context(Collectors())
            def start(name: str, settings: dict) -> Traced:
                return Traced(options.binary, directory / name, redis, **settings)
            costs, figures = measure_cost(start, collectors.url("quick"), options)
            failures, more = ([], []) if options.cost_only else measure_failures(start, collectors, options)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    print(f"Appends on Redis, wrk -t1 -d{options.seconds}s, median of {options.rounds} rounds, interleaved.")
    print_rows(f"The cost, {COST_CONNECTIONS} connections; on: every request is sampled, and sent", costs)
    if failures:
        print_rows(f"Collectors that fail, {LATENCY_CONNECTIONS} connections", failures)
    figures += more
    print_figures(figures)
    if not options.cost_only:
        used = {name: getattr(options, name) for name in ("seconds", "rounds")}
        save({"tracing": results_of(used, costs + failures, figures)})
    return exit_status(costs + failures, figures)


if __name__ == "__main__":
    sys.exit(main())
