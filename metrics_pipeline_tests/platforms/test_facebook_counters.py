"""A Page's followers and posts: fields, paging, lifetime insights, tombstones, failures of a part."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline_tests.platforms.loopback import TOKEN, Asked, Loopback, Reply, Turn, settings_for, take_turn

ROOT = "/v26.0/17001"
INVALID = "(#100) The value must be a valid insights metric"


def post(number: int, kind: str = "added_photos", day: str = "2026-11-18", **more: object) -> dict[str, object]:
    return {
        "id": f"17001_{number}",
        "created_time": f"{day}T09:30:00+0000",
        "message": f"post {number}",
        "permalink_url": f"https://www.facebook.com/17001/posts/{number}",
        "status_type": kind,
        "reactions": {"data": [], "summary": {"total_count": 10 * number, "viewer_reaction": "NONE"}},
        "comments": {"data": [], "summary": {"order": "ranked", "total_count": number, "can_comment": True}},
        "shares": {"count": 2 * number},
        **more,
    }


def refused(text: str, code: int = 100, subcode: int | None = None) -> Reply:
    return Reply({"error": {"message": text, "code": code, "error_subcode": subcode}}, 400)


class Page:
    """A Page: pages of posts, lifetime values by post and metric, single posts, and requests that go otherwise."""

    def __init__(self) -> None:
        self.pages: list[list[dict[str, object]]] = [[]]
        self.values: dict[str, dict[str, object]] = {}
        self.objects: dict[str, Reply] = {}
        self.unusual: Callable[[Asked], Reply | None] = lambda _asked: None

    def answer(self, asked: Asked) -> Reply:
        unusual = self.unusual(asked)
        if unusual is not None:
            return unusual
        if asked.path == ROOT:
            return Reply({"id": "17001", "name": "A page", "followers_count": 5100})
        if asked.path == f"{ROOT}/published_posts":
            number = int(asked.params.get("after", "0"))
            paging: dict[str, object] = {"cursors": {"before": "x", "after": str(number + 1)}}
            if number + 1 < len(self.pages):
                paging["next"] = f"https://graph.example{ROOT}/published_posts?access_token={TOKEN}&after=zz"
            return Reply({"data": self.pages[number], "paging": paging})
        name = asked.path.split("/")[2]
        if asked.path.endswith("/insights"):
            found = {n: self.values.get(name, {}).get(n) for n in asked.params["metric"].split(",")}
            return Reply(
                {
                    "data": [
                        {"name": n, "period": "lifetime", "values": [{"value": v}], "title": n, "id": n}
                        for n, v in found.items()
                        if v is not None
                    ]
                }
            )
        return self.objects.get(name, refused("Unsupported get request", subcode=33))


@pytest.fixture
def page(loopback: Loopback) -> Page:
    page = Page()
    loopback.answer = page.answer
    return page


def read(loopback: Loopback, known: tuple[str, ...] = (), **settings: object) -> Turn:
    return take_turn("facebook", settings_for(loopback, "facebook", **settings), known=known)


def test_followers_are_a_level_and_the_token_travels_in_a_header(loopback: Loopback, page: Page) -> None:
    turn = read(loopback)
    assert turn.error is None
    (followers,) = turn.readings("followers")
    assert (followers.value, followers.kind, followers.window) == (5100, "gauge", "PT0S")
    assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in loopback.asked)
    assert all("access_token" not in asked.params for asked in loopback.asked)


def test_the_version_asked_is_a_setting(loopback: Loopback, page: Page) -> None:
    page.unusual = lambda _asked: Reply({"data": [], "followers_count": 3})
    assert read(loopback, facebook_graph_version="v27.0").error is None
    assert all(path.startswith("/v27.0/") for path in loopback.paths())


def test_counters_come_with_the_list_and_from_insights(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1), post(2, "added_video")]]
    values: dict[str, object] = {"post_media_view": 700, "post_total_media_view_unique": 600, "post_clicks": 0}
    page.values = {"17001_1": values, "17001_2": values | {"post_video_avg_time_watched": 6400}}
    turn = read(loopback)
    assert {p.post_id: p.post_type for p in turn.result.posts} == {"17001_1": "post", "17001_2": "video"}
    found = {m: turn.value(m, "17001_2") for m in ("likes", "comments", "shares", "views", "reach", "content_clicks")}
    assert found == {"likes": 20, "comments": 2, "shares": 4, "views": 700, "reach": 600, "content_clicks": 0}
    assert turn.value("lifetime_average_watch_seconds", "17001_2") == 6.4
    assert turn.readings("reach", "17001_1")[0].kind == "unique_counter"
    assert turn.outcome("post", "content_clicks").state is State.ZERO
    asked = {a.path.split("/")[2]: a.params for a in loopback.asked if "metric" in a.params}
    assert "post_video_avg_time_watched" not in asked["17001_1"]["metric"]
    assert {params["period"] for params in asked.values()} == {"lifetime"}
    assert turn.result.unknown_fields == set()


def test_absent_shares_are_zero_and_an_absent_summary_is_unknown(loopback: Loopback, page: Page) -> None:
    bare = {k: v for k, v in post(1).items() if k not in ("shares", "reactions")}
    page.pages = [[bare | {"comments": {"data": []}}]]
    turn = read(loopback)
    assert turn.value("shares", "17001_1") == 0
    assert turn.outcome("post", "shares").state is State.ZERO
    for metric in ("likes", "comments", "views"):
        assert turn.value(metric, "17001_1") is None
        assert turn.outcome("post", metric).state is State.UNKNOWN


def test_null_is_not_zero(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1, shares={"count": None}, reactions={"data": [], "summary": {"total_count": None}})]]
    turn = read(loopback)
    assert turn.readings("shares", "17001_1") == turn.readings("likes", "17001_1") == []


def test_paging_goes_over_short_and_empty_pages_and_stops_at_old_posts(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1)], [], [post(2, day="2026-10-20"), post(3, day="2026-10-01")], [post(4)]]
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == ["17001_1", "17001_2"]
    listings = [a for a in loopback.asked if a.path.endswith("/published_posts")]
    assert [a.params.get("after") for a in listings] == [None, "1", "2"]
    assert TOKEN not in repr(turn.result)


def test_a_cursor_that_stands_still_ends_the_list(loopback: Loopback, page: Page) -> None:
    paging = {"cursors": {"after": "same"}, "next": "https://graph.example/again"}
    page.unusual = lambda a: Reply({"data": [post(1)], "paging": paging}) if a.path.endswith("_posts") else None
    turn = read(loopback)
    assert turn.error is None
    assert [p.post_id for p in turn.result.posts] == ["17001_1"]


def test_an_unnamed_refusal_costs_one_metric_and_is_remembered(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1), post(2)]]
    page.values = {f"17001_{n}": {"post_media_view": n, "post_clicks": n} for n in (1, 2)}
    page.unusual = lambda a: refused(INVALID) if "post_total_media_view_unique" in a.params.get("metric", "") else None
    turn = read(loopback)
    assert (turn.value("views", "17001_1"), turn.value("content_clicks", "17001_2")) == (1, 2)
    assert turn.outcome("post", "reach").state is State.NOT_SUPPORTED
    # Three metrics: together, then one by one; for the second post the two that are left at once.
    assert len([a for a in loopback.asked if "metric" in a.params]) == 5


def test_a_request_that_is_too_heavy_is_asked_in_halves(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1)]]
    page.values = {"17001_1": {"post_media_view": 1, "post_total_media_view_unique": 1, "post_clicks": 1}}
    page.unusual = lambda a: (
        Reply({"error": {"message": "Please reduce the amount of data you're asking for", "code": 1}}, 500)
        if a.params.get("metric", "").count(",") > 1
        else None
    )
    turn = read(loopback)
    assert [turn.value(m, "17001_1") for m in ("views", "reach", "content_clicks")] == [1, 1, 1]


def test_known_posts_that_are_gone_become_tombstones(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1)]]
    page.objects = {"17001_8": Reply(post(8))}
    turn = read(loopback, known=("17001_1", "17001_8", "17001_9"))
    assert {p.post_id: p.deleted for p in turn.result.posts} == {
        "17001_1": False,
        "17001_8": False,
        "17001_9": True,
    }
    assert turn.value("likes", "17001_8") == 80
    assert turn.outcome("post", "likes").objects == 2


def test_all_posts_out_of_sight_is_a_lost_permission(loopback: Loopback, page: Page) -> None:
    turn = read(loopback, known=("17001_7", "17001_8"))
    assert turn.result.posts == []
    assert {o.state for o in turn.result.outcomes if o.level == "post"} == {State.NOT_PERMITTED}
    assert turn.outcome("account", "followers").state is State.VALUE


def test_a_page_out_of_sight_is_a_permission_and_not_a_gone_post(loopback: Loopback, page: Page) -> None:
    page.unusual = lambda a: refused("Unsupported get request", subcode=33) if a.path == ROOT else None
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.PERMISSION


def test_a_user_token_is_a_mistake_in_the_set_up_not_an_expired_one(loopback: Loopback, page: Page) -> None:
    page.unusual = lambda _asked: refused("This method must be called with a Page Access Token", 190)
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG


def test_losing_the_token_midway_keeps_what_came_before(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1), post(2)]]
    page.values = {"17001_1": {"post_media_view": 5}}
    page.unusual = lambda a: refused("expired", 190, 463) if a.path == "/v26.0/17001_2/insights" else None
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.REAUTH
    assert (turn.value("views", "17001_1"), turn.value("likes", "17001_2")) == (5, 20)


def test_an_error_in_an_answer_with_status_200_is_an_error(loopback: Loopback, page: Page) -> None:
    page.unusual = lambda _asked: Reply({"error": {"message": "expired", "code": 190}}, 200)
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.REAUTH


def test_unknown_fields_and_posts_without_an_id_are_reported(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1, future=True), {"message": "no id", "created_time": "2026-11-18T09:30:00+0000"}]]
    turn = read(loopback)
    assert {"post.data[].future", "post.data[]: a post without an id"} <= turn.result.unknown_fields
    assert [p.post_id for p in turn.result.posts] == ["17001_1"]


def test_a_wrong_type_is_an_error_that_names_the_field(loopback: Loopback, page: Page) -> None:
    page.pages = [[post(1, shares=[3])]]
    turn = read(loopback)
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG
    assert "shares" in str(turn.error)
