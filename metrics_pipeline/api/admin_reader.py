"""What is told about the pipeline itself: read from the control database, the inbox and the lake.

workspace_id: whose rows count; None counts everybody's, and is an operator's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from metrics_pipeline.api.admin_answers import job_row
from metrics_pipeline.api.services import Services
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.job_pages import Wanted, last_run_of_each_job
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.shapes.admin import (
    AccountCount,
    CoverageRow,
    EventsToday,
    Freshness,
    InboxState,
    LiveState,
    Stats,
    TableState,
)
from metrics_pipeline.windows import DAY

# Days within which an attempt counts as the last one.
FRESH_DAYS = 7
# What people ask about first: what comes in, and what is computed from it.
TABLES = (
    "events",
    "counter_readings",
    "insight_readings",
    "content_metrics",
    "daily_metrics",
    "weekly_metrics",
    "monthly_metrics",
    "analytics_snapshots",
)


@dataclass(frozen=True)
class AdminReader:
    """Every method waits for a store: call it from a thread."""

    parts: Services

    def coverage(
        self, workspace_id: str | None, start: date, end: date, platform: str | None = None
    ) -> list[CoverageRow]:
        """Which accounts gave something, by day in [start, end), platform and collection; newest day first."""
        parameters = {"workspace_id": workspace_id, "platform": platform}
        reads = self.parts.reads
        only = reads.within((start, end), "collection_status")
        with reads.session("collection_status", only=only) as session:
            rows = session.run_file("api/coverage.sql", parameters).read_all().to_pylist()
        return [CoverageRow.model_validate(row) for row in rows]

    def stats(self, workspace_id: str | None, now: datetime) -> Stats:
        """Everything at a glance."""
        is_operator = workspace_id is None
        return Stats(
            accounts=self._accounts(workspace_id),
            events_today=self._events(workspace_id, now.date()),
            freshness=self.freshness(workspace_id, now.date()),
            last_runs=[job_row(run) for run in last_run_of_each_job(self.parts.control, Wanted(workspace_id))],
            inbox=self.inbox() if is_operator else None,
            tables=self.tables() if is_operator else None,
            live=LiveState.model_validate(asdict(self.parts.live.stats)) if is_operator else None,
            cache_hit_rate=self.parts.cache.stats(workspace_id).hit_rate,
        )

    def _accounts(self, workspace_id: str | None) -> list[AccountCount]:
        accounts = [a for a in list_accounts(self.parts.control) if workspace_id in (None, a.workspace_id)]
        counted = Counter((a.platform, a.status) for a in accounts)
        return [AccountCount(platform=p, status=s, accounts=n) for (p, s), n in sorted(counted.items())]

    def inbox(self) -> InboxState:
        """What waits for the lake. Raises InboxUnavailableError."""
        inbox = open_inbox(self.parts.settings)
        try:
            backlog = inbox.backlog()
        finally:
            inbox.close()
        return InboxState(waiting=backlog.rows, oldest_received_at=backlog.oldest_received_at)

    def _events(self, workspace_id: str | None, today: date) -> EventsToday:
        counted = {name: self._rows_of(name, workspace_id, today) for name in ("events", "rejected_events")}
        return EventsToday(date=today, accepted=counted["events"], rejected=counted["rejected_events"])

    def _rows_of(self, table: str, workspace_id: str | None, day: date) -> int:
        reads = self.parts.reads
        with reads.session(table, only=reads.within((day, day + DAY), table)) as session:
            found = session.run_file(f"api/{table}_of_day.sql", {"workspace_id": workspace_id}).read_all()
        return int(found["rows"][0].as_py())

    def freshness(self, workspace_id: str | None, today: date) -> list[Freshness]:
        """When any account of a platform was last read, of the last days, by collection."""
        last: dict[tuple[str, str], datetime | None] = {}
        for row in self.coverage(workspace_id, today - (FRESH_DAYS - 1) * DAY, today + DAY):
            key = (row.platform, row.collection)
            last[key] = max(filter(None, (last.get(key), row.last_read_at)), default=None)
        return [Freshness(platform=p, collection=c, last_read_at=at) for (p, c), at in sorted(last.items())]

    def tables(self) -> list[TableState]:
        """The newest commits of tables that people ask about."""
        handles = self.parts.tables.tables(*TABLES)
        return [
            TableState(table=name, version=handle.version(), changed_at=_committed_at(handle.history(1)))
            for name, handle in handles.items()
        ]


def _committed_at(history: list[dict[str, Any]]) -> datetime | None:
    milliseconds = history[0].get("timestamp") if history else None
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
