"""/health and /health/ready."""

import pytest
from support.processes import RedisServer, Server, free_port, redis_available, serving, wait_until


def test_health_says_that_the_process_lives(client):
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_ready_names_the_engines(client, engine):
    reply = client.get("/health/ready")
    assert reply.status_code == 200
    checks = reply.json()["checks"]
    assert checks.pop("embedder")["status"] == checks.pop("llm")["status"] == "ok"
    assert reply.json()["status"] == "ok"
    assert checks == {"stm": {"engine": engine, "status": "ok", "detail": None},
                      "ltm": {"engine": "sqlite", "status": "ok", "detail": None}}


def test_ready_tells_a_server_without_a_model_how_to_get_one(tmp_path):
    with serving(tmp_path, MAAS_LOCAL_MODEL="none") as server, server.client() as client:
        reply = client.get("/health/ready")
        check = reply.json()["checks"]["embedder"]
        assert (reply.status_code, check["engine"], check["status"]) == (200, "none", "ok")
        assert "MAAS_LOCAL_MODEL" in check["detail"]
        assert "MAAS_LOCAL_MODEL" not in server.log(), "nobody is warned of what was asked for"
        assert "MAAS_LOCAL_MODEL" in server.run("check").stdout


def test_a_named_model_that_does_not_work_is_refused_with_a_sentence(tmp_path):
    ended = Server(tmp_path, MAAS_LOCAL_MODEL=str(tmp_path / "nowhere")).run("serve", "--port", str(free_port()))
    assert ended.returncode in (1, 2)
    assert str(tmp_path / "nowhere") in ended.stderr


def test_ready_follows_an_engine_that_is_away_and_comes(tmp_path):
    if not redis_available():
        pytest.skip("redis-server is not installed")
    redis = RedisServer(tmp_path)
    with serving(tmp_path, REDIS_URL=redis.url) as server, server.client() as client:
        reply = client.get("/health/ready")
        assert reply.status_code == 503
        assert reply.json()["status"] == "unavailable"
        check = reply.json()["checks"]["stm"]
        assert (check["engine"], check["status"]) == ("redis", "unavailable")
        assert isinstance(check["detail"], str) and check["detail"]
        assert client.get("/health").status_code == 200
        redis.start()
        try:
            wait_until(lambda: client.get("/health/ready").status_code == 200, 10, "the server to find Redis")
            assert client.get("/stm/s/messages").status_code == 200
        finally:
            redis.stop()
