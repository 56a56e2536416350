"""Proper HTTP in all its forms: connections, pipelines, bodies in pieces, methods."""

import json

import pytest
from support.raw_http import RawConnection, exchange, request
from support.sessions import message, session_path


def append_body(*texts: str) -> bytes:
    return json.dumps({"messages": [message(text) for text in texts]}).encode()


def append_path(session_id: str) -> str:
    return session_path(session_id, "/messages")


def stored_texts(client, session_id: str) -> list[str]:
    return [item["content"] for item in client.get(append_path(session_id)).json()["messages"]]


# Connections.

def test_a_connection_serves_many_requests(server):
    with RawConnection(server.port) as connection:
        for number in range(100):
            connection.send(request("GET", "/health", request_id=f"r{number}"))
            reply = connection.read_reply()
            assert (reply.status, reply.header("X-Request-ID")) == (200, f"r{number}")
            assert reply.header("Connection") != "close"


def test_a_connection_survives_refused_requests(server):
    refused = [("GET", "/nowhere", b"", 404), ("DELETE", "/health", b"", 405), ("POST", "/stm/x/messages", b"{", 422),
               ("GET", "/stm/%zz/messages", b"", 400), ("GET", "/stm/x/messages?limit=x", b"", 422)]
    with RawConnection(server.port) as connection:
        for method, target, body, status in refused:
            connection.send(request(method, target, body))
            assert connection.read_reply().status == status
        connection.send(request("GET", "/health"))
        assert connection.read_reply().status == 200


def test_connection_close_closes_after_the_reply(server):
    with RawConnection(server.port) as connection:
        connection.send(request("GET", "/health", b"", "Connection: close"))
        reply = connection.read_reply()
        assert (reply.status, reply.header("Connection")) == (200, "close")
        connection.end_sending()
        assert connection.is_closed()


