"""Threads as the sandbox plays it: profile views by day, totals of a window, reposts without numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

USER = "2600000001"
POST = "views,likes,replies,reposts,quotes,shares"
TOTALS = "likes,replies,reposts,quotes"
START = datetime(2026, 11, 1, 7, tzinfo=UTC)


def error(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


def totals(ask: Ask, start: datetime, end: datetime, names: str = TOTALS, at: datetime = NOW) -> dict[str, int]:
    window = {"since": int(start.timestamp()), "until": int(end.timestamp())}
    body = ask("threads", f"/v1.0/{USER}/threads_insights", at=at, metric=names, **window).json()
    return {entry["name"]: entry["total_value"]["value"] for entry in body["data"]}


def posts(ask: Ask, at: datetime = NOW) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    after: dict[str, object] = {}
    while True:
        fields = "id,media_type,timestamp,text,is_quote_post"
        path = f"/v1.0/{USER}/threads"
        body = ask("threads", path, at=at, fields=fields, limit=7, since="2026-08-01", **after).json()
        found += body["data"]
        if "next" not in body.get("paging", {}):
            return found
        after = {"after": body["paging"]["cursors"]["after"]}


def lifetime(ask: Ask, post_id: object, at: datetime = NOW) -> dict[str, int]:
    body = ask("threads", f"/v1.0/{post_id}/insights", at=at, metric=POST).json()
    return {entry["name"]: entry["values"][0]["value"] for entry in body["data"]}


def test_days_add_up_to_the_window_and_posts_to_the_profile(ask: Ask) -> None:
    edges = [START + timedelta(days=n) for n in range(8)]
    days = [totals(ask, edges[n], edges[n + 1]) for n in range(7)]
    week = totals(ask, edges[0], edges[7])
    assert week == {name: sum(day[name] for day in days) for name in week}
    gained = dict.fromkeys(week, 0)
    for sign, at in ((-1, edges[0]), (1, edges[7])):
        for post in posts(ask, at):
            numbers = lifetime(ask, post["id"], at)
            gained = {name: count + sign * numbers.get(name, 0) for name, count in gained.items()}
    assert week == gained
    assert week["likes"] > 0


def test_profile_views_are_points_that_end_at_pacific_midnights(ask: Ask) -> None:
    window = {"since": "2026-10-30T07:00:00Z", "until": "2026-11-30T08:00:00Z"}
    body = ask("threads", f"/v1.0/{USER}/threads_insights", metric="views", **window).json()
    ends = [datetime.fromisoformat(point["end_time"]) for point in body["data"][0]["values"]]
    assert {end.hour for end in ends} == {7, 8}
    assert (ends[0].day, ends[-1]) == (31, datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert "access_token=" in body["paging"]["next"]


def test_clicks_come_by_link_and_followers_ignore_the_window(ask: Ask) -> None:
    asked = {"metric": "clicks,followers_count", "since": "2026-11-01", "until": "2026-11-15"}
    clicks, followers = ask("threads", f"/v1.0/{USER}/threads_insights", **asked).json()["data"]
    assert sum(link["value"] for link in clicks["link_total_values"]) > 0
    assert len({link["link_url"] for link in clicks["link_total_values"]}) == 2
    now = ask("threads", f"/v1.0/{USER}/threads_insights", metric="followers_count").json()["data"][0]
    assert now["total_value"] == followers["total_value"]


def test_reposts_are_listed_and_have_no_numbers(ask: Ask) -> None:
    listed = posts(ask)
    reposts = [post for post in listed if post["media_type"] == "REPOST_FACADE"]
    assert reposts
    assert all(lifetime(ask, post["id"]) == {} and "text" not in post for post in reposts)
    own = next(post for post in listed if post["media_type"] != "REPOST_FACADE")
    assert set(lifetime(ask, own["id"])) == set(POST.split(","))


def test_young_days_are_low_and_restated_ones_change_from_an_instant_on(ask: Ask, server: SandboxServer) -> None:
    start, end = START + timedelta(days=4), START + timedelta(days=5)
    seen = [totals(ask, start, end, "likes", at=end + timedelta(hours=h))["likes"] for h in (0, 48, 100)]
    assert seen[0] < seen[1] == seen[2]
    server.faults.switch_on("threads", USER, "restated", day="2026-11-05", factor=3, since=NOW)
    day = datetime(2026, 11, 5, 8, tzinfo=UTC)
    before, after = (
        totals(ask, day, day + timedelta(days=1), "likes", at=NOW + timedelta(hours=h))["likes"] for h in (-1, 1)
    )
    assert after == 3 * before > 0


def test_deleted_posts_and_refused_metrics(ask: Ask, server: SandboxServer) -> None:
    gone = str(posts(ask)[2]["id"])
    server.faults.switch_on("threads", USER, "deleted_post", post_id=gone)
    assert gone not in {post["id"] for post in posts(ask)}
    assert error(ask("threads", f"/v1.0/{gone}", fields="id"))[:2] == (400, 100)
    server.faults.switch_on("threads", USER, "refused_metric", metric="quotes")
    refused = error(ask("threads", f"/v1.0/{USER}/threads_insights", metric="likes,quotes"))
    assert "metric[1] must be one of" in refused[2]


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        (f"/v1.0/{USER}/threads_insights", {}, 100),
        (f"/v1.0/{USER}/threads_insights", {"metric": "reach"}, 100),
        (f"/v1.0/{USER}/threads_insights", {"metric": "likes", "since": "2024-04-01", "until": "2024-05-01"}, 100),
        (f"/v1.0/{USER}/friends", {}, 2500),
        (f"/v1.0/{USER}", {"fields": "shoe_size"}, 100),
        ("/v1.0/missing-1", {"fields": "id"}, 100),
    ],
)
def test_what_is_refused(ask: Ask, path: str, parameters: dict[str, str], code: int) -> None:
    assert error(ask("threads", path, **parameters))[:2] == (400, code)
