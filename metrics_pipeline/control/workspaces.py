"""Workspaces: the tenants whose accounts are collected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.account_events import note_status
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.identifiers import checked_id, checked_name, slug
from metrics_pipeline.control.models import Account, ApiKey, Credential, Workspace
from metrics_pipeline.errors import UserError

# More names than this make the error message longer than a terminal.
NAMED_IN_MESSAGES = 10


@dataclass(frozen=True)
class WorkspaceRecord:
    """One workspace; `removed_at` is None while it is collected."""

    workspace_id: str
    name: str
    created_at: datetime
    removed_at: datetime | None


def add_workspace(engine: Engine, name: str, workspace_id: str | None = None, *, now: datetime) -> WorkspaceRecord:
    """Register a workspace; the id is made from the name unless given. A removed one with this id is revived,
    without its accounts.

    Raises:
        UserError: the name or id cannot be used, or a workspace has this id.
    """
    name = checked_name(name)
    workspace_id = checked_id(workspace_id, "Workspace id") if workspace_id is not None else slug(name).lower()
    if not workspace_id:
        raise UserError(f"The name {name!r} gives no id; name one with --id.")
    try:
        with writing(engine) as session:
            row = session.get(Workspace, workspace_id, with_for_update=True)
            if row is not None and row.removed_at is None:
                raise UserError(f"Workspace {workspace_id} exists already ({row.name}); choose another --id.")
            if row is None:
                row = Workspace(id=workspace_id, created_at=now)
                session.add(row)
            row.name = name
            row.removed_at = None
            session.flush()
            return _record(row)
    except IntegrityError:
        raise UserError(f"Workspace {workspace_id} was added at this moment by someone else.") from None


def list_workspaces(engine: Engine, *, include_removed: bool = False) -> list[WorkspaceRecord]:
    """Workspaces by id."""
    query = select(Workspace).order_by(Workspace.id)
    if not include_removed:
        query = query.where(Workspace.removed_at.is_(None))
    with reading(engine) as session:
        return [_record(row) for row in session.scalars(query)]


def is_live_workspace(engine: Engine, workspace_id: str) -> bool:
    """Whether there is such a workspace and it was not removed."""
    with reading(engine) as session:
        row = session.get(Workspace, workspace_id)
        return row is not None and row.removed_at is None


def is_known_workspace(engine: Engine, workspace_id: str) -> bool:
    """Whether there is or was such a workspace: the numbers of a removed one stay."""
    with reading(engine) as session:
        return session.get(Workspace, workspace_id) is not None


def count_accounts(engine: Engine) -> dict[str, int]:
    """Accounts that are not removed, by workspace id; a workspace without any is absent."""
    query = select(Account.workspace_id, func.count()).where(Account.removed_at.is_(None))
    with reading(engine) as session:
        return {row[0]: row[1] for row in session.execute(query.group_by(Account.workspace_id))}


def remove_workspace(engine: Engine, workspace_id: str, *, now: datetime) -> WorkspaceRecord:
    """Mark a workspace and its accounts removed, delete their credentials and revoke its API keys; doing so again
    changes nothing.

    Raises:
        UserError: there never was such a workspace.
    """
    with writing(engine) as session:
        row = session.get(Workspace, workspace_id, with_for_update=True)
        if row is None:
            raise UserError(unknown_workspace(session, workspace_id))
        if row.removed_at is None:
            row.removed_at = now
            session.execute(delete(Credential).where(Credential.workspace_id == workspace_id))
            keys = update(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.revoked_at.is_(None))
            session.execute(keys.values(revoked_at=now))
            live = select(Account).where(Account.workspace_id == workspace_id, Account.removed_at.is_(None))
            for account in session.scalars(live.order_by(Account.account_id).with_for_update()).all():
                account.removed_at = account.updated_at = now
                account.credentials_updated_at = None
                note_status(session, account, now, "the workspace was removed")
        return _record(row)


def require_workspace(session: Session, workspace_id: str) -> None:
    """Hold the workspace against removal until the caller's transaction ends.

    Raises:
        UserError: it does not exist or was removed; the message lists what there is or says how to add one.
    """
    row = session.get(Workspace, workspace_id, with_for_update={"read": True})
    if row is None or row.removed_at is not None:
        raise UserError(unknown_workspace(session, workspace_id))


def unknown_workspace(session: Session, workspace_id: str) -> str:
    """The sentence about a workspace that is not there."""
    live = select(Workspace.id).where(Workspace.removed_at.is_(None)).order_by(Workspace.id)
    ids = session.scalars(live.limit(NAMED_IN_MESSAGES + 1)).all()
    if not ids:
        return f"There is no workspace {workspace_id[:80]!r}; add one with: metrics-pipeline workspace add NAME"
    named = ", ".join(ids[:NAMED_IN_MESSAGES]) + (", ..." if len(ids) > NAMED_IN_MESSAGES else "")
    return f"There is no workspace {workspace_id[:80]!r}; there is {named}."


def _record(row: Workspace) -> WorkspaceRecord:
    return WorkspaceRecord(row.id, row.name, row.created_at, row.removed_at)
