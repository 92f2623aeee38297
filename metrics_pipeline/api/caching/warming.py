"""Answers computed before they are asked for: those asked for most, after their tables have changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from metrics_pipeline.api.caching.entries import Found
from metrics_pipeline.api.caching.metric_cache import IS_WARMING
from metrics_pipeline.settings import Settings

Recipe = Callable[[], Awaitable[object]]
# Queries that are counted; far more than are warmed, so that a new one has the time to become a frequent one.
MOST_RECIPES = 1000
# Between two of them at least as long as the last one took: requests have half of the time, whatever the tables do.
_LONGEST_PAUSE = 1.0

log = logging.getLogger(__name__)


@dataclass
class _Asked:
    recipe: Recipe
    times: int


class Warmer:
    """Remembers what is asked how often; recent times count more."""

    def __init__(self, top_n: int, most: int = MOST_RECIPES) -> None:
        """top_n: how many are warmed, 0 for none."""
        self._top_n = top_n
        self._most = most
        self._asked: dict[str, _Asked] = {}
        self._is_running = False
        self._has_moved = False

    @classmethod
    def open(cls, settings: Settings) -> Warmer:
        return cls(settings.cache_warm_queries)

    def remember(self, key_without_generation: str, recipe: Recipe) -> None:
        """Somebody asked for this. `recipe` asks again as the route did, for the data of the time when it is called."""
        if not self._top_n or IS_WARMING.get():
            return
        asked = self._asked.pop(key_without_generation, None)
        if asked is None and len(self._asked) >= self._most:
            self._make_room()
        self._asked[key_without_generation] = _Asked(recipe, 1 if asked is None else asked.times + 1)

    async def warm(self, top_n: int | None = None) -> int:
        """Ask the most frequent ones again, one after the other; how many were computed.

        What was not touched by the change is found as it is kept and costs nothing. Called while it runs, it begins
        anew once it is through, and that call returns 0 at once.
        """
        if self._is_running:
            self._has_moved = True
            return 0
        self._is_running = self._has_moved = True
        computed = 0
        try:
            while self._has_moved:
                self._has_moved = False
                computed += await self._round(self._top_n if top_n is None else top_n)
        finally:
            self._is_running = False
        return computed

    async def _round(self, top_n: int) -> int:
        names = sorted(self._asked, key=lambda name: self._asked[name].times, reverse=True)[:top_n]
        computed = 0
        for name in names:
            asked = self._asked.get(name)
            if asked is not None:
                computed += await self._again(name, asked.recipe)
        return computed

    async def _again(self, name: str, recipe: Recipe) -> bool:
        """Whether it was computed; what fails is not asked for again before somebody else does."""
        started = time.monotonic()
        before = IS_WARMING.set(True)
        try:
            found = await recipe()
        except Exception as error:  # noqa: BLE001 - the boundary of one query: the others are warmed all the same
            log.warning("a query could not be warmed: %s", type(error).__name__)
            self._asked.pop(name, None)
            return False
        finally:
            IS_WARMING.reset(before)
        if isinstance(found, Found) and found.status != "miss":
            return False
        await asyncio.sleep(min(time.monotonic() - started, _LONGEST_PAUSE))
        return True

    def _make_room(self) -> None:
        """Halve all counts, so that what was asked long ago fades; of what is left with nothing the oldest goes."""
        for asked in self._asked.values():
            asked.times //= 2
        faded = [name for name, asked in self._asked.items() if not asked.times]
        for name in (faded or list(self._asked))[: max(1, self._most // 4)]:
            del self._asked[name]
