"""Tables of the control database for metric definitions: what they are now, every version, and who did what."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from metrics_pipeline.control.base import Base, UtcDateTime
from metrics_pipeline.control.identifiers import ID_LENGTH

METRIC_NAME_LENGTH = 63
ACTOR_LENGTH = 160
# SQLite counts by itself only in a column of exactly this type.
COUNTING = BigInteger().with_variant(Integer, "sqlite")


class MetricHead(Base):
    """One metric as it stands: what can change without a new version, and which version is in force.

    presentation: label, description, tags, direction. revision: counts every change, of what is shown too.
    previous_status: what a restored metric goes back to.
    """

    __tablename__ = "metric_definitions"
    __table_args__ = (
        CheckConstraint("visibility in ('private', 'team', 'organization', 'public')", name="visibility"),
        CheckConstraint("status in ('draft', 'active', 'deprecated', 'archived')", name="status"),
        # Only among metrics that are not archived: the revision says so, as of accounts.
        Index("uq_metric_definitions_live_name", "workspace_id", "name", unique=True),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), primary_key=True)
    metric_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(METRIC_NAME_LENGTH))
    owner_type: Mapped[str] = mapped_column(String(8))
    owner_id: Mapped[str] = mapped_column(String(ACTOR_LENGTH))
    visibility: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    previous_status: Mapped[str | None] = mapped_column(String(16))
    presentation: Mapped[dict[str, object]] = mapped_column(JSON)
    active_version: Mapped[int] = mapped_column(Integer)
    newest_version: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(ACTOR_LENGTH))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())


class MetricVersionRow(Base):
    """One version; rows are only ever inserted. spec_json: what makes the numbers, as text, so that it stays so."""

    __tablename__ = "metric_definition_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "metric_id"], ["metric_definitions.workspace_id", "metric_definitions.metric_id"]
        ),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    metric_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    spec_json: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    compiler_version: Mapped[str | None] = mapped_column(String(40))
    effective_from: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(ACTOR_LENGTH))
    change_note: Mapped[str | None] = mapped_column(Text)


class MetricInputRow(Base):
    """The version of an input that a version was made with; rows are only ever inserted."""

    __tablename__ = "metric_version_inputs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "metric_id", "version"],
            [
                "metric_definition_versions.workspace_id",
                "metric_definition_versions.metric_id",
                "metric_definition_versions.version",
            ],
        ),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    metric_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(METRIC_NAME_LENGTH), primary_key=True)
    input_metric_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    input_version: Mapped[int] = mapped_column(Integer)


class MetricChangeRow(Base):
    """What a calculation has to know, in the order in which it was committed; rows are only ever inserted.

    kind: `in_force` (from `effective_from` on this version counts; none: for all periods), `started`, `stopped`.
    """

    __tablename__ = "metric_changes"
    __table_args__ = (Index("ix_metric_changes_metric", "workspace_id", "metric_id"),)

    number: Mapped[int] = mapped_column(COUNTING, primary_key=True, autoincrement=True)
    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    metric_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    kind: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    effective_from: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcDateTime())


class MetricAudit(Base):
    """Who did what, or was refused it. Never a literal of a formula or filter. Rows are inserted, and expire."""

    __tablename__ = "metric_audit_log"
    __table_args__ = (
        Index("ix_metric_audit_log_metric", "workspace_id", "metric_id", "number"),
        Index("ix_metric_audit_log_at", "at"),
    )

    number: Mapped[int] = mapped_column(COUNTING, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    workspace_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    actor_id: Mapped[str] = mapped_column(String(ACTOR_LENGTH))
    actor_kind: Mapped[str] = mapped_column(String(16))
    api_key_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    action: Mapped[str] = mapped_column(String(24))
    metric_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    version: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    reason_code: Mapped[str | None] = mapped_column(String(64))
    rows_scanned: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    cost_class: Mapped[str | None] = mapped_column(String(16))
    query_hash: Mapped[str | None] = mapped_column(String(64))
    trace_id: Mapped[str | None] = mapped_column(String(64))


class MetricUsage(Base):
    """How often a metric was calculated and read on a day."""

    __tablename__ = "metric_usage"

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    metric_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calculations: Mapped[int] = mapped_column(BigInteger)
    reads: Mapped[int] = mapped_column(BigInteger)


class CustomPeriod(Base):
    """A calendar of its own: `ranges` are [label, first day, day after the last], in order. It never changes."""

    __tablename__ = "custom_periods"

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(METRIC_NAME_LENGTH), primary_key=True)
    ranges: Mapped[list[list[str]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(ACTOR_LENGTH))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
