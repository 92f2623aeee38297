"""X: both vocabularies, ids joined back to errors, private figures, and series that depend on the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

OLD = {"repost_count": "retweet_count", "post_count": "tweet_count"}
PROBLEM = "https://api.x.com/2/problems/"


def post(post_id: str, day: str = "2026-11-18", **counts: int) -> dict[str, object]:
    metrics = {"repost_count": 4, "reply_count": 2, "like_count": 51, "quote_count": 1, "bookmark_count": 6}
    return {
        "id": post_id,
        "text": f"text {post_id}",
        "created_at": f"{day}T09:30:00.000Z",
        "public_metrics": {**metrics, "impression_count": 3120, **counts},
        "edit_history_post_ids": [post_id],
    }


def in_old_words(value: object) -> object:
    if isinstance(value, list):
        return [in_old_words(v) for v in value]
    if isinstance(value, dict):
        return {
            OLD.get(k, k.replace("edit_history_post", "edit_history_tweet")): in_old_words(v) for k, v in value.items()
        }
    return value


def invalid(parameter: str, text: str = "is not valid") -> Reply:
    error = {"parameters": {parameter: ["x"]}, "message": f"The query parameter [{parameter}] {text}"}
    return Reply({"errors": [error], "title": "Invalid Request", "type": f"{PROBLEM}invalid-request"}, 400)


class World:
    def __init__(self) -> None:
        user = {"followers_count": 18250, "following_count": 310, "post_count": 9120, "listed_count": 0}
        self.user: dict[str, object] = {"id": "17001", "name": "A", "username": "a", "public_metrics": user}
        self.pages: list[list[dict[str, object]]] = [[]]
        self.includes: dict[str, object] = {}
        self.by_id: dict[str, dict[str, object]] = {}
        self.problems: dict[str, str] = {}
        self.private: dict[str, dict[str, int]] = {}
        self.accepts = {"tweet", "post"}
        self.words: Callable[[object], object] = lambda body: body
        self.analytics: Callable[[Asked], Reply] = lambda _asked: Reply({}, 404)

    def answer(self, asked: Asked) -> Reply:
        for word in ("tweet", "post"):
            if f"{word}.fields" in asked.params and word not in self.accepts:
                return invalid(f"{word}.fields")
        if asked.path == "/2/users":
            return Reply(self.words({"data": [self.user]}))
        if asked.path == "/2/tweets/analytics":
            return self.analytics(asked)
        if asked.path == "/2/users/17001/tweets":
            return self.page(int(asked.params.get("pagination_token", "0")))
        return self.some(asked)

    def page(self, number: int) -> Reply:
        meta: dict[str, object] = {"result_count": len(self.pages[number])}
        if number + 1 < len(self.pages):
            meta["next_token"] = str(number + 1)
        body: dict[str, object] = {"meta": meta, "includes": self.includes}
        if self.pages[number]:
            body["data"] = self.pages[number]
        return Reply(self.words(body))

    def some(self, asked: Asked) -> Reply:
        ids = asked.params["ids"].split(",")
        fields = asked.params.get("tweet.fields") or asked.params.get("post.fields") or ""
        if "non_public_metrics" in fields:
            data: list[object] = [
                {"id": i, "text": "t"} | ({"non_public_metrics": self.private[i]} if i in self.private else {})
                for i in ids
            ]
            errors = [
                {"resource_id": i, "field": "non_public_metrics", "type": f"{PROBLEM}not-authorized-for-field"}
                for i in ids
                if i not in self.private
            ]
        else:
            data = [self.by_id[i] for i in ids if i in self.by_id]
            errors = [{"value": i, "resource_id": i, "type": PROBLEM + p} for i, p in self.problems.items() if i in ids]
        return Reply(self.words({k: v for k, v in {"data": data, "errors": errors}.items() if v}))


@pytest.fixture
def world(loopback: Loopback) -> World:
    world = World()
    loopback.answer = world.answer
    return world


def read(loopback: Loopback, known: tuple[str, ...] = (), **settings: object) -> Turn:
    return take_turn("x", settings_for(loopback, "x", **settings), known=known)


def series(loopback: Loopback, known: tuple[str, ...], first: str, end: str, **settings: object) -> Turn:
    window = Window.of_days(date.fromisoformat(first), date.fromisoformat(end))
    return take_turn("x", settings_for(loopback, "x", **settings), window=window, known=known)


@pytest.mark.parametrize("old_words", [False, True])
def test_both_vocabularies_of_answers_read_the_same(loopback: Loopback, world: World, old_words: bool) -> None:
    world.pages = [[post("1993000000000000001")]]
    if old_words:
        world.words = in_old_words
    turn = read(loopback)
    assert turn.error is None
    one = "1993000000000000001"
    assert (turn.value("followers"), turn.value("posts_count"), turn.value("listed")) == (18250, 9120, 0)
    assert turn.outcome("account", "listed").state is State.ZERO
    assert (turn.value("reposts", one), turn.value("shares", one), turn.value("saves", one)) == (4, 5, 6)
    assert (turn.value("likes", one), turn.value("comments", one), turn.value("impressions", one)) == (51, 2, 3120)
    assert turn.readings("reposts", one)[0].source_metric == "repost_count"
    assert turn.result.unknown_fields == set()


@pytest.mark.parametrize(("accepted", "first"), [("post", "tweet"), ("tweet", "post"), ("tweet", "tweet")])
def test_a_refused_parameter_is_sent_in_the_other_spelling_and_remembered(
    loopback: Loopback, world: World, accepted: str, first: str
) -> None:
    world.accepts = {accepted}
    world.pages = [[post("1")], [post("2")]]
    turn = read(loopback, x_vocabulary=first)
    assert turn.value("likes", "2") == 51
    timeline = [
        next(k for k in a.params if k in ("tweet.fields", "post.fields"))
        for a in loopback.asked
        if a.path.endswith("01/tweets")
    ]
    assert timeline == ([f"{first}.fields"] if first != accepted else []) + [f"{accepted}.fields"] * 2


def test_a_400_about_something_else_is_not_sent_twice(loopback: Loopback, world: World) -> None:
    loopback.answer = lambda a: invalid("max_results") if a.path.endswith("17001/tweets") else world.answer(a)
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG
    assert len(loopback.asked) == 2


def test_paging_goes_on_over_empty_pages_and_asks_for_nothing_too_old(loopback: Loopback, world: World) -> None:
    world.pages = [[post("1")], [], [post("2", "2026-10-30")]]
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == ["1", "2"]
    timeline = [a.params for a in loopback.asked if a.path.endswith("17001/tweets")]
    assert {p["start_time"] for p in timeline} == {"2026-10-16T10:00:00Z"}
    assert [p.get("pagination_token") for p in timeline] == [None, "1", "2"]


def test_a_post_listed_on_two_pages_counts_once(loopback: Loopback, world: World) -> None:
    world.pages = [[post("1"), post("2")], [post("2", like_count=52), post("3")]]
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == ["1", "2", "3"]
    assert turn.value("likes", "2") == 52
    assert turn.outcome("post", "likes").objects == 3


def test_missing_ids_are_joined_back_to_their_problems(loopback: Loopback, world: World) -> None:
    world.pages = [[post("1")]]
    world.by_id = {"2": post("2", "2026-11-01", like_count=9)}
    world.problems = {"3": "resource-not-found", "4": "not-authorized-for-resource"}
    turn = read(loopback, known=("1", "2", "3", "4"))
    assert {p.post_id: p.deleted for p in turn.result.posts} == {"1": False, "2": False, "3": True}
    assert turn.value("likes", "2") == 9
    likes = turn.outcome("post", "likes")
    assert (likes.state, likes.objects, likes.objects_ok) == (State.VALUE, 3, 2)


def test_ids_are_asked_in_hundreds(loopback: Loopback, world: World) -> None:
    known = tuple(str(n) for n in range(1000, 1250))
    world.problems = dict.fromkeys(known, "resource-not-found")
    turn = read(loopback, known=known)
    assert [len(a.params["ids"].split(",")) for a in loopback.asked if a.path == "/2/tweets"] == [100, 100, 50]
    assert sum(p.deleted for p in turn.result.posts) == 250


def test_private_figures_are_for_the_owner_and_for_thirty_days(loopback: Loopback, world: World) -> None:
    world.pages = [[post("1"), post("2", "2026-10-18")]]
    world.private = {"1": {"impression_count": 1, "engagements": 80, "url_link_clicks": 0, "user_profile_clicks": 3}}
    turn = read(loopback)
    assert (turn.value("interactions", "1"), turn.value("clicks", "1"), turn.value("profile_views", "1")) == (80, 0, 3)
    assert turn.outcome("post", "clicks").state is State.ZERO
    assert turn.outcome("post", "clicks").objects == 1


def test_private_figures_withheld_are_not_permitted(loopback: Loopback, world: World) -> None:
    world.pages = [[post("1")]]
    assert read(loopback).outcome("post", "clicks").state is State.NOT_PERMITTED


def test_video_views_come_from_the_media(loopback: Loopback, world: World) -> None:
    with_video = {**post("1"), "attachments": {"media_keys": ["3_1", "7_2"]}}
    world.pages = [[with_video, post("2")]]
    world.includes = {
        "media": [
            {"media_key": "3_1", "type": "photo"},
            {"media_key": "7_2", "type": "video", "duration_ms": 12500, "public_metrics": {"view_count": 77}},
        ]
    }
    turn = read(loopback)
    assert turn.value("views", "1") == 77
    assert turn.result.posts[0].duration_seconds == 12.5
    assert turn.outcome("post", "views").objects == 1


def test_an_account_x_does_not_show_is_lost(loopback: Loopback, world: World) -> None:
    loopback.answer = lambda _a: Reply({"errors": [{"value": "17001", "type": f"{PROBLEM}resource-not-found"}]})
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.SKIP_OBJECT


def buckets(asked: Asked) -> Reply:
    days = [date(2026, 11, 17), date(2026, 11, 18)]
    metrics = {"impressions": 410, "likes": 7, "retweets": 2, "quote_tweets": 1, "app_opens": 1, "novel": 5}
    metrics = {k: v for k, v in metrics.items() if k in asked.params["analytics.fields"].split(",") or k == "novel"}
    return Reply(
        {
            "data": [
                {
                    "id": i,
                    "timestamped_metrics": [{"timestamp": f"{d}T00:00:00.000Z", "metrics": metrics} for d in days],
                }
                for i in asked.params["ids"].split(",")
            ]
        }
    )


def test_daily_series_of_posts(loopback: Loopback, world: World) -> None:
    world.analytics = buckets
    turn = series(loopback, ("1", "2"), "2026-11-17", "2026-11-20")
    assert turn.error is None
    assert {(r.post_id, r.date.day, r.value) for r in turn.result.readings if r.metric == "shares"} == {
        ("1", 17, 3), ("1", 18, 3), ("2", 17, 3), ("2", 18, 3)
    }  # fmt: skip
    assert turn.readings("likes", "1")[0].kind == "series"
    assert (
        turn.outcome("post", "likes", "2026-11-17").objects_ok,
        turn.outcome("post", "likes", "2026-11-17").objects,
    ) == (2, 2)
    assert turn.outcome("post", "likes", "2026-11-19").state is State.UNKNOWN
    assert "analytics.data[].timestamped_metrics[].metrics.novel" in turn.result.unknown_fields


def test_the_running_day_ends_now(loopback: Loopback, world: World) -> None:
    world.analytics = buckets
    series(loopback, ("1",), "2026-11-19", "2026-11-22")
    assert loopback.asked[0].params["end_time"] == "2026-11-20T10:00:00Z"


def test_a_plan_without_analytics_is_probed_once_and_is_no_failure(loopback: Loopback, world: World) -> None:
    body = {"title": "Client Forbidden", "reason": "client-not-enrolled", "type": f"{PROBLEM}client-forbidden"}
    world.analytics = lambda _a: Reply(body, 403)
    turn = series(loopback, tuple(str(n) for n in range(250)), "2026-09-01", "2026-11-19")
    assert turn.error is None
    assert len(loopback.asked) == 1
    assert {o.state for o in turn.result.outcomes} == {State.NOT_PERMITTED}
    assert {o.date.month for o in turn.result.outcomes} == {9, 10, 11}


def test_fields_the_endpoint_does_not_know_are_left_out(loopback: Loopback, world: World) -> None:
    def strict(asked: Asked) -> Reply:
        for name in ("unlikes", "media_views"):
            if name in asked.params["analytics.fields"].split(","):
                return invalid("analytics.fields", f"value [{name}] is not one of [likes,impressions]")
        return buckets(asked)

    world.analytics = strict
    turn = series(loopback, ("1",), "2026-11-17", "2026-11-18")
    assert turn.value("impressions", "1") == 410
    assert turn.outcome("post", "unlikes").state is State.NOT_SUPPORTED
    assert len(loopback.asked) == 3


def test_analytics_switched_off_is_not_asked(loopback: Loopback, world: World) -> None:
    turn = series(loopback, ("1",), "2026-11-17", "2026-11-18", x_analytics="off")
    assert (turn.result.outcomes, loopback.asked) == ([], [])
