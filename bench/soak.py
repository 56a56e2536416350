"""Lets agents use the service for a long time at half of its capacity, and says whether memory, latency, descriptors
and spans stay as they are.

    make soak SOAK_MINUTES=30        or        .deps/bench-venv/bin/python bench/soak.py [--minutes N]

The release binary on the embedded engine with its model, an LLM that is a stub (bench/llm/provider_main.cpp) and a
collector of traces that takes and counts every span. Its caches are small, so that they are full early. Capacity is
what is answered when all connections send as fast as they can; the collector, the stub and the agents share the
machine. Writes docs/benchmarks/soak.json, its plot and its part of docs/benchmarks.md. Ends with 1 if a limit is not
kept.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time
import urllib.request

from corpus import Corpus
from machine import machine
from measuring import REPOSITORY, figure, print_figures
from paced_load import Load, Record, percentile, windows
from services import Maas, Provider
from soak_report import write_report
from span_tally import SpanTally

PROVIDER = REPOSITORY / "build/bench/bench/provider"
TEXTS = 50_000
SAMPLE_SECONDS, WINDOW_SECONDS = 2, 10
DRAIN_SECONDS = 60
MAX_MEMORY_RATIO, MAX_P99_RATIO, MAX_DESCRIPTORS = 1.02, 1.10, 1
# Sessions and caches that reach their bounds within the first third; nothing else is unlike the defaults.
SETTINGS = {"STM_SESSION_TTL_SECONDS": 60, "LTM_CACHE_MB": 16, "EMBEDDING_CACHE_MB": 8,
            "OTEL_BSP_MAX_QUEUE_SIZE": 20_000, "MAAS_LOG_LEVEL": "warn", "LLM_PROVIDER": "ollama"}
LATENCY_MS, DIMS = 20, 8  # of the stub, which is asked for no vectors


def scrape(server: Maas) -> dict[str, float]:
    """The metrics that tell what waits and what became of spans, by name and label."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=20) as reply:
        text = reply.read().decode()
    found = re.findall(r'^(maas_trace_spans_total|maas_queue_depth)\{\w+="(\w+)"\} (\S+)$', text, re.M)
    active = sum(float(value) for value in re.findall(r"^http_server_active_requests\S* (\S+)$", text, re.M))
    return {f"{name} {label}": float(value) for name, label, value in found} | {"active": active - 1}  # but this one


def sample(server: Maas, tally: SpanTally, begin: float) -> dict:
    process = pathlib.Path(f"/proc/{server.process.pid}")
    metrics = scrape(server)
    files = [file.stat().st_size for file in (server.directory / "data").glob("maas.db*")]
    return {"at_seconds": round(time.monotonic() - begin, 1), "rss_mb": server.rss_mb(),
            "own_memory_mb": server.own_memory_mb(), "descriptors": len(os.listdir(process / "fd")),
            "threads": len(os.listdir(process / "task")), "cpu_seconds": server.cpu_seconds(),
            "generator_cpu_seconds": time.process_time(), "database_mb": sum(files) / 1e6,
            "spans_waiting": metrics["maas_queue_depth spans"],
            "spans_exported": metrics["maas_trace_spans_total exported"],
            "spans_dropped": metrics["maas_trace_spans_total dropped"], "spans_arrived": tally.spans}


async def sample_all(server: Maas, tally: SpanTally, begin: float, samples: list[dict], seconds: float):
    said = begin
    while True:
        try:
            samples.append(await asyncio.to_thread(sample, server, tally, begin))
        except OSError as error:
            status, log = server.process.poll(), server.directory / f"{server.name}.log"
            raise RuntimeError(f"the server {'does not answer' if status is None else f'ended with {status}'} after "
                               f"{time.monotonic() - begin:.0f} s: {error}\n{log.read_text()[-2000:]}") from error
        last = samples[-1]
        if time.monotonic() - said > max(10, seconds / 60):
            said = time.monotonic()
            print(f"{last['at_seconds']:6.0f} of {seconds:.0f} s: {last['rss_mb']:.1f} MB, "
                  f"{last['descriptors']} descriptors, {last['spans_arrived']} spans", flush=True)
        await asyncio.sleep(SAMPLE_SECONDS)


def settled(server: Maas) -> dict:
    """The metrics when no span waits any more, or after DRAIN_SECONDS."""
    end = time.monotonic() + DRAIN_SECONDS
    while True:
        metrics = scrape(server)
        if metrics["maas_queue_depth spans"] == 0 or time.monotonic() > end:
            return metrics
        time.sleep(.5)


def thirds(rows: list[dict], name: str, seconds: float, how=statistics.fmean) -> list[float]:
    return [how([row[name] for row in rows if third * seconds / 3 <= row["at_seconds"] < (third + 1) * seconds / 3])
            for third in range(3)]


