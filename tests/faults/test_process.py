"""The process runs out of descriptors or memory, its clock jumps, it is stopped or killed again and again, under load."""

import collections
import contextlib
import os
import pathlib
import resource
import socket
import threading
import time

import httpx
import pytest
from faults.witness import Witness
from support.memories import WORDS_ONLY
from support.processes import RELEASE_BINARY, Server
from support.sessions import Session

RESTARTS = int(os.environ.get("MAAS_FAULT_RESTARTS", "10"))
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HOUR = 3600


def open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def cpu_seconds(server: Server) -> float:
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def limited(server: Server, which: int, limit: int):
    before = resource.prlimit(server.process.pid, which)
    resource.prlimit(server.process.pid, which, (limit, before[1]))
    yield
    resource.prlimit(server.process.pid, which, before)


# Without a sanitizer: it looks into memory through a pipe, and calls objects broken where it can't make one.

def test_no_descriptor_is_left(start_server, fault):
    server = start_server(binary=RELEASE_BINARY, **WORDS_ONLY)
    with Witness(fault, server, allowed={503}) as witness:
        witness.wait_for(50)
        with limited(server, resource.RLIMIT_NOFILE, open_files(server)), contextlib.ExitStack() as stack:
            for _ in range(50):  # they wait to be accepted, or are closed
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 5))
            witness.wait_for(50)
        witness.wait_until_recovered()
        with server.client() as client:
            assert client.get("/health").status_code == 200
    witness.verify()
    assert server.stop() == 0, server.log()


def test_without_descriptors_the_server_does_not_spin(start_server):
    server = start_server(binary=RELEASE_BINARY, **WORDS_ONLY)
    with limited(server, resource.RLIMIT_NOFILE, open_files(server)), contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 5))
        before = cpu_seconds(server), time.monotonic()
        time.sleep(2)
        assert (cpu_seconds(server) - before[0]) / (time.monotonic() - before[1]) < .5
    assert httpx.get(f"{server.url}/health", timeout=20).status_code == 200


def test_no_memory_is_left(tmp_path, fault):
    """Large requests need more than there is. The process may end of that, as it may be killed at any time."""
    server = Server(tmp_path, **WORDS_ONLY)
    server.binary = RELEASE_BINARY  # a sanitizer needs terabytes of addresses
    ended = threading.Event()
    statuses = collections.Counter()  # of the large ones
    body = b'{"messages": [{"role": "user", "content": "' + b"word " * 700_000 + b'"}]}'

    def send_large_ones(number: int):
        while not ended.is_set():
            with contextlib.suppress(httpx.TransportError), server.client() as client:
                reply = client.post(f"/stm/large-{number}/messages", content=body)
                statuses[reply.status_code] += 1
                client.delete(f"/stm/large-{number}")

    try:
        server.start()
        addresses = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
        senders = [threading.Thread(target=send_large_ones, args=(number,)) for number in range(8)]
        with Witness(fault, server, allowed={500, 503}) as witness:
            witness.wait_for(50)
            with limited(server, resource.RLIMIT_AS, addresses + 16 * 1024 * 1024):
                for sender in senders:
                    sender.start()
                time.sleep(3)
                ended.set()
                for sender in senders:
                    sender.join()
                survived = server.running()
            assert not survived or set(statuses) - {200}, "there was memory enough"
            assert set(statuses) <= {200, 500, 503}
            if not survived:
                server.start()
            witness.wait_until_recovered()
            witness.wait_for(50)
        witness.verify()
        assert server.stop() == 0, server.log()
    finally:
        ended.set()
        server.kill()


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")
def test_the_clock_jumps(tmp_path, fault):
    """An hour ahead and back, an hour behind and back: what is told stays in its order, and lives on."""
    offset = tmp_path / "offset"
    offset.write_text("+0s")
    server = Server(tmp_path, **WORDS_ONLY, LD_PRELOAD=str(FAKETIME), FAKETIME_TIMESTAMP_FILE=str(offset),
                    FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
    server.binary = RELEASE_BINARY  # a sanitizer wants to be loaded first
    try:
        server.start()
        with Witness(fault, server, allowed=set(), in_order=False) as witness:
            for seconds in (0, HOUR, 0, -HOUR, 0):
                offset.write_text(f"{seconds:+d}s")
                witness.wait_for(50)
        with server.client() as client:
            for agent in witness.agents:
                times = [item["timestamp"] for item in Session(client, agent.id).messages()]
                assert all(one < next_ for one, next_ in zip(times, times[1:]))
                assert max(times) - min(times) > HOUR / 2, "the clock did not jump"
        witness.verify()
        assert server.stop() == 0, server.log()
    finally:
        server.kill()


def end(server: Server, number: int):
    """Asked to end, or killed, in turn."""
    if number % 2 == 0:
        assert server.stop() == 0, server.log()
    else:
        server.kill()


def test_restarts_one_after_the_other(start_server, fault):
    server = start_server(**WORDS_ONLY)
    with Witness(f"{fault}, {RESTARTS} times", server, allowed={503}) as witness:
        for number in range(RESTARTS):
            witness.wait_for(20)
            end(server, number)
            server.start()
        witness.wait_until_recovered()
    witness.verify()
    assert server.stop() == 0, server.log()


def test_rolling_restarts_of_two_on_redis_and_mongodb(start_redis, start_mongo, start_server, fault):
    """Agents go on with the other one at once. A process that is killed may leave a transaction to MongoDB, which ends
    it in time; until then the same user's changes may be refused."""
    redis_server, mongo = start_redis(), start_mongo()
    settings = {**WORDS_ONLY, "REDIS_URL": redis_server.url, "MONGODB_URI": mongo.uri}
    servers = [start_server(name=name, **settings, MAAS_DATA_DIR=str(redis_server.directory / name))
               for name in ("one", "other")]
    with Witness(f"{fault}, {RESTARTS} times", *servers, allowed={503}) as witness:
        for number in range(RESTARTS):
            witness.wait_for(20, 120)
            server = servers[number % 2]
            end(server, number // 2)
            server.start()
        witness.wait_until_recovered(60)
    witness.verify()
    for server in servers:
        assert server.stop() == 0, server.log()
