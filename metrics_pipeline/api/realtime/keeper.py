"""A copy of real-time buckets in the control database: written every minute, read back at the start.

Without Redis it is what a restart is survived by, and where the reconciliation finds this process's numbers and leaves
its corrections. With Redis it is what an emptied Redis is filled from; one of the processes writes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from metrics_pipeline.clock import Clock
from metrics_pipeline.control import realtime_rows as rows
from metrics_pipeline.control.realtime_copies import rows_of
from metrics_pipeline.control.realtime_rows import BEGAN, COPIED, RECONCILED, STOPPED, BucketRow
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.realtime import kinds
from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.copies import GAUGES, buckets_of, packed, unpacked
from metrics_pipeline.realtime.fed import FED_BY_NAME
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.realtime import Realtime
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import BY_SECONDS, SECOND, SERIES_KEPT_SECONDS, WIDTHS, instant_of, micros
from metrics_pipeline.redis_link import RedisAway

MINUTE, HOUR = 60, 3600
# After the minute's end; what was received in it is counted within a moment.
LATER_SECONDS = 5.0
# Buckets that ended so long ago are written again: a slow update may still have come.
AGAIN_SECONDS = 180
# With several processes one writes; it is not the next minute's turn before this.
TURN = timedelta(seconds=40)
TICKS_PER_TIDYING = 60

log = logging.getLogger(__name__)


class Keeper:
    """Started before anything is counted, closed after the last update."""

    def __init__(self, realtime: Realtime, control: Engine, clock: Clock) -> None:
        self._realtime, self._control, self._clock = realtime, control, clock
        self._task: asyncio.Task[None] | None = None
        self._corrected: datetime | None = None
        self._ticks = 0
        self._copied_at = clock.now()
        # up to when counts may be missing, as the process before this one did not end as it should
        self.gap_until: datetime | None = None
        # up to when fed metrics were compared with stored events, and mended
        self.reconciled_until: datetime | None = None

    async def start(self) -> None:
        """Read back what was counted before, and go on copying. A database that is away is tried again later."""
        await self._realtime.check_clock()
        try:
            await asyncio.to_thread(rows.mark_first, self._control, BEGAN, self._clock.now())
        except DBAPIError as error:
            log.warning("real-time metrics could not be marked as begun: %s", type(error).__name__)
        if not self._realtime.is_shared:
            try:
                await self.restore()
            except DBAPIError as error:
                log.warning("the copy of real-time metrics could not be read: %s", type(error).__name__)
                self.gap_until = self._clock.now()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Copy everything once more."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._realtime.is_shared:
            return
        now = self._clock.now()
        try:
            await self._copy(now, [(width.seconds, width.kept_seconds) for width in WIDTHS], is_last=True)
            await asyncio.to_thread(rows.mark, self._control, STOPPED, now)
        except DBAPIError as error:
            log.warning("real-time metrics could not be copied: %s", type(error).__name__)

    def misses_counts(self, metric: str, counted_from: datetime, resolution_seconds: int) -> bool:
        """Whether a window from this instant on may lack what a process lost that ended at once."""
        if self.gap_until is None or counted_from >= self.gap_until:
            return False
        mended = self.reconciled_until is not None and self.reconciled_until >= self.gap_until
        return not (mended and metric in FED_BY_NAME and resolution_seconds >= MINUTE)

    async def restore(self) -> None:
        """Take the copy over; for a process that has counted nothing yet."""
        now = self._clock.now()
        copied = await asyncio.to_thread(rows.marked, self._control, COPIED)
        stopped = await asyncio.to_thread(rows.marked, self._control, STOPPED)
        self.gap_until = now if copied is not None and stopped is None else None
        self._corrected = await asyncio.to_thread(rows.newest_correction, self._control)
        await self._put_back(await asyncio.to_thread(lambda: rows.read_buckets(self._control, now=now)), now)
        await asyncio.to_thread(rows.mark, self._control, STOPPED, None)

    async def tick(self) -> None:
        """What is due every minute."""
        now = self._clock.now()
        is_mine = await asyncio.to_thread(rows.claim, self._control, COPIED, now, now - TURN)
        if self._realtime.is_shared:
            if not is_mine:
                return
            await self._refill(now)
        else:
            reconciled = await asyncio.to_thread(rows.marked, self._control, RECONCILED)
            await self._take_corrections(now)
            self.reconciled_until = reconciled
        # with what could not be copied before
        back = AGAIN_SECONDS + max(0, int((now - self._copied_at).total_seconds()))
        await self._copy(now, [(MINUTE, back), (HOUR, back)])
        self._copied_at = now
        self._ticks += 1
        if self._ticks % TICKS_PER_TIDYING == 0:
            await self._realtime.backend.expire(now)

    async def _run(self) -> None:
        while True:
            seconds = self._clock.now().timestamp()
            await asyncio.sleep(MINUTE - (seconds - LATER_SECONDS) % MINUTE)
            try:
                await self.tick()
            except (DBAPIError, RedisAway) as error:
                log.warning("real-time metrics could not be copied: %s", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - the boundary of a task nobody waits for: it goes on
                log.error("copying real-time metrics failed with %s", type(error).__qualname__)

    async def _copy(self, now: datetime, spans: Sequence[tuple[int, int]], *, is_last: bool = False) -> None:
        """Write the buckets that ended within so many seconds, by width; of hours, and at the end, running ones too."""
        known = await asyncio.to_thread(rows.declared, self._control)
        gauges = {(each.workspace_id, each.metric) for each in known if each.kind == Kind.GAUGE}
        workspaces = {each.workspace_id for each in known}
        workspaces |= {each.workspace_id for each in await asyncio.to_thread(list_workspaces, self._control)}
        at = micros(now)
        for workspace_id in sorted(workspaces):
            found: list[BucketRow] = []
            for metric in await self._realtime.backend.metrics(workspace_id):
                for seconds, back in spans:
                    first = BY_SECONDS[seconds].number(at - back * SECOND)
                    end = BY_SECONDS[seconds].number(at) + (is_last or seconds == HOUR)
                    held = await self._realtime.backend.buckets(workspace_id, metric, seconds, first, end)
                    found += rows_of(held)
                if (workspace_id, metric) in gauges:
                    found.append(await self._gauges(workspace_id, metric, now))
            await asyncio.to_thread(rows.put_buckets, self._control, found)

    async def _gauges(self, workspace_id: str, metric: str, now: datetime) -> BucketRow:
        held: list[tuple[tuple[tuple[str, str], ...], Gauge]] = []
        for info in await self._realtime.backend.series(workspace_id, metric):
            if gauge := await self._realtime.backend.gauge(info.series):
                held.append((info.series.labels, gauge))
        until = now + timedelta(seconds=SERIES_KEPT_SECONDS)
        return BucketRow(workspace_id, metric, GAUGES, 0, str(Kind.GAUGE), packed(held), until)

    async def _put_back(self, copies: Iterable[BucketRow], now: datetime) -> None:
        """Have the back end hold what rows of the copy say, with what it holds of those buckets already."""
        for row in copies:
            kind = Kind(row.kind)
            if kind is Kind.GAUGE:
                await self._realtime.backend.add(_observations(row, now))
                continue
            here = await self._held(row) if self._realtime.is_shared else {}
            for bucket in buckets_of(row.workspace_id, row.metric, kind, row.width_seconds, row.number, row.body):
                if bucket.series in here:
                    kinds.merge(bucket.content, here[bucket.series].content)
                await self._realtime.backend.overwrite_bucket(bucket, instant_of(0))

    async def _held(self, row: BucketRow) -> dict[Series, StoredBucket]:
        found = await self._realtime.backend.buckets(
            row.workspace_id, row.metric, row.width_seconds, row.number, row.number + 1
        )
        return {each.series: each for each in found}

    async def _take_corrections(self, now: datetime) -> None:
        """Have buckets hold what a recount found since the last time."""
        after = self._corrected
        newest = await asyncio.to_thread(rows.newest_correction, self._control)
        if newest is None or newest == after:
            return
        since = after or instant_of(0)
        corrected = await asyncio.to_thread(lambda: rows.read_buckets(self._control, now=now, corrected_after=since))
        for row in corrected:
            kind = Kind(row.kind)
            right = {
                bucket.series: bucket
                for bucket in buckets_of(row.workspace_id, row.metric, kind, row.width_seconds, row.number, row.body)
            }
            for series in (await self._held(row)).keys() - right.keys():
                right[series] = StoredBucket(series, kind, row.width_seconds, row.number, kinds.empty(kind))
            for bucket in right.values():
                await self._realtime.backend.overwrite_bucket(bucket, row.corrected_at or now)
        self._corrected = newest

    async def _refill(self, now: datetime) -> None:
        """Fill a Redis that lost what it had: metrics whose copy is older than anything Redis knows of them."""
        for workspace_id, metric, ends in await asyncio.to_thread(rows.oldest_copies, self._control, now):
            known = await self._realtime.backend.series(workspace_id, metric)
            if known and min(micros(each.first_at) for each in known) < ends * SECOND:
                continue
            log.warning("Redis lost buckets of a real-time metric: they are filled from the copy")
            every = await asyncio.to_thread(lambda: rows.read_buckets(self._control, now=now, metrics=[metric]))  # noqa: B023 - awaited at once
            await self._put_back([row for row in every if row.workspace_id == workspace_id], now)


def _observations(row: BucketRow, now: datetime) -> list[Update]:
    oldest = micros(now) - SERIES_KEPT_SECONDS * SECOND // 2
    return [
        Update(
            Series(row.workspace_id, row.metric, labels),
            Kind.GAUGE,
            gauge.value,
            max(oldest, min(gauge.observed_at, micros(now))),
            gauge,
        )
        for labels, gauge in unpacked(row.body).items()
        if isinstance(gauge, Gauge)
    ]
