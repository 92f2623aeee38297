"""Real-time metrics as the rest of the package uses them: the back end that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metrics_pipeline.clock import Clock
from metrics_pipeline.realtime.backend import Added, Backend, Query, Reading, Refused
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.redis_backend import RedisBackend
from metrics_pipeline.realtime.spilling import SpillingBackend
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.redis_link import RedisAway, RedisLink
from metrics_pipeline.settings import Settings


class Realtime:
    """Takes updates and answers questions; `backend` has what reconciling and tidying need."""

    def __init__(self, backend: Backend, most_metrics: int) -> None:
        self.backend = backend
        self._most_metrics = most_metrics
        self._names: dict[str, set[str]] = {}

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Realtime:
        """In Redis with METRICS_REDIS_URL, else in this process. Raises UserError for what is no Redis URL."""
        clock = clock or settings.clock
        cap, ttl = settings.realtime_series, settings.realtime_gauge_seconds
        memory = MemoryBackend(clock, cap, ttl)
        if settings.redis_url is None:
            return cls(memory, settings.realtime_metrics)
        link = RedisLink(
            settings.redis_url.get_secret_value(),
            "real-time updates wait in this process",
            "real-time metrics are shared",
        )
        redis = RedisBackend(link, clock, cap, ttl)
        return cls(SpillingBackend(redis, memory, clock, settings.realtime_spill_updates), settings.realtime_metrics)

    async def add(self, updates: Sequence[Update]) -> Added:
        """As Backend.add; a metric beyond the cap of its workspace is refused with metric_limit."""
        fitting = [(index, each) for index, each in enumerate(updates) if await self._has_place(each)]
        if len(fitting) == len(updates):
            return await self.backend.add(updates)
        added = await self.backend.add([each for _, each in fitting])
        places = {index for index, _ in fitting}
        refused = [Refused(fitting[each.index][0], each.code) for each in added.refused]
        refused += [Refused(index, "metric_limit") for index in range(len(updates)) if index not in places]
        return replace(added, refused=tuple(sorted(refused, key=lambda each: each.index)))

    async def read(self, query: Query) -> Reading:
        """As Backend.read."""
        return await self.backend.read(query)

    async def close(self) -> None:
        """Let go of connections, once what waits for Redis was tried again."""
        await self.backend.close()

    async def _has_place(self, update: Update) -> bool:
        workspace_id, metric = update.series.workspace_id, update.series.metric
        names = self._names.get(workspace_id, set())
        if metric in names:
            return True
        if not names or len(names) >= self._most_metrics:
            try:
                names = self._names[workspace_id] = set(await self.backend.metrics(workspace_id))
            except RedisAway:
                return True  # a bound against mistakes, not worth refusing what may be right
        if metric not in names and len(names) >= self._most_metrics:
            return False
        names.add(metric)
        return True
