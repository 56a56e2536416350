"""Redis and MongoDB die, hang, are slow or full under load, and come back."""

import contextlib
import signal
import threading
import time

import pytest
from faults.small_disk import small_disk
from faults.witness import Witness
from support.memories import WORDS_ONLY
from support.processes import MongoServer, RedisServer

UNAVAILABLE = {503}
APPEND_ONLY = ("--appendonly", "yes", "--appendfsync", "always")


@contextlib.contextmanager
def killed(engine: RedisServer | MongoServer):
    engine.kill()
    yield
    engine.start()


@contextlib.contextmanager
def frozen(engine: RedisServer | MongoServer):
    engine.send(signal.SIGSTOP)
    yield
    engine.send(signal.SIGCONT)


@contextlib.contextmanager
def stuttering(engine: RedisServer | MongoServer):
    """Stands still for longer than a request may take, runs for a moment, and so on."""
    ended = threading.Event()

    def stutter():
        while not ended.is_set():
            engine.send(signal.SIGSTOP)
            time.sleep(1.5)
            engine.send(signal.SIGCONT)
            time.sleep(.1)

    thread = threading.Thread(target=stutter)
    thread.start()
    yield
    ended.set()
    thread.join()


@contextlib.contextmanager
def full(redis_server: RedisServer):
    with redis_server.connect() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        yield
        client.config_set("maxmemory", 0)


@pytest.mark.parametrize("broken", [killed, frozen, stuttering, full], ids=lambda broken: broken.__name__)
def test_redis_is(broken, start_redis, start_server, fault):
    redis_server = start_redis(*APPEND_ONLY)
    server = start_server(REDIS_URL=redis_server.url)
    with Witness(fault, server, allowed=UNAVAILABLE, memories=False) as witness:
        witness.wait_for(100)
        for _ in range(2):
            with broken(redis_server):
                witness.wait_for_refusals()
            witness.wait_until_recovered()
            witness.wait_for(50)
    witness.verify()
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("broken", [killed, frozen, stuttering], ids=lambda broken: broken.__name__)
def test_mongodb_is(broken, start_mongo, start_server, fault):
    mongo = start_mongo("--sync-on-commit")  # as MongoDB does when it is asked to, which it is
    server = start_server(**WORDS_ONLY, MONGODB_URI=mongo.uri)
    with Witness(fault, server, allowed=UNAVAILABLE, sessions=False, agents=2) as witness:
        witness.wait_for(20)
        with broken(mongo):
            witness.wait_for_refusals()
        witness.wait_until_recovered(60)
        witness.wait_for(20)
    witness.verify()
    assert server.stop() == 0, server.log()


def test_mongodb_has_a_full_disk(start_mongo, start_server, tmp_path, fault):
    """It is started again when there is room, as it has to be. SecantusDB calls it an internal error, MongoDB 14031."""
    with small_disk(tmp_path / "disk", megabytes=48) as disk:
        mongo = start_mongo("--sync-on-commit", directory=disk.path)
        server = start_server(**WORDS_ONLY, MONGODB_URI=mongo.uri)
        with Witness(fault, server, allowed=UNAVAILABLE | {500}, sessions=False, agents=2) as witness:
            witness.wait_for(10)
            disk.fill()
            witness.wait_for_refusals(60)
            mongo.kill()
            disk.make_room()
            mongo.start()
            witness.wait_until_recovered(60)
            witness.wait_for(10)
        witness.verify()
        assert server.stop() == 0, server.log()
        mongo.kill()

