"""Time-outs and limits of connections, with settings small enough to wait for."""

import contextlib
import signal
import threading
import time

import pytest
from support.processes import RedisServer, redis_available, serving, wait_until
from support.raw_http import RawConnection, exchange, request

PATIENCE = 10  # seconds that a test waits for what the settings promise within a fraction of one


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory):
    settings = {"MAAS_HEADER_TIMEOUT_MS": "300", "MAAS_BODY_TIMEOUT_MS": "300", "MAAS_IDLE_TIMEOUT_MS": "300"}
    with serving(tmp_path_factory.mktemp("impatient"), **settings) as server:
        yield server


def check_error(reply, status: int):
    assert reply.status == status
    assert isinstance(reply.json()["detail"], str)
    assert reply.header("X-Request-ID")
    assert reply.header("Connection") == "close"


@pytest.mark.parametrize("head", [b"G", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "],
                         ids=["one_byte", "request_line", "header"])
def test_a_head_that_stops_is_408(impatient_server, head):
    with RawConnection(impatient_server.port, PATIENCE) as connection:
        connection.send(head)
        check_error(connection.read_reply(), 408)
        connection.end_sending()
        assert connection.is_closed()


@pytest.mark.parametrize("body", [b"Content-Length: 100\r\n\r\n", b"Content-Length: 100\r\n\r\n{\"messages\"",
                                  b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe"], ids=["none", "part", "chunk"])
def test_a_body_that_stops_is_408(impatient_server, body):
    with RawConnection(impatient_server.port, PATIENCE) as connection:
        connection.send(b"POST /stm/slow/messages HTTP/1.1\r\nHost: x\r\n" + body)
        check_error(connection.read_reply(), 408)
        connection.end_sending()
        assert connection.is_closed()


@pytest.mark.parametrize("start", [b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                                   b"POST /stm/s/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{"],
                         ids=["head", "body"])
def test_a_byte_now_and_then_does_not_extend_the_time(impatient_server, start):
    with RawConnection(impatient_server.port, PATIENCE) as connection:
        connection.send(start)
        replied = threading.Event()

        def drip():
            while not replied.wait(0.05):
                connection.send(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            check_error(connection.read_reply(), 408)
        finally:
            replied.set()
            thread.join()


def test_an_idle_connection_is_closed_without_a_word(impatient_server):
    port = impatient_server.port
    with RawConnection(port, PATIENCE) as unused, RawConnection(port, PATIENCE) as used:
        used.send(request("GET", "/health"))
        assert used.read_reply().status == 200
        assert unused.is_closed()
        assert used.is_closed()


def test_time_outs_start_anew_with_every_request(impatient_server):
    with RawConnection(impatient_server.port, PATIENCE) as connection:
        for _ in range(12):
            connection.send(request("GET", "/health"))
            assert connection.read_reply().status == 200
            time.sleep(0.05)  # together longer than any of the time-outs


def test_slow_clients_hold_nobody_up(impatient_server):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(RawConnection(impatient_server.port, PATIENCE)) for _ in range(50)]
        for connection in slow:
            connection.send(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        assert exchange(impatient_server.port, request("GET", "/health"))[0].status == 200
        assert {connection.read_reply().status for connection in slow} == {408}


def test_a_connection_too_many_is_refused_and_closed(start_server):
    # One event loop: the limit is shared out among the loops.
    server = start_server(MAAS_MAX_CONNECTIONS="2", MAAS_WORKERS="1")

    def served_connection() -> RawConnection | None:
        connection = RawConnection(server.port)
        connection.send(request("GET", "/health"))
        if connection.read_reply().status == 200:
            return connection
        connection.socket.close()
        return None

    with contextlib.ExitStack() as stack:
        # The connection that waited for the start may not be gone yet.
        held = [stack.enter_context(wait_until(served_connection, PATIENCE, "a free connection")) for _ in range(2)]
        with RawConnection(server.port) as refused:
            refused.send(request("GET", "/health"))
            check_error(refused.read_reply(), 503)
            refused.end_sending()
            assert refused.is_closed()
        for connection in held:
            connection.send(request("GET", "/health"))
            assert connection.read_reply().status == 200
        held[0].socket.close()
        stack.enter_context(wait_until(served_connection, PATIENCE, "the place that became free"))


def test_a_request_past_its_deadline_is_504(tmp_path):
    if not redis_available():
        pytest.skip("redis-server is not installed")
    redis = RedisServer(tmp_path).start()
    try:
        settings = {"REDIS_URL": redis.url, "MAAS_REQUEST_TIMEOUT_MS": "200", "REDIS_TIMEOUT_MS": "60000"}
        with serving(tmp_path, **settings) as server, server.client() as client:
            assert client.get("/stm/s/messages").status_code == 200
            redis.send(signal.SIGSTOP)
            reply = client.get("/stm/s/messages")
            assert reply.status_code == 504
            assert isinstance(reply.json()["detail"], str)
            assert client.get("/health").status_code == 200
            redis.send(signal.SIGCONT)
            wait_until(lambda: client.get("/stm/s/messages").status_code == 200, PATIENCE, "Redis to be used again")
    finally:
        redis.send(signal.SIGCONT)
        redis.stop()


def test_a_reader_that_stalls_is_cut_and_harms_nobody(impatient_server):
    with impatient_server.client() as client:
        client.post("/stm/large/messages", json={"messages": [{"role": "user", "content": "word " * 200_000}]})
        with RawConnection(impatient_server.port, PATIENCE) as stalled:
            stalled.send(request("GET", "/stm/large/messages") * 40)
            assert client.get("/health").status_code == 200
            time.sleep(1)  # longer than the idle time-out, with 40 MB that nobody takes
            received = 0
            with contextlib.suppress(ConnectionResetError):
                while data := stalled.socket.recv(1 << 20):
                    received += len(data)
        assert received < 40_000_000
