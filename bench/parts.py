"""Measures the parts that do the work, each beside a baseline: what `make microbench` shows, in some repetitions.

    make bench-report        or        .deps/bench-venv/bin/python bench/parts.py

Adds itself to bench/results.json.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from machine import machine
from measuring import REPOSITORY, save

PROGRAM = REPOSITORY / "build/bench/bench/benchmarks"


def measure(repetitions: int, seconds: float, file: pathlib.Path) -> list[dict]:
    """CPU of a call, in microseconds, and bytes a second where a benchmark tells them."""
    subprocess.run([PROGRAM, f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={seconds}",
                    "--benchmark_out_format=json", f"--benchmark_out={file}"], check=True)
    rows: dict[str, list[dict]] = {}
    for run in json.loads(file.read_text())["benchmarks"]:
        if run["run_type"] == "iteration":
            rows.setdefault(run["run_name"], []).append(run)
    units = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}
    return [{"name": name, "runs": [run["cpu_time"] * units[run["time_unit"]] for run in runs],
             "bytes_per_second": statistics.median(run.get("bytes_per_second", 0) for run in runs)}
            for name, runs in rows.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least-seconds", type=float, default=.1, help="of each repetition")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        try:
            rows = measure(options.rounds, options.least_seconds, pathlib.Path(name) / "parts.json")
        except (OSError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
    used = {"rounds": options.rounds, "least_seconds": options.least_seconds}
    save({"parts": {"machine": machine(), "options": used, "rows": rows}})
    return 0


if __name__ == "__main__":
    sys.exit(main())
