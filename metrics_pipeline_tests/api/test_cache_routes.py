"""Clearing the cache and its statistics over HTTP: each workspace its own, an operator everybody's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import SecretStr

from metrics_pipeline.api.app import make_app
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.api.services import Services
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.caching.samples import Lake
from metrics_pipeline_tests.api.caching.samples import key as cache_key
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.conftest import RedisServer

pytestmark = pytest.mark.anyio

CLEAR, STATE = "/v1/cache:invalidate", "/v1/admin/cache"
Asking = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Services]:
    opened = Services.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def admin(parts: Services, key: Callable[..., str]) -> Asking:
    """A client with an admin's key of a workspace; of an operator for None."""
    app = make_app(parts)

    def make(workspace: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key(workspace, 'admin')}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers)

    return make


async def fill(cache: MetricCache, *, times: int = 1) -> None:
    lake = Lake()
    for tenant in ("acme", "beta"):
        for kind, tag in (("dashboard", "dashboard:main"), ("metrics", "account:a:1")):
            for _ in range(times):
                named = cache_key(tenant=tenant, kind=kind)
                await cache.get_or_compute(named, Tier.DASHBOARD, lake.read, tags=(tag, f"workspace:{tenant}"))


async def cleared(client: httpx.AsyncClient, body: object) -> int:
    answer = await client.post(CLEAR, json=body)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"data", "meta"}
    return int(answer.json()["data"]["cleared"])


async def test_a_workspace_clears_its_own_and_an_operator_all(parts: Services, admin: Asking) -> None:
    acme, operator = admin("acme"), admin(None)
    await fill(parts.cache)
    assert await cleared(acme, {"pattern": "beta:*"}) == 0
    assert await cleared(acme, {"pattern": "*:metrics:*"}) == 1
    assert await cleared(acme, {"tags": ["workspace:beta"]}) == 0
    assert await cleared(acme, {"tags": ["dashboard:main"], "workspace_id": "acme"}) == 1
    assert parts.cache.stats("beta").entries == 2
    assert await cleared(operator, {"workspace_id": "beta", "tags": ["account:a:1"]}) == 1
    await fill(parts.cache)
    assert await cleared(acme, {}) == 2
    assert await cleared(operator, {}) == 2
    other = await acme.post(CLEAR, json={"workspace_id": "beta"})
    unknown = await acme.post(CLEAR, json={"workspace_id": "nowhere"})
    assert (other.status_code, code_of(other), other.content) == (404, "not_found", unknown.content)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"tags": ["account:a", "planted:a"]}, "unknown_tag", "/tags/1"),
        ({"tags": ["account:"]}, "unknown_tag", "/tags/0"),
        ({"tags": "account:a"}, "invalid_request", "/tags"),
        ({"pattern": "planted" * 40}, "invalid_request", "/pattern"),
        ({"planted": 1}, "invalid_request", ""),
        ({"workspace_id": ""}, "invalid_request", "/workspace_id"),
        (["planted"], "invalid_request", ""),
    ],
)
async def test_what_cannot_be_meant_is_told(
    parts: Services, admin: Asking, body: object, code: str, pointer: str
) -> None:
    await fill(parts.cache)
    answer = await admin(None).post(CLEAR, json=body)
    assert (answer.status_code, code_of(answer)) == (422, code)
    assert pointer in (answer.json().get("pointer"), *(each["pointer"] for each in answer.json().get("errors", ())))
    assert "planted" not in answer.text
    assert parts.cache.stats().entries == 4


async def test_statistics_are_those_of_the_caller(parts: Services, admin: Asking) -> None:
    await fill(parts.cache, times=3)
    mine = (await admin("beta").get(STATE)).json()["data"]
    assert (mine["requests"], mine["hits"], mine["misses"], mine["entries"]) == (6, 4, 2, 2)
    assert mine["hit_rate"] == pytest.approx(2 / 3)
    assert mine["bytes"] > 0
    assert [(group["tier"], group["kind"], group["requests"]) for group in mine["groups"]] == [
        ("dashboard", "dashboard", 3),
        ("dashboard", "metrics", 3),
    ]
    every = (await admin(None).get(STATE)).json()["data"]
    assert (every["requests"], every["entries"], every["warmed"]) == (12, 4, 0)
    assert (every["backend"], every["is_degraded"], mine["warmed"]) == ("memory", False, None)


async def test_only_an_admin_may(parts: Services, key: Callable[..., str]) -> None:
    transport = httpx.ASGITransport(make_app(parts))
    headers = {"Authorization": f"Bearer {key('acme', 'read', 'ingest')}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as reader:
        for answer in (await reader.post(CLEAR, json={}), await reader.get(STATE)):
            assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")


async def test_without_redis_it_is_told_that_nothing_was_cleared(
    settings: Settings, key: Callable[..., str], redis_server: RedisServer
) -> None:
    parts = Services.open(settings.model_copy(update={"redis_url": SecretStr(redis_server.url)}))
    headers = {"Authorization": f"Bearer {key('acme', 'admin')}"}
    client = httpx.AsyncClient(transport=httpx.ASGITransport(make_app(parts)), base_url="http://api", headers=headers)
    await fill(parts.cache)
    state = (await client.get(STATE)).json()["data"]
    assert (state["backend"], state["is_degraded"], state["entries"]) == ("redis", False, 2)
    redis_server.stop()
    answer = await client.post(CLEAR, json={})
    assert (answer.status_code, code_of(answer)) == (503, "cache_unreachable")
    assert "retry-after" in answer.headers
    assert (await client.get(STATE)).json()["data"]["is_degraded"] is True
    assert (await client.get("/readyz")).json()["status"] == "degraded"
    await parts.close()
