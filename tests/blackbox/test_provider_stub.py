"""The provider stub speaks each provider's protocol; test_provider_stub_faults.py breaks it."""

import json

import numpy
import pytest

from support.provider import Provider
from support.provider_chat import Completion, fenced, in_prose, model, scripted
from support.provider_client import (AZURE, CHAT, COHERE, HUGGINGFACE, MODEL, OLLAMA, OPENAI, PROTOCOLS, TEI, TEXTS,
                                     Client, expected, vectors)
from support.provider_embeddings import embed
from support.provider_http import Reply


@pytest.fixture
def provider():
    with Provider(dims=32) as provider:
        yield provider


@pytest.fixture
def client(provider):
    return Client(provider)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_gives_the_same_vectors(provider, client, protocol):
    path, body = PROTOCOLS[protocol]
    assert (vectors(protocol, client.ask(path, body)) == expected()).all()
    [request] = provider.embeddings
    assert (request.protocol, request.texts, request.json) == (protocol, TEXTS, body)


def test_vectors_are_normalized_and_nearer_the_more_words_they_share():
    one, near, far = expected(256)
    assert [round(float(vector @ vector), 5) for vector in (one, near, far)] == [1, 1, 1]
    assert min(one) < 0 < max(one)
    assert one @ near > 0.4 > 0.2 > one @ far


def test_a_text_without_words_has_a_vector():
    assert embed("?!", 8) @ embed("?!", 8) == embed("", 8) @ embed("", 8) == 1


def test_the_shapes_of_the_replies(client):
    reply = client.ask(*OPENAI)
    assert set(reply) == {"object", "data", "model", "usage"} and (reply["object"], reply["model"]) == ("list", "m")
    assert [(item["object"], item["index"]) for item in reply["data"]] == [("embedding", i) for i in range(3)]
    assert {"id", "embeddings", "texts", "meta"} <= set(client.ask(*COHERE))
    assert {"model", "embeddings", "total_duration", "prompt_eval_count"} <= set(client.ask(*OLLAMA))
    assert numpy.shape(client.ask(HUGGINGFACE[0], {"inputs": "one"})) == (32,)
    assert numpy.shape(client.ask(TEI[0], {"inputs": "one"})) == (1, 32)


@pytest.mark.parametrize("protocol, field", [("openai", "dimensions"), ("azure_openai", "dimensions"),
                                             ("cohere", "output_dimension"), ("ollama", "dimensions")])
def test_a_request_chooses_the_dimensions(client, protocol, field):
    path, body = PROTOCOLS[protocol]
    assert (vectors(protocol, client.ask(path, body | {field: 48})) == expected(48)).all()


def test_openai_vectors_come_in_base64_and_in_any_order(provider, client):
    provider.shuffled = True
    reply = client.ask(OPENAI[0], OPENAI[1] | {"encoding_format": "base64"})
    assert [item["index"] for item in reply["data"]] != [0, 1, 2]
    assert (vectors("openai", reply) == expected()).all()


def test_token_vectors_have_the_vector_as_their_mean(provider, client):
    provider.token_level = True
    reply = client.ask(*HUGGINGFACE)
    assert [len(tokens) for tokens in reply] == [6, 6, 6]
    assert numpy.allclose([numpy.mean(tokens, axis=0) for tokens in reply], expected(), atol=1e-6)


@pytest.mark.parametrize("protocol, field, most, status", [
    ("openai", "input", 2048, 400), ("azure_openai", "input", 2048, 400), ("cohere", "texts", 96, 400),
    ("tei", "inputs", 32, 413)])
def test_too_many_texts_are_refused(client, protocol, field, most, status):
    path, body = PROTOCOLS[protocol]
    assert len(vectors(protocol, client.ask(path, body | {field: ["x"] * most}))) == most
    client.ask(path, body | {field: ["x"] * (most + 1)}, status)


@pytest.mark.parametrize("protocol, path, key", [
    ("openai", ["error", "message"], "authorization"), ("azure_openai", ["error", "code"], "api-key"),
    ("cohere", ["message"], "authorization"), ("huggingface", ["error"], "authorization"),
    ("ollama", ["error"], "authorization")])
def test_a_wrong_key_is_refused_in_the_protocol_s_shape(protocol, path, key):
    def header(value):
        return {key: value if key == "api-key" else f"Bearer {value}"}
    with Provider(keys={"right"}) as provider:
        client = Client(provider)
        body = client.ask(*PROTOCOLS[protocol], status=401, **header("wrong"))
        for name in path:
            body = body[name]
        assert isinstance(body, str)
        client.ask(*PROTOCOLS[protocol], **header("right"))
        client.ask(*PROTOCOLS[protocol], status=200 if protocol in ("huggingface", "ollama") else 401)


