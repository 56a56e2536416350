"""Clients that idle, trickle, stall or go on too long: they get what is due to them and harm nobody else."""

import contextlib
import json
import os
import resource
import select
import socket
import threading
import time

import pytest
from support.processes import Server, wait_until
from support.raw_http import RawConnection, request
from support.sessions import Session, message, session_path

IDLE = 2000
TRICKLING = 200
MEASURED_SECONDS = 5


@pytest.fixture
def many_files():
    """Both ends of thousands of connections: this process and the server that it starts afterwards."""
    needed = IDLE + TRICKLING + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this machine allows {hard} open files, the test needs {needed}")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def connect():
    """Opens connections that are closed at the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda port, **options: stack.enter_context(RawConnection(port, **options))


def append_request(session: str, *contents: str) -> bytes:
    body = json.dumps({"messages": [message(content) for content in contents]}).encode()
    return request("POST", session_path(session, "/messages"), body)


def latencies(connection: RawConnection, requests: list[bytes], seconds: float) -> list[float]:
    """Of the requests, sent one after the other again and again; each must be answered with 200."""
    measured = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for data in requests:
            before = time.monotonic()
            connection.send(data)
            reply = connection.read_reply()
            measured.append(time.monotonic() - before)
            assert reply.status == 200, reply.body
    return measured


def describe(measured: list[float]) -> str:
    ordered = sorted(measured)
    p50, p99 = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return f"{len(ordered)} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {1000 * ordered[-1]:.1f} ms"


class Trickle(threading.Thread):
    """Sends one byte a second of a request on each of many connections."""

    def __init__(self, port: int, session: str, count: int):
        super().__init__(daemon=True)
        head = request("GET", "/health", b"", "X-Slow: " + "a" * 60)
        content = json.dumps({"messages": [message("slow")]}).encode()
        body = request("POST", session_path(session, "/messages"), content + b" " * 60)
        # Half of them are in the middle of a header field, half in the middle of a body.
        self.requests = [(head, head.index(b"X-Slow: ") + 8), (body, body.index(b"\r\n\r\n") + 4)]
        self.connections = [RawConnection(port) for _ in range(count)]
        self.sent = [0] * count
        self.ended = threading.Event()
        for number, connection in enumerate(self.connections):
            data, begin = self.requests[number % 2]
            connection.send(data[:begin])
            self.sent[number] = begin

    def run(self):
        while not self.ended.wait(1):
            for number, connection in enumerate(self.connections):
                data, _ = self.requests[number % 2]
                connection.send(data[self.sent[number]:self.sent[number] + 1])
                self.sent[number] += 1

    def finish(self) -> list[int]:
        """Sends what is missing; the statuses of the replies."""
        self.ended.set()
        self.join()
        statuses = []
        for number, connection in enumerate(self.connections):
            data, _ = self.requests[number % 2]
            connection.send(data[self.sent[number]:])
            statuses.append(connection.read_reply().status)
        return statuses

    def close(self):
        self.ended.set()
        for connection in self.connections:
            connection.socket.close()


def test_thousands_of_idle_and_slow_clients_keep_nobody_waiting(many_files, start_server, connect,
                                                              session_id, capsys):
    server = start_server(MAAS_HEADER_TIMEOUT_MS="120000", MAAS_BODY_TIMEOUT_MS="120000",
                          MAAS_IDLE_TIMEOUT_MS="120000")
    requests = [append_request(session_id, "hello"), request("GET", session_path(session_id, "/context")),
                request("GET", session_path(session_id, "/messages?limit=10")), request("GET", "/health")]
    client = connect(server.port)
    alone = latencies(client, requests, 1)
    idle = [connect(server.port) for _ in range(IDLE)]
    trickle = Trickle(server.port, f"{session_id}/slow", TRICKLING)
    try:
        trickle.start()
        measured = latencies(connect(server.port), requests, MEASURED_SECONDS)
        with capsys.disabled():
            print(f"\nalone: {describe(alone)}\nbeside {IDLE} idle and {TRICKLING} slow: {describe(measured)}")
        assert set(trickle.finish()) == {200}
    finally:
        trickle.close()
    for connection in idle[::100]:
        connection.send(request("GET", "/health"))
        assert connection.read_reply().status == 200
    with server.client() as reader:
        stored = Session(reader, f"{session_id}/slow").messages()
    assert len(stored) == TRICKLING // 2


# Past a limit.

def wait_for_reply(connection: RawConnection, send_next) -> int:
    """The status of the next reply, while `send_next` goes on sending up to it."""
    end = time.monotonic() + 30
    while not select.select([connection.socket], [], [], 0.05)[0]:
        assert time.monotonic() < end, "the server neither answers nor closes"
        send_next()
    return connection.read_reply().status


def assert_closes(connection: RawConnection):
    with contextlib.suppress(OSError):  # it may be closed already
        connection.end_sending()
    assert connection.is_closed()


@pytest.mark.parametrize("begun", [
    pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", id="head"),
    pytest.param(b"POST /stm/s/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                 b"Content-Type: application/json\r\n\r\n{", id="body"),
])
@pytest.mark.parametrize("goes_on", [True, False], ids=["trickling", "stalled"])
def test_a_request_that_takes_too_long_is_408_and_closed(start_server, connect, begun, goes_on):
    """Bytes that go on coming do not extend the time."""
    server = start_server(MAAS_HEADER_TIMEOUT_MS="700", MAAS_BODY_TIMEOUT_MS="700")
    connection = connect(server.port)
    connection.send(begun)
    assert wait_for_reply(connection, lambda: goes_on and connection.send(b"a")) == 408
    assert_closes(connection)


def test_an_idle_connection_is_closed_without_a_word(start_server, connect):
    server = start_server(MAAS_IDLE_TIMEOUT_MS="300")
    fresh, used = connect(server.port), connect(server.port)
    used.send(request("GET", "/health"))
    assert used.read_reply().status == 200
    assert used.is_closed()
    assert fresh.is_closed()


@pytest.mark.parametrize("status, begun, piece", [
    pytest.param(431, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"a" * 4096, id="head"),
    pytest.param(413, b"POST /stm/s/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                 b"Content-Type: application/json\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n", id="body"),
])
def test_a_request_without_end_is_refused_and_closed(start_server, connect, status, begun, piece):
    server = start_server(MAAS_MAX_BODY_BYTES="65536")
    connection = connect(server.port)
    connection.send(begun)
    assert wait_for_reply(connection, lambda: connection.send(piece)) == status
    assert_closes(connection)
    with server.client() as client:
        assert client.get("/health").status_code == 200


def test_connections_beyond_the_limit_are_refused_and_the_others_served(start_server, connect):
    server = start_server(MAAS_MAX_CONNECTIONS="20")

    def is_served(connection: RawConnection) -> bool:
        connection.send(request("GET", "/health"))
        try:
            return connection.read_reply().status == 200
        except EOFError:
            return False

    def new_one_is_served() -> bool:
        with RawConnection(server.port) as connection:
            return is_served(connection)

    wait_until(lambda: open_connections(server) == 0, 10, "the end of the connection that awaited the start")
    kept = [connect(server.port) for _ in range(20)]
    assert all(map(is_served, kept))
    assert not new_one_is_served()
    assert all(map(is_served, kept))
    kept[0].socket.close()
    wait_until(new_one_is_served, 10, "the place that became free")


# Readers.

def open_connections(server: Server) -> int:
    """The TCP connections that the server process has not closed."""
    with open("/proc/net/tcp") as table:
        sockets = [line.split() for line in table.readlines()[1:]]
    listening = "0A"
    connected = {f"socket:[{fields[9]}]" for fields in sockets if fields[3] != listening}
    directory = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += os.readlink(f"{directory}/{name}") in connected
    return count


def stalling_socket(port: int) -> socket.socket:
    """Its receive buffer is small, so that the server notices soon that nobody reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    return client


