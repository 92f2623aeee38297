"""Keeping the lake small and fast: expire raw responses, compact small files, drop superseded ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from deltalake.exceptions import CommitFailedError

from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES

EXPIRING = {"api_responses": "date"}


@dataclass(frozen=True)
class Maintained:
    """What maintenance did to one table."""

    table: str
    expired_rows: int
    files_compacted: int
    files_removed: int
    skipped: str | None = None


def maintain(lake: Lake, today: date, *, keep_responses_days: int, vacuum_hours: int) -> Iterator[Maintained]:
    """Maintain every table, one after the other; a table that is being written is left for the next time.

    Files that no version of the last `vacuum_hours` uses are deleted: readers and time travel reach back so far.
    """
    for name in TABLES:
        expired = compacted = removed = 0
        skipped = None
        try:
            if name in EXPIRING:
                oldest = today - timedelta(days=keep_responses_days)
                expired = lake.delete(name, f"{EXPIRING[name]} < '{oldest.isoformat()}'")
            compacted = int(lake.table(name).optimize.compact()["numFilesRemoved"])
            removed = len(
                lake.table(name).vacuum(retention_hours=vacuum_hours, dry_run=False, enforce_retention_duration=False)
            )
            lake.table(name).create_checkpoint()
        except CommitFailedError:
            skipped = "it is being written"
        yield Maintained(name, expired, compacted, removed, skipped)


def purge_workspace(lake: Lake, workspace_id: str) -> dict[str, int]:
    """Delete every row of a workspace from every table; returns rows deleted by table."""
    quoted = workspace_id.replace("'", "''")
    return {name: lake.delete(name, f"workspace_id = '{quoted}'") for name in TABLES}
