"""The OpenAPI document tells the truth about the server, and the page that shows it needs no network."""

import json
import pathlib
import re
import subprocess
import sys

import jsonschema_rs
import pytest
from support.processes import REPOSITORY, Server, serving
from support.raw_http import exchange, request

SOURCE = REPOSITORY / "src/api/openapi.json"
DOCUMENT = json.loads(SOURCE.read_text())
PAGE = (REPOSITORY / "src/api/docs.html").read_text()
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
OPERATIONS = [(method, path) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS]


def resolve(node: dict) -> dict:
    """What a reference inside the document points to."""
    while "$ref" in node:
        place, found = node["$ref"], DOCUMENT
        for step in place.removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def nodes(node):
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def complaints(schema: dict, value) -> list[str]:
    """Why `value` is not what a schema of the document asks for."""
    whole = {**schema, "components": DOCUMENT["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [error.message for error in validator.iter_errors(value)]


def responses(method: str, path: str) -> dict[str, dict]:
    return {status: resolve(response) for status, response in DOCUMENT["paths"][path][method]["responses"].items()}


def example_body(method: str, path: str):
    """The first example of an operation's body; None if it has no body."""
    body = DOCUMENT["paths"][path][method].get("requestBody")
    return next(iter(body["content"]["application/json"]["examples"].values()))["value"] if body else None


def example_query(method: str, path: str) -> dict:
    """The examples of an operation's parameters in the query."""
    parameters = map(resolve, DOCUMENT["paths"][path][method].get("parameters", []))
    return {each["name"]: each["example"] for each in parameters if each["in"] == "query" and "example" in each}


def concrete(path: str, memory_id: str = "unknown") -> str:
    return path.replace("{session_id}", "documented").replace("{id}", memory_id)


# The document in itself.

def test_every_schema_is_a_json_schema():
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})


def test_every_component_is_used_and_every_reference_resolves():
    references = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}
    for reference in references:
        resolve({"$ref": reference})
    components = {f"#/components/{kind}/{name}" for kind, named in DOCUMENT["components"].items() for name in named
                  if kind != "securitySchemes"}
    assert components == references


def test_every_example_is_what_its_schema_asks_for():
    checked = 0
    for node in nodes(DOCUMENT):
        if not isinstance(node.get("schema"), dict):
            continue
        examples = [example["value"] for example in node.get("examples", {}).values()]
        examples += [node["example"]] if "example" in node else []
        for example in examples:
            assert complaints(node["schema"], example) == [], example
            checked += 1
    assert checked > 20


def test_operation_ids_are_unique():
    ids = [DOCUMENT["paths"][path][method]["operationId"] for method, path in OPERATIONS]
    assert len(ids) == len(set(ids)) == 25


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_is_described(method, path):
    operation = DOCUMENT["paths"][path][method]
    assert operation["summary"] and operation["operationId"]
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}
    assert "200" in operation["responses"]
    for response in responses(method, path).values():
        assert response["description"]
        assert response["headers"]["X-Request-ID"]
        for content_type, content in response["content"].items():
            assert content["schema"]
            if content_type == "application/json" and path != "/openapi.json":
                assert "example" in content or "examples" in content
    for name in re.findall(r"{(\w+)}", path):
        assert name in [resolve(each)["name"] for each in DOCUMENT["paths"][path]["parameters"]]


# The document and the server.

def test_the_document_served_is_the_source_with_this_version(client, server):
    version = Server(server.directory).run("version").stdout
    served = client.get("/openapi.json").json()
    assert re.search(rf"(?<![\w.]){re.escape(served['info']['version'])}(?![\w.])", version)
    expected = json.loads(SOURCE.read_text().replace("@MAAS_VERSION@", served["info"]["version"]))
    assert served == expected


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_documented_operation_answers_as_documented(client, method, path):
    memory = client.post("/ltm/memories", json={"messages": f"{method} {path}", "user_id": "documented"}).json()
    reply = client.request(method, concrete(path, memory["id"]), json=example_body(method, path),
                           params=example_query(method, path))
    assert reply.status_code == 200
    content_type = reply.headers["Content-Type"].split(";")[0]
    content = responses(method, path)["200"]["content"][content_type]
    if content_type == "application/json":
        assert complaints(content["schema"], reply.json()) == []


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_methods_that_are_not_documented_are_405(server, path):
    documented = {method for method in DOCUMENT["paths"][path] if method in METHODS}
    for method in METHODS - documented - {"options", "head"}:
        reply = exchange(server.port, request(method.upper(), concrete(path)))[0]
        assert reply.status == 405, method


