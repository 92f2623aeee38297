"""Where the numbers are that are compared with stored events: Redis, or the copy of a process that counts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from metrics_pipeline.aggregation.realtime_recount import Key
from metrics_pipeline.control import realtime_rows as rows
from metrics_pipeline.control.realtime_copies import rows_of
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.copies import buckets_of
from metrics_pipeline.realtime.fed import FED_BY_NAME
from metrics_pipeline.realtime.kinds import Kind

if TYPE_CHECKING:
    from metrics_pipeline.realtime.realtime import Realtime


class Store(Protocol):
    """Where the numbers are that are compared."""

    async def held(self, width_seconds: int, first: int, end: int) -> dict[Key, StoredBucket]: ...

    async def repair(self, wanted: Sequence[StoredBucket], held: Mapping[Key, StoredBucket]) -> set[Key]:
        """Put recounts in place; those that were refused."""
        ...


@dataclass(frozen=True)
class CopyStore:
    """The copy that an API process without Redis writes every minute."""

    pipeline: Pipeline
    now: datetime

    async def held(self, width_seconds: int, first: int, end: int) -> dict[Key, StoredBucket]:
        found = rows.read_buckets(
            self.pipeline.control, now=self.now, metrics=list(FED_BY_NAME), width_seconds=width_seconds
        )
        return {
            (bucket.series, bucket.number): bucket
            for row in found
            if first <= row.number < end
            for bucket in buckets_of(
                row.workspace_id, row.metric, Kind(row.kind), row.width_seconds, row.number, row.body
            )
        }

    async def repair(self, wanted: Sequence[StoredBucket], held: Mapping[Key, StoredBucket]) -> set[Key]:
        """All series of a bucket stand in one row: those that are right are written with those that are mended."""
        mended = dict(held) | {(bucket.series, bucket.number): bucket for bucket in wanted}
        touched = {(bucket.series.workspace_id, bucket.series.metric, bucket.number) for bucket in wanted}
        whole = [
            bucket
            for bucket in mended.values()
            if (bucket.series.workspace_id, bucket.series.metric, bucket.number) in touched
        ]
        rows.correct_buckets(self.pipeline.control, rows_of(whole, self.now))
        return set()


@dataclass(frozen=True)
class RedisStore:
    """The buckets that all processes count in."""

    pipeline: Pipeline
    realtime: Realtime
    now: datetime

    async def held(self, width_seconds: int, first: int, end: int) -> dict[Key, StoredBucket]:
        found: dict[Key, StoredBucket] = {}
        for workspace in list_workspaces(self.pipeline.control, include_removed=True):
            for metric in FED_BY_NAME:
                for bucket in await self.realtime.backend.buckets(
                    workspace.workspace_id, metric, width_seconds, first, end
                ):
                    found[bucket.series, bucket.number] = bucket
        return found

    async def repair(self, wanted: Sequence[StoredBucket], held: Mapping[Key, StoredBucket]) -> set[Key]:
        return {
            (bucket.series, bucket.number)
            for bucket in wanted
            if not await self.realtime.backend.overwrite_bucket(bucket, self.now)
        }
