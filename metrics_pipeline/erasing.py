"""Erasing persons: from the request to the proof.

Rows go at once, with the files that held them; the numbers that were counted from them follow in the same run. Done
is done only when no file is left that nothing names, for it may be what a crashed process wrote: until then the
erasure is `sweeping`, and every later run looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control import erasures
from metrics_pipeline.control.erasures import PersonToErase
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.events.erasure import Erased, Sessions, erase, rows_left, sessions_of
from metrics_pipeline.events.inbox import Inbox, open_inbox
from metrics_pipeline.lake.people import forsaken_files, remove_superseded, tables_with_people
from metrics_pipeline.pipeline import Pipeline

# Rows that come in beside a run are taken by its next pass.
PASSES = 3


@dataclass
class ErasureRun:
    """What one run did."""

    erased: list[str] = field(default_factory=list)
    """Erasures whose rows went."""
    completed: list[str] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    """Days whose numbers were counted anew."""
    rows: int = 0
    forsaken: int = 0
    """Files of crashed or running writers that have to become an hour old before they may be deleted."""


def run_erasures(pipeline: Pipeline) -> ErasureRun:
    """Carry out what was asked for, and complete what can be completed.

    Not beside another process that writes events or builds content: in Dagster their pool sees to it.

    Raises:
        RunFailedError: a store does not answer, or rows came back meanwhile; the next run goes on.
        UserError: the key ring lost the key of a request.
    """
    run = ErasureRun()
    people = erasures.people_to_erase(pipeline.control, pipeline.ring)
    if people:
        inbox = open_inbox(pipeline.settings)
        try:
            _carry_out(pipeline, inbox, people, run)
        finally:
            inbox.close()
    run.forsaken = forsaken_files(pipeline.lake)
    if not run.forsaken:
        run.completed = erasures.note_completed(pipeline.control, now=pipeline.settings.clock.now())
    return run


def _carry_out(pipeline: Pipeline, inbox: Inbox, people: Sequence[PersonToErase], run: ErasureRun) -> None:
    sessions = sessions_of(pipeline.engine, inbox, people)
    for person in people:  # before the first row goes: a late copy of it must not find the door open
        erasures.refuse_sessions(pipeline.control, pipeline.ring, person.erasure_id, sessions[person.erasure_id])
    done = Erased()
    for _ in range(PASSES):
        erase(pipeline.engine, inbox, people, sessions, done)
        left = rows_left(pipeline.engine, people, sessions)
        if not left:
            break
    else:
        raise RunFailedError(f"{left} rows of erased people came in while they were erased; the next run takes them.")
    files = {spec.name: remove_superseded(pipeline.lake, spec.name) for spec in tables_with_people()}
    run.days = _count_anew(pipeline)
    run.erased = [person.erasure_id for person in people]
    run.rows = sum(sum(rows.values()) for rows in done.rows.values())
    _note(pipeline, people, sessions, done, files, run.days)


def _count_anew(pipeline: Pipeline) -> list[date]:
    """Hours, days and state of content that the rows were counted in; person-level days are rewritten already.

    What is dirty stands in the commits, so this also counts anew what an earlier run took out before it was killed.
    """
    flow = ContentFlow(pipeline)
    changed = flow.rebuild_dirty_days()
    flow.refresh()
    return changed


def _note(
    pipeline: Pipeline,
    people: Sequence[PersonToErase],
    sessions: Sessions,
    done: Erased,
    files: dict[str, int],
    days: Sequence[date],
) -> None:
    now = pipeline.settings.clock.now()
    for person in people:
        rows = done.rows[person.erasure_id]
        proof = {
            "rows_deleted": {table: rows[table] for table in ("event_inbox", *files)},
            "sessions": len(sessions[person.erasure_id]),
            "rows_left": 0,
            "files_deleted": files,
            "days_counted_anew": [day.isoformat() for day in days],
            "table_versions": {table: pipeline.lake.version(table) for table in files},
        }
        erasures.note_erased(pipeline.control, person.erasure_id, proof, now=now)
