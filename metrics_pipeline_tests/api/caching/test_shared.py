"""Several processes on one Redis, and what happens while it is away: always the right answer, and told."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from metrics_pipeline import redis_link
from metrics_pipeline.api.caching import flights, redis_store
from metrics_pipeline.api.caching.entries import CacheAway, Found, Made
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.api.caching.samples import Lake, key, made, until
from metrics_pipeline_tests.conftest import RedisServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def caches(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[MetricCache]]:
    """Three, as three processes have them."""
    monkeypatch.setattr(redis_link, "ASK_AGAIN_SECONDS", 0.3)
    opened = [MetricCache.open(load_settings(redis_url=redis_server.url)) for _ in range(3)]
    yield opened
    for cache in opened:
        await cache.close()


async def ask(cache: MetricCache, lake: Lake, generation: str = "g1") -> Found:
    return await cache.get_or_compute(key(generation), Tier.DASHBOARD, lake.read, tags=("workspace:acme",))


async def test_one_computes_for_all_processes(caches: list[MetricCache]) -> None:
    lake = Lake()
    lake.may_go_on.clear()
    asking = [asyncio.create_task(ask(cache, lake)) for cache in caches for _ in range(20)]
    await asyncio.sleep(0.2)
    lake.may_go_on.set()
    found = await asyncio.gather(*asking)
    assert lake.calls == 1
    assert Counter(each.status for each in found) == {"miss": 1, "shared": 59}
    assert not any(each.is_degraded for each in found)
    later = await ask(caches[2], lake)
    assert (later.status, later.entry.etag) == ("hit", found[0].entry.etag)
    assert [cache.backend for cache in caches] == ["redis"] * 3
    assert sum(cache.stats().requests for cache in caches) == 61


async def test_who_died_computing_holds_nobody_up_for_long(
    redis_server: RedisServer, caches: list[MetricCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "LOCK_SECONDS", 1)
    link = redis_link.RedisLink(redis_server.url, "", "")
    assert await redis_store.RedisStore(link).claim(key()) is not None
    await link.close()
    started = time.monotonic()
    lake = Lake()
    found = await asyncio.gather(*(ask(cache, lake) for cache in caches))
    assert 0.5 < time.monotonic() - started < 3
    assert (lake.calls, {each.entry.body for each in found}) == (1, {b"1"})


async def test_a_slow_one_is_not_waited_for_longer_than_the_bound(
    caches: list[MetricCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = caches[0], caches[1]
    monkeypatch.setattr(two._flights, "_wait_seconds", 0.2)
    slow, fast = Lake("slow"), Lake("fast")
    slow.may_go_on.clear()
    first = asyncio.create_task(ask(one, slow))
    await asyncio.sleep(0.1)
    assert (await ask(two, fast)).entry.body == b"fast"
    slow.may_go_on.set()
    await first
    assert flights.WAIT_SECONDS < redis_store.LOCK_SECONDS


async def test_clearing_reaches_what_another_process_computes(caches: list[MetricCache]) -> None:
    lake = Lake("old")
    lake.may_go_on.clear()
    slow = asyncio.create_task(ask(caches[0], lake))
    await asyncio.sleep(0.1)
    await caches[1].clear(tenant="acme")
    lake.text = "new"
    later = asyncio.create_task(ask(caches[0], lake))
    await asyncio.sleep(0.1)
    lake.may_go_on.set()
    assert (await slow).entry.body == b"old"
    assert (await later).entry.body == b"new"
    assert (await ask(caches[2], lake)).entry.body == b"new"
    assert await caches[2].clear(tenant="acme", tags=["workspace:acme"]) == 1


async def test_a_large_answer_is_given_and_not_kept(caches: list[MetricCache], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "MOST_BODY_BYTES", 3)
    lake = Lake("four")
    assert [(await ask(cache, lake)).status for cache in caches] == ["miss"] * 3


async def test_redis_killed_under_load_and_back(caches: list[MetricCache], redis_server: RedisServer) -> None:
    generation = 0
    seen: list[Found] = []
    is_over = False
    random.seed(18)

    async def client(cache: MetricCache) -> None:
        while not is_over:
            asked, entity = str(generation), f"e{random.randrange(20)}"

            async def compute(text: str = f"{entity} of {asked}") -> Made:
                await asyncio.sleep(0.001)
                return made(text)

            found = await cache.get_or_compute(key(asked, entity=entity), Tier.DASHBOARD, compute)
            assert found.entry.body == f"{entity} of {asked}".encode()
            seen.append(found)
            await asyncio.sleep(0.001)

    async def some_more() -> list[Found]:
        nonlocal generation
        begun = len(seen)
        for _ in range(3):
            generation += 1
            await asyncio.sleep(0.1)
        return seen[begun:]

    load = [asyncio.create_task(client(cache)) for cache in caches for _ in range(4)]
    before = await some_more()
    redis_server.stop()
    await asyncio.sleep(0.1)
    without = await some_more()
    assert await caches[0].is_shared() is False
    with pytest.raises(CacheAway):
        await caches[0].clear(tenant="acme")
    redis_server.start()

    async def all_are_back() -> bool:
        return all([await cache.is_shared() for cache in caches])

    await until(all_are_back)
    await asyncio.sleep(0.4)
    again = await some_more()
    is_over = True
    await asyncio.gather(*load)
    assert {each.is_degraded for each in before} == {False}
    assert {each.is_degraded for each in without} == {True}
    assert {each.is_degraded for each in again} == {False}
    for part in (before, without, again):
        assert {"hit", "miss"} <= {each.status for each in part}, "kept in Redis, in memory, and in Redis again"
    assert sum(cache.stats().requests for cache in caches) == len(seen)
    assert [cache.stats().entries for cache in caches] == [0, 0, 0], "what stood in is forgotten"


async def test_a_redis_that_hangs_is_waited_for_once(caches: list[MetricCache], redis_server: RedisServer) -> None:
    redis_server.hang()
    lake, started = Lake(), time.monotonic()
    found = [await ask(caches[0], lake, f"g{number}") for number in range(10)]
    assert {each.is_degraded for each in found} == {True}
    assert time.monotonic() - started < 4, "ten waits take five seconds"
