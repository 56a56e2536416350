"""The documents lead to what there is, and name settings, commands and files that there are."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
TEXTS = {file: file.read_text() for file in FILES}
README = TEXTS[ROOT / "README.md"]
SETTINGS = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", README, re.M))
# Not settings of the server: what examples, tests, compilers and `make` are told.
OTHERS = re.compile(r"MAAS_(TEST_\w+|URL|API_KEY|MODEL_PRECISION)$")


def anchors(text: str) -> set[str]:
    """As the platform makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[file]):
        path, _, anchor = target.partition("#")
        to = (file.parent / path).resolve() if path else file
        assert to.exists(), target
        if anchor:
            assert anchor in anchors(TEXTS[to]), target


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_settings_are_settings(file):
    named = set(re.findall(r"\b(?:MAAS|STM|LTM|LLM|EMBEDDING|VECTOR|MONGODB|OTEL)_[A-Z0-9_]*[A-Z0-9]\b", TEXTS[file]))
    assert [name for name in named if name not in SETTINGS and not OTHERS.match(name)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_that_are_named_are_there(file):
    named = set(re.findall(r"\b(?:deploy|scripts|tests|bench|examples|cmake)/[\w./-]*\w", TEXTS[file]))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_commands_are_commands(file):
    told = subprocess.run([ROOT / "build/release/maas", "--help"], text=True, capture_output=True, timeout=60).stdout
    commands = set(re.findall(r"^  (\w+)  +[A-Z]", told, re.M))
    assert {"serve", "export"} <= commands
    assert set(re.findall(r"`maas (\w+)", TEXTS[file])) <= commands
