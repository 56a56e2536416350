"""The compose files, as Compose itself reads them: complete, pinned, and of one piece."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FILES = ["compose.yaml", "compose.embedded.yaml"]
PROFILES = ["mongodb", "documentdb"]
COMPOSE_PROGRAMS = [
    ROOT / ".deps/debian13/usr/libexec/docker/cli-plugins/docker-compose",
    pathlib.Path("/usr/libexec/docker/cli-plugins/docker-compose"),
]
# Addresses in settings: scheme, host, port.
ADDRESS = re.compile(r"\b(?:\w+)://(?:[^@/\s]*@)?([\w.-]+):(\d+)")
# Where clients find a server whose own settings don't tell: container port by service.
LISTENS = {
    "redis": 6379, "mongodb": 27017, "documentdb": 10260, "otel-collector": 4318, "langfuse-web": 3000,
    "langfuse-postgres": 5432, "langfuse-redis": 6379, "langfuse-minio": 9000,
}
CLICKHOUSE_PORTS = {8123, 9000}


def compose(folder: pathlib.Path, *arguments: str, **environment: str) -> str:
    program = next((str(program) for program in COMPOSE_PROGRAMS if program.exists()), None)
    assert program, "scripts/setup test brings docker-compose"
    ran = subprocess.run([program, *arguments], cwd=folder, text=True, capture_output=True, timeout=60,
                         env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment})
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def folder(tmp_path):
    """deploy/ as it is cloned: without anybody's .env."""
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=lambda _, names: [name for name in names if name == ".env"])
    return tmp_path / "deploy"


def services(folder, file="compose.yaml", **environment) -> dict:
    profiles = [option for profile in PROFILES for option in ("--profile", profile)]
    return json.loads(compose(folder, "-f", file, *profiles, "config", "--format", "json", **environment))["services"]


def example() -> list[tuple[str, str]]:
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", (DEPLOY / ".env.example").read_text(), re.M)


@pytest.mark.parametrize("file", FILES)
def test_compose_reads_the_file_with_nothing_set(folder, file):
    assert compose(folder, "-f", file, "config", "--quiet") == ""


@pytest.mark.parametrize("file", FILES)
def test_a_copied_example_changes_nothing(folder, file):
    before = services(folder, file)
    shutil.copy(folder / ".env.example", folder / ".env")
    assert services(folder, file) == before


@pytest.mark.parametrize("file", FILES)
def test_the_example_lists_every_variable_with_the_default_of_the_file(file):
    text = (DEPLOY / file).read_text()
    used = re.findall(r"\$\{(\w+)(?::?-([^}]*))?\}", text)
    assert used
    for name, default in used:
        assert (name, default) in example()


@pytest.mark.parametrize("file", FILES)
def test_images_are_pinned(folder, file):
    for name, service in services(folder, file).items():
        tag = service["image"].rpartition(":")[2]
        assert re.search(r"\d+\.\d+|\d{4}-\d\d-\d\d", tag), f"{name}: {service['image']}"


