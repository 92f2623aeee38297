"""Token refresh: who is at it, and until when the stored tokens last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("credentials", sa.Column("valid_until", sa.DateTime(timezone=True)))
    op.add_column("credentials", sa.Column("lease_owner", sa.String(64)))
    op.add_column("credentials", sa.Column("lease_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in ("lease_until", "lease_owner", "valid_until"):
        op.drop_column("credentials", name)
