"""Measures the service under load beside nginx and redis-benchmark in the same run.

    make bench        or        python3 bench/load.py [--binary FILE] [--seconds N] [--connections N]

Prints a table with the limits that hold on two cores of a current server, and writes
bench/results.json. Ends with 1 if a request failed; a figure beyond its limit is marked.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import (REPOSITORY, exit_status, figure, measure_rounds, print_figures, results_of, save,
                       verdict, wrk)
from services import Maas, Nginx, Redis, Service

APPEND_SESSIONS = 1000
READ_SESSIONS, READ_MESSAGES = 100, 50
MAX_HEALTH_RATIO = 1.5  # of nginx's CPU time per request
MAX_APPEND_US = {"sqlite": 60, "redis": 30}
MAX_READ_US = 120
MAX_START_MS = 50
MAX_IDLE_MB = 30
MAX_BINARY_MB = 15


def redis_benchmark(redis: Redis, seconds: int, connections: int) -> dict:
    """A fixed number of commands: it can't be told a time."""
    requests = 50_000 * seconds
    before = redis.cpu_seconds()
    output = subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(redis.port), "-t", "set", "-c", str(connections),
         "-n", str(requests), "-d", "120", "--csv"],
        capture_output=True, text=True, check=True).stdout
    used = redis.cpu_seconds() - before
    names, values = (line.replace('"', "").split(",") for line in output.strip().splitlines()[-2:])
    run = dict(zip(names, values))
    return {"requests_per_second": float(run["rps"]), "p50_ms": float(run["p50_latency_ms"]),
            "p99_ms": float(run["p99_latency_ms"]), "cpu_us": 1e6 * used / requests,
            "failed": 0, "socket_errors": 0}


def measurements(nginx: Nginx, redis: Redis, servers: list[Maas], options) -> dict:
    """What to run in each round: name -> a function of the round's number."""
    def run(service: Service, case: str, prefix: str = "read", sessions: int = READ_SESSIONS):
        return lambda number: wrk(service, [case, prefix.format(number), sessions], options.seconds,
                                  options.connections)
    found = {("nginx", "health"): run(nginx, "health"),
             ("redis-benchmark", "set"):
                 lambda _: redis_benchmark(redis, options.seconds, options.connections)}
    for server in servers:
        found[server.engine, "health"] = run(server, "health")
        found[server.engine, "append"] = run(server, "append", "round{}-", APPEND_SESSIONS)
        found[server.engine, "messages"] = run(server, "messages")
        found[server.engine, "context"] = run(server, "context")
    return found


def judge(rows: list[dict]):
    """Adds each row's ratio to nginx, its limit and whether it is kept."""
    nginx_us = next(row["cpu_us"] for row in rows if row["service"] == "nginx")
    for row in rows:
        row["cpu_ratio_to_nginx"] = row["cpu_us"] / nginx_us if nginx_us else 0
        if row["service"] not in MAX_APPEND_US:
            continue
        if row["case"] == "health":
            row["limit"] = f"<= {MAX_HEALTH_RATIO} x nginx"
            row["within_limit"] = row["cpu_ratio_to_nginx"] <= MAX_HEALTH_RATIO
        else:
            most = MAX_APPEND_US[row["service"]] if row["case"] == "append" else MAX_READ_US
            row["limit"] = f"<= {most} us"
            row["within_limit"] = row["cpu_us"] <= most


def start_figures(binary: pathlib.Path, directory: pathlib.Path, redis: Redis, starts: int) -> list[dict]:
    figures = []
    for engine in ("sqlite", "redis"):
        server = Maas(binary, directory / f"start-{engine}", redis if engine == "redis" else None)
        server.seconds_to_start()  # makes the database
        times = [1000 * server.seconds_to_start() for _ in range(starts)]
        figures.append(figure(f"start to first 200 on {engine}, median of {starts}",
                              statistics.median(times), "ms", MAX_START_MS))
    return figures


def stripped_size_mb(binary: pathlib.Path, directory: pathlib.Path) -> float:
    stripped = directory / "stripped"
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    return stripped.stat().st_size / 1e6


def print_results(rows: list[dict], figures: list[dict], options):
    print(f"wrk -t1 -c{options.connections} -d{options.seconds}s, median of {options.rounds} rounds, "
          f"interleaved, on {os.cpu_count()} CPUs.\nThe service: 2 event loops, no access log, SQLite "
          "synchronous=FULL in build/.\nRedis without persistence. CPU: user and system "
          "time of the service's process alone (nginx: of its\nworkers; redis-benchmark: of redis-server)."
          f"\n\n{'':16} {'':9} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'x nginx':>8} "
          f"{'non-2xx':>8}  limit")
    for row in rows:
        print(f"{row['service']:16} {row['case']:9} {row['requests_per_second']:8.0f} {row['p50_ms']:8.3f} "
              f"{row['p99_ms']:8.3f} {row['cpu_us']:8.1f} {row['cpu_ratio_to_nginx']:8.2f} "
              f"{row['failed']:8}  {row['limit']:14} {verdict(row)}".rstrip())
    print_figures(figures)


def measure(options, directory: pathlib.Path) -> tuple[list[dict], list[dict]]:
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(Redis(directory / "redis"))
        figures = start_figures(options.binary, directory, redis, options.starts)
        nginx = stack.enter_context(Nginx(directory / "nginx"))
        servers = [stack.enter_context(Maas(options.binary, directory / "sqlite")),
                   stack.enter_context(Maas(options.binary, directory / "redis-maas", redis))]
        time.sleep(1)  # idle is what follows the start
        figures += [figure(f"idle memory on {server.engine}", server.rss_mb(), "MB", MAX_IDLE_MB)
                    for server in servers]
        for server in servers:
            server.wait_until(server.is_ready)
            server.fill("read", READ_SESSIONS, READ_MESSAGES)
        rows = measure_rounds(measurements(nginx, redis, servers, options), options.rounds)
        figures += [figure(f"memory after the load on {server.engine}", server.rss_mb(), "MB")
                    for server in servers]
        figures.append(figure("binary, stripped", stripped_size_mb(options.binary, directory), "MB",
                              MAX_BINARY_MB))
    judge(rows)
    return rows, figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=20)
    options = parser.parse_args()
    tools = ("wrk", "nginx", "redis-server", "redis-benchmark", "strip")
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        print(f"missing: {', '.join(missing)}; run scripts/setup bench", file=sys.stderr)
        return 2
    options.binary = options.binary.resolve()
    if not options.binary.exists():
        print(f"there is no {options.binary}; run make bench, which builds it first", file=sys.stderr)
        return 2
    (REPOSITORY / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build") as name:
        try:
            rows, figures = measure(options, pathlib.Path(name))
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    print_results(rows, figures, options)
    used = {name: getattr(options, name) for name in ("seconds", "connections", "rounds", "starts")}
    save(results_of(used, rows, figures))
    return exit_status(rows, figures)


if __name__ == "__main__":
    sys.exit(main())
