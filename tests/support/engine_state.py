"""What every call of the service says while its engine can or can't be used."""

import json

import httpx

from support.processes import wait_until
from support.sessions import session_path

# The contract's limits, and what an instrumented build under load on two cores may need beyond them.
ANSWER_SECONDS = 1
RECOVERY_SECONDS = 2
ALLOWANCE_SECONDS = 1


def readiness(client: httpx.Client) -> tuple[int, dict]:
    """The status of /health/ready and what it says about the short-term memory."""
    reply = client.get("/health/ready")
    return reply.status_code, reply.json()["checks"]["stm"]


def wait_until_ready(client: httpx.Client):
    wait_until(lambda: readiness(client)[0] == 200, 10, "/health/ready to say 200")


def is_served(client: httpx.Client, session: str) -> bool:
    return client.get(session_path(session, "/messages")).status_code == 200


def every_call(client: httpx.Client, session: str) -> dict[str, httpx.Response]:
    """The reply to each call of a session; deleting it is the last."""
    content = json.dumps({"messages": [{"role": "user", "content": "x"}]})
    calls = {"append": ("POST", "/messages", content), "messages": ("GET", "/messages", None),
             "context": ("GET", "/context", None), "configure": ("PUT", "/config", '{"max_messages": 5}'),
             "settings": ("GET", "/config", None), "delete": ("DELETE", "", None)}
    return {name: client.request(method, session_path(session, rest), content=body,
                                 headers={"Content-Type": "application/json"})
            for name, (method, rest, body) in calls.items()}


def assert_refuses_every_call(client: httpx.Client, session: str):
    """503 in time and with a reason, while the process itself says that it lives."""
    for name, reply in every_call(client, session).items():
        assert reply.status_code == 503, f"{name}: {reply.text}"
        assert reply.json()["detail"], name
        assert reply.elapsed.total_seconds() < ANSWER_SECONDS + ALLOWANCE_SECONDS, name
    assert client.get("/health").status_code == 200
    status, check = readiness(client)
    assert (status, check["engine"]) == (503, "redis")
    assert check["status"] != "ok"
    assert check["detail"]
