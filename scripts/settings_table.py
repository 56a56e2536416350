#!/usr/bin/env python3
"""The settings table of the README, made by the binary itself.

settings_table.py BINARY           writes it into README.md
settings_table.py --check BINARY   fails where README.md has another one
"""

import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
BETWEEN = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


def main() -> int:
    *options, binary = sys.argv[1:]
    table = subprocess.run([binary, "--settings-markdown"], capture_output=True, text=True, check=True).stdout
    text = README.read_text()
    if not BETWEEN.search(text):
        print("README.md has no place for the table")
        return 1
    renewed = BETWEEN.sub(lambda _: table, text)
    if "--check" in options:
        if renewed != text:
            print(f"README.md's settings table is not that of the binary; run {sys.argv[0]} {binary}")
            return 1
        return 0
    README.write_text(renewed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
