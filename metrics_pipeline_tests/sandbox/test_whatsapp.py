"""WhatsApp as the sandbox plays it: days of the account's zone, templates by UTC day, reads that are forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

WABA = "1020000000000005"  # its zone is that of Kolkata
START = datetime(2026, 11, 9, tzinfo=UTC)
WEEK = (START, START + timedelta(days=7))


def error(response: httpx.Response) -> tuple[int, int]:
    return response.status_code, response.json()["error"]["code"]


def seconds(*instants: datetime) -> tuple[int, ...]:
    return tuple(int(instant.timestamp()) for instant in instants)


def field(ask: Ask, name: str, start: datetime, end: datetime, rest: str, at: datetime = NOW) -> list[dict[str, Any]]:
    asked = f"{name}.start({seconds(start)[0]}).end({seconds(end)[0]}){rest}"
    body = ask("whatsapp", f"/v26.0/{WABA}", at=at, fields=asked).json()
    holder = body.get(name, {"data_points": []})
    points: list[dict[str, Any]] = holder.get("data_points") or holder["data"][0]["data_points"]
    return points


def messages(ask: Ask, start: datetime, end: datetime, kinds: str = "[0,2]", at: datetime = NOW) -> dict[str, int]:
    points = field(ask, "analytics", start, end, f".granularity(DAY).product_types({kinds})", at)
    return {name: sum(point[name] for point in points) for name in ("sent", "delivered")}


def templates(ask: Ask, at: datetime = NOW) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        path = f"/v26.0/{WABA}/message_templates"
        body = ask("whatsapp", path, at=at, fields="id,name,status,category,language", limit=10, **after).json()
        found += body["data"]
        if "next" not in body["paging"]:
            return found
        after = {"after": body["paging"]["cursors"]["after"]}


def analytics(ask: Ask, ids: list[str], at: datetime = NOW, days: tuple[datetime, datetime] = WEEK) -> httpx.Response:
    start, end = seconds(*days)
    asked = {"start": start, "end": end, "granularity": "DAILY", "template_ids": json.dumps(ids)}
    return ask("whatsapp", f"/v26.0/{WABA}/template_analytics", at=at, **asked)


def points(ask: Ask, ids: list[str], at: datetime = NOW) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = analytics(ask, ids, at).json()["data"][0]["data_points"]
    return found


def test_days_add_up_to_the_window_and_steps_shrink(ask: Ask) -> None:
    days = [messages(ask, START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(7)]
    week = messages(ask, *WEEK)
    assert week == {name: sum(day[name] for day in days) for name in week}
    assert 0 < week["delivered"] < week["sent"]
    outside, inside = messages(ask, *WEEK, "[0]"), messages(ask, *WEEK, "[2]")
    assert {name: outside[name] + inside[name] for name in week} == week


def test_points_begin_at_midnights_of_the_accounts_zone_newest_first(ask: Ask) -> None:
    found = field(ask, "analytics", *WEEK, ".granularity(DAY)")
    starts = [point["start"] for point in found]
    assert starts == sorted(starts, reverse=True)
    body = ask("whatsapp", f"/v26.0/{WABA}", fields="currency,timezone_id").json()
    assert (body["currency"], body["timezone_id"]) == ("USD", "71")
    assert {start % 86_400 for start in starts} == {18 * 3_600 + 1_800}


def test_pricing_counts_what_was_delivered(ask: Ask) -> None:
    found = field(ask, "pricing_analytics", *WEEK, '.granularity(DAILY).metric_types(["COST","VOLUME"])')
    assert sum(point["volume"] for point in found) == messages(ask, *WEEK)["delivered"]
    assert {point["pricing_category"] for point in found} == {"MARKETING", "SERVICE"}
    assert [point["start"] for point in found] != sorted(point["start"] for point in found)


def test_templates_add_up_to_the_accounts_template_messages(ask: Ask) -> None:
    ids = [str(one["id"]) for one in templates(ask)]
    assert len(ids) == len(set(ids)) == 24
    sent = 0
    for first in range(0, len(ids), 10):
        asked, after = ids[first : first + 10], "0"
        while after:
            start, end = seconds(*WEEK)
            params = {"start": start, "end": end, "granularity": "DAILY", "template_ids": json.dumps(asked)}
            body = ask("whatsapp", f"/v26.0/{WABA}/template_analytics", after=after, **params).json()
            sent += sum(point["sent"] for point in body["data"][0]["data_points"])
            after = body["paging"]["cursors"]["after"] if "next" in body["paging"] else ""
    # the account's older templates are gone, and with them the little that they still sent
    assert 0.9 * messages(ask, *WEEK, "[0]")["sent"] < sent <= messages(ask, *WEEK, "[0]")["sent"]


def test_reads_and_clicks_shrink_after_a_week_and_are_forgotten(ask: Ask) -> None:
    ids = [str(one["id"]) for one in templates(ask)[4:14]]
    newest = points(ask, ids, at=NOW)[0]
    end = datetime.fromtimestamp(newest["end"], UTC)
    key = (newest["template_id"], newest["start"])

    def at(age: timedelta) -> dict[str, Any]:
        return next(p for p in points(ask, ids, at=end + age) if (p["template_id"], p["start"]) == key)

    young, half, old = at(timedelta(days=3)), at(timedelta(days=6, hours=12)), at(timedelta(days=7))
    assert young["read"] > half["read"] > old["read"] == 0
    assert young["sent"] == half["sent"] == old["sent"] > 0
    buttons = [p for p in points(ask, ids, at=end + timedelta(days=3)) if "clicked" in p]
    assert {c["type"] for p in buttons for c in p["clicked"]} == {
        "quick_reply_button",
        "url_button",
        "unique_url_button",
    }


def test_young_days_are_low_and_restated_ones_change(ask: Ask, server: SandboxServer) -> None:
    day = (datetime(2026, 11, 9, 18, 30, tzinfo=UTC), datetime(2026, 11, 10, 18, 30, tzinfo=UTC))
    seen = [messages(ask, *day, at=day[1] + timedelta(hours=h))["sent"] for h in (1, 48, 100)]
    assert seen[0] < seen[1] == seen[2]
    server.faults.switch_on("whatsapp", WABA, "restated", day="2026-11-10", factor=3, since=NOW)
    assert messages(ask, *day, at=NOW + timedelta(hours=1))["sent"] == 3 * seen[2]


def test_deleted_templates_missing_costs_and_unconfirmed_insights(ask: Ask, server: SandboxServer) -> None:
    gone, kept = (str(one["id"]) for one in templates(ask)[2:4])
    server.faults.switch_on("whatsapp", WABA, "deleted_post", post_id=gone)
    assert gone not in {one["id"] for one in templates(ask)}
    assert error(ask("whatsapp", f"/v26.0/{gone}", fields="id")) == (400, 100)
    assert error(analytics(ask, [kept, gone])) == (400, 100)
    server.faults.switch_on("whatsapp", WABA, "refused_metric", metric="COST")
    assert not any("cost" in point for point in points(ask, [kept]))
    priced = field(ask, "pricing_analytics", *WEEK, ".granularity(DAILY)")
    assert priced
    assert not any("cost" in point for point in priced)
    server.faults.switch_on("whatsapp", WABA, "refused_metric", metric="template_analytics")
    assert error(analytics(ask, [kept])) == (400, 200007)


def test_throttling_tells_the_minutes_in_the_business_header(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("whatsapp", WABA, "throttled", reset_seconds=600)
    response = ask("whatsapp", f"/v26.0/{WABA}", fields="id")
    assert error(response) == (400, 80008)
    usage = json.loads(response.headers["x-business-use-case-usage"])[WABA][0]
    assert usage["estimated_time_to_regain_access"] == 10


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        (f"/v26.0/{WABA}", {"fields": "shoe_size"}, 100),
        (f"/v26.0/{WABA}", {"fields": "analytics.start(1).end(2).granularity(DAY)"}, 100),
        (f"/v26.0/{WABA}", {"fields": "analytics.start(1794000000).end(1794086400).granularity(DAILY)"}, 100),
        (f"/v26.0/{WABA}", {"fields": "pricing_analytics.start(1794000000).end(1794086400).granularity(DAY)"}, 100),
        (f"/v26.0/{WABA}/friends", {}, 2500),
        (f"/v26.0/{WABA}/template_analytics", {"template_ids": "[]", "granularity": "DAILY"}, 100),
        ("/v26.0/missing-1", {"fields": "id"}, 100),
    ],
)
def test_what_is_refused(ask: Ask, path: str, parameters: dict[str, str], code: int) -> None:
    assert error(ask("whatsapp", path, **parameters)) == (400, code)


def test_no_more_than_ten_templates_and_ninety_days(ask: Ask) -> None:
    ids = [str(one["id"]) for one in templates(ask)]
    assert analytics(ask, ids[:10]).status_code == 200
    assert error(analytics(ask, ids[:11])) == (400, 100)
    assert error(analytics(ask, ids[:1], days=(NOW - timedelta(days=100), NOW))) == (400, 100)
