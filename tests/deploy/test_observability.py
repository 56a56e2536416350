"""What deploy/ has for the observability of MaaS can be read, names only what exists, and holds no secret."""

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SUFFIXES = ("_bucket", "_count", "_sum")


def known_metrics() -> set[str]:
    """Those of the README's table."""
    return set(re.findall(r"^\| `(\w+)` \| (?:counter|gauge|histogram) \|", (ROOT / "README.md").read_text(), re.M))


def test_the_readme_lists_the_metrics_that_there_are():
    source = (ROOT / "src" / "trace" / "metrics.cpp").read_text()
    names = {name.replace(".", "_") for name in re.findall(r'\(\s*all,\s*\{"([\w.]+)"', source)}
    assert len(names) > 10
    listed = {re.sub(r"_(seconds|total)$", "", name) for name in known_metrics() - {"target_info"}}
    assert listed == names


def expressions() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_the_dashboard_shows_metrics_that_there_are():
    known = known_metrics()
    used = set()
    for expression in expressions():
        for name in re.findall(r"\b((?:http|gen_ai|db|maas|target)_\w+)\{", expression):
            ending = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
            metric = name.removesuffix(ending) if name not in known else name
            assert metric in known, f"{name} in {expression}"
            used.add(metric)
    assert used == known, f"no panel shows {known - used}"


def test_the_dashboard_can_be_imported():
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert dashboard["templating"]["list"][0]["type"] == "datasource"


def test_the_collector_passes_traces_on_to_langfuse():
    text = (DEPLOY / "otel-collector.yaml").read_text()
    config = yaml.safe_load(text)
    exporter = config["exporters"]["otlp_http/langfuse"]
    assert exporter["headers"] == {"Authorization": "Basic ${env:LANGFUSE_OTEL_AUTH}",
                                   "x-langfuse-ingestion-version": "4"}
    assert config["service"]["pipelines"]["traces"]["exporters"] == ["otlp_http/langfuse"]
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline.get(kind, [])) <= config[kind].keys()
    named = set(re.findall(r"\$\{env:(\w+)", text))
    assert all(name in (ROOT / "README.md").read_text() for name in named), named


def test_a_real_collector_reads_its_configuration():
    collector = os.environ.get("MAAS_TEST_OTELCOL")
    if not collector:
        pytest.skip("MAAS_TEST_OTELCOL names no OpenTelemetry Collector")
    checked = subprocess.run([collector, "validate", "--config", DEPLOY / "otel-collector.yaml"], text=True,
                             capture_output=True, timeout=60, env={**os.environ, "LANGFUSE_OTEL_AUTH": "cGs6c2s="})
    assert checked.returncode == 0, checked.stderr


def test_prometheus_is_told_where_maas_is():
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert config["scrape_configs"][0]["job_name"] == "maas"
