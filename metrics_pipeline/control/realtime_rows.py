"""Rows of real-time metrics: declared metrics, the copy of the buckets, marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from metrics_pipeline.control.database import reading, writing, writing_connection
from metrics_pipeline.control.realtime_models import RealtimeBucket, RealtimeMark, RealtimeMetric

# Values of one statement: SQLite takes 32,766.
ROWS_AT_ONCE = 500
USUAL_WINDOW = 60
# Marks: when counting began at all, when the copy was last written, when a process ended as it should (none while one
# runs), and up to when metrics that are fed were compared with stored events.
BEGAN, COPIED, STOPPED, RECONCILED = "began", "copied", "stopped", "reconciled"
_KEY = ("workspace_id", "metric", "width_seconds", "number")
_WRITTEN = ("kind", "body", "kept_until", "corrected_at")


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric as its first update said it is."""

    workspace_id: str
    metric: str
    kind: str
    unit: str
    window_seconds: int


@dataclass(frozen=True, slots=True)
class BucketRow:
    """All series of a metric in one bucket, as bytes that this module does not read."""

    workspace_id: str
    metric: str
    width_seconds: int
    number: int
    kind: str
    body: bytes
    kept_until: datetime
    corrected_at: datetime | None = None


def declare(
    engine: Engine,
    workspace_id: str,
    metric: str,
    kind: str,
    unit: str | None,
    window_seconds: int | None,
    *,
    most: int,
    now: datetime,
) -> Declared | None:
    """The metric as it is declared; as asked for where it was not yet. A window that is given holds from now on.

    None: the workspace has `most` others.
    """
    with writing(engine) as session:
        held = session.get(RealtimeMetric, (workspace_id, metric))
        if held is None:
            known = select(RealtimeMetric.metric).where(RealtimeMetric.workspace_id == workspace_id).limit(most)
            if len(session.execute(known).all()) >= most:
                return None
            held = RealtimeMetric(
                workspace_id=workspace_id,
                metric=metric,
                kind=kind,
                unit=unit or "",
                window_seconds=window_seconds or USUAL_WINDOW,
                created_at=now,
            )
            session.add(held)
        elif window_seconds is not None and held.kind == kind:
            held.window_seconds = window_seconds
        return _declared(held)


def declared(engine: Engine, workspace_id: str | None = None) -> list[Declared]:
    """The metrics of a workspace, or of all, by name."""
    query = select(RealtimeMetric).order_by(RealtimeMetric.workspace_id, RealtimeMetric.metric)
    if workspace_id is not None:
        query = query.where(RealtimeMetric.workspace_id == workspace_id)
    with reading(engine) as session:
        return [_declared(row) for row in session.scalars(query)]


def forget_metric(engine: Engine, workspace_id: str, metric: str) -> bool:
    """Delete a metric with the copy of its buckets; whether it was declared."""
    with writing_connection(engine) as connection:
        found = 0
        for table in (RealtimeBucket, RealtimeMetric):
            mine = (table.workspace_id == workspace_id) & (table.metric == metric)
            found = connection.execute(delete(table).where(mine)).rowcount
        return found > 0


def put_buckets(engine: Engine, rows: Sequence[BucketRow]) -> None:
    """Write buckets; those that a recount has corrected stay as they are."""
    _write(engine, rows, is_correction=False)


def correct_buckets(engine: Engine, rows: Sequence[BucketRow]) -> None:
    """Put recounts in place of buckets; rows say when."""
    _write(engine, rows, is_correction=True)


def read_buckets(
    engine: Engine,
    *,
    now: datetime,
    metrics: Sequence[str] | None = None,
    width_seconds: int | None = None,
    corrected_after: datetime | None = None,
) -> list[BucketRow]:
    """Buckets that are still of use, by key; only of these metrics, this width, corrected after this instant."""
    query = select(*(getattr(RealtimeBucket, name) for name in (*_KEY, *_WRITTEN))).order_by(
        *(getattr(RealtimeBucket, name) for name in _KEY)
    )
    query = query.where(RealtimeBucket.kept_until > now)
    if metrics is not None:
        query = query.where(RealtimeBucket.metric.in_(metrics))
    if width_seconds is not None:
        query = query.where(RealtimeBucket.width_seconds == width_seconds)
    if corrected_after is not None:
        query = query.where(RealtimeBucket.corrected_at > corrected_after)
    with reading(engine) as session:
        return [_row(row) for row in session.execute(query)]


