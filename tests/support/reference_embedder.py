"""Sentence embeddings as Python makes them: Hugging Face's `tokenizers` and ONNX Runtime on a model's directory."""

import json
import pathlib

import numpy as np
import onnxruntime
import tokenizers

GRAPHS = ["model.onnx", "model_optimized.onnx"]


def read_tokenizer(directory: pathlib.Path, max_tokens: int) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


class ReferenceEmbedder:
    """Of models whose files say their pooling and length as those of the tests do."""

    def __init__(self, directory: pathlib.Path, threads: int = 1):
        def said(name, key, standard):
            path = directory / name
            return json.loads(path.read_text()).get(key, standard) if path.exists() else standard

        most = said("config.json", "max_position_embeddings", 512)
        self.tokenizer = read_tokenizer(directory, min(most, said("sentence_bert_config.json", "max_seq_length", most)))
        self.first_token = said("1_Pooling/config.json", "pooling_mode_cls_token", False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        graph = next(directory / name for name in GRAPHS if (directory / name).exists())
        self.session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.inputs = [each.name for each in self.session.get_inputs()]

    def embed(self, texts: list[str], batch: int = 1) -> np.ndarray:
        """[texts, dims], of `batch` texts a run, padded to the longest of them."""
        parts = [self._run(texts[at : at + batch]) for at in range(0, len(texts), batch)]
        return np.concatenate(parts)

    def _run(self, texts: list[str]) -> np.ndarray:
        rows = self.tokenizer.encode_batch(texts)
        ids = np.zeros((len(rows), max(len(row.ids) for row in rows)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row.ids)] = row.ids
            mask[number, : len(row.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self.session.run(["last_hidden_state"], {name: given[name] for name in self.inputs})[0]
        if self.first_token:
            vectors = states[:, 0]
        else:
            vectors = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
