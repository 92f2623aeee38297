"""Facebook as the sandbox plays it: fields, paging, series by Pacific day, and refusals."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

PAGE = "1000400000000001"
FIELDS = "id,created_time,status_type,shares,reactions.summary(total_count).limit(0),comments.summary(total_count)"
SUMS = "page_media_view,page_post_engagements,page_views_total,page_video_view_time,page_daily_follows_unique"
WINDOW = {"since": "2026-10-28T07:00:00Z", "until": "2026-11-10T08:00:00Z"}


def error(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


def series(ask: Ask, names: str, at: datetime = NOW, **more: object) -> dict[str, dict[str, int]]:
    """Value by end_time of each metric."""
    body = ask("facebook", f"/v26.0/{PAGE}/insights", at=at, metric=names, **{"period": "day", **WINDOW, **more}).json()
    return {e["name"]: {v["end_time"]: v["value"] for v in e["values"]} for e in body["data"]}


def posts(ask: Ask, at: datetime = NOW, **more: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    after: dict[str, object] = {}
    while True:
        path = f"/v26.0/{PAGE}/published_posts"
        body = ask("facebook", path, at=at, fields=FIELDS, limit=5, since="2026-08-01", **more, **after).json()
        found += body["data"]
        if "next" not in body.get("paging", {}):
            return found
        after = {"after": body["paging"]["cursors"]["after"]}


def number(value: object, *path: str) -> int:
    """The number at a path of a JSON object; 0 where the path ends before it."""
    for name in path:
        assert isinstance(value, dict)
        value = value.get(name, 0)
        if value == 0:
            return 0
    assert isinstance(value, int)
    return value


def test_points_end_at_pacific_midnights_and_only_ended_days_have_one(ask: Ask) -> None:
    ends = [datetime.fromisoformat(end) for end in series(ask, "page_media_view")["page_media_view"]]
    assert len(ends) == 13
    assert {end.hour for end in ends} == {7, 8}
    late = series(ask, "page_media_view", since="2026-11-17T08:00:00Z", until="2026-11-27T08:00:00Z")
    assert [end[:10] for end in late["page_media_view"]] == ["2026-11-18", "2026-11-19", "2026-11-20"]


def test_the_days_of_the_page_add_up_to_what_its_posts_gained(ask: Ask) -> None:
    days = series(ask, SUMS)
    gained = {"reactions": 0, "comments": 0, "shares": 0}
    paths = {n: (n, "summary", "total_count") for n in ("reactions", "comments")} | {"shares": ("shares", "count")}
    for sign, edge in ((-1, "since"), (1, "until")):
        for post in posts(ask, datetime.fromisoformat(WINDOW[edge])):
            for name, path in paths.items():
                gained[name] += sign * number(post, *path)
    reactions: dict[str, object] = {**series(ask, "page_actions_post_reactions_total")}
    by_day = reactions["page_actions_post_reactions_total"]
    assert isinstance(by_day, dict)
    assert sum(number(parts, kind) for parts in by_day.values() for kind in parts) == gained["reactions"] > 0
    assert sum(days["page_post_engagements"].values()) > sum(gained.values())
    assert all(min(values.values()) >= 0 for values in days.values())


def test_follows_and_unfollows_lead_from_level_to_level(ask: Ask) -> None:
    found = series(ask, "page_follows,page_daily_follows_unique,page_daily_unfollows_unique")
    levels = list(found["page_follows"].values())
    changes = [
        gained - lost
        for gained, lost in zip(
            found["page_daily_follows_unique"].values(), found["page_daily_unfollows_unique"].values(), strict=True
        )
    ]
    assert [after - before for before, after in itertools.pairwise(levels)] == changes[1:]
    end = datetime.fromisoformat(list(found["page_follows"])[-1])
    page = ask("facebook", f"/{PAGE}", at=end, fields="name,followers_count").json()
    assert page["followers_count"] == levels[-1]


def test_weeks_roll_and_reach_less_than_their_days_together(ask: Ask) -> None:
    names = "page_media_view,page_total_media_view_unique,page_follows"
    days, weeks = series(ask, names), series(ask, names, period="week")
    assert "page_follows" not in weeks
    ends = list(days["page_media_view"])
    for place in range(6, len(ends)):
        seven = [days["page_media_view"][end] for end in ends[place - 6 : place + 1]]
        assert weeks["page_media_view"][ends[place]] == sum(seven)
        people = [days["page_total_media_view_unique"][end] for end in ends[place - 6 : place + 1]]
        assert max(people) <= weeks["page_total_media_view_unique"][ends[place]] < sum(people)


def test_without_a_period_a_metric_comes_once_per_period(ask: Ask) -> None:
    body = ask("facebook", f"/{PAGE}/insights", metric="page_media_view").json()
    assert [(e["period"], len(e["values"])) for e in body["data"]] == [("day", 2), ("week", 2), ("days_28", 2)]
    assert "access_token=" in body["paging"]["next"]


def test_young_days_are_low_first_and_final_two_days_later(ask: Ask) -> None:
    end = datetime(2026, 11, 10, 8, tzinfo=UTC)
    seen = [
        series(ask, "page_media_view", at=end + timedelta(hours=hours))["page_media_view"]["2026-11-10T08:00:00+0000"]
        for hours in (0, 36, 48, 240)
    ]
    assert seen[0] < seen[1] < seen[2] == seen[3]


def test_a_day_is_restated_from_an_instant_on(ask: Ask, server: SandboxServer) -> None:
    since = NOW - timedelta(days=1)
    server.faults.switch_on("facebook", PAGE, "restated", day="2026-11-05", factor=2, since=since)
    early, late = (series(ask, "page_media_view,page_follows", at=since + timedelta(hours=hours)) for hours in (-1, 1))
    changed = {end for end, value in late["page_media_view"].items() if value != early["page_media_view"][end]}
    assert changed == {"2026-11-06T08:00:00+0000"}
    assert late["page_follows"] == early["page_follows"]


def test_the_list_pages_to_its_end_and_leaves_out_what_was_deleted(ask: Ask, server: SandboxServer) -> None:
    listed = posts(ask)
    stamps = [str(post["created_time"]) for post in listed]
    assert stamps == sorted(stamps, reverse=True)
    assert {post["status_type"] for post in listed} >= {"added_photos", "added_video"}
    gone = str(listed[3]["id"])
    assert gone.startswith(f"{PAGE}_")
    server.faults.switch_on("facebook", PAGE, "deleted_post", post_id=gone)
    assert gone not in {post["id"] for post in posts(ask)}
    for path in (f"/{gone}", f"/{gone}/insights"):
        body = ask("facebook", path, metric="post_media_view").json()["error"]
        assert (body["code"], body["error_subcode"]) == (100, 33)


def test_video_metrics_are_left_out_for_other_posts_and_shares_while_there_are_none(ask: Ask) -> None:
    asked = "post_media_view,post_total_media_view_unique,post_video_avg_time_watched,post_reactions_by_type_total"
    for post in posts(ask)[:12]:
        body = ask("facebook", f"/{post['id']}/insights", metric=asked, period="lifetime").json()
        values = {entry["name"]: entry["values"][0]["value"] for entry in body["data"]}
        assert ("post_video_avg_time_watched" in values) == (post["status_type"] == "added_video")
        assert values["post_total_media_view_unique"] <= values["post_media_view"]
        assert sum(values["post_reactions_by_type_total"].values()) == number(
            post, "reactions", "summary", "total_count"
        )
        published = datetime.fromisoformat(str(post["created_time"]))
        assert "shares" not in ask("facebook", f"/{post['id']}", at=published, fields="shares").json()


@pytest.mark.parametrize(
    ("parameters", "code", "fragment"),
    [
        ({"metric": "page_media_view,page_impressions", "period": "day"}, 100, "must be a valid insights metric"),
        ({"period": "day"}, 3001, "No metric"),
        ({"metric": "page_media_view", "period": "hour"}, 100, "period must be"),
        ({"metric": "page_media_view", "since": "2026-07-01", "until": "2026-11-01"}, 100, "more than 93 days"),
        ({"metric": "page_media_view", "since": "2026-11-02", "until": "2026-11-01"}, 100, "before"),
    ],
)
def test_page_insights_that_are_refused(ask: Ask, parameters: dict[str, str], code: int, fragment: str) -> None:
    status, found, message = error(ask("facebook", f"/v26.0/{PAGE}/insights", **parameters))
    assert (status, found) == (400, code)
    assert fragment in message


def test_unknown_things_are_refused(ask: Ask) -> None:
    assert error(ask("facebook", "/v26.0/missing-1", fields="id"))[:2] == (400, 100)
    assert error(ask("facebook", f"/v26.0/{PAGE}", fields="shoe_size"))[1] == 100
    assert error(ask("facebook", f"/v26.0/{PAGE}/published_posts", fields="shoe_size"))[1] == 100
    assert error(ask("facebook", f"/v26.0/{PAGE}/friends"))[1] == 2500
    assert error(ask("facebook", f"/v26.0/{PAGE}", token=None))[0] == 401
    assert ask("facebook", f"/v26.0/{PAGE}/insights", metric="page_media_view", period="lifetime").json()["data"] == []
