"""Has the most asked queries computed again once runs have written what dashboards are made of."""

from __future__ import annotations

import asyncio
import logging

from metrics_pipeline.api.caching.warming import Warmer
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.reading.lake_tables import LakeTables

TABLES = ("daily_metrics", "weekly_metrics", "monthly_metrics", "analytics_snapshots", "content_metrics")
# A run commits several tables, one after the other: what is read from two of them is not computed in between.
SETTLED_SECONDS = 3.0

log = logging.getLogger(__name__)


class WarmingAfterRuns:
    """A task that looks at the tables' versions. With several processes each warms what it was asked for; what
    another one has computed already is found in the shared cache."""

    def __init__(self, tables: LakeTables, warmer: Warmer, settled_seconds: float = SETTLED_SECONDS) -> None:
        self._tables = tables
        self._warmer = warmer
        self._settled_seconds = settled_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; in the event loop of the application."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        warmed = before = await asyncio.to_thread(self._versions)
        while True:
            await asyncio.sleep(self._settled_seconds)
            now = await asyncio.to_thread(self._versions)
            if now == before and now != warmed:
                warmed = now
                count = await self._warmer.warm()
                log.info("%d queries were computed again after a run", count)
            before = now

    def _versions(self) -> tuple[int, ...]:
        try:
            handles = self._tables.tables(*TABLES)
        except LakeUnavailable:
            return ()
        return tuple(handles[name].version() if name in handles else -1 for name in TABLES)
