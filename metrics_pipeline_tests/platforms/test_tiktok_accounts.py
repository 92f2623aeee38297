"""TikTok's Accounts API: blanks that are no zeros, groups of fields, frozen videos, sixty days of series."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import DAY, Window
from metrics_pipeline_tests.platforms.loopback import NOW, TOKEN, Asked, Loopback, Reply
from metrics_pipeline_tests.platforms.tiktok_server import BUSINESS_VIDEOS, TikTokServer, counters, series


def test_accounts_sends_the_bare_token_and_fields_as_json(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1")
    turn = counters(loopback, "accounts", known=("9",))
    assert turn.error is None
    assert {a.headers["access-token"] for a in loopback.asked} == {TOKEN}
    assert not any("authorization" in a.headers for a in loopback.asked)
    assert {a.params["business_id"] for a in loopback.asked} == {"17001"}
    assert "followers_count" in json.loads(loopback.asked[0].params["fields"])
    assert json.loads(loopback.asked[2].params["filters"]) == {"video_ids": ["9"]}
    assert TOKEN not in repr(turn.result)


def test_accounts_numbers_of_a_video(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1")
    turn = counters(loopback, "accounts")
    assert turn.outcome("account", "posts_count").state is State.UNKNOWN
    assert (turn.value("saves", "1"), turn.value("reach", "1"), turn.value("watch_time_seconds", "1")) == (9, 700, 9000)
    rate = turn.readings("full_watch_rate", "1")[0]
    assert (rate.value, rate.numerator, rate.denominator) == (0.25, 250, 1000)
    assert turn.value("full_watches", "1") == 250
    assert turn.readings("views", "1")[0].definition_version == 2
    assert counters(loopback).readings("views", "1")[0].definition_version == 1


@pytest.mark.parametrize("blank", ["", None])
def test_blank_numbers_are_unknown_and_not_zero(loopback: Loopback, tiktok: TikTokServer, blank: object) -> None:
    tiktok.add("1", reach=blank, total_time_watched=blank, full_video_watched_rate=blank)
    turn = counters(loopback, "accounts")
    assert turn.value("views", "1") == 1000
    for metric in ("reach", "watch_time_seconds", "full_watch_rate", "full_watches"):
        assert turn.value(metric, "1") is None
        assert turn.outcome("post", metric).state is State.UNKNOWN
        assert "blank" in (turn.outcome("post", metric).reason or "")


@pytest.mark.parametrize(("unit", "raw", "share"), [("percent", 25, 0.25), ("share", 25, None), ("share", 0, 0)])
def test_the_unit_of_the_watched_rate_is_a_setting(
    loopback: Loopback, tiktok: TikTokServer, unit: str, raw: float, share: float | None
) -> None:
    tiktok.add("1", full_video_watched_rate=raw)
    turn = counters(loopback, "accounts", tiktok_watched_rate=unit)
    assert turn.value("full_watch_rate", "1") == share
    assert bool(turn.result.unknown_fields) == (share is None)


def test_a_video_older_than_a_year_is_frozen_and_not_read(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1", days_ago=364)
    tiktok.add("2", days_ago=366)
    turn = counters(loopback, "accounts", known=("2",), post_age=timedelta(days=500))
    assert turn.value("views", "1") == 1000
    assert turn.value("views", "2") is None
    assert "freezes" in (turn.outcome("post", "views").reason or "")
    assert not any(p.deleted for p in turn.result.posts)


def test_scopes_an_account_has_not_cost_their_group_only(loopback: Loopback, tiktok: TikTokServer) -> None:
    def personal(asked: Asked) -> Reply | None:
        refused = asked.path == BUSINESS_VIDEOS and "new_followers" in asked.params["fields"]
        return Reply({"code": 40001, "message": "No permission for this data", "data": {}}) if refused else None

    tiktok.add("1")
    tiktok.unusual = personal
    turn = counters(loopback, "accounts")
    assert turn.outcome("post", "follows").state is State.NOT_PERMITTED
    assert turn.value("reach", "1") == 700
    assert turn.value("watch_time_seconds", "1") == 9000


ROW: dict[str, object] = {
    "video_views": 100, "likes": 9, "comments": 0, "shares": 1, "profile_views": 4, "followers_count": 900,
    "unique_video_views": 60, "engaged_audience": 8, "daily_new_followers": 5, "daily_lost_followers": 2,
    "bio_link_clicks": 0, "email_clicks": 0, "phone_number_clicks": 0, "address_clicks": 0, "app_download_clicks": 0,
    "lead_submissions": 0,
}  # fmt: skip


def test_days_are_read_in_one_request_and_the_missing_ones_explained(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.rows = {f"2026-11-{day}": dict(ROW) for day in (12, 13, 15)}
    tiktok.rows["2026-11-13"]["unique_video_views"] = ""
    turn = series(loopback)
    assert turn.error is None
    assert len(loopback.asked) == 1
    assert (loopback.asked[0].params["start_date"], loopback.asked[0].params["end_date"]) == (
        "2026-11-12",
        "2026-11-18",
    )
    assert {r.date.day: r.value for r in turn.readings("views")} == {12: 100, 13: 100, 15: 100}
    assert {r.date.day for r in turn.readings("reach")} == {12, 15}
    assert {r.definition_version for r in turn.readings("views")} == {2}  # as the videos' own views, see there
    assert turn.outcome("account", "comments", "2026-11-12").state is State.ZERO
    assert "blank" in (turn.outcome("account", "reach", "2026-11-13").reason or "")
    assert turn.outcome("account", "views", "2026-11-14").reason == "TikTok has no figure for this day"
    late = turn.outcome("account", "views", "2026-11-18")
    assert late.state is State.UNKNOWN
    assert "not ready" in (late.reason or "")
    assert turn.result.unknown_fields == set()


def test_no_more_than_sixty_days_back_are_asked(loopback: Loopback, tiktok: TikTokServer) -> None:
    turn = series(loopback, Window.of_days(date(2026, 9, 1), NOW.date() + DAY))
    bounds = [(a.params["start_date"], a.params["end_date"]) for a in loopback.asked]
    assert bounds == [("2026-09-22", "2026-11-20")]
    assert turn.outcome("account", "views", "2026-09-21").reason == "older than the platform keeps"
    loopback.asked.clear()
    assert series(loopback, Window.of_days(date(2026, 9, 1), date(2026, 9, 10))).error is None
    assert loopback.asked == []


def test_refused_series_go_group_by_group(loopback: Loopback, tiktok: TikTokServer) -> None:
    def basic_only(asked: Asked) -> Reply | None:
        refused = "engaged_audience" in asked.params["fields"] or "bio_link_clicks" in asked.params["fields"]
        return Reply({"code": 40001, "message": "No permission", "data": {}}) if refused else None

    tiktok.rows = {"2026-11-12": ROW}
    tiktok.unusual = basic_only
    turn = series(loopback)
    assert turn.error is None
    assert len(loopback.asked) == 3
    assert turn.value("views") == 100
    assert turn.outcome("account", "reach", "2026-11-12").state is State.NOT_PERMITTED
    assert turn.outcome("account", "website_clicks", "2026-11-12").state is State.NOT_PERMITTED


@pytest.mark.parametrize(
    ("code", "act", "calls"), [(40105, Act.REAUTH, 1), (40100, Act.WAIT, 4), (40110, Act.REAUTH, 1)]
)
def test_a_lost_account_says_why(loopback: Loopback, tiktok: TikTokServer, code: int, act: Act, calls: int) -> None:
    tiktok.unusual = lambda _asked: Reply({"code": code, "message": "text", "data": {}})
    for turn in (series(loopback), counters(loopback, "accounts")):
        assert turn.error is not None
        assert turn.error.act is act
    assert len(loopback.asked) == 2 * calls


def test_a_new_field_is_reported(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1")
    tiktok.unusual = lambda asked: Reply(
        {"code": 0, "message": "OK", "data": {"metrics": [{"date": "2026-11-12", "video_views": 1, "moods": 2}]}}
    )
    turn = series(loopback)
    assert turn.result.unknown_fields == {"business_days.data.metrics[].moods"}
    assert turn.value("views") == 1
