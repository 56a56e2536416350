"""Contexts under a token threshold whose summaries an LLM writes, or fails to."""

import threading

import pytest
from support import provider_faults as faults
from support.processes import serving
from support.provider import Provider
from support.provider_chat import model
from support.sessions import Session, message
from support.tokens import count_tokens

KEY = "sk-the-key-of-the-llm"
BUDGET = 400


@pytest.fixture(scope="module")
def provider():
    with Provider(keys={KEY}) as provider:
        yield provider


@pytest.fixture(scope="module")
def llm_server(provider, engine_settings, tmp_path_factory):
    settings = {"LLM_BASE_URL": f"{provider.url}/v1", "LLM_API_KEY": KEY, "LLM_MAX_RETRIES": "1",
                "LLM_TIMEOUT_MS": "1000", "STM_SUMMARIZATION_MODEL": "gpt-4o-mini", **engine_settings}
    with serving(tmp_path_factory.mktemp("llm"), **settings) as server:
        yield server
        assert KEY not in server.log()


@pytest.fixture
def session(llm_server, provider, request):
    provider.heal()
    provider.chat = model()
    provider.take()
    with llm_server.client() as client:
        session = Session(client, request.node.name)
        session.configure(strategy="token_threshold", max_tokens=BUDGET)
        session.append(*(message(f"({n}) The garden of my aunt has {n} trees, and she counts them on Sundays.",
                                 ("user", "assistant")[n % 2]) for n in range(40)))
        yield session


def check(context: dict, before: list[dict]):
    assert context["total_tokens"] == sum(item["token_count"] for item in context["messages"]) <= BUDGET
    assert all(item["token_count"] == count_tokens(item["content"]) for item in context["messages"])
    kept = [item for item in context["messages"] if item["role"] != "summary"]
    assert kept == before[len(before) - len(kept):]


def test_a_summary_is_written_by_the_model_and_continued(session, provider):
    before = session.messages()
    provider.chat = lambda body: "The aunt counts her trees."
    context = session.context()
    check(context, before)
    summary = context["messages"][0]
    assert summary["content"] == "The aunt counts her trees."
    assert summary["metadata"]["summary"]["method"] == "llm"
    assert context["summarized"] == summary["metadata"]["summary"]["messages"] >= 24
    assert provider.chats[0].json["model"] == "gpt-4o-mini"
    session.append(*(message(f"({n}) And now for something else, which is not about trees.") for n in range(40)))
    provider.chat = lambda body: "Trees, then something else."
    check(session.context(), session.messages())
    assert "The aunt counts her trees." in provider.chats[-1].prompt


def test_a_summary_of_ten_thousand_words_is_cut(session, provider):
    before = session.messages()
    provider.chat = lambda body: "This sentence is one of very many. " * 1700
    context = session.context()
    check(context, before)
    assert context["messages"][0]["content"].endswith("many.")
    assert context["messages"][0]["metadata"]["summary"]["method"] == "llm"


def test_what_the_model_cannot_take_at_once_goes_to_it_in_parts(provider, start_server):
    window = 2000
    provider.chat = lambda body: f"Summary {len(provider.chats)}."
    server = start_server(LLM_BASE_URL=f"{provider.url}/v1", LLM_API_KEY=KEY, LLM_CONTEXT_TOKENS=str(window))
    with server.client() as client:
        session = Session(client, "parts")
        session.configure(strategy="token_threshold", max_tokens=BUDGET)
        session.append(*(f"ok {n}" for n in range(1500)), *(f"[{n}]\n" * 100 for n in range(1500, 1520)), "last")
        before = session.messages()
        provider.take()
        context = session.context()
    check(context, before)
    summarized = before[:context["summarized"]]
    assert len(summarized) > 1500
    asked = provider.chats
    assert len(asked) > 5 and context["messages"][0]["content"] == f"Summary {len(asked)}."
    for number, request in enumerate(asked):
        said = [item["content"] for item in request.json["messages"]]
        assert sum(map(count_tokens, said)) + request.json["max_tokens"] <= window
        assert (f"Summary {number}." in said[-1]) == (number > 0)
    told = "".join(request.json["messages"][-1]["content"] for request in asked)
    for item in summarized:
        assert told.count(f"user: {item['content'].splitlines()[0]}\n") >= 1
    assert sum(told.count(f"[{n}]\n") for n in range(1500, 1520)) == 100 * (len(summarized) - 1500)


@pytest.mark.parametrize("fault", [faults.status(500), faults.unauthorized(), faults.slow(5), faults.malformed_json(),
                                   faults.empty_body(), faults.cut(.5)],
                         ids=["500", "401", "slow", "malformed", "empty", "cut"])
def test_a_failing_model_replaces_nothing(session, provider, fault):
    before = session.messages()
    provider.fail(fault, times=2, kind="chat")
    context = session.context()
    check(context, before)
    assert context["summarized"] == 0 and context["messages"]
    assert session.messages() == before
    provider.heal()
    provider.chat = lambda body: "Later."
    assert session.context()["messages"][0]["content"] == "Later."


@pytest.mark.parametrize("nothing", ["", " \n "], ids=["empty", "blank"])
def test_an_empty_summary_replaces_nothing(session, provider, nothing):
    before = session.messages()
    provider.chat = lambda body: nothing
    context = session.context()
    check(context, before)
    assert context["summarized"] == 0
    assert session.messages() == before


def test_messages_appended_while_the_model_writes_are_not_lost(session, provider):
    provider.chat = lambda body: "Written meanwhile."
    with provider.holding("chat"):
        contexts = []
        reader = threading.Thread(target=lambda: contexts.append(session.context()))
        reader.start()
        provider.wait_for(1, "chat")
        late = Session(session.client, session.id).append("said while the summary was being written")
    reader.join()
    assert late[0]["id"] in [item["id"] for item in session.messages()]
    assert session.messages()[0]["content"] == "Written meanwhile."
