"""Random sequences of calls, compared with a slow and obvious model of which memories there are and match a word."""

import dataclasses
import random

import pytest
from support.memories import CATEGORIES, HOUR, LONG_AGO, Memories, Vocabulary, ids, unique, wait_until_expired

SEEDS = range(12)
STEPS = 60
WORDS = Vocabulary(7).words(9)  # no two have four letters in a row in common: a query of one matches that word alone


@dataclasses.dataclass
class Held:
    id: str
    scope: dict
    text: str
    category: str
    time: float
    tag: int


class Model:
    def __init__(self):
        self.held: dict[str, Held] = {}

    def within(self, scope: dict) -> list[Held]:
        return [memory for memory in self.held.values()
                if all(memory.scope.get(name) == value for name, value in scope.items())]

    def twins(self, scope: dict, category: str, text: str) -> set[str]:
        """What a new memory would be a duplicate of."""
        return {memory.id for memory in self.held.values()
                if (memory.scope, memory.category, memory.text.lower()) == (scope, category, text.lower())}

    def matching(self, scope: dict, word: str) -> set[str]:
        return {memory.id for memory in self.within(scope) if word in memory.text.lower().split()}


class Run:
    """One sequence of calls; every step leaves the server and the model alike, or fails."""

    def __init__(self, client, seed: int):
        self.client = client
        self.random = random.Random(seed)
        self.model = Model()
        user = unique()
        self.scopes = [{"user_id": user}, {"user_id": user, "agent_id": "a"}, {"user_id": user, "session_id": "s"},
                       {"user_id": user, "agent_id": "a", "session_id": "s"}, {"user_id": unique()}]
        self.time = LONG_AGO

    def memories(self, scope: dict | None = None) -> Memories:
        return Memories(self.client, **(scope or self.random.choice(self.scopes)))

    def text(self) -> str:
        words = self.random.sample(WORDS, self.random.randint(1, 3))
        return " ".join(self.random.choice([str.lower, str.upper])(word) for word in words)

    def any(self) -> Held | None:
        return self.random.choice(list(self.model.held.values())) if self.model.held else None

    def add(self):
        memories = self.memories()
        category, text, tag = self.random.choice(CATEGORIES[:2]), self.text(), self.random.randint(0, 3)
        self.time += 48 * HOUR  # nobody's neighbour
        reply = memories.add(text, category=category, metadata={"tag": tag}, timestamp=self.time)
        twins = self.model.twins(memories.scope, category, text)
        assert reply["event"] == ("NOOP" if twins else "ADD")
        if twins:
            assert reply["id"] in twins
        else:
            assert reply["id"] not in self.model.held
            self.model.held[reply["id"]] = Held(reply["id"], memories.scope, text, category, self.time, tag)

    def update(self):
        if memory := self.any():
            fields = self.random.choice([{}, {"category": self.random.choice(CATEGORIES[:2])},
                                         {"metadata": {"tag": self.random.randint(0, 3)}}])
            memory.text = self.text()
            self.memories().update(memory.id, memory.text, **fields)
            memory.category = fields.get("category", memory.category)
            memory.tag = fields.get("metadata", {"tag": memory.tag})["tag"]

    def delete(self):
        if memory := self.any():
            self.memories().delete(memory.id)
            del self.model.held[memory.id]

    def delete_some(self):
        gone = self.random.sample(list(self.model.held), min(3, len(self.model.held)))
        assert self.memories().batch("delete", gone, "memory_ids")["failed"] == 0
        for memory_id in gone:
            del self.model.held[memory_id]

    def forget(self):
        memories = self.memories(self.random.choice(self.scopes[1:]))
        gone = self.model.within(memories.scope)
        assert memories.forget() == len(gone)
        for memory in gone:
            del self.model.held[memory.id]

    def expire(self):
        some = self.random.sample(list(self.model.held.values()), min(3, len(self.model.held)))
        ending = [self.memories().update(memory.id, memory.text, ttl_seconds=1) for memory in some]
        for memory in some:
            del self.model.held[memory.id]
        if ending:
            wait_until_expired(*ending)
        if self.random.random() < 0.5:
            self.memories().forget_expired()

    def compare(self):
        memories = self.memories()
        word = self.random.choice(WORDS)
        expected = self.model.matching(memories.scope, word)
        assert set(ids(memories.search(word))) == expected
        category, tag = self.random.choice(CATEGORIES[:2]), self.random.randint(0, 3)
        narrowed = {memory_id for memory_id in expected if self.model.held[memory_id].category == category
                    and self.model.held[memory_id].tag >= tag}
        filters = {"metadata.tag": {"gte": tag}}
        assert set(ids(memories.search(word, categories=[category], filters=filters))) == narrowed
        newest_first = sorted(self.model.within(memories.scope), key=lambda memory: memory.time, reverse=True)
        assert [(memory["id"], memory["memory"]) for memory in memories.walk(limit=self.random.randint(1, 9))] == [
            (memory.id, memory.text) for memory in newest_first]

    def compare_all(self):
        for scope in self.scopes:
            for word in WORDS:
                assert set(ids(self.memories(scope).search(word))) == self.model.matching(scope, word)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_server_and_the_model_agree(ltm_client, seed):
    run = Run(ltm_client, seed)
    steps = [(run.add, 40), (run.update, 18), (run.delete, 8), (run.delete_some, 2), (run.forget, 1), (run.compare, 30)]
    for number in range(STEPS):
        if number in (STEPS // 3, 2 * STEPS // 3):
            run.expire()
        [step] = run.random.choices(*zip(*steps))
        step()
    run.compare_all()
