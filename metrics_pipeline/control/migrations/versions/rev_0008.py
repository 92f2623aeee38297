"""Metric definitions with their versions and audit, people and teams, calendars of a workspace's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("principal_id", sa.String(64)))
    _people()
    _definitions()
    _happenings()
    op.create_table(
        "custom_periods",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "name", name="pk_custom_periods"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_custom_periods_workspaces"),
    )


def _people() -> None:
    op.create_table(
        "principals",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "principal_id", name="pk_principals"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_principals_workspaces"),
    )
    op.create_table(
        "teams",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("team_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "team_id", name="pk_teams"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_teams_workspaces"),
    )
    op.create_table(
        "team_members",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("team_id", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.String(64), nullable=False),
        sa.Column("joined_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "team_id", "principal_id", name="pk_team_members"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "team_id"], ["teams.workspace_id", "teams.team_id"], name="fk_team_members_teams"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "principal_id"],
            ["principals.workspace_id", "principals.principal_id"],
            name="fk_team_members_principals",
        ),
    )
    op.create_index("ix_team_members_principal", "team_members", ["workspace_id", "principal_id"])


def _definitions() -> None:
    op.create_table(
        "metric_definitions",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("metric_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("owner_type", sa.String(8), nullable=False),
        sa.Column("owner_id", sa.String(160), nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("previous_status", sa.String(16)),
        sa.Column("presentation", sa.JSON(), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=False),
        sa.Column("newest_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "metric_id", name="pk_metric_definitions"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_metric_definitions_workspaces"),
        sa.CheckConstraint("visibility in ('private', 'team', 'organization', 'public')", name="visibility"),
        sa.CheckConstraint("status in ('draft', 'active', 'deprecated', 'archived')", name="status"),
    )
    live = sa.text("status <> 'archived'")
    op.create_index(
        "uq_metric_definitions_live_name",
        "metric_definitions",
        ["workspace_id", "name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "metric_definition_versions",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("metric_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spec_json", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("compiler_version", sa.String(40)),
        sa.Column("effective_from", sa.Date()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("change_note", sa.Text()),
        sa.PrimaryKeyConstraint("workspace_id", "metric_id", "version", name="pk_metric_definition_versions"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "metric_id"],
            ["metric_definitions.workspace_id", "metric_definitions.metric_id"],
            name="fk_metric_definition_versions_metric_definitions",
        ),
    )
    op.create_table(
        "metric_version_inputs",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("metric_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("input_metric_id", sa.String(64), nullable=False),
        sa.Column("input_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "metric_id", "version", "name", name="pk_metric_version_inputs"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "metric_id", "version"],
            [
                "metric_definition_versions.workspace_id",
                "metric_definition_versions.metric_id",
                "metric_definition_versions.version",
            ],
            name="fk_metric_version_inputs_metric_definition_versions",
        ),
    )


def _happenings() -> None:
    op.create_table(
        "metric_changes",
        sa.Column("number", COUNTING, autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("metric_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date()),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_metric_changes"),
    )
    op.create_index("ix_metric_changes_metric", "metric_changes", ["workspace_id", "metric_id"])
    op.create_table(
        "metric_audit_log",
        sa.Column("number", COUNTING, autoincrement=True, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("workspace_id", sa.String(64)),
        sa.Column("actor_id", sa.String(160), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("api_key_id", sa.String(64)),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("metric_id", sa.String(64)),
        sa.Column("version", sa.Integer()),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason_code", sa.String(64)),
        sa.Column("rows_scanned", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("cost_class", sa.String(16)),
        sa.Column("query_hash", sa.String(64)),
        sa.Column("trace_id", sa.String(64)),
        sa.PrimaryKeyConstraint("number", name="pk_metric_audit_log"),
    )
    op.create_index("ix_metric_audit_log_metric", "metric_audit_log", ["workspace_id", "metric_id", "number"])
    op.create_index("ix_metric_audit_log_at", "metric_audit_log", ["at"])
    op.create_table(
        "metric_usage",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("metric_id", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calculations", sa.BigInteger(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "metric_id", "day", name="pk_metric_usage"),
    )


def downgrade() -> None:
    for table in (
        "custom_periods",
        "metric_usage",
        "metric_audit_log",
        "metric_changes",
        "metric_version_inputs",
        "metric_definition_versions",
        "metric_definitions",
        "team_members",
        "teams",
        "principals",
    ):
        op.drop_table(table)
    op.drop_column("api_keys", "principal_id")
