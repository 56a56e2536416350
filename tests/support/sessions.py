"""The calls of the short-term memory on one session, as a test wants to write them."""

import json
import urllib.parse

import httpx


def message(content: str, role: str = "user", **fields) -> dict:
    return {"role": role, "content": content, **fields}


def session_path(session_id: str, rest: str = "") -> str:
    """Dots are encoded too: HTTP clients take the segments '.' and '..' for steps of a path."""
    return f"/stm/{urllib.parse.quote(session_id, safe='').replace('.', '%2E')}{rest}"


def succeeded(reply: httpx.Response) -> dict:
    assert reply.status_code == 200, reply.text
    return reply.json()


class Session:
    """Every call but `path` and `post` asserts success and gives the reply's JSON."""

    def __init__(self, client: httpx.Client, session_id: str):
        self.client = client
        self.id = session_id

    def path(self, rest: str = "") -> str:
        return session_path(self.id, rest)

    def post(self, body) -> httpx.Response:
        """`body` as bytes is sent as it is."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(self.path("/messages"), content=content,
                                headers={"Content-Type": "application/json"})

    def append(self, *messages: dict | str) -> list[dict]:
        """The messages as stored; a text is a user's message."""
        sent = [message(item) if isinstance(item, str) else item for item in messages]
        return succeeded(self.post({"messages": sent}))["messages"]

    def messages(self, **query) -> list[dict]:
        return succeeded(self.client.get(self.path("/messages"), params=query))["messages"]

    def context(self, **query) -> dict:
        return succeeded(self.client.get(self.path("/context"), params=query))

    def configure(self, **settings) -> dict:
        return succeeded(self.client.put(self.path("/config"), json=settings))["config"]

    def settings(self) -> dict:
        return succeeded(self.client.get(self.path("/config")))["config"]

    def delete(self) -> dict:
        return succeeded(self.client.delete(self.path()))
