import contextlib
import pathlib
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fixtures import start_mongo, start_redis, start_server  # noqa: E402, F401
from support.memories import WORDS_ONLY, Memories  # noqa: E402
from support.otlp_sink import OtlpSink  # noqa: E402
from support.processes import RedisServer, mongo_database, redis_available, serving  # noqa: E402
from support.sessions import Session  # noqa: E402


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A Redis that all tests share; tests that stop or break Redis start their own."""
    if not redis_available():
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["sqlite", "redis"])
def engine(request):
    """What uses this runs once on each engine."""
    return request.param


@pytest.fixture(scope="session")
def engine_settings(engine, request):
    """The settings that choose the engine."""
    return {"REDIS_URL": request.getfixturevalue("redis_server").url} if engine == "redis" else {}


@pytest.fixture(scope="session")
def server(engine, engine_settings, tmp_path_factory):
    """A running server, once on each engine; tests use session ids of their own."""
    with serving(tmp_path_factory.mktemp(engine), **engine_settings) as server:
        yield server


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture
def session_id(request):
    """A session of the test's own, alike in no two tests."""
    return f"{request.node.name[:60]}-{uuid.uuid4()}"


@pytest.fixture
def session(client, session_id):
    """That session on the shared server."""
    return Session(client, session_id)


@pytest.fixture(scope="session", params=["sqlite", "mongodb"])
def ltm_engine(request):
    """What uses this runs once on each engine of long-term memory."""
    return request.param


# What the layers above an engine do is tested on the embedded one alone: it is many times as fast as a MongoDB-wire
# server in Python, and the contract suite tests what these layers rely on, on every engine.
ABOVE_THE_ENGINE = {"test_ltm_bad_input.py", "test_ltm_batch.py", "test_ltm_filters.py", "test_ltm_languages.py",
                    "test_ltm_semantic.py"}


def pytest_collection_modifyitems(config, items):
    def is_wanted(item):
        is_mongodb = "ltm_engine" in getattr(item, "fixturenames", ()) and item.callspec.params["ltm_engine"] == "mongodb"
        return not (is_mongodb and item.path.name in ABOVE_THE_ENGINE)

    items[:] = [item for item in items if is_wanted(item)]


@contextlib.contextmanager
def engine_of_memories(ltm_engine):
    """The settings that choose the engine, with a database of their own."""
    if ltm_engine == "sqlite":
        yield {}
        return
    with mongo_database() as settings:
        if settings is None:
            pytest.skip("MAAS_TEST_MONGODB_URI names no server")
        yield settings


@pytest.fixture(scope="session")
def ltm_settings(ltm_engine):
    """The engine of the server that all tests share."""
    with engine_of_memories(ltm_engine) as settings:
        yield settings


@pytest.fixture
def own_ltm(ltm_engine):
    """The engine for servers of a test's own."""
    with engine_of_memories(ltm_engine) as settings:
        yield settings


@pytest.fixture(scope="session")
def ltm_server(ltm_engine, ltm_settings, tmp_path_factory):
    """A running server that finds memories by words alone, once on each engine; tests use scopes of their own."""
    with serving(tmp_path_factory.mktemp(f"ltm-{ltm_engine}"), **WORDS_ONLY, **ltm_settings) as server:
        yield server


@pytest.fixture(scope="module")
def ltm_client(ltm_server):
    """One for all tests of a file: making a client takes longer than most tests."""
    with ltm_server.client() as client:
        yield client


@pytest.fixture
def memories(ltm_client):
    """The memories of a user that no other test knows."""
    return Memories(ltm_client)


SECRET = "s3cr3t-key-that-no-log-may-hold"
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


@pytest.fixture(scope="module")
def guarded_session(server):
    """What bad requests are aimed at: in the end it must be as it was, and the server's log clean."""
    with server.client(headers={"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET}) as client:
        session = Session(client, f"guarded-{uuid.uuid4()}")
        session.configure(max_messages=7)
        session.append("one", "two")
        before = session.messages(), session.settings()
        yield session
        assert (session.messages(), session.settings()) == before
    log = server.log()
    assert SECRET not in log
    assert [report for report in SANITIZER_REPORTS if report in log] == []


@pytest.fixture
def guarded(guarded_session):
    """The guarded session, for a test after which the server must still serve."""
    yield guarded_session
    assert guarded_session.client.get("/health").json() == {"status": "ok"}


@pytest.fixture
def sink():
    """A collector of traces and metrics."""
    with OtlpSink() as sink:
        yield sink
    assert not sink.problems
