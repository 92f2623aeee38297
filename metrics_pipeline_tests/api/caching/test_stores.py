"""What every place for answers does, in memory and in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from metrics_pipeline.api.caching.entries import Selection, Store
from metrics_pipeline.api.caching.globs import Glob
from metrics_pipeline.api.caching.memory_store import OVERHEAD_BYTES, MemoryStore
from metrics_pipeline.api.caching.redis_store import PREFIX, RedisStore
from metrics_pipeline.redis_link import RedisLink
from metrics_pipeline_tests.api.caching.samples import Ticks, key, record
from metrics_pipeline_tests.conftest import RedisServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis_server.url, "", "")
    yield link
    await link.close()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(2**20) if request.param == "memory" else RedisStore(request.getfixturevalue("redis"))


async def put(store: Store, text: str, **named: Any) -> None:
    where = key(**{name: value for name, value in named.items() if name in {"tenant", "kind", "entity"}})
    kept = {name: value for name, value in named.items() if name in {"fresh", "kept", "tags"}}
    await store.put(where, record(text, **kept), (await store.look(where)).token)


async def test_what_is_kept_comes_back_as_it_was(store: Store) -> None:
    wanted = record("any\nbytes \x00 ü", tags=("account:a:1", "post:ü*"))
    assert (await store.look(key())).record is None
    await store.put(key(), wanted, (await store.look(key())).token)
    looked = await store.look(key())
    assert looked.record == wanted
    assert 0 <= looked.age_seconds < 5
    assert looked.fresh("g1") is not None
    assert looked.fresh("g2") is None, "of other data"
    assert looked.fresh("g1", 0) is None
    # of the same question one answer is kept, the last
    await store.put(key("g2"), replace(wanted, generation="g2"), looked.token)
    assert (await store.look(key())).fresh("g1") is None
    assert (await store.held(None)).entries == 1
    assert (await store.look(key(tenant="beta"))).record is None


async def test_it_ages_and_ends(store: Store) -> None:
    await put(store, "short", kept=0.3, fresh=0.1)
    assert (await store.look(key())).fresh("g1") is not None
    await asyncio.sleep(0.15)
    looked = await store.look(key())
    assert looked.record is not None
    assert looked.fresh("g1") is None
    await asyncio.sleep(0.2)
    assert (await store.look(key())).record is None
    assert (await store.held(None)).entries == 0


async def test_clearing_takes_what_is_meant_and_nothing_else(store: Store) -> None:
    async def fill() -> None:
        for tenant in ("acme", "acme*", "beta"):
            await put(store, "d", tenant=tenant, kind="dashboard", tags=("workspace:w", f"account:{tenant}"))
            await put(store, "m", tenant=tenant, kind="metrics", entity="a:1", tags=("account:a:1",))

    async def left() -> dict[str, int]:
        return {tenant: (await store.held(tenant)).entries for tenant in ("acme", "acme*", "beta")}

    await fill()
    assert await store.clear(Selection("acme*")) == 2, "an id is no pattern"
    assert await left() == {"acme": 2, "acme*": 0, "beta": 2}
    assert await store.clear(Selection("acme", Glob("*:dashboard:*:g1"))) == 1
    assert await store.clear(Selection("acme", Glob("beta:*"))) == 0
    assert await store.clear(Selection("acme", tags={"workspace:w", "account:beta"})) == 0, "cleared already"
    assert await store.clear(Selection("acme", tags={"account:a:1"})) == 1
    assert await left() == {"acme": 0, "acme*": 0, "beta": 2}
    await fill()
    assert await store.clear(Selection(None, Glob("*:metrics:*"), {"account:a:1", "workspace:w"})) == 3
    assert await store.clear(Selection(None, tags={"workspace:w"})) == 3
    await fill()
    assert await store.clear(Selection(None)) == 6
    assert (await store.held(None)).bytes == 0


async def test_what_began_before_a_clearing_is_not_kept_after_it(store: Store) -> None:
    for selection in (Selection("acme", Glob("nothing")), Selection(None)):
        begun = (await store.look(key())).token
        await store.clear(selection)
        await store.put(key(), record("old"), begun)
        assert (await store.look(key())).record is None
    begun = (await store.look(key())).token
    await store.clear(Selection("beta"))
    await store.put(key(), record("mine"), begun)
    assert (await store.look(key())).record is not None, "another's clearing does not matter"


async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    ticks = Ticks()
    store = MemoryStore(10 * (OVERHEAD_BYTES + 1000), ticks)
    for number in range(10):
        await put(store, "x" * 900, entity=f"e{number}")
    await store.look(key(entity="e0"))
    await put(store, "x" * 900, entity="e10")
    assert (await store.look(key(entity="e0"))).record is not None
    assert (await store.look(key(entity="e1"))).record is None
    await put(store, "x" * 9000, entity="large")
    assert (await store.look(key(entity="large"))).record is None, "it would drive out everything else"
    assert store.size().bytes <= 10 * (OVERHEAD_BYTES + 1000)
    assert store.size().entries == 10
    ticks.seconds += 600
    assert store.size().entries == 0


async def test_redis_keeps_nothing_for_ever(redis: RedisLink) -> None:
    store = RedisStore(redis)
    await put(store, "1", tags=("account:a",), kept=600)
    await put(store, "2", entity="e2", tags=("account:a",), kept=0.05)
    await asyncio.sleep(0.1)
    await put(store, "3", entity="e3", tags=("account:a",), kept=1)
    await store.claim(key())
    await store.clear(Selection("nobody"))
    names = [name.decode() for name in await redis.client.keys("*") if isinstance(name, bytes)]
    assert len(names) == 5  # two answers, a tag, a lock, a clearing
    for name in names:
        assert name.startswith(PREFIX)
        assert 0 < await redis.client.ttl(name) <= 86_400
    assert await redis.client.zcard(f"{PREFIX}tag:acme:account%3Aa") == 2, "what has ended is out of the tag too"
    await redis.client.set(f"{PREFIX}entry:{key().stable}", b'{"half"')
    assert (await store.look(key())).record is None, "what cannot be read is not there"
