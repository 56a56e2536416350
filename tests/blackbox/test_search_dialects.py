"""Long-term memory where the server compares the vectors, as Azure DocumentDB and MongoDB Atlas do.

The servers are stand-ins (support/mongodb_dialects.py) in front of the tests' MongoDB-wire server; the contract suite
runs on real ones with MAAS_TEST_DOCUMENTDB_URI and MAAS_TEST_ATLAS_URI.
"""

import os
import pathlib
import subprocess
import urllib.parse
import uuid

import httpx
import pytest

from support.memories import Memories
from support.mongodb_dialects import Atlas, DocumentDb
from support.provider import Provider
from support.processes import REPOSITORY, wait_until

MONGODB_URI = os.environ.get("MAAS_TEST_MONGODB_URI")
MODEL = os.environ.get("MAAS_TEST_MODEL_DIR")
CONTRACT_TESTS = pathlib.Path(os.environ.get("MAAS_CONTRACT_TESTS", REPOSITORY / "build/dev/tests/contract_tests"))
DIALECTS = {"documentdb": DocumentDb, "atlas": Atlas}

pytestmark = [
    pytest.mark.skipif(not MONGODB_URI, reason="MAAS_TEST_MONGODB_URI names no server"),
    pytest.mark.skipif(not MODEL, reason="there is no embedding model"),
]


@pytest.fixture
def start_dialect():
    """Starts stand-ins that search."""
    servers = []

    def start(dialect, **options):
        servers.append(DIALECTS[dialect](urllib.parse.urlsplit(MONGODB_URI).port, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def start_searching(start_server, start_dialect):
    """A server on such a stand-in: both. Scopes are small here; their vectors are the stand-in's to compare."""
    def start(dialect, settings=None, **options):
        stand_in = start_dialect(dialect, **options)
        server = start_server(MONGODB_URI=stand_in.uri, MONGODB_DB_NAME=f"dialects-{uuid.uuid4()}",
                              MAAS_LOCAL_MODEL=MODEL, **{"MONGODB_TIMEOUT_MS": "10000",
                                                         "MAAS_LOCAL_VECTORS_LIMIT": "0", **(settings or {})})
        return server, stand_in

    return start


def ltm_check(server) -> dict:
    return httpx.get(f"{server.url}/health/ready", timeout=20).json()["checks"]["ltm"]


def stages_of(stand_in, name: str) -> list:
    return [pipeline[0][name] for pipeline in stand_in.commands if name in pipeline[0]]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "candidates"])
def test_finds_by_meaning_and_by_words_in_its_scope_alone(start_searching, dialect, whole):
    server, stand_in = start_searching(dialect, {} if whole else {"MAAS_EXACT_SCAN_LIMIT": "1"})
    with server.client() as client:
        mine, other = Memories(client), Memories(client)
        for text in ["My dog is called Rex", "We had pasta for dinner", "I am allergic to peanuts"]:
            mine.add(text)
            other.add(f"{text}, said another")
        for query, found in [("what may I not eat", "I am allergic to peanuts"), ("Rex", "My dog is called Rex"),
                             ("the name of my pet", "My dog is called Rex")]:
            hits = mine.search(query)
            assert hits[0]["memory"] == found
            assert all("another" not in hit["memory"] for hit in hits)
    first = "$search" if dialect == "documentdb" else "$vectorSearch"
    assert stages_of(stand_in, first), "the server has compared no vectors"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_compares_the_vectors_of_a_small_scope_itself_until_it_grows(start_searching, dialect):
    server, stand_in = start_searching(dialect, {"MAAS_LOCAL_VECTORS_LIMIT": "3"})
    stage = "$search" if dialect == "documentdb" else "$vectorSearch"
    with server.client() as client:
        memories = Memories(client)
        for text in ["My dog is called Rex", "We had pasta for dinner", "I am allergic to peanuts"]:
            memories.add(text)
            memories.search("the name of my pet")
        assert not stages_of(stand_in, stage)
        memories.add("The train was late")
        assert memories.search("the name of my pet")[0]["memory"] == "My dog is called Rex"
        assert len(stages_of(stand_in, stage)) == 1
        assert memories.search("what delayed me")[0]["memory"] == "The train was late"
        assert len(stages_of(stand_in, stage)) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_asks_for_what_a_filter_lets_through_alone(start_searching, dialect):
    server, stand_in = start_searching(dialect)
    with server.client() as client:
        memories = Memories(client)
        for i in range(12):
            memories.add(f"I like the colour {i}", metadata={"n": i})
        hits = memories.search("which colour do I like", filters={"metadata.n": {"gte": 10}})
        assert sorted(hit["metadata"]["n"] for hit in hits) == [10, 11]
    stage = stages_of(stand_in, "$search")[-1]["cosmosSearch"] if dialect == "documentdb" \
        else stages_of(stand_in, "$vectorSearch")[-1]
    assert len(stage["filter"]["sequence"]["$in"]) == 2
    assert stage["exact"] is True


def test_makes_the_kind_of_index_that_a_small_server_has(start_searching):
    server, stand_in = start_searching("documentdb", {"VECTOR_INDEX_TYPE": "diskann"},
                                       refused=("vector-diskann", "vector-hnsw"))
    assert "vector-ivf" in ltm_check(server)["detail"]
    indexes = next(indexes for indexes in stand_in.indexes.values() if indexes)
    assert indexes["maas_vector"]["cosmosSearchOptions"]["numLists"] == 1