def test_http_1_0_closes_unless_asked_to_keep_the_connection(server):
    with RawConnection(server.port) as connection:
        connection.send(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.read_reply().status == 200
        connection.end_sending()
        assert connection.is_closed()
    with RawConnection(server.port) as connection:
        for _ in range(2):
            connection.send(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = connection.read_reply()
            assert reply.status == 200
            assert reply.header("Connection").lower() == "keep-alive"


def test_a_client_that_has_said_all_still_gets_its_reply(server):
    with RawConnection(server.port) as connection:
        connection.send(request("GET", "/health") + request("GET", "/stm/none/messages"))
        connection.end_sending()
        assert [connection.read_reply().status for _ in range(2)] == [200, 200]
        assert connection.is_closed()


# Pipelines.

def test_requests_in_one_packet_are_answered_in_order(server, client, session_id):
    path = append_path(session_id)
    requests = []
    for number in range(20):
        requests.append(request("POST", path, append_body(f"message {number}"), request_id=f"post-{number}"))
        requests.append(request("GET", f"{path}?limit=1", request_id=f"get-{number}"))
    replies = exchange(server.port, b"".join(requests), len(requests))
    assert [reply.header("X-Request-ID") for reply in replies] == [
        f"{what}-{number}" for number in range(20) for what in ("post", "get")]
    for number in range(20):
        post, get = replies[2 * number:2 * number + 2]
        assert post.json()["messages"] == get.json()["messages"]
        assert get.json()["messages"][0]["content"] == f"message {number}"
    assert stored_texts(client, session_id) == [f"message {number}" for number in range(20)]


def test_pipelined_replies_of_all_kinds_keep_their_order(server):
    kinds = [("GET", "/health", b"", 200), ("GET", "/nowhere", b"", 404), ("PATCH", "/health", b"{}", 405),
             ("POST", "/stm/x/messages", b"nonsense", 422), ("GET", "/docs/swagger-ui-bundle.js", b"", 200),
             ("GET", "/stm/%zz/messages", b"", 400), ("GET", "/openapi.json", b"", 200)] * 3
    data = b"".join(request(method, target, body) for method, target, body, _ in kinds)
    assert [reply.status for reply in exchange(server.port, data, len(kinds))] == [status for *_, status in kinds]


def test_a_pipeline_ends_with_connection_close(server):
    with RawConnection(server.port) as connection:
        connection.send(request("GET", "/health", b"", "Connection: close") + request("GET", "/health"))
        assert connection.read_reply().status == 200
        connection.end_sending()
        assert connection.is_closed()


def test_a_hundred_pipelined_requests_with_large_replies_arrive_whole(server, client, session_id):
    path = append_path(session_id)
    client.post(path, content=append_body("x" * 50_000))
    replies = exchange(server.port, request("GET", path) * 100, 100)
    assert {(reply.status, len(reply.json()["messages"][0]["content"])) for reply in replies} == {(200, 50_000)}


# Bodies and pieces.

def test_a_request_may_come_in_single_bytes(server, client, session_id):
    data = request("POST", append_path(session_id), append_body("bit by bit: é"))
    with RawConnection(server.port) as connection:
        for position in range(len(data)):
            connection.send(data[position:position + 1])
        assert connection.read_reply().status == 200
    assert stored_texts(client, session_id) == ["bit by bit: é"]


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("pieces", ["chunks_of_one_packet", "one_packet_each"])
def test_a_body_may_come_in_chunks(server, client, session_id, size, pieces):
    body = append_body("in chunks: é", "and another")
    head = request("POST", append_path(session_id), b"", "Transfer-Encoding: chunked", "Content-Type: application/json")
    chunks = [b"%X\r\n%s\r\n" % (len(part), part) for part in
              (body[start:start + size] for start in range(0, len(body), size))]
    packets = [head, *chunks, b"0\r\n\r\n"]
    with RawConnection(server.port) as connection:
        for packet in packets if pieces == "one_packet_each" else [b"".join(packets)]:
            connection.send(packet)
        assert connection.read_reply().status == 200
        connection.send(request("GET", "/health"))
        assert connection.read_reply().json() == {"status": "ok"}
    assert stored_texts(client, session_id) == ["in chunks: é", "and another"]


def test_chunk_extensions_and_trailers_are_ignored(server, client, session_id):
    body = append_body("x")
    head = request("POST", append_path(session_id), b"", "Transfer-Encoding: chunked", "Trailer: X-Checksum")
    chunks = b"%x;name=value\r\n%s\r\n0;last\r\nX-Checksum: 1\r\n\r\n" % (len(body), body)
    replies = exchange(server.port, head + chunks + request("GET", "/health"), 2)
    assert [reply.status for reply in replies] == [200, 200]
    assert stored_texts(client, session_id) == ["x"]


@pytest.mark.parametrize("line", ["Transfer-Encoding: Chunked", "TRANSFER-ENCODING: chunked",
                                  "transfer-encoding:chunked"])
def test_header_names_and_codings_have_no_case(server, client, session_id, line):
    body = append_body("x")
    head = request("POST", append_path(session_id), b"", line)
    assert exchange(server.port, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))[0].status == 200
    assert stored_texts(client, session_id) == ["x"]


def test_expect_100_continue_is_told_to_go_on(server, client, session_id):
    data = request("POST", append_path(session_id), append_body("worth the wait"), "Expect: 100-continue")
    head, body = data.split(b"\r\n\r\n", 1)
    with RawConnection(server.port) as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.read_reply().status == 100
        connection.send(body)
        assert connection.read_reply().status == 200
        connection.send(request("GET", "/health"))
        assert connection.read_reply().status == 200
    assert stored_texts(client, session_id) == ["worth the wait"]


def test_a_body_sent_without_waiting_for_100_continue_is_taken(server, client, session_id):
    with RawConnection(server.port) as connection:
        connection.send(request("POST", append_path(session_id), append_body("impatient"), "Expect: 100-Continue"))
        reply = connection.read_reply()
        if reply.status == 100:
            reply = connection.read_reply()
        assert reply.status == 200
    assert stored_texts(client, session_id) == ["impatient"]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server):
    head = b"POST /stm/x/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
    assert exchange(server.port, head)[0].status == 413


