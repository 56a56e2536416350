"""Agents that write and read all the time, and know what they were told: no fault may make the server forget it."""

import collections
import contextlib
import dataclasses
import pathlib
import random
import re
import threading
import time

import httpx

from support.memories import Memories, send
from support.processes import RELEASE_BINARY, Server, wait_until
from support.sessions import Session, message, session_path

WORD = "ledger"  # stands in every text
PAUSE_AFTER_A_REFUSAL = 0.02
MOST_GROWTH_MB = 100
SANITIZED_GROWTH_MB = 400  # AddressSanitizer keeps 256 MB of what was freed


@dataclasses.dataclass
class Row:
    """A line of the table at the end of the run."""
    fault: str
    acknowledged: int
    refused: int
    doubtful: int
    statuses: dict[int, int]
    seconds_to_recover: float
    growth_mb: float


ROWS: list[Row] = []


class Notes:
    """What became of the texts that one agent has sent to one place."""

    def __init__(self, place: str):
        self.place = place
        self.acknowledged: list[str] = []
        self.doubtful: set[str] = set()  # may be there, or not
        self.refused: set[str] = set()   # may not be there

    def wrong(self, stored: list[str], known: int, in_order: bool = True) -> str:
        """What is wrong with an answer, which must hold the first `known` acknowledged texts in their order, each once,
        and besides them nothing but later and doubtful ones; "": nothing."""
        if len(set(stored)) < len(stored):
            return f"{self.place} holds a text twice"
        if lost := [text for text in self.acknowledged[:known] if text not in set(stored)]:
            return f"{self.place} lost {lost[:3]}"
        rank = {text: number for number, text in enumerate(self.acknowledged)}
        order = [rank[text] for text in stored if text in rank]
        if in_order and order != sorted(order):
            return f"{self.place} holds texts in another order than they were acknowledged in"
        if strange := set(stored) - set(rank) - self.doubtful:
            return f"{self.place} holds what was refused or never sent: {sorted(strange)[:3]}"
        return ""


class Agent(threading.Thread):
    """Writes to a session and a user of its own and reads them back, one request at a time. Where one server can't be
    reached it goes on with the next."""

    def __init__(self, witness: "Witness", number: int):
        super().__init__(daemon=True)
        self.witness = witness
        self.id = f"{witness.name}-{number}"
        self.random = random.Random(self.id)
        self.session = Notes(f"session {self.id}")
        self.user = Notes(f"user {self.id}")
        self.statuses: collections.Counter[int] = collections.Counter()
        self.last_status = 0
        self.problems: list[str] = []
        self.at = number  # the server that it asks, of the witness' ones

    def run(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for server in self.witness.servers]
            turn = 0
            while not self.witness.ended.is_set() and not self.problems:
                turn += 1
                text = f"{WORD} {self.id} entry {turn}"
                for act in (self.append, self.add, self.read_session, self.read_user):
                    if act in self.witness.acts(self):
                        act(clients, text)

    def ask(self, clients: list[httpx.Client], method: str, path: str, body=None) -> httpx.Response | None:
        """None: nobody knows what became of it."""
        try:
            reply = send(clients[self.at % len(clients)], method, path, body) if body is not None else \
                clients[self.at % len(clients)].request(method, path)
        except httpx.TransportError:
            self.at += 1
            time.sleep(PAUSE_AFTER_A_REFUSAL)
            return None
        self.statuses[reply.status_code] += 1
        self.last_status = reply.status_code
        if reply.status_code not in self.witness.allowed:
            self.problems.append(f"{method} {path}: {reply.status_code} {reply.text[:300]}")
        elif reply.status_code >= 400:
            if not reply.json()["detail"]:
                self.problems.append(f"{method} {path}: {reply.status_code} says nothing")
            time.sleep(PAUSE_AFTER_A_REFUSAL)
        return reply

    def note(self, notes: Notes, text: str, reply: httpx.Response | None):
        if reply is not None and reply.status_code == 200:
            notes.acknowledged.append(text)
        elif reply is not None and 400 <= reply.status_code < 500:
            notes.refused.add(text)
        else:
            notes.doubtful.add(text)

    def append(self, clients, text: str):
        reply = self.ask(clients, "POST", session_path(self.id, "/messages"), {"messages": [message(text)]})
        self.note(self.session, text, reply)

    def add(self, clients, text: str):
        reply = self.ask(clients, "POST", "/ltm/memories", {"user_id": self.id, "messages": text})
        self.note(self.user, text, reply)

    def read_session(self, clients, _):
        known = len(self.session.acknowledged)
        reply = self.ask(clients, "GET", session_path(self.id, "/messages"))
        if reply is not None and reply.status_code == 200:
            self.check(self.session, [item["content"] for item in reply.json()["messages"]], known)

    def read_user(self, clients, _):
        known = len(self.user.acknowledged)
        reply = self.ask(clients, "GET", f"/ltm/memories?user_id={self.id}&limit=1000")
        if reply is not None and reply.status_code == 200:
            self.check(self.user, [memory["memory"] for memory in reply.json()["results"]][::-1], known)

    def check(self, notes: Notes, stored: list[str], known: int):
        if problem := notes.wrong(stored, known, self.witness.in_order or notes is self.session):
            self.problems.append(problem)

    def verify(self, client: httpx.Client):
        """In the end: all that was acknowledged is there, told by its history and found by a search."""
        stored = [item["content"] for item in Session(client, self.id).messages()]
        self.check(self.session, stored, len(self.session.acknowledged))
        memories = Memories(client, user_id=self.id)
        found = memories.walk(limit=1000)
        texts = [memory["memory"] for memory in found][::-1]
        self.check(self.user, texts, len(self.user.acknowledged))
        assert not self.problems, self.problems
        for memory in found[:50]:
            assert memories.told(memory["id"]) == [("ADD", None, memory["memory"])]
        if found:
            searched = memories.search(WORD, limit=1000)
            assert {memory["id"] for memory in searched} == {memory["id"] for memory in found}


