"""Buckets in Redis or Valkey, for several processes. Every method raises RedisAway while it does not answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from metrics_pipeline.clock import Clock
from metrics_pipeline.realtime import redis_scripts
from metrics_pipeline.realtime.answers import Told, answer
from metrics_pipeline.realtime.backend import Added, Query, Reading, Refused, SeriesInfo, Stats, StoredBucket, timely
from metrics_pipeline.realtime.batches import MOST_UPDATES, Batch, by_metric, command, outcome
from metrics_pipeline.realtime.distinct import Distinct
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Kind, empty, is_same
from metrics_pipeline.realtime.memory import GAUGE_TTL_SECONDS, MOST_SERIES
from metrics_pipeline.realtime.redis_keys import WORKSPACES, Slot, buckets_in, metrics_of, page_end, registers_of
from metrics_pipeline.realtime.redis_reads import RedisReads
from metrics_pipeline.realtime.redis_series import REGISTRY_SECONDS, RedisSeries
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import BY_SECONDS, SECOND, SERIES_KEPT_SECONDS, instant_of, micros, plan_of
from metrics_pipeline.redis_link import RedisAway, RedisLink


class RedisBackend:
    """See Backend. Batches of one process must be applied in the order in which they were made."""

    def __init__(
        self,
        link: RedisLink,
        clock: Clock,
        most_series: int = MOST_SERIES,
        gauge_ttl_seconds: float = GAUGE_TTL_SECONDS,
    ) -> None:
        self._link, self._clock, self._most_series = link, clock, most_series
        self._gauge_ttl_seconds = gauge_ttl_seconds
        self._reads = RedisReads(link)
        self._process = secrets.token_hex(8)
        self._series = RedisSeries(link, self._reads, most_series)
        self._add = link.client.register_script(redis_scripts.ADD)
        self._overwrite = link.client.register_script(redis_scripts.OVERWRITE)
        self._accepted = self._refused = self._last_number = 0
        # keys thrown away by Redis, and when this process noticed (microseconds): some may have been buckets
        self._evicted = self._evicted_at = 0

    async def add(self, updates: Sequence[Update]) -> Added:
        """See Backend."""
        taken, refused = timely(updates, micros(self._clock.now()))
        batches = self.batches([each for _, each in taken])
        for batch in batches:
            batch.result = await self.apply(batch)
        return outcome(taken, refused, batches)

    def batches(self, updates: Sequence[Update]) -> list[Batch]:
        """Updates as numbered batches."""
        now = micros(self._clock.now())
        return [
            self._batch(workspace_id, metric, some[start : start + MOST_UPDATES], now)
            for (workspace_id, metric), some in by_metric(updates).items()
            for start in range(0, len(some), MOST_UPDATES)
        ]

    async def apply(self, batch: Batch) -> Added:
        """Count a batch; if that was done before, and only its answer was lost, it is not done again."""
        slot, known = Slot(batch.workspace_id, batch.metric), self._series.known(batch.workspace_id, batch.metric)
        for _ in range(3):  # series may be forgotten in between; three times in a row is no accident
            now = micros(self._clock.now())
            kind, placed = await self._series.place(batch, slot, now)
            fitting = [each for each in batch.updates if each.kind is kind]
            end_of_life = now // SECOND + REGISTRY_SECONDS
            keys, arguments = command(batch, fitting, slot, kind, placed, self._process, now, end_of_life)
            if await self._reads.run(self._add, keys, arguments) != b"unknown":
                break
            known.ids.clear()
            known.kind = None
        else:
            raise RedisAway
        known.confirmed = max(known.confirmed, batch.number)
        known.used_at = max(known.used_at, now)
        refused = tuple(Refused(i, "kind_conflict") for i, each in enumerate(batch.updates) if each.kind is not kind)
        overflowed = sum(placed[each.series.labels] != each.series.id for each in fitting)
        self._accepted += len(fitting)
        self._refused += len(refused)
        return Added(len(fitting), overflowed, refused=refused)

    async def skew_seconds(self) -> float:
        """How far Redis's clock is ahead of this process's."""
        [(seconds, microseconds)] = await self._reads.ask([("TIME",)])
        return (int(seconds) * SECOND + int(microseconds) - micros(self._clock.now())) / SECOND

    async def ping(self) -> None:
        """Whether Redis answers: raises RedisAway if not."""
        await self._reads.ask([("PING",)])

    async def mark_lost(self, workspace_id: str, metric: str, at: int) -> None:
        """Make it known to all who read that updates received until then (microseconds) are missing."""
        meta = Slot(workspace_id, metric).meta
        end_of_life = at // SECOND + REGISTRY_SECONDS
        await self._reads.ask([("HSET", meta, "lost", at), ("EXPIREAT", meta, end_of_life)])

    async def read(self, query: Query) -> Reading:
        """See Backend. Degraded where this metric is known to have lost updates that the window may have held."""
        plan = plan_of(query.window_seconds, self._clock.now())
        slot = Slot(query.workspace_id, query.metric)
        known = self._series.known(query.workspace_id, query.metric)
        confirmed = 0 if known.is_old(plan.now) else known.confirmed
        registry = await self._reads.registry(slot, self._process, query.labels)
        kind = registry.metric.kind if registry.metric else None
        loaded = await self._reads.load(slot, kind, registry.lines, plan) if kind else []
        if registry.evicted > self._evicted:
            self._evicted, self._evicted_at = registry.evicted, plan.now
        lost_at = max(registry.lost_at, self._evicted_at)
        if registry.written < confirmed:  # what Redis confirmed it does not have any more
            known.confirmed, lost_at = registry.written, plan.now
            await self.mark_lost(query.workspace_id, query.metric, plan.now)
        degraded = lost_at >= plan.counted_from
        told = Told("shared", degraded, self._gauge_ttl_seconds)
        return answer(query, plan, registry.metric, loaded, registry.overflow, told)

    async def metrics(self, workspace_id: str) -> list[str]:
        """See Backend."""
        [names] = await self._reads.ask([("SMEMBERS", metrics_of(workspace_id))])
        return sorted(name.decode() for name in names)

    async def series(self, workspace_id: str, metric: str) -> list[SeriesInfo]:
        """See Backend."""
        registry = await self._reads.registry(Slot(workspace_id, metric), self._process)
        return [
            SeriesInfo(
                Series(workspace_id, metric, line.labels),
                registry.metric.kind,
                registry.metric.unit,
                instant_of(line.first_at),
                instant_of(line.last_at),
            )
            for line in registry.lines
            if registry.metric
        ]

    async def gauge(self, series: Series) -> Gauge | None:
        """See Backend."""
        [held] = await self._reads.gauges(Slot(series.workspace_id, series.metric), [series.id])
        return held

    async def buckets(
        self, workspace_id: str, metric: str, width_seconds: int, first: int, end: int
    ) -> list[StoredBucket]:
        """See Backend."""
        slot, width, now = Slot(workspace_id, metric), BY_SECONDS[width_seconds], micros(self._clock.now())
        registry = await self._reads.registry(slot, self._process)
        if registry.metric is None or registry.metric.kind is Kind.GAUGE:
            return []
        # buckets that nobody keeps any more, or that have not begun, are not asked for
        oldest = width.number(now - (width.kept_seconds + width.seconds) * SECOND)
        asked = range(max(first, oldest), min(end, width.number(now) + 2 * 60 // width.seconds + 2))
        held = await self._reads.buckets(slot, registry.metric.kind, registry.lines, width, asked)
        return [
            StoredBucket(Series(workspace_id, metric, line.labels), registry.metric.kind, width_seconds, number, bucket)
            for line in registry.lines
            for number, bucket in held[line.id].items()
            if width.is_kept(number, now)
        ]

    async def overwrite_bucket(self, bucket: StoredBucket, counted_at: datetime) -> bool:
        """See Backend."""
        slot, width = Slot(bucket.series.workspace_id, bucket.series.metric), BY_SECONDS[bucket.width_seconds]
        is_empty = is_same(bucket.content, empty(bucket.kind))
        at = micros(self._clock.now())
        if not is_empty and not await self._series.has_place(slot, bucket.series, bucket.kind, bucket.begins, at):
            return False
        if is_empty:
            registry = await self._reads.registry(slot, self._process)
            if registry.metric is not None and registry.metric.kind is not bucket.kind:
                return False
        page, place = divmod(bucket.number, buckets_in(bucket.kind, width))
        registers, entries = b"", list[str | bytes | int]()
        if isinstance(bucket.content, Distinct):
            registers = bytes(bucket.content.registers or b"")
            entries += bucket.content.hashes
        else:
            for name, amount in bucket.content.items():
                entries += [name, amount]
        key = slot.page(bucket.series.id, width, page)
        end = page_end(bucket.kind, width, page)
        arguments = [bucket.series.id, bucket.kind, end, place, micros(counted_at), registers, bucket.begins, *entries]
        keys = [key, registers_of(key), slot.series, slot.first, slot.last]
        written = await self._reads.run(self._overwrite, keys, arguments)
        return is_empty or bool(written)

    async def delete_series(self, series: Series) -> bool:
        """See Backend."""
        return await self._series.forget(Slot(series.workspace_id, series.metric), series=series) > 0

    async def expire(self, now: datetime) -> int:
        """See Backend; buckets go by themselves."""
        at, gone = micros(now), 0
        [workspaces] = await self._reads.ask([("SMEMBERS", WORKSPACES)])
        for workspace_id in sorted(name.decode() for name in workspaces):
            for metric in await self.metrics(workspace_id):
                gone += await self._series.forget(Slot(workspace_id, metric), before=at - SERIES_KEPT_SECONDS * SECOND)
        self._series.tidy(at)
        return gone

    async def stats(self) -> Stats:
        """See Backend."""
        return Stats("redis", "shared", self._accepted, self._refused)

    async def close(self) -> None:
        """See Backend."""
        await self._link.close()

    def _batch(self, workspace_id: str, metric: str, updates: list[Update], now: int) -> Batch:
        known = self._series.known(workspace_id, metric)
        before = None if known.is_old(now) else known.made
        known.made = self._number(now)
        known.used_at = now
        return Batch(workspace_id, metric, known.made, before, now, updates)

    def _number(self, now: int) -> int:
        """Larger than all before it in this process, and about the time: old ones can be told in Redis."""
        self._last_number = max(self._last_number + 1, now)
        return self._last_number
