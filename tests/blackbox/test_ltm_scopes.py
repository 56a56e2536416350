"""Scope before score: nobody ever sees, finds or changes what is another's."""

import random

import pytest
from support.memories import CATEGORIES, WORDS_ONLY, Memories, Vocabulary, ids, memory_path, send, unique
from support.processes import serving
from support.sessions import message

USERS = 200
MEMORIES_OF_A_USER = 10
SEARCHES = 300
RED, BLUE = "red-k3y-0123456789", "blue-k3y-9876543210"

# What is stored, and which of it each scope asks for: every id that it gives must be the memory's.
OWNERS = [dict(zip(("user_id", "agent_id", "session_id"), ids_, strict=True))
          for ids_ in [("u", None, None), ("u", "a", None), ("u", "a", "s"), ("u", None, "s"), (None, "a", None),
                       (None, "a", "s"), (None, None, "s"), ("v", "a", "s"), ("u", "b", "s"), ("a", "u", None)]]


def given(scope: dict) -> dict:
    return {name: value for name, value in scope.items() if value is not None}


@pytest.fixture(scope="module")
def owners(ltm_client):
    """A world of its own and each owner's memory in it."""
    world = unique("world")
    return world, [Memories(ltm_client, **{name: f"{world} {value}" for name, value in given(owner).items()})
                   .store("the common word") for owner in OWNERS]


@pytest.mark.parametrize("scope", OWNERS + [{"user_id": "b"}, {"agent_id": "s"}, {"user_id": "v", "agent_id": "b"}],
                         ids=lambda scope: " ".join(f"{name[0]}={value}" for name, value in given(scope).items()))
def test_ids_are_anded(ltm_client, owners, scope):
    world, stored = owners
    memories = Memories(ltm_client, **{name: f"{world} {value}" for name, value in given(scope).items()})
    expected = {memory["id"] for memory, owner in zip(stored, OWNERS, strict=True)
                if all(owner[name] == value for name, value in given(scope).items())}
    assert set(ids(memories.list())) == expected
    assert set(ids(memories.walk(limit=1))) == expected
    assert set(ids(memories.search("common"))) == expected


@pytest.mark.parametrize("other", ["U", "u ", " u", "u\u0301", "ｕ", "u/", "u%", "*", "u*", "%75", "'", "u' OR '1'='1"])
def test_ids_are_compared_exactly(ltm_client, other):
    tail = unique("")
    mine, theirs = Memories(ltm_client, user_id=f"u{tail}"), Memories(ltm_client, user_id=f"{other}{tail}")
    stored = mine.store("the common word"), theirs.store("the common word")
    assert (mine.list(), theirs.list()) == ([stored[0]], [stored[1]])
    assert (ids(mine.search("common")), ids(theirs.search("common"))) == ([stored[0]["id"]], [stored[1]["id"]])
    assert theirs.forget() == 1
    assert mine.list() == [stored[0]]


def test_an_id_of_one_kind_is_none_of_another(ltm_client):
    name = unique()
    kinds = ["user_id", "agent_id", "session_id"]
    stored = {kind: Memories(ltm_client, **{kind: name}).store("the common word") for kind in kinds}
    for kind in kinds:
        assert ids(Memories(ltm_client, **{kind: name}).search("common")) == [stored[kind]["id"]]


def test_a_search_looks_only_at_its_user_however_many_there_are(ltm_client):
    """Every text that a user told is that user's first result, and all results are the user's."""
    choose = random.Random(4)
    vocabulary = Vocabulary(4).words(150)  # all share these words: only the scope tells users apart
    world = unique("many")
    told = {f"{world} {number}": [] for number in range(USERS)}
    for user, own in told.items():
        while len(own) < MEMORIES_OF_A_USER:
            text = " ".join(choose.sample(vocabulary, 6))
            if text not in own:
                own.append(text)
    items = [{"messages": [message(text) for text in own], "user_id": user, "category": choose.choice(CATEGORIES)}
             for user, own in told.items()]
    for start in range(0, len(items), 50):
        assert Memories(ltm_client).batch("add", items[start:start + 50])["failed"] == 0
    for _ in range(SEARCHES):
        user = choose.choice(list(told))
        text = choose.choice(told[user])
        results = Memories(ltm_client, user_id=user).search(text)
        assert results[0]["memory"] == text
        assert {result["user_id"] for result in results} == {user}
        assert len(results) <= MEMORIES_OF_A_USER
    for user in choose.sample(list(told), 10):
        assert {memory["memory"] for memory in Memories(ltm_client, user_id=user).list()} == set(told[user])


