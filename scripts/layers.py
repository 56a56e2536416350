#!/usr/bin/env python3
"""Checks that src/ keeps its layers: a file includes its own folder and folders below it, and drivers'
headers appear only in the sources that drive them; and that CONTRIBUTING.md tells the tree as it is."""

import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src"

# A folder may include itself and those named here; stm and ltm never see each other.
BELOW = {
    "core": set(),
    "text": {"core"},
    "sqlite": {"core"},
    "http": {"core", "text"},
    "trace": {"core", "text", "http"},
    "llm": {"core", "text", "http", "trace"},
    "stm": {"core", "text", "sqlite", "http", "trace", "llm"},
    "ltm": {"core", "text", "sqlite", "http", "trace", "llm"},
    "api": {"core", "text", "http", "trace", "llm", "stm", "ltm"},
}
# Libraries that stay behind an interface, and the only files that may include them.
DRIVERS = {
    r"boost/redis": r"stm/redis_\w+\.cpp|boost_impl\.cpp",
    r"sqlite3\.h|SQLiteCpp/": r"sqlite/\w+\.cpp|\w+/\w+_sqlite\.cpp",
    r"spdlog/": r"core/log\.cpp",
    r"pcre2\.h|unicode/|libstemmer": r"text/[\w/]+\.(cpp|hpp)",
    r"onnxruntime": r"llm/\w+_onnx\.cpp",
    r"mongoc/|bson/": r"ltm/(mongo_(client|error|monitor|pool|session)|\w+_bson)\.cpp",
    r"hnswlib/": r"ltm/\w+_hnsw\.cpp",
    r"CLI/": r"main\.cpp",
    r"opentelemetry/": r"trace/\w+_otel\.cpp",
    r"prometheus/": r"trace/\w+_prometheus\.cpp",
    r"protozero/": r"trace/(otlp_\w+|\w+_otel)\.cpp",
    r"curl/": r"http/\w+_curl\.cpp",
    r"boost/beast/http": r"http/\w+\.cpp",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def violations(file: pathlib.Path):
    name = file.relative_to(SOURCE).as_posix()
    folder = name.split("/")[0] if "/" in name else None
    for own, library in INCLUDE.findall(file.read_text()):
        target = own.split("/")[0] if "/" in own else None
        if own and not (SOURCE / own).exists() and not (file.parent / own).exists():
            yield f'{name}: includes "{own}", which is not a path below src/'
        if folder and own and target != folder and target not in BELOW.get(folder, set()):
            yield f'{name}: the layer {folder} may not include "{own}"'
        for pattern, allowed in DRIVERS.items():
            if library and re.match(pattern, library) and not re.fullmatch(allowed, name):
                yield f"{name}: <{library}> belongs behind an interface ({allowed})"


def untrue(text: str):
    """What CONTRIBUTING.md says of the tree and is not so: folders in their order, their table, paths."""
    order = re.search(r"^ +(core < .*)$", text, re.MULTILINE)[1]
    before = set()
    for level in order.split(" < "):
        folders = [name.strip() for name in level.strip("{} ").split(",")]
        for folder in folders:
            for below in sorted(BELOW.get(folder, set()) - before):
                yield f"CONTRIBUTING.md: {below} stands behind {folder}, which includes it"
        before |= set(folders)
    yield from (f"CONTRIBUTING.md: {folder} is not in the order of folders" for folder in BELOW.keys() - before)
    table = set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))
    yield from (f"CONTRIBUTING.md: {folder}/ is not told what it holds" for folder in BELOW.keys() - table)
    for path in re.findall(r"`([\w./-]+(?:/|\.(?:cpp|hpp|py|txt|in|cmake)))`", text):
        if not any((place / path).exists() for place in (REPOSITORY, SOURCE, REPOSITORY / "deploy")) and "/" in path:
            yield f"CONTRIBUTING.md: there is no {path}"


def main() -> int:
    files = sorted([*SOURCE.rglob("*.cpp"), *SOURCE.rglob("*.hpp")])
    found = [violation for file in files for violation in violations(file)]
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    found += [f"src/{folder}: a folder that has no layer yet" for folder in sorted(folders - BELOW.keys())]
    found += untrue((REPOSITORY / "CONTRIBUTING.md").read_text())
    print("\n".join(found) or f"{len(files)} files keep the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
