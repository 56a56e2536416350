"""How the service gets to its Redis: REDIS_URL, TLS, and what it says when it can't."""

import pathlib
import re
import socket
import subprocess
import urllib.parse

import pytest
import redis
from support.certificates import make_certificates
from support.engine_state import assert_refuses_every_call, is_served, readiness, wait_until_ready
from support.processes import RedisServer, Server, free_port, wait_until
from support.sessions import Session

# A Redis that can't be used from the start.

def assert_names_its_problem(server: Server, cause: str, *secrets: str):
    """It runs, refuses requests, and tells the cause to who runs it, never the secrets."""
    with server.client() as client:
        assert client.get("/health").status_code == 200
        assert_refuses_every_call(client, "session")

        def named():
            detail = readiness(client)[1]["detail"] or ""
            return detail if re.search(cause, detail, re.IGNORECASE) else None
        try:
            detail = wait_until(named, 5, "the cause")
        except TimeoutError:
            pytest.fail(f"/health/ready does not name the cause: {readiness(client)[1]}")
    assert server.stop() == 0, server.log()
    assert re.search(cause, server.log(), re.IGNORECASE), server.log()
    for secret in secrets:
        assert secret not in detail
        assert secret not in server.log()


@pytest.mark.parametrize("user", ["", "someone"], ids=["wrong_password", "unknown_user"])
def test_refused_credentials_are_named_at_start(start_redis, start_server, user):
    redis_server = start_redis(password="the-right-one")
    url = f"redis://{user}:not-the-right-one@127.0.0.1:{redis_server.port}"
    server = start_server(REDIS_URL=url)
    assert_names_its_problem(server, "WRONGPASS|password", "not-the-right-one")


def test_a_missing_password_is_named_at_start(start_redis, start_server):
    redis_server = start_redis(password="the-right-one")
    server = start_server(REDIS_URL=f"redis://127.0.0.1:{redis_server.port}")
    assert_names_its_problem(server, "NOAUTH|authentication")


def test_a_database_that_does_not_exist_is_named_at_start(start_redis, start_server):
    server = start_server(REDIS_URL=f"{start_redis().url}/99")
    assert_names_its_problem(server, "DB index|database")


def test_being_refused_again_and_again_is_survived(start_redis, start_server):
    redis_server = start_redis()
    server = start_server(REDIS_URL=f"{redis_server.url}/99")
    with server.client() as client, redis_server.connect() as admin:
        first = admin.info("stats")["total_connections_received"]
        wait_until(lambda: admin.info("stats")["total_connections_received"] >= first + 10, 20,
                   "ten further attempts")
        assert_refuses_every_call(client, "session")
    assert server.stop() == 0, server.log()


def test_a_server_serves_once_redis_accepts_its_password(start_redis, start_server):
    redis_server = start_redis(password="the-old-one")
    server = start_server(REDIS_URL=f"redis://:the-new-one@127.0.0.1:{redis_server.port}")
    with server.client() as client, redis_server.connect() as admin:
        assert_refuses_every_call(client, "session")
        admin.config_set("requirepass", "the-new-one")
        wait_until(lambda: is_served(client, "session"), 10, "the password to be accepted")
        wait_until_ready(client)
    assert server.stop() == 0, server.log()


def test_a_closed_port_is_named_at_start(start_server):
    port = free_port()
    server = start_server(REDIS_URL=f"redis://:secret-word@127.0.0.1:{port}")
    assert_names_its_problem(server, f"127.0.0.1:{port}.*refused", "secret-word")


def test_an_unknown_host_is_named_at_start(start_server):
    server = start_server(REDIS_URL="redis://:secret-word@no-such-host.invalid")
    assert_names_its_problem(server, "no-such-host.invalid", "secret-word")


