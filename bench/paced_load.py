"""Agents over connections that stay open: as fast as the server answers, or at a constant rate.

At a rate every connection has its times to send. What is sent late, because the reply before came late, counts from
when it was due: a server that stalls does not look better for the requests that it kept from being sent.
"""

import array
import asyncio
import collections
import json
import statistics
import time

from agents import Agent, Call

TIMEOUT = 60  # seconds
PAUSE_AFTER_A_FAILURE = .1


class Connection:
    """Sends one request at a time; is opened again after an error."""

    def __init__(self, port: int):
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def exchange(self, data: bytes) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(TIMEOUT):
                if not self.writer:
                    self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.writer.write(data)
                head = await self.reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
                return int(head[9:12]), await self.reader.readexactly(length)
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None


class Record:
    """When replies came and what they took, in seconds, in the order in which they came."""

    def __init__(self):
        self.times, self.latencies = array.array("d"), array.array("f")
        self.kinds = collections.Counter()
        self.failed = 0
        self.problems: list[str] = []  # the first ones

    def add(self, call: Call, began: float, problem: str):
        now = time.monotonic()
        self.times.append(now)
        self.latencies.append(now - began)
        self.kinds[call.kind] += 1
        if problem:
            self.failed += 1
            if len(self.problems) < 10:
                self.problems.append(f"{call.method} {call.path}: {problem}")


class Lane:
    """A connection and its agents, which take turns."""

    def __init__(self, port: int, agents: list[Agent]):
        self.connection = Connection(port)
        self.agents = collections.deque(agent.calls() for agent in agents)
        self.due = collections.deque(next(agent) for agent in self.agents)  # the next call of each

    async def next_call(self, record: Record, began: float):
        agent, call = self.agents[0], self.due[0]
        try:
            status, body = await self.connection.exchange(call.data())
            reply = json.loads(body)
            problem = f"{status} {body[:200]!r}" if status != 200 else call.check(reply) if call.check else ""
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            reply, problem = {}, repr(error)
        record.add(call, began, problem)
        if problem:
            await asyncio.sleep(PAUSE_AFTER_A_FAILURE)
        self.due[0] = agent.send({} if problem else reply)
        self.agents.rotate()
        self.due.rotate()

    async def run(self, record: Record, first: float, end: float, period: float):
        """A call every `period` seconds from `first` on; 0: one after the other."""
        due = first
        while True:
            began = time.monotonic()
            if period and began < due:
                await asyncio.sleep(due - began)
                began = time.monotonic()  # a timer that wakes late is not the server's
            elif period:
                began = due
            if began >= end:
                return
            due += period
            await self.next_call(record, began)


class Load:
    def __init__(self, port: int, connections: int, agents_each: int, texts: list[str]):
        self.lanes = [Lane(port, [Agent(f"agent-{number}-{each}", texts) for each in range(agents_each)])
                      for number in range(connections)]

    async def run(self, record: Record, seconds: float, rate: float = 0):
        """`rate`: calls a second of all connections; 0: as many as are answered."""
        period = len(self.lanes) / rate if rate else 0
        begin = time.monotonic()
        await asyncio.gather(*(lane.run(record, begin + number * period / len(self.lanes), begin + seconds, period)
                               for number, lane in enumerate(self.lanes)))

    def close(self):
        for lane in self.lanes:
            lane.connection.close()


def percentile(values, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def windows(record: Record, begin: float, seconds: float) -> list[dict]:
    """What each `seconds` had: replies a second, median and p99 in milliseconds."""
    parts: dict[int, list[float]] = {}
    for moment, latency in zip(record.times, record.latencies):
        parts.setdefault(int((moment - begin) / seconds), []).append(1000 * latency)
    return [{"at_seconds": round(number * seconds, 1), "requests_per_second": len(values) / seconds,
             "p50_ms": statistics.median(values), "p99_ms": percentile(values, .99), "most_ms": max(values)}
            for number, values in sorted(parts.items())]
