"""Servers of a test's own, for every suite that drives the binary; what still runs at the end is killed."""

import contextlib

import pytest

from support.processes import BINARY, MongoServer, RedisServer, Server, redis_available


@pytest.fixture
def start_server(tmp_path):
    """Starts servers with settings of their own; what still runs at the end is stopped."""
    servers = []

    def start(*arguments, name="maas", binary=BINARY, **settings):
        server = Server(tmp_path, name, **settings)
        server.binary = binary
        servers.append(server)
        return server.start(*arguments)

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def start_redis(tmp_path):
    """Starts Redis servers of the test's own; they are killed at the end, in whatever state they are."""
    if not redis_available():
        pytest.skip("redis-server is not installed")
    servers = []

    def start(*arguments, password=""):
        directory = tmp_path / f"redis-{len(servers)}"
        directory.mkdir()
        servers.append(RedisServer(directory, *arguments, password=password))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def start_mongo(tmp_path):
    """Starts servers of the test's own; they are killed at the end, in whatever state they are."""
    servers = []

    def start(*arguments, directory=None):
        directory = directory or tmp_path / f"mongodb-{len(servers)}"
        directory.mkdir(exist_ok=True)
        servers.append(MongoServer(directory, *arguments))
        return servers[-1].start()

    yield start
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
