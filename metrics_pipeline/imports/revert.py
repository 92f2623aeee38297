"""Takes an import back: exactly the rows it added, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from metrics_pipeline.control.imports import ImportRecord, get_import, list_imports, mark_reverted
from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.reading_store import delete_import
from metrics_pipeline.imports.readings import KIND, touched_of
from metrics_pipeline.pipeline import Pipeline


@dataclass(frozen=True)
class Reverted:
    """rows: how many were deleted. also_in: later imports that may have had rows of it, which were known then."""

    record: ImportRecord
    rows: int
    also_in: list[ImportRecord]


def revert_readings(pipeline: Pipeline, import_id: str) -> Reverted:
    """Delete the rows of an import and mark it reverted; interrupted, it can be run again.

    Raises:
        UserError: there is no such import of readings, or it was reverted before.
    """
    record = get_import(pipeline.control, import_id)
    if record.kind != KIND:
        raise UserError(f"Import {import_id} is one of {record.kind}, not of readings.")
    now = pipeline.settings.clock.now()
    if record.reverted_at is not None:
        mark_reverted(pipeline.control, import_id, now=now)  # says since when
    # Rows first: the mark promises that they are gone.
    rows = delete_import(pipeline.lake, import_id, touched_of(record))
    return Reverted(mark_reverted(pipeline.control, import_id, now=now), rows, _also_in(pipeline, record))


def _also_in(pipeline: Pipeline, record: ImportRecord) -> list[ImportRecord]:
    return [
        other
        for other in list_imports(pipeline.control)
        if other.kind == KIND
        and other.reverted_at is None
        and other.rows_unchanged
        and other.created_at >= record.created_at
        and _overlap(other, record)
    ]


def _overlap(one: ImportRecord, other: ImportRecord) -> bool:
    mine = {(t.table, t.platform): t for t in touched_of(one)}
    return any(
        t.first <= mine[key].last and mine[key].first <= t.last
        for t in touched_of(other)
        if (key := (t.table, t.platform)) in mine
    )
