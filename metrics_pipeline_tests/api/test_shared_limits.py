"""Quotas of several processes in one Redis, and what happens without it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from pydantic import SecretStr

from metrics_pipeline.api.quotas.limits import Limits
from metrics_pipeline.api.quotas.shared_windows import SharedWindows
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, code_of, event
from metrics_pipeline_tests.api.stored import accepted
from metrics_pipeline_tests.conftest import RedisServer

Pages = tuple[httpx.Client, httpx.Client]
USER = event(userId="u1")


@pytest.fixture
def settings(settings: Settings, redis_server: RedisServer) -> Settings:
    small = {
        "api_user_track_per_minute": 6,
        "api_user_batches_per_minute": 4,
        "api_browser_key_events_per_minute": 500,
        "redis_url": SecretStr(redis_server.url),
    }
    return settings.model_copy(update=small)


@pytest.fixture
def pages(settings: Settings, key: Callable[..., str]) -> Iterator[Pages]:
    """Two servers, and a page's client of each with the same key."""
    headers = {"Authorization": f"Bearer {key('acme', origins=(PAGE,))}", "Origin": PAGE}
    with (
        ApiServer(settings) as one,
        ApiServer(settings) as two,
        httpx.Client(base_url=one.url, headers=headers, timeout=10) as first,
        httpx.Client(base_url=two.url, headers=headers, timeout=10) as second,
    ):
        yield first, second


def test_two_processes_keep_one_quota(pages: Pages) -> None:
    one, two = pages
    for left, page in ((5, one), (4, two), (3, one), (2, two), (1, two), (0, one)):
        answer = page.post(TRACK, json=USER)
        assert answer.status_code == 202
        assert f'"user-track";r={left};t=' in answer.headers["ratelimit"]
    for page in pages:
        refused = page.post(TRACK, json=USER)
        assert (refused.status_code, code_of(refused)) == (429, "quota_exceeded")
        assert refused.json()["violated-policies"] == ["user-track"]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert page.post(TRACK, json=event(userId=f"u{page.base_url.port}")).status_code == 202
        assert page.get("/readyz").json()["status"] == "ok"


def test_everyone_in_a_batch_is_charged_and_nobody_if_one_is_refused(pages: Pages) -> None:
    one, two = pages
    many = {"batch": [event(userId=f"b{n}") for n in range(100)]}
    assert [page.post(BATCH, json=many).status_code for page in (one, two, one)] == [202, 202, 202]
    assert two.post(BATCH, json={"batch": [event(userId="b7")]}).status_code == 202
    assert one.post(BATCH, json={"batch": [event(userId="b7"), event(userId="b8")]}).status_code == 429
    assert two.post(BATCH, json={"batch": [event(userId="b8")]}).status_code == 202, "the refused one cost nothing"


def test_no_more_are_taken_however_many_come_at_once(pages: Pages, settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: pages[n % 2].post(TRACK, json=USER).status_code, range(40)))
    assert answers.count(202) == len(accepted(settings)) == 6
    assert set(answers) == {202, 429}


def test_without_redis_events_are_taken_and_each_process_counts(
    pages: Pages, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pages
    assert one.post(TRACK, json=USER).status_code == 202
    redis_server.stop()
    with caplog.at_level(logging.WARNING, "metrics_pipeline"):
        assert [one.post(TRACK, json=USER).status_code for _ in range(7)] == [202] * 6 + [429]
        assert two.post(TRACK, json=USER).status_code == 202
        ready = one.get("/readyz")
        one.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert "Redis does not answer" in ready.json()["reasons"][1]
    told = [record.getMessage() for record in caplog.records if "quotas are counted in" in record.getMessage()]
    assert len(told) == 2, "once by each process"
    assert str(redis_server.port) not in caplog.text

    redis_server.start()
    assert [page.get("/readyz").json()["status"] for page in pages] == ["ok", "ok"]
    answers = [page.post(TRACK, json=USER).status_code for page in (one, two) * 4]
    assert answers == [202] * 6 + [429] * 2, "shared again, its scripts loaded anew"


def test_a_redis_that_hangs_holds_nobody_up(pages: Pages, redis_server: RedisServer) -> None:
    redis_server.hang()
    started = time.monotonic()
    answers = [pages[0].post(TRACK, json=event(userId=f"h{n}")).status_code for n in range(20)]
    assert answers == [202] * 20
    assert time.monotonic() - started < 3, "the wait is paid once, not by every request"
    assert pages[0].get("/readyz").json()["status"] == "degraded"


@pytest.mark.parametrize("url", ["localhost:6379", "http://u:hunter2@h/0", "redis://u:hunter2@h:port/0"])
def test_what_is_no_redis_url_is_one_error_at_the_start(settings: Settings, url: str) -> None:
    with pytest.raises(UserError, match=r"^METRICS_REDIS_URL is no Redis URL; write redis://") as caught:
        Limits(settings.model_copy(update={"redis_url": SecretStr(url)}))
    assert "hunter2" not in str(caught.value)


def test_a_key_is_not_kept_for_ever_and_names_nobody(redis_server: RedisServer) -> None:
    async def hit() -> list[tuple[str, int]]:
        windows = SharedWindows(redis_server.url)
        limiter = SlidingWindowCounterRateLimiter(windows)
        assert await limiter.hit(RateLimitItemPerMinute(5), "k1/user-track/abcd")
        found = [(str(name), await windows.link.client.ttl(name)) for name in await windows.link.client.keys("*")]
        await windows.close()
        return found

    [(name, seconds)] = asyncio.run(hit())
    assert "metrics-pipeline:quota:" in name
    assert 60 <= seconds <= 120
