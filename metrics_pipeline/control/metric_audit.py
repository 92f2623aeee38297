"""The audit of metrics: rows are added and read; the only ones that go are those older than a setting says."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import CursorResult, Engine, delete, select, text
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import writing
from metrics_pipeline.control.metric_models import MetricAudit, MetricUsage

# The same words on both databases. Two processes that begin a day's row at the same moment both count.
_COUNT = text(
    "insert into metric_usage (workspace_id, metric_id, day, calculations, reads) "
    "values (:workspace_id, :metric_id, :day, :calculations, :reads) "
    "on conflict (workspace_id, metric_id, day) do update set "
    "calculations = metric_usage.calculations + excluded.calculations, reads = metric_usage.reads + excluded.reads"
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done, or refused, see MetricAudit."""

    at: datetime
    workspace_id: str | None
    actor_id: str
    actor_kind: str
    action: str
    outcome: str
    api_key_id: str | None = None
    metric_id: str | None = None
    version: int | None = None
    reason_code: str | None = None
    rows_scanned: int | None = None
    duration_ms: int | None = None
    cost_class: str | None = None
    query_hash: str | None = None
    trace_id: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """How often a metric was calculated and read on a day."""

    metric_id: str
    day: date
    calculations: int
    reads: int


def add_entry(session: Session, entry: AuditEntry) -> None:
    """Add a row in the caller's transaction."""
    values = {f.name: getattr(entry, f.name) for f in fields(AuditEntry) if f.name != "number"}
    session.add(MetricAudit(**values))


def entries_of(
    session: Session, workspace_id: str, metric_id: str, limit: int, before: int | None = None
) -> list[AuditEntry]:
    """The latest rows of a metric, newest first, from before a row's number on."""
    query = select(MetricAudit).where(MetricAudit.workspace_id == workspace_id, MetricAudit.metric_id == metric_id)
    if before is not None:
        query = query.where(MetricAudit.number < before)
    rows = session.scalars(query.order_by(MetricAudit.number.desc()).limit(limit))
    return [AuditEntry(**{f.name: getattr(row, f.name) for f in fields(AuditEntry)}) for row in rows]


def count_use(
    session: Session, workspace_id: str, metric_id: str, day: date, *, calculations: int = 0, reads: int = 0
) -> None:
    """Add to the counts of a day."""
    values = {"workspace_id": workspace_id, "metric_id": metric_id, "day": day.isoformat()}
    session.execute(_COUNT, {**values, "calculations": calculations, "reads": reads})


def usage_of(session: Session, workspace_id: str, metric_id: str, since: date) -> list[UsageRecord]:
    """The counts of a metric from a day on, by day; days without use have no row."""
    query = select(MetricUsage).where(
        MetricUsage.workspace_id == workspace_id, MetricUsage.metric_id == metric_id, MetricUsage.day >= since
    )
    rows = session.scalars(query.order_by(MetricUsage.day))
    return [UsageRecord(row.metric_id, row.day, row.calculations, row.reads) for row in rows]


def forget_audit(engine: Engine, before: datetime) -> int:
    """Delete what is older: retention, the only way that rows go."""
    with writing(engine) as session:
        found: CursorResult[Any] = session.connection().execute(delete(MetricAudit).where(MetricAudit.at < before))
        return int(found.rowcount)
