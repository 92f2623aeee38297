"""Accounts: which platform accounts a workspace has, and whether they can be collected now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.account_events import note_status
from metrics_pipeline.control.credentials import checked_token, load_token, store_token
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.identifiers import checked_external_id, checked_id, checked_platform, slug
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ACTIVE, NEEDS_REAUTH, Account
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.errors import UserError

NO_TOKEN = "no token stored yet"  # noqa: S105 - a reason, not a secret


@dataclass(frozen=True)
class AccountRecord:
    """One account. `status` is active, needs_reauth or disabled; only active ones are collected.
    `credentials_updated_at` is None while no token is stored.
    """

    workspace_id: str
    account_id: str
    platform: str
    external_id: str
    status: str
    status_reason: str | None
    created_at: datetime
    updated_at: datetime
    credentials_updated_at: datetime | None
    removed_at: datetime | None


def add_account(
    engine: Engine,
    ring: KeyRing,
    workspace_id: str,
    platform: str,
    external_id: str,
    account_id: str | None = None,
    token: str | None = None,
    *,
    now: datetime,
) -> AccountRecord:
    """Register an account; without a token it waits as needs_reauth.

    The id is `<platform>-<external id>` unless given. An account removed earlier comes back under its old id, so
    that its numbers continue.

    Raises:
        UserError: the workspace is unknown, a value cannot be used, or the account or its id exists already.
    """
    platform = checked_platform(platform)
    external_id = checked_external_id(external_id)
    token = checked_token(token) if token is not None else None
    if account_id is not None:
        checked_id(account_id, "Account id")
    try:
        with writing(engine) as session:
            require_workspace(session, workspace_id)
            row = _row_to_fill(session, workspace_id, platform, external_id, account_id)
            if row.removed_at is None:
                row.created_at = now
            row.removed_at = None
            row.updated_at = now
            row.status, row.status_reason, row.credentials_updated_at = NEEDS_REAUTH, NO_TOKEN, None
            session.add(row)
            session.flush()
            if token is not None:
                keep_token(session, ring, row, token, now)
            note_status(session, row, now)
            session.flush()
            return record_of(row)
    except IntegrityError:
        raise UserError(f"The {platform} account {external_id} was added at this moment by someone else.") from None


def list_accounts(
    engine: Engine, *, workspace_id: str | None = None, platform: str | None = None, include_removed: bool = False
) -> list[AccountRecord]:
    """Accounts by workspace and id.

    Raises:
        UserError: the workspace or platform asked for is unknown.
    """
    query = select(Account).order_by(Account.workspace_id, Account.account_id)
    if not include_removed:
        query = query.where(Account.removed_at.is_(None))
    if platform is not None:
        query = query.where(Account.platform == checked_platform(platform))
    with reading(engine) as session:
        if workspace_id is not None:
            if not include_removed:
                require_workspace(session, workspace_id)
            query = query.where(Account.workspace_id == workspace_id)
        return [record_of(row) for row in session.scalars(query)]


def get_account(engine: Engine, account_id: str, workspace_id: str | None = None) -> AccountRecord:
    """The account of this id that is not removed.

    Raises:
        UserError: there is none, or several workspaces have one and none was named.
    """
    with reading(engine) as session:
        return record_of(find_account(session, account_id, workspace_id))


def read_token(engine: Engine, ring: KeyRing, record: AccountRecord) -> str:
    """The account's token in clear text, for a request only.

    Raises:
        UserError: none is stored, or it cannot be decrypted.
    """
    with reading(engine) as session:
        token = load_token(session, ring, record.workspace_id, record.account_id)
    if token is None:
        raise UserError(
            f"Account {record.account_id} has no token; store one with: metrics-pipeline account token "
            f"{record.account_id} --workspace {record.workspace_id} --token-stdin"
        )
    return TokenBundle.parse(token, record.updated_at).access_token


def find_account(session: Session, account_id: str, workspace_id: str | None, *, lock: bool = False) -> Account:
    """The row behind get_account; `lock` holds it until the caller's transaction ends."""
    query = select(Account).where(Account.account_id == account_id, Account.removed_at.is_(None))
    if workspace_id is not None:
        require_workspace(session, workspace_id)
        query = query.where(Account.workspace_id == workspace_id)
    rows = session.scalars(query.with_for_update() if lock else query).all()
    if not rows:
        where = f" in workspace {workspace_id}" if workspace_id is not None else ""
        raise UserError(f"There is no account {account_id[:80]!r}{where}; see: metrics-pipeline account list")
    if len(rows) > 1:
        owners = ", ".join(sorted(row.workspace_id for row in rows))
        raise UserError(f"Account {account_id} exists in several workspaces ({owners}); choose with --workspace.")
    return rows[0]


def keep_token(session: Session, ring: KeyRing, row: Account, token: str, now: datetime) -> None:
    """Store a token for a row of this session and make the account active, unless it was disabled."""
    bundle = TokenBundle.parse(token, now)
    store_token(session, ring, row.workspace_id, row.account_id, bundle.dump(), now, bundle.valid_until)
    row.credentials_updated_at = now
    if row.status == NEEDS_REAUTH:
        row.status, row.status_reason = ACTIVE, None


def record_of(row: Account) -> AccountRecord:
    return AccountRecord(
        workspace_id=row.workspace_id,
        account_id=row.account_id,
        platform=row.platform,
        external_id=row.external_id,
        status=row.status,
        status_reason=row.status_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        credentials_updated_at=row.credentials_updated_at,
        removed_at=row.removed_at,
    )


def _row_to_fill(
    session: Session, workspace_id: str, platform: str, external_id: str, account_id: str | None
) -> Account:
    """A removed row to revive (by its id if one is given, else the latest removed), or a new one."""
    same = session.scalars(
        select(Account)
        .where(Account.workspace_id == workspace_id, Account.platform == platform, Account.external_id == external_id)
        .order_by(Account.removed_at.desc())
    ).all()
    for row in same:
        if row.removed_at is None:
            raise UserError(f"The {platform} account {external_id} is in workspace {workspace_id} as {row.account_id}.")
    for row in same:
        if account_id in (None, row.account_id):
            return row
    account_id = account_id or slug(f"{platform}-{external_id}")
    holder = session.get(Account, (workspace_id, account_id))
    if holder is not None:
        raise UserError(
            f"Account id {account_id} belongs to the {holder.platform} account {holder.external_id}; "
            "choose another --id."
        )
    return Account(
        workspace_id=workspace_id, account_id=account_id, platform=platform, external_id=external_id, removed_at=None
    )
