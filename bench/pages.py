"""docs/benchmarks.md and its plots: text between markers is written by benchmarks, the rest by hand."""

import pathlib

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "maas", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9, "axes.grid": True, "grid.alpha": .3, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "lines.linewidth": 1.2, "lines.markersize": 3.5, "figure.constrained_layout.use": True})

from matplotlib import pyplot, ticker  # noqa: E402

from measuring import REPOSITORY  # noqa: E402

PAGE = REPOSITORY / "docs/benchmarks.md"
PLOTS = REPOSITORY / "docs/benchmarks"


def renew(block: str, text: str):
    """Replaces what stands between `<!-- block -->` and `<!-- /block -->`."""
    page = PAGE.read_text()
    begin, end = f"<!-- {block} -->\n", f"<!-- /{block} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise RuntimeError(f"{PAGE.name} has no place for {block!r}, between {begin.strip()} and {end}")
    PAGE.write_text(before + begin + text.rstrip("\n") + "\n" + end + after)


def table(head: list[str], rows: list[list], left: int = 1) -> str:
    """Of Markdown; all but the first `left` columns are numbers."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in [head, rule, *rows])


def rounded(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(f"{value:e}".split("e")[1]))
    return f"{round(value, digits):,.{digits}f}"


def command(program: str, options: dict) -> str:
    """That measures the same again."""
    def word(value) -> str:
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)
    words = [f"--{name.replace('_', '-')} {word(value)}" for name, value in options.items()]
    return f"    bench/{program}.py {' '.join(words)}\n\n"


def figures_table(figures: list[dict]) -> str:
    return table(["", "measured", "limit", ""],
                 [[each["name"], f"{rounded(each['value'])} {each['unit']}".strip(),
                   each["limit"].replace("<=", "≤").replace(">=", "≥"),
                   each["limit"] and ("kept" if each["within_limit"] else "**not kept**")] for each in figures])


def axes(count: int = 1, columns: int = 1, height: float = 2.6):
    """A figure of `count` plots, and those."""
    lines = -(-count // columns)
    figure, grid = pyplot.subplots(lines, columns, figsize=(8.4, height * lines), squeeze=False)
    flat = list(grid.flat)
    for unused in flat[count:]:
        unused.remove()
    return figure, flat[:count]


def logarithmic(plot, *names: str):
    """Numbers are written as they are read, also where there is less than a decade; `names` are "x" and "y"."""
    for name in names:
        plot.set(**{f"{name}scale": "log"})
        axis = getattr(plot, f"{name}axis")
        first, last = axis.get_view_interval()
        axis.set_major_locator(ticker.LogLocator(subs=(1,) if last / first > 300 else (1, 2, 5), numticks=20))
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_locator(ticker.NullLocator())


def save_plot(figure, name: str) -> pathlib.Path:
    """The same figures make the same bytes."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    return PLOTS / f"{name}.svg"
