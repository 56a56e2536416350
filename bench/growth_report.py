"""The growth curves and the curves of latency against load, as tables and plots."""

import math
import statistics

from pages import axes, command, logarithmic, rounded, save_plot, table

TITLES = {"memories": "memories of one scope", "scopes": "scopes of 20 memories", "sessions": "sessions",
          "length": "bytes of a message"}
MEMORY_CURVES = ("memories", "scopes", "sessions")
MANY = 5000  # memories
NAMES = ((.1, "constant"), (.4, "nearly constant"), (.85, "less than linear"), (1.15, "linear"))


def exponent(points: list[tuple[float, float]]) -> float:
    """Of the power law nearest to two or more points, by least squares of the logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def shape(slope: float) -> str:
    return next((name for most, name in NAMES if slope <= most), "more than linear")


def with_vectors(long_term_memory: dict) -> list[dict]:
    """Searches by bench/ltm.py, as a curve like the others."""
    points = [{"size": int(row["case"]), "cpu_us": row["cpu_us"], "p50_ms": row["p50_ms"], "p99_ms": row["p99_ms"],
               "least_cpu_us": min(run["cpu_us"] for run in row["runs"]),
               "most_cpu_us": max(run["cpu_us"] for run in row["runs"])}
              for row in long_term_memory.get("load", [])
              if row["service"] == "maas" and row["case"].isdigit()]
    last = f"{max(point['size'] for point in points):,}" if points else ""
    return [{"curve": "memories", "engine": "embedded", "case": "search with vectors", "points": points,
             "ended": f"bench/ltm.py, which embeds and indexes, ends at {last}"}] if points else []


def curves_of(found: dict, long_term_memory: dict) -> dict[str, list[dict]]:
    curves = {name: [] for name in TITLES}
    for curve in found["curves"] + with_vectors(long_term_memory):
        curves[curve["curve"]].append(curve)
    return {name: some for name, some in curves.items() if some}


def label(curve: dict) -> str:
    return f"{curve['case']}, {curve['engine']}"


def exponents(curves: dict[str, list[dict]]) -> str:
    rows = []
    for name, all_curves in curves.items():
        for curve in all_curves:
            costs = [(point["size"], point["cpu_us"]) for point in curve["points"]]
            if len(costs) < 2:
                continue
            every, last = exponent(costs), exponent(costs[-2:])
            rows.append([TITLES[name], label(curve), f"{costs[0][0]:,} to {costs[-1][0]:,}",
                         f"{rounded(costs[0][1])} to {rounded(costs[-1][1])}", f"{every:.2f}", f"{last:.2f}",
                         shape(last)])
    return table(["of", "request", "from, to", "CPU µs", "exponent", "last decade", "in the end"], rows, left=2)


def points_table(name: str, curves: list[dict]) -> str:
    sizes = sorted({point["size"] for curve in curves for point in curve["points"]})
    rows = []
    for size in sizes:
        row = [f"{size:,}"]
        for curve in curves:
            point = next((point for point in curve["points"] if point["size"] == size), None)
            row.append("" if point is None else
                       f"{rounded(point['cpu_us'])} ({rounded(point['least_cpu_us'])}–{rounded(point['most_cpu_us'])})"
                       f" · {rounded(point['p50_ms'])} · {rounded(point['p99_ms'])}")
        rows.append(row)
    return table([TITLES[name], *(f"{label(curve)}: CPU µs · p50 · p99 ms" for curve in curves)], rows)


def ends(curves: list[dict]) -> str:
    told = [f"{label(curve)}: {curve['ended']}." for curve in curves if curve["ended"]]
    return "\n" + "\n".join(f"- {each}" for each in told) + "\n" if told else ""


def loaded(point: dict) -> list[str]:
    """What a scope takes when it is loaded, and how long that takes; few memories can't be told from the rest."""
    if "kib_each" not in point or point["size"] < MANY:
        return ["", ""]
    return [rounded(point["kib_each"]), f"{rounded(point['first_search_ms'] / 1000)} s"]


def memory_table(curves: dict[str, list[dict]]) -> str:
    rows = [[TITLES[name], label(curve), f"{curve['points'][-1]['size']:,}",
             f"{rounded(curve['points'][0]['rss_mb'])} to {rounded(curve['points'][-1]['rss_mb'])}",
             *loaded(curve["points"][-1])]
            for name in MEMORY_CURVES for curve in curves.get(name, []) if "rss_mb" in curve["points"][-1]]
    return table(["of", "after", "up to", "resident MB", "KiB each", "first search"], rows, left=2)


def draw(plot, name: str, curves: list[dict], value: str, unit: str):
    for curve in curves:
        points = [point for point in curve["points"] if value in point]
        if points:
            plot.plot([point["size"] for point in points], [point[value] for point in points], marker="o",
                      label=label(curve))
    plot.set(xlabel=TITLES[name], ylabel=unit)
    logarithmic(plot, "x", "y")
    plot.legend(loc="best", fontsize=6.5)


def plot_growth(curves: dict[str, list[dict]]):
    figure, plots = axes(len(curves), 2, 2.7)
    for plot, (name, all_curves) in zip(plots, curves.items()):
        draw(plot, name, all_curves, "cpu_us", "CPU µs a request")
    save_plot(figure, "growth")
    shown = {name: curves[name] for name in MEMORY_CURVES if name in curves}
    figure, plots = axes(len(shown), len(shown), 2.4)
    for plot, (name, all_curves) in zip(plots, shown.items()):
        draw(plot, name, all_curves, "rss_mb", "resident MB")
    save_plot(figure, "memory")


def commands(curves: list[dict]) -> str:
    """Curves may have been measured one by one."""
    by_options: dict[str, dict] = {}
    for curve in curves:
        by_options.setdefault(repr(curve["options"]), {**curve["options"], "only": []})["only"].append(curve["curve"])
    return "".join(command("growth", used | {"only": list(dict.fromkeys(used["only"]))})
                   for used in by_options.values())


def growth(found: dict, long_term_memory: dict) -> str:
    curves = curves_of(found, long_term_memory)
    plot_growth(curves)
    tables = "\n".join(points_table(name, all_curves) + ends(all_curves) for name, all_curves in curves.items())
    return (f"{commands(found['curves'])}![CPU of a request against what there is](benchmarks/growth.svg)\n\n{exponents(curves)}\n{tables}\n"
            f"![resident memory](benchmarks/memory.svg)\n\n{memory_table(curves)}")


def saturation(found: dict) -> str:
    curves = found["curves"]
    figure, plots = axes(len(curves), 2, 2.4)
    rows = []
    for plot, curve in zip(plots, curves):
        rates = [point["requests_per_second"] for point in curve["points"]]
        for value, name in (("p50_ms", "p50"), ("p99_ms", "p99"), ("p999_ms", "p99.9")):
            plot.plot(rates, [point[value] for point in curve["points"]], marker="o", label=name)
        plot.set(xlabel="requests a second", ylabel="ms", title=label(curve), xlim=(0, None))
        logarithmic(plot, "y")
        plot.legend(loc="best", fontsize=6.5)
        most = max(rates)
        rows += [[label(curve), point["connections"], f"{point['requests_per_second']:,.0f}",
                  f"{100 * point['requests_per_second'] / most:.0f} %",
                  *(rounded(point[value]) for value in ("p50_ms", "p99_ms", "p999_ms", "cpu_us"))]
                 for point in curve["points"]]
    save_plot(figure, "load")
    head = ["request", "connections", "a second", "of the most", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs"]
    return f"![latency against load](benchmarks/load.svg)\n\n{table(head, rows)}"
