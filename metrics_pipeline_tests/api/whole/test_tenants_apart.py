"""Whatever happens in other workspaces, a workspace's answers stay the same bytes under the same entity tags."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from metrics_pipeline.api.app import make_app
from metrics_pipeline.api.services import Services
from metrics_pipeline.control.account_status import disable, remove_account
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.erasures import list_erasures
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, code_of
from metrics_pipeline_tests.api.whole.conftest import Installation
from metrics_pipeline_tests.api.whole.filled import CONTENT, NOW, WORKSPACES
from metrics_pipeline_tests.api.whole.questions import AS_OF, Asked, every_get
from metrics_pipeline_tests.proofs.sizes import FULL

MINE, *OTHERS = WORKSPACES if FULL else WORKSPACES[:2]
# Live updates are listened to all the while, and how well the cache served is looked at apart: both tell of requests,
# as does the audit of a metric.
APART = ("live", "cache_statistics", "list_definition_audit")
# What may differ between two answers to the same question: when and from where it was given, what is left to ask.
PASSING = ("date", "age", "cache-status", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id")
Row = dict[str, Any]
Answer = tuple[int, bytes, tuple[tuple[str, str], ...]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Live figures are kept by the clock, not by their data: a kept one would show among the caller's own hits."""
    return settings.model_copy(update={"cache_live_seconds": 0})


def test_nothing_of_other_workspaces_shows(site: Installation) -> None:
    me = site.client(MINE)
    asked = questions(site)
    with listening(site, MINE, f"workspace:{MINE}") as heard:
        before = take(me, asked)
        statistics = me.get("/v1/admin/cache").content
        for number, other in enumerate(OTHERS):
            change_everything(site, other, number)
        assert me.get("/v1/admin/cache").content == statistics
        compare(before, take(me, asked))
        cleared = me.post("/v1/cache:invalidate", json={}).json()["data"]["cleared"]
        assert cleared > 30, "the answers were kept"
        compare(before, take(me, asked if FULL else asked[::3]))
        assert heard == ["snapshot"]
    found = [answer for answer in before.values() if answer[0] == 200]
    assert len(found) > 40
    assert len({answer[1] for answer in found}) > 35, "answers to different questions"
    for other in OTHERS:
        assert f'"{other}"'.encode() not in b"".join(answer[1] for answer in found)


def questions(site: Installation) -> list[Asked]:
    services = Services.open(site.settings)
    [erasure] = [each.erasure_id for each in list_erasures(site.control, MINE)]
    ids = {"workspace_id": (MINE, "none"), "erasure_id": (erasure, "none")}
    asked = list(every_get(make_app(services), ids, besides=APART, whole=FULL))
    asyncio.run(services.close())
    return asked + (AS_OF if FULL else [])


def take(client: httpx.Client, asked: list[Asked]) -> dict[Asked, Answer]:
    found = {}
    for each in asked:
        answer = client.get(each.path, headers={"Accept": each.accept})
        headers = sorted((name, value) for name, value in answer.headers.items() if name not in PASSING)
        found[each] = (answer.status_code, answer.content, tuple(headers))
    return found


def compare(before: dict[Asked, Answer], after: dict[Asked, Answer]) -> None:
    different = [
        (asked.path, earlier, later)
        for asked, answer in after.items()
        for earlier, later in zip(before[asked], answer, strict=True)
        if earlier != later
    ]
    assert not different, different[:2]


@contextmanager
def listening(site: Installation, workspace: str, channel: str) -> Iterator[list[str]]:
    """The types of what a live stream of the workspace tells."""
    heard: list[str] = []
    first = threading.Event()

    def listen() -> None:
        try:
            with client.stream("GET", "/v1/live", params={"channel": channel}) as stream:
                for line in stream.iter_lines():
                    if line.startswith("event: "):
                        heard.append(line.removeprefix("event: "))
                        first.set()
        except httpx.TransportError:  # the test is over
            pass

    client = site.client(workspace)
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert first.wait(10)
    yield heard


def change_everything(site: Installation, other: str, number: int) -> None:
    """Another workspace's tables, accounts, keys, people, events, kept answers, quotas and live connections."""
    with listening(site, other, f"workspace:{other}") as heard:
        rewrite_tables(Lake(site.settings.lake_location), other)
        ring = load_key_ring(site.settings)
        remove_account(site.control, "a", other, now=NOW)
        disable(site.control, "a.1", other, now=NOW)
        add_account(site.control, ring, other, "threads", f"new-{number}", "none", "token", now=NOW)
        them = site.client(other)
        assert them.put("/v1/content/none", json={"creatorId": "none", "caption": "new"}).status_code == 202
        assert them.delete("/v1/users/u1").status_code == 202
        assert them.get("/v1/content/c1").status_code == 200
        assert them.post("/v1/cache:invalidate", json={"pattern": "*"}).json()["data"]["cleared"] == 1
        change_metrics(them)
        assert them.post("/v1/realtime/orders", json={"type": "counter", "value": 1}).status_code == 202
        send_until_refused(them)
        refused = [them.post(f"/v1/workspaces/{other}:collect") for _ in range(6)]
        assert code_of(refused[-1]) == "quota_exceeded"
        mine = [f"/v1/{path}" for path in (f"workspaces/{MINE}/metrics", f"workspaces/{MINE}/dashboard")]
        assert {them.get(path).status_code for path in mine} == {404}
        assert them.get("/v1/trending", params={"workspace_id": MINE}).status_code == 404
        assert them.post("/v1/cache:invalidate", json={"workspace_id": MINE}).status_code == 404
    assert {"metrics.updated", "post_metrics.updated", "aggregates.updated"} <= set(heard)


def change_metrics(them: httpx.Client) -> None:
    """The other workspace's own metrics: changed, read, archived, and one of a name that is unknown here."""
    path = "/v1/metric-definitions"
    changed = them.patch(f"{path}/views", json={"filter": None, "tags": ["demo"]}, headers={"If-Match": "*"})
    assert changed.json()["data"]["metric"]["version"] == 2
    assert them.get(f"{path}/views/values").status_code == 200
    assert them.post(f"{path}/watched:archive", json={"force": True}).status_code == 200
    assert (
        them.post(path, json={"name": "none", "type": "simple", "dataset": "events", "agg": "count"}).status_code == 201
    )
    assert them.get(f"{path}/views/values", params={"workspace_id": MINE}).status_code == 404


def send_until_refused(them: httpx.Client) -> None:
    event = {"eventType": "view_start", "contentId": CONTENT[0], "sessionId": "s1", "userId": "u1", "creatorId": "anna"}
    answers = [them.post(BATCH, json={"batch": [event] * 100}).status_code for _ in range(2)]
    assert answers == [202, 429]


def rewrite_tables(lake: Lake, other: str) -> None:
    """Write every file anew: of the other workspace every third row is gone, and every number another one."""
    for name, spec in lake.tables.items():
        rows: list[Row] = lake.table(name).to_pyarrow_table().to_pylist()
        if not rows:
            continue
        kept = [row for row in rows if row["workspace_id"] != other]
        fixed = {"hour", *spec.partition_by}
        changed = [
            {column: value if column in fixed else another(value) for column, value in row.items()}
            for number, row in enumerate(row for row in rows if row["workspace_id"] == other)
            if number % 3 != 2
        ]
        write_deltalake(lake.table(name), pa.Table.from_pylist([*changed, *kept], spec.schema), mode="overwrite")


def another(value: object) -> object:
    """Numbers, truths and instants changed; texts name things and stay."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value // 2 + 7
    return value - timedelta(minutes=1) if isinstance(value, datetime) else value
