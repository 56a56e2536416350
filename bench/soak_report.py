"""What a soak found, as files: docs/benchmarks/soak.json, soak.svg, and its part of docs/benchmarks.md."""

import json
import statistics

from machine import described
from pages import PLOTS, axes, figures_table, logarithmic, renew, rounded, save_plot

CURVES = ("rss_mb", "own_memory_mb", "descriptors", "threads", "database_mb", "spans_waiting")


def curve(run: dict) -> list[dict]:
    """The samples of each window, beside what its requests took. A last one that was cut short is left out."""
    rows = run["windows"][:-1] if len(run["windows"]) > 1 else run["windows"]
    step = rows[1]["at_seconds"] - rows[0]["at_seconds"] if len(rows) > 1 else run["seconds"]
    found = []
    for row in rows:
        within = [each for each in run["samples"] if 0 <= each["at_seconds"] - row["at_seconds"] < step]
        means = {name: round(statistics.fmean(each[name] for each in within), 2) for name in CURVES} if within else {}
        found.append({name: round(value, 2) for name, value in row.items()} | means)
    return found


def plot(run: dict, points: list[dict]):
    figure, (memory, latency, rate, descriptors) = axes(4, 2, 2.2)

    def draw(plot, **labels: str):
        for name, label in labels.items():
            rows = [row for row in points if name in row]
            plot.plot([row["at_seconds"] / 60 for row in rows], [row[name] for row in rows], label=label)
        plot.margins(y=.15)
        plot.legend(loc="best", fontsize=7)

    draw(memory, rss_mb="resident", own_memory_mb="without mapped files")
    memory.set(ylabel="MB", ylim=(0, None))
    draw(latency, p50_ms="p50", p99_ms="p99")
    latency.set(ylabel="ms")
    logarithmic(latency, "y")
    draw(rate, requests_per_second="requests a second")
    rate.set(ylim=(0, None))
    draw(descriptors, descriptors="descriptors", threads="threads", spans_waiting="spans waiting")
    descriptors.set(ylim=(0, None))
    for each in (memory, latency, rate, descriptors):
        each.set_xlabel("minutes")
        for third in (1, 2):
            each.axvline(third * run["seconds"] / 180, color="grey", linewidth=.5, linestyle=":")
    save_plot(figure, "soak")


def text(run: dict) -> str:
    options, kinds = run["options"], run["kinds"]
    mix = ", ".join(f"{name} {100 * count / run['requests']:.1f} %" for name, count in kinds.items())
    return f"""\
{described(run["machine"])}

    make soak SOAK_MINUTES={options["minutes"]:g}

{options["connections"] * options["agents"]} agents on {options["connections"]} connections. Capacity was \
{rounded(run["capacity"])} requests a second; {rounded(run["rate"])} a second were sent for {options["minutes"]:g} \
minutes, {run["requests"]:,} in all: {mix}.

{figures_table(run["figures"])}
![memory, latency, load, descriptors](benchmarks/soak.svg)
"""


def write_report(run: dict):
    points = curve(run)
    plot(run, points)
    renew("soak", text(run))
    kept = {name: value for name, value in run.items() if name not in ("samples", "windows")}
    rows = ",\n".join(map(json.dumps, points))
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in kept.items()] + [f'"curve": [\n{rows}\n]']
    (PLOTS / "soak.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
