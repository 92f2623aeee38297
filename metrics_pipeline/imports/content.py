"""Imports a file of content attributes: every line checked, the good ones merged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metrics_pipeline.control.imports import ImportRecord, new_import_id, record_import
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.content import ContentAttributes, keep_content, parse_content
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.imports.readers import READERS
from metrics_pipeline.imports.source_files import Columns, Progress, checked_file, file_sha256
from metrics_pipeline.pipeline import Pipeline

KIND = "content"
CONTENT_COLUMNS = Columns(
    required=("content_id",),
    optional=("workspace_id", *(name for name in ContentAttributes.model_fields if name != "content_id")),
)


@dataclass(frozen=True)
class ContentImport:
    """What became of a file: items in it, how many of them are new, and line and reason of every bad row."""

    import_id: str
    items: int
    new: int
    problems: list[tuple[int, str]]
    extra_columns: list[str]


def import_content(
    pipeline: Pipeline,
    path: Path,
    workspace_id: str | None = None,
    chosen: FileFormat | None = None,
    *,
    strict: bool = False,
    progress: Progress = lambda _: None,
) -> ContentImport:
    """Read, check and merge a file; `workspace_id` stands for rows that name none.

    Raises:
        UserError: the file as a whole cannot be used, no row is good, or, with strict, any row is bad.
    """
    raw = READERS[checked_file(path, chosen)](path, CONTENT_COLUMNS, progress)
    known = {workspace.workspace_id for workspace in list_workspaces(pipeline.control)}
    now = pipeline.settings.clock.now()
    good: dict[tuple[str, str], dict[str, object]] = {}
    problems = list(raw.broken)
    for line, values in _lines(raw.rows.to_pylist()):
        workspace = str(values.pop("workspace_id", None) or workspace_id or "")
        found = parse_content(values)
        if not workspace:
            problems.append((line, "workspace_id is missing; name it in the file or with --workspace"))
        elif workspace not in known:
            problems.append((line, f"there is no workspace {workspace[:60]!r}"))
        elif isinstance(found, str):
            problems.append((line, found))
        else:
            good[workspace, found.content_id] = found.row(workspace, now)
    if strict and problems:
        raise UserError(f"{path.name} has {len(problems)} bad rows: nothing was imported (--strict).")
    if not good:
        first = f" (line {problems[0][0]}: {problems[0][1]})" if problems else ""
        raise UserError(f"No row of {path.name} could be imported{first}.")
    new = keep_content(pipeline.engine, good.values())
    record = ImportRecord(
        import_id=new_import_id(),
        kind=KIND,
        file_name=path.name,
        sha256=file_sha256(path),
        rows_accepted=len(good),
        rows_rejected=len(problems),
        rows_unchanged=0,
        first_date=None,
        last_date=None,
        created_at=now,
        details={"new": new},
    )
    record_import(pipeline.control, record)
    return ContentImport(record.import_id, len(good), new, sorted(problems), raw.extra_columns)


def no_way_back(record: ImportRecord) -> UserError:
    """Why an import of attributes is not taken back: what its rows replaced is not kept."""
    return UserError(
        f"Import {record.import_id} ({record.file_name}) gave attributes of content, and those before them are not "
        "kept. Import a file with the right ones: metrics-pipeline import content FILE; or send them for one item: "
        "PUT /v1/content/{content_id}. The newest word on an item counts, and its numbers follow."
    )


def _lines(rows: list[dict[str, object]]) -> Iterator[tuple[int, dict[str, object]]]:
    """Line numbers with the values that a row has; metadata travels as JSON text."""
    for row in rows:
        line = row.pop("line")
        values = {name: value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
        yield int(str(line)), {name: _decoded(value) if name == "metadata" else value for name, value in values.items()}


def _decoded(text: str) -> object:
    try:
        decoded: object = json.loads(text)
    except ValueError:
        return text  # no JSON: the check of the attribute says so
    return decoded
