"""The cache of the read API. A key names the data it was computed from, so an answer is right or is not found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Literal

from metrics_pipeline.api.caching.entries import Entry, Found, Held, Made, Selection, Store
from metrics_pipeline.api.caching.flights import WAIT_SECONDS, Flights, Wish
from metrics_pipeline.api.caching.globs import Glob
from metrics_pipeline.api.caching.keys import CacheKey, Tier
from metrics_pipeline.api.caching.memory_store import MemoryStore
from metrics_pipeline.api.caching.statistics import CacheStats, Outcome, Statistics
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.clock import Clock
from metrics_pipeline.settings import Settings

IS_WARMING: ContextVar[bool] = ContextVar("is_warming", default=False)
"""Whether what is asked for is asked for by nobody: it is computed and kept as ever, and not counted as a request."""


class MetricCache:
    """Gives kept answers, and has the others computed, each once."""

    def __init__(
        self,
        store: Store,
        memory: MemoryStore,
        lifetimes: Mapping[Tier, float],
        clock: Clock,
        *,
        stale_seconds: float,
        stale_on: tuple[type[Exception], ...] = (LakeUnavailable,),
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """memory: the store itself, or what stands in for it. stale_on: after which errors the last answer is given."""
        self._store = store
        self._memory = memory
        self._lifetimes = lifetimes
        self._stale_seconds = stale_seconds
        self._flights = Flights(store, clock.now, stale_on if stale_seconds else (), wait_seconds)
        self._statistics = Statistics(clock.now())

    @classmethod
    def open(cls, settings: Settings) -> MetricCache:
        """The cache as it is set up; Redis is not asked yet.

        Raises:
            UserError: METRICS_REDIS_URL is no Redis URL.
        """
        memory = MemoryStore(settings.cache_memory_mb * 2**20)
        store: Store = memory
        if settings.redis_url is not None:
            from metrics_pipeline.api.caching.shared_store import SharedStore

            store = SharedStore(settings.redis_url.get_secret_value(), memory)
        lifetimes = {
            Tier.LIVE: settings.cache_live_seconds,
            Tier.DASHBOARD: settings.cache_dashboard_seconds,
            Tier.AGGREGATE: settings.cache_aggregate_seconds,
            Tier.CLOSED: settings.cache_closed_seconds,
        }
        return cls(store, memory, lifetimes, settings.clock, stale_seconds=settings.cache_stale_seconds)

    async def get_or_compute(
        self, key: CacheKey, tier: Tier, compute: Callable[[], Awaitable[Made]], *, tags: Collection[str] = ()
    ) -> Found:
        """The kept answer, or a computed one. Of those who ask at the same time one computes for all.

        compute: goes on when the caller is broken off. Raises what it raises, for everybody who waits; nothing of
        that is kept.
        """
        fresh_seconds = self._lifetimes[tier]
        outcome: Outcome | None = "error"
        try:
            looked = await self._store.look(key)
            record = looked.fresh(key.generation, fresh_seconds)
            if record is not None:
                outcome = "hit"
                left = min(record.fresh_seconds, fresh_seconds) - looked.age_seconds
                return Found(record.entry, "hit", looked.age_seconds, looked.is_degraded, left)
            kept_seconds = max(fresh_seconds, self._stale_seconds)
            wish = Wish(key, compute, frozenset(tags), fresh_seconds, kept_seconds)
            landed, was_first = await self._flights.join(wish, looked.token)
            outcome = landed.status if was_first or landed.status != "miss" else "shared"
            left = landed.fresh_seconds - landed.age_seconds
            if outcome == "stale":
                left = min(left, 0.0)  # perhaps young, but of older data
            return Found(landed.entry, outcome, landed.age_seconds, looked.is_degraded, left)
        except asyncio.CancelledError:
            outcome = None
            raise
        finally:
            self._count(key, tier, outcome)

    async def peek(self, key: CacheKey) -> Entry | None:
        """The kept answer, if there is one; counted nowhere."""
        record = (await self._store.look(key)).fresh(key.generation)
        return None if record is None else record.entry

    async def clear(self, *, tenant: str | None, pattern: str | None = None, tags: Collection[str] = ()) -> int:
        """Forget answers of a tenant, of all where it is None; how many.

        pattern: a glob over readable keys. tags: those that carry one of them. With both, what both say.

        Raises:
            CacheAway: Redis does not answer, and other processes go on with what it keeps.
            ValueError: the pattern is too long.
        """
        glob = None if pattern is None else Glob(pattern)
        return await self._store.clear(Selection(tenant, glob, frozenset(tags)))

    @property
    def backend(self) -> Literal["memory", "redis"]:
        """Where answers are kept as it is set up."""
        return "memory" if self._store is self._memory else "redis"

    def stats(self, tenant: str | None = None) -> CacheStats:
        """What this process counted for one tenant, or all, and what it holds itself: with Redis, what stands in."""
        return self._statistics.summary(tenant, self._memory.size(tenant))

    async def held(self, tenant: str | None = None) -> Held:
        """How much is kept, in Redis where it is used; looks at every key there."""
        return await self._store.held(tenant)

    async def is_shared(self) -> bool:
        """Whether answers are kept as it is set up: False while Redis is away and this process keeps its own."""
        return await self._store.is_shared()

    async def close(self) -> None:
        """Break off what is being computed, and let go of Redis."""
        await self._flights.close()
        await self._store.close()

    def _count(self, key: CacheKey, tier: Tier, outcome: Outcome | None) -> None:
        if not IS_WARMING.get():
            if outcome is not None:
                self._statistics.count(key.tenant, tier, key.kind, outcome)
        elif outcome == "miss":
            self._statistics.count_warmed()
