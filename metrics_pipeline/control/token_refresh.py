"""Refreshing tokens safely: one process at a time per account, and the new pair is stored before it is used."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import Session

from metrics_pipeline.control.accounts import find_account
from metrics_pipeline.control.credentials import load_token, store_token
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import Credential
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.errors import UserError


def read_bundle(engine: Engine, ring: KeyRing, workspace_id: str, account_id: str, now: datetime) -> TokenBundle:
    """The stored tokens.

    Raises:
        UserError: none are stored, or they cannot be decrypted.
    """
    with reading(engine) as session:
        text = load_token(session, ring, workspace_id, account_id)
    if text is None:
        raise UserError(
            f"Account {account_id} has no token; store one with: metrics-pipeline account token {account_id} "
            f"--workspace {workspace_id} --token-stdin"
        )
    return TokenBundle.parse(text, now)


def claim_refresh(
    engine: Engine, workspace_id: str, account_id: str, owner: str, *, now: datetime, lease: timedelta
) -> bool:
    """Try to become the one who refreshes this account's token; the claim ends by itself after `lease`."""
    with writing(engine) as session:
        claimed = session.execute(
            update(Credential)
            .where(
                Credential.workspace_id == workspace_id,
                Credential.account_id == account_id,
                or_(Credential.lease_until.is_(None), Credential.lease_until <= now),
            )
            .values(lease_owner=owner, lease_until=now + lease)
        )
        return bool(claimed.rowcount)  # type: ignore[attr-defined]


def keep_refreshed(
    engine: Engine, ring: KeyRing, workspace_id: str, account_id: str, bundle: TokenBundle, owner: str, *, now: datetime
) -> bool:
    """Store a refreshed pair and end the claim; False if the claim was lost or the account removed meanwhile."""
    with writing(engine) as session:
        row = _claimed(session, workspace_id, account_id, owner)
        if row is None:
            return False
        store_token(session, ring, workspace_id, account_id, bundle.dump(), now, bundle.valid_until)
        find_account(session, account_id, workspace_id).updated_at = now
        return True


def release_refresh(engine: Engine, workspace_id: str, account_id: str, owner: str) -> None:
    """End a claim without a new token."""
    with writing(engine) as session:
        row = _claimed(session, workspace_id, account_id, owner)
        if row is not None:
            row.lease_owner = row.lease_until = None


def valid_until(engine: Engine) -> dict[tuple[str, str], datetime]:
    """Per account the instant after which only its owner can help, where it is known."""
    query = select(Credential.workspace_id, Credential.account_id, Credential.valid_until)
    with reading(engine) as session:
        return {(w, a): until for w, a, until in session.execute(query) if until is not None}


def _claimed(session: Session, workspace_id: str, account_id: str, owner: str) -> Credential | None:
    row = session.get(Credential, (workspace_id, account_id), with_for_update=True)
    return row if row is not None and row.lease_owner == owner else None
