"""Counts of the running and the last window in Redis, so that several processes keep one quota together.

When Redis does not answer, each process counts by itself, and Redis is asked again a few seconds later: a quota is a
courtesy, and events are taken without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from limits.aio.storage import RedisStorage

from metrics_pipeline.api.quotas.limit_store import TwoWindows
from metrics_pipeline.redis_link import RedisAway, RedisLink

PREFIX = "metrics-pipeline:quota"

Answer = TypeVar("Answer")


class SharedWindows(TwoWindows):
    """As TwoWindows, in Redis while it answers; a key's window begins there with its first hit."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012 - as in TwoWindows

    def __init__(self, url: str) -> None:
        """Connects when first asked. Raises UserError for what is no Redis URL."""
        super().__init__()
        self.link = RedisLink(url, "quotas are counted in this process", "quotas are shared")
        # the pool says where to; this URL is only parsed
        self._redis = RedisStorage(
            "redis://localhost:6379",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=self.link.pool,  # type: ignore[arg-type]  # the library's types lack it, its text has it
        )

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add to a key's count unless that would exceed the limit; whether it was added."""
        shared = await self._ask(lambda: self._redis.acquire_sliding_window_entry(key, limit, expiry, amount))
        return await super().acquire_sliding_window_entry(key, limit, expiry, amount) if shared is None else shared

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Count of the last window, seconds it still weighs, count of the running one, seconds it is kept."""
        shared = await self._ask(lambda: self._redis.get_sliding_window(key, expiry))
        return await super().get_sliding_window(key, expiry) if shared is None else shared

    async def check(self) -> bool:
        """Whether Redis answers now; if it does, it is used again at once."""
        return await self.link.check()

    async def close(self) -> None:
        """Let go of the connections."""
        await self.link.close()

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Redis's answer, or None while it is away."""
        try:
            return await self.link.ask(question)
        except RedisAway:
            return None
