"""API keys: who gets in, and that tenants never see each other's sessions."""

import json

import pytest
from support.processes import Server, serving
from support.raw_http import exchange, request
from support.sessions import Session

RED, OTHER_RED, BLUE = "red-k3y-0123456789", "red-second-k3y", "blue-k3y-9876543210"
WRONG = "wrong-k3y-that-must-not-be-logged"
SPECIAL = "p+/=:!$%&*~|#k3y"


@pytest.fixture(scope="module")
def keyed_server(engine, engine_settings, tmp_path_factory):
    keys = f"red:{RED},blue:{BLUE},red:{OTHER_RED},special:{SPECIAL}"
    settings = {"MAAS_API_KEYS": keys, "MAAS_ACCESS_LOG_SAMPLE": "1", "MAAS_LOG_LEVEL": "trace", **engine_settings}
    with serving(tmp_path_factory.mktemp(engine), **settings) as server:
        yield server
        log = server.log()
        assert [key for key in (RED, OTHER_RED, BLUE, SPECIAL, WRONG) if key in log] == []


def bearer(key: str) -> dict:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def red(keyed_server, session_id):
    with keyed_server.client(headers=bearer(RED)) as client:
        yield Session(client, session_id)


@pytest.fixture
def blue(keyed_server, session_id):
    """The other tenant's session of the same id."""
    with keyed_server.client(headers={"X-API-Key": BLUE}) as client:
        yield Session(client, session_id)


@pytest.mark.parametrize("headers", [
    bearer(RED), {"X-API-Key": RED}, {"x-api-key": RED}, {"Authorization": f"bearer {RED}"},
    {"authorization": f"BEARER {RED}"}, bearer(OTHER_RED), bearer(SPECIAL), {"X-API-Key": SPECIAL},
])
def test_a_valid_key_gets_in(keyed_server, headers):
    with keyed_server.client(headers=headers) as client:
        assert client.get("/stm/s/messages").status_code == 200


@pytest.mark.parametrize("headers", [
    {}, bearer(WRONG), {"X-API-Key": WRONG}, {"Authorization": RED}, {"Authorization": f"Basic {RED}"},
    {"Authorization": "Bearer"}, {"X-API-Key": ""}, {"X-API-Key": f"red:{RED}"},
    bearer(RED[:-1]), bearer(RED + "x"), bearer(RED.upper()), {"X-Api-Token": RED}, {"Cookie": f"key={RED}"},
    bearer(f"{RED},{BLUE}"),
])
def test_anything_else_is_401(keyed_server, headers):
    with keyed_server.client(headers=headers) as client:
        for method, path in [("GET", "/stm/s/messages"), ("POST", "/stm/s/messages"), ("GET", "/stm/s/context"),
                             ("DELETE", "/stm/s"), ("PUT", "/stm/s/config"), ("GET", "/stm/s/config")]:
            reply = client.request(method, path)
            assert reply.status_code == 401
            assert reply.headers["WWW-Authenticate"] == "Bearer"
            assert reply.headers["X-Request-ID"]
            assert set(reply.json()) == {"detail"} and isinstance(reply.json()["detail"], str)


def test_a_key_in_the_query_is_no_key(keyed_server):
    with keyed_server.client() as client:
        assert client.get("/stm/s/messages", params={"api_key": RED, "X-API-Key": RED}).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/docs", "/docs/swagger-ui.css",
                                  "/docs/swagger-ui-bundle.js", "/openapi.json"])
def test_health_and_documents_need_no_key(keyed_server, path):
    for headers in ({}, bearer(WRONG)):
        with keyed_server.client(headers=headers) as client:
            assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthy", "/docsx", "/stm", "/nowhere", "/health/../stm/s/messages",
                                  "//stm/s/messages", "/openapi.json/x"])
def test_no_path_leads_around_the_keys(keyed_server, path):
    reply = exchange(keyed_server.port, request("GET", path))[0]
    assert reply.status in (401, 404)


def test_a_refused_request_leaves_its_connection_usable(keyed_server):
    data = (request("POST", "/stm/s/messages", b'{"messages": []}')
            + request("GET", "/stm/s/messages", b"", f"X-API-Key: {RED}"))
    assert [reply.status for reply in exchange(keyed_server.port, data, 2)] == [401, 200]


def test_a_refused_request_changes_nothing(keyed_server, red):
    stored = red.append("mine")
    with keyed_server.client(headers=bearer(WRONG)) as client:
        stranger = Session(client, red.id)
        assert stranger.post({"messages": [{"role": "user", "content": "intruder"}]}).status_code == 401
        assert client.delete(red.path()).status_code == 401
        assert client.put(red.path("/config"), json={"max_messages": 1}).status_code == 401
    assert red.messages() == stored
    assert red.settings()["max_messages"] == 50


def test_keys_of_one_tenant_share_its_sessions(keyed_server, red):
    stored = red.append("shared")
    with keyed_server.client(headers=bearer(OTHER_RED)) as client:
        assert Session(client, red.id).messages() == stored


def test_tenants_do_not_see_each_others_messages(red, blue):
    of_red = red.append("red's")
    assert blue.messages() == blue.context()["messages"] == []
    of_blue = blue.append("blue's", "blue's too")
    assert (red.messages(), blue.messages()) == (of_red, of_blue)


