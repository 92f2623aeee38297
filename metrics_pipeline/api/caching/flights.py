"""One computation for all who ask for the same at the same time, in this process and among processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from metrics_pipeline.api.caching.entries import Entry, Looked, Made, Record, Status, Store, Token
from metrics_pipeline.api.caching.keys import CacheKey
from metrics_pipeline.api.problems import Problem

# How long another process is waited for: a dashboard takes far less, and the caller has not gone away yet.
WAIT_SECONDS = 5.0
# Looks while waiting; the value is there as soon as the other has it.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
# A larger answer is given and not kept: to read it from Redis may take longer than Redis is waited for.
MOST_BODY_BYTES = 8_000_000


@dataclass(frozen=True)
class Wish:
    """What to compute, and how long to keep it."""

    key: CacheKey
    compute: Callable[[], Awaitable[Made]]
    tags: frozenset[str]
    fresh_seconds: float
    kept_seconds: float


@dataclass(frozen=True)
class Landed:
    """What all who waited get."""

    entry: Entry
    status: Status
    age_seconds: float
    fresh_seconds: float


class Flights:
    """Computations under way, by key and state of clearing: who asks after a clearing does not get what began before.

    Each is a task of its own, so none of those who wait can break it off.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        stale_on: tuple[type[Exception], ...],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._store = store
        self._now = now
        self._stale_on = stale_on
        self._wait_seconds = wait_seconds
        self._under_way: dict[tuple[str, Token], asyncio.Task[Landed]] = {}

    async def join(self, wish: Wish, token: Token) -> tuple[Landed, bool]:
        """The answer, and whether this call began the computation. Raises what the computation raises."""
        name = (wish.key.text, token)
        flight = self._under_way.get(name)
        begins = flight is None
        if flight is None:
            flight = self._under_way[name] = asyncio.create_task(self._fly(wish))
            flight.add_done_callback(lambda done: self._land(name, done))
        return await asyncio.shield(flight), begins

    async def close(self) -> None:
        """Break off what is under way."""
        flights = list(self._under_way.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _land(self, name: tuple[str, Token], flight: asyncio.Task[Landed]) -> None:
        self._under_way.pop(name, None)
        if not flight.cancelled():
            flight.exception()  # looked at here too: everybody who waited may have gone

    async def _fly(self, wish: Wish) -> Landed:
        deadline = time.monotonic() + self._wait_seconds
        pause, waited = _FIRST_PAUSE, False
        while True:
            claim = await self._store.claim(wish.key)  # before the look: what is put in between would be missed
            try:
                looked = await self._store.look(wish.key)
                record = looked.fresh(wish.key.generation, wish.fresh_seconds)
                if record is not None:
                    status: Status = "shared" if waited else "hit"
                    return Landed(record.entry, status, looked.age_seconds, record.fresh_seconds)
                if claim is not None or time.monotonic() >= deadline:
                    return await self._computed(wish, looked)
            finally:
                if claim is not None:
                    await self._store.release(wish.key, claim)
            waited = True
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def _computed(self, wish: Wish, looked: Looked) -> Landed:
        """Computed and kept; the last answer where the lake cannot be read."""
        try:
            made = await wish.compute()
        except Problem:
            raise  # an answer to this caller, which no other answer may stand in for
        except self._stale_on:
            if looked.record is None:
                raise
            return Landed(looked.record.entry, "stale", looked.age_seconds, looked.record.fresh_seconds)
        entry = Entry(bytes(made.body), made.media_type, made.etag, self._now(), wish.tags)
        if len(entry.body) <= MOST_BODY_BYTES:
            record = Record(entry, wish.key.generation, wish.fresh_seconds, wish.kept_seconds)
            await self._store.put(wish.key, record, looked.token)
        return Landed(entry, "miss", 0.0, wish.fresh_seconds)
