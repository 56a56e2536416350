"""Agents as they use a memory: they talk in sessions, read contexts that are summarized, remember, recall, change
and forget. Each keeps so many memories and then forgets as much as it remembers, so that what a server of them
holds stays the same; after some talks it forgets all and comes back as another user."""

import dataclasses
import itertools
import json
import random
from collections.abc import Generator

KEPT = 40             # memories of an agent that do not expire
TALKS = 5             # sessions until it comes back as another user
TURNS = 12            # of a session: what the user says and what the assistant does
CONTEXT_TOKENS = 600  # past which a session is summarized, once or twice
SHORT_LIFE = 20       # seconds
LIMIT = 5


@dataclasses.dataclass(frozen=True)
class Call:
    """A request; `check` says what is wrong with its reply, or nothing."""

    kind: str
    method: str
    path: str
    body: dict | None = None
    check: object = None

    def data(self) -> bytes:
        body = b"" if self.body is None else json.dumps(self.body).encode()
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


Calls = Generator[Call, dict, None]  # is sent the JSON of each reply; of one that failed nothing


def fits(reply: dict) -> str:
    return "" if reply["total_tokens"] <= CONTEXT_TOKENS else f"a context of {reply['total_tokens']} tokens"


def finds(reply: dict) -> str:
    return "" if reply["results"] else "nothing is found of what is remembered"


class Agent:
    def __init__(self, name: str, texts: list[str]):
        self.name = name
        self.texts = texts
        self.random = random.Random(name)
        self.user = ""
        self.known: list[tuple[str, str]] = []  # ids and texts of its memories, oldest first

    def calls(self) -> Calls:
        """Without end."""
        for life in itertools.count():
            self.user = f"{self.name}-{life}"
            for number in range(TALKS):
                yield from self.talk(f"{self.user}-talk-{number}")
                yield from self.tidy_up()
            yield Call("forget all", "DELETE", f"/ltm/memories?user_id={self.user}")
            self.known.clear()

    def talk(self, session: str) -> Calls:
        path = f"/stm/{session}"
        yield Call("configure", "PUT", f"{path}/config",
                   {"strategy": "token_threshold", "max_tokens": CONTEXT_TOKENS})
        for _ in range(TURNS):
            yield self.append(path, "user")
            yield Call("context", "GET", f"{path}/context", check=fits)
            if self.random.random() < .5:
                yield self.recall()
            yield self.append(path, "assistant")
            yield from self.reflect()
        if self.random.random() < .5:  # the others end by their time to live
            yield Call("end session", "DELETE", path)

    def append(self, path: str, role: str) -> Call:
        said = " ".join(self.random.choices(self.texts, k=self.random.randint(1, 3)))
        return Call("append", "POST", f"{path}/messages", {"messages": [{"role": role, "content": said}]})

    def recall(self) -> Call:
        """By some of the words of something that it knows, in their order."""
        text = self.random.choice(self.known)[1] if self.known else self.random.choice(self.texts)
        words = text.rstrip(".").split()
        chosen = sorted(self.random.sample(range(len(words)), min(len(words), 6)))
        query = " ".join(words[place] for place in chosen)
        return Call("search", "POST", "/ltm/memories/search", {"user_id": self.user, "query": query, "limit": LIMIT},
                    finds if self.known else None)

    def reflect(self) -> Calls:
        """What it does with its memories after a turn: at times one of these, mostly nothing."""
        chance = self.random.random()
        if chance < .2:
            yield from self.remember("remember", {"infer": False})
        elif chance < .25:
            text = self.random.choice(self.texts)
            yield Call("remember a while", "POST", "/ltm/memories", {"user_id": self.user, "messages": text,
                       "infer": False, "ttl_seconds": SHORT_LIFE, "category": "episodic"})
        elif chance < .3:
            yield from self.remember("extract", {"infer": True})
        elif self.known and chance < .38:
            place = self.random.randrange(len(self.known))
            memory_id, _ = self.known[place]
            self.known[place] = memory_id, self.random.choice(self.texts)
            yield Call("update", "PUT", f"/ltm/memories/{memory_id}", {"data": self.known[place][1]})
        elif self.known and chance < .42:
            memory_id, _ = self.random.choice(self.known)
            yield Call("history", "GET", f"/ltm/memories/{memory_id}/history")
        elif chance < .46:
            yield Call("list", "GET", f"/ltm/memories?user_id={self.user}&limit=20")

    def remember(self, kind: str, how: dict) -> Calls:
        reply = yield Call(kind, "POST", "/ltm/memories",
                           {"user_id": self.user, "messages": self.random.choice(self.texts), **how})
        self.known += [(memory["id"], memory["memory"]) for memory in reply.get("results", [])
                       if memory["event"] == "ADD"]

    def tidy_up(self) -> Calls:
        """Forgets the oldest, one alone and the rest at once."""
        surplus = [memory_id for memory_id, _ in self.known[:max(0, len(self.known) - KEPT)]]
        del self.known[:len(surplus)]
        if surplus:
            yield Call("forget", "DELETE", f"/ltm/memories/{surplus.pop()}")
        if surplus:
            yield Call("forget some", "POST", "/ltm/memories/batch/delete", {"memory_ids": surplus})
