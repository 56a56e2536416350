"""The provider stub breaks its replies and connections in each way that it is told to."""

import concurrent.futures
import datetime
import email.utils
import http.client
import json
import math
import pathlib
import subprocess
import sys

import numpy
import pytest

from support import provider_faults as faults
from support.processes import wait_until
from support.provider import Provider
from support.provider_client import CHAT, COHERE, OPENAI, PROTOCOLS, TEI, Client, expected, vectors
from support.raw_http import RawConnection, request


@pytest.fixture
def provider():
    with Provider(dims=32) as provider:
        yield provider


@pytest.fixture
def client(provider):
    return Client(provider)


def test_faults_are_spent_in_order_and_by_kind(provider, client):
    provider.fail(faults.status(500), faults.status(503), kind="chat")
    provider.fail(faults.status(409), times=2)
    client.ask(*TEI, status=409)
    assert client.ask(*CHAT, status=500)["error"]["type"] == "server_error"
    client.ask(*CHAT, status=503)
    client.ask(*CHAT, status=409)
    client.ask(*CHAT)


def test_a_lasting_fault_is_healed(provider, client):
    provider.break_with(faults.status(500), kind="embedding")
    for _ in range(3):
        client.ask(*COHERE, status=500)
    client.ask(*CHAT)
    provider.heal()
    client.ask(*COHERE)


def test_retry_after_is_in_seconds_or_a_date(provider, client):
    date = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    provider.fail(faults.too_many_requests(2), faults.too_many_requests(date))
    for expected_value in ("2", email.utils.format_datetime(date, usegmt=True)):
        reply = client.post(*CHAT)
        reply.read()
        assert (reply.status, reply.headers["Retry-After"]) == (429, expected_value)


def test_parameters_are_refused_by_name(provider, client):
    provider.break_with(faults.unsupported_parameter("max_tokens", "max_completion_tokens"),
                        faults.unsupported_value("temperature"), faults.unsupported_response_format())
    for name, value in (("max_tokens", 5), ("temperature", 0.1), ("response_format", {"type": "text"})):
        error = client.ask(CHAT[0], CHAT[1] | {name: value}, 400)["error"]
        assert error["param"] == name and f"'{name}'" in error["message"]
    client.ask(CHAT[0], CHAT[1] | {"max_completion_tokens": 5, "temperature": 1})


@pytest.mark.parametrize("fault, error", [
    (faults.cut(), http.client.IncompleteRead), (faults.stall(), TimeoutError), (faults.stall(.5), TimeoutError),
    (faults.closed(), http.client.RemoteDisconnected), (faults.reset(), ConnectionResetError)])
@pytest.mark.parametrize("chunked", [None, 100])
def test_a_reply_does_not_come_to_its_end(provider, client, fault, error, chunked):
    provider.chunk_bytes = chunked
    provider.fail(fault)
    client.connection.timeout = 0.2 if error is TimeoutError else 10
    with pytest.raises(error):
        client.post(*OPENAI).read()
    client.connection.close()
    client.connection.timeout = 10
    assert len(client.ask(*OPENAI)["data"]) == 3


def test_a_connection_whose_reply_stalls_serves_no_other_request(provider):
    provider.fail(faults.stall())
    with RawConnection(provider.port, timeout=0.2) as connection:
        connection.send(request("POST", CHAT[0], json.dumps(CHAT[1]).encode()) * 2)
        with pytest.raises(TimeoutError):
            connection.read_reply()
    assert len(provider.requests) == 1


@pytest.mark.parametrize("fault, check", [
    (faults.malformed_json(), lambda body: body.startswith(b'{"object":')),
    (faults.empty_body(), lambda body: not body),
    (faults.not_json(), lambda body: body.startswith(b"<html>"))])
def test_a_body_is_no_json(provider, client, fault, check):
    provider.fail(fault)
    body = client.post(*OPENAI).read()
    assert check(body)
    with pytest.raises(ValueError):
        json.loads(body)


def test_a_body_is_huge(provider, client):
    provider.fail(faults.huge(3_000_000))
    body = client.post(*OPENAI).read()
    assert len(body) == 3_000_000 and (vectors("openai", json.loads(body)) == expected()).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault, check", [
    (faults.too_few_vectors(), lambda found: found.shape == (2, 32)),
    (faults.too_many_vectors(), lambda found: found.shape == (4, 32)),
    (faults.wrong_dims(), lambda found: found.shape == (3, 33)),
    (faults.wrong_dims(7), lambda found: found.shape == (3, 7)),
    (faults.nan(), lambda found: numpy.isnan(found).sum() == 1 and math.isnan(found[2].sum())),
    (faults.infinity(), lambda found: numpy.isinf(found).sum() == 1),
    (faults.zero_vector(), lambda found: found.any(axis=1).tolist() == [True, True, False])])