def test_an_unknown_model_or_path_is_refused(provider, client):
    provider.models = {"other"}
    assert client.ask(*CHAT, status=404)["error"]["code"] == "model_not_found"
    assert client.ask(*AZURE, status=404)["error"]["code"] == "DeploymentNotFound"
    client.ask("/nowhere", {}, 404)
    client.ask(AZURE[0].partition("?")[0], AZURE[1], 404)


FACTS = "Extract facts. Answer in JSON: {\"facts\": [\"…\"]}.\nuser: Hi. {} assistant: a\nInput:\n"
DECIDE = ('Choose an event for each memory: ADD, UPDATE, DELETE or NONE. Example: [{"id": "0", "text": "old"}] and '
          '["new"] give {"memory": [{"id": "0", "text": "new", "event": "UPDATE"}]}.')


def chat(*messages: tuple[str, str]) -> dict:
    return MODEL | {"messages": [{"role": role, "content": content} for role, content in messages]}


def content(reply: dict) -> str:
    return reply["choices"][0]["message"]["content"]


@pytest.mark.parametrize("path", [CHAT[0], "/openai/deployments/m/chat/completions?api-version=1"])
def test_the_shape_of_a_chat_reply(client, path):
    reply = client.ask(path, CHAT[1])
    assert {"id", "object", "created", "model", "choices", "usage"} == set(reply)
    assert (reply["object"], reply["model"]) == ("chat.completion", "m")
    [choice] = reply["choices"]
    assert (choice["message"], choice["finish_reason"]) == ({"role": "assistant", "content": "I see."}, "stop")
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("conversation", [
    "user: I have a dog. It is old!\nassistant: Nice. How old?\nuser: Ten",
    json.dumps([{"role": "user", "content": "I have a dog. It is old!"}, {"role": "assistant", "content": "Nice."},
                {"role": "user", "content": "Ten"}])])
def test_the_simple_model_takes_the_user_s_sentences_for_facts(provider, client, conversation):
    reply = client.ask(CHAT[0], chat(("system", FACTS), ("user", conversation)))
    assert json.loads(content(reply)) == {"facts": ["I have a dog.", "It is old!", "Ten"]}
    assert provider.asked == ["facts"]


@pytest.mark.parametrize("memories, ids", [
    ([], ["0 ADD", "1 ADD"]), ([{"id": "0", "text": "a"}], ["0 NONE", "1 ADD"]),
    ([{"id": "0", "text": "x"}, {"id": "1", "text": "b"}], ["0 NONE", "1 NONE", "2 ADD"])])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("write", [json.dumps, repr])
def test_the_simple_model_adds_what_no_memory_says(client, memories, ids, apart, write):
    shown = f"Memory:\n{write(memories)}\nFacts:\n{write(['a', 'b'])}"
    prompt = chat(("system", DECIDE), ("user", shown)) if apart else chat(("user", f"{DECIDE}\n{shown}\nJSON only."))
    decided = json.loads(content(client.ask(CHAT[0], prompt)))["memory"]
    assert [f"{entry['id']} {entry['event']}" for entry in decided] == ids


def test_the_simple_model_summarizes(provider, client):
    assert content(client.ask(CHAT[0], chat(("system", "Summarize."), ("user", "I ran.")))) == "Summary: I ran."
    assert provider.asked == ["summary"]


def test_a_test_chooses_the_answers(provider, client):
    provider.chat = scripted(fenced({"a": 1}), in_prose([2]), Completion("cut", finish_reason="length"),
                             Reply(418, {"tea": 1}))
    assert content(client.ask(*CHAT)) == '```json\n{\n  "a": 1\n}\n```'
    assert "\n\n[2]\n\n" in content(client.ask(*CHAT))
    assert client.ask(*CHAT)["choices"][0]["finish_reason"] == "length"
    assert client.ask(*CHAT, status=418) == {"tea": 1}
    assert content(client.ask(*CHAT)) == "I see."


def test_a_test_chooses_the_facts_and_the_decisions(provider, client):
    provider.chat = model(facts=["x"], decide=lambda memories, facts: [
        {"id": memory["id"], "text": facts[0], "event": "UPDATE", "old_memory": memory["text"]} for memory in memories])
    assert json.loads(content(client.ask(CHAT[0], chat(("system", FACTS), ("user", "Hi"))))) == {"facts": ["x"]}
    shown = 'Memory: [{"id": "0", "text": "old"}] Facts: ["a"]'
    assert json.loads(content(client.ask(CHAT[0], chat(("system", DECIDE), ("user", shown))))) == {
        "memory": [{"id": "0", "text": "a", "event": "UPDATE", "old_memory": "old"}]}


def test_a_mistake_in_a_test_s_model_is_raised():
    with pytest.raises(ZeroDivisionError), Provider() as provider:
        provider.chat = lambda _: str(1 / 0)
        assert Client(provider).post(*CHAT).status == 500
