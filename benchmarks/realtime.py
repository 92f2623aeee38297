"""How many real-time updates and reads a second one process does: run with `make bench-realtime`.

A mix of all kinds over 20 metrics of 50 series each, handed in by 100 and one by one, in process and with a Redis
server on the same machine (`--redis URL` for another one, which is emptied). Windows are recounted from the updates.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis import Redis

from metrics_pipeline.realtime.backend import Backend, Query
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.redis_backend import RedisBackend
from metrics_pipeline.realtime.spilling import SpillingBackend
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.realtime.widths import micros
from metrics_pipeline.redis_link import RedisLink
from metrics_pipeline_tests.conftest import RedisServer

METRICS, SERIES, CALLERS = 20, 50, 8
# so that every window has something, with the clock moved on while the updates come in
SPREAD_SECONDS = 600
KINDS = [*[Kind.COUNTER] * 8, *[Kind.UP_DOWN] * 2, *[Kind.GAUGE] * 2, *[Kind.HISTOGRAM] * 4, *[Kind.RATE] * 2]
KINDS += [Kind.DISTINCT] * 2


class MovedClock:
    """A clock that goes when it is told to."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


def make_updates(count: int, begin: datetime) -> list[Update]:
    chance, updates = random.Random(1), []
    for number in range(count):
        metric = chance.randrange(METRICS)
        kind = KINDS[metric]
        value: float | str = f"user {chance.randrange(3000)}" if kind is Kind.DISTINCT else chance.randrange(1, 1000)
        at = begin + timedelta(seconds=SPREAD_SECONDS * number / count)
        page = {"page": str(chance.randrange(SERIES))}
        updates.append(make_update("acme", f"metric_{metric}", kind, value, at, page, writer="one"))
    return updates


async def hand_in(backend: Backend, clock: MovedClock, updates: Sequence[Update], size: int, callers: int) -> float:
    """Seconds that it took."""
    starts = iter(range(0, len(updates), size))

    async def caller(mine: Iterator[int]) -> None:
        for start in mine:
            batch = updates[start : start + size]
            clock.instant = max(clock.instant, datetime.fromtimestamp(batch[-1].received_at / 1e6, UTC))
            added = await backend.add(batch)
            if added.accepted != len(batch) or added.spilled:
                raise SystemExit(f"not counted: {added}")

    begun = time.perf_counter()
    await asyncio.gather(*(caller(starts) for _ in range(callers)))
    return time.perf_counter() - begun


async def read_all(backend: Backend, window: int, times: int) -> dict[Kind, float]:
    """Milliseconds of one read of a metric with all its series, by kind."""
    spent = {}
    for kind in Kind:
        query = Query.of("acme", f"metric_{KINDS.index(kind)}", window)
        begun = time.perf_counter()
        for _ in range(times):
            await backend.read(query)
        spent[kind] = 1000 * (time.perf_counter() - begun) / times
    return spent


async def recount(backend: Backend, updates: Sequence[Update]) -> int:
    """Compare windows of sums and distinct counts with the updates; how many were compared."""
    by_metric: dict[str, list[Update]] = defaultdict(list)
    for each in updates:
        by_metric[each.series.metric].append(each)
    compared = 0
    for metric, some in by_metric.items():
        for window in (10, 60, 120, 600, 3600, 86_400):
            reading = await backend.read(Query.of("acme", metric, window))
            since = micros(reading.counted_from)
            within = [each.value for each in some if each.received_at >= since]
            numbers = [value for value in within if not isinstance(value, str)]
            expected = {
                Kind.COUNTER: (reading.figures.value, sum(numbers)),
                Kind.UP_DOWN: (reading.figures.value, sum(numbers)),
                Kind.RATE: (reading.figures.sum, sum(numbers)),
                Kind.HISTOGRAM: (reading.figures.count, len(numbers)),
                Kind.DISTINCT: (reading.figures.value, len(set(within))),
            }
            if some[0].kind is Kind.GAUGE:
                continue
            found, right = expected[some[0].kind]
            if found != right or reading.degraded:
                raise SystemExit(f"{metric} {window} s: {found} is not {right}")
            compared += 1
    return compared


async def measure(name: str, backend: Backend, clock: MovedClock, updates: Sequence[Update], callers: int) -> None:
    most = len(updates) * 9 // 10
    batched = await hand_in(backend, clock, updates[:most], 100, callers)
    single = await hand_in(backend, clock, updates[most:], 1, callers)
    print(f"{name}: {most / batched:9,.0f} updates/s by 100, {(len(updates) - most) / single:9,.0f} one by one")
    print(f"  {await recount(backend, updates)} windows equal a recount of {len(updates):,} updates")
    for window in (60, 3600):
        spent = await read_all(backend, window, 20)
        print(f"  a read of 50 series, {window} s: " + ", ".join(f"{kind} {ms:.1f} ms" for kind, ms in spent.items()))
    query = Query.of("acme", "metric_0", 60, {"page": "7"})
    begun = time.perf_counter()
    for _ in range(500):
        await backend.read(query)
    print(f"  one series of a counter: {500 / (time.perf_counter() - begun):,.0f} reads/s")


async def cost_of_distinct(url: str, clock: MovedClock) -> None:
    """What different values cost in Redis while they are kept exactly, and beyond."""
    for people in (10_000, 10_001):
        with Redis.from_url(url) as client:
            client.flushdb()
            before = client.info("memory")["used_memory"]
            backend = RedisBackend(RedisLink(url, "", ""), clock)
            now = clock.now()
            await backend.add([make_update("acme", "people", "distinct", f"user {n}", now) for n in range(people)])
            used = client.info("memory")["used_memory"] - before
            await backend.close()
        print(f"  {people:,} different values of one second, in a bucket of each width: {used / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--redis", help="URL of a Redis that may be emptied")
    parser.add_argument("--updates", type=int, default=200_000)
    arguments = parser.parse_args()
    begin = datetime.now(UTC)
    updates = make_updates(arguments.updates, begin)
    clock = MovedClock(begin)
    asyncio.run(measure("in process", MemoryBackend(clock), clock, updates, 1))
    with contextlib.ExitStack() as stack:
        url = arguments.redis
        if url is None:
            server = RedisServer(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            server.start()
            stack.callback(server.stop)
            url = server.url
        with Redis.from_url(url) as client:
            client.flushdb()

        async def with_redis() -> None:
            moved = MovedClock(begin)
            redis = RedisBackend(RedisLink(url, "", ""), moved)
            backend = SpillingBackend(redis, MemoryBackend(moved), moved)
            await measure("with Redis", backend, moved, updates[: len(updates) // 4], CALLERS)
            await cost_of_distinct(url, moved)
            await backend.close()

        asyncio.run(with_redis())


if __name__ == "__main__":
    main()
