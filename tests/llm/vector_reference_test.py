"""Compares our vectors with those of ONNX Runtime in Python on the same files, and with those of a plain NumPy
transformer on the published weights.

MAAS_EMBED_TEXTS names the program that embed_texts_main.cpp makes, MAAS_TEST_MODEL_DIR and
MAAS_TEST_EXACT_MODEL_DIR the models in 8 bits and in 32 that scripts/model makes. No network.
"""

import functools
import json
import math
import pathlib
import random

import numpy as np
import pytest
from embed_texts import PUBLISHED, make_tiny_model, named, run
from support.reference_embedder import ReferenceEmbedder, read_tokenizer

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
    sizes = [int(math.exp(rng.uniform(0, math.log(50)))) for _ in range(185)] + [120, 200, 230, 400, 1000]
    return [*WRITTEN, *(" ".join(rng.choices(words, k=size)) for size in sizes)]


TEXTS = texts_of_all_lengths()


def our_vectors(directory, texts):
    """All in one call, so that short texts share runs where the model allows it."""
    rows = run(texts, "vectors", directory)
    return np.array([np.array(row.split(), dtype=np.float32) for row in rows])


@functools.cache
def reference_vectors(directory):
    return ReferenceEmbedder(directory).embed(TEXTS)


def with_all_its_positions(directory, target):
    """The model without the file that lets 256 tokens of a text count: 512 do."""
    target.mkdir()
    for file in pathlib.Path(directory).iterdir():
        if file.name != "sentence_bert_config.json":
            (target / file.name).symlink_to(file)
    return target


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    parent = tmp_path_factory.mktemp("models")
    exact = pathlib.Path(named("MAAS_TEST_EXACT_MODEL_DIR"))
    return {
        "8 bits": pathlib.Path(named("MAAS_TEST_MODEL_DIR")),
        "32 bits": exact,
        "512 tokens": with_all_its_positions(exact, parent / "long"),
        "cased, first token": make_tiny_model(parent / "tiny"),
    }


MODELS = ["8 bits", "32 bits", "512 tokens", "cased, first token"]


def cosines(a, b):
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("model", MODELS)
def test_vectors_are_those_of_the_runtime_in_python(models, model):
    directory = models[model]
    ours = our_vectors(directory, TEXTS)
    assert len(ours) >= 200
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5
    assert cosines(ours, reference_vectors(directory)).min() >= 0.9999


def test_the_reference_gives_the_same_in_padded_batches(models):
    directory = models["32 bits"]
    batches = ReferenceEmbedder(directory).embed(TEXTS, batch=32)
    assert cosines(batches, reference_vectors(directory)).min() >= 0.9999


def test_texts_reach_every_length():
    if not (PUBLISHED / "tokenizer.json").exists():
        pytest.skip(f"{PUBLISHED} does not hold the published model")
    lengths = {len(row.ids) for row in read_tokenizer(PUBLISHED, 512).encode_batch(TEXTS)}
    assert {2, 3, 512} <= lengths and any(256 < length < 512 for length in lengths)


def test_eight_bits_cost_little(models):
    agreement = cosines(reference_vectors(models["8 bits"]), reference_vectors(models["32 bits"]))
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


def test_the_graph_is_the_published_model(models):
    texts = WRITTEN[:10]
    ours = our_vectors(models["32 bits"], texts)
    plain = PlainTransformer()
    tokenizer = read_tokenizer(PUBLISHED, 256)
    theirs = np.array([plain.embed(tokenizer.encode(text).ids) for text in texts])
    assert cosines(ours, theirs).min() >= 0.9999


def test_the_runtime_has_nothing_that_reports_its_use(models):
    for directory in (models["8 bits"], models["32 bits"]):
        assert b"OneCollector" not in (pathlib.Path(directory) / "libonnxruntime.so").read_bytes()
