"""Takes an import of events back: its events, its refused rows, and the claims on its ids.

Events go first, in one commit that says which hours they were in and which import they were of. Whatever stops in
between is made up for by running it again: the ids still stand in the version before that commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.imports import ImportRecord, get_import, list_imports, mark_reverted
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.dirty import hours_of, to_metadata
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.imports.events import KIND
from metrics_pipeline.lake.event_tables import EVENTS, REJECTED_EVENTS
from metrics_pipeline.pipeline import Pipeline

# Written into the commit that deletes the events.
REVERTED = "events.reverted_import"
_ID = ["workspace_id", "event_id"]
RELEASED_AT_ONCE = 10_000


@dataclass(frozen=True)
class RevertedEvents:
    """rows: events deleted, on so many days. refused: rows deleted from the quarantine. also_in: later imports with
    events that were known then."""

    record: ImportRecord
    rows: int
    days: list[date]
    refused: int
    also_in: list[ImportRecord]


def revert_events(pipeline: Pipeline, import_id: str) -> RevertedEvents:
    """Delete the events of an import, so that the next refresh counts without them and the file may come again.

    Raises:
        UserError: there is no such import of events, or it was reverted before.
    """
    record = get_import(pipeline.control, import_id)
    if record.kind != KIND:
        raise UserError(f"Import {import_id} is one of {record.kind}, not of events.")
    now = pipeline.settings.clock.now()
    if record.reverted_at is not None:
        mark_reverted(pipeline.control, import_id, now=now)  # says since when
    ContentFlow(pipeline).drain()  # what still waits in the inbox is deleted with the rest
    deleted = _delete_events(pipeline, import_id)
    refused = pipeline.lake.delete(REJECTED_EVENTS.name, f"import_id = {_quoted(import_id)}")
    _release(pipeline, _ids(deleted) if deleted.num_rows else _deleted_before(pipeline, import_id))
    days = sorted(day for day in pc.unique(deleted["date"]).to_pylist() if day is not None)
    reverted = mark_reverted(pipeline.control, import_id, now=now)
    return RevertedEvents(reverted, deleted.num_rows, days, refused, _also_in(pipeline, record))


def _delete_events(pipeline: Pipeline, import_id: str) -> pa.Table:
    """Delete the events of an import in one commit; what was deleted."""
    found = _events_of(pipeline, import_id, pipeline.lake.table(EVENTS.name))
    if not found.num_rows:
        return found

    def note(target: DeltaTable) -> Mapping[str, str]:
        nonlocal found
        found = _events_of(pipeline, import_id, target)
        # a view that began earlier loses what the import told of it: that can only be seen while it is there
        began = ContentFlow(pipeline).builder.dirty_hours(found)
        hours = hours_of(found) | {(instant.date(), instant.hour) for instant in began}
        return {**to_metadata(hours), REVERTED: import_id}

    pipeline.lake.delete(EVENTS.name, f"import_id = {_quoted(import_id)}", note)
    return found


def _deleted_before(pipeline: Pipeline, import_id: str) -> list[tuple[str, str]]:
    """The ids that a call which broke off deleted, as (workspace, event id).

    None where the files of that version are gone as well, after an erasure or days later: then the ids stay claimed
    until they are forgotten, METRICS_EVENT_LATENESS_DAYS after they came.
    """
    ids: list[tuple[str, str]] = []
    for commit in pipeline.lake.table(EVENTS.name).history():
        if commit.get(REVERTED) == import_id:
            with contextlib.suppress(DeltaError, duckdb.IOException):
                before = DeltaTable(pipeline.lake.uri(EVENTS.name), version=int(commit["version"]) - 1)
                ids += _ids(_events_of(pipeline, import_id, before))
    return ids


def _ids(events: pa.Table) -> list[tuple[str, str]]:
    return [(row["workspace_id"], row["event_id"]) for row in events.select(_ID).to_pylist()]


def _release(pipeline: Pipeline, ids: list[tuple[str, str]]) -> None:
    inbox = open_inbox(pipeline.settings)
    try:
        for start in range(0, len(ids), RELEASED_AT_ONCE):  # whoever sends events waits for one piece, not for all
            inbox.forget_ids(ids[start : start + RELEASED_AT_ONCE])
    finally:
        inbox.close()


def _events_of(pipeline: Pipeline, import_id: str, table: DeltaTable) -> pa.Table:
    with pipeline.engine.session() as session:
        session.pin(table, EVENTS.name)
        return session.run_file("imports/events_of_import.sql", {"import_id": import_id}).read_all()


def _also_in(pipeline: Pipeline, record: ImportRecord) -> list[ImportRecord]:
    return [
        other
        for other in list_imports(pipeline.control)
        if other.kind == KIND
        and other.import_id != record.import_id
        and other.reverted_at is None
        and other.rows_unchanged
        and other.created_at >= record.created_at
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
