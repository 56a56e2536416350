"""A file system of its own, in memory, that a test may fill up or make read-only."""

import contextlib
import pathlib
import subprocess

import pytest


class SmallDisk:
    def __init__(self, path: pathlib.Path):
        self.path = path
        self.filler = path / "filler"

    def fill(self):
        """Leaves no room."""
        with self.filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self):
        self.filler.unlink()

    def remount(self, mode: str):
        """`mode`: "ro" or "rw"."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self.path], check=True, capture_output=True)


@contextlib.contextmanager
def small_disk(path: pathlib.Path, megabytes: int):
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
