"""Chat providers: what they are asked, to the byte, how refusals are worked round, and that no key leaks."""

import json
import threading

import pytest
from support import provider_faults as faults
from support.memories import Memories
from support.processes import Server
from support.provider import Provider
from support.provider_chat import model

KEY = "sk-the-key-of-the-llm"
COMPATIBLE = ["openai", "grok", "anthropic", "openrouter", "kimi", "glm", "minimax", "together", "deepseek", "ollama"]


@pytest.fixture
def provider():
    with Provider(dims=64, keys={KEY}) as provider:
        provider.chat = model(facts=["User likes tea"])
        yield provider


@pytest.fixture
def start(provider, start_server):
    def start(name: str = "openai", **settings):
        where = {"AZURE_ENDPOINT": provider.url} if name == "azure_openai" else {"LLM_BASE_URL": f"{provider.url}/v1/"}
        return start_server(**{"LLM_PROVIDER": name, "LLM_API_KEY": KEY, "LLM_MODEL": "model-1", **where, **settings})
    return start


def add(server) -> dict:
    with server.client() as client:
        return Memories(client).add("I like tea")


@pytest.mark.parametrize("name", COMPATIBLE)
def test_requests_are_those_of_the_protocol(start, provider, name):
    server = start(name, LLM_TEMPERATURE="0.5", LLM_MAX_TOKENS="1234")
    assert add(server)["memory"] == "User likes tea"
    for request in provider.chats:
        assert (request.method, request.path, request.query) == ("POST", "/v1/chat/completions", {})
        assert request.headers["authorization"] == f"Bearer {KEY}" and "api-key" not in request.headers
        assert request.headers["content-type"] == "application/json"
        body = dict(request.json)
        assert list(body) == ["model", "messages", "temperature", "max_tokens", "response_format"]
        assert [message["role"] for message in body.pop("messages")] == ["system", "user"]
        assert body == {"model": "model-1", "temperature": .5, "max_tokens": 1234,
                        "response_format": {"type": "json_object"}}
    assert KEY not in server.log()


def test_azure_is_asked_by_its_own_path_and_header(start, provider):
    server = start("azure_openai", LLM_API_VERSION="2025-01-01")
    assert add(server)["memory"] == "User likes tea"
    request = provider.chats[0]
    assert request.path == "/openai/deployments/model-1/chat/completions"
    assert request.query == {"api-version": "2025-01-01"}
    assert request.headers["api-key"] == KEY and "authorization" not in request.headers


def test_azure_takes_another_base_and_any_name_of_a_deployment(start, provider):
    server = start("azure_openai", LLM_BASE_URL=f"{provider.url}/", AZURE_ENDPOINT="http://127.0.0.1:9",
                   LLM_MODEL="my deployment", LLM_API_VERSION="2024-10-21&x")
    assert add(server)["memory"] == "User likes tea"
    for request in provider.chats:
        assert request.target == ("/openai/deployments/my%20deployment/chat/completions"
                                  "?api-version=2024-10-21%26x")


def test_without_a_key_none_is_sent(start_server):
    with Provider() as provider:
        provider.chat = model(facts=["User likes tea"])
        server = start_server(LLM_PROVIDER="ollama", LLM_MODEL="llama", LLM_BASE_URL=f"{provider.url}/v1")
        assert add(server)["memory"] == "User likes tea"
        assert "authorization" not in provider.chats[0].headers


def test_refused_parameters_are_left_out_from_then_on(start, provider):
    provider.break_with(faults.unsupported_parameter("max_tokens", "max_completion_tokens"),
                        faults.unsupported_value("temperature"), faults.unsupported_response_format())
    server = start()
    assert add(server)["memory"] == "User likes tea"
    assert len(provider.take()) == 5  # three refusals, and the two calls
    assert add(server)["memory"] == "User likes tea"
    for request in provider.chats:
        assert set(request.json) == {"model", "messages", "max_completion_tokens"}
    assert len(provider.chats) == 2


def test_what_did_not_cure_a_refusal_is_forgotten(start, provider):
    server = start()
    provider.fail(faults.status(400, "max_tokens is larger than this model's window"), times=2, kind="chat")
    assert add(server)["metadata"]["unprocessed"] is True
    refused = provider.take()
    assert ["max_completion_tokens" in request.json for request in refused] == [False, True]
    assert add(server)["memory"] == "User likes tea"
    assert all("max_tokens" in request.json for request in provider.chats)


def test_another_refusal_is_not_worked_round(start, provider):
    provider.break_with(faults.status(400, "the context is too long"))
    assert add(start())["metadata"]["unprocessed"] is True
    assert len(provider.chats) == 1


@pytest.mark.parametrize("fault,calls", [
    (faults.too_many_requests(0), 2), (faults.status(500), 2), (faults.status(503), 2), (faults.cut(.5), 2),
    (faults.closed(), 2), (faults.unauthorized(), 1), (faults.no_such_model(), 1), (faults.malformed_json(), 1)])
def test_what_may_pass_is_tried_again(start, provider, fault, calls):
    provider.break_with(fault)
    assert add(start(LLM_MAX_RETRIES="1"))["metadata"]["unprocessed"] is True
    assert len(provider.chats) == calls


