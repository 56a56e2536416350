"""Runs the benchmarks, one after the other, and writes docs/benchmarks.md from what they found.

    make bench-report        or        .deps/bench-venv/bin/python bench/run_all.py [--only NAME…] [--quick] [--no-page]

One that fails is told at the end and keeps its earlier results, if there are any; the others go on. Each adds its
results to bench/results.json, so that one can be measured again alone. --quick takes small sizes and single rounds:
it shows that all of it works, not how fast the server is.
"""

import argparse
import pathlib
import subprocess
import sys
import time

from measuring import HERE, REPOSITORY

BENCH_PYTHON = REPOSITORY / ".deps/bench-venv/bin/python"
TEST_PYTHON = REPOSITORY / ".deps/venv/bin/python"
# In the order of the page: name, interpreter, program, what --quick adds, whether it takes --seconds.
STEPS = {
    "load": (BENCH_PYTHON, "load.py", ["--rounds", 1, "--starts", 3], True),
    "saturation": (BENCH_PYTHON, "saturation.py", ["--rounds", 1], True),
    "growth": (BENCH_PYTHON, "growth.py", ["--rounds", 1, "--most", 1000, "--minutes", .5], True),
    "ltm": (BENCH_PYTHON, "ltm.py", ["--rounds", 1, "--sizes", 100, 1000], True),
    "models": (BENCH_PYTHON, "models.py", ["--rounds", 1], True),
    "embeddings": (TEST_PYTHON, "embeddings.py", ["--rounds", 1], False),
    "tracing": (BENCH_PYTHON, "tracing.py", ["--rounds", 1], True),
    "parts": (BENCH_PYTHON, "parts.py", ["--rounds", 1, "--least-seconds", .01], False),
}


def command(name: str, options) -> list[str]:
    python, program, quick, takes_seconds = STEPS[name]
    words = [python, HERE / program]
    if options.quick:
        words += quick
    if takes_seconds and (options.seconds or options.quick):
        words += ["--seconds", options.seconds or 1]
    return list(map(str, words))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--seconds", type=int, help="of each run; default: as each benchmark has it")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-page", action="store_true", help="write bench/results.json alone")
    options = parser.parse_args()
    (pathlib.Path(REPOSITORY) / "build").mkdir(exist_ok=True)
    failed, begin = [], time.monotonic()
    for number, name in enumerate(options.only, 1):
        words = command(name, options)
        told = " ".join([HERE.name + "/" + pathlib.Path(words[1]).name, *words[2:]])
        print(f"\n== {number} of {len(options.only)}, {(time.monotonic() - begin) / 60:.1f} min: {told}\n", flush=True)
        if status := subprocess.run(words).returncode:
            failed.append(f"{told} ended with {status}")
    print(f"\n== {(time.monotonic() - begin) / 60:.1f} min", flush=True)
    if not options.no_page:
        # Not before: what draws is needed for the page alone.
        from report import write_page
        write_page()
    for problem in failed:
        print(problem, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
