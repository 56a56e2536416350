"""What was acknowledged is kept: over kill -9 and over a stop, under load."""

import contextlib
import json
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import time

import pytest
from support.load import Ending, Load, check_stored
from support.processes import Server, wait_until
from support.raw_http import RawConnection, request
from support.sessions import Session, message, session_path

ROUNDS = 20
SQLITE_MAGIC = b"SQLite format 3\0"


def check_sessions(server: Server, load: Load):
    with server.client() as client:
        for session in load.sessions:
            check_stored(session, Session(client, session).messages(), load)


def database_files(directory: pathlib.Path) -> list[pathlib.Path]:
    def is_database(path: pathlib.Path) -> bool:
        with path.open("rb") as file:
            return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    return [path for path in directory.rglob("*") if path.is_file() and is_database(path)]


def check_database_files(data: pathlib.Path, copy: pathlib.Path):
    """Looks at a copy: opening a database that was not closed properly changes it."""
    shutil.copytree(data, copy)
    files = database_files(copy)
    assert files, f"no SQLite database in {sorted(copy.rglob('*'))}"
    for file in files:
        with contextlib.closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    shutil.rmtree(copy)


def test_every_acknowledged_message_survives_twenty_kills(tmp_path):
    moments = random.Random(20)
    server = Server(tmp_path)
    rounds = []
    try:
        for number in range(ROUNDS):
            server.start()
            if rounds:
                check_sessions(server, rounds[-1])
            load = Load(server.port, [f"round {number}, session {i}" for i in range(4)],
                        name=f"round {number}", list_sizes=(1, 3))
            with load:
                load.wait_for(moments.randint(1, 300))
                server.kill()
                load.join()
            assert load.endings() <= {Ending.refused, Ending.closed, Ending.cut}
            assert load.statuses() <= {200, None}
            check_database_files(tmp_path / "data", tmp_path / "copy")
            rounds.append(load)
        server.start()
        for load in rounds:
            check_sessions(server, load)
        assert server.stop() == 0, server.log()
    finally:
        server.kill()
    assert any(None in load.statuses() for load in rounds), "no kill came in the middle of an append"


def test_a_database_that_was_killed_while_it_starts_opens_again(tmp_path):
    server = Server(tmp_path)
    try:
        with server.start().client() as client:
            kept = Session(client, "kept").append("one", "two")
        for attempt in range(5):
            server.kill()
            server.spawn_server()
            time.sleep(0.01 * attempt)  # moments between the start of the process and its first answer
        server.kill()
        with server.start().client() as client:
            assert Session(client, "kept").messages() == kept
        assert server.stop() == 0, server.log()
    finally:
        server.kill()


def test_a_stop_under_load_loses_nothing_and_cuts_no_reply(start_server, engine_settings, session_id):
    server = start_server(**engine_settings)
    with Load(server.port, [f"{session_id}/{i}" for i in range(4)], list_sizes=(1, 5)) as load:
        load.wait_for(300)
        assert server.stop() == 0, server.log()
        load.join()
    assert load.endings() <= {Ending.refused, Ending.closed}
    assert load.statuses() <= {200, None}
    server.start()
    check_sessions(server, load)


def test_ten_stops_under_load_all_end_well(start_server, session_id):
    """The moment of the signal differs from one to the next."""
    moments = random.Random(10)
    server = start_server()
    for number in range(10):
        sessions = [f"{session_id}/{number}/{i}" for i in range(2)]
        with Load(server.port, sessions, name=f"load {number}") as load:
            load.wait_for(moments.randint(1, 50))
            assert server.stop() == 0, server.log()
            load.join()
        assert load.endings() <= {Ending.refused, Ending.closed}
        assert load.statuses() <= {200, None}
        server.start()
        check_sessions(server, load)


def accepts_connections(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


def wait_until_stopping(server: Server):
    wait_until(lambda: not accepts_connections(server.port), 5, "the server to refuse connections")


@pytest.fixture
def begin_append():
    """Begins an append that the server is known to work on: it has asked for the body."""
    connections = []

    def begin(port: int, session: str) -> tuple[RawConnection, bytes]:
        body = json.dumps({"messages": [message("in flight")]}).encode()
        whole = request("POST", session_path(session, "/messages"), body, "Expect: 100-continue")
        connection = RawConnection(port)
        connections.append(connection)
        connection.send(whole[:-len(body)])
        assert connection.read_reply("POST").status == 100
        return connection, body

    yield begin
    for connection in connections:
        connection.socket.close()


def test_a_request_in_flight_is_finished_before_the_stop(start_server, engine_settings, session_id,
                                                         begin_append):
    server = start_server(**engine_settings)
    connection, body = begin_append(server.port, session_id)
    server.send(signal.SIGTERM)
    wait_until_stopping(server)
    assert server.running()
    connection.send(body)
    reply = connection.read_reply("POST")
    assert reply.status == 200
    assert connection.is_closed()
    assert server.process.wait(10) == 0, server.log()
    server.start()
    with server.client() as client:
        assert Session(client, session_id).messages() == reply.json()["messages"]


@pytest.mark.parametrize("first, second", [
    (signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT),
], ids=["term_term", "int_term", "term_int"])
def test_a_second_signal_ends_the_server_at_once(start_server, session_id, begin_append, first, second):
    """With a request in flight one signal would leave it up to ten seconds; half of that is allowed."""
    server = start_server()
    begin_append(server.port, session_id)
    server.send(first)
    wait_until_stopping(server)
    assert server.running()
    server.send(second)
    server.process.wait(5)
    assert "Sanitizer" not in server.log()


def test_a_request_that_never_ends_delays_the_stop_by_no_more_than_its_limit(start_server, session_id,
                                                                           begin_append):
    """Ten seconds, and ten more for a slow build."""
    server = start_server()
    begin_append(server.port, session_id)
    assert server.stop(20) == 0, server.log()


def test_idle_connections_do_not_delay_the_stop(start_server):
    """An idle one would be left for its time-out of a minute."""
    server = start_server(MAAS_IDLE_TIMEOUT_MS="60000")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(server.port)) for _ in range(50)]
        for connection in connections:
            connection.send(request("GET", "/health"))
            assert connection.read_reply().status == 200
        assert server.stop(5) == 0, server.log()
        assert all(connection.is_closed() for connection in connections)
