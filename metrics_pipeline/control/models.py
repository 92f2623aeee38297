"""Tables of the control database. Nothing measured lives here, and no token in clear text."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from metrics_pipeline.control.base import Base, UtcDateTime
from metrics_pipeline.control.identifiers import EXTERNAL_ID_LENGTH, ID_LENGTH, NAME_LENGTH
from metrics_pipeline.control.metric_models import MetricHead
from metrics_pipeline.control.people_models import Principal, Team, TeamMember
from metrics_pipeline.control.realtime_models import RealtimeBucket
from metrics_pipeline.control.watch_models import Alert, AlertMessage, JobRun

# Whoever has Base from here has every table in it.
__all__ = [
    "Alert",
    "AlertMessage",
    "Base",
    "JobRun",
    "MetricHead",
    "Principal",
    "RealtimeBucket",
    "Team",
    "TeamMember",
]

ACTIVE, NEEDS_REAUTH, DISABLED = "active", "needs_reauth", "disabled"


class Workspace(Base):
    """One tenant. Removal is a mark: the numbers collected for it stay."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class Account(Base):
    """One platform account of a workspace. `external_id` is what the platform calls it."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(f"status in ('{ACTIVE}', '{NEEDS_REAUTH}', '{DISABLED}')", name="status"),
        Index(
            "uq_accounts_live_external_id",
            "workspace_id",
            "platform",
            "external_id",
            # Only among accounts that are not removed: the revision says so. Said here as well, it would import the
            # whole Postgres dialect at every start of the command line (60 ms).
            unique=True,
        ),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    platform: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(EXTERNAL_ID_LENGTH))
    status: Mapped[str] = mapped_column(String(16))
    status_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())
    credentials_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class Credential(Base):
    """One account's tokens, encrypted: `wrapped_key` is the data key under ring key `key_id`.

    valid_until: after it only the account's owner can help. A lease says who refreshes the tokens just now.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.account_id"], ondelete="CASCADE"
        ),
    )

    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime())
    lease_owner: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime())


class ApiKey(Base):
    """One key of the HTTP interface; `digest` is made with a pepper from ring key `ring_key_id`.

    Without a workspace it is an operator's. With origins it is a browser's: it may only send events, from pages there.
    principal_id: whom of the workspace it acts for.
    """

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"), index=True)
    label: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    origins: Mapped[list[str]] = mapped_column(JSON)
    ring_key_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    rotated_from: Mapped[str | None] = mapped_column(String(16))
    principal_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))


class AccountEvent(Base):
    """One change of an account's status. `status` is connected, needs_reauth, disabled or removed, from `at` on."""

    __tablename__ = "account_events"
    __table_args__ = (Index("ix_account_events_account", "workspace_id", "account_id"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    platform: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(EXTERNAL_ID_LENGTH))
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime())


class Import(Base):
    """One imported file. The dates are the first and last day it has rows for, both included."""

    __tablename__ = "imports"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    rows_accepted: Mapped[int] = mapped_column(BigInteger)
    rows_rejected: Mapped[int] = mapped_column(BigInteger)
    rows_unchanged: Mapped[int] = mapped_column(BigInteger)
    first_date: Mapped[date | None] = mapped_column(Date)
    last_date: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    reverted_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    details: Mapped[dict[str, object]] = mapped_column(JSON)


class Usage(Base):
    """What a platform's calls of one day have used: an amount per item, such as `calls`, `units` or `usd`."""

    __tablename__ = "usage"

    platform: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    item: Mapped[str] = mapped_column(String(255), primary_key=True)
    amount: Mapped[float] = mapped_column(Float)


class Hold(Base):
    """A platform asked to be left alone until an instant: for one account, or, with both ids empty, for all."""

    __tablename__ = "holds"

    platform: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime())
    reason: Mapped[str] = mapped_column(Text)


class Erasure(Base):
    """One person's erasure. The identifier is sealed (see Credential) until it is carried out, then gone.

    `digest` is the person under a pepper from ring key `ring_key_id`; `proof` says what was deleted where.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_state", "state"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("workspaces.id"))
    ring_key_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime())
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    proof: Mapped[dict[str, object]] = mapped_column(JSON)


class ErasedPerson(Base):
    """A person, or a session of that person, whose events are refused: as a digest, see Erasure."""

    __tablename__ = "erased_people"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    erasure_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("erasures.id"), index=True)
    workspace_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    ring_key_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
