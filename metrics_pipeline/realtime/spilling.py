"""Redis while it answers; while it is away updates wait in this process, and are applied once when it is back.

Order. Batches wait in one queue, in the order in which they were made, and leave it when Redis has confirmed them. One
whose answer was lost is sent again under its number, which Redis knows if it was applied. What finds no place in the
queue is dropped and counted, and Redis is told that updates are missing.

Answers. While the queue cannot be emptied they come from a copy of the waiting updates, and are `degraded`. So are
those of some seconds afterwards: other processes may still have updates waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from metrics_pipeline import redis_link
from metrics_pipeline.clock import Clock
from metrics_pipeline.realtime.backend import Added, Query, Reading, SeriesInfo, Stats, StoredBucket, timely
from metrics_pipeline.realtime.batches import MOST_UPDATES, Batch, outcome
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.redis_backend import RedisBackend
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import micros
from metrics_pipeline.redis_link import RedisAway

SPILL_UPDATES = 100_000


class SpillingBackend:
    """See Backend. Reading and adding never fail for Redis; the other methods raise RedisAway while it is away."""

    def __init__(
        self, redis: RedisBackend, memory: MemoryBackend, clock: Clock, spill_updates: int = SPILL_UPDATES
    ) -> None:
        """memory: an empty one, which this alone uses."""
        self._redis, self._memory, self._clock, self._most = redis, memory, clock, spill_updates
        self._queue: deque[Batch] = deque()
        self._sending = asyncio.Lock()
        self._retrying: asyncio.Task[None] | None = None
        self._is_away = False
        self._settled_at = 0.0
        # batches in the queue that were never sent, the last of each metric
        self._open: dict[tuple[str, str], Batch] = {}
        self._waiting = self._replayed = self._dropped = 0
        # when updates of a metric were dropped that Redis does not know of yet, in microseconds
        self._gaps: dict[tuple[str, str], int] = {}

    async def add(self, updates: Sequence[Update]) -> Added:
        """See Backend. Updates that wait count as accepted, and are checked against their metric when they arrive."""
        now = micros(self._clock.now())
        taken, refused = timely(updates, now)
        if self._is_away:
            room = max(0, self._most - self._waiting)
            self._spill([each for _, each in taken[:room]])
            self._drop([each for _, each in taken[room:]], now)
            spilled = 0 if await self._drain() else len(taken[:room])
            return Added(len(taken[:room]), 0, spilled, len(taken[room:]), tuple(refused))
        batches = self._redis.batches([each for _, each in taken])
        self._queue.extend(batches)
        self._waiting += len(taken)
        await self._drain()
        return outcome(taken, refused, batches)

    async def read(self, query: Query) -> Reading:
        """See Backend."""
        # what others are sending at this moment need not be waited for
        is_settled = not self._is_away and (not self._queue or self._sending.locked())
        if is_settled or await self._drain():
            with contextlib.suppress(RedisAway):
                reading = await self._redis.read(query)
                if self._is_away and not self._queue:
                    self._came_back()
                gap = self._gaps.get((query.workspace_id, query.metric), -1)
                missing = gap >= micros(reading.counted_from) or time.monotonic() < self._settled_at
                return replace(reading, degraded=True) if missing else reading
            self._left()
        return replace(await self._memory.read(query), degraded=True)

    async def skew_seconds(self) -> float:
        """How far Redis's clock is ahead of this process's; buckets end by the one and begin by the other."""
        return await self._redis.skew_seconds()

    async def flush(self) -> bool:
        """Try to empty the queue; whether it is empty."""
        return await self._drain()

    async def metrics(self, workspace_id: str) -> list[str]:
        """See Backend."""
        return await self._redis.metrics(workspace_id)

    async def series(self, workspace_id: str, metric: str) -> list[SeriesInfo]:
        """See Backend."""
        return await self._redis.series(workspace_id, metric)

    async def gauge(self, series: Series) -> Gauge | None:
        """See Backend."""
        return await self._redis.gauge(series)

    async def buckets(
        self, workspace_id: str, metric: str, width_seconds: int, first: int, end: int
    ) -> list[StoredBucket]:
        """See Backend. Raises RedisAway while updates of this process wait: they would be missed."""
        if not await self._drain():
            raise RedisAway
        return await self._redis.buckets(workspace_id, metric, width_seconds, first, end)

    async def overwrite_bucket(self, bucket: StoredBucket, counted_at: datetime) -> bool:
        """See Backend."""
        return await self._redis.overwrite_bucket(bucket, counted_at)

    async def delete_series(self, series: Series) -> bool:
        """See Backend."""
        return await self._redis.delete_series(series)

    async def expire(self, now: datetime) -> int:
        """See Backend."""
        return await self._redis.expire(now)

    async def stats(self) -> Stats:
        """See Backend."""
        stats = await self._redis.stats()
        return replace(stats, away=self._is_away, spilled=self._waiting, replayed=self._replayed, dropped=self._dropped)

    async def close(self) -> None:
        """See Backend. What still waits is tried once more."""
        if self._retrying is not None:
            self._retrying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._retrying
        await self._drain()
        await self._redis.close()

    async def _drain(self) -> bool:
        """Send what waits, in order; whether nothing waits any more."""
        async with self._sending:
            try:
                if self._is_away and not self._queue:
                    await self._redis.ping()
                while self._queue:
                    batch = self._queue[0]
                    self._open.pop((batch.workspace_id, batch.metric), None)
                    batch.result = await self._redis.apply(batch)
                    self._queue.popleft()
                    self._waiting -= len(batch.updates)
                    self._replayed += len(batch.updates) if self._is_away else 0
                for key, at in list(self._gaps.items()):
                    await self._redis.mark_lost(*key, at)
                    del self._gaps[key]
            except RedisAway:
                self._left()
                return False
            if self._is_away and not self._queue:
                self._came_back()
            return not self._queue

    def _left(self) -> None:
        """Redis does not answer: what waits is copied, so that it can be read."""
        if not self._is_away:
            self._is_away = True
            self._memory.wipe()
            for batch in self._queue:
                self._memory.add_now(batch.updates)
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.get_running_loop().create_task(self._retry())

    def _came_back(self) -> None:
        self._is_away = False
        # twice as long as the others may take to notice
        self._settled_at = time.monotonic() + 2 * redis_link.ASK_AGAIN_SECONDS
        self._memory.wipe()

    async def _retry(self) -> None:
        """Until Redis has all, whether anybody asks or not."""
        while self._is_away:
            await asyncio.sleep(redis_link.ASK_AGAIN_SECONDS)
            await self._drain()

    def _spill(self, updates: Sequence[Update]) -> None:
        """Queue updates; batches that were never sent are filled up, so that there are few."""
        self._memory.add_now(updates)
        self._waiting += len(updates)
        left = []
        for each in updates:
            batch = self._open.get((each.series.workspace_id, each.series.metric))
            if batch is not None and len(batch.updates) < MOST_UPDATES:
                batch.updates.append(each)
            else:
                left.append(each)
        for batch in self._redis.batches(left):
            self._queue.append(batch)
            self._open[batch.workspace_id, batch.metric] = batch

    def _drop(self, updates: Sequence[Update], now: int) -> None:
        self._dropped += len(updates)
        for each in updates:
            self._gaps[each.series.workspace_id, each.series.metric] = now