def test_bodies_of_get_and_delete_are_read_and_ignored(server):
    requests = [request("GET", "/health", b'{"a": 1}'), request("DELETE", "/stm/none", b'{"a": 1}'),
                request("GET", "/health")]
    assert [reply.status for reply in exchange(server.port, b"".join(requests), 3)] == [200, 200, 200]


# Targets and methods.

@pytest.mark.parametrize("target", ["http://localhost/health", "http://other.example:8080/health?x=1",
                                    "HTTP://LOCALHOST/health", "/health?", "/health?a=b&&c", "/health?a=/b?c"])
def test_targets_may_be_absolute_or_have_a_query(server, target):
    assert exchange(server.port, request("GET", target))[0].json() == {"status": "ok"}


def test_an_absolute_target_names_a_session_too(server):
    reply = exchange(server.port, request("GET", "http://localhost:1/stm/a%2Fb/messages?limit=1"))[0]
    assert reply.json() == {"session_id": "a/b", "messages": []}


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/openapi.json", "/docs", "/docs/swagger-ui.css",
                                  "/stm/none/messages", "/stm/none/context", "/stm/none/config"])
def test_head_is_get_without_the_body(server, path):
    got = exchange(server.port, request("GET", path))[0]
    with RawConnection(server.port) as connection:
        connection.send(request("HEAD", path) + request("GET", "/health"))
        head = connection.read_reply("HEAD")
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Type", "Content-Length", "Vary"):
            assert head.header(name) == got.header(name)
        assert int(head.header("Content-Length")) == len(got.body) > 0
        assert connection.read_reply().json() == {"status": "ok"}


def test_head_of_an_error_has_no_body_either(server):
    with RawConnection(server.port) as connection:
        connection.send(request("HEAD", "/nowhere") + request("HEAD", "/stm/x/messages?limit=x"))
        connection.send(request("GET", "/health"))
        assert [connection.read_reply("HEAD").status for _ in range(2)] == [404, 422]
        assert connection.read_reply().json() == {"status": "ok"}


ALLOWED = {"/health": "GET", "/health/ready": "GET", "/openapi.json": "GET", "/docs": "GET", "/stm/x": "DELETE",
           "/stm/x/messages": "GET POST", "/stm/x/context": "GET", "/stm/x/config": "GET PUT"}
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "get"]


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, allowed in ALLOWED.items() for method in METHODS
                                              if method not in allowed.split()])
def test_a_method_that_a_path_does_not_have_is_405_with_allow(server, path, method):
    allowed = set(ALLOWED[path].split())
    reply = exchange(server.port, request(method, path))[0]
    assert reply.status == 405
    assert reply.json() == {"detail": "Method Not Allowed"}
    told = {name.strip() for name in reply.header("Allow").split(",")}
    assert allowed <= told <= allowed | {"HEAD", "OPTIONS"}
    assert ("HEAD" in told) == ("GET" in allowed)


def test_options_tells_the_methods_of_a_path(server):
    reply = exchange(server.port, request("OPTIONS", "/stm/x/messages"))[0]
    assert reply.status in (200, 204, 405)
    assert {"GET", "POST"} <= {name.strip() for name in reply.header("Allow").split(",")}


def test_every_reply_has_a_date_a_type_and_its_exact_length(server):
    for target in ("/health", "/nowhere", "/docs", "/stm/x/messages", "/stm/x/messages?limit=x"):
        reply = exchange(server.port, request("GET", target))[0]
        assert reply.version == "HTTP/1.1"
        assert reply.header("Date").endswith(" GMT")
        assert reply.header("Content-Type")
        names = [name.lower() for name, _ in reply.headers if name.lower() != "vary"]
        assert len(names) == len(set(names)), "no header comes twice"