def test_vectors_are_wrong(provider, client, protocol, fault, check):
    provider.fail(fault)
    path, body = PROTOCOLS[protocol]
    assert check(vectors(protocol, client.ask(path, body)))


def test_only_the_last_vector_has_wrong_dims(provider, client):
    provider.fail(faults.wrong_dims(7, last_only=True))
    assert [len(vector) for vector in client.ask(*TEI)] == [32, 32, 7]


def test_nan_comes_in_base64_or_as_a_bare_token(provider, client):
    provider.fail(faults.nan(), faults.bare_nan())
    asked = OPENAI[0], OPENAI[1] | {"encoding_format": "base64"}
    assert numpy.isnan(vectors("openai", client.ask(*asked))).sum() == 1
    assert b"NaN" in client.post(*asked).read()


def test_indices_are_wrong(provider, client):
    provider.fail(faults.same_index(), faults.index_out_of_range())
    assert [[item["index"] for item in client.ask(*OPENAI)["data"]] for _ in "12"] == [[0] * 3, [0, 1, 1_000_000]]


def test_replies_in_chunks_and_connections_that_end_with_them(provider, client):
    provider.chunk_bytes, provider.keep_alive = 7, False
    reply = client.post(*OPENAI)
    assert (reply.headers["Transfer-Encoding"], reply.headers["Connection"]) == ("chunked", "close")
    assert (vectors("openai", json.loads(reply.read())) == expected()).all()


def test_a_body_may_come_late_and_in_parts_and_requests_together(provider):
    sent = request("POST", TEI[0], json.dumps(TEI[1]).encode(), "Expect: 100-continue")
    with RawConnection(provider.port) as connection:
        for _ in range(2):
            connection.send(sent[:-40])
            assert connection.read_reply().status == 100
            for byte in sent[-40:]:
                connection.send(bytes([byte]))
            assert len(connection.read_reply().json()) == 3
        connection.send(request("POST", CHAT[0], json.dumps(CHAT[1]).encode()) * 3)
        assert [connection.read_reply().status for _ in range(3)] == [200] * 3


def test_a_connection_serves_many_requests_and_is_closed_when_idle(provider, client):
    for _ in range(3):
        client.ask(*CHAT)
    assert (provider.connections, provider.most_at_once) == (1, 1)
    assert (len(provider.take()), provider.requests) == (3, [])
    provider.close_connections()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client.post(*CHAT)


def test_a_provider_that_is_stopped_refuses_connections_and_comes_back(provider, client):
    provider.stop()
    with pytest.raises(ConnectionRefusedError):
        client.post(*CHAT)
    provider.start()
    Client(provider).ask(*CHAT)


def test_requests_that_wait_are_counted_and_do_not_wait_for_each_other(provider):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with provider.holding("chat"):
            replies = [pool.submit(Client(provider).ask, *CHAT) for _ in range(7)]
            provider.wait_for(7, "chat")
            Client(provider).ask(*TEI)
        assert all(reply.result() for reply in replies)
    assert provider.most_at_once == 8
    assert all(request.answered for request in provider.requests)


def test_a_client_that_goes_away_is_noticed(provider, client):
    provider.fail(faults.slow(3600))
    client.connection.timeout = 0.1
    with pytest.raises(TimeoutError):
        client.post(*CHAT)
    [request] = provider.wait_for(1)
    client.connection.close()
    wait_until(lambda: request.abandoned, 10, "the provider to notice")
    Client(provider).ask(*CHAT)
    assert [request.abandoned for request in provider.chats] == [True, False]


def test_latency_delays_every_reply(provider, client):
    provider.latency = 3600
    client.connection.timeout = 0.1
    with pytest.raises(TimeoutError):
        client.post(*TEI)


@pytest.mark.parametrize("ending", ["its input ends", "SIGTERM"])
def test_it_runs_as_a_program(ending):
    program = pathlib.Path(sys.modules[Provider.__module__].__file__)
    process = subprocess.Popen([sys.executable, program, "--dims", "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        url = process.stdout.readline().decode().strip()
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("POST", "/embed", '{"inputs": "a"}', {"Content-Type": "application/json"})
        assert len(json.load(connection.getresponse())[0]) == 5
        process.stdin.close() if ending == "its input ends" else process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
