"""Changes of an account's status, each with its instant. Accounts that exist begin with the status they have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STATUS_NOW = """
insert into account_events (workspace_id, account_id, platform, external_id, status, reason, at)
select
    workspace_id,
    account_id,
    platform,
    external_id,
    case when removed_at is not null then 'removed' when status = 'active' then 'connected' else status end,
    case when removed_at is null then status_reason end,
    case when removed_at is not null then removed_at when status = 'active' then created_at else updated_at end
from accounts
"""


def upgrade() -> None:
    op.create_table(
        "account_events",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_account_events"),
    )
    op.create_index("ix_account_events_account", "account_events", ["workspace_id", "account_id"])
    op.execute(STATUS_NOW)


def downgrade() -> None:
    op.drop_table("account_events")