@pytest.fixture
def large_session(session_id):
    """Fills a session of a server with more than any socket buffer holds."""
    def fill(server: Server) -> bytes:
        with server.client() as client:
            for _ in range(4):
                Session(client, session_id).append("some words " * 200_000)
        return request("GET", session_path(session_id, "/messages"))
    return fill


def test_readers_that_never_read_harm_nobody_and_are_let_go(start_server, connect, session_id,
                                                           large_session):
    server = start_server(MAAS_IDLE_TIMEOUT_MS="3000")
    get_all = large_session(server)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stalled = stack.enter_context(stalling_socket(server.port))
            stalled.sendall(get_all * 5)
        wait_until(lambda: open_connections(server) == 8, 10, "the stalled connections to be accepted")
        client = connect(server.port)
        client.send(request("GET", "/health"))
        assert client.read_reply().status == 200
        requests = [append_request(f"{session_id}/small", "hello"), request("GET", "/health"),
                    request("GET", session_path(f"{session_id}/small", "/context"))]
        latencies(client, requests, 2)
        client.socket.close()
        wait_until(lambda: open_connections(server) == 0, 30, "the stalled connections to be closed")


def test_a_slow_reader_gets_its_whole_reply(start_server, large_session):
    """It takes twice as long as the idle time-out, but never that long without reading a good part."""
    server = start_server(MAAS_IDLE_TIMEOUT_MS="2000")
    get_all = large_session(server)
    with RawConnection(server.port) as quick:
        quick.send(get_all)
        whole = quick.read_reply().body
    with stalling_socket(server.port) as slow:
        slow.sendall(get_all)
        received = bytearray()
        began = time.monotonic()
        while not received.endswith(whole[-100:]):
            piece = slow.recv(64 * 1024)
            assert piece, f"closed after {len(received)} of {len(whole)} bytes"
            received += piece
            due = began + 4 * len(received) / len(whole)
            time.sleep(max(0, due - time.monotonic()))
    assert received.endswith(whole)


# Half-closed.

@pytest.mark.parametrize("count", [1, 5], ids=["one_request", "several_requests"])
def test_a_half_closed_client_gets_all_its_replies(start_server, connect, session_id, count):
    server = start_server()
    connection = connect(server.port)
    connection.send(b"".join(append_request(session_id, f"message {i}") for i in range(count)))
    connection.send(request("GET", session_path(session_id, "/messages")))
    connection.end_sending()
    assert [connection.read_reply().status for _ in range(count)] == [200] * count
    contents = [item["content"] for item in connection.read_reply().json()["messages"]]
    assert contents == [f"message {i}" for i in range(count)]
    assert connection.is_closed()


def test_a_client_that_half_closes_within_a_request_is_let_go(start_server, connect, session_id):
    server = start_server()
    data = append_request(session_id, "never whole")
    connection = connect(server.port)
    connection.send(data[:-5])
    connection.end_sending()
    with contextlib.suppress(EOFError):
        assert connection.read_reply().status == 400
    assert connection.is_closed()
    with server.client() as client:
        assert Session(client, session_id).messages() == []
