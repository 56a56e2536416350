"""Compares our tokens with those of Hugging Face's `tokenizers`, of an uncased and of a cased model.

MAAS_EMBED_TEXTS names the program that embed_texts_main.cpp makes, MAAS_TEST_MODEL_DIR a model that
scripts/model makes. No network.
"""

import pathlib
import random

import pytest
from embed_texts import make_tiny_model, named, run
from support.reference_embedder import read_tokenizer

MAX_TOKENS = 256
RANDOM_TEXTS = 6000


@pytest.fixture(scope="module", params=["uncased", "cased"])
def directory(request, tmp_path_factory):
    if request.param == "uncased":
        return pathlib.Path(named("MAAS_TEST_MODEL_DIR"))
    return make_tiny_model(tmp_path_factory.mktemp("cased") / "model")


def assert_same_ids(directory, texts):
    rows = run(texts, "ids", directory, MAX_TOKENS)
    theirs = read_tokenizer(directory, MAX_TOKENS).encode_batch(texts)
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


def test_tokens_of_random_texts_are_those_of_the_reference(directory):
    rng = random.Random(1)
    assert_same_ids(directory, [random_text(rng) for _ in range(RANDOM_TEXTS)])


def test_each_code_point_is_read_like_the_reference_reads_it(directory):
    # Whether it is dropped, a space, punctuation or a letter shows in the words around it.
    codes = [*range(0xD800), *range(0xE000, 0x33480), *range(0x33480, 0x110000, 61), *range(0xE0000, 0xE0200)]
    step = 40
    texts = ["".join(f"a{chr(code)}b " for code in codes[at : at + step]) for at in range(0, len(codes), step)]
    assert_same_ids(directory, texts)


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
def test_tokens_of_edge_cases_are_those_of_the_reference(directory, text):
    assert_same_ids(directory, [text])
