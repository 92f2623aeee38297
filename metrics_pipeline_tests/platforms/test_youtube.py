"""YouTube: text counters, hidden figures, Pacific days that come late, and two definitions of a view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import DAY, Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

VALUES = {
    "views": 800, "engagedViews": 500, "likes": -2, "dislikes": 0, "comments": 3, "shares": 4, "subscribersGained": 6,
    "subscribersLost": 1, "videosAddedToPlaylists": 2, "videosRemovedFromPlaylists": 0, "estimatedMinutesWatched": 250,
    "averageViewDuration": 30, "averageViewPercentage": 44.5, "redViews": 70, "estimatedRedMinutesWatched": 20,
    "cardImpressions": 9, "cardClicks": 1,
}  # fmt: skip


def reason(status: int, name: str, message: str = "text") -> Reply:
    return Reply({"error": {"code": status, "message": message, "errors": [{"domain": "d", "reason": name}]}}, status)


class Channel:
    """A channel whose series are ready up to `last`."""

    def __init__(self) -> None:
        self.statistics: dict[str, object] = {
            "viewCount": "160361638", "subscriberCount": "1920000", "hiddenSubscriberCount": False, "videoCount": "0"
        }  # fmt: skip
        self.pages: list[list[tuple[str, str]]] = [[]]
        self.videos: dict[str, dict[str, object]] = {}
        self.last = "2026-11-17"
        self.unusual: Callable[[Asked], Reply | None] = lambda _asked: None

    def add(self, video_id: str, day: str = "2026-11-10", duration: str = "PT4M5S", **counts: str) -> None:
        self.pages[-1].append((video_id, day))
        snippet = {"title": f"video {video_id}", "publishedAt": f"{day}T20:00:00Z", "tags": ["a"]}
        statistics = {"viewCount": "10482", "likeCount": "377", "favoriteCount": "0", "commentCount": "41", **counts}
        details = {"duration": duration}
        self.videos[video_id] = {
            "id": video_id,
            "snippet": snippet,
            "statistics": statistics,
            "contentDetails": details,
        }

    def answer(self, asked: Asked) -> Reply:
        unusual = self.unusual(asked)
        if unusual is not None:
            return unusual
        if asked.path == "/youtube/v3/channels":
            details = {"relatedPlaylists": {"likes": "", "uploads": "UU1"}}
            item = {"kind": "youtube#channel", "id": "17001", "statistics": self.statistics, "contentDetails": details}
            return Reply({"kind": "k", "items": [item], "pageInfo": {}})
        if asked.path == "/youtube/v3/playlistItems":
            number = int(asked.params.get("pageToken", "0"))
            items = [
                {"contentDetails": {"videoId": i, "videoPublishedAt": f"{d}T20:00:00Z"}} for i, d in self.pages[number]
            ]
            more = {"nextPageToken": str(number + 1)} if number + 1 < len(self.pages) else {}
            return Reply({"items": items, **more})
        if asked.path == "/youtube/v3/videos":
            return Reply({"items": [self.videos[i] for i in asked.params["id"].split(",") if i in self.videos]})
        return self.report(asked)

    def report(self, asked: Asked) -> Reply:
        metrics = asked.params["metrics"].split(",")
        dimension = asked.params["dimensions"]
        headers = [{"name": n, "columnType": "X", "dataType": "X"} for n in [dimension, *metrics]]
        if dimension == "video":
            keys = [i for i in asked.params["filters"].removeprefix("video==").split(",") if i in self.videos]
        else:
            window = Window.of_days(
                date.fromisoformat(asked.params["startDate"]), date.fromisoformat(asked.params["endDate"]) + DAY
            )
            keys = [d.isoformat() for d in window.days() if d.isoformat() <= self.last]
        body: dict[str, object] = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": headers}
        return Reply(body | ({"rows": [[k, *(VALUES[m] for m in metrics)] for k in keys]} if keys else {}))


@pytest.fixture
def channel(loopback: Loopback) -> Channel:
    channel = Channel()
    loopback.answer = channel.answer
    return channel


def read(loopback: Loopback, known: tuple[str, ...] = (), at: str = "2026-11-20T10:00") -> Turn:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return take_turn("youtube", settings_for(loopback, "youtube"), known=known, now=now)


def series(loopback: Loopback, first: str, end: str, **settings: object) -> Turn:
    window = Window.of_days(date.fromisoformat(first), date.fromisoformat(end))
    return take_turn("youtube", settings_for(loopback, "youtube", **settings), window=window)


def reports(loopback: Loopback, dimension: str) -> list[Asked]:
    return [a for a in loopback.asked if a.params.get("dimensions") == dimension]


def test_counters_arrive_as_text_and_are_numbers_here(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1")
    channel.add("s1", duration="PT59S")
    turn = read(loopback)
    assert turn.error is None
    assert (turn.value("views"), turn.value("followers"), turn.value("posts_count")) == (160361638, 1920000, 0)
    assert turn.outcome("account", "posts_count").state is State.ZERO
    assert turn.readings("followers")[0].metadata == {"rounded": "down to three digits"}
    assert (turn.value("views", "v1"), turn.value("likes", "v1"), turn.value("comments", "s1")) == (10482, 377, 41)
    assert {p.post_id: (p.post_type, p.duration_seconds) for p in turn.result.posts} == {
        "v1": ("video", 245.0),
        "s1": ("short", 59.0),
    }


def test_hidden_figures_are_not_zero(loopback: Loopback, channel: Channel) -> None:
    channel.statistics |= {"hiddenSubscriberCount": True, "subscriberCount": "0"}
    channel.add("v1")
    channel.videos["v1"]["statistics"] = {"viewCount": "5"}
    turn = read(loopback)
    assert turn.value("followers") is None
    assert turn.outcome("account", "followers").state is State.NOT_PERMITTED
    assert turn.outcome("post", "likes").state is State.NOT_SUPPORTED
    assert turn.value("views", "v1") == 5


@pytest.mark.parametrize(("at", "version"), [("2026-08-23T10:00", 1), ("2026-08-24T10:00", 2)])
def test_a_view_has_a_version(loopback: Loopback, channel: Channel, at: str, version: int) -> None:
    channel.add("v1", "2026-08-20")
    turn = read(loopback, at=at)
    assert {r.definition_version for r in turn.result.readings if r.metric == "views"} == {version}
    assert {r.definition_version for r in turn.result.readings if r.metric == "likes"} == {1}


def test_uploads_are_paged_over_empty_pages_down_to_old_ones(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1")
    channel.pages.append([])
    channel.pages.append([])
    channel.add("v2", "2026-11-01")
    channel.add("v3", "2026-09-01")
    channel.pages.append([])
    channel.add("v4", "2026-08-01")
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == ["v1", "v2"]
    assert len([a for a in loopback.asked if a.path.endswith("playlistItems")]) == 3


def test_videos_are_read_by_fifty_and_missing_ones_are_tombstones(loopback: Loopback, channel: Channel) -> None:
    for n in range(60):
        channel.add(f"v{n}")
    turn = read(loopback, known=("v1", "gone"))
    assert [len(a.params["id"].split(",")) for a in loopback.asked if a.path.endswith("videos")] == [50, 11]
    assert [p.post_id for p in turn.result.posts if p.deleted] == ["gone"]


def test_a_channel_without_uploads_has_no_posts(loopback: Loopback, channel: Channel) -> None:
    channel.unusual = lambda a: reason(404, "playlistNotFound") if a.path.endswith("playlistItems") else None
    turn = read(loopback)
    assert turn.error is None
    assert turn.outcome("post", "views").reason == "no posts to read"


def test_an_unknown_channel_is_lost(loopback: Loopback, channel: Channel) -> None:
    channel.unusual = lambda a: Reply({"items": []})
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.SKIP_OBJECT


def test_series_by_day_with_units_and_parts(loopback: Loopback, channel: Channel) -> None:
    turn = series(loopback, "2026-11-16", "2026-11-17")
    assert turn.error is None
    assert (turn.value("views"), turn.value("likes"), turn.value("watch_time_seconds")) == (800, -2, 15000)
    (duration,), (completion,) = turn.readings("average_view_duration"), turn.readings("completion_rate")
    assert (duration.value, duration.numerator, duration.denominator) == (30, 15000, 500)
    assert (completion.value, completion.numerator, completion.denominator) == (0.445, 222.5, 500)
    assert turn.value("completed_views") == 222.5
    assert turn.value("premium_watch_time_seconds") == 1200
    (views,) = turn.readings("views")
    assert (views.day_timezone, views.definition_version, views.window) == ("America/Los_Angeles", 2, "P1D")


def test_one_call_per_latency_class_for_the_whole_range(loopback: Loopback, channel: Channel) -> None:
    series(loopback, "2026-11-01", "2026-11-15")
    assert len(reports(loopback, "day")) == 3
    assert {(a.params["startDate"], a.params["endDate"]) for a in reports(loopback, "day")} == {
        ("2026-11-01", "2026-11-14")
    }
    assert {a.params["ids"] for a in reports(loopback, "day")} == {"channel==17001"}


def test_more_than_a_year_is_asked_in_slices(loopback: Loopback, channel: Channel) -> None:
    series(loopback, "2025-01-01", "2026-11-15")
    assert len(reports(loopback, "day")) == 6


def test_late_days_and_absent_days_have_different_reasons(loopback: Loopback, channel: Channel) -> None:
    channel.last = "2026-11-14"
    turn = series(loopback, "2026-11-14", "2026-11-25")
    assert {o.date.day for o in turn.result.outcomes} == set(range(14, 21))
    absent, late = (turn.outcome("account", "views", f"2026-11-{day}") for day in (16, 17))
    assert (absent.state, late.state) == (State.UNKNOWN, State.UNKNOWN)
    assert absent.reason == "YouTube has no figure for this day"
    assert late.reason is not None
    assert late.reason.startswith("not ready yet")


def test_all_videos_of_a_day_in_one_call_and_only_those_published_by_then(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1", "2026-11-17")  # 20:00 UTC is noon in California
    channel.add("v2", "2026-11-10")
    turn = series(loopback, "2026-11-15", "2026-11-20")
    asked = {a.params["startDate"]: a.params for a in reports(loopback, "video")}
    assert {day: p["filters"] for day, p in asked.items()} == {
        "2026-11-15": "video==v2",
        "2026-11-16": "video==v2",
        "2026-11-17": "video==v1,v2",
    }
    assert (asked["2026-11-17"]["sort"], asked["2026-11-17"]["maxResults"]) == ("-views", "200")
    assert turn.outcome("post", "views", "2026-11-17").objects_ok == 2
    late = turn.outcome("post", "views", "2026-11-18")
    assert (late.state, late.objects) == (State.UNKNOWN, 2)


def test_each_asked_metric_and_day_has_one_outcome(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1")
    turn = series(loopback, "2026-11-10", "2026-11-21")
    keys = [(o.level, o.metric, o.date) for o in turn.result.outcomes]
    assert len(keys) == len(set(keys)) == 11 * (18 + 14)


def test_a_group_the_channel_does_not_offer_costs_only_itself(loopback: Loopback, channel: Channel) -> None:
    channel.unusual = lambda a: (
        reason(400, "badRequest", "The query is not supported.")
        if "cardClicks" in a.params.get("metrics", "")
        else None
    )
    turn = series(loopback, "2026-11-16", "2026-11-17")
    assert turn.value("views") == 800
    assert turn.outcome("account", "card_clicks").state is State.NOT_SUPPORTED


def test_a_metric_youtube_no_longer_knows_is_left_out(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1")
    channel.unusual = lambda a: (
        reason(400, "badRequest", "Unknown identifier (dislikes) given in field parameters.metrics.")
        if "dislikes" in a.params.get("metrics", "")
        else None
    )
    turn = series(loopback, "2026-11-16", "2026-11-17")
    assert (turn.value("views"), turn.value("views", "v1")) == (800, 800)
    assert turn.outcome("account", "dislikes").state is State.NOT_SUPPORTED
    assert turn.outcome("post", "dislikes").state is State.NOT_SUPPORTED


def test_a_spent_quota_ends_the_turn_with_what_was_read(loopback: Loopback, channel: Channel) -> None:
    channel.add("v1")
    channel.unusual = lambda a: reason(403, "quotaExceeded") if a.path.endswith("/videos") else None
    turn = read(loopback)
    assert turn.error is not None
    assert (turn.error.act, turn.error.scope) == (Act.WAIT, "app")
    assert turn.value("views") == 160361638
    assert {o.level for o in turn.result.outcomes} == {"account"}


def test_rows_that_do_not_fit_their_headers_are_an_error(loopback: Loopback, channel: Channel) -> None:
    channel.unusual = lambda a: (
        Reply({"columnHeaders": [{"name": "day"}], "rows": [["2026-11-16", 1]]}) if "metrics" in a.params else None
    )
    turn = series(loopback, "2026-11-16", "2026-11-17")
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG
