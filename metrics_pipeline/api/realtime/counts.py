"""Real-time metrics of one API process: what feeds them, what keeps them, and what callers declared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from metrics_pipeline.api.realtime.keeper import Keeper
from metrics_pipeline.clock import Clock
from metrics_pipeline.control import realtime_rows as rows
from metrics_pipeline.control.realtime_rows import Declared
from metrics_pipeline.realtime.backend import Added, Query, Reading
from metrics_pipeline.realtime.fed import FED, FED_BY_NAME
from metrics_pipeline.realtime.feed import Feed
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.realtime import Realtime
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.settings import Settings

# How long another process's declarations and deletions may not be seen here.
REMEMBER_SECONDS = 5.0
REMEMBERED = 10_000


@dataclass
class Counts:
    """Started before the first request, closed after the last event was committed."""

    realtime: Realtime
    feed: Feed
    keeper: Keeper
    control: Engine
    clock: Clock
    most_metrics: int

    def __post_init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, Declared]] = {}

    @classmethod
    def open(cls, settings: Settings, control: Engine) -> Counts:
        """Raises UserError for what is no Redis URL."""
        realtime = Realtime.open(settings)
        return cls(
            realtime,
            Feed(realtime, settings.realtime_spill_updates),
            Keeper(realtime, control, settings.clock),
            control,
            settings.clock,
            # metrics that are fed have their place in every workspace
            max(1, settings.realtime_metrics - len(FED)),
        )

    async def start(self) -> None:
        """Take over what was counted before, then count."""
        await self.keeper.start()
        self.feed.start()

    async def close(self) -> None:
        """Count what waits and copy it."""
        await self.feed.close()
        await self.keeper.close()
        await self.realtime.close()

    async def read(self, query: Query) -> Reading:
        """The answer, with every event that this process has answered for. Raises RealtimeError (window_range)."""
        await self.feed.settle()
        reading = await self.realtime.read(query)
        lost_at = self.feed.lost_at if query.metric in FED_BY_NAME else None
        missing = (lost_at is not None and lost_at >= reading.counted_from) or self.keeper.misses_counts(
            query.metric, reading.counted_from, reading.resolution_seconds
        )
        return replace(reading, degraded=True) if missing else reading

    async def add(self, updates: Sequence[Update]) -> Added:
        """Count what callers sent."""
        return await self.realtime.add(updates)

    async def declared(self, workspace_id: str, metric: str) -> Declared | None:
        """What a metric was declared as; None: nobody did."""
        held = self._known.get((workspace_id, metric))
        if held is not None and time.monotonic() - held[0] < REMEMBER_SECONDS:
            return held[1]
        for each in await asyncio.to_thread(rows.declared, self.control, workspace_id):
            self._remember(each)
            if each.metric == metric:
                return each
        return None

    async def declare(
        self, workspace_id: str, metric: str, kind: Kind, unit: str | None, window_seconds: int | None
    ) -> Declared | None:
        """What the metric is declared as from now on, by the first who did; None: the workspace has too many."""
        held = await self.declared(workspace_id, metric)
        if held is not None and (held.kind != kind or window_seconds in (None, held.window_seconds)):
            return held
        found = await asyncio.to_thread(
            lambda: rows.declare(
                self.control,
                workspace_id,
                metric,
                str(kind),
                unit,
                window_seconds,
                most=self.most_metrics,
                now=self.clock.now(),
            )
        )
        if found is not None:
            self._remember(found)
        return found

    async def listed(self, workspace_id: str) -> list[Declared]:
        """What callers declared, by name."""
        return await asyncio.to_thread(rows.declared, self.control, workspace_id)

    async def forget(self, workspace_id: str, metric: str) -> int | None:
        """Forget a metric that was declared, with its copy; how many series. None: nobody declared it.

        Raises RedisAway.
        """
        known = await self.realtime.backend.series(workspace_id, metric)
        if not await asyncio.to_thread(rows.forget_metric, self.control, workspace_id, metric):
            return None
        self._known.pop((workspace_id, metric), None)
        for each in known:
            await self.realtime.backend.delete_series(each.series)
        return len(known)

    def _remember(self, declared: Declared) -> None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[declared.workspace_id, declared.metric] = (time.monotonic(), declared)
