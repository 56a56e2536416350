"""Measures what MaaS adds to the models that it asks: memories that an LLM extracts, from a provider that answers
at once or after 50 ms.

    make bench        or        python3 bench/models.py [--binary FILE]

The provider is a program of its own that is quick enough for it (bench/llm/provider_main.cpp); what its calls take by
themselves is measured in the same rounds. Prints a table with limits, and adds itself to bench/results.json.
"""

import argparse
import contextlib
import json
import pathlib
import sys
import tempfile

from measuring import REPOSITORY, exit_status, figure, measure_rounds, print_figures, results_of, save, wrk
from services import Maas, Provider

PROGRAM = REPOSITORY / "build/bench/bench/provider"
BODIES = 30_000
DIMS = 384
LATENCY_MS = 50
MAX_CPU_US = 600
MAX_ADDED_MS = 5
ADD = "/ltm/memories"
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"


def write_bodies(file: pathlib.Path, first: int) -> pathlib.Path:
    """Every text is a new one, of a user of its own."""
    lines = [json.dumps({"user_id": f"user-{number}", "messages": f"I keep {number} bees in the garden of my aunt."})
             for number in range(first, first + BODIES)]
    file.write_text("\n".join(lines) + "\n")
    return file


def write_calls(directory: pathlib.Path) -> dict[str, pathlib.Path]:
    """A call of the provider by itself, of each kind."""
    bodies = {CHAT: {"messages": [{"role": "user", "content": "Conversation:\nuser: I keep bees.\n"}]},
              EMBEDDINGS: {"input": ["I keep bees."]}}
    files = {CHAT: directory / "chat.jsonl", EMBEDDINGS: directory / "embeddings.jsonl"}
    for path, file in files.items():
        file.write_text(json.dumps(bodies[path]) + "\n")
    return files


def service(options, directory: pathlib.Path, provider: Provider) -> Maas:
    base = f"{provider.url}/v1"
    return Maas(options.binary, directory, LLM_PROVIDER="ollama", LLM_BASE_URL=base, EMBEDDING_PROVIDER="openai",
                EMBEDDING_BASE_URL=base, EMBEDDING_DIMS=DIMS, MAAS_LOG_LEVEL="error")


def measure(options, directory: pathlib.Path) -> tuple[list[dict], list[dict]]:
    calls = write_calls(directory)

    def adds(server: Maas, connections: int):
        bodies = directory / f"{server.directory.name}.jsonl"
        return lambda number: wrk(server, ["post", ADD, write_bodies(bodies, BODIES * number)], options.seconds,
                                  connections)

    def call(provider: Provider, path: str):
        return lambda _: wrk(provider, ["post", path, calls[path]], options.seconds, 64)

    with contextlib.ExitStack() as stack:
        quick = stack.enter_context(Provider(PROGRAM, directory / "quick", 0, DIMS))
        slow = stack.enter_context(Provider(PROGRAM, directory / "slow", LATENCY_MS, DIMS))
        beside_quick = stack.enter_context(service(options, directory / "beside-quick", quick))
        beside_slow = stack.enter_context(service(options, directory / "beside-slow", slow))
        rows = measure_rounds({
            ("maas", "adds, 0 ms, 8 at once"): adds(beside_quick, 8),
            ("maas", "adds, 50 ms, 64 at once"): adds(beside_slow, 64),
            ("provider", "chats, 50 ms, 64 at once"): call(slow, CHAT),
            ("provider", "embeddings, 50 ms, 64 at once"): call(slow, EMBEDDINGS),
        }, options.rounds)
    at_once, added, chats, embeddings = rows
    pace = 2 * chats["p50_ms"] + embeddings["p50_ms"]
    return rows, [
        figure("CPU per add, two chats and one embedding at once", at_once["cpu_us"], "us", MAX_CPU_US),
        figure("p50 of an add, provider of 50 ms, 64 at once", added["p50_ms"], "ms"),
        figure("of it beyond two chats and an embedding by themselves", added["p50_ms"] - pace, "ms", MAX_ADDED_MS),
    ]


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
        print(f"{row['service']:9} {row['case']:30} {row['requests_per_second']:8.0f}/s  p50 {row['p50_ms']:8.2f} ms  "
              f"p99 {row['p99_ms']:8.2f} ms  CPU {row['cpu_us']:7.1f} us  failed {row['failed']}")
    print_figures(figures)
    used = {name: getattr(options, name) for name in ("seconds", "rounds")}
    save({"models": results_of(used, rows, figures)})
    return exit_status(rows, figures)


if __name__ == "__main__":
    sys.exit(main())