def test_tenants_do_not_share_settings(red, blue):
    red.configure(strategy="token_threshold", max_messages=3)
    assert blue.settings() == {"strategy": "sliding_window", "max_messages": 50, "max_tokens": 8000}
    blue.configure(max_messages=9)
    assert red.settings()["max_messages"] == 3


def test_a_deletion_stays_inside_its_tenant(red, blue):
    red.append("red's")
    of_blue = blue.append("blue's")
    red.delete()
    assert (red.messages(), blue.messages()) == ([], of_blue)


def test_a_summary_stays_inside_its_tenant(red, blue):
    for session in (red, blue):
        session.configure(strategy="token_threshold")
        session.append(*(f"The garden has {number} old apple trees by the wall." for number in range(20)))
    before = blue.messages()
    assert red.context(max_tokens=100)["summarized"] > 0
    assert blue.messages() == before


def test_tenants_and_sessions_never_run_together(tmp_path, engine_settings, session_id):
    # Where a tenant's name ends and a session's id begins must be unmistakable.
    pairs = [("a", "b/c"), ("a/b", "c"), ("a", "b"), ("ab", ""), ("a}", "{b"), ("a{", "}b"), ("A", "b")]
    tail = session_id[-36:]
    keys = ",".join(f"{tenant}:key-{number}" for number, (tenant, _) in enumerate(pairs))
    with serving(tmp_path, MAAS_API_KEYS=keys, **engine_settings) as server:
        sessions = [Session(server.client(headers=bearer(f"key-{number}")), f"{session}{tail}")
                    for number, (_, session) in enumerate(pairs)]
        for number, session in enumerate(sessions):
            session.append(f"of {number}")
        for number, session in enumerate(sessions):
            assert [item["content"] for item in session.messages()] == [f"of {number}"]
            session.client.close()


def test_the_access_log_names_the_tenant_and_never_a_key(start_server):
    server = start_server(MAAS_API_KEYS=f"red:{RED},blue:{BLUE}", MAAS_ACCESS_LOG_SAMPLE="1", MAAS_LOG_LEVEL="trace")
    for number, headers in enumerate((bearer(RED), {"X-API-Key": BLUE}, bearer(WRONG))):
        with server.client(headers={**headers, "X-Request-ID": f"r{number}"}) as client:
            client.get("/stm/s/messages")
    assert server.stop() == 0
    log = server.log()
    assert [key for key in (RED, BLUE, WRONG) if key in log] == []
    lines = [json.loads(line) for line in log.splitlines()]
    by_id = {line["request_id"]: line for line in lines if line["message"] == "request"}
    assert (by_id["r0"]["tenant"], by_id["r0"]["status"]) == ("red", 200)
    assert (by_id["r1"]["tenant"], by_id["r1"]["status"]) == ("blue", 200)
    assert by_id["r2"]["status"] == 401 and by_id["r2"]["tenant"] not in ("red", "blue", "default")


# Where keys come from.

def test_keys_may_come_from_a_file(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"red:{RED}\n\nblue:{BLUE}\n")
    with serving(tmp_path, MAAS_API_KEYS_FILE=str(keys)) as server:
        for headers, status in ((bearer(RED), 200), (bearer(BLUE), 200), (bearer(WRONG), 401), ({}, 401)):
            with server.client(headers=headers) as client:
                assert client.get("/stm/s/messages").status_code == status


@pytest.mark.parametrize("keys", [f"no-colon-{RED}", f":{RED}", "red:", f"red:{RED},blue:{RED}"],
                         ids=["no_tenant", "empty_tenant", "empty_key", "one_key_of_two_tenants"])
def test_keys_that_can_not_be_right_are_refused_without_being_shown(tmp_path, keys):
    ended = Server(tmp_path, MAAS_API_KEYS=keys).run("serve")
    assert ended.returncode == 2
    assert "key" in ended.stderr.lower()
    assert RED not in ended.stdout + ended.stderr


# Addresses that others can reach.

@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_no_keys_and_an_open_address_are_refused_with_a_sentence(tmp_path, host):
    ended = Server(tmp_path).run("serve", "--host", host, "--port", "0")
    assert ended.returncode == 2
    assert "MAAS_API_KEYS" in ended.stderr and "MAAS_ALLOW_ANONYMOUS" in ended.stderr
    assert host in ended.stderr


@pytest.mark.parametrize("settings", [{"MAAS_ALLOW_ANONYMOUS": "true"}, {"MAAS_API_KEYS": f"red:{RED}"}],
                         ids=["anonymous", "keys"])
def test_an_open_address_is_served_with_keys_or_if_anonymous_is_allowed(tmp_path, settings):
    with serving(tmp_path, "--host", "0.0.0.0", **settings) as server, server.client() as client:
        expected = 200 if "MAAS_ALLOW_ANONYMOUS" in settings else 401
        assert client.get("/stm/s/messages").status_code == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_needs_no_keys(tmp_path, host):
    with serving(tmp_path, "--host", host) as server, server.client() as client:
        assert client.get("/stm/s/messages").status_code == 200
