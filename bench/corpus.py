"""Memories to measure with: texts about topics, in sessions, and vectors that lie as a sentence model's do,
made without that model's cost. The same every time.

Words come from the model's own vocabulary, which is in the order of frequency. A memory's vector is the
weighted mean of its words' vectors, which the model gives once (Arora et al., "A Simple but Tough-to-Beat
Baseline for Sentence Embeddings", 2017), and noise.
"""

import dataclasses
import json
import pathlib

import numpy

SEED = 20
COMMON_WORDS = 6000   # as frequent as Zipf says
RARE_WORDS = 30_000   # names and compounds, all equally rare
TOPICS = 200
TOPIC_WORDS = 60
FIRST_TOPIC_WORD = 150  # what is more frequent belongs to no topic
CHARACTERS = 120      # of a memory; the last word may end after that
SHARE_OF_TOPIC, SHARE_RARE = .5, .05
WORDS = 30            # more than fit into a text
QUERY_WORDS = (5, 8)
SESSION = (8, 30)     # memories in a row, a minute apart; a day lies between sessions
FIRST_TIME = 1_700_000_000
NOISE = .3            # its length beside a vector's
WEIGHT = 1e-3         # a in a / (a + frequency): how little the frequent words count


@dataclasses.dataclass
class Memories:
    """What one scope holds, oldest first."""

    user: str
    texts: list[str]
    times: list[int]  # seconds since the epoch
    words: numpy.ndarray  # of each, as indices into the corpus' words; -1: no more


class Corpus:
    def __init__(self, tokenizer: pathlib.Path):
        random = numpy.random.default_rng(SEED)
        ids = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
        lines = sorted(ids, key=ids.get)
        lines = lines[lines.index("the"):]
        plain = [word for word in lines
                 if word.isascii() and word.isalpha() and (len(word) > 1 or word in "ai")]
        self.common = plain[:COMMON_WORDS]
        self.parts = random.integers(FIRST_TOPIC_WORD, COMMON_WORDS, (RARE_WORDS, 2))  # of the rare words
        self.words = self.common + [self.common[a] + self.common[b] for a, b in self.parts]
        self.frequency = zipf(COMMON_WORDS)
        choices = numpy.arange(FIRST_TOPIC_WORD, COMMON_WORDS)
        self.topics = numpy.stack([random.choice(choices, TOPIC_WORDS, False) for _ in range(TOPICS)])

    def memories(self, user: str, count: int, seed: int) -> Memories:
        random = numpy.random.default_rng([SEED, seed])
        topics, times = self._sessions(random, count)
        of_topic = self.topics[topics[:, None], pick(random, zipf(TOPIC_WORDS), (count, WORDS))]
        rare = random.integers(COMMON_WORDS, len(self.words), (count, WORDS))
        kind = random.random((count, WORDS))
        words = pick(random, self.frequency, (count, WORDS))
        words = numpy.where(kind < SHARE_OF_TOPIC, of_topic, words)
        words = numpy.where(kind > 1 - SHARE_RARE, rare, words)
        texts = []
        for row in words:
            said, size = [], 0
            for position, word in enumerate(row):
                if size >= CHARACTERS:
                    row[position:] = -1
                    break
                said.append(self.words[word])
                size += len(said[-1]) + 1
            texts.append(" ".join(said).capitalize() + ".")
        return Memories(user, texts, times, words)

    def _sessions(self, random, count: int):
        """Of each memory its topic, mostly that of its session, and its time."""
        topics, times, time = [], [], FIRST_TIME
        while len(times) < count:
            topic = random.integers(TOPICS)
            for _ in range(random.integers(*SESSION)):
                topics.append(topic if random.random() < .7 else random.integers(TOPICS))
                times.append(time)
                time += 60
            time += 86_400
        return numpy.array(topics[:count]), times[:count]

    def queries(self, memories: Memories, count: int, seed: int) -> list[str]:
        """Each some words of one of the memories, in their order."""
        random = numpy.random.default_rng([SEED, seed])
        found = []
        for number in random.integers(len(memories.texts), size=count):
            words = memories.words[number][memories.words[number] >= 0]
            some = min(len(words), random.integers(QUERY_WORDS[0], QUERY_WORDS[1] + 1))
            kept = numpy.sort(random.choice(len(words), some, False))
            found.append(" ".join(self.words[word] for word in words[kept]))
        return found

    def set_word_vectors(self, vectors: dict[str, numpy.ndarray]):
        """`vectors` has one of each common word."""
        common = numpy.stack([vectors[word] for word in self.common])
        # What all words have in common says nothing, and would make all memories alike.
        common = common - numpy.average(common, axis=0, weights=self.frequency)
        rare = (common[self.parts[:, 0]] + common[self.parts[:, 1]]) / 2
        weights = numpy.concatenate([WEIGHT / (WEIGHT + self.frequency), numpy.ones(RARE_WORDS)])
        self.word_vectors = numpy.concatenate([common, rare]) * weights[:, None]
        self.word_vectors = numpy.vstack([self.word_vectors, 0 * self.word_vectors[:1]]).astype("float32")

    def vectors(self, memories: Memories, seed: int) -> numpy.ndarray:
        """A row of unit length for each memory; float32."""
        random = numpy.random.default_rng([SEED, seed])
        made = numpy.empty((len(memories.texts), self.word_vectors.shape[1]), "float32")
        for begin in range(0, len(made), 500):
            part = slice(begin, begin + 500)
            made[part] = unit(self.word_vectors[memories.words[part]].sum(axis=1))  # -1: the row of zeros
            noise = random.standard_normal(made[part].shape, "float32")
            made[part] = unit(made[part] + NOISE * unit(noise))
        return made


def zipf(count: int) -> numpy.ndarray:
    shares = 1 / numpy.arange(3, count + 3)
    return shares / shares.sum()


def pick(random, shares: numpy.ndarray, shape: tuple) -> numpy.ndarray:
    picked = numpy.searchsorted(shares.cumsum(), random.random(shape))
    return numpy.minimum(picked, len(shares) - 1)


def unit(rows: numpy.ndarray) -> numpy.ndarray:
    return rows / numpy.maximum(numpy.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
