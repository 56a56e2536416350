"""Redis that dies, hangs, is full, holds foreign data or is shared: what the service makes of it."""

import signal
import time

import pytest
from support.engine_state import (ALLOWANCE_SECONDS, ANSWER_SECONDS, RECOVERY_SECONDS,
                                  assert_refuses_every_call, every_call, is_served, wait_until_ready)
from support.load import Ending, Load, check_stored
from support.processes import wait_until
from support.sessions import Session, message

APPEND_ONLY = ("--appendonly", "yes", "--appendfsync", "always")


def assert_every_append_was_answered_in_time(load: Load):
    assert load.endings() == {Ending.stopped}
    assert load.statuses() == {200, 503}
    assert load.slowest() < ANSWER_SECONDS + ALLOWANCE_SECONDS


def seconds_to_recover(load: Load, back: float) -> float:
    load.wait_for_every_lane(200)
    return time.monotonic() - back


# Redis goes away and comes back.

@pytest.mark.parametrize("kept", [True, False], ids=["and_keeps_its_data", "and_loses_its_data"])
def test_redis_is_killed_and_restarted_under_load(start_redis, start_server, session_id, kept):
    """With an append-only file nothing acknowledged is lost; without persistence all from before is."""
    redis_server = start_redis(*(APPEND_ONLY if kept else ()))
    server = start_server(REDIS_URL=redis_server.url)
    sessions = [f"{session_id}/{i}" for i in range(2)]
    with server.client() as client, \
            Load(server.port, sessions, connections=8, list_sizes=(1, 5)) as load:
        load.wait_for(200)
        redis_server.kill()
        load.wait_for_every_lane(503)
        assert_refuses_every_call(client, "other")
        redis_server.start()
        back = time.monotonic()
        assert seconds_to_recover(load, back) < RECOVERY_SECONDS + ALLOWANCE_SECONDS
        wait_until_ready(client)
        load.wait_for(100)
    assert_every_append_was_answered_in_time(load)
    with server.client() as client:
        for session in sessions:
            check_stored(session, Session(client, session).messages(), load, since=0 if kept else back)
    assert server.stop() == 0, server.log()


def test_redis_hangs_and_goes_on_under_load(start_redis, start_server, session_id):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    sessions = [f"{session_id}/{i}" for i in range(2)]
    with server.client() as client, \
            Load(server.port, sessions, connections=8, list_sizes=(1, 5)) as load:
        load.wait_for(200)
        redis_server.send(signal.SIGSTOP)
        load.wait_for_every_lane(503)
        assert_refuses_every_call(client, "other")
        redis_server.send(signal.SIGCONT)
        assert seconds_to_recover(load, time.monotonic()) < RECOVERY_SECONDS + ALLOWANCE_SECONDS
        wait_until_ready(client)
        load.wait_for(100)
    assert_every_append_was_answered_in_time(load)
    with server.client() as client:
        for session in sessions:
            check_stored(session, Session(client, session).messages(), load)
    assert server.stop() == 0, server.log()


def test_a_server_whose_redis_hangs_can_be_stopped(start_redis, start_server, session_id):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    with Load(server.port, [session_id], connections=8) as load:
        load.wait_for(50)
        redis_server.send(signal.SIGSTOP)
        assert server.stop() == 0, server.log()
        load.join()
    assert load.endings() <= {Ending.closed, Ending.refused}


def test_a_server_started_before_its_redis_serves_once_redis_is_there(start_redis, start_server):
    redis_server = start_redis()
    redis_server.kill()
    server = start_server(REDIS_URL=redis_server.url)
    with server.client() as client:
        assert_refuses_every_call(client, "session")
        redis_server.start()
        back = time.monotonic()
        wait_until(lambda: is_served(client, "session"), 20, "status 200")
        assert time.monotonic() - back < RECOVERY_SECONDS + ALLOWANCE_SECONDS


def test_forgotten_scripts_are_sent_again(start_redis, start_server, session_id):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    with server.client() as client, redis_server.connect() as admin, \
            Load(server.port, [session_id], connections=4, list_sizes=(1, 5)) as load:
        for _ in range(20):
            load.wait_for(10)
            admin.script_flush()
            assert {reply.status_code for reply in every_call(client, "other").values()} == {200}
    assert load.statuses() == {200}
    with server.client() as client:
        check_stored(session_id, Session(client, session_id).messages(), load)


# Redis is full, or holds what the service did not write.

