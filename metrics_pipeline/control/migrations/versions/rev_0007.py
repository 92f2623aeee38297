"""The jobs log, alerts and their messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "job_runs",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("job", sa.String(255), nullable=False),
        sa.Column("stream", sa.String(500), nullable=False),
        sa.Column("assets", sa.JSON(), nullable=False),
        sa.Column("first_partition", sa.String(64)),
        sa.Column("last_partition", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(255), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("seconds", sa.Float()),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("accounts_ok", sa.Integer()),
        sa.Column("accounts_failed", sa.Integer()),
        sa.Column("accounts_skipped", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_job_runs"),
    )
    op.create_index("ix_job_runs_requested_at", "job_runs", ["requested_at"])
    op.create_index("ix_job_runs_stream", "job_runs", ["stream", "ended_at"])
    op.create_index("ix_job_runs_state", "job_runs", ["state"])
    op.create_table(
        "alerts",
        sa.Column("key", sa.String(500), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_alerts"),
    )
    op.create_table(
        "alert_messages",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(500), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alert_messages"),
        sa.ForeignKeyConstraint(["key"], ["alerts.key"], name="fk_alert_messages_alerts"),
    )
    op.create_index("ix_alert_messages_key", "alert_messages", ["key"])
    op.create_index("ix_alert_messages_sent_at", "alert_messages", ["sent_at"])


def downgrade() -> None:
    op.drop_table("alert_messages")
    op.drop_table("alerts")
    op.drop_table("job_runs")