class Witness:
    """Inside its `with` block agents write and read. `allowed` are the statuses that they may be answered with;
    `sessions` and `memories` say what they do; `in_order`: memories are listed in the order in which they were added, as
    they are unless the clock goes back."""

    def __init__(self, name: str, *servers: Server, allowed: set[int], agents: int = 4, sessions: bool = True,
                 memories: bool = True, in_order: bool = True):
        self.name = re.sub(r"\W+", "-", name)
        self.fault = name
        self.servers = servers
        self.allowed = allowed | {200}
        self.does = (sessions, memories)
        self.in_order = in_order
        self.ended = threading.Event()
        self.agents = [Agent(self, number) for number in range(agents)]
        self.seconds_to_recover = 0.0

    def acts(self, agent: Agent) -> set:
        sessions, memories = self.does
        acts = ({agent.append} if sessions else set()) | ({agent.add} if memories else set())
        if agent.random.random() < 0.3:  # reading all again and again takes longer than writing
            acts |= ({agent.read_session} if sessions else set()) | ({agent.read_user} if memories else set())
        return acts

    def __enter__(self) -> "Witness":
        self.rss_mb = self.memory_mb()
        for agent in self.agents:
            agent.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for agent in self.agents:
            agent.join(60)
        assert not any(agent.is_alive() for agent in self.agents), "an agent hangs"

    def memory_mb(self) -> float:
        """Of all servers that run."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024 for server in self.servers if server.running()
                   for status in [pathlib.Path(f"/proc/{server.process.pid}/status").read_text()])

    def acknowledged(self) -> int:
        return sum(len(agent.session.acknowledged) + len(agent.user.acknowledged) for agent in self.agents)

    def assert_no_problem(self):
        assert not self.problems(), "\n".join(self.problems())

    def problems(self) -> list[str]:
        return [problem for agent in self.agents for problem in agent.problems]

    def wait_for(self, more: int, seconds: float = 60):
        """Until so much more is acknowledged."""
        goal = self.acknowledged() + more
        wait_until(lambda: self.acknowledged() >= goal or self.problems(), seconds, f"{more} acknowledged writes")
        self.assert_no_problem()

    def wait_for_refusals(self, seconds: float = 30):
        """Until agents are refused."""
        before = self.refused()
        wait_until(lambda: self.refused() > before + len(self.agents) or self.problems(), seconds, "refusals")
        self.assert_no_problem()

    def wait_until_recovered(self, seconds: float = 30):
        """Until every agent is answered with 200 again; counted from now."""
        began = time.monotonic()
        for agent in self.agents:
            agent.last_status = 0
        wait_until(lambda: all(agent.last_status == 200 for agent in self.agents) or self.problems(), seconds,
                   "every agent to be served again")
        self.assert_no_problem()
        self.seconds_to_recover = max(self.seconds_to_recover, time.monotonic() - began)

    def refused(self) -> int:
        return sum(count for agent in self.agents for status, count in agent.statuses.items() if status != 200)

    def verify(self):
        """Asserts that nothing acknowledged is lost and no answer was wrong; adds a row to the table."""
        self.assert_no_problem()
        statuses = sum((agent.statuses for agent in self.agents), collections.Counter())
        growth = self.memory_mb() - self.rss_mb
        self.verify_stored()
        refused = sum(len(agent.session.refused) + len(agent.user.refused) for agent in self.agents)
        doubtful = sum(len(agent.session.doubtful) + len(agent.user.doubtful) for agent in self.agents)
        ROWS.append(Row(self.fault, self.acknowledged(), refused, doubtful, dict(sorted(statuses.items())),
                        self.seconds_to_recover, growth))
        is_sanitized = any(server.binary != RELEASE_BINARY for server in self.servers)
        assert growth < (SANITIZED_GROWTH_MB if is_sanitized else MOST_GROWTH_MB)

    def verify_stored(self):
        for server in self.servers:
            with server.client() as client:
                for agent in self.agents:
                    agent.verify(client)
