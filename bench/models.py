"""Measures what MaaS adds to the models that it asks: memories that an LLM extracts, from a stub of a provider that
answers at once or after 50 ms.

    make bench        or        python3 bench/models.py [--binary FILE]

Needs numpy. The stub is that of the tests; its own time counts in what a client waits for. Prints a table with limits, and adds itself to bench/results.json.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

from measuring import REPOSITORY, exit_status, figure, print_figures, results_of, save, show_progress, wrk
from services import Maas

sys.path.insert(0, str(REPOSITORY / "tests"))

from support.provider import Provider  # noqa: E402

BODIES = 30_000
DIMS = 384
LATENCY = .05
CALLS = 3  # two of chat, one for embeddings
MAX_CPU_US = 600
ADD = "/ltm/memories"


def write_bodies(file: pathlib.Path, first: int):
    """Every text is a new one, of a user of its own."""
    lines = [json.dumps({"user_id": f"user-{number}", "messages": f"I keep {number} bees in the garden of my aunt."})
             for number in range(first, first + BODIES)]
    file.write_text("\n".join(lines) + "\n")


def measure(options, directory: pathlib.Path) -> tuple[list[dict], list[dict]]:
    rows, figures = [], []
    with Provider(dims=DIMS) as provider:
        base = f"{provider.url}/v1"
        server = Maas(options.binary, directory / "store", MAAS_LOCAL_MODEL="none", LLM_PROVIDER="ollama",
                      LLM_BASE_URL=base, LLM_MAX_CONCURRENCY=256, EMBEDDING_PROVIDER="openai", EMBEDDING_BASE_URL=base,
                      EMBEDDING_DIMS=DIMS, MAAS_LOG_LEVEL="error")
        runs = {"none": [], "50 ms": []}
        with server:
            for number in range(options.rounds):
                for latency, connections in ((0, 8), (LATENCY, 64)):
                    name = "50 ms" if latency else "none"
                    show_progress(f"round {number + 1} of {options.rounds}: a provider's latency of {name}")
                    bodies = directory / "bodies.jsonl"
                    write_bodies(bodies, BODIES * (2 * number + bool(latency)))
                    provider.latency = latency
                    provider.take()
                    runs[name].append(wrk(server, ["post", ADD, bodies], options.seconds, connections))
    for name, cases in runs.items():
        rows.append({"service": "maas", "case": f"infer, latency {name}", "limit": "", "within_limit": True,
                     "runs": cases, **{key: statistics.median(run[key] for run in cases) for key in
                                       ("requests_per_second", "p50_ms", "p99_ms", "cpu_us")},
                     **{key: sum(run[key] for run in cases) for key in ("failed", "socket_errors")}})
    figures.append(figure("CPU per add, two chats and one embedding at once", rows[0]["cpu_us"], "us", MAX_CPU_US))
    figures.append(figure("p50 of an add, provider of 50 ms, 64 at once", rows[1]["p50_ms"], "ms"))
    figures.append(figure("of it beyond three calls of 50 ms, the stub's own time included",
                          rows[1]["p50_ms"] - 1000 * CALLS * LATENCY, "ms"))
    return rows, figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.binary = options.binary.resolve()
    (REPOSITORY / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build") as name:
        rows, figures = measure(options, pathlib.Path(name))
    for row in rows:
        print(f"{row['case']:24} {row['requests_per_second']:8.0f}/s  p50 {row['p50_ms']:8.2f} ms  "
              f"p99 {row['p99_ms']:8.2f} ms  CPU {row['cpu_us']:7.1f} us  failed {row['failed']}")
    print_figures(figures)
    used = {name: getattr(options, name) for name in ("seconds", "rounds")}
    save({"models": results_of(used, rows, figures)})
    return exit_status(rows, figures)


if __name__ == "__main__":
    sys.exit(main())
