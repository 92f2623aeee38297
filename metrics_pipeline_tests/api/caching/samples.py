"""Caches to ask, and something to compute from that counts how often it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from metrics_pipeline.api.caching.conditional import etag_of
from metrics_pipeline.api.caching.entries import Entry, Made, Record
from metrics_pipeline.api.caching.keys import CacheKey, Tier
from metrics_pipeline.api.caching.memory_store import MemoryStore
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.clock import FixedClock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIFETIMES: Mapping[Tier, float] = {Tier.LIVE: 30, Tier.DASHBOARD: 300, Tier.AGGREGATE: 3600, Tier.CLOSED: 86_400}


def key(
    generation: str = "g1", *, tenant: str = "acme", kind: str = "dashboard", entity: str = "acme", query: str = "{}"
) -> CacheKey:
    return CacheKey(tenant, kind, entity, "last_30d", query, generation)


def made(text: str) -> Made:
    return Made(text.encode(), "application/json", etag_of("acme", "application/json", text.encode()))


def record(
    text: str, generation: str = "g1", *, fresh: float = 60, kept: float = 600, tags: tuple[str, ...] = ()
) -> Record:
    entry = Entry(text.encode(), "application/json", '"tag"', NOW, frozenset(tags))
    return Record(entry, generation, fresh, kept)


@dataclass
class Lake:
    """What is computed from: counts how often, and can be slow or away."""

    text: str = "1"
    calls: int = 0
    error: Exception | None = None
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    async def read(self) -> Made:
        self.calls += 1
        text, error = self.text, self.error
        await asyncio.sleep(0)
        await self.may_go_on.wait()
        if error is not None:
            raise error
        return made(text)


@dataclass
class Ticks:
    """A monotonic clock that is set."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def memory_cache(ticks: Callable[[], float] | None = None, *, stale_seconds: float = 86_400) -> MetricCache:
    memory = MemoryStore(2**20, ticks or Ticks())
    return MetricCache(memory, memory, LIFETIMES, FixedClock(NOW), stale_seconds=stale_seconds)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait for something; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
