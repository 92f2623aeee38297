"""Rows of calendars of a workspace's own: added, marked removed, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from metrics_pipeline.control.metric_models import CustomPeriod


def find_period(session: Session, workspace_id: str, name: str) -> CustomPeriod | None:
    """A calendar, a removed one too."""
    return session.get(CustomPeriod, (workspace_id, name), with_for_update=True)


def periods_of(session: Session, workspace_id: str) -> Sequence[CustomPeriod]:
    """Calendars that are not removed, by name."""
    query = select(CustomPeriod).where(CustomPeriod.workspace_id == workspace_id, CustomPeriod.removed_at.is_(None))
    return session.scalars(query.order_by(CustomPeriod.name)).all()


def add_period(
    session: Session, workspace_id: str, name: str, ranges: list[list[str]], *, now: datetime, created_by: str
) -> CustomPeriod:
    """Insert a calendar."""
    row = CustomPeriod(
        workspace_id=workspace_id, name=name, ranges=ranges, created_at=now, created_by=created_by, removed_at=None
    )
    session.add(row)
    session.flush()
    return row
