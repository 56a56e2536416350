"""The binary's commands, options and settings, and what it says when they are wrong."""

import re
import signal
import socket

import pytest
from support.processes import REPOSITORY, RedisServer, Server, free_port, redis_available, serving
from support.sessions import Session

VERSION = re.compile(r"\d+\.\d+\.\d+\S*")
COMMANDS = ["serve", "check", "config", "backup", "healthcheck", "version"]
OPTIONS = ["--host", "--port", "--data-dir", "--env-file", "--help"]


def listed(config: str) -> dict[str, str]:
    """The lines NAME=value of `maas config`."""
    return dict(line.split("=", 1) for line in config.splitlines() if "=" in line)


def test_help_names_every_command_and_option(tmp_path):
    ended = Server(tmp_path).run("--help")
    assert ended.returncode == 0
    assert [word for word in COMMANDS + OPTIONS if word not in ended.stdout] == []
    assert ended.stderr == ""


def test_help_names_settings_with_their_defaults(tmp_path):
    shown = Server(tmp_path).run("--help").stdout
    for name, default in [("STM_MAX_MESSAGES", "50"), ("STM_MAX_TOKENS", "8000"), ("STM_SESSION_TTL_SECONDS", "86400"),
                          ("MAAS_MAX_BODY_BYTES", "4194304"), ("LLM_MODEL", "gpt-4.1-mini"), ("MAAS_PORT", "8000")]:
        assert re.search(rf"\b{name}\b.*\b{re.escape(default)}\b", shown), name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path, command):
    ended = Server(tmp_path).run(command, "--help")
    assert ended.returncode == 0 and ended.stdout