def test_goes_on_in_this_process_where_the_server_makes_no_index(start_searching):
    server, _ = start_searching("documentdb", {"VECTOR_STORE_PROVIDER": "azure_documentdb"},
                                refused=("vector-diskann", "vector-hnsw", "vector-ivf"))
    check = ltm_check(server)
    assert check["status"] == "ok"
    assert check["detail"].startswith("exact") and "not supported for this cluster tier" in check["detail"]
    with server.client() as client:
        memories = Memories(client)
        memories.add("My dog is called Rex")
        assert memories.search("the name of my pet")[0]["memory"] == "My dog is called Rex"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tells_that_an_index_is_for_vectors_of_another_size(start_searching, start_server, dialect):
    first, stand_in = start_searching(dialect)
    with Provider(dims=512) as provider:
        settings = {**first.settings, "EMBEDDING_PROVIDER": "openai", "EMBEDDING_API_KEY": "none",
                    "EMBEDDING_DIMS": "512", "EMBEDDING_BASE_URL": f"{provider.url}/v1",
                    "MAAS_DATA_DIR": f"{first.directory}/second"}
        first.stop()
        second = start_server(name="second", **settings)
        check = ltm_check(second)
        assert check["status"] == "unavailable"
        assert "384 dimensions" in check["detail"] and "512" in check["detail"] and "maas reembed" in check["detail"]
        checked = second.run("check")
        assert checked.returncode == 1
        assert "384 dimensions" in checked.stdout
        with second.client() as client:
            added = client.post("/ltm/memories", json={"user_id": "u", "infer": False, "messages": "My dog is called Rex"})
            if dialect == "documentdb":
                assert added.status_code == 503
                assert "/health/ready" in added.json()["detail"]
            else:  # does not look at what it doesn't index
                assert added.status_code == 200


def test_compares_vectors_itself_while_an_index_is_built(start_searching):
    server, stand_in = start_searching("atlas", build_seconds=6)
    assert "is being built" in ltm_check(server)["detail"]
    with server.client() as client:
        memories = Memories(client)
        memories.add("My dog is called Rex")
        assert memories.search("the name of my pet")[0]["memory"] == "My dog is called Rex"
        assert not stages_of(stand_in, "$vectorSearch")
        wait_until(lambda: "finds" in ltm_check(server)["detail"], 20, "the index")
        assert memories.search("the name of my pet")[0]["memory"] == "My dog is called Rex"
        assert stages_of(stand_in, "$vectorSearch")


def test_serves_while_a_server_that_builds_an_index_is_silent(start_searching):
    server, stand_in = start_searching("documentdb", {"MONGODB_TIMEOUT_MS": "3000"}, build_seconds=10)
    rounds = 0
    with server.client() as client:
        memories = Memories(client)
        while "has not told yet" in (check := ltm_check(server))["detail"]:
            assert check["status"] == "ok"
            memories.add(f"My dog is called Rex {uuid.uuid4()}")
            assert memories.search("the name of my pet")
            rounds += 1
        assert rounds > 0
        assert "finds" in check["detail"]
        assert memories.search("the name of my pet")
        assert stages_of(stand_in, "$search")


def test_tells_that_an_index_takes_too_long_or_fails(start_searching):
    slow, _ = start_searching("atlas", {"MAAS_VECTOR_INDEX_TIMEOUT_MS": "10"}, build_seconds=3600)
    wait_until(lambda: ltm_check(slow)["status"] == "unavailable", 10, "the end of its patience")
    assert "MAAS_VECTOR_INDEX_TIMEOUT_MS" in ltm_check(slow)["detail"]
    slow.stop()
    failed, _ = start_searching("atlas", fails=True)
    assert "failed to build" in ltm_check(failed)["detail"]


def test_finds_what_was_just_stored_though_the_index_is_behind(start_searching):
    server, _ = start_searching("atlas", {"MAAS_EXACT_SCAN_LIMIT": "1"}, lag=3600)
    with server.client() as client:
        memories = Memories(client)
        memories.add("We had pasta for dinner")
        memories.add("My dog is called Rex")
        assert memories.search("the name of my pet")[0]["memory"] == "My dog is called Rex"


def test_searches_words_in_a_plain_index_where_there_may_be_no_more_search_indexes(start_searching):
    server, stand_in = start_searching("atlas", {"MAAS_EXACT_SCAN_LIMIT": "1"}, has_words=False)
    with server.client() as client:
        memories = Memories(client)
        memories.add("My dog is called Rex")
        memories.add("The cat is called Tom")
        assert memories.search("Rex")[0]["memory"] == "My dog is called Rex"
    assert stages_of(stand_in, "$match")[-1]["$text"] == {"$search": "rex"}


@pytest.mark.parametrize("dialect, whole", [("documentdb", True), ("atlas", False)])
def test_keeps_the_contract(start_dialect, dialect, whole):
    """What can differ between dialects: everything that searches. The rest is the same code as on the plain server."""
    environment = {**os.environ, f"MAAS_TEST_{dialect.upper()}_URI": start_dialect(dialect).uri}
    if not whole:
        environment["MAAS_TEST_PARTITION_LIMIT"] = "1"
    ran = subprocess.run(
        [str(CONTRACT_TESTS), "--gtest_brief=1", "--gtest_filter=" + ":".join(
            f"*{what}*/{dialect}" for what in ["Find", "Search", "Rank", "Near", "Filter", "Speak", "Expire"])],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-6000:]
    assert "PASSED" in ran.stdout and " 0 tests" not in ran.stdout
