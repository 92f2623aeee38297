"""Principals: the people and services of a workspace that keys and tokens act for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.identifiers import ID_LENGTH, checked_name
from metrics_pipeline.control.models import ApiKey, Principal, TeamMember
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.errors import UserError

# No colon: "key:..." and "token:..." name those that act for nobody. An address may be an id.
_ID = re.compile(r"[A-Za-z0-9._@-]{1,64}")
# What those are called that are no principals.
RESERVED = ("cli", "pipeline")
READ, DEFINE, PUBLISH, ADMIN = "metrics:read", "metrics:define", "metrics:publish", "metrics:admin"
ROLES = (READ, DEFINE, PUBLISH, ADMIN)


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """One principal, with the ids of its teams."""

    workspace_id: str
    principal_id: str
    name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    created_at: datetime


def add_principal(
    engine: Engine, workspace_id: str, principal_id: str, roles: Collection[str], name: str | None, *, now: datetime
) -> PrincipalRecord:
    """Register somebody, or revive one that was removed, without the teams of that time.

    Raises:
        UserError: the id or a role cannot be used, the id is taken, or the workspace does not exist.
    """
    checked_principal_id(principal_id)
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise UserError(f"There is no role {unknown[0][:40]!r}; use {', '.join(ROLES)}.")
    name = checked_name(name if name is not None else principal_id)
    try:
        with writing(engine) as session:
            require_workspace(session, workspace_id)
            row = session.get(Principal, (workspace_id, principal_id), with_for_update=True)
            if row is not None and row.removed_at is None:
                raise UserError(f"{principal_id} is in workspace {workspace_id} already; choose another id.")
            if row is None:
                row = Principal(workspace_id=workspace_id, principal_id=principal_id, created_at=now)
                session.add(row)
            row.name, row.removed_at = name, None
            row.roles = [role for role in ROLES if role in roles]
            session.flush()
            return _record(row, ())
    except IntegrityError:
        raise UserError(f"{principal_id} was added at this moment by someone else.") from None


def list_principals(engine: Engine, workspace_id: str | None = None) -> list[PrincipalRecord]:
    """Those that are not removed, by workspace and id: of one workspace, or all."""
    query = select(Principal).where(Principal.removed_at.is_(None))
    members = select(TeamMember).order_by(TeamMember.team_id)
    if workspace_id is not None:
        query = query.where(Principal.workspace_id == workspace_id)
        members = members.where(TeamMember.workspace_id == workspace_id)
    with reading(engine) as session:
        teams: dict[tuple[str, str], list[str]] = {}
        for member in session.scalars(members):
            teams.setdefault((member.workspace_id, member.principal_id), []).append(member.team_id)
        rows = session.scalars(query.order_by(Principal.workspace_id, Principal.principal_id))
        return [_record(row, teams.get((row.workspace_id, row.principal_id), ())) for row in rows]


def find_principal(engine: Engine, workspace_id: str, principal_id: str) -> PrincipalRecord | None:
    """One principal that is not removed."""
    with reading(engine) as session:
        row = session.get(Principal, (workspace_id, principal_id))
        if row is None or row.removed_at is not None:
            return None
        query = select(TeamMember.team_id).where(
            TeamMember.workspace_id == workspace_id, TeamMember.principal_id == principal_id
        )
        return _record(row, session.scalars(query.order_by(TeamMember.team_id)).all())


def remove_principal(engine: Engine, workspace_id: str, principal_id: str, *, now: datetime) -> int:
    """Mark somebody removed, out of every team, and revoke the keys that acted for it; returns how many those are.

    Raises:
        UserError: there is no such principal.
    """
    with writing(engine) as session:
        row = require_principal(session, workspace_id, principal_id, lock=True)
        row.removed_at = now
        session.execute(
            delete(TeamMember).where(TeamMember.workspace_id == workspace_id, TeamMember.principal_id == principal_id)
        )
        keys = update(ApiKey).where(
            ApiKey.workspace_id == workspace_id, ApiKey.principal_id == principal_id, ApiKey.revoked_at.is_(None)
        )
        revoked = session.scalars(keys.values(revoked_at=now).returning(ApiKey.key_id)).all()
        return len(revoked)


def require_principal(session: Session, workspace_id: str, principal_id: str, *, lock: bool = False) -> Principal:
    """Hold a principal against removal until the caller's transaction ends; lock: to change it.

    Raises:
        UserError: it does not exist or was removed.
    """
    row = session.get(Principal, (workspace_id, principal_id), with_for_update=True if lock else {"read": True})
    if row is None or row.removed_at is not None:
        raise UserError(
            f"There is no {principal_id[:80]!r} in workspace {workspace_id}; "
            f"see: metrics-pipeline principal list --workspace {workspace_id}"
        )
    return row


def checked_principal_id(value: str) -> str:
    """The id itself.

    Raises:
        UserError: it has other characters than letters, digits and ._@- or is reserved.
    """
    if not _ID.fullmatch(value) or value in RESERVED:
        raise UserError(
            f"{value[:80]!r} cannot be used: an id has 1 to {ID_LENGTH} letters, digits and ._@- "
            f"and is not {' or '.join(RESERVED)}."
        )
    return value


def _record(row: Principal, teams: Collection[str]) -> PrincipalRecord:
    return PrincipalRecord(row.workspace_id, row.principal_id, row.name, tuple(row.roles), tuple(teams), row.created_at)
