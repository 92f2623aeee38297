"""Bodies and answers of the requests that start runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from metrics_pipeline.shapes.words import Shape

START = "First day of series to be read again, UTC. Without start and end: counters of the running hour."
END = "The day after the last one."


class CollectAccount(Shape):
    """What of an account is read. An empty body: its counters of the running hour."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"start": "2026-11-01", "end": "2026-11-08"}}
    )

    start: date | None = Field(None, description=START)
    end: date | None = Field(None, description=END)


class Collect(CollectAccount):
    """What is read. An empty body: counters of the running hour, of every account that is connected."""

    platforms: list[str] | None = Field(
        None, min_length=1, max_length=50, description="Only these; without it every platform that can give it."
    )


class CollectPost(Shape):
    """Which account a post belongs to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"account_id": "instagram-17841400000000001"}}
    )

    account_id: str | None = Field(
        None, max_length=64, description="Needed for a post that was never read, such as one just published."
    )


class Aggregate(Shape):
    """What is rebuilt, over every period that overlaps the days. Runs begin in the order of the levels."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"levels": ["daily", "weekly"], "start": "2026-11-01", "end": "2026-11-08"}},
    )

    levels: list[
        Literal[
            "content",
            "daily",
            "weekly",
            "monthly",
            "snapshots",
            "daily_snapshots",
            "weekly_snapshots",
            "monthly_snapshots",
        ]
    ] = Field(min_length=1, max_length=8, description="`snapshots` are those of days, weeks and months.")
    start: date = Field(description="First day, UTC.")
    end: date = Field(description=END)


class NoBody(Shape):
    """Nothing can be said here."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {}})


class Partitions(Shape):
    """Consecutive partitions; the same one twice where it is one."""

    first: str = Field(description="The key of the first one.")
    last: str = Field(description="The key of the last one.")


class StartedRun(Shape):
    run_id: str = Field(description="Dagster's id; ask GET /v1/admin/runs/{run_id} what became of it.")
    job: str
    partitions: Partitions | None = Field(description="Null where the job has none.")
    status: str = Field(description="QUEUED, STARTING, STARTED, SUCCESS, FAILURE, CANCELING or CANCELED.")


class Started(Shape):
    runs: list[StartedRun]


class SkippedPlatform(Shape):
    platform: str
    code: str = Field(description="Why: no_account, no_series, beyond_retention, posts_not_read.")
    detail: str


class StartedMeta(Shape):
    replayed: bool = Field(description="Whether an earlier request with this Idempotency-Key started them.")
    skipped: list[SkippedPlatform] = Field(description="Platforms that were not named and cannot give it.")
    requested_at: datetime


class StartedAnswer(Shape):
    data: Started
    meta: StartedMeta
