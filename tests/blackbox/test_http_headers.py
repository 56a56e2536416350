"""What replies say about themselves: request ids, compression, CORS; and the log's line about each request."""

import gzip
import json
import re

import pytest
from support.processes import serving, wait_until
from support.raw_http import RawConnection, exchange, request
from support.sessions import message, session_path

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


# X-Request-ID.

@pytest.mark.parametrize("request_id", ["a", "A-Z_a.z-09", "01936a7e-4c1b-7d52-9a4f-3f0c8a1be901", "x" * 128, "..."])
def test_a_well_formed_request_id_comes_back(client, request_id):
    assert client.get("/health", headers={"X-Request-ID": request_id}).headers["X-Request-ID"] == request_id


@pytest.mark.parametrize("request_id", [b"", b"x" * 129, b"a b", b"a/b", b'"a"', b"a,b", b"{}", b"a\tb", b"\xc3\xa9"])
def test_another_request_id_is_replaced_by_a_new_uuid(server, request_id):
    data = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: " + request_id + b"\r\n\r\n"
    assert UUID.fullmatch(exchange(server.port, data)[0].header("X-Request-ID"))


def test_request_ids_that_the_server_makes_differ(server):
    data = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    ids = [reply.header("X-Request-ID") for reply in exchange(server.port, data, 50)]
    assert len(set(ids)) == 50 and all(UUID.fullmatch(one) for one in ids)


@pytest.mark.parametrize(("method", "target", "status"), [
    ("GET", "/nowhere", 404), ("PATCH", "/health", 405), ("GET", "/stm/%00/config", 422), ("GET", "/docs", 200),
    ("DELETE", "/stm/none", 200)])
def test_errors_and_pages_carry_the_request_id_too(client, method, target, status):
    reply = client.request(method, target, headers={"X-Request-ID": "mine"})
    assert (reply.status_code, reply.headers["X-Request-ID"]) == (status, "mine")


# Compression.

@pytest.fixture(scope="module")
def large_reply(server):
    """The path of a reply of some KiB, and its body."""
    path = session_path("compressible", "/messages")
    with server.client(headers={"Accept-Encoding": "identity"}) as client:
        client.delete(session_path("compressible"))
        client.post(path, json={"messages": [message("compress me " * 300)]})
        return path, client.get(path).content


@pytest.mark.parametrize("accepted", ["gzip", "GZIP", "deflate, gzip", "br, gzip;q=0.5", "gzip;q=1.0, *;q=0",
                                      "gzip; q=0.001", "*"])
def test_large_replies_are_compressed_if_gzip_is_accepted(server, large_reply, accepted):
    path, body = large_reply
    reply = exchange(server.port, request("GET", path, b"", f"Accept-Encoding: {accepted}"))[0]
    assert reply.header("Content-Encoding") == "gzip"
    assert "accept-encoding" in reply.header("Vary").lower()
    assert reply.header("Content-Type") == "application/json"
    assert len(reply.body) < len(body) / 2
    assert gzip.decompress(reply.body) == body


@pytest.mark.parametrize("accepted", [None, "", "identity", "br, deflate", "gzip;q=0", "gzip; q=0.000", "*;q=0",
                                      "gzip;q=0, *", "xgzip", "gzipx"])
def test_large_replies_are_plain_if_gzip_is_not_accepted(server, large_reply, accepted):
    path, body = large_reply
    headers = [] if accepted is None else [f"Accept-Encoding: {accepted}"]
    reply = exchange(server.port, request("GET", path, b"", *headers))[0]
    assert reply.header("Content-Encoding") is None
    assert "accept-encoding" in reply.header("Vary").lower(), "a cache must not hand it to others"
    assert reply.body == body


@pytest.mark.parametrize("path", ["/health", "/stm/none/messages", "/nowhere"])
def test_small_replies_are_plain(server, path):
    reply = exchange(server.port, request("GET", path, b"", "Accept-Encoding: gzip"))[0]
    assert reply.header("Content-Encoding") is None
    reply.json()


