"""Tables and examples in the documents agree with the code, and no document is too long."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app import create_app
from config import Settings
from media.capacity import COSTS
from media.profiles import PROFILES
from scoring.reading import read_answer
from tests.conftest import SettingsFactory

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
API = (DOCS / "api.md").read_text()
SCORE = (DOCS / "score.md").read_text()
SETTINGS = (DOCS / "settings.md").read_text()
WRITTEN_BY_RUNS = {"drills.md", "benchmarks.md"}


def default_of(name: str) -> str:
    default = Settings.model_fields[name].default
    default = str(default).lower() if isinstance(default, bool) else default
    return "(empty)" if default is None or not str(default) else f"`{default}`"


def settings_rows() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        unit = str(extra["unit"]) if isinstance(extra, dict) else ""
        rows.append(f"| `{name.upper()}` | {default_of(name)} | {unit} | {field.description} |")
    return rows


def rows_after(text: str, header: str) -> list[str]:
    """The rows of the table whose header line begins with `header`."""
    lines = text[text.index(f"\n{header}") + 1 :].splitlines()[2:]
    return lines[: next((index for index, line in enumerate(lines) if not line.startswith("|")), len(lines))]


def test_the_settings_table_agrees_with_the_code() -> None:
    assert rows_after(SETTINGS, "| variable |") == settings_rows()


def test_the_profiles_table_agrees_with_the_code() -> None:
    assert rows_after(SETTINGS, "| profile |") == [
        f"| `{p.name}` | {p.width} × {p.height}, {p.frame_rate} fps | {p.video_bitrate_kbps / 1000:g} Mbit/s |"
        for p in PROFILES.values()
    ]


def test_the_table_of_costs_agrees_with_the_code() -> None:
    assert rows_after(SETTINGS, "| core-seconds a second |") == [
        f"| `{name}` | {' | '.join(f'{cost:.2f}' for cost in costs)} |" for name, costs in COSTS.items()
    ]


def test_the_api_table_names_every_route(settings_with: SettingsFactory) -> None:
    rules = create_app(settings_with()).url_map.iter_rules()
    routes = {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert {tuple(re.findall(r"`(\S+) (\S+)`", row)[0]) for row in rows_after(API, "| call |")} == routes


@pytest.mark.parametrize("text", re.findall(r"```json\n(.*?)```", SCORE, re.DOTALL), ids=lambda text: text.strip()[:20])
def test_the_feed_examples_can_be_read(text: str) -> None:
    assert read_answer(json.loads(text)).board.sides
    assert not read_answer(json.loads(text)).faults


def test_there_are_feed_examples() -> None:
    assert SCORE.count("```json\n") == 3


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(((?!http)[^)]+)\)", document.read_text()):
        path, _, anchor = "".join(link.split()).partition("#")
        target = document.parent / path if path else document
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name not in WRITTEN_BY_RUNS], ids=lambda path: path.name
)
def test_a_document_is_not_long(document: Path) -> None:
    assert len(document.read_text().splitlines()) <= 300
