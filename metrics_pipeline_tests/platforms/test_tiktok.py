"""TikTok's Display API, and what its two APIs share: pages that may be empty, known videos, failures inside a 200."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline_tests.platforms.loopback import NOW, TOKEN, Asked, Loopback, Reply, settings_for, take_turn
from metrics_pipeline_tests.platforms.tiktok_server import (
    BUSINESS_VIDEOS,
    LIST,
    QUERY,
    SEVEN_DAYS,
    USER,
    TikTokServer,
    counters,
    failed,
    seconds,
)

APIS = pytest.mark.parametrize("api", ["display", "accounts"])


def test_display_sends_fields_in_the_query_and_the_rest_in_a_body(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1")
    turn = counters(loopback, known=("9",))
    assert turn.error is None
    assert [(a.method, a.path) for a in loopback.asked] == [("GET", USER), ("POST", LIST), ("POST", QUERY)]
    assert {a.headers["authorization"] for a in loopback.asked} == {f"Bearer {TOKEN}"}
    assert loopback.asked[1].body == {"max_count": 20}
    assert "view_count" in loopback.asked[1].params["fields"].split(",")
    assert loopback.asked[2].body == {"filters": {"video_ids": ["9"]}}
    assert [r.method for r in turn.result.responses] == ["GET", "POST", "POST"]
    assert json.loads(turn.result.responses[2].params["body"]) == {"filters": {"video_ids": ["9"]}}
    assert TOKEN not in repr(turn.result)


def test_display_gives_levels_and_counters_and_says_what_it_lacks(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.add("1")
    turn = counters(loopback)
    levels = {r.metric: r.value for r in turn.result.readings if r.level == "account"}
    assert levels == {"followers": 900, "following": 0, "likes_total": 7000, "posts_count": 3}
    assert {r.metric: r.value for r in turn.result.readings if r.post_id == "1"} == {
        "views": 1000, "likes": 80, "comments": 0, "shares": 5
    }  # fmt: skip
    assert turn.outcome("post", "comments").state is State.ZERO
    assert turn.outcome("post", "saves").state is State.NOT_SUPPORTED
    post = turn.result.posts[0]
    assert (post.title, post.duration_seconds, post.post_type) == ("words", 30, "video")
    assert post.published_at == datetime.fromtimestamp(seconds(5), NOW.tzinfo)


def test_display_has_no_series_and_asks_for_none(loopback: Loopback, tiktok: TikTokServer) -> None:
    turn = take_turn("tiktok", settings_for(loopback, "tiktok"), window=SEVEN_DAYS)
    assert loopback.asked == []
    assert {o.state for o in turn.result.outcomes} == {State.NOT_SUPPORTED}
    assert {o.date for o in turn.result.outcomes} == set(SEVEN_DAYS.days())


def test_a_token_of_another_account_writes_nothing(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.user["open_id"] = "17002"
    turn = counters(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.REAUTH
    assert turn.result.readings == []


@APIS
def test_empty_and_short_pages_do_not_end_a_list(loopback: Loopback, tiktok: TikTokServer, api: str) -> None:
    tiktok.add("1")
    tiktok.pages += [[], ["1"], []]
    tiktok.add("2", days_ago=30)
    turn = counters(loopback, api)
    assert sorted(p.post_id for p in turn.result.posts) == ["1", "2"]
    assert len(turn.readings("views", "1")) == 1
    assert turn.outcome("post", "views").objects_ok == 2


@APIS
def test_a_list_ends_with_the_posts_that_are_too_old(loopback: Loopback, tiktok: TikTokServer, api: str) -> None:
    tiktok.add("pinned", days_ago=300)
    tiktok.add("1")
    tiktok.pages.append([])
    tiktok.add("old", days_ago=36)
    tiktok.pages.append([])
    tiktok.add("older", days_ago=400)
    turn = counters(loopback, api)
    assert [p.post_id for p in turn.result.posts] == ["1"]
    assert len([path for path in loopback.paths() if path in (LIST, BUSINESS_VIDEOS)]) == 2


@APIS
def test_a_list_that_goes_nowhere_is_an_error_and_no_loop(loopback: Loopback, tiktok: TikTokServer, api: str) -> None:
    more = {"videos": [], "has_more": True}
    body: dict[str, object] = {"data": more, "error": {"code": "ok"}} if api == "display" else {"data": more, "code": 0}
    tiktok.unusual = lambda asked: Reply(body) if asked.path in (LIST, BUSINESS_VIDEOS) else None
    turn = counters(loopback, api, known=("1", "2"))
    assert turn.error is None
    assert turn.outcome("post", "views").state is State.FAILED
    assert turn.outcome("post", "views").error_class == "config"
    assert turn.value("followers") == 900
    assert turn.result.posts == []


@APIS
def test_known_videos_are_looked_up_twenty_at_a_time_and_the_missing_are_tombstones(
    loopback: Loopback, tiktok: TikTokServer, api: str
) -> None:
    for number in range(100, 141):
        tiktok.add(str(number), days_ago=20)
    tiktok.pages = [["100"]]
    del tiktok.videos["120"]
    turn = counters(loopback, api, known=tuple(str(n) for n in range(100, 141)))
    assert [p.post_id for p in turn.result.posts if p.deleted] == ["120"]
    assert len(turn.result.readings) == 4 + 40 * 4 if api == "display" else len(turn.result.readings) > 160
    lookups = [a for a in loopback.asked if a.path == QUERY or "filters" in a.params]
    assert len(lookups) == 2


@APIS
def test_videos_that_are_all_gone_at_once_are_not_taken_for_deleted(
    loopback: Loopback, tiktok: TikTokServer, api: str
) -> None:
    turn = counters(loopback, api, known=("1", "2"))
    assert turn.result.posts == []
    assert turn.outcome("post", "views").state is State.NOT_PERMITTED


@APIS
@pytest.mark.parametrize("body", [{}, {"videos": []}])
def test_an_answer_without_a_verdict_deletes_nothing(
    loopback: Loopback, tiktok: TikTokServer, api: str, body: dict[str, object]
) -> None:
    tiktok.unusual = lambda asked: Reply(body) if asked.path in (LIST, QUERY, BUSINESS_VIDEOS) else None
    turn = counters(loopback, api, known=("1",))
    assert turn.result.posts == []
    assert turn.outcome("post", "views").state is State.FAILED


def test_an_error_inside_a_200_is_an_error(loopback: Loopback, tiktok: TikTokServer) -> None:
    tiktok.unusual = lambda asked: failed("internal_error", 200) if asked.path == LIST else None
    turn = counters(loopback)
    assert turn.value("followers") == 900
    assert turn.outcome("post", "views").state is State.FAILED
    assert loopback.paths().count(LIST) == 4


def test_a_missing_scope_costs_its_field_only(loopback: Loopback, tiktok: TikTokServer) -> None:
    def without_stats(asked: Asked) -> Reply | None:
        refused = asked.path == USER and "likes_count" in asked.params["fields"]
        return failed("scope_permission_missed", 400, "The app has no scope for likes_count") if refused else None

    tiktok.add("1")
    tiktok.unusual = without_stats
    turn = counters(loopback)
    assert turn.value("followers") == 900
    assert turn.outcome("account", "likes_total").state is State.NOT_SUPPORTED
    assert turn.value("views", "1") == 1000
