"""MongoDB servers that can be reached and not used: each is told in words that say what to do, and MaaS serves the rest."""

import contextlib
import os
import socket
import urllib.parse
import uuid

import httpx
import pymongo
import pytest

from support.certificates import make_certificates
from support.memories import WORDS_ONLY, Memories
from support.mongodb_wire import CommandError, WireProxy
from support.processes import MongoServer, wait_until

MONGODB_URI = os.environ.get("MAAS_TEST_MONGODB_URI")


class TlsMongoServer(MongoServer):
    """A server whose certificate an authority of its own has signed."""

    def start(self) -> "TlsMongoServer":
        make_certificates(self.directory)
        self.arguments = ("--tls-cert-file", self.directory / "server.pem", "--tls-key-file",
                          self.directory / "server.key")
        self.spawn_alone()

        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        wait_until(listens, 20, "secantusd to listen")
        return self


class Refusing(WireProxy):
    """A server that refuses commands to its user."""

    def __init__(self, upstream_port: int, *commands: str):
        self.handled = frozenset(commands)
        super().__init__(upstream_port)

    def answer(self, name: str, command: dict):
        raise CommandError(13, f"not authorized on {command['$db']} to execute command {{ {name}: … }}",
                           codeName="Unauthorized")


class Full(WireProxy):
    """A server without room on its disk."""

    handled = frozenset({"insert"})

    def answer(self, name: str, command: dict):
        raise CommandError(14031, "available disk space of 0 bytes is less than required", codeName="OutOfDiskSpace")


class Indifferent(WireProxy):
    """A server that refuses nothing."""


def told(server) -> str:
    """What is told by /health/ready, and in the same words by `maas check`; the rest of the server serves."""
    reply = httpx.get(f"{server.url}/health/ready", timeout=20)
    assert reply.status_code == 503
    assert reply.json()["checks"]["stm"]["status"] == "ok"
    detail = reply.json()["checks"]["ltm"]["detail"]
    server.stop()
    checked = server.run("check")
    assert checked.returncode == 1
    assert "ltm        mongodb      unavailable: " in checked.stdout
    return detail + checked.stdout


@pytest.fixture
def tls_server(tmp_path):
    directory = tmp_path / "tls"
    directory.mkdir()
    server = TlsMongoServer(directory).start()
    yield server
    server.kill()


def test_an_unknown_authority_is_named(tls_server, start_server):
    uri = f"mongodb://localhost:{tls_server.port}/?tls=true"
    told_of = told(start_server(MONGODB_URI=uri, **WORDS_ONLY))
    assert "certificate" in told_of.lower()


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(tls_server, start_server):
    server = start_server(MONGODB_TIMEOUT_MS="10000", **WORDS_ONLY, MONGODB_URI=(
        f"mongodb://127.0.0.1:{tls_server.port}/?tls=true&tlsCAFile="
        f"{urllib.parse.quote(str(tls_server.directory / 'ca.pem'), safe='')}"))
    with server.client() as client:
        Memories(client).store("a violin")


@pytest.fixture
def start_before(start_server):
    """A server behind such a proxy."""
    proxies = []

    def start(proxy, *arguments, **settings):
        proxies.append(proxy(urllib.parse.urlsplit(MONGODB_URI).port, *arguments))
        return start_server(**{"MONGODB_URI": proxies[-1].uri, "MONGODB_DB_NAME": f"refusals-{uuid.uuid4()}",
                               "MONGODB_TIMEOUT_MS": "10000", **WORDS_ONLY, **settings})

    if not MONGODB_URI:
        pytest.skip("MAAS_TEST_MONGODB_URI names no server")
    yield start
    for proxy in proxies:
        proxy.close()


@pytest.mark.parametrize("command", ["createIndexes", "update"])
def test_a_user_without_rights_is_told_which_are_needed(start_before, command):
    told_of = told(start_before(Refusing, command))
    assert "lacks rights" in told_of and "readWrite" in told_of
    if command == "createIndexes":
        assert "the indexes of_user, of_agent, of_session" in told_of and "database refusals-" in told_of


def test_a_server_with_a_full_disk_is_told_as_such(start_before):
    with start_before(Full).client() as client:
        reply = Memories(client).post("", messages="a violin")
    assert reply.status_code == 503
    assert "The disk of the MongoDB server is full" in reply.json()["detail"]


@pytest.fixture
def prepared(start_before):
    """The settings of a database that another user's server has made."""
    server = start_before(Indifferent)
    with server.client() as client:
        Memories(client).store("a violin")
    server.stop()
    return {"MONGODB_DB_NAME": server.settings["MONGODB_DB_NAME"], "MAAS_DATA_DIR": str(server.directory / "second")}


def assert_serves(server):
    with server.client() as client:
        assert client.get("/health/ready").status_code == 200
        Memories(client).store("a piano")
    server.stop()
    assert server.run("check").returncode == 0


def test_a_user_who_may_make_no_index_is_served_where_all_are_made_under_any_name(start_before, prepared):
    with pymongo.MongoClient(MONGODB_URI) as admin:
        owners = admin[prepared["MONGODB_DB_NAME"]]["memories_owners"]
        keys = owners.index_information()["of_user"]["key"]
        owners.drop_index("of_user")
        owners.create_index(keys, name="by_hand")
    assert_serves(start_before(Refusing, "createIndexes", **prepared))


def test_a_user_who_may_not_see_indexes_is_served(start_before, prepared):
    assert_serves(start_before(Refusing, "listIndexes", **prepared))


def test_an_index_with_other_keys_is_named_and_kept(start_before):
    database = f"refusals-{uuid.uuid4()}"
    with pymongo.MongoClient(MONGODB_URI) as admin:
        history = admin[database]["memories_history"]
        history.create_index([("memory_id", 1)], name="of_memory")
        told_of = told(start_before(Indifferent, MONGODB_DB_NAME=database))
        assert "The index of_memory of MongoDB's collection memories_history has the keys" in told_of
        assert "drop it" in told_of
        assert history.index_information()["of_memory"]["key"] == [("memory_id", 1)]


@pytest.mark.parametrize("user", ["", "maas:pa55word-that-nothing-may-tell@"])
def test_a_name_that_no_name_server_knows_is_named(start_server, user):
    server = start_server(**WORDS_ONLY, MONGODB_URI=f"mongodb+srv://{user}no-such-cluster.example.invalid/?tls=false")
    told_of = told(server)
    assert "mongodb+srv://no-such-cluster.example.invalid" in told_of and "name server" in told_of
    assert "pa55word" not in told_of + server.log()
