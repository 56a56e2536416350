"""Measures how many texts a second the local models embed, beside Python in the same run: Hugging Face's
`tokenizers` and ONNX Runtime on the same files with as many threads.

    make bench        or        .deps/venv/bin/python bench/embeddings.py

Python embeds one text a run and, in another round, 32 in the order of their length: the quicker of both
counts if the vectors are the same, which they are not where a model rounds to 8 bits on its way. Needs build/bench/bench/embedding_rounds and the models of `scripts/model test`. Prints a table, and adds
itself to bench/results.json.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import time

from measuring import REPOSITORY, exit_status, figure, print_figures, results_of, save, show_progress

sys.path.insert(0, str(REPOSITORY / "tests"))

from support.reference_embedder import ReferenceEmbedder  # noqa: E402

PROGRAM = REPOSITORY / "build/bench/bench/embedding_rounds"
MODELS = {"8 bits": REPOSITORY / ".deps/model-int8", "32 bits": REPOSITORY / ".deps/model-fp32"}
WORDS = ("we moved from Oslo to Lisbon in spring and my sister keeps three bees near the old harbour where "
         "Caroline teaches painting every second Tuesday after work because nobody else had time").split()
# Tokens of a text are some more than its words.
TEXTS = {"a sentence": (256, 5, 15), "some sentences": (96, 5, 120)}
BATCH = 32
ALONE, TOGETHER = "python, one a run", f"python, {BATCH} a run"
SAME = .99999  # cosine


def texts_of(count: int, shortest: int, longest: int) -> list[str]:
    choose = random.Random(5)
    return [" ".join(choose.choices(WORDS, k=choose.randint(shortest, longest))) for _ in range(count)]


class Ours:
    """The embedder of the server, in a process of its own."""

    def __init__(self, directory: pathlib.Path, threads: int, texts: list[str]):
        self.process = subprocess.Popen([PROGRAM, directory, str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdin.write("".join(json.dumps(text) + "\n" for text in texts) + "\n")

    def round(self) -> float:
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


def seconds_of(call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure(directory: pathlib.Path, threads: int, texts: list[str], rounds: int) -> dict[str, list[float]]:
    """Texts a second of each way, round by round; what Python does first warms it up."""
    ours = Ours(directory, threads, texts)
    ours.round()
    reference = ReferenceEmbedder(directory, threads)
    by_length = sorted(texts, key=len)
    cosines = (reference.embed(by_length, 1) * reference.embed(by_length, BATCH)).sum(axis=1)
    ways = {"maas": ours.round, ALONE: lambda: seconds_of(lambda: reference.embed(by_length, 1))}
    if cosines.min() >= SAME:
        ways[TOGETHER] = lambda: seconds_of(lambda: reference.embed(by_length, BATCH))
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(len(texts) / way())
    ours.end()
    return found


def ratio(found: dict[str, list[float]]) -> float:
    """Of ours to the quicker way of Python, of the median round: neighbours in time are disturbed alike."""
    quicker = max((name for name in found if name != "maas"), key=lambda name: statistics.median(found[name]))
    return statistics.median(a / b for a, b in zip(found["maas"], found[quicker]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows, figures = [], []
    for model, directory in MODELS.items():
        for kind, (count, shortest, longest) in TEXTS.items():
            for threads in (1, 2):
                case = f"{model}, {kind}, threads: {threads}"
                show_progress(case)
                found = measure(directory, threads, texts_of(count, shortest, longest), options.rounds)
                rows += [{"service": name, "case": case, "texts_per_second": statistics.median(rates), "runs": rates,
                          "failed": 0, "socket_errors": 0, "within_limit": True} for name, rates in found.items()]
                figures.append(figure(case, ratio(found), "x", least=1))
    show_progress("")
    print("texts a second")
    for row in rows:
        print(f"{row['case']:40} {row['service']:18} {row['texts_per_second']:8.1f}")
    print("\nmaas against the quicker way of Python", end="")
    print_figures(figures)
    save({"embeddings": results_of({"rounds": options.rounds}, rows, figures)})
    return exit_status(rows, figures)


if __name__ == "__main__":
    sys.exit(main())