@pytest.mark.parametrize(("method", "target", "body", "headers", "status"), [
    ("get", "/stm/%zz/messages", b"", {}, 400), ("post", "/stm//messages", b"{}", {}, 404),
    ("post", "/stm/x/messages", b"{}", {"Content-Type": "text/plain"}, 415), ("put", "/stm/x/config", b"[", {}, 422),
    ("get", "/stm/%00/context?max_tokens=0&max_messages=x", b"", {}, 422), ("delete", "/stm/%FF", b"", {}, 422),
    ("post", "/stm/x/messages", b'{"messages": [{"role": 1, "content": 2, "metadata": 3}, 4, {}]}', {}, 422),
    ("put", "/stm/x/config", b'{"strategy": 1, "max_messages": 1.5, "max_tokens": true}', {}, 422),
    ("post", "/stm/x/messages", b"x" * 5_000_000, {}, 413),
    ("post", "/ltm/memories", b'{"messages": 5, "category": 1, "metadata": {"user_id": 1}, "infer": true}', {}, 422),
    ("post", "/ltm/memories", b'{"messages": [{"role": ""}], "user_id": 1, "ttl_seconds": -1}', {}, 422),
    ("post", "/ltm/memories/search", b'{"query": " ", "limit": 1001, "threshold": "x", "filters": {"a": 1}}', {}, 422),
    ("post", "/ltm/memories/search", b'{"query": 1, "threshold": 2, "explain": "x", "recency_half_life_days": 0}', {}, 422),
    ("get", "/ltm/memories?limit=-1&cursor=x&filters=%7B&category=x", b"", {}, 422),
    ("delete", "/ltm/memories?user_id=%FF", b"", {}, 422), ("get", "/ltm/memories/x", b"", {}, 404),
    ("put", "/ltm/memories/x", b'{"data": "x"}', {}, 404), ("delete", "/ltm/memories/x", b"", {}, 404),
    ("put", "/ltm/memories/x", b'{"data": " "}', {}, 422), ("get", "/ltm/memories/%00/history", b"", {}, 422),
    ("post", "/ltm/memories/batch/delete", json.dumps({"memory_ids": ["x"] * 51}).encode(), {}, 400),
    ("post", "/ltm/memories/batch/add", b'{"items": {}}', {}, 422), ("post", "/ltm/memories/batch/search", b"", {}, 422),
])
def test_errors_look_as_documented(client, method, target, body, headers, status):
    path = re.sub(r"^/stm/[^/?]*", "/stm/{session_id}", target).split("?")[0]
    path = re.sub(r"^/ltm/memories/(?!search$|batch/)[^/]+", "/ltm/memories/{id}", path)
    reply = client.request(method, target, content=body, headers={"Content-Type": "application/json", **headers})
    assert reply.status_code == status
    documented = responses(method, path)[str(status)]
    assert complaints(documented["content"]["application/json"]["schema"], reply.json()) == []


def test_a_missing_key_looks_as_documented(tmp_path):
    with serving(tmp_path, MAAS_API_KEYS="red:k3y") as server, server.client() as client:
        for method, path in OPERATIONS:
            reply = client.request(method, concrete(path))
            if "401" not in responses(method, path):
                assert reply.status_code == 200
                continue
            documented = responses(method, path)["401"]
            assert reply.status_code == 401
            assert complaints(documented["content"]["application/json"]["schema"], reply.json()) == []
            assert reply.headers["WWW-Authenticate"] == documented["headers"]["WWW-Authenticate"]["schema"]["const"]


def test_an_engine_that_is_away_looks_as_documented(tmp_path):
    with serving(tmp_path, REDIS_URL="redis://127.0.0.1:1") as server, server.client() as client:
        for method, path in OPERATIONS:
            if path.startswith("/ltm/"):
                continue  # its engine is embedded
            reply = client.request(method, concrete(path), json=example_body(method, path))
            if "503" not in responses(method, path):
                assert reply.status_code == 200
                continue
            documented = responses(method, path)["503"]
            assert reply.status_code == 503
            assert complaints(documented["content"]["application/json"]["schema"], reply.json()) == []


def test_schemathesis_finds_no_disagreement(server, tmp_path):
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    ended = subprocess.run(
        [schemathesis, "run", f"{server.url}/openapi.json",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
                     "response_headers_conformance,response_schema_conformance",
         "--phases", "examples,coverage,fuzzing", "--mode", "all", "--max-examples", "30",
         "--generation-deterministic", "--suppress-health-check", "all",
         "--request-timeout", "20", "--warnings", "off", "--no-color"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    cases = re.search(r"(\d+) generated", ended.stdout)
    assert cases and int(cases[1]) > 300, ended.stdout[-2000:]


# The page.

@pytest.mark.parametrize(("path", "content_type", "mark"), [
    ("/docs", "text/html", b"swagger-ui"), ("/docs/swagger-ui.css", "text/css", b".swagger-ui"),
    ("/docs/swagger-ui-bundle.js", "text/javascript", b"SwaggerUIBundle"),
])
def test_the_page_and_what_it_loads_are_served(client, path, content_type, mark):
    reply = client.get(path)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].split(";")[0] == content_type
    assert mark in reply.content


def test_the_page_loads_nothing_from_the_network(client):
    page = client.get("/docs").text
    assert page == PAGE
    assert not re.search(r"https?://|//[a-z]", re.sub(r"\s//\s.*", "", page))
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']*)["']""", page)
    assert set(loaded) == {"data:,", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/openapi.json"}
    assert re.search(r"validatorUrl:\s*null", page), "Swagger UI asks a public validator by default"
    for path in set(loaded) - {"data:,"}:
        assert client.get(path).status_code == 200


def test_the_style_sheet_loads_nothing_from_the_network(client):
    style = client.get("/docs/swagger-ui.css").text
    assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", style)
