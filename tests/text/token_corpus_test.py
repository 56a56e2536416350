"""Compares our token counts with those of tiktoken itself on several megabytes of mixed text.

MAAS_COUNT_TOKENS names the program that tests/text/count_tokens_main.cpp makes. No network.
"""

import os
import pathlib
import pydoc_data.topics
import random
import subprocess
import sys
import sysconfig

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.tokens import encoding  # noqa: E402

ENCODINGS = ["cl100k_base", "o200k_base"]
MIXED_SIZE = 600_000  # characters of each kind of made-up text


@pytest.fixture(scope="module")
def program():
    path = os.environ.get("MAAS_COUNT_TOKENS")
    if not path:
        pytest.skip("MAAS_COUNT_TOKENS does not name the program to test")
    return path


def our_counts(program, texts):
    """Of each text, our number of tokens in each of ENCODINGS."""
    blobs = [text.encode() for text in texts]
    stdin = b"".join(b"%d\n%b" % (len(blob), blob) for blob in blobs)
    output = subprocess.run([program], input=stdin, stdout=subprocess.PIPE, check=True).stdout
    return [tuple(map(int, line.split())) for line in output.splitlines()]


def assert_same_counts(program, texts):
    encoders = [encoding(name) for name in ENCODINGS]
    ours = our_counts(program, texts)
    assert len(ours) == len(texts)
    for text, counts in zip(texts, ours):
        theirs = tuple(len(encoder.encode_ordinary(text)) for encoder in encoders)
        assert counts == theirs, f"{ENCODINGS} of {text[:200]!r}"


def chunks(text, rng):
    """The text in parts of many sizes, so that a difference is found close to where it is."""
    parts = []
    at = 0
    while at < len(text):
        size = int(10 ** rng.uniform(0, 4))
        parts.append(text[at : at + size])
        at += size
    return parts


def concatenate(rng, make):
    parts = []
    size = 0
    while size < MIXED_SIZE:
        parts.append(make(rng))
        size += len(parts[-1])
    return "".join(parts)


def standard_library(limit):
    """Source code with its comments, of the running Python's version."""
    texts = []
    size = 0
    for path in sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py")):
        texts.append(path.read_text(encoding="utf-8", errors="replace"))
        size += len(texts[-1])
        if size > limit:
            break
    return "".join(texts)


def english():
    return "\n\n".join(topic for _, topic in sorted(pydoc_data.topics.topics.items()))


def any_character(rng):
    while True:
        code = rng.randrange(0x110000)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def letters(*ranges):
    return [chr(code) for first, last in ranges for code in range(first, last + 1)]


HAN = letters((0x4E00, 0x9FFF))
COMMON_HAN = "的一是不了人我在有他这中大来上个国和也子时道说对出会三要于下得可你年生自那后能着事其里所去行过家"
KANA = letters((0x3041, 0x3096), (0x30A1, 0x30FA))
HANGUL = letters((0xAC00, 0xD7A3))
CJK_STOPS = "、。「」！？，\n"
SCRIPTS = [
    letters((0x0391, 0x03A9), (0x03B1, 0x03C9)),
    letters((0x0410, 0x044F)),
    letters((0x05D0, 0x05EA)),
    letters((0x0621, 0x064A), (0x064B, 0x0652)),
    letters((0x0904, 0x0939), (0x093E, 0x094D)),
    letters((0x0E01, 0x0E3A), (0x0E40, 0x0E4E)),
    letters((0x00C0, 0x00FF)),
    letters((0x01C4, 0x01CC), (0x01F1, 0x01F3), (0x02B0, 0x02C1)),
]
MARKS = letters((0x0300, 0x036F), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0xFE00, 0xFE0F))
EMOJI = letters((0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x2600, 0x27BF))
SKIN_TONES = letters((0x1F3FB, 0x1F3FF))
FLAGS = letters((0x1F1E6, 0x1F1FF))
ALL_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b"
CONTRACTIONS = ["'s", "'S", "'ſ", "'t", "'re", "'VE", "'m", "'Ll", "'d", "’s", "'x", "''"]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
SPECIAL_TOKENS = ["<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>", "<|im_start|>", "<|", "|>"]
DIGITS = "0123456789٣५៧²½Ⅷ"


def cjk(rng):
    alphabet = rng.choice([HAN, COMMON_HAN, COMMON_HAN, KANA, HANGUL])
    return "".join(rng.choices(alphabet, k=rng.randint(1, 40))) + rng.choice(CJK_STOPS)


def script(rng):
    return "".join(rng.choices(rng.choice(SCRIPTS), k=rng.randint(1, 12))) + rng.choice(" \n.,'")


