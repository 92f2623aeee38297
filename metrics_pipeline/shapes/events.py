"""What became of events that were sent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from metrics_pipeline.shapes.words import Shape


class Tracked(Shape):
    event_id: str = Field(description="The event's own id, or the one it was given.")
    received_at: datetime
    status: Literal["accepted", "duplicate"]


class TrackAnswer(Shape):
    data: Tracked
    meta: dict[str, str]


class BatchResult(Shape):
    index: int = Field(description="Place in the batch, from 0.")
    event_id: str | None
    status: Literal["accepted", "duplicate", "rejected", "retry"]
    code: str | None = Field(None, description="Why it was rejected or has to be sent again.")
    detail: str | None = None
    pointer: str | None = Field(None, description="JSON pointer into the body.")


class Batch(Shape):
    accepted: int
    duplicates: int
    rejected: int
    results: list[BatchResult] = Field(description="One per event, in the order sent.")
    received_at: datetime


class BatchAnswer(Shape):
    data: Batch
    meta: dict[str, str] = Field(description="`warning` where every event was rejected.")
