"""Bytes that are not proper HTTP: answered with a JSON error, never with a crash, a hang or a second reply."""

import json
import struct
import socket

import pytest
from support.raw_http import RawConnection, exchange, request

HOST = b"Host: localhost\r\n"


def check_error(reply, *statuses: int):
    assert reply.status in statuses, reply
    assert reply.header("Content-Type") == "application/json"
    assert reply.header("X-Request-ID")
    body = reply.json()
    assert set(body) == {"detail"} and isinstance(body["detail"], str) and body["detail"]


def refuse(port: int, data: bytes, *statuses: int):
    """One error comes back and the connection ends: what follows can't be told from the faulty request."""
    with RawConnection(port) as connection:
        connection.send(data + b"GET /health HTTP/1.1\r\nHost: smuggled\r\n\r\n")
        check_error(connection.read_reply(), *statuses)
        connection.end_sending()
        assert connection.is_closed()


def get(head: bytes, target: bytes = b"/health") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"


REQUEST_LINES = {
    "no_target": (b"GET\r\nHost: x\r\n\r\n", 400), "no_version": (b"GET /health\r\nHost: x\r\n\r\n", 400),
    "words_after": (b"GET /health HTTP/1.1 x\r\nHost: x\r\n\r\n", 400),
    "two_spaces": (b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space_before": (b" GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space_in_target": (b"GET /he alth HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "nul_in_target": (b"GET /he\0alth HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "escape_in_target": (b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "method_is_no_token": (b"G@T /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "method_in_brackets": (b"(GET) /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "other_protocol": (b"GET /health FTP/1.1\r\nHost: x\r\n\r\n", 400, 505),
    "small_http": (b"GET /health http/1.1\r\nHost: x\r\n\r\n", 400, 505),
    "version_of_letters": (b"GET /health HTTP/a.b\r\nHost: x\r\n\r\n", 400, 505),
    "version_without_minor": (b"GET /health HTTP/1\r\nHost: x\r\n\r\n", 400, 505),
    "http_2": (b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n", 505, 400),
    "http_9": (b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", 505, 400),
    "http_2_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 400),
    "tls_hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)) + b"\r\n\r\n", 400),
    "binary": (bytes(range(256)) + b"\r\n\r\n", 400), "words": (b"hello world how are you\r\n\r\n", 400),
    "only_a_status_line": (b"HTTP/1.1 200 OK\r\nHost: x\r\n\r\n", 400),
}
HEADERS = {
    "no_host": (get(b""), 400), "two_hosts": (get(b"Host: a\r\nHost: b\r\n"), 400),
    "no_colon": (get(HOST + b"Broken\r\n"), 400), "space_before_colon": (get(HOST + b"X-Name : x\r\n"), 400),
    "no_name": (get(HOST + b": x\r\n"), 400), "space_in_name": (get(HOST + b"X Name: x\r\n"), 400),
    "brackets_in_name": (get(HOST + b"X(Name): x\r\n"), 400), "nul_in_name": (get(HOST + b"X\0: x\r\n"), 400),
    "nul_in_value": (get(HOST + b"X-Name: a\0b\r\n"), 400),
    "control_in_value": (get(HOST + b"X-Name: a\x01b\r\n"), 400),
    "carriage_return_in_value": (get(HOST + b"X-Name: a\rb\r\n"), 400),
    "unknown_expectation": (get(HOST + b"Expect: a-miracle\r\n"), 417),
}
LENGTHS = {
    "letters": (b"Content-Length: abc\r\n", 400), "negative": (b"Content-Length: -1\r\n", 400),
    "plus": (b"Content-Length: +5\r\n", 400), "hexadecimal": (b"Content-Length: 0x5\r\n", 400),
    "fraction": (b"Content-Length: 5.0\r\n", 400), "two_words": (b"Content-Length: 5 5\r\n", 400),
    "differing_list": (b"Content-Length: 5, 6\r\n", 400),
    "differing_headers": (b"Content-Length: 5\r\nContent-Length: 6\r\n", 400),
    "over_64_bits": (b"Content-Length: 18446744073709551617\r\n", 400, 413),
    "endless": (b"Content-Length: " + b"9" * 100 + b"\r\n", 400, 413),
    "over_the_limit": (b"Content-Length: 4194305\r\n", 413), "two_gibibytes": (b"Content-Length: 2147483648\r\n", 413),
    "both_chunked_last": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
    "both_chunked_first": (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
    "unknown_coding": (b"Transfer-Encoding: gzip\r\n", 501, 400),
    "gzip_and_chunked": (b"Transfer-Encoding: gzip, chunked\r\n", 501, 400),
    "chunked_not_last": (b"Transfer-Encoding: chunked, gzip\r\n", 501, 400),
    "chunked_twice": (b"Transfer-Encoding: chunked, chunked\r\n", 501, 400),
    "misspelt_coding": (b"Transfer-Encoding: xchunked\r\n", 501, 400),
    "two_codings_in_two_headers": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", 501, 400),
    "identity": (b"Transfer-Encoding: identity\r\n", 501, 400),
}
CHUNKS = {
    "size_of_letters": (b"zz\r\n", 400), "negative_size": (b"-5\r\nhello\r\n0\r\n\r\n", 400),
    "size_with_prefix": (b"0x5\r\nhello\r\n0\r\n\r\n", 400), "no_size": (b"\r\nhello\r\n", 400),
    "size_over_64_bits": (b"fffffffffffffffff\r\n", 400, 413), "size_over_the_limit": (b"7fffffff\r\nx", 413, 400),
    "data_longer_than_its_size": (b"2\r\nhello\r\n0\r\n\r\n", 400), "bad_trailer": (b"0\r\nno colon\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", REQUEST_LINES)
def test_malformed_request_lines_are_refused(guarded, server, name):
    data, *statuses = REQUEST_LINES[name]
    refuse(server.port, data, *statuses)


@pytest.mark.parametrize("name", HEADERS)
def test_malformed_headers_are_refused(guarded, server, name):
    data, *statuses = HEADERS[name]
    refuse(server.port, data, *statuses)


@pytest.mark.parametrize("name", LENGTHS)
def test_bodies_of_doubtful_length_are_refused(guarded, server, name):
    headers, *statuses = LENGTHS[name]
    head = f"POST {guarded.path('/messages')} HTTP/1.1\r\n".encode() + HOST + headers
    refuse(server.port, head + b"\r\n0\r\n\r\n", *statuses)


@pytest.mark.parametrize("name", CHUNKS)
def test_malformed_chunks_are_refused(guarded, server, name):
    chunks, *statuses = CHUNKS[name]
    head = f"POST {guarded.path('/messages')} HTTP/1.1\r\n".encode() + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    refuse(server.port, head + chunks, *statuses)


def test_a_transfer_coding_in_http_1_0_is_refused(guarded, server):
    head = f"POST {guarded.path('/messages')} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    refuse(server.port, head + b"2\r\n{}\r\n0\r\n\r\n", 400, 501)


# Sizes.

@pytest.mark.parametrize("data", [
    pytest.param(get(HOST + b"X-Large: " + b"x" * 20_000 + b"\r\n"), id="one_header"),
    pytest.param(get(HOST + b"".join(b"X-%d: x\r\n" % number for number in range(3000))), id="many_headers"),
    pytest.param(get(HOST, b"/stm/" + b"x" * 20_000 + b"/messages"), id="target"),
    pytest.param(get(HOST, b"/health?" + b"a=1&" * 5000), id="query"),
    pytest.param(get(HOST + b"X" * 20_000 + b": x\r\n"), id="header_name"),
])
def test_a_head_over_16_kib_is_refused(guarded, server, data):
    refuse(server.port, data, 431)


def test_a_head_that_never_ends_is_refused(guarded, server):
    with RawConnection(server.port) as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Endless: " + b"x" * 40_000)
        check_error(connection.read_reply(), 431)


def test_a_head_of_nearly_16_kib_is_served(server):
    reply = exchange(server.port, get(HOST + b"X-Large: " + b"x" * 16_000 + b"\r\n"))[0]
    assert reply.status == 200


def chunked(body: bytes, size: int) -> bytes:
    parts = (body[start:start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_body_may_have_max_body_bytes_and_no_more(start_server):
    server = start_server(MAAS_MAX_BODY_BYTES="2000")
    body = json.dumps({"messages": [{"role": "user", "content": ""}]}).encode()
    largest = body.replace(b'""', b'"' + b"x" * (2000 - len(body)) + b'"')
    assert len(largest) == 2000
    too_large = largest + b" "
    head = b"POST /stm/s/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(server.port, request("POST", "/stm/s/messages", largest))[0].status == 200
    for size in (1, 7, 1999, 2000):
        assert exchange(server.port, head + chunked(largest, size))[0].status == 200
        check_error(exchange(server.port, head + chunked(too_large, size))[0], 413)
    check_error(exchange(server.port, request("POST", "/stm/s/messages", too_large))[0], 413)
    check_error(exchange(server.port, request("PUT", "/stm/s/config", b" " * 100_000))[0], 413)
    with server.client() as client:
        assert len(client.get("/stm/s/messages").json()["messages"]) == 5


def test_four_mebibytes_are_the_default(guarded, server, session):
    body = b'{"messages": []}'.ljust(4 * 1024 * 1024)
    assert session.post(body).status_code == 200
    check_error(exchange(server.port, request("POST", guarded.path("/messages"), body + b" "))[0], 413)


# Targets.

@pytest.mark.parametrize("target", [
    "/stm/%zz/messages", "/stm/%2/messages", "/stm/%/messages", "/stm/a%2x/messages", "/stm/%%20/messages",
    "/stm/a%/config", "/stm/%G0/context", "/stm/x%u0041/messages", "/stm/x/messages?limit=%zz",
    "/stm/x/messages?limit=1%", "/stm/x/messages?%2=1", "/stm/x/context?max_tokens=5&x=%4", "/stm/x/messages?unknown=%",
])
def test_broken_percent_encoding_is_refused(guarded, server, target):
    check_error(exchange(server.port, request("GET", target))[0], 400)


@pytest.mark.parametrize(("method", "rest"), [("POST", "/messages"), ("PUT", "/config"), ("DELETE", "")])
def test_broken_percent_encoding_is_refused_by_every_method(guarded, server, method, rest):
    body = b"" if method == "DELETE" else b"{}"
    check_error(exchange(server.port, request(method, f"/stm/x%zz{rest}", body))[0], 400)


@pytest.mark.parametrize("target", [
    "/", "//", "//health", "/health/", "/healthy", "/HEALTH", "/health/ready/x", "/stm", "/stm/", "/stm//messages",
    "/stm//context", "/stm//config", "/stm/x/messages/", "/stm/x/message", "/stm/x/y/messages", "/STM/x/messages",
    "/stm/x/../messages/y", "/docs/../health", "/docs/..%2f..%2fetc%2fpasswd", "/docs/other.js", "/openapi.yaml",
    "/.env",
])
def test_paths_that_do_not_exist_are_404(guarded, server, target):
    reply = exchange(server.port, request("GET", target))[0]
    check_error(reply, 404)
    assert reply.json() == {"detail": "Not Found"}


@pytest.mark.parametrize("target", ["*", "health", "localhost:80", "?x", "mailto:x"])
def test_targets_that_are_no_path_are_refused(guarded, server, target):
    check_error(exchange(server.port, request("GET", target))[0], 400, 404)


# Clients that go away.

POST = b"POST /stm/%s/messages HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("data", [
    pytest.param(b"", id="at_once"), pytest.param(b"GE", id="in_the_request_line"),
    pytest.param(b"GET /health HTTP/1.1\r\nHost: loc", id="in_a_header"),
    pytest.param(POST + b"Content-Length: 100\r\n\r\n{", id="in_a_body"),
    pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe", id="in_a_chunk"),
    pytest.param(POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", id="after_the_head"),
])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_harms_nobody(guarded, server, data, reset):
    for _ in range(5):
        with RawConnection(server.port) as connection:
            connection.send(data.replace(b"%s", guarded.id.encode()))
            if reset:
                linger_for_no_time = struct.pack("ii", 1, 0)
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)


def test_a_body_that_ends_too_early_stores_nothing(guarded, server):
    body = b'{"messages": [{"role": "user", "content": "must not be stored"}]}'
    with RawConnection(server.port) as connection:
        connection.send(request("POST", guarded.path("/messages"), body)[:-1])
        connection.end_sending()
        try:
            check_error(connection.read_reply(), 400)
        except EOFError:
            pass  # closing without a word is as good
        assert connection.is_closed()
