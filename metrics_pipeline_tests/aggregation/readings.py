"""Readings written as a test reads them: every function returns one row of a lake table, with defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from metrics_pipeline.collection.store import merge_days
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import TABLES

Row = dict[str, object]
WORKSPACE = "acme"
ACCOUNT = "main"


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    """A UTC instant: "2026-03-02 23:50"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def end_of(measured: date) -> datetime:
    return datetime(measured.year, measured.month, measured.day, tzinfo=UTC) + timedelta(days=1)


def _reading(metric: str, value: float, platform: str, account: str, workspace: str) -> Row:
    return {
        "workspace_id": workspace,
        "platform": platform,
        "account_id": account,
        "post_id": None,
        "metric": metric,
        "source_metric": metric,
        "value": float(value),
        "numerator": None,
        "denominator": None,
        "source": "fetched",
        "day_timezone": "UTC",
        "definition_version": 1,
        "run_id": "run",
    }


def insight(
    metric: str,
    measured: date,
    value: float,
    *,
    read_at: datetime | None = None,
    platform: str = "instagram",
    account: str = ACCOUNT,
    workspace: str = WORKSPACE,
    **columns: object,
) -> Row:
    """A series value of one day, read at the end of the next day unless said otherwise."""
    read = read_at or end_of(measured) + timedelta(days=1)
    row = _reading(metric, value, platform, account, workspace)
    return {**row, "date": measured, "window": "P1D", "read_at": read, "confirmed_at": read, **columns}


def counter(
    metric: str,
    observed_at: datetime,
    value: float,
    *,
    kind: str = "counter",
    platform: str = "instagram",
    account: str = ACCOUNT,
    workspace: str = WORKSPACE,
    **columns: object,
) -> Row:
    """A lifetime counter, a unique_counter or a gauge as it stood at an instant."""
    row = _reading(metric, value, platform, account, workspace)
    seen = {"date": observed_at.date(), "hour": observed_at.hour, "kind": kind, "observed_at": observed_at}
    return {**row, **seen, **columns}


def post(
    post_id: str,
    published_at: datetime | None,
    *,
    seen_at: datetime | None = None,
    platform: str = "instagram",
    account: str = ACCOUNT,
    workspace: str = WORKSPACE,
    **columns: object,
) -> Row:
    seen = seen_at or published_at
    return {
        "workspace_id": workspace,
        "platform": platform,
        "account_id": account,
        "post_id": post_id,
        "post_type": "post",
        "published_at": published_at,
        "first_seen_at": seen,
        "last_seen_at": seen,
        **columns,
    }


def status(
    metric: str,
    measured: date,
    state: str,
    *,
    reason: str | None = None,
    read_at: datetime | None = None,
    collection: str = "insights",
    platform: str = "instagram",
    account: str = ACCOUNT,
    workspace: str = WORKSPACE,
    **columns: object,
) -> Row:
    """What became of an account's metric on a day."""
    read = read_at or end_of(measured) + timedelta(days=1)
    return {
        "workspace_id": workspace,
        "platform": platform,
        "account_id": account,
        "date": measured,
        "collection": collection,
        "level": "account",
        "metric": metric,
        "window": "P1D",
        "state": state,
        "reason": reason,
        "objects": 1,
        "objects_ok": int(state in ("value", "zero")),
        "last_read_at": read,
        "last_value_at": read if state in ("value", "zero") else None,
        "run_id": "run",
        **columns,
    }


def rows_of(table: str, rows: Iterable[Row]) -> pa.Table:
    """The rows as an Arrow table; columns nobody gave are null."""
    return pa.Table.from_pylist(list(rows), schema=TABLES[table].schema)


@dataclass
class World:
    """Everything the platforms said: raw reads, not yet merged."""

    insights: list[Row] = field(default_factory=list)
    counters: list[Row] = field(default_factory=list)
    posts: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)

    def write(self, engine: Engine) -> None:
        """Merge all of it into the lake, as collection does."""
        for table, rows in (
            ("insight_readings", self.insights),
            ("counter_readings", self.counters),
            ("collection_status", self.statuses),
        ):
            for platform in sorted({str(r["platform"]) for r in rows}):
                merge_days(engine, table, platform, rows_of(table, (r for r in rows if r["platform"] == platform)))
        for platform in sorted({str(r["platform"]) for r in self.posts}):
            incoming = rows_of("posts", (r for r in self.posts if r["platform"] == platform))
            engine.merge("posts", "merge/posts.sql", incoming, Partitions(equals={"platform": platform}))
