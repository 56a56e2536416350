"""However a scope came to hold its memories, it ranks them alike: in one go, bit by bit, or read anew."""

import random

import pytest
from support.memories import HOUR, LONG_AGO, WORDS_ONLY, Memories, Vocabulary
from support.processes import Server
from support.sessions import message

SEEDS = range(4)
STEPS = 90
WORDS = Vocabulary(11).words(25)
NAMES = ("Ana", "Ben")


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path, **WORDS_ONLY)
    yield server
    server.kill()


class Conversation:
    """Random changes of one scope: memories lie close together, come late, change and go."""

    def __init__(self, memories: Memories, seed: int):
        self.memories = memories
        self.random = random.Random(seed)
        self.held: dict[str, dict] = {}  # id -> how to tell it anew; in order of arrival
        self.number = 0

    def text(self) -> str:
        self.number += 1  # no two are alike
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 9))) + f" {self.number}"

    def add(self):
        time = LONG_AGO + self.random.randrange(40) * 0.4 * HOUR + self.number / 1000
        said = [{**message(self.text()), "name": self.random.choice(NAMES)} for _ in range(self.random.randint(1, 4))]
        for item, result in zip(said, self.memories.remember(*said, timestamp=time), strict=True):
            self.held[result["id"]] = {"said": item, "time": time}

    def update(self):
        memory_id = self.random.choice(list(self.held))
        self.held[memory_id]["said"]["content"] = self.text()
        self.memories.update(memory_id, self.held[memory_id]["said"]["content"])

    def delete(self):
        memory_id = self.random.choice(list(self.held))
        self.memories.delete(memory_id)
        del self.held[memory_id]

    def search(self):
        """So that the server has the scope at hand when it changes."""
        self.memories.search(self.random.choice(WORDS))

    def run(self):
        self.add()
        for _ in range(STEPS):
            actions = [self.add, self.search] + ([self.update, self.delete] if len(self.held) > 3 else [])
            self.random.choice(actions)()

    def told_anew(self, other: Memories):
        """The same memories in another scope, in order of time."""
        for memory in sorted(self.held.values(), key=lambda memory: memory["time"]):
            other.remember(memory["said"], timestamp=memory["time"])


def ranking(memories: Memories, queries: list[str]) -> dict:
    """For each query the texts that are found with their scores and lexical parts."""
    return {query: {found["memory"]: (found["score"], found["explanation"]["lexical"])
                    for found in memories.search(query, limit=1000, explain=True)} for query in queries}


def assert_alike(one: dict, other: dict):
    for query in one:
        assert set(one[query]) == set(other[query]), query
        for text, numbers in one[query].items():
            assert other[query][text] == pytest.approx(numbers, rel=1e-4, abs=1e-6), (query, text)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scope_that_grew_and_changed_ranks_like_one_read_anew(server, seed):
    choose = random.Random(seed)
    queries = [*WORDS[:8], *(" ".join(choose.sample(WORDS, 3)) for _ in range(5)), f"Ana {WORDS[0]} {WORDS[1]}"]
    with server.start().client() as client:
        conversation = Conversation(Memories(client, user_id="grown"), seed)
        conversation.run()
        grown = ranking(conversation.memories, queries)
        assert any(len(found) > 3 for found in grown.values())
        anew = Memories(client, user_id="anew")
        conversation.told_anew(anew)
        assert_alike(grown, ranking(anew, queries))
    assert server.stop() == 0, server.log()
    with server.start().client() as client:
        assert_alike(grown, ranking(Memories(client, user_id="grown"), queries))
        assert_alike(grown, ranking(Memories(client, user_id="anew"), queries))
    assert server.stop() == 0, server.log()