def test_a_slow_model_is_asked_once_within_the_time_of_a_call(start, provider):
    provider.break_with(faults.slow(20))
    assert add(start(LLM_TIMEOUT_MS="500"))["metadata"]["unprocessed"] is True
    assert len(provider.chats) == 1


def test_a_pause_that_outlasts_the_call_is_not_waited_for(start, provider):
    provider.break_with(faults.too_many_requests(3600))
    assert add(start())["metadata"]["unprocessed"] is True
    assert len(provider.chats) == 1


def test_a_reply_that_comes_after_a_retry_is_taken(start, provider):
    provider.fail(faults.too_many_requests(1), faults.status(500), kind="chat")
    assert add(start())["memory"] == "User likes tea"
    assert len(provider.chats) == 4
    assert provider.chats[1].arrived - provider.chats[0].arrived >= 1  # Retry-After


def test_too_many_calls_at_once_are_answered_503_and_not_queued_for_ever(start, provider):
    server = start(LLM_MAX_CONCURRENCY="1", LTM_KEEP_ON_LLM_FAILURE="false")
    items = [{"messages": f"I like tea {n}", "user_id": f"u{n}"} for n in range(30)]
    replies = []
    with server.client() as client:
        def add_all():
            replies.append(client.post("/ltm/memories/batch/add", json={"items": items}))
        thread = threading.Thread(target=add_all)
        with provider.holding("chat"):
            thread.start()
            provider.wait_for(1, "chat")
        thread.join()
    errors = [result["error"] for result in replies[0].json()["results"] if not result["success"]]
    assert len(errors) == 30 - 9 and all("LLM_MAX_CONCURRENCY" in error for error in errors)


def test_check_tells_what_each_model_answers(start, provider, start_server):
    server = start(EMBEDDING_PROVIDER="openai", EMBEDDING_API_KEY=KEY, EMBEDDING_DIMS="64",
                   EMBEDDING_BASE_URL=f"{provider.url}/v1", STM_SUMMARIZATION_MODEL="model-2")
    server.stop()
    good = server.run("check")
    assert good.returncode == 0, good.stdout
    lines = good.stdout.splitlines()
    assert any(line.startswith("embedder") and "64 dimensions" in line and " ms" in line for line in lines)
    assert any(line.startswith("llm") and "model-1 answers" in line and " ms" in line for line in lines)
    assert any(line.startswith("summaries") and "model-2 answers" in line for line in lines)
    provider.break_with(faults.unauthorized())
    bad = server.run("check")
    assert bad.returncode == 1
    assert "check LLM_API_KEY" in bad.stdout and "check EMBEDDING_API_KEY" in bad.stdout
    assert KEY not in bad.stdout + bad.stderr
    provider.stop()
    away = server.run("check", timeout=60)
    assert away.returncode == 1 and "can't be reached" in away.stdout


@pytest.mark.parametrize(("chat", "embedding"), [
    *((name, "openai") for name in COMPATIBLE), ("azure_openai", "azure_openai"),
    *(("openai", name) for name in ("cohere", "huggingface", "ollama")),
])
def test_no_key_is_told_anywhere(start, provider, chat, embedding):
    leaky = faults.answer(json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}), 401)
    base = "" if embedding == "azure_openai" else provider.url + ("/v1" if embedding == "openai" else "")
    server = start(chat, MAAS_LOG_LEVEL="trace", EMBEDDING_PROVIDER=embedding, EMBEDDING_API_KEY=KEY,
                   EMBEDDING_BASE_URL=base, EMBEDDING_MODEL="embedder-1", EMBEDDING_DIMS="64",
                   LTM_KEEP_ON_LLM_FAILURE="false")
    told = ""
    with server.client() as client:
        memories = Memories(client)
        for kind in ("chat", "embedding"):
            provider.fail(leaky, kind=kind)
            reply = memories.post("", messages="I like tea")
            assert reply.status_code == 502
            told += reply.text
        assert memories.post("", messages="I like tea").status_code == 200
        told += client.get("/health/ready").text
    server.stop()
    told += server.log() + server.run("config").stdout + server.run("check").stdout
    assert "LLM_API_KEY=***" in told and "EMBEDDING_API_KEY=***" in told
    assert KEY not in told


@pytest.mark.parametrize("settings,problem", [
    ({"LLM_PROVIDER": "openai"}, "LLM_API_KEY is needed"),
    ({"LLM_PROVIDER": "clippy"}, "LLM_PROVIDER 'clippy' is not one of"),
    ({"LLM_PROVIDER": "azure_openai", "LLM_API_KEY": "k"}, "AZURE_ENDPOINT is needed"),
    ({"EMBEDDING_PROVIDER": "openai"}, "EMBEDDING_API_KEY is needed"),
    ({"EMBEDDING_PROVIDER": "cohere", "EMBEDDING_API_KEY": "k"}, "EMBEDDING_MODEL has to name a model of"),
    ({"LLM_API_KEY": "k", "MAAS_CA_FILE": "/nowhere.pem"}, "MAAS_CA_FILE"),
])
def test_settings_that_cannot_work_stop_the_start(tmp_path, settings, problem):
    done = Server(tmp_path, **settings).run("serve")
    assert done.returncode != 0
    assert problem in done.stdout + done.stderr