@pytest.mark.parametrize("path", ["/openapi.json", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"])
def test_documents_are_compressed_too(server, path):
    plain = exchange(server.port, request("GET", path))[0]
    packed = exchange(server.port, request("GET", path, b"", "Accept-Encoding: gzip"))[0]
    assert packed.header("Content-Encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.header("Content-Type") == plain.header("Content-Type")


def test_replies_of_a_megabyte_are_compressed_in_turn(server, client, session_id):
    path = session_path(session_id, "/messages")
    client.post(path, json={"messages": [message(f"{number} " * 50_000) for number in range(8)]})
    plain = exchange(server.port, request("GET", path))[0].body
    assert len(plain) > 800_000
    data = request("GET", path, b"", "Accept-Encoding: gzip") + request("GET", "/health")
    packed, health = exchange(server.port, data, 2)
    assert gzip.decompress(packed.body) == plain
    assert health.json() == {"status": "ok"}


# CORS.

@pytest.fixture(scope="module")
def cors_server(tmp_path_factory):
    settings = {"MAAS_CORS_ORIGINS": "https://a.example,https://b.example", "MAAS_API_KEYS": "team:k3y"}
    with serving(tmp_path_factory.mktemp("cors"), **settings) as server:
        yield server


def preflight(server, origin: str, method: str = "POST"):
    lines = [f"Origin: {origin}", f"Access-Control-Request-Method: {method}",
             "Access-Control-Request-Headers: authorization, content-type, x-api-key"]
    return exchange(server.port, request("OPTIONS", "/stm/x/messages", b"", *lines))[0]


def names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


def cors_headers(reply) -> list[str]:
    return [name for name, _ in reply.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("origin", ["https://a.example", "https://b.example"])
def test_a_preflight_of_a_listed_origin_is_allowed_without_a_key(cors_server, origin):
    reply = preflight(cors_server, origin)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.header("Access-Control-Allow-Origin") == origin
    assert {"get", "post", "put", "delete"} <= names(reply.header("Access-Control-Allow-Methods"))
    assert {"authorization", "content-type", "x-api-key"} <= names(reply.header("Access-Control-Allow-Headers"))
    assert "origin" in names(reply.header("Vary"))


UNLISTED = ["https://c.example", "http://a.example", "https://a.example:8443", "https://a.example.evil", "null",
            "https://a", "https://a.example,https://b.example", "*"]


@pytest.mark.parametrize("origin", UNLISTED)
def test_an_unlisted_origin_gets_no_cors_header(cors_server, origin):
    assert cors_headers(preflight(cors_server, origin)) == []
    reply = exchange(cors_server.port, request("GET", "/health", b"", f"Origin: {origin}"))[0]
    assert (reply.status, cors_headers(reply)) == (200, [])


@pytest.mark.parametrize(("target", "status"), [("/health", 200), ("/stm/x/messages", 401), ("/nowhere", None)])
def test_replies_and_errors_can_be_read_by_a_listed_origin(cors_server, target, status):
    reply = exchange(cors_server.port, request("GET", target, b"", "Origin: https://a.example"))[0]
    assert status is None or reply.status == status
    assert reply.header("Access-Control-Allow-Origin") == "https://a.example"
    assert "origin" in names(reply.header("Vary"))


def test_requests_without_an_origin_get_no_allowance(cors_server):
    reply = exchange(cors_server.port, request("GET", "/health"))[0]
    assert reply.header("Access-Control-Allow-Origin") is None


def test_a_star_allows_every_origin(start_server):
    server = start_server(MAAS_CORS_ORIGINS="*")
    for reply in (preflight(server, "https://anyone.example"),
                  exchange(server.port, request("GET", "/health", b"", "Origin: https://anyone.example"))[0]):
        assert reply.status in (200, 204)
        assert reply.header("Access-Control-Allow-Origin") in ("*", "https://anyone.example")


def test_without_origins_there_is_no_cors(server):
    assert cors_headers(preflight(server, "https://a.example")) == []
    reply = exchange(server.port, request("GET", "/health", b"", "Origin: https://a.example"))[0]
    assert cors_headers(reply) == []


# The access log.

def request_lines(server) -> list[dict]:
    entries = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [entry for entry in entries if entry["message"] == "request"]


def test_the_access_log_has_one_line_for_every_request(start_server):
    server = start_server(MAAS_ACCESS_LOG_SAMPLE="1")
    sent = [("GET", "/health", 200), ("POST", "/stm/logged/messages", 200), ("GET", "/stm/logged/messages", 200),
            ("GET", "/nowhere", 404), ("PATCH", "/health", 405), ("DELETE", "/stm/logged", 200),
            ("HEAD", "/health", 200)]
    with server.client() as client:
        for number, (method, path, _) in enumerate(sent):
            body = b'{"messages": []}' if method == "POST" else None
            client.request(method, path, content=body, headers={"X-Request-ID": f"logged-{number}"})
    with RawConnection(server.port) as connection:
        connection.send(request("GET", "/health", b"", "Broken", request_id="faulty"))
        assert connection.read_reply().status == 400
    assert server.stop() == 0
    lines = {line["request_id"]: line for line in request_lines(server) if line["request_id"].startswith("logged-")}
    assert len(lines) == len(sent)
    for number, (method, path, status) in enumerate(sent):
        line = lines[f"logged-{number}"]
        assert (line["method"], line["path"], line["status"]) == (method, path, status)
        assert isinstance(line["duration_us"], int) and line["duration_us"] >= 0
        assert line["level"] == "info" and line["time"]
    assert lines["logged-1"]["tenant"] == "default"
    assert 400 in [line["status"] for line in request_lines(server)]


def test_every_line_of_the_log_is_json(start_server):
    server = start_server(MAAS_ACCESS_LOG_SAMPLE="1")
    with server.client() as client:
        client.get("/stm/%0a%22%5c%00/messages")
        client.get("/stm/é\u2028/messages")
    with RawConnection(server.port) as connection:
        connection.send(b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.read_reply()
    assert server.stop() == 0
    lines = server.log_path.read_bytes().decode().split("\n")
    assert len(lines) > 3 and lines.pop() == ""
    for line in lines:
        assert {"time", "level", "message"} <= set(json.loads(line))


def test_a_sample_of_zero_logs_no_request(start_server):
    server = start_server(MAAS_ACCESS_LOG_SAMPLE="0")
    with server.client() as client:
        for _ in range(20):
            client.get("/stm/x/messages")
    assert server.stop() == 0
    assert request_lines(server) == []


def test_a_sample_of_one_half_logs_some_requests(start_server):
    server = start_server(MAAS_ACCESS_LOG_SAMPLE="0.5")
    with server.client() as client:
        for _ in range(200):
            client.get("/stm/x/messages")
    assert server.stop() == 0
    assert 0 < len(request_lines(server)) < 200


def test_lines_of_the_access_log_come_while_the_server_runs(start_server):
    server = start_server(MAAS_ACCESS_LOG_SAMPLE="1")
    with server.client() as client:
        client.get("/health", headers={"X-Request-ID": "soon"})
    wait_until(lambda: "soon" in server.log(), 10, "the line about a request")
