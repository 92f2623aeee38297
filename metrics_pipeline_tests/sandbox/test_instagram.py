"""Instagram as the sandbox plays it: shapes, paging, windows and refusals."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

IG = "17841400000000001"
TOTALS = "views,likes,comments,saves,shares,replies,total_interactions,reposts,profile_views,website_clicks"
FEED = "reach,views,likes,comments,saved,shares,total_interactions,profile_visits,follows"
REELS = "reach,views,likes,comments,saved,shares,total_interactions,reposts,ig_reels_avg_watch_time,reels_skip_rate"
STORY = "reach,views,replies,shares,total_interactions,profile_visits,follows"


def error(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


def whole_list(ask: Ask, **parameters: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    after: dict[str, object] = {}
    while True:
        body = ask("instagram", f"/v26.0/{IG}/media", **parameters, **after).json()
        found += body["data"]
        if "next" not in body.get("paging", {}):
            return found
        assert "access_token=" in body["paging"]["next"]
        after = {"after": body["paging"]["cursors"]["after"]}


def totals(ask: Ask, start: datetime, end: datetime, names: str = TOTALS, at: datetime = NOW) -> dict[str, int]:
    body = ask(
        "instagram",
        f"/v26.0/{IG}/insights",
        at=at,
        metric=names,
        period="day",
        metric_type="total_value",
        since=int(start.timestamp()),
        until=int(end.timestamp()),
    ).json()
    return {entry["name"]: entry["total_value"]["value"] for entry in body["data"]}


def test_the_profile_has_the_fields_asked_for_and_the_version_that_answered(ask: Ask) -> None:
    answer = ask("instagram", f"/v26.0/{IG}", fields="username,followers_count,media_count")
    assert set(answer.json()) == {"id", "username", "followers_count", "media_count"}
    assert answer.headers["facebook-api-version"] == "v26.0"
    assert ask("instagram", f"/{IG}").json() == {"id": IG}


def test_the_media_list_pages_to_its_end(ask: Ask) -> None:
    count = ask("instagram", f"/v26.0/{IG}", fields="media_count").json()["media_count"]
    media = whole_list(ask, fields="id,timestamp,media_product_type", limit=100)
    assert len(media) == count == len({str(item["id"]) for item in media})
    stamps = [str(item["timestamp"]) for item in media]
    assert stamps == sorted(stamps, reverse=True)
    assert {item["media_product_type"] for item in media} == {"FEED", "REELS"}


def test_the_media_list_can_be_cut_by_time(ask: Ask) -> None:
    since = int((NOW - timedelta(days=35)).timestamp())
    recent = whole_list(ask, fields="id,timestamp", limit=4, since=since)
    assert 5 <= len(recent) <= 25
    assert all(datetime.fromisoformat(str(item["timestamp"])).timestamp() >= since for item in recent)


def test_a_story_lives_for_a_day(ask: Ask) -> None:
    start = NOW - timedelta(days=60)
    for hours in range(0, 60 * 24, 6):
        at = start + timedelta(hours=hours)
        found = ask("instagram", f"/v26.0/{IG}/stories", at=at, fields="id,timestamp,media_product_type").json()["data"]
        if found:
            break
    story = found[0]
    assert story["media_product_type"] == "STORY"
    published = datetime.fromisoformat(story["timestamp"])
    path = f"/v26.0/{story['id']}/insights"
    late = published + timedelta(hours=23)
    assert {entry["name"] for entry in ask("instagram", path, at=late, metric=STORY).json()["data"]} == set(
        STORY.split(",")
    )
    navigation = ask("instagram", path, at=late, metric="navigation", breakdown="story_navigation_action_type").json()
    total = navigation["data"][0]["total_value"]
    assert sum(result["value"] for result in total["breakdowns"][0]["results"]) == total["value"]
    assert error(ask("instagram", path, at=published + timedelta(hours=25), metric=STORY))[:2] == (400, 100)
    assert error(ask("instagram", path, at=published, metric=STORY))[1] == 10


def test_media_insights_fit_the_product_type(ask: Ask) -> None:
    media = whole_list(
        ask, fields="id,media_product_type,like_count", limit=100, since=int(NOW.timestamp()) - 2_592_000
    )
    for item in media:
        wanted = FEED if item["media_product_type"] == "FEED" else REELS
        answer = ask("instagram", f"/v26.0/{item['id']}/insights", metric=wanted).json()["data"]
        values = {entry["name"]: entry["values"][0]["value"] for entry in answer}
        assert values["likes"] == item["like_count"]
        assert values["total_interactions"] == sum(values[n] for n in ("likes", "comments", "saved", "shares"))
        assert 0 <= values["reach"] <= values["views"]
        wrong = "ig_reels_avg_watch_time" if item["media_product_type"] == "FEED" else "profile_visits"
        status, code, message = error(ask("instagram", f"/v26.0/{item['id']}/insights", metric=f"{wanted},{wrong}"))
        assert (status, code) == (400, 100)
        assert f"does not support the {wrong} metric" in message
        assert error(ask("instagram", f"/v26.0/{item['id']}/insights", metric="facebook_views"))[1] == -1


def test_days_sum_to_the_week_and_posts_sum_to_the_account(ask: Ask) -> None:
    start = datetime(2026, 11, 1, 8, tzinfo=UTC)
    days = [totals(ask, start + timedelta(days=n), start + timedelta(days=n + 1)) for n in range(7)]
    week = totals(ask, start, start + timedelta(days=7))
    assert week == {name: sum(day[name] for day in days) for name in week}
    assert week["total_interactions"] == sum(week[n] for n in ("likes", "comments", "saves", "shares", "replies"))


def test_reach_of_a_week_lies_between_its_best_day_and_their_sum(ask: Ask) -> None:
    start = datetime(2026, 11, 1, 8, tzinfo=UTC)
    names = "reach,views"
    days = [totals(ask, start + timedelta(days=n), start + timedelta(days=n + 1), names) for n in range(7)]
    week = totals(ask, start, start + timedelta(days=7), names)
    assert max(day["reach"] for day in days) <= week["reach"] < sum(day["reach"] for day in days)
    assert all(day["reach"] <= day["views"] for day in days)


def test_the_reach_series_is_the_one_day_total_of_the_pacific_day_that_ends_at_end_time(ask: Ask) -> None:
    body = ask(
        "instagram",
        f"/v26.0/{IG}/insights",
        metric="reach",
        period="day",
        since="2026-10-28T07:00:00Z",
        until="2026-11-10T08:00:00Z",
    ).json()
    values = body["data"][0]["values"]
    assert len(values) == 13
    assert {datetime.fromisoformat(v["end_time"]).hour for v in values} == {7, 8}
    ends = [datetime(2026, 10, 28, 7, tzinfo=UTC), *(datetime.fromisoformat(v["end_time"]) for v in values)]
    for (start, end), value in zip(itertools.pairwise(ends), values, strict=True):
        assert totals(ask, start, end, "reach")["reach"] == value["value"]


def test_recent_days_are_low_first_and_final_two_days_later(ask: Ask) -> None:
    start = datetime(2026, 11, 10, 8, tzinfo=UTC)
    end = start + timedelta(days=1)
    seen = [totals(ask, start, end, "views", at=end + timedelta(hours=h))["views"] for h in (-12, 0, 36, 48, 300)]
    assert seen == sorted(seen)
    assert seen[0] < seen[1] < seen[2] < seen[3] == seen[4]


def test_days_after_the_instant_asked_do_not_exist(ask: Ask) -> None:
    body = ask(
        "instagram",
        f"/{IG}/insights",
        metric="reach",
        period="day",
        since="2026-11-18T08:00:00Z",
        until="2026-11-27T08:00:00Z",
    ).json()
    assert [v["end_time"][:10] for v in body["data"][0]["values"]] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert totals(ask, NOW + timedelta(days=1), NOW + timedelta(days=2)) == {}


def test_follower_count_is_what_follows_and_unfollows_calls_followers(ask: Ask) -> None:
    window = {"period": "day", "since": "2026-11-01T08:00:00Z", "until": "2026-11-11T08:00:00Z"}
    series = ask("instagram", f"/{IG}/insights", metric="follower_count", **window).json()["data"][0]["values"]
    total = ask(
        "instagram",
        f"/{IG}/insights",
        metric="follows_and_unfollows",
        metric_type="total_value",
        breakdown="follow_type",
        **window,
    ).json()["data"][0]["total_value"]
    parts = {r["dimension_values"][0]: r["value"] for r in total["breakdowns"][0]["results"]}
    assert parts["FOLLOWER"] == sum(v["value"] for v in series)
    levels = [
        ask("instagram", f"/{IG}", at=window[edge], fields="followers_count").json()["followers_count"]
        for edge in ("since", "until")
    ]
    assert levels[1] - levels[0] == parts["FOLLOWER"] - parts["NON_FOLLOWER"]


def test_parts_by_product_add_up(ask: Ask) -> None:
    body = ask(
        "instagram",
        f"/{IG}/insights",
        metric="views",
        period="day",
        metric_type="total_value",
        breakdown="media_product_type",
        since="2026-11-01",
        until="2026-11-15",
    ).json()
    total = body["data"][0]["total_value"]
    assert sum(result["value"] for result in total["breakdowns"][0]["results"]) == total["value"] > 0


def test_insights_paging_never_ends(ask: Ask) -> None:
    paging = ask("instagram", f"/{IG}/insights", metric="reach", period="day").json()["paging"]
    assert {"previous", "next"} == set(paging)
    assert f"since={int(NOW.timestamp())}" in paging["next"]


@pytest.mark.parametrize(
    ("parameters", "fragment"),
    [
        ({"metric": "impressions", "period": "day"}, "must be one of the following values"),
        ({"period": "day"}, "metric is required"),
        ({"metric": "views", "period": "day"}, "metric_type=total_value"),
        ({"metric": "reach,views", "period": "day"}, "metric_type=total_value"),
        ({"metric": "reach,follower_count", "period": "day", "metric_type": "total_value"}, "follower_count"),
        ({"metric": "reach", "period": "lifetime"}, "incompatible"),
        (
            {"metric": "likes", "period": "day", "metric_type": "total_value", "breakdown": "follow_type"},
            "Incompatible",
        ),
        ({"metric": "reach", "period": "day", "since": "2026-10-01", "until": "2026-11-01"}, "more than 30 days"),
        ({"metric": "reach", "period": "day", "since": "2026-11-02", "until": "2026-11-01"}, "before"),
        ({"metric": "follower_count", "period": "day", "since": "2026-10-01", "until": "2026-10-20"}, "last 30 days"),
    ],
)
def test_account_insights_that_are_refused(ask: Ask, parameters: dict[str, str], fragment: str) -> None:
    status, code, message = error(ask("instagram", f"/v26.0/{IG}/insights", **parameters))
    assert (status, code) == (400, 100)
    assert fragment in message


def test_unknown_things_are_refused(ask: Ask) -> None:
    assert error(ask("instagram", "/v26.0/missing-1", fields="id"))[:2] == (400, 100)
    assert error(ask("instagram", f"/v26.0/{IG}", fields="shoe_size"))[1] == 100
    assert error(ask("instagram", f"/v26.0/{IG}/media", fields="view_count"))[1] == 36104
    assert error(ask("instagram", f"/v26.0/{IG}/friends"))[1] == 2500
    assert error(ask("instagram", f"/v26.0/{IG}/media", after="nonsense"))[1] == 100
    assert error(ask("instagram", f"/v26.0/{IG}", token=None))[0] == 401
