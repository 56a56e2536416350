"""The workflow runs commands that there are, with images that the compose files pin, and releases only what passed."""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / ".github" / "workflows" / "ci.yml"
WORKFLOW = yaml.safe_load(FILE.read_text())
JOBS = WORKFLOW["jobs"]


def commands() -> list[str]:
    found = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    found += [entry["command"] for entry in JOBS["check"]["strategy"]["matrix"]["include"]]
    return found


def test_make_has_every_goal_that_is_made():
    goals = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    made = {goal for command in commands() for goal in re.findall(r"\bmake ([a-z]\w*)", command)}
    assert {"test", "tsan", "fuzz", "arm64", "package"} <= made <= goals


def test_every_script_and_file_is_there():
    named = {name for command in commands() for name in re.findall(r"\b(?:scripts|deploy)/[\w./-]+", command)}
    assert named
    for name in named:
        file = ROOT / name
        assert file.exists(), name
        assert not name.startswith("scripts/") or file.stat().st_mode & 0o111, f"{name} can't be executed"


def test_engines_are_those_of_the_compose_file():
    stack = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    pinned = {service["image"].removeprefix("docker.io/").removeprefix("library/") for service in stack.values()
              if "image" in service}
    assert {service["image"] for service in JOBS["engines"]["services"].values()} <= pinned


def test_addresses_of_engines_are_those_of_the_services():
    services = JOBS["engines"]["services"]
    environment = JOBS["engines"]["env"]
    for name in ("MAAS_TEST_REDIS_URL", "MAAS_TEST_ATLAS_URI", "MAAS_TEST_DOCUMENTDB_URI"):
        host = re.search(r"//(?:[^@/]*@)?([\w-]+)", environment[name])[1]
        assert host in services
        for secret in services[host].get("env", {}).values():
            assert secret in environment[name]


def test_a_release_waits_for_all_else():
    assert set(JOBS["release"]["needs"]) == set(JOBS) - {"release"}
    assert JOBS["release"]["if"] == "github.ref_type == 'tag'"


def test_rights_are_given_to_the_release_alone():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"release"}


def test_only_actions_of_the_platform_itself_are_used():
    used = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used), used


def test_every_job_ends():
    limits = {name: job.get("timeout-minutes", 0) for name, job in JOBS.items()}
    assert all(0 < limit <= 120 for limit in limits.values()), limits


def test_actionlint_finds_nothing():
    actionlint = shutil.which("actionlint") or shutil.which("actionlint", path=str(pathlib.Path.home() / "go" / "bin"))
    if not actionlint:
        pytest.skip("actionlint is not installed (go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7)")
    checked = subprocess.run([actionlint, str(FILE)], cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stdout