def oldest_copies(engine: Engine, now: datetime) -> list[tuple[str, str, int]]:
    """Workspace, metric, and the Unix second at which its oldest bucket that is of use ends."""
    end = func.min((RealtimeBucket.number + 1) * RealtimeBucket.width_seconds)
    query = select(RealtimeBucket.workspace_id, RealtimeBucket.metric, end).where(
        RealtimeBucket.kept_until > now, RealtimeBucket.width_seconds > 0
    )
    with reading(engine) as session:
        rows = session.execute(query.group_by(RealtimeBucket.workspace_id, RealtimeBucket.metric))
        return [(workspace_id, metric, int(ends)) for workspace_id, metric, ends in rows]


def newest_correction(engine: Engine) -> datetime | None:
    """When a recount was last put in place of a bucket."""
    with reading(engine) as session:
        return session.scalar(select(func.max(RealtimeBucket.corrected_at)))


def forget_expired(engine: Engine, now: datetime, unused_before: datetime) -> int:
    """Delete buckets that are of no use any more; how many.

    Metrics that were declared before `unused_before` and have no bucket left go with them: their names are free.
    """
    with writing_connection(engine) as connection:
        gone = connection.execute(delete(RealtimeBucket).where(RealtimeBucket.kept_until <= now)).rowcount
        used = (
            select(RealtimeBucket.metric)
            .where(
                RealtimeBucket.workspace_id == RealtimeMetric.workspace_id,
                RealtimeBucket.metric == RealtimeMetric.metric,
            )
            .exists()
        )
        connection.execute(delete(RealtimeMetric).where(RealtimeMetric.created_at < unused_before, ~used))
        return gone


def forget_workspace(engine: Engine, workspace_id: str) -> int:
    """Delete everything of a workspace, for a purge; how many rows."""
    with writing_connection(engine) as connection:
        tables = (RealtimeBucket, RealtimeMetric)
        return sum(connection.execute(delete(t).where(t.workspace_id == workspace_id)).rowcount for t in tables)


def claim(engine: Engine, name: str, now: datetime, not_since: datetime) -> bool:
    """Set a mark to now, unless it is later than `not_since`: of several processes one does what it stands for."""
    with writing(engine) as session:
        row = session.get(RealtimeMark, name, with_for_update=True)
        if row is None:
            session.add(RealtimeMark(name=name, at=now))
        elif row.at > not_since:
            return False
        else:
            row.at = now
        return True


def mark(engine: Engine, name: str, at: datetime | None) -> None:
    """Write down an instant under a name, or none."""
    with writing_connection(engine) as connection:
        if at is None:
            connection.execute(delete(RealtimeMark).where(RealtimeMark.name == name))
        else:
            _upsert(connection, RealtimeMark, [{"name": name, "at": at}], ("name",), ("at",), None)


def mark_first(engine: Engine, name: str, at: datetime) -> None:
    """Write down an instant under a name that has none."""
    with writing(engine) as session:
        if session.get(RealtimeMark, name) is None:
            session.add(RealtimeMark(name=name, at=at))


def marked(engine: Engine, name: str) -> datetime | None:
    """The instant under a name."""
    with reading(engine) as session:
        row = session.get(RealtimeMark, name)
        return row.at if row else None


def _write(engine: Engine, rows: Sequence[BucketRow], *, is_correction: bool) -> None:
    free = None if is_correction else RealtimeBucket.corrected_at.is_(None)
    if not rows:
        return
    with writing_connection(engine) as connection:  # one for all: who asks for the newest correction sees all of it
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            values = [{name: getattr(row, name) for name in (*_KEY, *_WRITTEN)} for row in some]
            _upsert(connection, RealtimeBucket, values, _KEY, _WRITTEN, free)


def _upsert(
    connection: Connection,
    table: type[RealtimeBucket] | type[RealtimeMark],
    values: Sequence[dict[str, Any]],
    keys: Iterable[str],
    written: Iterable[str],
    only: Any,
) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(list(values))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: statement.excluded[name] for name in written}, where=only
        )
    )


def _declared(row: RealtimeMetric) -> Declared:
    return Declared(row.workspace_id, row.metric, row.kind, row.unit, row.window_seconds)


def _row(row: Row[Any]) -> BucketRow:
    return BucketRow(**row._mapping)
