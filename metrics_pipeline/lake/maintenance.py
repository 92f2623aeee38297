"""Keeping the lake small and fast: expire raw responses, compact small files, drop superseded ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deltalake.exceptions import CommitFailedError

from metrics_pipeline.lake.event_tables import VIEWER_DAYS
from metrics_pipeline.lake.lake import Lake, commit_retries
from metrics_pipeline.lake.viewer_sketches import fold_viewers

# Raw events, what names persons, and hours; the totals made of them stay.
_OF_EVENTS = ("events", "rejected_events", "viewer_days", "watch_days", "content_hourly")

# Digests of persons, in rows that stay: nulled where events expire.
_DIGESTS = {"message_statuses": "recipient_hash"}


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
    anonymised_rows: int = 0
    files_compacted: int = 0
    files_removed: int = 0
    skipped: str | None = None

    def line(self) -> str:
        if self.skipped:
            return f"{self.table}: left for next time, {self.skipped}"
        anonymised = f"{self.anonymised_rows} rows anonymised, " if self.anonymised_rows else ""
        return (
            f"{self.table}: {self.expired_rows} rows expired, {anonymised}{self.files_compacted} files compacted, "
            f"{self.files_removed} superseded files removed"
        )


def maintain_table(lake: Lake, name: str, today: date, retention: Retention, vacuum_hours: int) -> Maintained:
    """Maintain one table; one that is being written is left for the next time.

    Files that no version of the last `vacuum_hours` uses are deleted: readers and time travel reach back so far.
    """
    expired = anonymised = 0
    try:
        days = retention.days(name)
        if days is not None:
            expired = _expire(lake, name, today - timedelta(days=days))
        if name in _DIGESTS:
            anonymised = _anonymise(lake, name, today - timedelta(days=retention.events_days))
        compacted = int(lake.table(name).optimize.compact()["numFilesRemoved"])
        removed = lake.table(name).vacuum(retention_hours=vacuum_hours, dry_run=False, enforce_retention_duration=False)
        lake.table(name).create_checkpoint()
    except CommitFailedError:
        return Maintained(name, expired, anonymised, skipped="it is being written")
    return Maintained(name, expired, anonymised, compacted, len(removed))


def _expire(lake: Lake, name: str, oldest: date) -> int:
    """Delete the rows of days before `oldest`; viewers go into the sketches first. Returns how many rows."""
    for attempt in commit_retries():
        with attempt:
            # one handle for both: a day that is rebuilt meanwhile is refused to the delete, and folded anew
            target = lake.table(name)
            if name == VIEWER_DAYS.name:
                fold_viewers(lake, target, oldest)
            return int(target.delete(f"{lake.tables[name].day_column} < '{oldest.isoformat()}'")["num_deleted_rows"])
    raise AssertionError("unreachable: the last attempt raises")


def _anonymise(lake: Lake, name: str, oldest: date) -> int:
    """Null the digests of persons in rows of days before `oldest`; returns how many rows had one."""
    column, day = _DIGESTS[name], lake.tables[name].day_column
    predicate = f"{day} < '{oldest.isoformat()}' and {column} is not null"
    for attempt in commit_retries():
        with attempt:
            return int(lake.table(name).update({column: "null"}, predicate=predicate)["num_updated_rows"])
    raise AssertionError("unreachable: the last attempt raises")


def purge_workspace(lake: Lake, workspace_id: str) -> dict[str, int]:
    """Delete every row of a workspace from every table; returns rows deleted by table."""
    quoted = workspace_id.replace("'", "''")
    # application_reads tells of no workspace
    tenants = [spec.name for spec in lake.tables.values() if "workspace_id" in spec.schema.names]
    return {name: lake.delete(name, f"workspace_id = '{quoted}'") for name in tenants}
