"""What every place for answers does, in memory and in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from metrics_pipeline.api.caching.entries import Selection, Store
from metrics_pipeline.api.caching.globs import Glob
from metrics_pipeline.api.caching.memory_store import OVERHEAD_BYTES, MemoryStore
from metrics_pipeline.api.caching.redis_store import PREFIX, RedisStore
from metrics_pipeline.api.redis_link import RedisLink
from metrics_pipeline_tests.api.caching.samples import Ticks, key, record
from metrics_pipeline_tests.conftest import RedisServer

Opened = Callable[[], "asynccontextmanager[Store]"]
Check = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest) -> Callable[[Check], None]:
    """Runs a check on a store."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Store]:
        if request.param == "memory":
            yield MemoryStore(2**20)
        else:
            server: RedisServer = request.getfixturevalue("redis_server")
            link = RedisLink(server.url, "", "")
            yield RedisStore(link)
            await link.close()

    def run_check(check: Check) -> None:
        async def body() -> None:
            async with opened() as store:
                await check(store)

        if request.param == "redis":
            request.getfixturevalue("redis_server")
        asyncio.run(body())

    return run_check


async def put(store: Store, text: str, **named: Any) -> None:
    where = key(**{name: value for name, value in named.items() if name in {"tenant", "kind", "entity"}})
    kept = {name: value for name, value in named.items() if name in {"fresh", "kept", "tags"}}
    await store.put(where, record(text, **kept), (await store.look(where)).token)


def test_what_is_kept_comes_back_as_it_was(run: Callable[[Check], None]) -> None:
    async def check(store: Store) -> None:
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

    run(check)


def test_it_ages_and_ends(run: Callable[[Check], None]) -> None:
    async def check(store: Store) -> None:
        await put(store, "short", kept=0.3, fresh=0.1)
        assert (await store.look(key())).fresh("g1") is not None
        await asyncio.sleep(0.15)
        looked = await store.look(key())
        assert looked.record is not None
        assert looked.fresh("g1") is None
        await asyncio.sleep(0.2)
        assert (await store.look(key())).record is None
        assert (await store.held(None)).entries == 0

    run(check)


def test_clearing_takes_what_is_meant_and_nothing_else(run: Callable[[Check], None]) -> None:
    async def check(store: Store) -> None:
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

    run(check)


def test_what_began_before_a_clearing_is_not_kept_after_it(run: Callable[[Check], None]) -> None:
    async def check(store: Store) -> None:
        for selection in (Selection("acme", Glob("nothing")), Selection(None)):
            begun = (await store.look(key())).token
            await store.clear(selection)
            await store.put(key(), record("old"), begun)
            assert (await store.look(key())).record is None
        begun = (await store.look(key())).token
        await store.clear(Selection("beta"))
        await store.put(key(), record("mine"), begun)
        assert (await store.look(key())).record is not None, "another's clearing does not matter"

    run(check)


def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    async def check() -> None:
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

    asyncio.run(check())


def test_redis_keeps_nothing_for_ever(redis_server: RedisServer) -> None:
    async def check() -> None:
        link = RedisLink(redis_server.url, "", "")
        store = RedisStore(link)
        await put(store, "1", tags=("account:a",), kept=600)
        await put(store, "2", entity="e2", tags=("account:a",), kept=0.05)
        await asyncio.sleep(0.1)
        await put(store, "3", entity="e3", tags=("account:a",), kept=1)
        await store.claim(key())
        await store.clear(Selection("nobody"))
        names = [str(name, "utf8") for name in await link.client.keys("*")]
        assert len(names) == 5  # two answers, a tag, a lock, a clearing
        for name in names:
            assert name.startswith(PREFIX)
            assert 0 < await link.client.ttl(name) <= 86_400
        assert await link.client.zcard(f"{PREFIX}tag:acme:account%3Aa") == 2, "what has ended is out of the tag too"
        await link.client.set(f"{PREFIX}entry:{key().stable}", b'{"half"')
        assert (await store.look(key())).record is None, "what cannot be read is not there"
        await link.close()

    asyncio.run(check())
