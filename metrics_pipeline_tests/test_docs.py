"""The documentation names what exists: generated parts are current, nothing is missing, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.cli import commands
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(#[^)]+)?\)")


def text(name: str) -> str:
    return (DOCS / name).read_text()


def command_names() -> list[str]:
    """Every command as it is typed, `group command` where it belongs to a group."""
    app = typer.Typer()
    commands.register(app)
    names: list[str] = []
    for name, command in getattr(get_command(app), "commands", {}).items():
        members = getattr(command, "commands", None)
        names += [f"{name} {member}" for member in members] if members else [name]
    return names


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_generated_parts_are_up_to_date() -> None:
    check = subprocess.run(
        [sys.executable, str(DOCS / "generate_tables.py"), "--check"], capture_output=True, text=True, check=False
    )

    assert check.returncode == 0, f"{check.stdout}{check.stderr}run: python docs/generate_tables.py"


@pytest.mark.parametrize("page", [".env.example", "docs/operations.md"])
def test_every_setting_is_named(page: str) -> None:
    found = (ROOT / page).read_text()
    assert [name for name in Settings.model_fields if not re.search(rf"METRICS_{name.upper()}\b", found)] == []


def test_every_command_has_a_section_with_its_options_and_an_example() -> None:
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text("cli.md"), re.MULTILINE | re.DOTALL))

    assert sorted(sections) == sorted(command_names())
    for name, section in sections.items():
        assert f"<!-- generated: command {name} -->" in section
        assert f"$ metrics-pipeline {name}" in section, f"{name} has no example"


def test_every_metric_and_table_is_listed() -> None:
    assert [name for name in catalog().metrics if f"| `{name}` |" not in text("metric_list.md")] == []
    assert [name for name in TABLES if f"### {name}\n" not in text("tables.md")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(path + anchor)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    index = text("README.md")
    pages = [p.relative_to(DOCS) for p in sorted(DOCS.rglob("*.md")) if p.parent.name != "decisions"]
    assert [str(p) for p in pages if p.name != "README.md" and f"({p})" not in index] == []