def test_maas_has_the_version_of_the_source(folder):
    version = re.search(r"project\(maas VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    for file in FILES:
        assert services(folder, file)["maas"]["image"] == f"maas:{version}"
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert set(re.findall(r"^ARG VERSION=?(.*)$", dockerfile, re.M)) == {version}


@pytest.mark.parametrize("file", FILES)
def test_ports_are_published_on_this_machine_alone(folder, file):
    ports = [port for service in services(folder, file).values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if port.get("host_ip") != "127.0.0.1"] == []
    assert len({port["published"] for port in ports}) == len(ports)


def test_who_waits_for_health_waits_for_one_that_tells_it(folder):
    stack = services(folder)
    for name, service in stack.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in stack, f"{name} needs {needed}"
            if how["condition"] == "service_healthy":
                assert stack[needed].get("healthcheck", {}).get("test"), f"{name} waits for the health of {needed}"


def test_who_is_started_without_a_profile_needs_nobody_of_one(folder):
    stack = services(folder)
    for name, service in stack.items():
        if service.get("profiles"):
            continue
        for needed, how in service.get("depends_on", {}).items():
            assert not (stack[needed].get("profiles") and how["required"]), f"{name} needs {needed}"


def test_addresses_are_those_of_services_that_listen_there(folder):
    stack = services(folder)
    found = set()
    for name, service in stack.items():
        for variable, value in service.get("environment", {}).items():
            for host, port in ADDRESS.findall(str(value)):
                if host == "127.0.0.1":
                    published = {p["published"] for s in stack.values() for p in s.get("ports", [])}
                    assert port in published, f"{name}'s {variable} is {value}"
                elif host == "langfuse-clickhouse":
                    assert int(port) in CLICKHOUSE_PORTS
                else:
                    assert LISTENS.get(host) == int(port), f"{name}'s {variable} is {value}"
                    found.add(host)
    assert {"redis", "otel-collector", "langfuse-web", "langfuse-postgres", "langfuse-minio"} <= found


@pytest.mark.parametrize("profile", PROFILES)
def test_the_example_has_the_address_of_each_profiles_server(folder, profile):
    pairs = example()
    place = pairs.index(("COMPOSE_PROFILES", profile))
    name, uri = pairs[place + 1]
    address = urlsplit(uri)
    assert (name, address.hostname, address.port) == ("MONGODB_URI", profile, LISTENS[profile])
    shown = services(folder)[profile]["environment"]
    password = shown.get("MONGODB_INITDB_ROOT_PASSWORD", shown.get("PASSWORD"))
    user = shown.get("MONGODB_INITDB_ROOT_USERNAME", shown.get("USERNAME"))
    assert (address.username, address.password) == (user, password)


def test_settings_of_env_reach_maas(folder):
    (folder / ".env").write_text("COMPOSE_PROFILES=mongodb\nMONGODB_URI=mongodb://elsewhere\nSTM_MAX_MESSAGES=7\nREDIS_URL=\n")
    maas = json.loads(compose(folder, "-f", "compose.yaml", "config", "--format", "json"))["services"]["maas"]
    environment = maas["environment"]
    assert environment["MONGODB_URI"] == "mongodb://elsewhere"
    assert environment["STM_MAX_MESSAGES"] == "7"
    assert environment["REDIS_URL"] == ""


def test_no_variable_of_the_stack_looks_like_a_setting_of_maas(folder):
    """Else MaaS, to which all of .env is handed, would warn of it."""
    text = (DEPLOY / ".env.example").read_text()
    settings = set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", text[text.index("# <settings>"):], re.M))
    prefixes = ("MAAS_", "STM_", "LTM_", "REDIS_", "MONGODB_", "VECTOR_", "EMBEDDING_", "LLM_", "OTEL_")
    assert [name for name, _ in example() if name.startswith(prefixes) and name not in settings] == []


def test_the_collector_shows_langfuse_the_keys_that_it_starts_with(folder):
    stack = services(folder)
    keys = stack["langfuse-web"]["environment"]
    pair = f"{keys['LANGFUSE_INIT_PROJECT_PUBLIC_KEY']}:{keys['LANGFUSE_INIT_PROJECT_SECRET_KEY']}"
    collector = stack["otel-collector"]
    assert base64.b64decode(collector["environment"]["LANGFUSE_OTEL_AUTH"]).decode() == pair
    for part in ("ORG_ID", "PROJECT_ID", "USER_EMAIL", "USER_PASSWORD"):
        assert keys[f"LANGFUSE_INIT_{part}"]
    # The file that it reads is the one that is mounted, and asks for what it is given.
    mounted = {volume["target"]: volume["source"] for volume in collector["volumes"]}
    option = next(part for part in collector["command"] if part.startswith("--config="))
    config = yaml.safe_load(pathlib.Path(mounted[option.removeprefix("--config=")]).read_text())
    asked = set(re.findall(r"\$\{env:(\w+)", json.dumps(config)))
    assert asked == set(collector["environment"])
    receiver = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert urlsplit(f"//{receiver}").port == LISTENS["otel-collector"]
    exporter = config["exporters"]["otlp_http/langfuse"]["endpoint"]
    assert urlsplit(re.search(r":-(\S+)}", exporter)[1]).hostname == "langfuse-web"


def test_langfuse_and_its_stores_agree_on_passwords(folder):
    changed = {f"LANGFUSE_{store}_PASSWORD": f"other-{store.lower()}" for store in ("POSTGRES", "CLICKHOUSE", "REDIS", "MINIO")}
    stack = services(folder, **changed)
    for name in ("langfuse-web", "langfuse-worker"):
        environment = stack[name]["environment"]
        assert urlsplit(environment["DATABASE_URL"]).password == "other-postgres"
        assert environment["CLICKHOUSE_PASSWORD"] == "other-clickhouse"
        assert environment["REDIS_AUTH"] == "other-redis"
        assert environment["LANGFUSE_S3_EVENT_UPLOAD_SECRET_ACCESS_KEY"] == "other-minio"
        assert environment["LANGFUSE_S3_MEDIA_UPLOAD_SECRET_ACCESS_KEY"] == "other-minio"
    assert stack["langfuse-postgres"]["environment"]["POSTGRES_PASSWORD"] == "other-postgres"
    assert stack["langfuse-clickhouse"]["environment"]["CLICKHOUSE_PASSWORD"] == "other-clickhouse"
    assert stack["langfuse-minio"]["environment"]["MINIO_ROOT_PASSWORD"] == "other-minio"
    assert "other-redis" in stack["langfuse-redis"]["command"]


def test_what_holds_data_holds_it_in_a_named_volume(folder):
    for file in FILES:
        for name, service in services(folder, file).items():
            kept = [volume for volume in service.get("volumes", []) if volume["type"] == "volume"]
            assert all(volume.get("source") for volume in kept), name
            if name not in ("otel-collector", "langfuse-web", "langfuse-worker"):
                assert kept, name
