#!/usr/bin/env python3
"""The settings as the binary itself tells them: README.md's table, and deploy/.env.example.

settings_table.py BINARY           writes both
settings_table.py --check BINARY   fails where one of them says something else
"""

import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROW = re.compile(r"\| `(?P<name>[A-Z0-9_]+)` \| (`(?P<default>.*?)`)? \| (?P<range>.*?) \| (?P<meaning>.*) \|$")


def of_environment(table: str) -> str:
    """Each row as a comment and a line that shows the default."""
    lines = []
    for row in table.splitlines()[2:]:
        setting = ROW.match(row)
        if not setting:
            raise SystemExit(f"this is no row of a setting: {row}")
        told = f"{setting['meaning']} ({setting['range']})".replace("\\|", "|")
        lines += textwrap.wrap(told, 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        # What is found out at the start has no value to write down.
        default = "" if setting["default"] in (None, "cores") else setting["default"]
        lines.append(f"#{setting['name']}={default}")
    return "\n".join(lines) + "\n"


def main() -> int:
    *options, binary = sys.argv[1:]
    table = subprocess.run([binary, "--settings-markdown"], capture_output=True, text=True, check=True).stdout
    failed = 0
    for name, begin, end, part in (
        ("README.md", "<!-- settings -->\n", "<!-- /settings -->", table),
        ("deploy/.env.example", "# <settings>\n", "# </settings>", of_environment(table)),
    ):
        file = ROOT / name
        text = file.read_text()
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"{name} has no place for the settings, between {begin.strip()} and {end}")
        renewed = before + begin + part + end + after
        if "--check" not in options:
            file.write_text(renewed)
        elif renewed != text:
            print(f"the settings in {name} are not those of the binary; run {sys.argv[0]} {binary}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
