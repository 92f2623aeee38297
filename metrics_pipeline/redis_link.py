"""The way to Redis, for all that works without it too: nobody waits long, and while it is away hardly anybody asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from metrics_pipeline.errors import UserError

# A Redis nearby answers within a millisecond; nobody waits longer than this for one that does not.
LONGEST_SECONDS = 0.5
# While it is away the wait above is paid once in so many seconds.
ASK_AGAIN_SECONDS = 5.0
# A request may ask a hundred things side by side; more connections than this only wait for each other.
MOST_CONNECTIONS = 8

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class RedisAway(Exception):  # noqa: N818 - a state
    """Redis does not answer, or did not a moment ago."""


class RedisLink:
    """Connections to one Redis, and whether it answers."""

    def __init__(self, url: str, without: str, again: str) -> None:
        """Connects when first asked. Raises UserError for what is no Redis URL.

        without, again: what the log says of the time without Redis, and of its return.
        """
        try:
            self.pool = BlockingConnectionPool.from_url(
                url,
                max_connections=MOST_CONNECTIONS,
                timeout=LONGEST_SECONDS,
                socket_connect_timeout=LONGEST_SECONDS,
                socket_timeout=LONGEST_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise UserError("METRICS_REDIS_URL is no Redis URL; write redis://host:6379/0.") from None
        self.client = Redis(connection_pool=self.pool)
        self._without, self._again = without, again
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._is_away = False
        self._ask_at = 0.0

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Redis's answer. Raises RedisAway."""
        try:
            async with self._places:
                if time.monotonic() < self._ask_at:
                    raise RedisAway
                async with asyncio.timeout(LONGEST_SECONDS):
                    answer = await question()
        except (RedisError, OSError, TimeoutError) as error:
            if not self._is_away:
                log.warning("Redis does not answer (%s): %s", type(error).__name__, self._without)
            self._is_away, self._ask_at = True, time.monotonic() + ASK_AGAIN_SECONDS
            raise RedisAway from None
        if self._is_away:
            log.warning("Redis answers again: %s", self._again)
            self._is_away = False
        return answer

    async def check(self) -> bool:
        """Whether Redis answers now; if it does, it is used again at once."""
        self._ask_at = 0.0
        try:
            await self.ask(self.client.ping)
        except RedisAway:
            return False
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        await self.pool.disconnect()
