"""What happened to accounts: one row per change of status, written with the change, never altered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.models import ACTIVE, Account, AccountEvent

CONNECTED, REMOVED = "connected", "removed"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """From `at` on the account had this status: connected, needs_reauth, disabled or removed. Numbers rise in order."""

    number: int
    workspace_id: str
    account_id: str
    platform: str
    external_id: str
    status: str
    reason: str | None
    at: datetime


def note_status(session: Session, row: Account, now: datetime, reason: str | None = None) -> None:
    """Write down a row's status where it differs from the last one written down; in the caller's transaction."""
    if row.removed_at is not None:
        status = REMOVED
    else:
        status = CONNECTED if row.status == ACTIVE else row.status
        reason = reason or row.status_reason
    query = (
        select(AccountEvent.status, AccountEvent.reason)
        .where(AccountEvent.workspace_id == row.workspace_id, AccountEvent.account_id == row.account_id)
        .order_by(AccountEvent.number.desc())
        .limit(1)
    )
    last = session.execute(query).first()
    if last is None or tuple(last) != (status, reason):
        session.add(
            AccountEvent(
                workspace_id=row.workspace_id,
                account_id=row.account_id,
                platform=row.platform,
                external_id=row.external_id,
                status=status,
                reason=reason,
                at=now,
            )
        )


def status_changes(engine: Engine, platform: str) -> list[StatusChange]:
    """Every change of a platform's accounts, removed ones too, in order."""
    query = select(AccountEvent).where(AccountEvent.platform == platform).order_by(AccountEvent.number)
    with reading(engine) as session:
        return [
            StatusChange(e.number, e.workspace_id, e.account_id, e.platform, e.external_id, e.status, e.reason, e.at)
            for e in session.scalars(query)
        ]


def platforms_with_changes(engine: Engine) -> list[str]:
    """The platforms that accounts were ever added for."""
    with reading(engine) as session:
        return list(session.scalars(select(AccountEvent.platform).distinct().order_by(AccountEvent.platform)))


def forget_changes(engine: Engine, workspace_id: str) -> int:
    """Delete what happened to a workspace's accounts, for a purge; returns how many rows."""
    with writing(engine) as session:
        gone = session.execute(delete(AccountEvent).where(AccountEvent.workspace_id == workspace_id))
        return int(gone.rowcount)  # type: ignore[attr-defined]
