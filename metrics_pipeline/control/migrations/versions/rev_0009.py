"""Real-time metrics that callers declared, a copy of their buckets, and marks of when what was done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "realtime_metrics",
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("metric", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("unit", sa.String(128), nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "metric", name="pk_realtime_metrics"),
    )
    op.create_table(
        "realtime_buckets",
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("metric", sa.String(63), nullable=False),
        sa.Column("width_seconds", sa.Integer(), nullable=False),
        sa.Column("number", COUNTING, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", INSTANT, nullable=False),
        sa.Column("corrected_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "metric", "width_seconds", "number", name="pk_realtime_buckets"),
    )
    op.create_index("ix_realtime_buckets_kept_until", "realtime_buckets", ["kept_until"])
    op.create_index("ix_realtime_buckets_corrected_at", "realtime_buckets", ["corrected_at"])
    op.create_table(
        "realtime_marks",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_realtime_marks"),
    )


def downgrade() -> None:
    op.drop_table("realtime_marks")
    op.drop_table("realtime_buckets")
    op.drop_table("realtime_metrics")
