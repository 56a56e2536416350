"""An agent that remembers its users from one session to the next: python3 agent.py USER_ID SESSION_ID

Each line of the input is a question. Needs Python 3.11 and httpx; README.md beside this file names the settings.
"""

import os
import sys
from urllib.parse import quote

import httpx


class ServiceError(Exception):
    """A service failed; the text says which one, and how."""


class Service:
    """A server that takes and gives JSON."""

    def __init__(self, name: str, url: str, key: str):
        self.name = name
        # Models take their time, also the one that MaaS may ask for what is worth remembering.
        self.client = httpx.Client(base_url=url, timeout=120, headers={"Authorization": f"Bearer {key}"} if key else {})

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        try:
            reply = self.client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise ServiceError(f"{self.name} at {self.client.base_url} does not answer: {error}") from error
        if not reply.is_success:
            raise ServiceError(f"{self.name} answered {reply.status_code}: {reply.text}")
        return reply.json()


def prompt(memories: list[dict], window: list[dict], question: str) -> list[dict]:
    """What the model is shown. A long session begins with a message of the role "summary". Models don't know that
    role, and some take one system message only, so the summary goes into the first, together with the memories."""
    system = ["You are a helpful assistant. What you remember of this user:"]
    system += [f"- {memory['memory']}" for memory in memories] or ["- nothing yet"]
    system += [f"How this conversation began: {said['content']}" for said in window if said["role"] == "summary"]
    turns = [{"role": said["role"], "content": said["content"]} for said in window if said["role"] != "summary"]
    return [{"role": "system", "content": "\n".join(system)}, *turns, {"role": "user", "content": question}]


def answer(maas: Service, model: Service, user_id: str, session_id: str, question: str) -> str:
    session = f"/stm/{quote(session_id, safe='')}"  # an id may hold any character, a slash too
    memories = maas.call("POST", "/ltm/memories/search", {"user_id": user_id, "query": question, "limit": 5})["results"]
    window = maas.call("GET", f"{session}/context")["messages"]
    reply = model.call("POST", "/chat/completions", {"model": os.environ.get("OPENAI_MODEL", "gpt-4.1-mini"),
                                                     "messages": prompt(memories, window, question)})
    text = reply["choices"][0]["message"]["content"]
    if not text:
        raise ServiceError(f"{model.name} answered without a text")
    # Both at once and only now: a model that fails leaves no question without its answer in the session.
    turn = [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
    maas.call("POST", f"{session}/messages", {"messages": turn})
    # Of the user, not of the session, so that all of the user's sessions find it.
    maas.call("POST", "/ltm/memories", {"user_id": user_id, "messages": turn})
    return text


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: python3 agent.py USER_ID SESSION_ID")
    maas = Service("MaaS", os.environ.get("MAAS_URL", "http://127.0.0.1:8000"), os.environ.get("MAAS_API_KEY", ""))
    model = Service("the model", os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
                    os.environ.get("OPENAI_API_KEY", ""))
    try:
        while True:
            if question := input("> ").strip():
                print(answer(maas, model, *sys.argv[1:], question), flush=True)
    except (EOFError, KeyboardInterrupt):
        print()
    except ServiceError as error:
        sys.exit(f"agent: {error}")


if __name__ == "__main__":
    main()
