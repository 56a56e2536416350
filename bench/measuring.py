"""What the benchmarks have in common: runs of wrk in interleaved rounds, figures with limits, the file of
results."""

import json
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Callable

from machine import machine
from services import Service

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent
RESULTS = HERE / "results.json"

Run = dict  # the figures of one measurement


def wrk(service: Service, arguments: list, seconds: int, connections: int) -> Run:
    """`arguments` are those of requests.lua."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "requests.lua", service.url,
               "--", *map(str, arguments)]
    before = service.cpu_seconds()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = service.cpu_seconds() - before
    run = json.loads(output.strip().splitlines()[-1])
    return {"requests": run["requests"], "requests_per_second": run["requests"] / run["seconds"],
            "p50_ms": run["p50_ms"], "p99_ms": run["p99_ms"], "p999_ms": run["p999_ms"],
            "cpu_us": 1e6 * used / max(1, run["requests"]),
            "failed": run["failed"], "socket_errors": run["socket_errors"]}


def show_progress(text: str):
    if sys.stderr.isatty():
        print(f"\r{text:70}\r", end="", file=sys.stderr, flush=True)


def measure_rounds(found: dict[tuple[str, str], Callable[[int], Run]], rounds: int) -> list[dict]:
    """The median of each figure; the rounds interleave, so that a disturbance hits all alike."""
    runs = {name: [] for name in found}
    for number in range(rounds):
        for name, run in found.items():
            show_progress(f"round {number + 1} of {rounds}: {' '.join(name)}")
            runs[name].append(run(number))
    show_progress("")
    rows = []
    for (service, case), results in runs.items():
        row = {figure: statistics.median(result[figure] for result in results)
               for figure in ("requests_per_second", "p50_ms", "p99_ms", "cpu_us")}
        lost = {figure: sum(result[figure] for result in results) for figure in ("failed", "socket_errors")}
        rows.append({"service": service, "case": case, **row, **lost, "limit": "", "within_limit": True,
                     "runs": results})
    return rows


def figure(name: str, value: float, unit: str, most: float | None = None, least: float | None = None) -> dict:
    limit = f"<= {most} {unit}" if most is not None else f">= {least} {unit}" if least is not None else ""
    limit = limit.strip()
    within = (most is None or value <= most) and (least is None or value >= least)
    return {"name": name, "value": value, "unit": unit, "limit": limit, "within_limit": within}


def verdict(row: dict) -> str:
    return row["limit"] and ("ok" if row["within_limit"] else "OVER")


def print_figures(figures: list[dict]):
    print()
    for row in figures:
        print(f"{row['name']:58} {row['value']:9.2f} {row['unit']:6} {row['limit']:13} "
              f"{verdict(row)}".rstrip())


def results_of(options: dict, rows: list[dict], figures: list[dict]) -> dict:
    return {"machine": machine(), "options": options, "load": rows, "figures": figures}


def save(results: dict):
    """Replaces these parts of the file of results; those of the other benchmarks stay."""
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(before | results, indent=1) + "\n")


def exit_status(rows: list[dict], figures: list[dict]) -> int:
    if over := sum(not row["within_limit"] for row in rows + figures):
        print(f"\n{over} of the figures over their limit")
    if any(row["failed"] or row["socket_errors"] for row in rows):
        print("\nrequests failed, so the figures mean nothing", file=sys.stderr)
        return 1
    return 0
