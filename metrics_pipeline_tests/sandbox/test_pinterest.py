"""Pinterest v5 as the sandbox plays it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

OWNER = "5500"
TOKEN = f"secret~{OWNER}"
LATER = NOW + timedelta(days=30)
TOTALS_OF_METRICS = {
    "IMPRESSION": "impression",
    "PIN_CLICK": "pin_click",
    "OUTBOUND_CLICK": "clickthrough",
    "SAVE": "save",
}
Totals = dict[str, dict[str, int]]


def get(ask: Ask, path: str, at: datetime = NOW, owner: str = TOKEN, **params: object) -> httpx.Response:
    return ask("pinterest", f"/v5/{path}", at=at, token=owner, **params)


def days(ask: Ask, first: str, last: str, at: datetime = NOW) -> list[dict[str, object]]:
    body = get(ask, "user_account/analytics", at, start_date=first, end_date=last).json()
    rows: list[dict[str, object]] = body["all"]["daily_metrics"]
    return rows


def value(row: dict[str, object], name: str) -> int:
    metrics = row["metrics"]
    assert isinstance(metrics, dict)
    return int(metrics[name])


def pins(ask: Ask, at: datetime = NOW, size: int = 250) -> Totals:
    found: Totals = {}
    bookmark: dict[str, str] = {}
    while True:
        body = get(ask, "pins", at, page_size=size, pin_metrics="true", **bookmark).json()
        assert len(body["items"]) <= size
        found |= {item["id"]: item["pin_metrics"]["lifetime_metrics"] for item in body["items"]}
        if body["bookmark"] is None:
            return found
        bookmark = {"bookmark": body["bookmark"]}


def test_days_are_the_differences_of_the_pins_totals(ask: Ask) -> None:
    before, after = (pins(ask, datetime(2026, 11, day, tzinfo=UTC)) for day in (3, 6))
    rows = days(ask, "2026-11-03", "2026-11-05", LATER)
    for metric, total in TOTALS_OF_METRICS.items():
        gained = sum(after[i][total] - before.get(i, {}).get(total, 0) for i in after)
        assert sum(value(row, metric) for row in rows) == gained > 0
    for row in rows:
        assert value(row, "ENGAGEMENT") == sum(value(row, n) for n in ("PIN_CLICK", "OUTBOUND_CLICK", "SAVE"))


def test_pages_hold_every_pin_once_and_agree_with_the_account(ask: Ask) -> None:
    user = get(ask, "user_account").json()
    assert user["id"] == OWNER
    assert len(pins(ask)) == len(pins(ask, size=100)) == user["pin_count"] > 250
    assert user["monthly_views"] > 0


def test_the_status_of_a_day(ask: Ask) -> None:
    rows = days(ask, "2026-11-16", "2026-11-20")
    assert [row["data_status"] for row in rows] == ["READY", "READY", "ESTIMATE", "ESTIMATE", "PROCESSING"]
    assert rows[-1]["metrics"] == {}
    final = days(ask, "2026-11-19", "2026-11-19", LATER)[0]
    assert 0 < value(rows[3], "IMPRESSION") < value(final, "IMPRESSION")


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("user_account/analytics", {"start_date": "2026-08-22", "end_date": "2026-11-01"}, (400, 1)),
        ("user_account/analytics", {"start_date": "2026-11-02", "end_date": "2026-11-01"}, (400, 1)),
        ("user_account/analytics", {"start_date": "2026-11-01"}, (400, 1)),
        (
            "user_account/analytics",
            {"start_date": "2026-11-01", "end_date": "2026-11-01", "metric_types": "SHOES"},
            (400, 1),
        ),
        ("pins", {"page_size": 251}, (400, 1)),
        ("pins", {"bookmark": "?"}, (400, 1)),
        ("pins/123", {}, (404, 50)),
        ("boards", {}, (404, 404)),
    ],
)
def test_requests_that_are_refused(ask: Ask, path: str, params: dict[str, object], expected: tuple[int, int]) -> None:
    refused = get(ask, path, **params)  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["code"]) == expected


def test_89_days_back_is_the_furthest_start(ask: Ask) -> None:
    assert len(days(ask, "2026-08-23", "2026-11-20")) == 90


@pytest.mark.parametrize("token", ["secret", "secret~", "secret~missing1", f"expired~{OWNER}"])
def test_tokens_without_an_account_are_refused(ask: Ask, token: str) -> None:
    assert get(ask, "user_account", owner=token).status_code == 401


def test_faults_speak_pinterest(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("pinterest", OWNER, "throttled", requests=1, reset_seconds=30)
    limited = get(ask, "pins")
    assert (limited.status_code, limited.json()["code"]) == (429, 8)
    assert limited.headers["x-userendpoint-ratelimit-reset"] == "30"
    server.faults.switch_on("pinterest", OWNER, "permission")
    assert get(ask, "pins").json()["code"] == 7
    server.faults.clear()
    server.faults.switch_on("pinterest", OWNER, "refused_metric", metric="SAVE")
    span = {"start_date": "2026-11-05", "end_date": "2026-11-05"}
    assert "'SAVE' is not one of" in get(ask, "user_account/analytics", NOW, metric_types="SAVE", **span).text
    assert get(ask, "user_account/analytics", NOW, metric_types="IMPRESSION", **span).status_code == 200
    deleted = next(iter(pins(ask)))
    server.faults.switch_on("pinterest", OWNER, "deleted_post", post_id=deleted)
    assert deleted not in pins(ask)
    assert get(ask, f"pins/{deleted}").json()["code"] == 50


def test_a_restated_day_changes_from_an_instant_on(ask: Ask, server: SandboxServer) -> None:
    since = NOW - timedelta(days=1)
    server.faults.switch_on("pinterest", OWNER, "restated", day="2026-11-05", factor=2, since=since)
    earlier, later = (value(days(ask, "2026-11-05", "2026-11-05", at)[0], "SAVE") for at in (since - timedelta(1), NOW))
    assert later == 2 * earlier > 0
