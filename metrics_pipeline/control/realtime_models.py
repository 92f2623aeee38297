"""Tables of the control database for real-time metrics: what callers declared, and a copy of the buckets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from metrics_pipeline.control.base import Base, UtcDateTime


class RealtimeMetric(Base):
    """A metric that somebody sends: it keeps its type and unit. window_seconds: of a read that names none."""

    __tablename__ = "realtime_metrics"

    workspace_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    metric: Mapped[str] = mapped_column(String(63), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(128))
    window_seconds: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())


class RealtimeBucket(Base):
    """What all series of a metric hold in one bucket. corrected_at: when a recount took the place of the copy."""

    __tablename__ = "realtime_buckets"
    __table_args__ = (
        Index("ix_realtime_buckets_kept_until", "kept_until"),
        Index("ix_realtime_buckets_corrected_at", "corrected_at"),
    )

    workspace_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    metric: Mapped[str] = mapped_column(String(63), primary_key=True)
    width_seconds: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime())
    corrected_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class RealtimeMark(Base):
    """An instant under a name: when the copy was written, when a process stopped, what is reconciled."""

    __tablename__ = "realtime_marks"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime())