def emoji(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return "\u200d".join(rng.choices(EMOJI, k=rng.randint(2, 5)))
    if kind == 1:
        return rng.choice(EMOJI) + rng.choice(SKIN_TONES)
    if kind == 2:
        return "".join(rng.choices(FLAGS, k=rng.randint(1, 4)))
    if kind == 3:
        return rng.choice(EMOJI) * rng.randint(1, 30)
    return rng.choice(EMOJI) + rng.choice(["\ufe0f", " ", "!", "a", "\u20e3"])


def marks(rng):
    return rng.choice(["a", "Z", "é", " ", "1", "한", "-"]) + "".join(
        rng.choices(MARKS, k=rng.randint(0, 6))
    )


def any_plane(rng):
    return any_character(rng) + rng.choice(["", "", "", "a", " ", "'s", "\n"])


def white_space(rng):
    alphabet = rng.choice([" ", "\n", " \n", " \t\r\n", ALL_SPACES])
    run = "".join(rng.choices(alphabet, k=rng.randint(1, 30)))
    return run + rng.choice(["a", "B", "1", "!", "é", "/", "\u0301", ""])


def mixed_case(rng):
    alphabet = rng.choice(["aA", "abcXYZ", "éÉñÑaA", "ǅǈaA", "ʰªaA", "ひaA", "İıẞß"])
    word = "".join(rng.choices(alphabet, k=rng.randint(1, 15)))
    return word + rng.choice(CONTRACTIONS + ["", "_", " "])


def symbols(rng):
    alphabet = rng.choice([PUNCTUATION, DIGITS, PUNCTUATION + "\r\n/", "ab1 ", "\0\x01\x1f\x7f"])
    return "".join(rng.choices(alphabet, k=rng.randint(1, 20)))


def special_tokens(rng):
    return rng.choice(SPECIAL_TOKENS) + rng.choice(["", " ", "\n", "a"])


@pytest.mark.parametrize("text", [english(), standard_library(1_500_000)], ids=["english", "code"])
def test_counts_of_written_text_are_those_of_tiktoken(program, text):
    assert_same_counts(program, chunks(text, random.Random(1)))


KINDS = [cjk, script, emoji, marks, any_plane, white_space, mixed_case, symbols, special_tokens]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_counts_of_made_up_text_are_those_of_tiktoken(program, make):
    rng = random.Random(2)
    assert_same_counts(program, chunks(concatenate(rng, make), rng))


def test_counts_of_all_kinds_in_one_text_are_those_of_tiktoken(program):
    rng = random.Random(3)
    text = concatenate(rng, lambda source: source.choice(KINDS)(source))
    assert_same_counts(program, chunks(text, rng))


def test_each_code_point_is_split_like_tiktoken_splits_it(program):
    # What a code point is, a letter, a mark, a number, a space, shows in how its neighbours part.
    def show(code):
        c = chr(code)
        return f"{c}'t a{c}'t 1{c}23456 A{c}a \n{c}\n\n {c} .{c}.\n  {c}"

    # Planes 4 to 16 but for the tags hold no assigned characters: a sample of them will do.
    codes = [*range(0xD800), *range(0xE000, 0x40000), *range(0x40000, 0x110000, 61)]
    codes += range(0xE0000, 0xE0200)
    step = 128
    texts = ["".join(map(show, codes[at : at + step])) for at in range(0, len(codes), step)]
    assert_same_counts(program, texts)


LETTER_UNITS = ["a", "A", "aA", "ab", "é", "ひA", "字", "e\u0301", "\u0301"]
OTHER_UNITS = ["!", '"', "1", "👩\u200d👧", "\n", "\n ", " \n", "\r\n", "\t\n", "x "]


@pytest.mark.parametrize("unit", LETTER_UNITS + OTHER_UNITS, ids=ascii)
def test_counts_of_monotonous_text_are_those_of_tiktoken(program, unit):
    # White space without line ends is not here: tiktoken overflows its stack on much of it.
    assert_same_counts(program, [unit * (size // len(unit)) for size in (97, 1000, 200_000)])


@pytest.mark.parametrize("unit", [" ", "\t", "\u3000"], ids=ascii)
def test_counts_of_white_space_are_those_of_tiktoken(program, unit):
    runs = [unit * size for size in range(1, 300)] + [unit * 5000]
    frames = [(before, behind) for before in ("", "a", "\n") for behind in ("", "a", "\n", "1")]
    texts = [before + run + behind for run in runs for before, behind in frames]
    assert_same_counts(program, texts)
