"""Platforms and accounts that asked to be left alone for longer than a run: until when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.models import Hold

EVERY_ACCOUNT = ("", "")


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """account: (workspace, account), or EVERY_ACCOUNT."""

    platform: str
    account: tuple[str, str]
    until: datetime
    reason: str


def keep_hold(engine: Engine, hold: HoldRecord) -> None:
    """Remember a hold; of two for the same account the later end counts."""
    with writing(engine) as session:
        row = session.get(Hold, (hold.platform, *hold.account), with_for_update=True)
        if row is None:
            workspace_id, account_id = hold.account
            session.add(
                Hold(
                    platform=hold.platform,
                    workspace_id=workspace_id,
                    account_id=account_id,
                    until=hold.until,
                    reason=hold.reason,
                )
            )
        elif row.until < hold.until:
            row.until, row.reason = hold.until, hold.reason


def current_holds(engine: Engine, now: datetime, platform: str | None = None) -> list[HoldRecord]:
    """The holds that have not ended, of one platform or of all."""
    query = select(Hold).where(Hold.until > now).order_by(Hold.platform, Hold.workspace_id, Hold.account_id)
    if platform is not None:
        query = query.where(Hold.platform == platform)
    with reading(engine) as session:
        return [
            HoldRecord(row.platform, (row.workspace_id, row.account_id), row.until, row.reason)
            for row in session.scalars(query)
        ]


def release_holds(engine: Engine, platform: str) -> int:
    """Forget a platform's holds, after its quota was raised or paid for; returns how many there were."""
    with writing(engine) as session:
        result = session.execute(delete(Hold).where(Hold.platform == platform))
        return int(result.rowcount)  # type: ignore[attr-defined]
