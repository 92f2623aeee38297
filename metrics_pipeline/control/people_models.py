"""Tables of the control database for people: principals of a workspace, teams, and who is in which."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from metrics_pipeline.control.base import Base, UtcDateTime
from metrics_pipeline.control.identifiers import ID_LENGTH, NAME_LENGTH


class Principal(Base):
    """Somebody, or a service, that keys and tokens act for. Removal is a mark: what was done keeps its name."""

    __tablename__ = "principals"

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), primary_key=True)
    principal_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    roles: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class Team(Base):
    """People of a workspace who own metrics together."""

    __tablename__ = "teams"

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), primary_key=True)
    team_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class TeamMember(Base):
    """A principal that is in a team."""

    __tablename__ = "team_members"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "team_id"], ["teams.workspace_id", "teams.team_id"]),
        ForeignKeyConstraint(["workspace_id", "principal_id"], ["principals.workspace_id", "principals.principal_id"]),
        Index("ix_team_members_principal", "workspace_id", "principal_id"),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    team_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    principal_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime())
