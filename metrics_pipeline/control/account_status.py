"""What changes an account after it was added: tokens, disabling, removal, and a platform that refuses the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from metrics_pipeline.control.account_events import note_status
from metrics_pipeline.control.accounts import NO_TOKEN, AccountRecord, find_account, keep_token, record_of
from metrics_pipeline.control.credentials import checked_token
from metrics_pipeline.control.database import writing
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ACTIVE, DISABLED, NEEDS_REAUTH, Account, Credential

REASON_LENGTH = 500


def set_token(
    engine: Engine, ring: KeyRing, account_id: str, token: str, workspace_id: str | None = None, *, now: datetime
) -> AccountRecord:
    """Store or replace the token. The account becomes active, unless it is disabled: then it stays so.

    Raises:
        UserError: no such account, an ambiguous id, or a token that cannot be one.
    """
    token = checked_token(token)
    with _changing(engine, account_id, workspace_id, now) as (session, row):
        keep_token(session, ring, row, token, now)
    return record_of(row)


def disable(
    engine: Engine, account_id: str, workspace_id: str | None = None, reason: str | None = None, *, now: datetime
) -> AccountRecord:
    """Stop collecting an account; its numbers and its token stay."""
    with _changing(engine, account_id, workspace_id, now) as (_session, row):
        row.status, row.status_reason = DISABLED, reason
    return record_of(row)


def enable(engine: Engine, account_id: str, workspace_id: str | None = None, *, now: datetime) -> AccountRecord:
    """Collect a disabled account again: active if it has a token, else needs_reauth. Others stay as they are."""
    with _changing(engine, account_id, workspace_id, now) as (_session, row):
        if row.status == DISABLED:
            has_token = row.credentials_updated_at is not None
            row.status, row.status_reason = (ACTIVE, None) if has_token else (NEEDS_REAUTH, NO_TOKEN)
    return record_of(row)


def remove_account(engine: Engine, account_id: str, workspace_id: str | None = None, *, now: datetime) -> AccountRecord:
    """Mark an account removed and delete its token; the row and the numbers stay."""
    with _changing(engine, account_id, workspace_id, now) as (session, row):
        credential = session.get(Credential, (row.workspace_id, row.account_id))
        if credential is not None:
            session.delete(credential)
        row.credentials_updated_at = None
        row.removed_at = now
    return record_of(row)


def mark_needs_reauth(
    engine: Engine,
    workspace_id: str,
    account_id: str,
    reason: str,
    *,
    now: datetime,
    credentials_updated_at: datetime | None = None,
) -> AccountRecord:
    """Note that the platform refuses the token. A disabled account stays disabled.

    Give the `credentials_updated_at` of the record the token was read for: the mark is then left out when the token
    was replaced meanwhile, so a slow run cannot put a freshly connected account aside.
    """
    with _changing(engine, account_id, workspace_id, now) as (_session, row):
        replaced = credentials_updated_at is not None and row.credentials_updated_at != credentials_updated_at
        if row.status != DISABLED and not replaced:
            row.status, row.status_reason = NEEDS_REAUTH, reason[:REASON_LENGTH]
    return record_of(row)


@contextmanager
def _changing(
    engine: Engine, account_id: str, workspace_id: str | None, now: datetime
) -> Iterator[tuple[Session, Account]]:
    with writing(engine) as session:
        row = find_account(session, account_id, workspace_id, lock=True)
        row.updated_at = now
        yield session, row
        note_status(session, row, now, "the account was removed" if row.removed_at is not None else None)