def test_version_is_that_of_the_project(tmp_path):
    ended = Server(tmp_path).run("version")
    assert ended.returncode == 0
    project = re.search(r"project\(maas VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
    assert VERSION.search(ended.stdout)[0] == project


# Settings in force.

def test_config_shows_defaults_and_what_was_set(tmp_path):
    server = Server(tmp_path, STM_MAX_MESSAGES="7", MAAS_REQUEST_TIMEOUT_MS="1234")
    ended = server.run("config", "--port", "4321")
    assert ended.returncode == 0
    shown = listed(ended.stdout)
    assert (shown["STM_MAX_MESSAGES"], shown["MAAS_REQUEST_TIMEOUT_MS"], shown["MAAS_PORT"]) == ("7", "1234", "4321")
    assert (shown["STM_MAX_TOKENS"], shown["MAAS_HOST"]) == ("8000", "127.0.0.1")


def test_config_masks_secrets(tmp_path):
    server = Server(tmp_path, MAAS_API_KEYS="red:s3cret-key", REDIS_URL="redis://user:s3cret-word@127.0.0.1:6390/2")
    ended = server.run("config")
    assert ended.returncode == 0
    assert "s3cret" not in ended.stdout + ended.stderr
    assert "MAAS_API_KEYS" in ended.stdout and "127.0.0.1:6390" in ended.stdout


def test_options_win_over_the_environment_and_that_over_the_env_file(tmp_path):
    (tmp_path / ".env").write_text("STM_MAX_MESSAGES=1\nSTM_MAX_TOKENS=1\nMAAS_PORT=1111\n")
    server = Server(tmp_path, STM_MAX_TOKENS="2", MAAS_PORT="2222")
    shown = listed(server.run("config", "--port", "3333").stdout)
    assert (shown["STM_MAX_MESSAGES"], shown["STM_MAX_TOKENS"], shown["MAAS_PORT"]) == ("1", "2", "3333")


def test_the_env_file_of_the_working_directory_is_read(tmp_path):
    (tmp_path / ".env").write_text("# settings\n\nSTM_MAX_MESSAGES=3\nexport STM_MAX_TOKENS='77'\n"
                                   "MAAS_API_KEYS=\"red:k3y\"  # who may\n")
    with serving(tmp_path) as server, server.client(headers={"X-API-Key": "k3y"}) as client:
        assert Session(client, "s").settings() == {"strategy": "sliding_window", "max_messages": 3, "max_tokens": 77}


def test_another_env_file_may_be_named(tmp_path):
    (tmp_path / ".env").write_text("STM_MAX_MESSAGES=3\n")
    (tmp_path / "other.env").write_text("STM_MAX_TOKENS=77\n")
    shown = listed(Server(tmp_path).run("--env-file", "other.env", "config").stdout)
    assert (shown["STM_MAX_MESSAGES"], shown["STM_MAX_TOKENS"]) == ("50", "77")


def test_the_data_directory_may_be_named(tmp_path):
    place = tmp_path / "a new" / "directory"
    with serving(tmp_path, "--data-dir", str(place)) as server, server.client() as client:
        Session(client, "s").append("x")
    assert any(place.iterdir())
    assert not (tmp_path / "data").exists()


# What is wrong.

@pytest.mark.parametrize("arguments", [["--unknown"], ["serve", "--unknown-option"], ["unknown-command"],
                                       ["serve", "stray"], ["backup"], ["serve", "--port"], ["check", "config"]])
def test_wrong_usage_is_exit_code_2_with_a_word_about_it(tmp_path, arguments):
    ended = Server(tmp_path).run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.strip()
    assert ended.stdout == ""
    if arguments[-1].startswith(("--unknown", "unknown", "stray")):
        assert arguments[-1] in ended.stderr


WRONG_VALUES = {
    "MAAS_MAX_BODY_BYTES": ["abc", "0", "-1", "1.5", "4 MiB", "99999999999999999999"],
    "MAAS_WORKERS": ["0", "-2", "many"], "MAAS_REQUEST_TIMEOUT_MS": ["0", "1s", "-5"],
    "STM_MAX_MESSAGES": ["0", "-1", "x"], "STM_MAX_TOKENS": ["0", "-8000"], "STM_SESSION_TTL_SECONDS": ["-1", "day"],
    "MAAS_ALLOW_ANONYMOUS": ["perhaps"], "MAAS_ACCESS_LOG_SAMPLE": ["-0.1", "2", "x"],
    "MAAS_SQLITE_SYNCHRONOUS": ["off"], "MAAS_PORT": ["70000", "-1", "http"],
    "REDIS_URL": ["http://localhost", "redis://", "127.0.0.1:6379", "redis://localhost:port"],
    "LTM_MAX_BATCH_SIZE": ["0", "many"], "LTM_DEFAULT_TTL_SECONDS": ["-1"], "LTM_CACHE_MB": ["0", "1 GB"],
    "LTM_LANGUAGE": ["klingon"], "EMBEDDING_THREADS": ["0"], "EMBEDDING_CACHE_MB": ["-1"],
    "MAAS_API_KEYS_FILE": ["does/not/exist"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG_VALUES.items()
                                             for value in values])
def test_a_wrong_value_is_exit_code_2_naming_the_setting(tmp_path, name, value):
    ended = Server(tmp_path, **{name: value}).run("config")
    assert ended.returncode == 2
    assert name in ended.stderr or (name == "MAAS_API_KEYS_FILE" and value in ended.stderr)


def test_all_problems_come_in_one_message(tmp_path):
    wrong = {name: values[0] for name, values in WRONG_VALUES.items()}
    del wrong["MAAS_API_KEYS_FILE"]
    for command in ("serve", "config"):
        ended = Server(tmp_path, **wrong).run(command, "--host", "0.0.0.0")
        assert ended.returncode == 2
        assert [name for name in wrong if name not in ended.stderr] == []
        assert ended.stdout == ""


def test_a_wrong_secret_is_not_shown(tmp_path):
    ended = Server(tmp_path, REDIS_URL="redis://user:s3cret@host:port/x", MAAS_API_KEYS="s3cret").run("config")
    assert ended.returncode == 2
    assert "s3cret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(("misspelt", "meant"), [("STM_MAX_MESAGES", "STM_MAX_MESSAGES"),
                                                 ("MAAS_MAX_BODY_BYTE", "MAAS_MAX_BODY_BYTES"),
                                                 ("STM_SESSION_TTL_SECOND", "STM_SESSION_TTL_SECONDS")])
