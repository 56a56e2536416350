"""How providers of models are reached: TLS, HTTP/2, connections that are kept, proxies."""

import concurrent.futures
import json

import pytest
from support.forward_proxy import ForwardProxy
from support.memories import Memories
from support.processes import free_port
from support.provider import Provider
from support.tls_front import TlsFront

KEY = "sk-the-key-of-the-embedder"
PASSWORD = "the-password-of-the-proxy"
DIMS = 64


@pytest.fixture
def provider():
    with Provider(dims=DIMS, keys={KEY}) as provider:
        yield provider


@pytest.fixture
def front(provider, tmp_path):
    with TlsFront(tmp_path / "front", provider.url) as front:
        yield front


def settings(base: str, **others: str) -> dict[str, str]:
    return {"EMBEDDING_PROVIDER": "openai", "EMBEDDING_API_KEY": KEY, "EMBEDDING_DIMS": str(DIMS),
            "EMBEDDING_BASE_URL": f"{base}/v1", "EMBEDDING_MAX_RETRIES": "0", "EMBEDDING_CACHE_MB": "0", **others}


def trusting(front: TlsFront, **others: str) -> dict[str, str]:
    return settings(front.url, MAAS_CA_FILE=front.ca_file, **others)


def remember(server, text: str = "a violin"):
    with server.client() as client:
        return Memories(client, user_id="u").post("", messages=text)


def assert_fails(server, *words: str):
    """A clear 503 whose reason is in the log, and no secret anywhere."""
    reply = remember(server)
    assert reply.status_code == 503, reply.text
    said = json.dumps(reply.json()) + server.log()
    for word in words:
        assert word in said
    assert PASSWORD not in said and KEY not in said


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(front, start_server):
    assert remember(start_server(**trusting(front))).status_code == 200


def test_an_unknown_authority_is_not(front, provider, start_server):
    assert_fails(start_server(**settings(front.url)), "certificate", "MAAS_CA_FILE")
    assert provider.requests == []


def test_a_certificate_for_another_name_is_refused(front, provider, start_server):
    base = front.url.replace("127.0.0.1", "localhost")
    assert_fails(start_server(**settings(base, MAAS_CA_FILE=front.ca_file)), "certificate")
    assert provider.requests == []


def test_calls_at_once_share_a_connection_of_http_2(front, provider, start_server):
    provider.latency = .2
    server = start_server(**trusting(front, MAAS_WORKERS="1"))
    assert remember(server).status_code == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: remember(server, f"violin {number}"), range(8)))
    assert [reply.status_code for reply in replies] == [200] * 8
    calls = front.calls()
    assert len(calls) > 2 and provider.most_at_once > 1
    assert {protocol for protocol, _ in calls} == {"HTTP/2.0"}
    assert len({connection for _, connection in calls}) == 1


def test_http_1_is_spoken_where_there_is_no_other_and_connections_are_kept(provider, tmp_path, start_server):
    with TlsFront(tmp_path / "old", provider.url, http2=False) as front:
        server = start_server(**trusting(front, MAAS_WORKERS="1"))
        for number in range(4):
            assert remember(server, f"violin {number}").status_code == 200
        calls = front.calls()
    assert [protocol for protocol, _ in calls] == ["HTTP/1.1"] * 4
    assert len({connection for _, connection in calls}) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_the_environment_names_is_asked(front, start_server, name):
    with ForwardProxy() as proxy:
        assert remember(start_server(**trusting(front), **{name: proxy.url()})).status_code == 200
        assert proxy.asked == [f"CONNECT 127.0.0.1:{front.port} HTTP/1.1"]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_without_a_proxy_are_asked_directly(front, start_server, name):
    with ForwardProxy() as proxy:
        server = start_server(**trusting(front, HTTPS_PROXY=proxy.url()), **{name: "example.org,127.0.0.1"})
        assert remember(server).status_code == 200
        assert proxy.asked == []


def test_a_proxy_may_want_a_login_that_is_told_to_nobody_else(front, provider, start_server):
    with ForwardProxy(login=f"me:{PASSWORD}") as proxy:
        server = start_server(**trusting(front, HTTPS_PROXY=proxy.url(f"me:{PASSWORD}"), MAAS_LOG_LEVEL="trace"))
        assert remember(server).status_code == 200
        assert PASSWORD not in server.log()
        assert "proxy-authorization" not in provider.requests[0].headers


def test_a_wrong_login_of_a_proxy_is_told(front, provider, start_server):
    with ForwardProxy(login="me:another") as proxy:
        chosen = trusting(front, HTTPS_PROXY=proxy.url(f"me:{PASSWORD}"), EMBEDDING_MAX_RETRIES="2")
        assert_fails(start_server(**chosen), "HTTPS_PROXY", "407")
        assert len(proxy.asked) == 1
    assert provider.requests == []


def test_a_proxy_that_refuses_is_told(front, start_server):
    with ForwardProxy(refusal="502 Bad Gateway") as proxy:
        chosen = trusting(front, HTTPS_PROXY=proxy.url(), EMBEDDING_MAX_RETRIES="2")
        assert_fails(start_server(**chosen), "HTTPS_PROXY", "502")
        assert len(proxy.asked) == 3


def test_a_proxy_that_is_away_is_told(front, start_server):
    away = f"http://me:{PASSWORD}@127.0.0.1:{free_port()}"
    assert_fails(start_server(**trusting(front, HTTPS_PROXY=away)), "can't be reached")
