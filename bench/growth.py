"""Measures how requests and memory grow with what there is: memories of a scope, scopes, sessions and the length of a
message, each over decades, on the engines that keep them.

    make bench-report        or        .deps/bench-venv/bin/python bench/growth.py [--only CURVE…] [--most N]

A point is the median of some rounds of wrk. CPU is that of the service's process alone. A curve ends before its time
does: what filling the next decade would take is foreseen from the last one. Memories are searched by words alone;
bench/ltm.py searches them with vectors. A SecantusDB stands for MongoDB's protocol, so that of its curves only what
the service itself uses means something. Adds itself to bench/results.json; a curve that fails is told at the end, and
leaves the others as they are.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from corpus import Corpus
from growth_curves import Bench, memories_of_a_scope, message_length, scopes, sessions
from machine import machine
from measuring import REPOSITORY, RESULTS, save, show_progress
from services import Mongo, Redis

MONGO_PROGRAM = REPOSITORY / ".deps/venv/bin/secantusd-py"
# Name: the curve, engines, first and last decade.
CURVES = {
    "memories": (memories_of_a_scope, {"embedded": 6, "mongodb": 4}, 2),
    "scopes": (scopes, {"embedded": 5, "mongodb": 2}, 0),
    "sessions": (sessions, {"embedded": 6, "redis": 6}, 0),
    "length": (message_length, {"embedded": 6, "redis": 6}, 2),
}


def measure_curve(options, name: str, engine: str, stack: contextlib.ExitStack, directory: pathlib.Path,
                  corpus: Corpus) -> list[dict]:
    """A curve of each of its cases."""
    measure, engines, first = CURVES[name]
    sizes = [size for size in (10**decade for decade in range(first, engines[engine] + 1)) if size <= options.most]
    backend, settings = None, {}
    if engine == "redis":
        backend = stack.enter_context(Redis(directory / "redis"))
    if engine == "mongodb":
        backend = stack.enter_context(Mongo(MONGO_PROGRAM, directory / "mongodb"))
        settings = {"MONGODB_URI": f"mongodb://127.0.0.1:{backend.port}", "MONGODB_TIMEOUT_MS": 60_000}
    bench = Bench(options.binary, directory, corpus, options.seconds, options.rounds, engine, backend, settings)
    found: dict[str, dict] = {}
    began = time.monotonic()
    with contextlib.closing(measure(bench, sizes)) as decades:
        for decade in decades:
            for case, point in decade.points.items():
                curve = found.setdefault(case, {"curve": name, "engine": engine, "case": case, "points": [],
                                                "ended": ""})
                curve["points"].append({"size": decade.size, **point})
                print(f"{name:10} {engine:9} {case:14} {decade.size:>9,}  CPU {point['cpu_us']:10.1f} us  p50 "
                      f"{point['p50_ms']:9.3f} ms  p99 {point['p99_ms']:9.3f} ms  memory {point['rss_mb']:8.1f} MB  "
                      f"failed {point['failed']}", flush=True)
            left = 60 * options.minutes - (time.monotonic() - began)
            if decade.size != sizes[-1] and 10 * decade.fill_seconds > left:
                for curve in found.values():
                    curve["ended"] = (f"filling {10 * decade.size:,} would have taken longer than the "
                                      f"{options.minutes:g} minutes of a curve")
                break
    return list(found.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--only", nargs="+", choices=CURVES, default=list(CURVES))
    parser.add_argument("--most", type=int, default=10**6, help="of what grows")
    parser.add_argument("--minutes", type=float, default=8, help="that one curve may take")
    parser.add_argument("--seconds", type=int, default=1, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.binary = options.binary.resolve()
    tokenizer = options.binary.parent / "model/tokenizer.json"
    missing = [tool for tool in ("wrk", "redis-server") if not shutil.which(tool)]
    missing += [str(path) for path in (options.binary, tokenizer, MONGO_PROGRAM) if not path.exists()]
    if missing:
        print(f"missing: {', '.join(missing)}; make bench-report makes it", file=sys.stderr)
        return 2
    corpus, curves, problems = Corpus(tokenizer), [], []
    for name in options.only:
        for engine in CURVES[name][1]:
            with contextlib.ExitStack() as stack:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / "build"))
                try:
                    curves += measure_curve(options, name, engine, stack, pathlib.Path(directory), corpus)
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    problems.append(f"{name} on {engine}: {error}")
            show_progress("")
    used = {name: getattr(options, name) for name in ("seconds", "rounds", "minutes", "most")}
    keep([curve | {"options": used} for curve in curves])
    failed = [f"{curve['curve']} on {curve['engine']}: requests failed, so the figures mean nothing"
              for curve in curves if any(point["failed"] for point in curve["points"])]
    for problem in problems + failed:
        print(problem, file=sys.stderr)
    return 1 if problems or failed else 0


def keep(curves: list[dict]):
    """Beside the curves that were not measured this time."""
    before = json.loads(RESULTS.read_text()).get("growth", {}) if RESULTS.exists() else {}
    measured = {(curve["curve"], curve["engine"]) for curve in curves}
    others = [curve for curve in before.get("curves", []) if (curve["curve"], curve["engine"]) not in measured]
    save({"growth": {"machine": machine(), "curves": others + curves}})


if __name__ == "__main__":
    sys.exit(main())
