"""Warming: the most asked, after their data moved, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.api.caching.warming import Recipe, Warmer
from metrics_pipeline_tests.api.caching.samples import Lake, key, memory_cache

pytestmark = pytest.mark.anyio


class Dashboards:
    """As a route has it: asks the cache and has it remembered."""

    def __init__(self, warmer: Warmer) -> None:
        self.cache: MetricCache = memory_cache()
        self.lake = Lake()
        self.generations: dict[str, str] = {}
        self.warmer = warmer

    async def ask(self, entity: str) -> object:
        self.warmer.remember(key(entity=entity).stable, lambda: self.ask(entity))
        named = key(self.generations.get(entity, "g1"), entity=entity)
        return await self.cache.get_or_compute(named, Tier.DASHBOARD, self.lake.read)


async def test_the_most_asked_are_computed_once_their_data_moved() -> None:
    dashboards = Dashboards(Warmer(2))
    for entity, times in (("rare", 1), ("often", 5), ("most", 9)):
        for _ in range(times):
            await dashboards.ask(entity)
    assert (dashboards.lake.calls, await dashboards.warmer.warm()) == (3, 0), "nothing moved"
    dashboards.generations = {"often": "g2", "rare": "g2"}
    before = dashboards.cache.stats()
    assert await dashboards.warmer.warm() == 1
    assert await dashboards.warmer.warm() == 0
    assert dashboards.lake.calls == 4
    after = dashboards.cache.stats()
    assert (after.requests, after.warmed) == (before.requests, 1), "nobody asked"
    assert getattr(await dashboards.ask("often"), "status", "") == "hit"
    assert getattr(await dashboards.ask("rare"), "status", "") == "miss"
    assert await dashboards.warmer.warm(0) == 0


async def test_one_at_a_time_and_again_when_tables_move_meanwhile() -> None:
    dashboards = Dashboards(Warmer(10))
    for entity in ("a", "b"):
        await dashboards.ask(entity)
    dashboards.generations = {"a": "g2", "b": "g2"}
    dashboards.lake.may_go_on.clear()
    warming = asyncio.create_task(dashboards.warmer.warm())
    await asyncio.sleep(0.01)
    assert dashboards.lake.calls == 3, "the second waits for the first"
    dashboards.generations = {"a": "g3", "b": "g2"}
    assert await dashboards.warmer.warm() == 0
    dashboards.lake.may_go_on.set()
    assert await warming == 3
    assert getattr(await dashboards.ask("a"), "status", "") == "hit"


async def test_what_fails_leaves_the_others_warm() -> None:
    warmer, asked = Warmer(10), list[str]()

    def recipe(name: str, error: Exception | None = None) -> Recipe:
        async def compute() -> object:
            asked.append(name)
            if error is not None:
                raise error
            return None

        return compute

    warmer.remember("bad", recipe("bad", KeyError("planted")))
    warmer.remember("good", recipe("good"))
    assert await warmer.warm() == 1
    assert await warmer.warm() == 1
    assert asked == ["bad", "good", "good"]


@pytest.mark.parametrize(("top_n", "held"), [(5, 20), (0, 0)])
async def test_what_is_remembered_is_bounded_and_fades(top_n: int, held: int) -> None:
    warmer, asked = Warmer(top_n, most=20), list[int]()

    def recipe(number: int) -> Callable[[], asyncio.Future[object]]:
        def compute() -> asyncio.Future[object]:
            asked.append(number)
            done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

        return compute

    for _ in range(8):
        warmer.remember("often", recipe(-1))
    for number in range(500):
        warmer.remember(str(number), recipe(number))
    assert len(warmer._asked) <= held
    assert await warmer.warm() == top_n
    assert len(asked) == top_n
