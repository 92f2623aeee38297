"""Rows of metric definitions: read in a constant number of statements however many they are, and only ever added to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Row, Select, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from metrics_pipeline.control.database import reading
from metrics_pipeline.control.metric_models import MetricChangeRow, MetricHead, MetricInputRow, MetricVersionRow
from metrics_pipeline.control.models import Workspace

IN_FORCE, STARTED, STOPPED = "in_force", "started", "stopped"
# Any fixed number. Changes of definitions queue for it, so that their numbers grow in the order of their commits: a
# reader that has seen number 7 has seen everything up to 7. SQLite has one writer anyway.
ADVISORY_LOCK = 7_041_776_214
# Those that the pipeline calculates.
CALCULATED = ("active", "deprecated")

Key = tuple[str, str, int]
AnyRow = Row[*tuple[Any, ...]]
Seeds = Select[str, str, int]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """A session for queries that all see one moment, so that versions fit what is said to be in force."""
    with reading(engine) as session:
        if engine.dialect.name == "postgresql":  # SQLite does so by itself
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def lock_definitions(session: Session) -> None:
    """Be the only one that changes definitions, until the transaction ends. To be called before anything is read."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


def heads_of(session: Session, workspace_id: str) -> list[MetricHead]:
    """Every metric of a workspace, archived ones too, oldest first."""
    query = select(MetricHead).where(MetricHead.workspace_id == workspace_id)
    return list(session.scalars(query.order_by(MetricHead.created_at, MetricHead.metric_id)))


def active_seeds(workspace_id: str) -> Seeds:
    """The version of each metric of a workspace that is in force last."""
    found = select(MetricHead.workspace_id, MetricHead.metric_id, MetricHead.active_version)
    return found.where(MetricHead.workspace_id == workspace_id)


def version_seeds(workspace_id: str, metric_id: str, version: int | None = None) -> Seeds:
    """One version of a metric, or all of them."""
    row = MetricVersionRow
    found = select(row.workspace_id, row.metric_id, row.version)
    found = found.where(row.workspace_id == workspace_id, row.metric_id == metric_id)
    return found if version is None else found.where(row.version == version)


def in_force_seeds(workspaces: Collection[str] | None = None, metric_id: str | None = None) -> Seeds:
    """Every version that is in force for some period: of calculated metrics of live workspaces, or of one metric."""
    change, later = MetricChangeRow, aliased(MetricChangeRow)
    hides = and_(
        later.workspace_id == change.workspace_id,
        later.metric_id == change.metric_id,
        later.kind == IN_FORCE,
        later.number > change.number,
        or_(later.effective_from.is_(None), later.effective_from <= change.effective_from),
    )
    found = select(change.workspace_id, change.metric_id, change.version).where(change.kind == IN_FORCE)
    found = found.where(~select(later.number).where(hides).exists())
    if metric_id is not None:
        found = found.where(change.metric_id == metric_id)
    else:
        found = found.join(
            MetricHead,
            and_(MetricHead.workspace_id == change.workspace_id, MetricHead.metric_id == change.metric_id),
        )
        found = found.join(Workspace, Workspace.id == change.workspace_id)
        found = found.where(MetricHead.status.in_(CALCULATED), Workspace.removed_at.is_(None))
    return found if workspaces is None else found.where(change.workspace_id.in_(list(workspaces)))


def pointers(session: Session, seeds: Seeds) -> list[AnyRow]:
    """The rows of metric_changes that seeds of `in_force_seeds` come from: by workspace, metric, earliest first."""
    change = MetricChangeRow
    query = seeds.add_columns(change.effective_from, change.number)
    # none stands before every date, on both databases
    return list(session.execute(query.order_by(change.workspace_id, change.metric_id, *_earliest_first())).all())


def version_rows(session: Session, seeds: Seeds) -> tuple[list[AnyRow], list[AnyRow], dict[tuple[str, str], AnyRow]]:
    """Versions with everything they are made of: their rows, their inputs, and the heads of all of them by id."""
    reach = seeds.cte("reach", recursive=True)
    workspace, metric, version = reach.c
    pinned = MetricInputRow
    made_of = select(pinned.workspace_id, pinned.input_metric_id, pinned.input_version).join(
        reach, and_(pinned.workspace_id == workspace, pinned.metric_id == metric, pinned.version == version)
    )
    reach = reach.union(made_of)
    workspace, metric, version = reach.c
    row = MetricVersionRow
    rows = select(row.workspace_id, row.metric_id, row.version, row.spec_json, row.content_hash, row.effective_from)
    rows = rows.join(reach, and_(row.workspace_id == workspace, row.metric_id == metric, row.version == version))
    inputs = select(
        pinned.workspace_id,
        pinned.metric_id,
        pinned.version,
        pinned.name,
        pinned.input_metric_id,
        pinned.input_version,
    ).join(reach, and_(pinned.workspace_id == workspace, pinned.metric_id == metric, pinned.version == version))
    ids = select(workspace.label("workspace_id"), metric.label("metric_id")).distinct().subquery()
    head = MetricHead
    heads = select(
        head.workspace_id,
        head.metric_id,
        head.name,
        head.owner_type,
        head.owner_id,
        head.visibility,
        head.status,
        head.presentation,
    ).join(ids, and_(head.workspace_id == ids.c.workspace_id, head.metric_id == ids.c.metric_id))
    found = {(each.workspace_id, each.metric_id): each for each in session.execute(heads)}
    return list(session.execute(rows)), list(session.execute(inputs.order_by(pinned.name))), found


def find_metric_id(session: Session, workspace_id: str, reference: str) -> str | None:
    """The id of a metric: of a live one by name, of any by id."""
    query = select(MetricHead.metric_id).where(MetricHead.workspace_id == workspace_id)
    by_name = and_(MetricHead.name == reference, MetricHead.status != "archived")
    return session.scalars(query.where(or_(by_name, MetricHead.metric_id == reference))).first()


def versions_of(session: Session, workspace_id: str, metric_id: str) -> list[MetricVersionRow]:
    """Every version of a metric, oldest first."""
    query = select(MetricVersionRow).where(
        MetricVersionRow.workspace_id == workspace_id, MetricVersionRow.metric_id == metric_id
    )
    return list(session.scalars(query.order_by(MetricVersionRow.version)))


def changes_after(session: Session, number: int, limit: int) -> list[AnyRow]:
    """At most so many changes behind a number, in the order of their commits, with the metric's name and status."""
    change, head = MetricChangeRow, MetricHead
    query = select(
        change.number,
        change.workspace_id,
        change.metric_id,
        head.name,
        head.status,
        change.kind,
        change.version,
        change.effective_from,
    ).join(head, and_(head.workspace_id == change.workspace_id, head.metric_id == change.metric_id))
    return list(session.execute(query.where(change.number > number).order_by(change.number).limit(limit)))


def newest_change(session: Session) -> int:
    """The number of the last change; 0 where there is none."""
    return session.scalar(select(func.max(MetricChangeRow.number))) or 0


def add_rows(session: Session, rows: Iterable[object]) -> None:
    """Insert rows in the order given."""
    for row in rows:
        session.add(row)
        session.flush()


def _earliest_first() -> tuple[Any, ...]:
    return (MetricChangeRow.effective_from.is_not(None), MetricChangeRow.effective_from, MetricChangeRow.number)
