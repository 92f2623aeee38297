"""Both back ends hold and say the same, whatever is done to them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from metrics_pipeline.realtime import distinct, log_buckets
from metrics_pipeline.realtime.backend import Added, Backend, Query, StoredBucket
from metrics_pipeline.realtime.kinds import Kind, empty, take
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.realtime.widths import LONGEST_WINDOW, WIDTHS, micros
from metrics_pipeline_tests.conftest import RedisServer
from metrics_pipeline_tests.realtime.conftest import IS_PROOF, MovedClock, shared

pytestmark = pytest.mark.anyio

OPERATIONS = 100_000 if IS_PROOF else 4000
METRICS = {kind.value: kind for kind in Kind}


class Operations:
    """Random operations; the same seed makes the same."""

    def __init__(self, seed: int, clock: MovedClock) -> None:
        self.chance, self.clock = random.Random(seed), clock

    def update(self) -> Update:
        chance = self.chance
        metric = chance.choice(list(METRICS))
        kind = METRICS[metric] if chance.random() > 0.02 else chance.choice(list(Kind))
        value: float | str = chance.choice([chance.randrange(100), round(chance.lognormvariate(0, 9), 3) % 1e9, 0, 0.1])
        if kind in (Kind.UP_DOWN, Kind.HISTOGRAM, Kind.GAUGE) and chance.random() < 0.3:
            value = -float(value)
        if kind is Kind.DISTINCT:
            value = str(chance.randrange(400))
        ago = chance.choice([0, 0, chance.random() * 5, chance.random() * 200_000, -30])
        at = self.clock.now() - timedelta(seconds=ago)
        seen = at - timedelta(seconds=chance.randrange(3))
        labels = {"page": str(chance.randrange(12)), "app": "ios"} if chance.random() < 0.8 else {}
        writer = chance.choice("abé")
        return make_update(
            chance.choice(["w1", "w2"]), metric, kind, value, at, labels, observed_at=seen, writer=writer
        )

    def query(self) -> Query:
        chance = self.chance
        window = chance.choice([1, 7, 60, 120, 500, 900, 4000, 21_600, 50_000, LONGEST_WINDOW])
        return Query.of(
            chance.choice(["w1", "w2"]),
            chance.choice(list(METRICS)),
            window,
            {"page": str(chance.randrange(12))} if chance.random() < 0.3 else {},
            ["page"] if chance.random() < 0.3 else [],
            gauges_as=chance.choice(["newest", "sum", "min", "max"]),
        )


async def all_of(backend: Backend) -> list[StoredBucket]:
    return [
        bucket
        for workspace_id in ("w1", "w2")
        for metric in METRICS
        for width in WIDTHS
        for bucket in await backend.buckets(workspace_id, metric, width.seconds, 0, 10**12)
    ]


async def test_random_operations(kept_redis: RedisServer, clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct, "MOST_EXACT", 60)
    monkeypatch.setattr(log_buckets, "MOST_FIELDS", 40)
    with Redis.from_url(kept_redis.url) as client:
        client.flushall()
    memory, redis = MemoryBackend(clock, 8), shared(kept_redis.url, clock, 8)
    make = Operations(7, clock)
    done = 0
    while done < OPERATIONS:
        dice = make.chance.random()
        if dice < 0.6:
            updates = [make.update() for _ in range(make.chance.choice([1, 1, 5, 60]))]
            results: list[Added] = [await memory.add(updates), await redis.add(updates)]
            assert results[0] == results[1]
            done += len(updates)
        elif dice < 0.9:
            query = make.query()
            assert replace(await memory.read(query), scope="shared") == await redis.read(query)
        elif dice < 0.96:
            clock.go(make.chance.choice([0.3, 1, 30, 4000]))
        elif dice < 0.97:
            gone = make.update().series
            assert await memory.delete_series(gone) == await redis.delete_series(gone)
        elif dice < 0.985:
            series, metric = make.update().series, make.chance.choice(list(METRICS))
            recount = empty(METRICS[metric])
            for value in range(3):
                take(METRICS[metric], recount, "w1", str(value) if metric == "distinct" else value)
            number = micros(clock.now()) // 60_000_000 - make.chance.randrange(5)
            if metric != "gauge":
                bucket = StoredBucket(Series("w1", metric, series.labels), METRICS[metric], 60, number, recount)
                done_there = await redis.overwrite_bucket(bucket, clock.now() - timedelta(days=1))
                assert await memory.overwrite_bucket(bucket, clock.now()) == done_there
        else:
            assert await memory.expire(clock.now()) == await redis.expire(clock.now())
            for metric in METRICS:
                assert await memory.series("w1", metric) == await redis.series("w1", metric)
        done += 1
    held = await all_of(memory)
    assert held == await all_of(redis)
    assert len(held) > 500
    await redis.close()
