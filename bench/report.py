"""Writes docs/benchmarks.md and its plots from bench/results.json.

    python3 bench/report.py        of .deps/bench-venv

A part whose benchmark has no results says so. The soak writes its own part.
"""

import json
import statistics

from growth_report import growth, saturation
from machine import described
from measuring import RESULTS
from pages import command, figures_table, renew, rounded, table

NOT_MEASURED = "Not measured yet."
FIGURES = "requests_per_second", "p50_ms", "p99_ms"


def spread(row: dict, name: str) -> str:
    """The median, and the least and the most of the rounds."""
    runs = [run[name] for run in row["runs"]]
    median = rounded(row[name])
    return median if len(runs) < 2 else f"{median} ({rounded(min(runs))}–{rounded(max(runs))})"


def rows_table(rows: list[dict]) -> str:
    shown = [[row["service"], row["case"], *(spread(row, name) for name in FIGURES), spread(row, "cpu_us"),
              row["failed"] + row["socket_errors"], row["limit"].replace("<=", "≤"),
              row["limit"] and ("kept" if row["within_limit"] else "**not kept**")] for row in rows]
    return table(["", "", "a second", "p50 ms", "p99 ms", "CPU µs", "failed", "limit", ""], shown, left=2)


def measured(found: dict) -> str:
    """A benchmark of rows and figures."""
    return f"{rows_table(found['load'])}\n{figures_table(found['figures'])}"


def embeddings(found: dict) -> str:
    rows = [[row["case"], row["service"], f"{rounded(row['texts_per_second'])} "
             f"({rounded(min(row['runs']))}–{rounded(max(row['runs']))})"] for row in found["load"]]
    return f"{table(['', '', 'texts a second'], rows, left=2)}\n{figures_table(found['figures'])}"


def parts(found: dict) -> str:
    rows = [[row["name"], f"{rounded(statistics.median(row['runs']))} ({rounded(min(row['runs']))}–"
             f"{rounded(max(row['runs']))})",
             f"{rounded(row['bytes_per_second'] / 1e6)} MB/s" if row["bytes_per_second"] else ""]
            for row in found["rows"]]
    return table(["", "CPU µs", ""], rows)


def limits(results: dict) -> str:
    """All that has a limit, at a glance."""
    rows, over = [], 0
    for title, found in benchmarks(results).items():
        for row in found["load"] + found["figures"]:
            if not row.get("limit"):
                continue
            name = row.get("name") or f"{row['service']}, {row['case']}"
            value = (f"{rounded(row['value'])} {row['unit']}".strip() if "value" in row else
                     f"{rounded(row['cpu_us'])} µs CPU, p99 {rounded(row['p99_ms'])} ms")
            over += not row["within_limit"]
            rows.append([title, name, value, row["limit"].replace("<=", "≤").replace(">=", "≥"),
                         "kept" if row["within_limit"] else "**not kept**"])
    told = "All limits are kept." if not over else f"{over} of {len(rows)} limits are not kept."
    return f"{told}\n\n{table(['', '', 'measured', 'limit', ''], rows, left=2)}"


def benchmarks(results: dict) -> dict[str, dict]:
    """Those of rows and figures that have been measured."""
    found = {"requests": results} if "load" in results else {}
    for name in ("long_term_memory", "models", "embeddings", "tracing"):
        if name in results:
            found[name.replace("_", " ")] = results[name]
    return found


def machines(results: dict) -> str:
    """One, unless parts were measured elsewhere."""
    parts = [results] + [part for part in results.values() if isinstance(part, dict)]
    return "\n".join(dict.fromkeys(described(part["machine"]) for part in parts if "machine" in part))


# Of each part of the page its benchmark, where that has its results, and what they become.
PARTS = {
    "load": ("load", None, measured),
    "saturation": ("saturation", "saturation", saturation),
    "ltm": ("ltm", "long_term_memory", measured),
    "models": ("models", "models", measured),
    "embeddings": ("embeddings", "embeddings", embeddings),
    "tracing": ("tracing", "tracing", measured),
    "parts": ("parts", "parts", parts),
}


def write_page():
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    renew("machine", machines(results) or NOT_MEASURED)
    renew("limits", limits(results))
    for block, (program, place, make) in PARTS.items():
        found = results.get(place) if place else results if "load" in results else None
        renew(block, command(program, found["options"]) + make(found) if found else NOT_MEASURED)
    # Searches with vectors belong to the curves, though another benchmark measures them.
    curves = growth(results["growth"], results.get("long_term_memory", {})) if "growth" in results else NOT_MEASURED
    renew("growth", curves)


if __name__ == "__main__":
    write_page()
