"""Threads: followers as an insight, posts without reposts, one series and totals day by day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import TOKEN, Asked, Loopback, Reply, Turn, settings_for, take_turn

ROOT = "/v1.0/17001"
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
DAY = 86_400


def post(number: int, kind: str = "TEXT_POST", day: str = "2026-11-18", **more: object) -> dict[str, object]:
    return {
        "id": str(number),
        "media_type": kind,
        "timestamp": f"{day}T09:30:00+0000",
        "text": f"post {number}",
        "permalink": f"https://www.threads.net/@a/post/{number}",
        "shortcode": f"s{number}",
        "is_quote_post": False,
        **more,
    }


def refused(text: str, code: int = 100, subcode: int | None = None) -> Reply:
    return Reply({"error": {"message": text, "code": code, "error_subcode": subcode}}, 400)


def total(name: str, value: int) -> dict[str, object]:
    return {"name": name, "period": "day", "title": name, "id": name, "total_value": {"value": value}}


class Profile:
    """A profile: pages of posts, lifetime values by post, levels and daily numbers, and unusual answers."""

    def __init__(self) -> None:
        self.pages: list[list[dict[str, object]]] = [[]]
        self.values: dict[str, dict[str, int]] = {}
        self.objects: dict[str, Reply] = {}
        self.unusual: Callable[[Asked], Reply | None] = lambda _asked: None

    def answer(self, asked: Asked) -> Reply:
        unusual = self.unusual(asked)
        if unusual is not None:
            return unusual
        if asked.path == f"{ROOT}/threads_insights":
            return Reply({"data": [self._insight(n, asked) for n in asked.params["metric"].split(",")]})
        if asked.path == f"{ROOT}/threads":
            number = int(asked.params.get("after", "0"))
            paging: dict[str, object] = {"cursors": {"before": "x", "after": str(number + 1)}}
            if number + 1 < len(self.pages):
                paging["next"] = f"https://graph.example{ROOT}/threads?access_token={TOKEN}&after=zz"
            return Reply({"data": self.pages[number], "paging": paging})
        name = asked.path.split("/")[2]
        if asked.path.endswith("/insights"):
            found = self.values.get(name, {})
            entries = [
                {"name": n, "period": "lifetime", "values": [{"value": found[n]}], "title": n, "id": n}
                for n in asked.params["metric"].split(",")
                if n in found
            ]
            return Reply({"data": entries})
        return self.objects.get(name, refused("Unsupported get request", subcode=33))

    def _insight(self, name: str, asked: Asked) -> dict[str, object]:
        if name == "followers_count":
            return total(name, 5100)
        since, until = int(asked.params["since"]), int(asked.params["until"])
        if name == "clicks":
            links = [{"value": 11, "link_url": "https://example.org/A"}, {"value": 3, "link_url": "https://b.example"}]
            return {"name": name, "period": "day", "link_total_values": links, "title": name, "id": name}
        if name == "views":
            first = datetime.fromtimestamp(since, LOS_ANGELES)
            ends = [first + n * timedelta(days=1) for n in range(1, round((until - since) / DAY) + 1)]
            values = [
                {"value": n, "end_time": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+0000"} for n, end in enumerate(ends)
            ]
            return {"name": name, "period": "day", "values": values, "title": name, "id": name}
        return total(name, {"likes": 5, "replies": 0, "reposts": 2, "quotes": 1}[name] * (until - since) // DAY)


@pytest.fixture
def profile(loopback: Loopback) -> Profile:
    profile = Profile()
    loopback.answer = profile.answer
    return profile


def counters(loopback: Loopback, known: tuple[str, ...] = ()) -> Turn:
    return take_turn("threads", settings_for(loopback, "threads"), known=known)


def series(loopback: Loopback, first: str, end: str, now: str = "2026-11-20T10:00", **settings: object) -> Turn:
    return take_turn(
        "threads",
        settings_for(loopback, "threads", **settings),
        window=Window.of_days(date.fromisoformat(first), date.fromisoformat(end)),
        now=datetime.fromisoformat(now).replace(tzinfo=UTC),
    )


def test_followers_are_a_level_read_from_insights_without_a_window(loopback: Loopback, profile: Profile) -> None:
    turn = counters(loopback)
    assert turn.error is None
    (followers,) = turn.readings("followers")
    assert (followers.value, followers.kind, followers.window) == (5100, "gauge", "PT0S")
    assert loopback.asked[0].params == {"metric": "followers_count"}
    assert loopback.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Reply({"data": []}), State.UNKNOWN),
        (refused("(#100) metric[0] must be one of the following values: views, likes"), State.NOT_SUPPORTED),
        (refused("(#10) no permission", 10), State.NOT_PERMITTED),
    ],
)
def test_a_profile_without_a_follower_count_still_has_its_posts(
    loopback: Loopback, profile: Profile, answer: Reply, state: State
) -> None:
    profile.pages, profile.values = [[post(1)]], {"1": {"views": 4}}
    profile.unusual = lambda a: answer if a.path.endswith("/threads_insights") else None
    turn = counters(loopback)
    assert turn.error is None
    assert turn.outcome("account", "followers").state is state
    assert turn.value("views", "1") == 4


def test_posts_have_lifetime_counters_and_sums_of_them(loopback: Loopback, profile: Profile) -> None:
    profile.pages = [[post(1), post(2, "CAROUSEL_ALBUM"), post(3, "VIDEO")]]
    profile.values = {"1": {"views": 90, "likes": 0, "replies": 3, "reposts": 4, "quotes": 2, "shares": 7}}
    turn = counters(loopback)
    assert {p.post_id: p.post_type for p in turn.result.posts} == {"1": "post", "2": "carousel", "3": "video"}
    names = ("views", "likes", "comments", "reposts", "quotes", "shares", "share_actions")
    assert [turn.value(name, "1") for name in names] == [90, 0, 3, 4, 2, 6, 7]
    asked = [a.params["metric"] for a in loopback.asked if a.path.endswith("/insights")]
    assert asked == ["views,likes,replies,reposts,quotes,shares"] * 3
    assert turn.readings("shares", "2") == []
    assert turn.result.unknown_fields == set()


def test_a_sum_without_one_of_its_parts_is_unknown(loopback: Loopback, profile: Profile) -> None:
    profile.pages, profile.values = [[post(1)]], {"1": {"views": 1, "reposts": 4}}
    turn = counters(loopback)
    assert turn.value("reposts", "1") == 4
    assert turn.outcome("post", "shares").state is State.UNKNOWN


def test_reposts_of_others_are_no_posts_of_the_profile(loopback: Loopback, profile: Profile) -> None:
    profile.pages = [[post(1), post(2, "REPOST_FACADE")], [], [post(3, "REPOST_FACADE")], [post(4)]]
    turn = counters(loopback)
    assert [p.post_id for p in turn.result.posts] == ["1", "4"]
    assert not [a for a in loopback.paths() if a in ("/v1.0/2/insights", "/v1.0/3/insights")]
    assert turn.outcome("post", "views").objects == 2


def test_empty_insights_of_a_post_are_unknown_and_no_error(loopback: Loopback, profile: Profile) -> None:
    profile.pages = [[post(1)]]
    turn = counters(loopback)
    assert (turn.error, turn.outcome("post", "views").state) == (None, State.UNKNOWN)


def test_known_posts_that_are_gone_become_tombstones(loopback: Loopback, profile: Profile) -> None:
    profile.pages, profile.objects = [[post(1)]], {"8": Reply(post(8))}
    turn = counters(loopback, known=("1", "8", "9"))
    assert {p.post_id: p.deleted for p in turn.result.posts} == {"1": False, "8": False, "9": True}


def test_unknown_fields_are_reported(loopback: Loopback, profile: Profile) -> None:
    profile.pages = [[post(1, future=1), {"media_type": "IMAGE"}]]
    unknown = counters(loopback).result.unknown_fields
    assert {"post.data[].future", "post.data[]: a post without an id"} <= unknown


def test_views_of_the_profile_are_one_request_and_totals_one_per_day(loopback: Loopback, profile: Profile) -> None:
    turn = series(loopback, "2026-10-31", "2026-11-04")
    assert turn.error is None
    assert {r.date.day: r.value for r in turn.readings("profile_views")} == {31: 0, 1: 1, 2: 2, 3: 3}
    assert turn.readings("views") == []
    days = [a.params for a in loopback.asked if a.params["metric"] != "views"]
    assert len(days) == 4
    assert days[0]["metric"] == "likes,replies,reposts,quotes,clicks"
    midnights = [datetime(2026, 10, 31, tzinfo=LOS_ANGELES) + n * timedelta(days=1) for n in range(5)]
    assert [int(p["since"]) for p in days] == [int(m.timestamp()) for m in midnights[:4]]
    assert [int(p["until"]) for p in days] == [int(m.timestamp()) for m in midnights[1:]]
    daily = [(o.level, o.metric, o.date) for o in turn.result.outcomes]
    assert len(daily) == len(set(daily)) == 4 * 7


def test_a_day_has_totals_sums_and_clicks_by_link(loopback: Loopback, profile: Profile) -> None:
    turn = series(loopback, "2026-11-12", "2026-11-13")
    names = ("likes", "comments", "reposts", "quotes", "shares", "clicks")
    assert [turn.value(name) for name in names] == [5, 0, 2, 1, 3, 14]
    assert turn.outcome("account", "comments").state is State.ZERO
    assert turn.readings("clicks")[0].metadata == {"https://example.org/A": 11, "https://b.example": 3}
    assert turn.result.unknown_fields == set()


def test_no_links_are_unknown_clicks_not_zero(loopback: Loopback, profile: Profile) -> None:
    entry = {"name": "clicks", "period": "day", "link_total_values": []}
    profile.unusual = lambda _asked: Reply({"data": [entry]})
    turn = series(loopback, "2026-11-12", "2026-11-13")
    assert turn.readings("clicks") == []
    assert turn.outcome("account", "clicks").state is State.UNKNOWN


def test_the_shift_says_which_day_a_point_belongs_to(loopback: Loopback, profile: Profile) -> None:
    for shift in (-1, 0):
        turn = series(loopback, "2026-11-12", "2026-11-14", threads_series_day_shift=shift)
        assert {r.date.day: r.value for r in turn.readings("profile_views")} == {12: 0, 13: 1}


def test_days_that_are_running_or_too_old_are_not_asked(loopback: Loopback, profile: Profile) -> None:
    running = series(loopback, "2026-11-19", "2026-11-22", now="2026-11-20T07:00")
    assert loopback.asked == []
    assert {o.date.day for o in running.result.outcomes} == {19, 20}
    assert {o.state for o in running.result.outcomes} == {State.UNKNOWN}
    old = series(loopback, "2024-05-30", "2024-06-02")
    assert {r.date for r in old.result.readings} == {date(2024, 6, 1)}
    assert "2024-06-01" in str(old.outcome("account", "likes", "2024-05-31").reason)
    assert all(int(a.params["since"]) >= 1_712_991_600 for a in loopback.asked)


def test_a_refused_metric_costs_itself_and_is_asked_once(loopback: Loopback, profile: Profile) -> None:
    def no_quotes(asked: Asked) -> Reply | None:
        names = asked.params["metric"].split(",")
        if "quotes" not in names:
            return None
        return refused(f"(#100) metric[{names.index('quotes')}] must be one of the following values: likes")

    profile.unusual = no_quotes
    turn = series(loopback, "2026-11-10", "2026-11-15")
    for metric in ("quotes", "shares"):
        assert {o.state for o in turn.result.outcomes if o.metric == metric} == {State.NOT_SUPPORTED}
    assert len(turn.readings("likes")) == len(turn.readings("reposts")) == 5
    assert len([a for a in loopback.asked if "quotes" in a.params["metric"]]) == 1


def test_one_failing_day_leaves_the_others(loopback: Loopback, profile: Profile) -> None:
    bad = str(int(datetime(2026, 11, 11, tzinfo=LOS_ANGELES).timestamp()))
    profile.unusual = lambda a: (
        refused("again", 2) if a.params["since"] == bad and "likes" in a.params["metric"] else None
    )
    turn = series(loopback, "2026-11-10", "2026-11-13")
    assert turn.error is None
    states = [turn.outcome("account", "likes", f"2026-11-{n}").state for n in (10, 11, 12)]
    assert states == [State.VALUE, State.FAILED, State.VALUE]


def test_a_lost_token_ends_the_turn_and_keeps_what_came_before(loopback: Loopback, profile: Profile) -> None:
    profile.unusual = lambda _asked: refused("expired", 190, 463) if len(loopback.asked) > 2 else None
    turn = series(loopback, "2026-11-10", "2026-11-13")
    assert turn.error is not None
    assert turn.error.act is Act.REAUTH
    assert turn.readings("profile_views")
    assert turn.readings("likes")
