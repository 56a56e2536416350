#!/usr/bin/env python3
"""Writes a small sentence embedding model of random weights, for tests: a cased BERT whose first token's vector
is the embedding.

    tiny_bert.py DIRECTORY

The graph has the operators, inputs and outputs that PyTorch's exporter writes for a BertModel: three inputs,
the states of all tokens, and the pooler's output, which is no embedding. Needs numpy and onnx.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN, HEADS, LAYERS, POSITIONS = 48, 4, 2, 512
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "dog", "Dog", "is", "three", "years", "old", "We", "moved", "Köln", "café", "##ing", "##ed"]


def vocabulary() -> dict[str, int]:
    spans = [(0x21, 0x7E), (0xA1, 0x17F), (0x391, 0x3C9), (0x410, 0x44F), (0x621, 0x64A), (0x4E00, 0x4EFF)]
    letters = [chr(code) for first, last in spans for code in range(first, last + 1)]
    tokens = [*SPECIALS, *WORDS, *letters, *("##" + letter for letter in letters)]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def tokenizer(vocab: dict[str, int]) -> dict:
    specials = [{"id": vocab[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                 "normalized": False, "special": True} for token in SPECIALS]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": specials,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": False},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", vocab["[SEP]"]],
                           "cls": ["[CLS]", vocab["[CLS]"]]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    }


class Graph:
    def __init__(self):
        self.random = np.random.default_rng(7)
        self.nodes, self.constants = [], []

    def constant(self, array) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def weight(self, *shape) -> str:
        return self.constant(self.random.normal(0, shape[0] ** -.5, shape).astype(np.float32))

    def integers(self, *values) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def add(self, operator, *inputs, name=None, **attributes) -> str:
        name = name or f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def linear(self, x, inputs, outputs) -> str:
        return self.add("Add", self.weight(outputs), self.add("MatMul", x, self.weight(inputs, outputs)))

    def normalized(self, x, name=None) -> str:
        gain = self.constant(np.ones(HIDDEN, dtype=np.float32))
        return self.add("LayerNormalization", x, gain, self.weight(HIDDEN), name=name, axis=-1, epsilon=1e-12)

    def heads(self, x, order) -> str:
        parted = self.add("Reshape", x, self.integers(0, 0, HEADS, HIDDEN // HEADS))
        return self.add("Transpose", parted, perm=order)

    def attention(self, x, mask) -> str:
        q, k, v = (self.heads(self.linear(x, HIDDEN, HIDDEN), order)
                   for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        scale = self.constant(np.float32((HIDDEN // HEADS) ** .5))
        scores = self.add("Add", self.add("Div", self.add("MatMul", q, k), scale), mask)
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), v)
        joined = self.add("Reshape", self.add("Transpose", mixed, perm=[0, 2, 1, 3]), self.integers(0, 0, HIDDEN))
        return self.linear(joined, HIDDEN, HIDDEN)

    def gelu(self, x) -> str:
        error = self.add("Erf", self.add("Div", x, self.constant(np.float32(2 ** .5))))
        doubled = self.add("Mul", x, self.add("Add", error, self.constant(np.float32(1))))
        return self.add("Mul", doubled, self.constant(np.float32(.5)))


def build(tokens: int) -> onnx.ModelProto:
    graph = Graph()
    length = graph.add("Shape", "input_ids", start=1, end=2)
    places = graph.add("Slice", graph.weight(POSITIONS, HIDDEN), graph.integers(0), length, graph.integers(0))
    x = graph.add("Add", graph.add("Gather", graph.weight(tokens, HIDDEN), "input_ids"),
                  graph.add("Gather", graph.weight(2, HIDDEN), "token_type_ids"))
    x = graph.normalized(graph.add("Add", x, places))
    kept = graph.add("Cast", graph.add("Unsqueeze", "attention_mask", graph.integers(1, 2)), to=TensorProto.FLOAT)
    mask = graph.add("Mul", graph.add("Sub", graph.constant(np.float32(1)), kept),
                     graph.constant(np.finfo(np.float32).min))
    for layer in range(LAYERS):
        x = graph.normalized(graph.add("Add", graph.attention(x, mask), x))
        wide = graph.gelu(graph.linear(x, HIDDEN, 4 * HIDDEN))
        last = "last_hidden_state" if layer + 1 == LAYERS else None
        x = graph.normalized(graph.add("Add", graph.linear(wide, 4 * HIDDEN, HIDDEN), x), last)
    first = graph.add("Gather", x, graph.constant(np.int64(0)), axis=1)
    graph.add("Tanh", graph.linear(first, HIDDEN, HIDDEN), name="pooler_output")

    def value(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, ["batch", *shape])

    inputs = [value(name, TensorProto.INT64, "sequence") for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [value("pooler_output", TensorProto.FLOAT, HIDDEN),
               value("last_hidden_state", TensorProto.FLOAT, "sequence", HIDDEN)]
    body = helper.make_graph(graph.nodes, "tiny", inputs, outputs, graph.constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> int:
    target = pathlib.Path(sys.argv[1])
    (target / "1_Pooling").mkdir(parents=True)
    vocab = vocabulary()
    files = {
        "config.json": {"model_type": "bert", "hidden_size": HIDDEN, "max_position_embeddings": POSITIONS},
        "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": True,
                                  "pooling_mode_mean_tokens": False},
        "tokenizer.json": tokenizer(vocab),
    }
    for name, content in files.items():
        (target / name).write_text(json.dumps(content, ensure_ascii=False))
    onnx.save(build(len(vocab)), target / "model_optimized.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