def test_a_full_redis_is_answered_with_503_and_stores_no_half(start_redis, start_server, session_id):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    with server.client() as client, redis_server.connect() as admin:
        session = Session(client, session_id)
        session.configure(strategy="token_threshold", max_messages=7)
        settings = session.settings()
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + 2_000_000)
        kept = []
        for number in range(100):
            reply = session.post({"messages": [message(f"{number}.{i} " + "word " * 4000) for i in range(5)]})
            if reply.status_code != 200:
                break
            kept += reply.json()["messages"]
        assert kept
        assert reply.status_code == 503
        assert "full" in reply.json()["detail"]
        assert session.messages() == kept

        admin.config_set("maxmemory", 1)  # from here on nothing fits
        assert session.post({"messages": [message("one"), message("two")]}).status_code == 503
        assert client.put(session.path("/config"), json={"max_tokens": 8}).status_code == 503
        assert session.messages() == kept
        assert session.context()["messages"]
        assert session.settings() == settings

        # A change that also frees memory may be let through, but only as a whole.
        reply = client.put(session.path("/config"), json={"strategy": None, "max_messages": 9})
        changed = {**settings, "strategy": "sliding_window", "max_messages": 9}
        assert (reply.status_code, session.settings()) in [(503, settings), (200, changed)]

        session.delete()
        assert session.messages() == []
        admin.config_set("maxmemory", 0)
        assert session.messages() == []
        session.append("again")
    assert server.stop() == 0, server.log()


def test_keys_of_a_foreign_type_are_an_error_and_no_crash(start_redis, start_server, session_id):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    with server.client() as client, redis_server.connect() as admin:
        session = Session(client, session_id)
        session.append("one")
        session.configure(max_messages=5)
        keys = admin.keys()
        assert len(keys) == 2
        for key in keys:
            admin.delete(key)
            admin.set(key, "foreign")
        statuses = {name: reply.status_code for name, reply in every_call(client, session_id).items()}
        assert statuses.pop("delete") == 200
        assert all(status >= 500 for status in statuses.values()), statuses
        Session(client, "another").append("works")
        session.append("works again")
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("member", [
    pytest.param(b"", id="empty"), pytest.param(b"foreign", id="a_word"),
    pytest.param(b"\xff\x00\xff", id="no_text"), pytest.param(b"x " * 40, id="many_words"),
    pytest.param(b"9" * 40 + b" " + b"9" * 40 + b" user 9 9 ", id="large_numbers"),
    pytest.param(b"id 1 user 1 -1 x", id="negative_length"),
])
def test_a_foreign_member_of_a_session_is_an_error_and_no_crash(start_redis, start_server, session_id,
                                                                member):
    redis_server = start_redis()
    server = start_server(REDIS_URL=redis_server.url)
    with server.client() as client, redis_server.connect() as admin:
        session = Session(client, session_id)
        session.append("one")
        [key] = admin.keys()
        admin.zadd(key, {member: 1})
        assert client.get(session.path("/messages")).status_code >= 500
        assert client.get(session.path("/context")).status_code >= 500
        session.delete()
        session.append("works again")
    assert server.stop() == 0, server.log()


# One Redis, several users of it.

def test_two_processes_append_to_one_session_at_once(start_redis, start_server, tmp_path, session_id):
    """10,000 messages each, in lists of 1 to 5, over four connections each."""
    redis_server = start_redis()
    servers = [start_server(name=name, REDIS_URL=redis_server.url, MAAS_DATA_DIR=str(tmp_path / name))
               for name in ("first", "second")]
    loads = [Load(server.port, [session_id], name=server.log_path.stem, connections=4, quota=2500,
                  list_sizes=(1, 5)) for server in servers]
    with loads[0], loads[1]:
        for load in loads:
            load.join()
    for load, server in zip(loads, servers):
        assert load.statuses() == {200}
        with server.client() as client:
            stored = Session(client, session_id).messages()
        assert len(stored) == 20_000
        check_stored(session_id, stored, *loads)


def test_sessions_of_tenants_never_collide_whatever_they_are_called(start_redis, start_server):
    keys = {"a": "the-key-of-the-first-tenant", "a/b": "the-key-of-the-second-tenant"}
    server = start_server(REDIS_URL=start_redis().url,
                          MAAS_API_KEYS=",".join(f"{tenant}:{key}" for tenant, key in keys.items()))
    sessions = [(tenant, session)
                for tenant in keys
                for session in ("c", "b/c", "b%2Fc", "b", "c}", "{c}", "c}:messages", "c:settings", "a/b/c")]
    with server.client() as client:
        def session_of(tenant: str, name: str) -> Session:
            client.headers["X-API-Key"] = keys[tenant]
            return Session(client, name)
        for number, (tenant, name) in enumerate(sessions):
            session_of(tenant, name).append(f"{tenant} {name}")
            session_of(tenant, name).configure(max_messages=number + 1)
        for number, (tenant, name) in enumerate(sessions):
            session = session_of(tenant, name)
            assert [item["content"] for item in session.messages()] == [f"{tenant} {name}"]
            assert session.settings()["max_messages"] == number + 1
            session.delete()
            assert session.messages() == []
