"""Instagram's profile, posts and stories: paging, product types, refused metrics, tombstones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline_tests.platforms.loopback import TOKEN, Asked, Loopback, Reply, Turn, settings_for, take_turn

ROOT = "/v26.0/17001"
PROFILE = {"id": "17001", "username": "a", "followers_count": 5100, "follows_count": 0, "media_count": 3}


def media(media_id: str, product: str = "FEED", kind: str = "IMAGE", day: str = "2026-11-18") -> dict[str, object]:
    return {
        "id": media_id,
        "timestamp": f"{day}T09:30:00+0000",
        "media_type": kind,
        "media_product_type": product,
        "caption": f"post {media_id}",
        "permalink": f"https://www.instagram.com/p/{media_id}/",
    }


def insights(values: dict[str, float]) -> Reply:
    return Reply(
        {"data": [{"name": n, "period": "lifetime", "values": [{"value": v}], "title": n} for n, v in values.items()]}
    )


def refused(text: str, code: int = 100, subcode: int | None = None) -> Reply:
    return Reply({"error": {"message": text, "code": code, "error_subcode": subcode}}, 400)


class Account:
    """An Instagram account: pages of media, stories, numbers by media id, and media that answer otherwise."""

    def __init__(self) -> None:
        self.pages: list[list[dict[str, object]]] = [[]]
        self.stories: list[dict[str, object]] = []
        self.values: dict[str, dict[str, float]] = {}
        self.objects: dict[str, Reply] = {}
        self.unusual: Callable[[Asked], Reply | None] = lambda _asked: None

    def answer(self, asked: Asked) -> Reply:
        unusual = self.unusual(asked)
        if unusual is not None:
            return unusual
        if asked.path == ROOT:
            return Reply(PROFILE)
        if asked.path == f"{ROOT}/stories":
            return Reply({"data": self.stories})
        if asked.path == f"{ROOT}/media":
            number = int(asked.params.get("after", "0"))
            paging: dict[str, object] = {"cursors": {"before": "x", "after": str(number + 1)}}
            if number + 1 < len(self.pages):
                paging["next"] = f"https://graph.facebook.com/v26.0/17001/media?access_token={TOKEN}&after=zz"
            return Reply({"data": self.pages[number], "paging": paging})
        media_id = asked.path.split("/")[2]
        if asked.path.endswith("/insights"):
            wanted = asked.params["metric"].split(",")
            return insights({n: v for n, v in self.values.get(media_id, {}).items() if n in wanted})
        return self.objects.get(media_id, refused("Unsupported get request", subcode=33))


@pytest.fixture
def account(loopback: Loopback) -> Account:
    account = Account()
    loopback.answer = account.answer
    return account


def read(loopback: Loopback, known: tuple[str, ...] = ()) -> Turn:
    return take_turn("instagram", settings_for(loopback, "instagram"), known=known)


def test_the_profile_is_read_as_levels_and_a_real_zero_is_zero(loopback: Loopback, account: Account) -> None:
    turn = read(loopback)
    assert turn.error is None
    (followers,) = turn.readings("followers")
    assert (followers.value, followers.kind, followers.window, followers.api) == (5100, "gauge", "PT0S", "profile")
    assert turn.outcome("account", "followers").state is State.VALUE
    assert turn.outcome("account", "following").state is State.ZERO


def test_an_absent_level_is_unknown_not_zero(loopback: Loopback, account: Account) -> None:
    account.unusual = lambda a: Reply({"id": "17001", "followers_count": 9, "new_thing": 1}) if a.path == ROOT else None
    turn = read(loopback)
    assert turn.value("posts_count") is None
    assert turn.outcome("account", "posts_count").state is State.UNKNOWN
    assert "profile.new_thing" in turn.result.unknown_fields


def test_paging_goes_over_empty_pages_by_cursor_and_stops_at_old_posts(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1")], [], [media("2", day="2026-10-20"), media("3", day="2026-10-01")], [media("4")]]
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == ["1", "2"]
    listings = [a for a in loopback.asked if a.path.endswith("/media")]
    assert [a.params.get("after") for a in listings] == [None, "1", "2"]
    assert TOKEN not in repr(turn.result)


def test_every_kind_of_media_is_asked_for_its_own_metrics(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1"), media("2", "REELS", "VIDEO"), media("3", "FEED", "CAROUSEL_ALBUM")]]
    account.stories = [media("4", "STORY", "IMAGE", "2026-11-20")]
    turn = read(loopback)
    assert {p.post_id: p.post_type for p in turn.result.posts} == {
        "1": "post",
        "2": "reel",
        "3": "carousel",
        "4": "story",
    }
    asked = {
        (a.path.split("/")[2], a.params.get("breakdown")): a.params["metric"]
        for a in loopback.asked
        if "metric" in a.params
    }
    assert "profile_visits" in asked["1", None]
    assert "profile_visits" not in asked["2", None]
    assert "ig_reels_avg_watch_time" in asked["2", None]
    assert "likes" not in asked["4", None]
    assert asked["4", "story_navigation_action_type"] == "navigation"


def test_units_become_seconds_and_shares_of_one(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("2", "REELS", "VIDEO")]]
    account.values["2"] = {
        "views": 200, "reach": 150, "reels_skip_rate": 48.5,
        "ig_reels_avg_watch_time": 6400, "ig_reels_video_view_total_time": 1280000,
    }  # fmt: skip
    turn = read(loopback)
    assert turn.value("watch_time_seconds", "2") == 1280.0
    assert turn.value("lifetime_average_watch_seconds", "2") == 6.4
    (rate,) = turn.readings("skip_rate", "2")
    assert (rate.value, rate.numerator, rate.denominator) == (0.485, 97.0, 200)
    assert turn.value("skips", "2") == 97.0
    (reach,) = turn.readings("reach", "2")
    assert (reach.kind, reach.post_type) == ("unique_counter", "reel")


def test_a_refused_metric_costs_only_itself_and_is_not_asked_again(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1", "REELS", "VIDEO"), media("2", "REELS", "VIDEO")]]
    account.values = {"1": {"views": 7, "likes": 1}, "2": {"views": 8, "likes": 0}}

    def no_skip_rate(asked: Asked) -> Reply | None:
        names = asked.params.get("metric", "").split(",")
        if "reels_skip_rate" not in names:
            return None
        return refused(f"(#100) metric[{names.index('reels_skip_rate')}] must be one of the following values: views")

    account.unusual = no_skip_rate
    turn = read(loopback)
    assert (turn.value("views", "1"), turn.value("views", "2"), turn.value("likes", "2")) == (7, 8, 0)
    assert turn.outcome("post", "skip_rate").state is State.NOT_SUPPORTED
    assert len([a for a in loopback.asked if "metric" in a.params]) == 3


def test_an_unnamed_refusal_is_found_one_by_one(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1")]]
    account.values = {"1": {"views": 7, "likes": 1, "saved": 4}}
    account.unusual = lambda a: (
        refused("(#100) The value must be a valid insights metric") if "follows" in a.params.get("metric", "") else None
    )
    turn = read(loopback)
    assert (turn.value("views", "1"), turn.value("saves", "1")) == (7, 4)
    assert turn.outcome("post", "follows").state is State.NOT_SUPPORTED
    assert turn.outcome("post", "comments").state is State.UNKNOWN


def test_a_story_with_few_viewers_is_insufficient_data(loopback: Loopback, account: Account) -> None:
    account.stories = [media("4", "STORY", day="2026-11-20")]
    account.unusual = lambda a: refused("(#10) Not enough viewers", 10) if "metric" in a.params else None
    turn = read(loopback)
    assert turn.outcome("post", "replies").state is State.INSUFFICIENT_DATA
    assert len([a for a in loopback.asked if "metric" in a.params]) == 2


def test_known_posts_that_are_gone_become_tombstones(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1")]]
    account.objects = {"8": Reply(media("8"))}
    account.values = {"8": {"views": 3}}
    turn = read(loopback, known=("1", "8", "9"))
    assert {p.post_id: p.deleted for p in turn.result.posts} == {"1": False, "8": False, "9": True}
    assert turn.value("views", "8") == 3
    assert turn.outcome("post", "views").objects == 2


def test_all_posts_gone_at_once_is_a_lost_permission_not_a_deletion(loopback: Loopback, account: Account) -> None:
    turn = read(loopback, known=("7", "8", "9"))
    assert turn.result.posts == []
    assert turn.outcome("post", "views").state is State.NOT_PERMITTED


def test_one_post_failing_leaves_the_others_and_says_so(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1"), media("2")]]
    account.values = {"2": {"views": 5}}
    account.unusual = lambda a: (
        refused("media posted before the account became professional", subcode=2108006)
        if a.path == "/v26.0/1/insights"
        else None
    )
    outcome = (turn := read(loopback)).outcome("post", "views")
    assert (outcome.state, outcome.objects, outcome.objects_ok) == (State.VALUE, 2, 1)
    assert outcome.reason is not None
    assert outcome.reason.startswith("1 of 2 without")
    assert turn.outcome("post", "replies").reason == "no posts to read"


def test_losing_the_token_midway_keeps_what_came_before(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1"), media("2")]]
    account.values = {"1": {"views": 5}}
    account.unusual = lambda a: refused("Error validating token", 190, 463) if a.path == "/v26.0/2/insights" else None
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.REAUTH
    assert turn.value("views", "1") == 5
    assert turn.value("followers") == 5100
    assert (turn.outcome("post", "views").objects, turn.outcome("post", "views").objects_ok) == (2, 1)
    assert not [o for o in turn.result.outcomes if o.metric == "replies"], "never reached: the caller's to fail"


def test_a_listing_that_is_too_heavy_is_asked_in_smaller_pages(loopback: Loopback, account: Account) -> None:
    account.pages = [[media("1")]]

    def heavy(asked: Asked) -> Reply | None:
        if asked.path.endswith("/media") and int(asked.params["limit"]) > 20:
            return Reply({"error": {"message": "Please reduce the amount of data", "code": 1}}, 500)
        return None

    account.unusual = heavy
    assert [p.post_id for p in read(loopback).result.posts] == ["1"]
    assert [a.params["limit"] for a in loopback.asked if a.path.endswith("/media")] == ["50", "25", "12"]


def test_a_wrong_type_is_an_error_that_names_the_field(loopback: Loopback, account: Account) -> None:
    account.unusual = lambda a: Reply({"id": "17001", "followers_count": {"n": 1}}) if a.path == ROOT else None
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG
    assert "profile.followers_count" in str(turn.error)


def test_older_shapes_of_media_are_understood(loopback: Loopback, account: Account) -> None:
    old = {"id": 90071992547409931, "media_type": "IMAGE", "timestamp": "2026-11-18T10:00:29+0000"}
    old |= {"owner": {"id": "1"}, "like_count": 0, "username": "u", "future": True}
    account.pages = [[old, {"media_type": "IMAGE"}]]
    turn = read(loopback)
    assert [(p.post_id, p.post_type) for p in turn.result.posts] == [("90071992547409931", "post")]
    assert {"media.data[].future", "media.data[]: a media object without an id"} <= turn.result.unknown_fields
