"""Erasures: who asked to be forgotten, as digests, and the proof that it was done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("ring_key_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("ciphertext", sa.LargeBinary()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(200)),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_erasures_workspaces"),
    )
    op.create_index("ix_erasures_state", "erasures", ["state"])
    op.create_table(
        "erased_people",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("erasure_id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("ring_key_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_erased_people"),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasures.id"], name="fk_erased_people_erasures"),
    )
    op.create_index("ix_erased_people_erasure_id", "erased_people", ["erasure_id"])


def downgrade() -> None:
    op.drop_table("erased_people")
    op.drop_table("erasures")
