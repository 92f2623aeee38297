"""Answers kept in this process, the longest unused ones forgotten first."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from metrics_pipeline.api.caching.entries import Held, Looked, Monotonic, Record, Selection, Token
from metrics_pipeline.api.caching.keys import CacheKey

# About what an answer takes beside its body and its key: objects, dictionaries, tags.
OVERHEAD_BYTES = 1000
# Clearing looks at this many answers before others get their turn, about a millisecond.
_PAGE = 1000


@dataclass(frozen=True)
class _Kept:
    record: Record
    kept_at: float
    size: int


class MemoryStore:
    """At most `most_bytes`; the clock is monotonic, in seconds."""

    def __init__(self, most_bytes: int, now: Monotonic = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._clearings: dict[str, int] = {}
        self._clearings_of_all = 0

    async def look(self, key: CacheKey) -> Looked:
        """See Store."""
        kept = self._kept.get(key.stable)
        token = self._token(key.tenant)
        if kept is None:
            return Looked(None, 0.0, token)
        age = self._now() - kept.kept_at
        if age >= kept.record.kept_seconds:
            self._forget(key.stable)
            return Looked(None, 0.0, token)
        self._kept.move_to_end(key.stable)
        return Looked(kept.record, age, token)

    async def put(self, key: CacheKey, record: Record, token: Token) -> None:
        """See Store. What is larger than a quarter of the memory is not kept: it would drive out everything else."""
        size = len(record.entry.body) + len(key.text) + OVERHEAD_BYTES
        if token != self._token(key.tenant) or size > self._most_bytes / 4:
            return
        self._forget(key.stable)
        self._kept[key.stable] = _Kept(record, self._now(), size)
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    async def claim(self, key: CacheKey) -> str | None:
        """See Store: there is no other process."""
        return "own"

    async def release(self, key: CacheKey, claim: str) -> None:
        """See Store."""

    async def clear(self, selection: Selection) -> int:
        """See Store."""
        if selection.tenant is None:
            self._clearings_of_all += 1
        else:
            self._clearings[selection.tenant] = self._clearings.get(selection.tenant, 0) + 1
        cleared = 0
        for number, (stable, kept) in enumerate(list(self._kept.items())):
            if number % _PAGE == _PAGE - 1:
                await asyncio.sleep(0)
            if selection.takes(stable, kept.record):
                cleared += self._forget(stable)
        return cleared

    async def held(self, tenant: str | None) -> Held:
        """See Store."""
        return self.size(tenant)

    def size(self, tenant: str | None = None) -> Held:
        """How much is kept, for one tenant or all."""
        prefix, now = Selection(tenant).prefix, self._now()
        sizes = [
            kept.size
            for stable, kept in self._kept.items()
            if stable.startswith(prefix) and now - kept.kept_at < kept.record.kept_seconds
        ]
        return Held(len(sizes), sum(sizes))

    def wipe(self) -> None:
        """Forget everything, also what is being computed."""
        self._clearings_of_all += 1
        self._kept.clear()
        self._bytes = 0

    async def is_shared(self) -> bool:
        """See Store."""
        return True

    async def close(self) -> None:
        """See Store."""
        self.wipe()

    def _forget(self, stable: str) -> int:
        kept = self._kept.pop(stable, None)
        if kept is None:
            return 0
        self._bytes -= kept.size
        return 1

    def _token(self, tenant: str) -> Token:
        return "memory", str(self._clearings.get(tenant, 0)), str(self._clearings_of_all)
