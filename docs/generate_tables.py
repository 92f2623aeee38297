"""Writes the parts of the documentation that follow from the code: run it after a change, `--check` only compares.

Whole pages: tables.md (lake tables and views), metric_list.md (the catalogue) and .env.example. Blocks inside written
pages, between `<!-- generated: WHAT -->` and `<!-- end -->`: `settings`, and the options of a command (`command NAME`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from pydantic.fields import FieldInfo
from typer.main import get_command

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.cli import commands
from metrics_pipeline.connection import VIEWS, attach_all
from metrics_pipeline.lake.connect import SQL_DIR
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings
from metrics_pipeline.settings.watching import WatchSettings

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"(<!-- generated: ([^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
NOTE = "Written by `python docs/generate_tables.py`; change the code, not this page."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a pipe inside a cell would end it and is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def tables_page() -> str:
    """Every lake table with its columns, partitions and key, then every view."""
    parts = [
        "# Tables and views",
        f"{NOTE} What the numbers mean: [metrics.md](metrics.md).",
        "Times are UTC. `metrics-pipeline sql` and `from metrics_pipeline import connect` read all of them, "
        "together with `metric_catalog` and `source_catalog`, the catalogue as two relations, `job_runs`, the "
        "[jobs log](operations.md#jobs-log), and functions that give [earlier numbers](as_of.md).",
        "## Tables",
    ]
    for spec in TABLES.values():
        parts += [
            f"### {spec.name}",
            spec.description,
            f"Partitioned by {_names(spec.partition_by)}. One row per {_names(spec.keys)}.",
            table(["column", "type", "meaning"], ([f"`{c.name}`", c.sql_type, c.description] for c in spec.columns)),
        ]
    parts.append("## Views")
    for name, columns in _view_columns().items():
        parts += [f"### {name}", _header(SQL_DIR / "views" / f"{name}.sql"), "Columns: " + _names(columns) + "."]
    return "\n\n".join(parts) + "\n"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _header(file: Path) -> str:
    """The comment a SQL file begins with, as one paragraph."""
    lines = []
    for line in file.read_text().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def _view_columns() -> dict[str, list[str]]:
    """Column names by view, as the engine resolves them over an empty lake."""
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(directory)
        lake.initialise()
        connection = attach_all(lake)
        return {view: connection.table(view).columns for view in VIEWS}


def metric_list_page() -> str:
    """Every metric of the catalogue with the platform sources that feed it."""
    found = catalog()
    rows = []
    for metric in found.metrics.values():
        sources = [
            f"{spec.label}: `{s.source}` ({s.level}, {s.kind.replace('_', ' ')})"
            for spec in found.platforms.values()
            for s in spec.sources
            if s.metric == metric.name
        ]
        if metric.derived:
            sources = ["computed" + (f": {metric.numerator} / {metric.denominator}" if metric.numerator else "")]
        rows.append(
            [
                f"`{metric.name}`",
                f"{metric.label}. {metric.description}",
                metric.unit,
                metric.additivity,
                ", ".join(metric.levels),
                "yes" if metric.comparable_across_platforms else "no",
                "<br>".join(sources) or "imports only",
            ]
        )
    header = ["metric", "meaning", "unit", "over days", "levels", "in 'all'", "fed by"]
    intro = (
        f"{NOTE} What *over days* means stands in [metrics.md](metrics.md#weeks-and-months); *in 'all'* says whether "
        "workspace rows of platform `all` have it. A metric can always be imported unless it is computed."
    )
    return f"# Metrics of the catalogue\n\n{intro}\n\n{table(header, rows)}\n"


def settings_fields() -> dict[str, FieldInfo]:
    """Every setting, those of watching last."""
    fields = Settings.model_fields
    return dict(sorted(fields.items(), key=lambda item: item[0] in WatchSettings.__annotations__))


def settings_table() -> str:
    """Every setting with its default and meaning."""
    rows = []
    for name, field in settings_fields().items():
        default = f"`{field.default}`" if field.default is not None else ""
        rows.append([f"`METRICS_{name.upper()}`", default, field.description or ""])
    return table(["variable", "default", "meaning"], rows)


def example_environment() -> str:
    """Every setting as a commented-out variable under its meaning."""
    lines = [
        "# Every setting, with its default. All are optional: the embedded set-up needs none.",
        "# A file settings.env in the data directory is read too; the environment wins.",
        "",
    ]
    for name, field in settings_fields().items():
        default = "" if field.default is None else field.default
        lines += [f"# {field.description}", f"# METRICS_{name.upper()}={default}"]
    return "\n".join(lines) + "\n"


def options_table(path: str) -> str:
    """Arguments and options of a command, such as `workspace add`."""
    app = typer.Typer()
    commands.register(app)
    command = get_command(app)
    for name in path.split():
        command = command.commands[name]  # type: ignore[attr-defined]  # groups have it
    rows = []
    for parameter in command.params:
        if parameter.name in ("help", "data_dir"):
            continue
        is_option = parameter.param_type_name == "option"
        shown = getattr(parameter, "metavar", None) or (parameter.name or "").upper()
        names = _names(parameter.opts) if is_option else f"`{shown}`"
        rows.append([names, getattr(parameter, "help", None) or "", "yes" if parameter.required else ""])
    return table(["option", "meaning", "required"], rows) if rows else "No options of its own."


def command_names() -> list[str]:
    """Every command, `group command` where it belongs to a group."""
    app = typer.Typer()
    commands.register(app)
    names = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]  # the application is a group
        members = getattr(command, "commands", None)
        names += [f"{name} {member}" for member in members] if members else [name]
    return names


def filled(text: str) -> str:
    """A written page with its generated blocks brought up to date."""

    def fill(match: re.Match[str]) -> str:
        what = match[2]
        content = settings_table() if what == "settings" else options_table(what.removeprefix("command "))
        return f"{match[1]}{content}\n{match[3]}"

    return BLOCK.sub(fill, text)


def pages() -> dict[Path, str]:
    """Every page that is generated or has generated blocks, with the text it should have."""
    written = {path: filled(path.read_text()) for path in sorted(DOCS.glob("*.md")) if BLOCK.search(path.read_text())}
    return {
        DOCS / "tables.md": tables_page(),
        DOCS / "metric_list.md": metric_list_page(),
        DOCS.parent / ".env.example": example_environment(),
        **written,
    }


def main() -> int:
    """Write what is out of date; with --check only name it, and return 1 if there is any."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        sys.stdout.write(f"{path.relative_to(DOCS.parent)} is out of date\n")
        if "--check" not in sys.argv:
            path.write_text(pages()[path])
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
