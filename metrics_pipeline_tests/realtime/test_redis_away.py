"""Redis killed, hanging, empty again: nothing is lost or doubled, and a number that may lack something says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from metrics_pipeline import redis_link
from metrics_pipeline.realtime.backend import Query, Reading, StoredBucket
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.spilling import SpillingBackend
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.realtime.widths import micros
from metrics_pipeline.redis_link import RedisAway
from metrics_pipeline_tests.conftest import RedisServer
from metrics_pipeline_tests.realtime.conftest import IS_PROOF, NOON, MovedClock, shared

pytestmark = pytest.mark.anyio

Make = Callable[[str], SpillingBackend]


@pytest.fixture
def keeping_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, keeps=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def make(clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Back ends as processes have them, that notice soon what others notice in seconds."""
    monkeypatch.setattr(redis_link, "ASK_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(redis_link, "LONGEST_SECONDS", 0.2)
    opened: list[SpillingBackend] = []

    def made(url: str) -> SpillingBackend:
        opened.append(shared(url, clock, spill=5000))
        return opened[-1]

    yield made
    for each in opened:
        await each.close()


def one(value: float = 1, page: str = "1", metric: str = "views") -> Update:
    return make_update("acme", metric, "counter", value, NOON, {"page": page})


async def read(backend: SpillingBackend, metric: str = "views") -> Reading:
    return await backend.read(Query.of("acme", metric))


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 30
    while not await is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def settled(backend: SpillingBackend) -> Reading:
    """What is said once Redis has all and the time afterwards is over."""

    async def is_plain() -> bool:
        reading = await read(backend)
        return reading.scope == "shared" and not reading.degraded

    await until(is_plain)
    return await read(backend)


async def back(backend: SpillingBackend) -> Reading:
    """What is said once this process has found Redis again, and the time afterwards is over."""

    async def is_shared() -> bool:
        return (await read(backend)).scope == "shared"

    await until(is_shared)
    await asyncio.sleep(0.25)
    return await read(backend)


async def test_killed_again_and_again_under_writes(make: Make, keeping_server: RedisServer) -> None:
    processes = [make(keeping_server.url) for _ in range(3)]
    given = 0
    is_over = False

    async def writer(backend: SpillingBackend, name: str) -> None:
        nonlocal given
        while not is_over:
            added = await backend.add([one(2, name), one(0.5, name), one(3, "all", "others")])
            assert (added.accepted, added.dropped) == (3, 0)
            given += 1
            await asyncio.sleep(0.003)

    writing = [asyncio.create_task(writer(each, str(n))) for n, each in enumerate(processes) for _ in range(2)]
    for _ in range(20 if IS_PROOF else 2):
        await asyncio.sleep(0.3)
        keeping_server.stop()
        await asyncio.sleep(0.2)
        assert (await read(processes[0])).degraded
        assert (await read(processes[0])).scope == "process"
        with pytest.raises(RedisAway):
            await processes[0].buckets("acme", "views", 60, 0, 10**12)
        keeping_server.start()
    await asyncio.sleep(0.3)
    is_over = True
    await asyncio.gather(*writing)
    for backend in processes:
        await until(backend.flush)
    for backend in processes:
        assert (await settled(backend)).figures.value == given * 2.5
        assert (await read(backend, "others")).figures.value == given * 3
    assert sum([(await each.stats()).replayed for each in processes]) > 0
    assert (await processes[0].stats()).spilled == 0


async def test_an_answer_that_was_lost_is_not_counted_twice(make: Make, keeping_server: RedisServer) -> None:
    """Redis stands still, takes what waited in its socket when it goes on, and gets the same again."""
    backend = make(keeping_server.url)
    await backend.add([one()])
    for _ in range(3):
        keeping_server.hang()
        added = await backend.add([one(10), one(100, "2")])
        assert (added.accepted, added.spilled) == (2, 2)
        while_away = await read(backend)
        assert while_away.degraded
        keeping_server.go_on()
        await until(backend.flush)
    assert (await settled(backend)).figures.value == 331


async def test_who_gives_up_waiting_has_written_once(make: Make, keeping_server: RedisServer) -> None:
    backend = make(keeping_server.url)
    await backend.add([one(0)])
    writing = []
    for number in range(60):
        writing.append(asyncio.create_task(backend.add([one()])))
        await asyncio.sleep(0.0002 * (number % 5))
        if number % 2:
            writing[-1 - number % 3].cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    await until(backend.flush)
    given = sum(1 for each in writing if not each.cancelled())
    value = (await settled(backend)).figures.value
    assert value is not None
    # one that was given up before it began is not written, one that had begun is
    assert given <= value <= 60
    written = (await backend.stats()).accepted
    assert value == written - 1


async def test_what_waits_is_read_and_told(make: Make, keeping_server: RedisServer) -> None:
    backend, other = make(keeping_server.url), make(keeping_server.url)
    await backend.add([one(5)])
    keeping_server.stop()
    assert (await read(other)).kind is None
    assert (await read(other)).degraded
    await backend.add([one(7)])
    reading = await read(backend)
    assert (reading.figures.value, reading.degraded, reading.scope) == (7, True, "process")
    keeping_server.start()
    # nobody asks: it is sent by itself

    async def is_sent() -> bool:
        return (await backend.stats()).spilled == 0

    await until(is_sent)
    just_back = await read(backend)
    assert (just_back.figures.value, just_back.degraded, just_back.scope) == (12, True, "shared")
    assert (await settled(backend)).figures.value == 12
    assert (await settled(other)).figures.value == 12


async def test_a_redis_that_forgot_is_told_for_as_long_as_it_matters(
    make: Make, redis_server: RedisServer, clock: MovedClock
) -> None:
    backend, other = make(redis_server.url), make(redis_server.url)
    await backend.add([one(5)])
    assert not (await read(other)).degraded
    redis_server.stop()
    redis_server.start()
    lost = await back(backend)
    assert (lost.figures.value, lost.degraded) == (None, True)
    clock.go(1)
    await backend.add([make_update("acme", "views", "counter", 1, clock.now())])
    for each in (backend, other):
        reading = await back(each)
        assert (reading.figures.value, reading.degraded) == (1, True)
    clock.go(61)
    await backend.add([make_update("acme", "views", "counter", 1, clock.now())])
    for each in (backend, other):
        assert (await settled(each)).figures.value == 1
        assert (await each.read(Query.of("acme", "views", 900))).degraded


async def test_a_full_spill_drops_and_says_so(make: Make, keeping_server: RedisServer, clock: MovedClock) -> None:
    backend, other = make(keeping_server.url), make(keeping_server.url)
    await backend.add([one()])
    keeping_server.stop()
    await backend.add([one()])
    added = await backend.add([one() for _ in range(6000)])
    assert (added.accepted, added.spilled, added.dropped) == (4999, 4999, 1001)
    keeping_server.start()
    await until(backend.flush)
    for each in (backend, other):
        reading = await back(each)
        assert (reading.figures.value, reading.degraded) == (5001, True)
    stats = await backend.stats()
    assert (stats.dropped, stats.replayed, stats.spilled) == (1001, 5000, 0)
    clock.go(61)
    assert (await settled(backend)).figures.value == 0


async def test_a_recount_is_not_added_to_by_what_it_holds(
    make: Make, keeping_server: RedisServer, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Updates wait in one process while another compares with the stored events, which have them."""
    backend, other = make(keeping_server.url), make(keeping_server.url)
    await backend.add([one(1)])
    # the first process looks again later than the other one needs to put the bucket right
    monkeypatch.setattr(redis_link, "ASK_AGAIN_SECONDS", 1.0)
    keeping_server.stop()
    await backend.add([one(10)])
    keeping_server.start()
    clock.go(300)
    number = micros(NOON) // 60_000_000
    recount = StoredBucket(Series.of("acme", "views", {"page": "1"}), Kind.COUNTER, 60, number, {"n": 11})
    await other.overwrite_bucket(recount, clock.now())
    assert (await backend.stats()).spilled == 1
    await until(backend.flush)
    assert await other.buckets("acme", "views", 60, 0, 10**12) == [recount]
    [coarser] = await other.buckets("acme", "views", 3600, 0, 10**12)
    assert coarser.content == {"n": 11}, "which nobody had put right"


async def test_keys_that_redis_threw_away_are_told(make: Make, redis_server: RedisServer, clock: MovedClock) -> None:
    backend = make(redis_server.url)
    with Redis.from_url(redis_server.url) as client:
        await backend.add([one()])
        assert not (await read(backend)).degraded
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 200_000)
        client.config_set("maxmemory-policy", "volatile-lru")
        for number in range(2000):
            client.set(f"someone-else:{number}", "x" * 1000, ex=60)
        assert (await read(backend)).degraded
        client.config_set("maxmemory", 0)
    clock.go(61)
    assert not (await read(backend)).degraded
