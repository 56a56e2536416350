"""What the server says about its long-term memory: readiness, settings that are wrong, the model that isn't there."""

import pytest
from support.memories import WORDS_ONLY, Memories
from support.processes import Server, serving


def refused(tmp_path, **settings: str) -> str:
    """What a server says that refuses to start."""
    ended = Server(tmp_path, **settings).run("serve", "--port", "0")
    assert ended.returncode not in (0, None) and ended.returncode > 0, "it ended well, or by a signal"
    assert "Sanitizer" not in ended.stderr
    return ended.stdout + ended.stderr


def test_ready_tells_that_memories_are_found_by_words_alone(ltm_client, ltm_engine):
    reply = ltm_client.get("/health/ready")
    assert reply.status_code == 200
    checks = reply.json()["checks"]
    assert (checks["ltm"]["engine"], checks["ltm"]["status"]) == (ltm_engine, "ok")
    assert (checks["embedder"]["engine"], checks["embedder"]["status"]) == ("none", "ok")
    assert "words" in checks["embedder"]["detail"]


def test_words_alone_need_no_warning_when_they_were_asked_for(tmp_path):
    with serving(tmp_path, **WORDS_ONLY) as server:
        assert "MAAS_LOCAL_MODEL" not in server.log()


@pytest.mark.parametrize("make", ["nothing", "empty", "a_file", "broken"])
def test_a_model_that_was_named_and_does_not_work_is_refused(tmp_path, make):
    model = tmp_path / "the model"
    if make == "a_file":
        model.write_text("no directory")
    elif make != "nothing":
        model.mkdir()
    if make == "broken":
        for name in ("model.onnx", "tokenizer.json", "config.json", "libonnxruntime.so"):
            (model / name).write_text("nonsense")
    said = refused(tmp_path, MAAS_LOCAL_MODEL=str(model))
    assert str(model) in said
    assert "MAAS_LOCAL_MODEL" in said


@pytest.mark.parametrize(("name", "value"), [
    ("LTM_DEFAULT_TTL_SECONDS", "-1"), ("LTM_DEFAULT_TTL_SECONDS", "soon"), ("LTM_MAX_BATCH_SIZE", "0"),
    ("LTM_MAX_BATCH_SIZE", "x"), ("LTM_MAX_MEMORIES_PER_REQUEST", "0"), ("LTM_MAX_FILTER_CONDITIONS", "-5"),
    ("LTM_CACHE_MB", "-1"), ("LTM_HNSW_THRESHOLD", "-1"), ("LTM_LANGUAGE", "klingon"), ("EMBEDDING_THREADS", "0"),
    ("EMBEDDING_CACHE_MB", "-1"),
])
def test_a_setting_out_of_range_is_refused(tmp_path, name, value):
    assert name in refused(tmp_path, **WORDS_ONLY, **{name: value})


def test_a_mistyped_setting_is_told_the_nearest_name(tmp_path):
    with serving(tmp_path, LTM_MAX_BATCHSIZE="5", **WORDS_ONLY) as server:
        assert "LTM_MAX_BATCH_SIZE" in server.log()


def test_a_second_server_on_the_same_data_is_refused(tmp_path):
    with serving(tmp_path, **WORDS_ONLY):
        assert refused(tmp_path, **WORDS_ONLY)


def test_memories_work_beside_redis(redis_server, tmp_path):
    """Redis takes the sessions; memories stay in the data directory, which has a lock then too."""
    with serving(tmp_path, REDIS_URL=redis_server.url, **WORDS_ONLY) as server, server.client() as client:
        checks = client.get("/health/ready").json()["checks"]
        assert (checks["stm"]["engine"], checks["ltm"]["engine"]) == ("redis", "sqlite")
        stored = Memories(client, user_id="u").store("a violin")
        assert refused(tmp_path, REDIS_URL=redis_server.url, **WORDS_ONLY)
    with serving(tmp_path, **WORDS_ONLY) as server, server.client() as client:
        assert Memories(client, user_id="u").list() == [stored]


def test_sessions_and_memories_share_the_data_directory(tmp_path):
    with serving(tmp_path, **WORDS_ONLY) as server, server.client() as client:
        client.post("/stm/s/messages", json={"messages": [{"role": "user", "content": "hello"}]})
        stored = Memories(client, user_id="u").store("a violin")
    with serving(tmp_path, **WORDS_ONLY) as server, server.client() as client:
        assert [item["content"] for item in client.get("/stm/s/messages").json()["messages"]] == ["hello"]
        assert Memories(client, user_id="u").list() == [stored]


def test_a_backup_holds_the_memories(tmp_path):
    (tmp_path / "restored" / "data").mkdir(parents=True)
    with serving(tmp_path, **WORDS_ONLY) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        stored = memories.store("a violin")
        memories.update(stored["id"], "an old violin")
        before = memories.list(), memories.history(stored["id"])
        database = next((tmp_path / "data").glob("*.db"))
        ended = server.run("backup", str(tmp_path / "restored" / "data" / database.name))
        assert ended.returncode == 0, ended.stderr
    with serving(tmp_path / "restored", **WORDS_ONLY) as server, server.client() as client:
        memories = Memories(client, user_id="u")
        assert (memories.list(), memories.history(stored["id"])) == before
        assert [found["id"] for found in memories.search("violin")] == [stored["id"]]
