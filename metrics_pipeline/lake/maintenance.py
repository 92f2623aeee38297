"""Keeping the lake small and fast: expire raw responses, compact small files, drop superseded ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deltalake.exceptions import CommitFailedError

from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES

# Raw events and what names persons; the totals made of them stay.
_OF_EVENTS = ("events", "rejected_events", "viewer_days", "content_hourly")


@dataclass(frozen=True)
class Retention:
    """Days that rows of the expiring tables are kept; the others are kept for ever."""

    responses_days: int
    events_days: int

    def days(self, table: str) -> int | None:
        """How long rows of this table are kept; None for ever."""
        if table == "api_responses":
            return self.responses_days
        return self.events_days if table in _OF_EVENTS else None


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


def maintain_table(lake: Lake, name: str, today: date, retention: Retention, vacuum_hours: int) -> Maintained:
    """Maintain one table; one that is being written is left for the next time.

    Files that no version of the last `vacuum_hours` uses are deleted: readers and time travel reach back so far.
    """
    expired = 0
    try:
        days = retention.days(name)
        if days is not None:
            oldest = today - timedelta(days=days)
            expired = lake.delete(name, f"{TABLES[name].day_column} < '{oldest.isoformat()}'")
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
