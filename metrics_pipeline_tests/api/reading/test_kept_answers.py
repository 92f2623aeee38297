"""Answers of the reading routes from the cache: moved exactly by the days they are about, and by nobody else's data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import httpx

from metrics_pipeline.api.app import make_app
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.api.services import Services
from metrics_pipeline.api.warming_after_runs import WarmingAfterRuns
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import Client, code_of
from metrics_pipeline_tests.api.reading.conftest import days_of, points_of, write_days

PATH = "/v1/accounts/a/metrics"
ASKED = {"start": "2026-03-02", "end": "2026-03-05"}


def status(answer: httpx.Response) -> str:
    return answer.headers["cache-status"].split("; ")[1]


def test_a_commit_of_its_days_moves_an_answer_and_another_day_does_not(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]))
    first = reader.get(PATH, params=ASKED)
    assert (status(first), status(reader.get(PATH, params=ASKED))) == ("fwd=miss", "hit")
    write_days(lake, days_of({7: 9.0}))
    assert status(reader.get(PATH, params=ASKED)) == "hit"
    write_days(lake, days_of({3: 4.0}))
    after = reader.get(PATH, params=ASKED)
    assert status(after) == "fwd=miss"
    assert points_of(after) == {"2026-03-02": 2.0, "2026-03-03": 3.0, "2026-03-04": 4.0}
    assert after.headers["etag"] != first.headers["etag"]
    assert after.json()["meta"]["generation"] != first.json()["meta"]["generation"]


def test_who_has_it_already_gets_nothing_again(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]))
    etag = reader.get(PATH, params=ASKED).headers["etag"]
    again = reader.get(PATH, params=ASKED, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert status(again) == "hit", "no statement was run for it"
    assert reader.get(PATH, params=ASKED, headers={"If-None-Match": '"other"'}).status_code == 200


def test_formats_and_questions_are_kept_apart(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]) + days_of([5, 6, 7], metric="likes"))
    plain = reader.get(PATH, params=ASKED)
    for parameters, accept in (({"metric": "likes"}, "*/*"), ({"compare": "previous_period"}, "*/*"), ({}, "text/csv")):
        answer = reader.get(PATH, params={**ASKED, **parameters}, headers={"Accept": accept})
        assert status(answer) == "fwd=miss"
        assert answer.headers["etag"] != plain.headers["etag"]
    # the same question in other words
    spelled = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T12:00:00Z"}
    assert status(reader.get(PATH, params=spelled)) == "hit"


def test_another_tenants_data_changes_neither_bytes_nor_tags(
    lake: Lake, reader: httpx.Client, client: Client, key: Callable[..., str]
) -> None:
    """The files of a day are shared: what is computed anew because of somebody else comes out the same."""
    write_days(lake, days_of([1, 2, 3]) + days_of([1], kind="workspace", entity="acme"))
    workspace = "/v1/workspaces/acme"
    paths = [f"{PATH}?start=2026-03-01", f"{workspace}/metrics?start=2026-03-01", f"{workspace}/dashboard",
             f"{workspace}/snapshots", "/v1/trending", "/v1/top-performing"]  # fmt: skip
    before = [reader.get(path) for path in paths]
    write_days(
        lake, days_of([9, 9, 9], workspace="beta") + days_of([9], workspace="beta", kind="workspace", entity="beta")
    )
    after = [reader.get(path) for path in paths]
    assert {status(answer) for answer in after} >= {"fwd=miss"}
    assert [(a.content, a.headers["etag"]) for a in after] == [(b.content, b.headers["etag"]) for b in before]
    other = client(key("beta", "read")).get(PATH, params={"start": "2026-03-01"})
    assert points_of(other)["2026-03-01"] == 9.0, "the same account id in another workspace is another account"


def test_while_the_tables_cannot_be_read_the_last_answer_stands_in(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]))
    first = reader.get(PATH, params=ASKED)
    write_days(lake, days_of({3: 4.0}))
    for file in Path(lake.uri("daily_metrics")).rglob("*.parquet"):
        file.unlink()
    stale = reader.get(PATH, params=ASKED)
    assert (stale.status_code, stale.content) == (200, first.content)
    assert 'detail="stale-if-error"' in stale.headers["cache-status"]
    assert stale.headers["cache-control"] == "private, no-cache"
    never_asked = reader.get(PATH, params={"start": "2026-03-01"})
    assert code_of(never_asked) == "lake_unavailable"
    assert never_asked.headers["retry-after"]
    assert code_of(reader.get(PATH, params={**ASKED, "metric": "nonsense"})) == "unknown_metric"


def test_fifty_who_ask_at_once_have_it_computed_once(lake: Lake, server: ApiServer, key: Callable[..., str]) -> None:
    write_days(lake, days_of([1, 2, 3]))
    headers = {"Authorization": f"Bearer {key('acme', 'read', 'admin')}"}
    barrier = Barrier(50)

    def ask(_number: int) -> str:
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            client.get("/healthz")
            barrier.wait()
            return status(client.get(PATH, params=ASKED))

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(ask, range(50)))
    assert set(statuses) <= {"fwd=miss", "hit"}, "computed, or by another request at the same time, or kept"
    counted = httpx.get(f"{server.url}/v1/admin/cache", headers=headers).json()["data"]
    assert (counted["requests"], counted["misses"]) == (50, 1)


def test_what_is_asked_often_is_computed_again_after_a_run(
    lake: Lake, settings: Settings, key: Callable[..., str]
) -> None:
    write_days(lake, days_of([1, 2, 3]))
    services = Services.open(settings)
    services = replace(services, warming=WarmingAfterRuns(services.tables, services.warmer, settled_seconds=0.05))
    headers = {"Authorization": f"Bearer {key('acme', 'read')}"}

    async def run() -> list[str]:
        app = make_app(services)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
                found = [status(await client.get(PATH, params=ASKED))]
                write_days(lake, days_of({3: 4.0}))
                for _ in range(200):
                    await asyncio.sleep(0.05)
                    if services.cache.stats().warmed:
                        break
                found.append(status(await client.get(PATH, params=ASKED)))
        return found

    assert asyncio.run(run()) == ["fwd=miss", "hit"]
