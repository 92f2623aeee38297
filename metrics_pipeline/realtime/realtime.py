"""Real-time metrics as the rest of the package uses them: the back end that the settings name."""

from __future__ import annotations

import contextlib
import logging
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

# More than the narrowest bucket.
SKEW_SECONDS = 1.0

log = logging.getLogger(__name__)


class Realtime:
    """Takes updates and answers questions; `backend` has what reconciling and tidying need."""

    def __init__(self, backend: Backend, most_metrics: int) -> None:
        self.backend = backend
        self._most_metrics = most_metrics
        self._seen: set[tuple[str, str]] = set()

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Realtime:
        """In Redis with METRICS_REALTIME_REDIS_URL or METRICS_REDIS_URL, else in this process.

        Raises UserError for what is no Redis URL.
        """
        clock = clock or settings.clock
        cap, ttl = settings.realtime_series, settings.realtime_gauge_seconds
        memory = MemoryBackend(clock, cap, ttl)
        url = settings.realtime_redis_url or settings.redis_url
        if url is None:
            return cls(memory, settings.realtime_metrics)
        link = RedisLink(
            url.get_secret_value(),
            "real-time updates wait in this process",
            "real-time metrics are shared",
        )
        redis = RedisBackend(link, clock, cap, ttl)
        return cls(SpillingBackend(redis, memory, clock, settings.realtime_spill_updates), settings.realtime_metrics)

    @property
    def is_shared(self) -> bool:
        """Whether all processes count together, in Redis."""
        return isinstance(self.backend, SpillingBackend)

    async def add(self, updates: Sequence[Update]) -> Added:
        """As Backend.add; a metric beyond the cap of its workspace is refused with metric_limit."""
        unknown = {(each.series.workspace_id, each.series.metric) for each in updates} - self._seen
        beyond = await self._beyond(unknown) if unknown else set()
        if not beyond:
            return await self.backend.add(updates)
        fitting = [
            (index, each)
            for index, each in enumerate(updates)
            if (each.series.workspace_id, each.series.metric) not in beyond
        ]
        added = await self.backend.add([each for _, each in fitting])
        places = {index for index, _ in fitting}
        refused = [Refused(fitting[each.index][0], each.code) for each in added.refused]
        refused += [Refused(index, "metric_limit") for index in range(len(updates)) if index not in places]
        return replace(added, refused=tuple(sorted(refused, key=lambda each: each.index)))

    async def read(self, query: Query) -> Reading:
        """As Backend.read."""
        return await self.backend.read(query)

    async def check_clock(self) -> None:
        """Warn where Redis's clock and this machine's differ: processes would count the same moment apart."""
        if isinstance(self.backend, SpillingBackend):
            with contextlib.suppress(RedisAway):
                skew = await self.backend.skew_seconds()
                if abs(skew) > SKEW_SECONDS:
                    log.warning("The clock of Redis is %.1f seconds ahead of this machine's: set one right.", skew)

    async def close(self) -> None:
        """Let go of connections, once what waits for Redis was tried again."""
        await self.backend.close()

    async def _beyond(self, unknown: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the metrics, named by workspace and name, for which their workspace has no place."""
        beyond = set()
        for workspace_id in {workspace_id for workspace_id, _ in unknown}:
            try:
                held = set(await self.backend.metrics(workspace_id))
            except RedisAway:
                continue  # a bound against mistakes, not worth refusing what may be right
            for key in sorted(key for key in unknown if key[0] == workspace_id):
                if key[1] in held or len(held) < self._most_metrics:
                    held.add(key[1])
                    self._seen.add(key)
                else:
                    beyond.add(key)
        return beyond
