"""A sentence embedding model in a directory of one's own. Runs where MAAS_TEST_MODEL_DIR names one."""

import concurrent.futures
import json
import os
import pathlib

import pytest
from support.memories import Memories
from support.processes import Server, serving, wait_until

MODEL = os.environ.get("MAAS_TEST_MODEL_DIR", "")
pytestmark = pytest.mark.skipif(not MODEL, reason="MAAS_TEST_MODEL_DIR names no model")
FILES = ["model.onnx", "tokenizer.json", "config.json", "libonnxruntime.so"]


@pytest.fixture
def model(tmp_path) -> pathlib.Path:
    """A directory with the least that is needed; each test may break a file."""
    directory = tmp_path / "my-model"
    directory.mkdir()
    for name in FILES:
        (directory / name).symlink_to(pathlib.Path(MODEL) / name)
    config = json.loads((pathlib.Path(MODEL) / "config.json").read_text())
    config.pop("model")  # it is somebody else's
    overwrite(directory / "config.json", json.dumps(config))
    return directory


def overwrite(file: pathlib.Path, content: str):
    file.unlink(missing_ok=True)
    file.write_text(content)


def settings(model: pathlib.Path, **others: str) -> dict[str, str]:
    return {"EMBEDDING_PROVIDER": "fastembed", "EMBEDDING_MODEL_PATH": str(model), "EMBEDDING_CACHE_MB": "0", **others}


def refused(directory: pathlib.Path, **chosen: str) -> str:
    ended = Server(directory, **chosen).run("serve", "--port", "0")
    assert ended.returncode > 0
    assert "Sanitizer" not in ended.stderr
    return ended.stdout + ended.stderr


def check_of(client) -> dict:
    return client.get("/health/ready").json()["checks"]["embedder"]


def test_memories_are_found_by_what_they_mean(tmp_path, model):
    with serving(tmp_path, **settings(model)) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        memories.apart("My physician told me to rest", "I adopted a puppy last spring", "Stocks fell today")
        assert memories.found("Does she have a dog?", limit=1) == ["I adopted a puppy last spring"]
        check = check_of(client)
        assert (check["engine"], check["status"]) == ("fastembed", "ok")


def test_check_tells_the_model_and_its_dimensions(tmp_path, model):
    ended = Server(tmp_path, **settings(model)).run("check")
    assert ended.returncode == 0, ended.stdout
    assert "fastembed" in ended.stdout and "my-model/384 embeds in 384 dimensions" in ended.stdout


def test_it_has_the_name_that_it_is_given(tmp_path, model):
    ended = Server(tmp_path, **settings(model, EMBEDDING_MODEL="BAAI/bge-small-en", EMBEDDING_DIMS="384")).run("check")
    assert "BAAI/bge-small-en/384" in ended.stdout


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_file_that_is_missing_is_named(tmp_path, model, name):
    (model / name).unlink()
    said = refused(tmp_path, **settings(model))
    assert f"{model}: the directory lacks {name}" in said
    assert "EMBEDDING_MODEL_PATH" in said


def test_other_dimensions_than_are_set_are_refused(tmp_path, model):
    said = refused(tmp_path, **settings(model, EMBEDDING_DIMS="768"))
    assert "384" in said and "768" in said


def test_a_directory_has_to_be_named(tmp_path):
    assert "EMBEDDING_MODEL_PATH is needed" in refused(tmp_path, EMBEDDING_PROVIDER="fastembed")


@pytest.mark.parametrize("kind", ["BPE", "Unigram"])
def test_a_tokenizer_of_another_kind_is_refused(tmp_path, model, kind):
    overwrite(model / "tokenizer.json", json.dumps({"model": {"type": kind, "vocab": {}}}))
    said = refused(tmp_path, **settings(model))
    assert f"tokenizer.json: its model is {kind}, and only WordPiece is supported" in said


def test_a_graph_that_cant_be_loaded_is_told_and_loses_nothing(tmp_path, model):
    with serving(tmp_path, **settings(model)) as server, server.client() as client:
        kept = Memories(client, user_id="u").store("I play the violin")
    overwrite(model / "model.onnx", "no graph")
    with serving(tmp_path, **settings(model)) as server, server.client() as client:
        reply = client.post("/ltm/memories", json={"messages": "lost?", "user_id": "u", "infer": False})
        assert reply.status_code == 503
        assert str(model / "model.onnx") in json.dumps(reply.json())
        assert client.get("/health").status_code == 200
        assert client.get("/health/ready").status_code == 503
        assert "model.onnx" in check_of(client)["detail"]
        assert Memories(client, user_id="u").list() == [kept]
        assert server.log().count('"level":"error"') == 1
    ended = Server(tmp_path, **settings(model)).run("check")
    assert ended.returncode != 0 and "model.onnx" in ended.stdout


def test_loading_delays_no_health_check_and_calls_wait_for_it(tmp_path, model):
    """The graph is a pipe: loading stands still until the test writes it."""
    graph = model / "model.onnx"
    content = graph.read_bytes()
    graph.unlink()
    os.mkfifo(graph)
    with serving(tmp_path, **settings(model)) as server, server.client() as client:
        assert client.get("/health/ready").status_code == 503
        assert "being loaded" in check_of(client)["detail"]
        memories = Memories(client, user_id="u")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            adding = pool.submit(memories.store, "I play the violin")
            with server.client() as other:
                assert other.get("/health").status_code == 200
                assert not adding.done()
            graph.write_bytes(content)
            stored = adding.result(30)
        assert memories.list() == [stored]
        wait_until(lambda: client.get("/health/ready").status_code == 200, 5, "the model")
