"""What a benchmark ran on and with, without anything that names the machine."""

import os
import pathlib
import platform
import re
import shutil
import subprocess


def first_number(command: list[str]) -> str:
    """The version that a program tells; empty if it is not there."""
    if not shutil.which(command[0]):
        return ""
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
    return found[0] if found else ""


def field(file: str, pattern: str) -> str:
    found = re.search(pattern, pathlib.Path(file).read_text(), re.M)
    return found[1].strip() if found else ""


def machine() -> dict:
    memory = int(field("/proc/meminfo", r"^MemTotal:\s+(\d+)"))
    versions = {"g++": ["g++", "--version"], "Redis": ["redis-server", "--version"], "nginx": ["nginx", "-v"],
                "wrk": ["wrk", "--version"]}
    found = {name: first_number(command) for name, command in versions.items()}
    return {"cpu": field("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
            "cpus": os.cpu_count(), "memory_gib": round(memory / 2**20),
            "system": field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]+)'),
            "kernel": re.match(r"[\d.]*\d", platform.release())[0],
            "architecture": platform.machine(), "python": platform.python_version(),
            "versions": {name: version for name, version in found.items() if version}}


def described(found: dict) -> str:
    """In a sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (f"{found['cpus']} cores of {found['cpu']} ({found['architecture']}), {found['memory_gib']} GiB, "
            f"{found['system']}, Linux {found['kernel']}, {versions}, Python {found['python']}.")
