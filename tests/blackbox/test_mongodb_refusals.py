"""MongoDB servers that can be reached and not used: each is told in words that say what to do, and MaaS serves the rest."""

import contextlib
import os
import socket
import urllib.parse
import uuid

import httpx
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
    """A server that refuses one command to its user."""

    def __init__(self, upstream_port: int, command: str):
        self.handled = frozenset({command})
        super().__init__(upstream_port)

    def answer(self, name: str, command: dict):
        raise CommandError(13, f"not authorized on {command['$db']} to execute command {{ {name}: … }}",
                           codeName="Unauthorized")


class WithoutTransactions(WireProxy):
    """A server that is no member of a replica set."""

    handled = frozenset({"find", "insert", "update", "aggregate", "findAndModify", "commitTransaction"})

    def answer(self, name: str, command: dict):
        if "txnNumber" in command:
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")


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

    def start(proxy, *arguments):
        proxies.append(proxy(urllib.parse.urlsplit(MONGODB_URI).port, *arguments))
        return start_server(MONGODB_URI=proxies[-1].uri, MONGODB_DB_NAME=f"refusals-{uuid.uuid4()}",
                            MONGODB_TIMEOUT_MS="10000", **WORDS_ONLY)

    if not MONGODB_URI:
        pytest.skip("MAAS_TEST_MONGODB_URI names no server")
    yield start
    for proxy in proxies:
        proxy.close()


@pytest.mark.parametrize("command", ["createIndexes", "update"])
def test_a_user_without_rights_is_told_which_are_needed(start_before, command):
    told_of = told(start_before(Refusing, command))
    assert "lacks rights" in told_of and "readWrite" in told_of


def test_a_server_without_transactions_is_told_how_to_get_them(start_before):
    told_of = told(start_before(WithoutTransactions))
    assert "no transactions" in told_of and "replica set" in told_of
