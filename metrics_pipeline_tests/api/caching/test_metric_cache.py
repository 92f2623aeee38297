"""Right answers, each computed once: together, while data moves, after clearing, and while the lake is away."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import FrozenInstanceError, replace

import pytest

from metrics_pipeline.api.caching.entries import Found, Made
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.caching.memory_store import MemoryStore
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.api.problems import LakeUnavailable, Problem
from metrics_pipeline.clock import FixedClock
from metrics_pipeline_tests.api.caching.samples import LIFETIMES, NOW, Lake, Ticks, key, made, memory_cache

pytestmark = pytest.mark.anyio


async def ask(cache: MetricCache, lake: Lake, generation: str = "g1", tier: Tier = Tier.DASHBOARD) -> Found:
    return await cache.get_or_compute(key(generation), tier, lake.read, tags=("workspace:acme",))


async def test_an_answer_is_given_as_long_as_its_tier_says() -> None:
    ticks, lake = Ticks(), Lake()
    cache = memory_cache(ticks)
    first = await ask(cache, lake)
    assert (first.status, first.entry.body, first.age_seconds, first.ttl_seconds) == ("miss", b"1", 0, 300)
    ticks.seconds += 299
    again = await ask(cache, lake)
    assert (again.status, again.age_seconds, again.ttl_seconds) == ("hit", 299, 1)
    assert await cache.peek(key()) == first.entry
    assert (await ask(cache, lake, tier=Tier.LIVE)).status == "miss", "too old for live figures"
    ticks.seconds += 31
    assert (await ask(cache, lake, tier=Tier.CLOSED)).status == "miss", "it was made to be given for 30 s"
    assert lake.calls == 3
    assert await cache.peek(key("g2")) is None


async def test_nobody_can_change_what_is_kept() -> None:
    cache = memory_cache()
    body = bytearray(b"1")

    async def compute() -> Made:
        return replace(made("1"), body=body)  # type: ignore[arg-type]  # as a careless caller may

    found = await cache.get_or_compute(key(), Tier.LIVE, compute)
    body[:] = b"2"
    assert found.entry.body == b"1"
    assert type(found.entry.body) is bytes
    with pytest.raises(FrozenInstanceError):
        found.entry.body = b"3"  # type: ignore[misc]
    assert (await cache.peek(key())) == found.entry


async def test_fifty_at_once_are_one_computation() -> None:
    cache, lake = memory_cache(), Lake()
    found = await asyncio.gather(*(ask(cache, lake) for _ in range(50)))
    assert lake.calls == 1
    assert Counter(each.status for each in found) == {"miss": 1, "shared": 49}
    assert {each.entry.body for each in found} == {b"1"}


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    cache, lake = memory_cache(), Lake()
    lake.may_go_on.clear()
    first, second, third = (asyncio.create_task(ask(cache, lake)) for _ in range(3))
    await asyncio.sleep(0.01)
    first.cancel()
    third.cancel()
    await asyncio.sleep(0)
    lake.may_go_on.set()
    assert (await second).entry.body == b"1"
    assert lake.calls == 1
    assert first.cancelled()
    assert cache.stats().requests == 1


async def test_an_error_reaches_everybody_and_is_not_kept() -> None:
    cache, lake = memory_cache(), Lake(error=ValueError("planted"))
    ended = await asyncio.gather(*(ask(cache, lake) for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in ended] == [ValueError] * 10
    assert lake.calls == 1
    lake.error = None
    assert (await ask(cache, lake)).status == "miss"


async def test_data_that_moves_during_a_computation_is_not_hidden_by_it() -> None:
    cache, lake = memory_cache(), Lake("old")
    lake.may_go_on.clear()
    slow = asyncio.create_task(ask(cache, lake, "g1"))
    await asyncio.sleep(0.01)
    lake.text = "new"
    newer = asyncio.create_task(ask(cache, lake, "g2"))
    await asyncio.sleep(0.01)
    lake.may_go_on.set()
    assert [each.entry.body for each in await asyncio.gather(slow, newer)] == [b"old", b"new"]
    assert (await ask(cache, lake, "g2")).entry.body == b"new"


async def test_clearing_during_a_computation_is_not_undone_by_it() -> None:
    cache, lake = memory_cache(), Lake("old")
    lake.may_go_on.clear()
    slow = asyncio.create_task(ask(cache, lake))
    await asyncio.sleep(0.01)
    await cache.clear(tenant="acme", tags=["workspace:acme"])
    lake.text = "new"
    later = asyncio.create_task(ask(cache, lake))
    await asyncio.sleep(0.01)
    lake.may_go_on.set()
    assert (await slow).entry.body == b"old", "asked before"
    assert (await later).entry.body == b"new", "who asks after the clearing does not join what began before it"
    assert (await ask(cache, lake)).entry.body == b"new"


async def test_the_last_answer_stands_in_while_the_lake_is_away() -> None:
    ticks, lake = Ticks(), Lake()
    cache = memory_cache(ticks)
    await ask(cache, lake)
    ticks.seconds += 1000
    lake.error = LakeUnavailable()
    found = await ask(cache, lake, "g2")
    assert (found.status, found.entry.body, found.age_seconds) == ("stale", b"1", 1000)
    assert found.ttl_seconds < 0
    assert await cache.peek(key("g2")) is None, "it is not kept as new"
    lake.error = Problem(422, "too_many_points", "planted")
    with pytest.raises(Problem):
        await ask(cache, lake, "g2")
    lake.error = LakeUnavailable()
    ticks.seconds += 86_400
    with pytest.raises(LakeUnavailable):
        await ask(cache, lake, "g2")
    other = key("g2", tenant="beta")
    with pytest.raises(LakeUnavailable):
        await cache.get_or_compute(other, Tier.LIVE, lake.read)


async def test_a_young_answer_of_older_data_is_stale_all_the_same() -> None:
    cache, lake = memory_cache(), Lake()
    await ask(cache, lake)
    lake.error = LakeUnavailable()
    found = await ask(cache, lake, "g2")
    assert (found.status, found.ttl_seconds) == ("stale", 0)


async def test_nothing_stands_in_for_an_answer_to_the_caller() -> None:
    memory, lake = MemoryStore(2**20), Lake()
    cache = MetricCache(memory, memory, LIFETIMES, FixedClock(NOW), stale_seconds=100, stale_on=(Exception,))
    await ask(cache, lake)
    lake.error = Problem(404, "not_found", "planted")
    with pytest.raises(Problem):
        await ask(cache, lake, "g2")
    lake.error = OSError()
    assert (await ask(cache, lake, "g2")).status == "stale"


async def test_no_stale_answers_where_none_are_wanted() -> None:
    lake = Lake()
    cache = memory_cache(stale_seconds=0)
    await ask(cache, lake)
    lake.error = LakeUnavailable()
    with pytest.raises(LakeUnavailable):
        await ask(cache, lake, "g2")


async def test_statistics_are_the_requests() -> None:
    cache, lake = memory_cache(), Lake()
    told: Counter[str] = Counter()
    for generation, error in (("g1", None), ("g1", None), ("g2", LakeUnavailable()), ("g3", KeyError())):
        lake.error = error
        ended = await asyncio.gather(*(ask(cache, lake, generation) for _ in range(5)), return_exceptions=True)
        told.update(each.status if isinstance(each, Found) else "error" for each in ended)
    lake.error = None
    told[(await cache.get_or_compute(key(tenant="beta", kind="metrics"), Tier.LIVE, lake.read)).status] += 1
    stats = cache.stats()
    assert told == {"miss": 2, "shared": 4, "hit": 5, "stale": 5, "error": 5}
    assert (stats.hits, stats.misses, stats.shared, stats.stale, stats.errors) == (5, 2, 4, 5, 5)
    assert stats.requests == 21
    assert stats.hit_rate == pytest.approx(5 / 21)
    assert {group: each.requests for group, each in stats.groups.items()} == {
        (Tier.DASHBOARD, "dashboard"): 20,
        (Tier.LIVE, "metrics"): 1,
    }
    assert (stats.entries, cache.stats("beta").entries) == (2, 1)
    assert (cache.stats("beta").requests, cache.stats("beta").misses, cache.stats("nobody").requests) == (1, 1, 0)
