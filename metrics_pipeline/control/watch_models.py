"""Tables of the control database for those who watch the pipeline: the jobs log, alerts and their messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from metrics_pipeline.control.base import Base, UtcDateTime

KEY_LENGTH = 500


class JobRun(Base):
    """One run: of Dagster, or of a command in its own process. `rows` and accounts are null where nothing told them.

    stream: runs of which a later one makes good what an earlier one missed. counts: whether a failure is final, and
    not tried again by Dagster itself.
    """

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("ix_job_runs_requested_at", "requested_at"),
        Index("ix_job_runs_stream", "stream", "ended_at"),
        Index("ix_job_runs_state", "state"),
    )

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    job: Mapped[str] = mapped_column(String(255))
    stream: Mapped[str] = mapped_column(String(KEY_LENGTH))
    assets: Mapped[list[str]] = mapped_column(JSON)
    first_partition: Mapped[str | None] = mapped_column(String(64))
    last_partition: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime())
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    seconds: Mapped[float | None] = mapped_column(Float)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    accounts_ok: Mapped[int | None] = mapped_column(Integer)
    accounts_failed: Mapped[int | None] = mapped_column(Integer)
    accounts_skipped: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[bool] = mapped_column(Boolean)
    tags: Mapped[dict[str, str]] = mapped_column(JSON)


class Alert(Base):
    """Something that somebody should know: `firing` while it lasts. sent_at: when a message of it was last written."""

    __tablename__ = "alerts"

    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime())
    last_at: Mapped[datetime] = mapped_column(UtcDateTime())
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime())


class AlertMessage(Base):
    """One message on its way to one channel. claimed_until: a process is sending it just now."""

    __tablename__ = "alert_messages"
    __table_args__ = (Index("ix_alert_messages_sent_at", "sent_at"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), ForeignKey("alerts.key"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime())
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    attempts: Mapped[int] = mapped_column(Integer)
