"""Back ends on a clock that stands until it is moved, and one Redis for all tests that do not stop it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from metrics_pipeline.realtime.backend import Backend
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.redis_backend import RedisBackend
from metrics_pipeline.realtime.spilling import SpillingBackend
from metrics_pipeline.redis_link import RedisLink
from metrics_pipeline_tests.conftest import RedisServer

# Far ahead: Redis forgets by its own clock, and must not do so during a test.
NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)
IS_PROOF = bool(os.environ.get("PROVE"))


class MovedClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def go(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def shared(url: str, clock: MovedClock, most_series: int = 2000, spill: int = 100_000) -> SpillingBackend:
    """As one of several processes has it."""
    redis = RedisBackend(RedisLink(url, "", ""), clock, most_series)
    return SpillingBackend(redis, MemoryBackend(clock, most_series), clock, spill)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def kept_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


MakeBackend = Callable[[int], Backend]


@pytest.fixture(params=["memory", "redis"])
async def make(
    request: pytest.FixtureRequest, kept_redis: RedisServer, clock: MovedClock
) -> AsyncIterator[MakeBackend]:
    """A back end with a cap of series, empty."""
    opened: list[Backend] = []
    with Redis.from_url(kept_redis.url) as client:
        client.flushall()

    def made(most_series: int = 2000) -> Backend:
        if request.param == "memory":
            opened.append(MemoryBackend(clock, most_series))
        else:
            opened.append(shared(kept_redis.url, clock, most_series))
        return opened[-1]

    yield made
    for each in opened:
        await each.close()
