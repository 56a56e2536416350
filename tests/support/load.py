"""Appends messages over many connections at once and keeps a record of what the server acknowledged."""

import dataclasses
import enum
import json
import random
import threading
import time

from support.processes import wait_until
from support.raw_http import RawConnection, request
from support.sessions import message, session_path

PAUSE_AFTER_A_FAILURE = 0.01


class Ending(enum.Enum):
    """Why a lane sends no more."""
    stopped = "the test had enough"
    refused = "the server takes no connection"
    closed = "the server closed before the first byte of a reply"
    cut = "the server closed within a reply"
    silent = "no whole reply came in time"


@dataclasses.dataclass(slots=True)
class Append:
    """One request. Without a status nobody knows whether it took effect."""
    contents: list[str]
    started: float
    status: int | None = None
    seconds: float = 0
    stored: list[dict] = dataclasses.field(default_factory=list)  # what an acknowledgement says

    @property
    def acknowledged(self) -> bool:
        return self.status == 200


class Connection(RawConnection):
    """Knows whether anything has come since the last request was sent."""

    began = False

    def _receive(self) -> bool:
        came = super()._receive()
        self.began |= came
        return came


class Lane(threading.Thread):
    """One keep-alive connection after the other; sends its appends to one session, one at a time."""

    def __init__(self, load: "Load", number: int):
        super().__init__(daemon=True)
        self.load = load
        self.session = load.sessions[number % len(load.sessions)]
        self.name = f"{load.name}/{number}"
        self.random = random.Random(self.name)
        self.appends: list[Append] = []
        self.acknowledged = 0
        self.last_status: int | None = None
        self.ending: Ending | None = None
        self.connection: Connection | None = None

    def run(self):
        sent = 0
        while self.load.quota is None or sent < self.load.quota:
            if self.load.stopping.is_set():
                break
            size = self.random.randint(*self.load.list_sizes)
            if self.load.quota is not None:
                size = min(size, self.load.quota - sent)
            contents = [f"{self.name}/{number}" for number in range(sent, sent + size)]
            sent += size
            self.ending = self._append(contents)
            if self.ending is not None:
                break
        self.ending = self.ending or Ending.stopped
        if self.connection:
            self.connection.socket.close()

    def _append(self, contents: list[str]) -> Ending | None:
        append = Append(contents, time.monotonic())
        self.appends.append(append)
        try:
            if self.connection is None:
                self.connection = Connection(self.load.port, self.load.timeout)
        except OSError:
            return Ending.refused
        self.connection.began = False
        body = json.dumps({"messages": [message(content) for content in contents]}).encode()
        try:
            self.connection.send(request("POST", session_path(self.session, "/messages"), body))
            reply = self.connection.read_reply("POST")
        except TimeoutError:
            return Ending.silent
        except EOFError:
            return Ending.cut if self.connection.began else Ending.closed
        append.seconds = time.monotonic() - append.started
        append.stored = reply.json()["messages"] if reply.status == 200 else []
        append.status = self.last_status = reply.status
        if append.acknowledged:
            self.acknowledged += 1
        else:
            time.sleep(PAUSE_AFTER_A_FAILURE)
        if (reply.header("Connection") or "").lower() == "close":
            self.connection.socket.close()
            self.connection = None
        return None


class Load:
    """Runs inside its `with` block, or until every lane has sent its quota of messages."""

    def __init__(self, port: int, sessions: list[str], *, connections: int = 16, name: str = "load",
                 list_sizes: tuple[int, int] = (1, 1), quota: int | None = None, timeout: float = 20):
        self.port = port
        self.sessions = sessions
        self.name = name
        self.list_sizes = list_sizes
        self.quota = quota
        self.timeout = timeout
        self.stopping = threading.Event()
        self.lanes = [Lane(self, number) for number in range(connections)]

    def __enter__(self) -> "Load":
        for lane in self.lanes:
            lane.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()

    def join(self, seconds: float = 120):
        """Waits until no lane sends any more."""
        end = time.monotonic() + seconds
        for lane in self.lanes:
            lane.join(max(0, end - time.monotonic()))
        assert not any(lane.is_alive() for lane in self.lanes), "a lane of the load hangs"

    @property
    def acknowledged(self) -> int:
        """The number of appends that the server has acknowledged so far."""
        return sum(lane.acknowledged for lane in self.lanes)

    def wait_for(self, further: int, seconds: float = 60):
        """Until so many further appends are acknowledged."""
        goal = self.acknowledged + further
        wait_until(lambda: self.acknowledged >= goal, seconds, f"{further} acknowledged appends")

    def wait_for_every_lane(self, status: int, seconds: float = 20):
        """Until that is the status of the last reply on every connection."""
        wait_until(lambda: all(lane.last_status == status for lane in self.lanes), seconds,
                   f"status {status} on every connection")

    def appends(self) -> list[Append]:
        return [append for lane in self.lanes for append in lane.appends]

    def endings(self) -> set[Ending]:
        return {lane.ending for lane in self.lanes}

    def statuses(self) -> set[int | None]:
        return {append.status for append in self.appends()}

    def slowest(self) -> float:
        """The longest time that a reply took."""
        return max(append.seconds for append in self.appends() if append.status is not None)


def check_stored(session: str, stored: list[dict], *loads: Load, since: float = 0):
    """Asserts that a session holds what the loads sent to it and nothing else.

    Every acknowledged message is there once, as acknowledged and in the order of its connection; of
    the others some may be there, once. A list is there as a whole and in one piece, or not at all.
    Acknowledged before `since`, a message may be missing.
    """
    places = {item["content"]: place for place, item in enumerate(stored)}
    assert len(places) == len(stored), f"{session} holds a message twice"
    times = [item["timestamp"] for item in stored]
    assert all(one < next_ for one, next_ in zip(times, times[1:])), f"{session}: times do not rise"
    unknown = set(places)
    for lane in (lane for load in loads for lane in load.lanes if lane.session == session):
        last = -1
        for append in lane.appends:
            unknown.difference_update(append.contents)
            found = [places[content] for content in append.contents if content in places]
            if not found:
                lost = append.acknowledged and append.started >= since
                assert not lost, f"{session} lost the acknowledged {append.contents}"
                continue
            whole = list(range(found[0], found[0] + len(append.contents)))
            assert found == whole, f"{session} holds {append.contents} at {found}"
            if append.acknowledged:
                assert found[0] > last, f"{session} holds {append.contents} before what was sent earlier"
                last = found[-1]
                assert stored[found[0]:last + 1] == append.stored, "stored otherwise than acknowledged"
    assert not unknown, f"{session} holds what nobody sent: {sorted(unknown)[:5]}"