# Tenants.

@pytest.fixture(scope="module")
def keyed_server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("tenants"), MAAS_API_KEYS=f"red:{RED},blue:{BLUE}", **WORDS_ONLY) as server:
        yield server


@pytest.fixture(scope="module")
def keyed_clients(keyed_server):
    with (keyed_server.client(headers={"X-API-Key": RED}) as red,
          keyed_server.client(headers={"X-API-Key": BLUE}) as blue):
        yield red, blue


@pytest.fixture
def tenants(keyed_clients):
    """Two tenants' memories of users of the same name."""
    scope = {"user_id": unique(), "agent_id": "a"}
    return tuple(Memories(client, **scope) for client in keyed_clients)


def test_tenants_with_users_of_the_same_name_see_only_their_own(tenants):
    red, blue = tenants
    of_red = red.store("the common word of red")
    assert blue.list() == blue.search("common") == []
    of_blue = blue.store("the common word of blue")
    assert (red.list(), blue.list()) == ([of_red], [of_blue])
    assert (ids(red.search("common")), ids(blue.search("common"))) == ([of_red["id"]], [of_blue["id"]])


def test_a_text_of_another_tenant_is_no_duplicate(tenants):
    red, blue = tenants
    assert red.store("the same")["id"] != blue.store("the same")["id"]


def test_a_memory_of_another_tenant_is_unknown(tenants):
    red, blue = tenants
    stored = red.store("red's")
    for method in ("GET", "PUT", "DELETE"):
        reply = send(blue.client, method, memory_path(stored["id"]), {"data": "blue's"} if method == "PUT" else b"")
        assert (reply.status_code, reply.json()) == (404, {"detail": "Memory not found"})
    assert blue.history(stored["id"]) == []
    assert red.get(stored["id"]) == stored
    assert red.told(stored["id"]) == [("ADD", None, "red's")]


def test_batches_stay_inside_their_tenant(tenants):
    red, blue = tenants
    stored = red.batch("add", [{"messages": "the common word", **red.scope}])["results"][0]["result"]
    searched = blue.batch("search", [{"query": "common", **red.scope}])["results"][0]["result"]
    assert searched == {"results": []}
    deleted = blue.batch("delete", [stored["id"]], "memory_ids")["results"][0]
    assert (deleted["success"], deleted["error"]) == (False, "Memory not found")
    assert ids(red.list()) == [stored["id"]]


def test_deleting_a_scope_stays_inside_its_tenant(tenants):
    red, blue = tenants
    stored = red.store("red's")
    blue.store("blue's")
    assert blue.forget() == 1
    assert (red.list(), blue.list()) == ([stored], [])


def test_a_cursor_of_another_tenant_shows_nothing_of_it(tenants):
    red, blue = tenants
    red.remember(*(f"red's {number}" for number in range(10)))
    of_blue = blue.remember("blue's 1", "blue's 2")
    cursor = red.page(limit=5)["next_cursor"]
    assert set(ids(blue.page(cursor=cursor)["results"])) <= set(ids(of_blue))


def test_a_deleted_memorys_history_stays_inside_its_tenant(tenants):
    red, blue = tenants
    stored = red.store("red's")
    red.delete(stored["id"])
    assert blue.history(stored["id"]) == []
    assert len(red.history(stored["id"])) == 2


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/ltm/memories"), ("POST", "/ltm/memories/search"), ("GET", "/ltm/memories?user_id=u"),
    ("DELETE", "/ltm/memories?user_id=u"), ("GET", "/ltm/memories/x"), ("PUT", "/ltm/memories/x"),
    ("DELETE", "/ltm/memories/x"), ("GET", "/ltm/memories/x/history"), ("DELETE", "/ltm/memories/expired"),
    ("POST", "/ltm/memories/batch/add"), ("POST", "/ltm/memories/batch/search"), ("POST", "/ltm/memories/batch/delete"),
])
def test_without_a_key_nothing_is_served(keyed_server, method, path):
    with keyed_server.client() as client:
        reply = client.request(method, path)
    assert reply.status_code == 401
    assert set(reply.json()) == {"detail"}
