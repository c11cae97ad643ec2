"""The documents must be true: commands exist, links lead somewhere, the reference is the parser's own."""

import re
from pathlib import Path

import pytest

from flows.cli import COMMANDS
from flows.reference import commands
from flows.reference_words import CONDITION_WORDS, WORDS
from flows.reference_yaml import settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_a_page_names_exists(page: Path) -> None:
    shown = re.findall(r"`[^`]*`|^evenreach.*", page.read_text(), re.M)
    named = set(re.findall(r"evenreach ([a-z][a-z-]+)\b", "\n".join(shown)))
    prose = {"demo-numbers"}
    assert named - prose <= set(COMMANDS), f"{page.name} names {sorted(named - set(COMMANDS))}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_command_reference_is_what_the_program_says() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == commands(), "write it anew: python -m flows.reference > docs/commands.md"


def test_the_settings_reference_is_what_the_program_reads() -> None:
    written = (ROOT / "docs" / "yaml.md").read_text()
    assert written == settings(), "write it anew: python -m flows.reference yaml > docs/yaml.md"


def test_every_key_of_the_settings_has_words_and_every_word_a_key() -> None:
    text = settings()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert all(len(row) == 4 and len(row[3].rstrip(" |")) > 2 for row in rows)
    told = {row[3].removesuffix(" |") for row in rows}
    unused = {name for name, words in {**WORDS, **CONDITION_WORDS}.items() if words not in told}
    assert unused == set()


def test_the_links_within_the_settings_reference_lead_to_its_headings() -> None:
    text = settings()
    headings = [
        line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")
    ]
    anchors = {"".join(c for c in heading if c.isalnum() or c in "-_") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_the_readme_s_demo_and_test_commands_stand_in_it() -> None:
    text = (ROOT / "README.md").read_text()
    assert "pip install uv && uv run evenreach demo" in text
    assert "uv run pytest" in text
    assert "uv run pytest" in (ROOT / ".ci" / "run").read_text()


def test_the_constraints_are_the_same_for_uv_and_pip() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line]
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f'"{pin.replace(chr(34), chr(39))}"' in project for pin in pins)
    assert not any("://" in pin for pin in pins)


def test_the_example_environment_names_every_setting() -> None:
    from flows.settings import Settings

    text = (ROOT / ".env.example").read_text()
    missing = [name for name in Settings.model_fields if f"EVENREACH_{name.upper()}=" not in text]
    assert not missing
