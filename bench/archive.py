"""Fills an engine with many memories in little time, by `maas import`."""

import contextlib
import datetime
import json
import subprocess
import tempfile
from collections.abc import Iterator

from corpus import Corpus, Memories
from services import Maas

CHUNK = 100_000  # memories that are made at once
PAUSE = 86_400   # seconds between the chunks of a scope


def scope(corpus: Corpus, user: str, count: int, seed: int) -> Iterator[Memories]:
    """The memories of a user, in chunks, oldest first. A chunk's times begin behind those of the chunk before."""
    begin = 0
    for number, first in enumerate(range(0, count, CHUNK)):
        memories = corpus.memories(user, min(CHUNK, count - first), 1000 * seed + number)
        offset = begin - memories.times[0] if begin else 0
        memories.times = [time + offset for time in memories.times]
        begin = memories.times[-1] + PAUSE
        yield memories


class Archive:
    """`maas import` with the settings of a server that does not run, for all that is added in the `with` block. Ids
    begin behind `first`."""

    def __init__(self, server: Maas, first: int = 0):
        self.server = server
        self.first = self.count = first

    def __enter__(self):
        # A file, as a pipe that nobody reads would fill.
        self.said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [self.server.binary, "import", "-"], cwd=self.server.directory, env=self.server.environment(),
            stdin=subprocess.PIPE, stdout=self.said, stderr=self.said, text=True, encoding="utf-8")
        self.process.stdin.write('{"maas_export":2}\n')
        return self

    def __exit__(self, kind, *_):
        with self.said:
            if kind is None:
                self.process.stdin.write(json.dumps({"total": self.count - self.first}) + "\n")
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            if self.process.wait():
                self.said.seek(0)
                raise RuntimeError(f"maas import ended with {self.process.returncode}: {self.said.read()[-500:]}")

    def add(self, memories: Memories):
        user = json.dumps(memories.user)
        for text, seconds in zip(memories.texts, memories.times):
            self.count += 1
            time = datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
            # Version 7 of UUIDs, as MaaS makes them: ascending.
            memory_id, entry_id = (f"01900000-0000-7{kind}00-8000-{self.count:012x}" for kind in "12")
            self.process.stdin.write(
                f'{{"tenant":"default","id":"{memory_id}","user_id":{user},"category":"semantic","memory":"{text}",'
                f'"created_at":"{time}","updated_at":"{time}","version":1,"history":[{{"id":"{entry_id}",'
                f'"event":"ADD","old_memory":null,"new_memory":"{text}","created_at":"{time}",'
                f'"updated_at":"{time}"}}]}}\n')
