"""Teams of a workspace, and who is in which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.identifiers import checked_id, checked_name
from metrics_pipeline.control.metric_models import MetricHead
from metrics_pipeline.control.models import Team, TeamMember
from metrics_pipeline.control.people import require_principal
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """One team with the ids of its members."""

    workspace_id: str
    team_id: str
    name: str
    members: tuple[str, ...]
    created_at: datetime


def add_team(engine: Engine, workspace_id: str, team_id: str, name: str | None, *, now: datetime) -> TeamRecord:
    """Register a team, or revive one that was removed, without its members.

    Raises:
        UserError: the id or name cannot be used, the id is taken, or the workspace does not exist.
    """
    checked_id(team_id, "Team id")
    name = checked_name(name if name is not None else team_id)
    try:
        with writing(engine) as session:
            require_workspace(session, workspace_id)
            row = session.get(Team, (workspace_id, team_id), with_for_update=True)
            if row is not None and row.removed_at is None:
                raise UserError(f"Team {team_id} is in workspace {workspace_id} already; choose another id.")
            if row is None:
                row = Team(workspace_id=workspace_id, team_id=team_id, created_at=now)
                session.add(row)
            row.name, row.removed_at = name, None
            session.flush()
            return TeamRecord(workspace_id, team_id, name, (), row.created_at)
    except IntegrityError:
        raise UserError(f"Team {team_id} was added at this moment by someone else.") from None


def list_teams(engine: Engine, workspace_id: str | None = None) -> list[TeamRecord]:
    """Teams that are not removed, by workspace and id: of one workspace, or all."""
    query = select(Team).where(Team.removed_at.is_(None))
    who = select(TeamMember).order_by(TeamMember.principal_id)
    if workspace_id is not None:
        query, who = query.where(Team.workspace_id == workspace_id), who.where(TeamMember.workspace_id == workspace_id)
    with reading(engine) as session:
        members: dict[tuple[str, str], list[str]] = {}
        for member in session.scalars(who):
            members.setdefault((member.workspace_id, member.team_id), []).append(member.principal_id)
        return [
            TeamRecord(
                row.workspace_id,
                row.team_id,
                row.name,
                tuple(members.get((row.workspace_id, row.team_id), ())),
                row.created_at,
            )
            for row in session.scalars(query.order_by(Team.workspace_id, Team.team_id))
        ]


def remove_team(engine: Engine, workspace_id: str, team_id: str, *, now: datetime) -> None:
    """Mark a team removed, without members.

    Raises:
        UserError: there is no such team, or it owns metrics that are not archived.
    """
    with writing(engine) as session:
        row = _existing(session, workspace_id, team_id, lock=True)
        owned = select(MetricHead.name).where(
            MetricHead.workspace_id == workspace_id,
            MetricHead.owner_type == "team",
            MetricHead.owner_id == team_id,
            MetricHead.status != "archived",
        )
        names = session.scalars(owned.order_by(MetricHead.name)).all()
        if names:
            raise UserError(
                f"Team {team_id} owns {', '.join(names[:10])}: give them to somebody or archive them first."
            )
        session.execute(
            delete(TeamMember).where(TeamMember.workspace_id == workspace_id, TeamMember.team_id == team_id)
        )
        row.removed_at = now


def join_team(engine: Engine, workspace_id: str, team_id: str, principal_id: str, *, now: datetime) -> bool:
    """Put somebody into a team; False if that was so already.

    Raises:
        UserError: there is no such team or principal.
    """
    try:
        with writing(engine) as session:
            _existing(session, workspace_id, team_id)
            require_principal(session, workspace_id, principal_id)
            if session.get(TeamMember, (workspace_id, team_id, principal_id)) is not None:
                return False
            session.add(
                TeamMember(workspace_id=workspace_id, team_id=team_id, principal_id=principal_id, joined_at=now)
            )
            return True
    except IntegrityError:  # another process did the same at this moment
        return False


def leave_team(engine: Engine, workspace_id: str, team_id: str, principal_id: str) -> bool:
    """Take somebody out of a team; False if it was not in it.

    Raises:
        UserError: there is no such team.
    """
    with writing(engine) as session:
        _existing(session, workspace_id, team_id)
        row = session.get(TeamMember, (workspace_id, team_id, principal_id), with_for_update=True)
        if row is not None:
            session.delete(row)
        return row is not None


def _existing(session: Session, workspace_id: str, team_id: str, *, lock: bool = False) -> Team:
    row = session.get(Team, (workspace_id, team_id), with_for_update=True if lock else {"read": True})
    if row is None or row.removed_at is not None:
        raise UserError(
            f"There is no team {team_id[:80]!r} in workspace {workspace_id}; "
            f"see: metrics-pipeline team list --workspace {workspace_id}"
        )
    return row