def test_a_misspelt_setting_is_warned_about_with_the_nearest_name(start_server, misspelt, meant):
    server = start_server(**{misspelt: "5"})
    warning = next(line for line in server.log().splitlines() if misspelt in line)
    assert re.search(rf"\b{meant}\b", warning)
    ended = server.run("config")
    assert ended.returncode == 0
    assert re.search(rf"\b{misspelt}\b.*\b{meant}\b", ended.stderr)


def test_settings_of_other_programs_are_not_warned_about(tmp_path):
    ended = Server(tmp_path, PATHS="/x", HOMES="y", PYTHONPATH="z").run("config")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_named_env_file_must_exist(tmp_path):
    ended = Server(tmp_path).run("config", "--env-file", "missing.env")
    assert ended.returncode == 2
    assert "missing.env" in ended.stderr


def test_a_malformed_line_of_an_env_file_is_named(tmp_path):
    (tmp_path / "wrong.env").write_text("STM_MAX_MESSAGES=3\nwhat is this\n")
    ended = Server(tmp_path).run("config", "--env-file", "wrong.env")
    assert ended.returncode == 2
    assert "wrong.env" in ended.stderr and "2" in ended.stderr


# Processes.

def test_a_second_process_on_the_same_data_directory_is_refused(tmp_path):
    with serving(tmp_path) as server, server.client() as client:
        second = Server(tmp_path, "second")
        ended = second.run("serve", "--port", str(second.port))
        assert ended.returncode in (1, 2)
        assert "data" in ended.stderr and len(ended.stderr.split()) > 5, "a sentence that names the directory"
        Session(client, "s").append("the first still serves")


def test_the_lock_goes_with_its_process(tmp_path):
    first = Server(tmp_path, "first").start()
    first.kill()
    with serving(tmp_path):
        pass


def test_a_port_in_use_is_refused_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = Server(tmp_path).run("serve", "--port", port)
    assert ended.returncode in (1, 2)
    assert port in ended.stderr


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_well(start_server, which):
    server = start_server()
    with server.client() as client:  # an idle connection must not hold it up
        assert client.get("/health").status_code == 200
        server.send(which)
        assert server.process.wait(10) == 0


# Checks.

def test_healthcheck_tells_whether_the_server_is_well(tmp_path):
    with serving(tmp_path) as server:
        assert server.run("healthcheck", "--port", str(server.port)).returncode == 0
    ended = server.run("healthcheck", "--port", str(server.port))
    assert ended.returncode == 1
    assert ended.stdout + ended.stderr


def test_healthcheck_needs_no_key(tmp_path):
    with serving(tmp_path, MAAS_API_KEYS="red:k3y") as server:
        assert server.run("healthcheck", "--port", str(server.port)).returncode == 0


def test_check_reaches_the_engine(tmp_path, engine, engine_settings):
    ended = Server(tmp_path, **engine_settings).run("check")
    assert ended.returncode == 0, ended.stderr
    assert re.search(rf"stm\b.*\b{engine}\b.*\bok\b", ended.stdout)


def test_check_fails_if_the_engine_can_not_be_reached(tmp_path):
    ended = Server(tmp_path, REDIS_URL=f"redis://user:s3cret@127.0.0.1:{free_port()}").run("check")
    assert ended.returncode == 1
    assert re.search(r"stm\b.*\bredis\b.*\bunavailable\b", ended.stdout)
    assert "s3cret" not in ended.stdout + ended.stderr


def test_check_fails_if_the_password_is_wrong(tmp_path):
    if not redis_available():
        pytest.skip("redis-server is not installed")
    redis = RedisServer(tmp_path, password="right-w0rd").start()
    try:
        ended = Server(tmp_path, REDIS_URL=f"redis://:wrong-w0rd@127.0.0.1:{redis.port}").run("check")
        assert ended.returncode == 1
        assert "w0rd" not in ended.stdout + ended.stderr
        assert Server(tmp_path, REDIS_URL=redis.url).run("check").returncode == 0
    finally:
        redis.stop()


def test_check_works_beside_a_running_server(tmp_path):
    with serving(tmp_path) as server:
        assert server.run("check").returncode == 0
