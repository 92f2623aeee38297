"""Counts of the running and the last window in Redis, so that several processes keep one quota together.

When Redis does not answer, each process counts by itself, and Redis is asked again a few seconds later: a quota is a
courtesy, and events are taken without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from metrics_pipeline.api.limit_store import TwoWindows
from metrics_pipeline.errors import UserError

# A Redis nearby answers within a millisecond; nobody's event waits longer than this for one that does not.
LONGEST_SECONDS = 0.5
# While it is away the wait above is paid once in so many seconds.
ASK_AGAIN_SECONDS = 5.0
# A batch may ask about a hundred people side by side; more connections than this only wait for each other.
MOST_CONNECTIONS = 8
PREFIX = "metrics-pipeline:quota"

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class SharedWindows(TwoWindows):
    """As TwoWindows, in Redis while it answers; a key's window begins there with its first hit."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012 - as in TwoWindows

    def __init__(self, url: str) -> None:
        """Connects when first asked. Raises UserError for what is no Redis URL."""
        super().__init__()
        try:
            self._pool = BlockingConnectionPool.from_url(
                url,
                max_connections=MOST_CONNECTIONS,
                timeout=LONGEST_SECONDS,
                socket_connect_timeout=LONGEST_SECONDS,
                socket_timeout=LONGEST_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise UserError("METRICS_REDIS_URL is no Redis URL; write redis://host:6379/0.") from None
        # the pool says where to; this URL is only parsed
        self._redis = RedisStorage(
            "redis://localhost:6379",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # the library's types lack it, its text has it
        )
        self._client = Redis(connection_pool=self._pool)
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._is_away = False
        self._ask_at = 0.0

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
        self._ask_at = 0.0
        return await self._ask(self._client.ping) is not None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._pool.disconnect()

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Redis's answer, or None while it is away."""
        try:
            async with self._places:
                if time.monotonic() < self._ask_at:
                    return None
                async with asyncio.timeout(LONGEST_SECONDS):
                    answer = await question()
        except (RedisError, OSError, TimeoutError) as error:
            if not self._is_away:
                log.warning("Redis does not answer (%s): quotas are counted in this process", type(error).__name__)
            self._is_away, self._ask_at = True, time.monotonic() + ASK_AGAIN_SECONDS
            return None
        if self._is_away:
            log.warning("Redis answers again: quotas are shared")
            self._is_away = False
        return answer
