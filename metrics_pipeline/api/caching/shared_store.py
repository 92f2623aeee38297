"""Redis while it answers; while it is away the memory of this process takes over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from metrics_pipeline.api.caching.entries import CacheAway, Held, Looked, Record, Selection, Token
from metrics_pipeline.api.caching.keys import CacheKey
from metrics_pipeline.api.caching.memory_store import MemoryStore
from metrics_pipeline.api.caching.redis_store import RedisStore
from metrics_pipeline.redis_link import RedisAway, RedisLink

Answer = TypeVar("Answer")


class SharedStore:
    """What the memory kept is forgotten once Redis answers again: it missed what was cleared there."""

    def __init__(self, url: str, memory: MemoryStore) -> None:
        """Raises UserError for what is no Redis URL."""
        link = RedisLink(url, "answers are kept in this process", "answers are shared")
        self._redis = RedisStore(link)
        self._memory = memory
        self._stands_in = False

    async def look(self, key: CacheKey) -> Looked:
        """See Store."""
        looked = await self._ask(lambda: self._redis.look(key))
        return replace(await self._memory.look(key), is_degraded=True) if looked is None else looked

    async def put(self, key: CacheKey, record: Record, token: Token) -> None:
        """See Store. A token of the other place is refused there: what happened in between is not known."""
        if token[0] == "memory" and self._stands_in:
            await self._memory.put(key, record, token)
        else:
            await self._ask(lambda: self._redis.put(key, record, token))

    async def claim(self, key: CacheKey) -> str | None:
        """See Store. Without Redis each process computes by itself."""
        claimed = await self._ask(lambda: _in_a_list(self._redis.claim(key)))
        return "own" if claimed is None else claimed[0]

    async def release(self, key: CacheKey, claim: str) -> None:
        """See Store. What Redis does not hear of ends by itself."""
        await self._ask(lambda: self._redis.release(key, claim))

    async def clear(self, selection: Selection) -> int:
        """See Store. The memory is cleared in any case, and counted as nothing: it only stands in."""
        await self._memory.clear(selection)
        cleared = await self._ask(lambda: self._redis.clear(selection))
        if cleared is None:
            raise CacheAway
        return cleared

    async def held(self, tenant: str | None) -> Held:
        """See Store."""
        held = await self._ask(lambda: self._redis.held(tenant))
        return self._memory.size(tenant) if held is None else held

    async def is_shared(self) -> bool:
        """See Store."""
        return await self._redis.is_shared()

    async def close(self) -> None:
        """See Store."""
        await self._redis.close()

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Redis's answer, or None while it is away."""
        try:
            answer = await question()
        except RedisAway:
            self._stands_in = True
            return None
        if self._stands_in:
            self._stands_in = False
            self._memory.wipe()
        return answer


async def _in_a_list(question: Awaitable[str | None]) -> list[str | None]:
    """Where None is an answer."""
    return [await question]
