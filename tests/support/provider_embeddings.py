"""The embedding half of the provider stub: vectors from words, and the replies of each protocol.

A vector is a hashed bag of the lower-cased words and of the 4-grams of each (with # at both ends), with
signs, L2-normalized: the same everywhere and always, and the nearer the more words two texts share.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import random
import re
import typing

import numpy

from support.provider_http import Request

WORD = re.compile(r"\w+")
WEIGHT_OF_A_WORD = 2  # beside a 4-gram's
Vectors = list[numpy.ndarray]


@functools.lru_cache(maxsize=100_000)
def _features(word: str, dims: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Buckets and signed weights of a word and its 4-grams."""
    marked = f"#{word}#"
    grams = [(word, WEIGHT_OF_A_WORD), *((marked[at:at + 4], 1) for at in range(len(marked) - 3))]
    buckets, weights = [], []
    for gram, weight in grams:
        digest = hashlib.blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "little")
        buckets.append((number >> 1) % dims)
        weights.append(weight if number & 1 else -weight)
    return numpy.array(buckets), numpy.array(weights, numpy.float64)


@functools.lru_cache(maxsize=4096)
def embed(text: str, dims: int) -> numpy.ndarray:
    """`dims` float32, L2-normalized, not to be written to."""
    found = [_features(word, dims) for word in WORD.findall(text.lower())]
    counts = numpy.zeros(dims)
    if found:
        buckets, weights = zip(*found)
        counts = numpy.bincount(numpy.concatenate(buckets), numpy.concatenate(weights), dims)
    length = numpy.sqrt(counts @ counts)
    if length == 0:  # no words, or they cancel each other: a real model has a vector even so
        counts[_features(text or " ", dims)[0][0]] = length = 1
    vector = (counts / length).astype(numpy.float32)
    vector.flags.writeable = False
    return vector


def floats(vector: numpy.ndarray) -> str:
    """As a JSON list, NaN as the bare token that Python and others write. Most values are 0, and few differ."""
    texts = ["0"] * len(vector)
    places = vector.nonzero()[0]
    values = vector[places].tolist()
    written = {value: "%.9g" % value for value in set(values)}
    for place, value in zip(places.tolist(), values):
        texts[place] = written[value]
    text = ",".join(texts)
    return f"[{text if 'n' not in text else text.replace('nan', 'NaN').replace('inf', 'Infinity')}]"


def in_base64(vector: numpy.ndarray) -> str:
    """As a JSON text of the little-endian float32 in base64."""
    return f'"{base64.b64encode(vector.astype("<f4").tobytes()).decode()}"'


def token_level(vector: numpy.ndarray, text: str) -> str:
    """A vector for each token; their mean is `vector`. Texts of different lengths have different numbers of them."""
    tokens = 2 + len(WORD.findall(text))
    shift = numpy.random.default_rng(tokens).standard_normal((tokens // 2, len(vector))).astype(numpy.float32)
    rows = [*(vector + shift), *(vector - shift), *([vector] * (tokens % 2))]
    return f"[{','.join(map(floats, rows))}]"


class Options(typing.NamedTuple):
    dims: int
    shuffled: bool = False     # OpenAI's `data` in another order than the texts', with the right `index`
    token_level: bool = False  # Hugging Face answers with a vector for each token
    as_floats: bool = False    # not as base64, whatever the request asks for
    spoil_vectors: typing.Callable[[Vectors], Vectors] | None = None
    spoil_indices: typing.Callable[[list[int]], list[int]] | None = None


def embeddings_body(request: Request, options: Options) -> str:
    """The body of the proper reply, spoiled as the options say."""
    texts, asked = request.texts, request.json
    dims = asked.get("dimensions") or asked.get("output_dimension") or options.dims
    vectors = [embed(text, dims) for text in texts]
    if options.spoil_vectors:
        vectors = options.spoil_vectors(vectors)
    tokens = sum(len(text) for text in texts) // 4 + 1
    model = json.dumps(request.model)
    match request.protocol:
        case "cohere":
            return (f'{{"id":"emb-{tokens}","embeddings":{{"float":[{",".join(map(floats, vectors))}]}},'
                    f'"texts":{json.dumps(texts)},"meta":{{"api_version":{{"version":"2"}},'
                    f'"billed_units":{{"input_tokens":{tokens}}}}},"response_type":"embeddings_by_type"}}')
        case "ollama":
            return (f'{{"model":{model},"embeddings":[{",".join(map(floats, vectors))}],"total_duration":14143917,'
                    f'"load_duration":1019500,"prompt_eval_count":{tokens}}}')
        case "tei":
            return f"[{','.join(map(floats, vectors))}]"
        case "huggingface":
            padded = [*texts, *([""] * (len(vectors) - len(texts)))]
            rows = ([token_level(vector, text) for vector, text in zip(vectors, padded)] if options.token_level
                    else [floats(vector) for vector in vectors])
            return rows[0] if isinstance(asked["inputs"], str) and rows else f"[{','.join(rows)}]"
    write = in_base64 if asked.get("encoding_format") == "base64" and not options.as_floats else floats
    indices = list(range(len(vectors)))
    if options.spoil_indices:
        indices = options.spoil_indices(indices)
    data = [f'{{"object":"embedding","index":{index},"embedding":{write(vector)}}}'
            for index, vector in zip(indices, vectors)]
    if options.shuffled:
        random.Random(len(data)).shuffle(data)
        if len(data) > 1 and data[0].startswith('{"object":"embedding","index":0,'):
            data.append(data.pop(0))  # it fell into the order of the texts, or near it
    return (f'{{"object":"list","data":[{",".join(data)}],"model":{model},'
            f'"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}')