def judge(run: dict, records: list[Record], metrics: dict, tally: SpanTally) -> list[dict]:
    seconds, samples = run["seconds"], run["samples"]
    rss = thirds(samples, "rss_mb", seconds)
    p99 = thirds(run["windows"], "p99_ms", seconds, statistics.median)
    descriptors = thirds(samples, "descriptors", seconds)
    sent = sum(len(record.times) for record in records)
    created = metrics["maas_trace_spans_total exported"] + metrics["maas_trace_spans_total dropped"]
    return [
        figure("memory: last third of the second", rss[2] / rss[1], "x", MAX_MEMORY_RATIO),
        figure("p99: last third of the second, median windows", p99[2] / p99[1], "x", MAX_P99_RATIO),
        figure("descriptors: last third beyond the second", descriptors[2] - descriptors[1], "", MAX_DESCRIPTORS),
        figure("requests that failed", sum(record.failed for record in records), "", 0),
        figure("requests whose span did not arrive, of all that were sent", sent - tally.requests, "", 0, 0),
        figure("spans that were lost", metrics["maas_trace_spans_total dropped"], "", 0),
        figure("spans counted but not arrived", created - tally.spans, "", 0, 0),
        figure("spans still waiting, and requests active, in the end",
               metrics["maas_queue_depth spans"] + metrics["active"], "", 0),
        figure("memory, mean of the last third", rss[2], "MB"),
        figure("p99, median window of the last third", p99[2], "ms"),
        figure("p99.9 of all", 1000 * percentile(records[-1].latencies, .999), "ms"),
        figure("CPU of the server", 100 * (samples[-1]["cpu_seconds"] - samples[0]["cpu_seconds"])
               / (samples[-1]["at_seconds"] - samples[0]["at_seconds"]) / os.cpu_count(), "% of the machine"),
        figure("CPU per request", 1e6 * (samples[-1]["cpu_seconds"] - samples[0]["cpu_seconds"])
               / len(records[-1].times), "us"),
        figure("database in the end, with the history of all that was forgotten", samples[-1]["database_mb"], "MB"),
    ]


async def measure(options, server: Maas, tally: SpanTally, load: Load) -> tuple[dict, list[dict]]:
    warm, full, paced = Record(), Record(), Record()
    print(f"warming up for {options.warm_up} s", flush=True)
    await load.run(warm, options.warm_up)
    await load.run(full, options.calibration)
    capacity = len(full.times) / options.calibration
    rate = capacity * options.share
    seconds = 60 * options.minutes
    print(f"capacity {capacity:.0f} requests a second; {rate:.0f} a second for {options.minutes:g} minutes", flush=True)
    samples, begin = [], time.monotonic()
    sampling = asyncio.create_task(sample_all(server, tally, begin, samples, seconds))
    running = asyncio.create_task(load.run(paced, seconds, rate))
    await asyncio.wait([sampling, running], return_when=asyncio.FIRST_COMPLETED)
    sampling.cancel()
    if not running.done():
        running.cancel()
        await sampling  # tells what went wrong
    await running
    load.close()
    metrics = await asyncio.to_thread(settled, server)
    await asyncio.sleep(1)  # what was counted as taken has been counted by the collector
    records = [warm, full, paced]
    run = {"capacity": capacity, "rate": rate, "seconds": seconds, "requests": len(paced.times),
           "kinds": dict(paced.kinds.most_common()), "samples": samples,
           "windows": windows(paced, begin, WINDOW_SECONDS),
           "problems": [problem for record in records for problem in record.problems]}
    return run, judge(run, records, metrics, tally)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/maas")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=.5, help="of the capacity")
    parser.add_argument("--warm-up", type=float, default=20, help="seconds")
    parser.add_argument("--calibration", type=float, default=20, help="seconds")
    parser.add_argument("--connections", type=int, default=48)
    parser.add_argument("--agents", type=int, default=4, help="of each connection")
    options = parser.parse_args()
    if 60 * options.minutes < 3 * WINDOW_SECONDS:
        parser.error(f"{3 * WINDOW_SECONDS} seconds are the least that can be judged")
    model = options.binary.resolve().parent / "model"
    if missing := [path for path in (options.binary, model / "tokenizer.json", PROVIDER) if not path.exists()]:
        print(f"there is no {', '.join(map(str, missing))}; make soak makes it", file=sys.stderr)
        return 2
    texts = Corpus(model / "tokenizer.json").memories("agents", TEXTS, 1).texts
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="soak-", dir=REPOSITORY / "build")))
        try:
            tally = stack.enter_context(SpanTally())
            provider = stack.enter_context(Provider(PROVIDER, directory / "provider", LATENCY_MS, DIMS))
            server = stack.enter_context(Maas(
                options.binary.resolve(), directory / "maas", MAAS_LOCAL_MODEL=model, **SETTINGS,
                LLM_BASE_URL=f"{provider.url}/v1", OTEL_EXPORTER_OTLP_ENDPOINT=tally.url))
            load = Load(server.port, options.connections, options.agents, texts)
            run, figures = asyncio.run(measure(options, server, tally, load))
        except (RuntimeError, OSError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    print_figures(figures)
    for problem in run["problems"]:
        print(problem, file=sys.stderr)
    used = {name: getattr(options, name) for name in ("minutes", "share", "warm_up", "connections", "agents")}
    write_report({"machine": machine(), "options": used, "figures": figures, **run})
    return 0 if all(each["within_limit"] for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
