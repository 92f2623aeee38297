"""Keeping the lake small and fast: expire raw responses, compact small files, drop superseded ones."""

from __future__ import annotations

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
    expired_rows: int = 0
    files_compacted: int = 0
    files_removed: int = 0
    skipped: str | None = None

    def line(self) -> str:
        if self.skipped:
            return f"{self.table}: left for next time, {self.skipped}"
        return (
            f"{self.table}: {self.expired_rows} rows expired, {self.files_compacted} files compacted, "
            f"{self.files_removed} superseded files removed"
        )


def maintain_table(lake: Lake, name: str, today: date, keep_responses_days: int, vacuum_hours: int) -> Maintained:
    """Maintain one table; one that is being written is left for the next time.

    Files that no version of the last `vacuum_hours` uses are deleted: readers and time travel reach back so far.
    """
    expired = 0
    try:
        if name in EXPIRING:
            oldest = today - timedelta(days=keep_responses_days)
            expired = lake.delete(name, f"{EXPIRING[name]} < '{oldest.isoformat()}'")
        compacted = int(lake.table(name).optimize.compact()["numFilesRemoved"])
        removed = lake.table(name).vacuum(retention_hours=vacuum_hours, dry_run=False, enforce_retention_duration=False)
        lake.table(name).create_checkpoint()
    except CommitFailedError:
        return Maintained(name, expired, skipped="it is being written")
    return Maintained(name, expired, compacted, len(removed))


def purge_workspace(lake: Lake, workspace_id: str) -> dict[str, int]:
    """Delete every row of a workspace from every table; returns rows deleted by table."""
    quoted = workspace_id.replace("'", "''")
    return {name: lake.delete(name, f"workspace_id = '{quoted}'") for name in TABLES}