def test_a_port_that_never_answers_is_named_at_start(start_server):
    """The kernel takes the connection; nobody ever reads from it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        server = start_server(REDIS_URL=f"redis://:secret-word@127.0.0.1:{port}")
        assert_names_its_problem(server, f"127.0.0.1:{port}", "secret-word")


# REDIS_URL.

def test_user_password_and_database_of_the_url_are_used(start_redis, start_server, session_id):
    redis_server = start_redis()
    password = "p@ss:w/rd#1%"
    with redis_server.connect() as admin:
        admin.acl_setuser("agent", enabled=True, passwords=[f"+{password}"], keys=["maas:*"],
                          categories=["+@all"])
        admin.acl_setuser("default", enabled=False)
    quoted = urllib.parse.quote(password, safe="")
    server = start_server(REDIS_URL=f"redis://agent:{quoted}@127.0.0.1:{redis_server.port}/3")
    with server.client() as client:
        stored = Session(client, session_id).append("one", "two")
        assert Session(client, session_id).messages() == stored
        wait_until_ready(client)

    def keys_in(database: int) -> int:
        with redis.Redis(port=redis_server.port, username="agent", password=password,
                         db=database) as connection:
            return connection.dbsize()
    assert keys_in(3) > 0
    assert keys_in(0) == 0
    assert server.stop() == 0, server.log()
    assert password not in server.log() and quoted not in server.log()


@pytest.mark.parametrize("url", [
    pytest.param("redis+sentinel://:secret-word@127.0.0.1:26379/main", id="sentinel"),
    pytest.param("unix:///run/redis.sock", id="unix_socket"),
    pytest.param("redis://:secret-word@one,two", id="two_hosts"),
    pytest.param("redis://one:6379,two:6379", id="two_hosts_with_ports"),
    pytest.param("http://127.0.0.1:6379", id="another_scheme"),
    pytest.param("127.0.0.1:6379", id="no_scheme"),
    pytest.param("redis://", id="no_host"),
    pytest.param("redis://:secret-word@127.0.0.1:99999", id="impossible_port"),
    pytest.param("redis://127.0.0.1:6379/first", id="database_without_a_number"),
])
def test_an_unsupported_url_is_refused_in_a_sentence(tmp_path, url):
    server = Server(tmp_path, REDIS_URL=url)
    result = server.run("serve", "--port", str(server.port))
    output = result.stdout + result.stderr
    assert result.returncode == 2, output
    lines = [line for line in output.splitlines() if "REDIS_URL" in line]
    assert len(lines) == 1 and len(lines[0].split()) > 4, output
    assert "secret-word" not in output


# TLS.

def has_tls() -> bool:
    """redis-server stops at the first setting that it can't read: at this port, if it knows the one before."""
    result = subprocess.run(["redis-server", "--tls-port", "0", "--port", "none"], capture_output=True,
                            text=True, timeout=20)
    return ">>> 'port" in result.stdout + result.stderr


class TlsRedis(RedisServer):
    """Its certificate is for 127.0.0.1, not for any name."""

    def __init__(self, directory: pathlib.Path):
        super().__init__(directory)
        self.arguments = ("--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no",
                          "--tls-ca-cert-file", "ca.pem", "--tls-cert-file", "server.pem",
                          "--tls-key-file", "server.key")
        make_certificates(directory)

    def url_for(self, host: str) -> str:
        return f"rediss://{host}:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self.directory / "ca.pem")

    def connect(self) -> redis.Redis:
        return redis.Redis(port=self.port, host="127.0.0.1", ssl=True, ssl_ca_certs=self.ca_file)


@pytest.fixture
def tls_redis(tmp_path):
    if not has_tls():
        pytest.skip("this redis-server has no TLS")
    server = TlsRedis(tmp_path)
    yield server.start()
    server.kill()


def test_tls_with_a_trusted_authority_works(tls_redis, start_server, session_id):
    server = start_server(REDIS_URL=tls_redis.url_for("127.0.0.1"), REDIS_CA_FILE=tls_redis.ca_file)
    with server.client() as client:
        stored = Session(client, session_id).append("one", "two")
        assert Session(client, session_id).messages() == stored
        wait_until_ready(client)
        tls_redis.kill()
        tls_redis.start()
        wait_until(lambda: is_served(client, session_id), 10, "the connection to be made again")
    assert server.stop() == 0, server.log()


def test_tls_with_an_unknown_authority_is_a_certificate_failure(tls_redis, start_server):
    server = start_server(REDIS_URL=tls_redis.url_for("127.0.0.1"))
    assert_names_its_problem(server, "certificate")


def test_tls_with_a_certificate_for_another_name_is_a_certificate_failure(tls_redis, start_server):
    server = start_server(REDIS_URL=tls_redis.url_for("localhost"), REDIS_CA_FILE=tls_redis.ca_file)
    assert_names_its_problem(server, "certificate")


def test_a_file_of_authorities_that_is_not_there_is_named_at_start(tmp_path):
    server = Server(tmp_path, REDIS_URL="rediss://127.0.0.1", REDIS_CA_FILE=str(tmp_path / "none.pem"))
    result = server.run("serve", "--port", str(server.port))
    assert result.returncode in (1, 2)
    assert "REDIS_CA_FILE" in result.stdout + result.stderr


# What a Redis is set up to lose.

def warnings_of_a_run(server: Server) -> list[str]:
    """The warnings of a server, which is stopped for that."""
    with server.client() as client:
        wait_until_ready(client)
        wait_until(lambda: is_served(client, "session"), 10, "status 200")
    assert server.stop() == 0, server.log()
    return [line for line in server.log().splitlines() if re.search(r'"warn', line)]


def test_a_redis_that_may_evict_sessions_is_warned_of(start_redis, start_server):
    redis_server = start_redis("--maxmemory-policy", "allkeys-lru")
    warnings = warnings_of_a_run(start_server(REDIS_URL=redis_server.url))
    assert any("noeviction" in line and "allkeys-lru" in line for line in warnings), warnings


def test_a_redis_that_keeps_everything_is_not_warned_of(start_redis, start_server):
    redis_server = start_redis("--appendonly", "yes")
    server = start_server(REDIS_URL=redis_server.url, MAAS_LOCAL_MODEL="none")
    assert warnings_of_a_run(server) == []
