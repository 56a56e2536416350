#!/usr/bin/env python3
"""Writes all-MiniLM-L6-v2 as an ONNX graph from the weights that sentence-transformers published.

    build_model.py WEIGHTS_DIRECTORY OUTPUT_DIRECTORY {int8|fp32}

Inputs `input_ids` and `attention_mask` [batch, sequence]; output `last_hidden_state` [batch, sequence, 384],
whose mean over a text's tokens, L2-normalized, is its embedding. The files beside it are those of any
model's directory: config.json, tokenizer.json, and sentence_bert_config.json, which says how many of a text's
tokens count.

int8 keeps the weights of linear layers in 8 bits with a scale for each 128 of them, and activations are
quantized the same way row by row (MatMulNBits, accuracy level 4). What ONNX Runtime's quantize_dynamic
makes takes two thirds of the time, but has one scale for all activations of a text: its error is six times
as large (mean cosine to fp32 .993, not .999), and grows where products saturate, on processors without
VNNI (.991).
"""

import json
import pathlib
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

NAME = "all-MiniLM-L6-v2"
BLOCK = 128  # weights that share a scale
OUTPUT = "last_hidden_state"
FUSED = "com.microsoft"  # the domain of ONNX Runtime's own operators


class Graph:
    """Nodes and constants, each named by its output."""

    def __init__(self, weights, eight_bits):
        self.weights = weights
        self.eight_bits = eight_bits
        self.nodes = []
        self.constants = []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator, inputs, name, domain="", outputs=None, **attributes):
        node = helper.make_node(operator, inputs, outputs or [name], name, domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def embed(self, name, table):
        """Rows of `table` for input_ids."""
        if not self.eight_bits:
            return self.add("Gather", [self.constant(f"{name}.table", table), "input_ids"], name)
        scales = np.abs(table).max(axis=1, keepdims=True) / 127
        rows = np.round(table / scales).astype(np.int8)
        chosen = self.add("Gather", [self.constant(f"{name}.rows", rows), "input_ids"], f"{name}.row")
        chosen = self.add("Cast", [chosen], f"{name}.float", to=TensorProto.FLOAT)
        scale = self.add("Gather", [self.constant(f"{name}.scales", scales), "input_ids"], f"{name}.scale")
        return self.add("Mul", [chosen, scale], name)

    def linear(self, name, x, weight, bias=None):
        """x · weightᵀ + bias; weight [outputs, inputs]."""
        if not self.eight_bits:
            y = self.add("MatMul", [x, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
            if bias is None:
                return y
            return self.add("Add", [y, self.constant(f"{name}.bias", bias)], name)
        outputs, inputs = weight.shape
        blocks = weight.reshape(outputs, inputs // BLOCK, BLOCK)
        scales = np.abs(blocks).max(axis=2) / 127
        bits = (np.round(blocks / scales[..., None]) + 128).astype(np.uint8)  # 128 means 0
        operands = [x, self.constant(f"{name}.bits", bits), self.constant(f"{name}.scales", scales)]
        if bias is not None:
            operands += ["", "", self.constant(f"{name}.bias", bias)]
        size = {"K": inputs, "N": outputs, "bits": 8, "block_size": BLOCK}
        return self.add("MatMulNBits", operands, name, FUSED, accuracy_level=4, **size)

    def normalize(self, name, x, key, epsilon):
        # Not SkipLayerNormalization: adding and then this takes a quarter of its time.
        gain = self.constant(f"{name}.gain", self.weights[f"{key}.weight"])
        bias = self.constant(f"{name}.bias", self.weights[f"{key}.bias"])
        return self.add("LayerNormalization", [x, gain, bias], name, axis=-1, epsilon=epsilon)


def build(weights, config, eight_bits):
    graph = Graph(weights, eight_bits)
    epsilon = config["layer_norm_eps"]

    # A text is one segment, so the embedding of its type is a part of every position's.
    positions = weights["embeddings.position_embeddings.weight"]
    positions = positions + weights["embeddings.token_type_embeddings.weight"][0]
    words = graph.embed("words", weights["embeddings.word_embeddings.weight"])
    length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.constant("zero", np.array([0]))
    table = graph.constant("positions.table", positions)
    places = graph.add("Slice", [table, zero, length, zero], "positions")
    x = graph.add("Add", [words, places], "embedded")
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    x = graph.normalize("embedded.norm", x, "embeddings.LayerNorm", epsilon)

    for layer in range(config["num_hidden_layers"]):
        key, name = f"encoder.layer.{layer}", f"layer{layer}"

        def part(tensor):
            return weights[f"{key}.{tensor}"]

        three = ["query", "key", "value"]
        merged = np.concatenate([part(f"attention.self.{which}.weight") for which in three])
        biases = np.concatenate([part(f"attention.self.{which}.bias") for which in three])
        qkv = graph.linear(f"{name}.qkv", x, merged)
        split = [f"{name}.{which}" for which in three]
        graph.add("Split", [qkv], f"{name}.split", outputs=split, axis=-1, num_outputs=3)
        operands = [*split, graph.constant(f"{name}.qkv.bias", biases), "mask"]
        y = graph.add("MultiHeadAttention", operands, f"{name}.attention", FUSED,
                      num_heads=config["num_attention_heads"])
        y = graph.linear(f"{name}.mixed", y, part("attention.output.dense.weight"),
                         part("attention.output.dense.bias"))
        x = graph.add("Add", [y, x], f"{name}.attended")
        x = graph.normalize(f"{name}.attended.norm", x, f"{key}.attention.output.LayerNorm", epsilon)

        y = graph.linear(f"{name}.wide", x, part("intermediate.dense.weight"))
        bias = graph.constant(f"{name}.wide.bias", part("intermediate.dense.bias"))
        y = graph.add("BiasGelu", [y, bias], f"{name}.gelu", FUSED)  # by erf
        y = graph.linear(f"{name}.narrow", y, part("output.dense.weight"), part("output.dense.bias"))
        x = graph.add("Add", [y, x], f"{name}.thought")
        last = layer + 1 == config["num_hidden_layers"]
        result = OUTPUT if last else f"{name}.thought.norm"
        x = graph.normalize(result, x, f"{key}.output.LayerNorm", epsilon)

    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
              for name in ("input_ids", "attention_mask")]
    states = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", "sequence", config["hidden_size"]])
    body = helper.make_graph(graph.nodes, NAME, inputs, [states], graph.constants)
    operators = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(body, opset_imports=operators, ir_version=9)


def main() -> int:
    source, target, precision = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    config = json.loads((source / "config.json").read_text())
    model = build(load_file(source / "model.safetensors"), config, precision == "int8")
    onnx.save(model, target / "model.onnx")
    # `model` names the vectors, which are not those of another precision.
    description = {
        **{key: config[key] for key in ("model_type", "hidden_size", "max_position_embeddings")},
        "model": f"{NAME}-{precision}",
    }
    (target / "config.json").write_text(json.dumps(description, indent=2) + "\n")
    for name in ("tokenizer.json", "sentence_bert_config.json"):
        shutil.copy(source / name, target / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
