"""/health and /health/ready."""

import pytest
from support.processes import RedisServer, redis_available, serving, wait_until


def test_health_says_that_the_process_lives(client):
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_ready_names_the_engine(client, engine):
    reply = client.get("/health/ready")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ok", "checks": {"stm": {"engine": engine, "status": "ok", "detail": None}}}


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
