"""LinkedIn: hand-written queries, posts left out of an answer, daily buckets, and what one refusal costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

SHARE, UGC = "urn:li:share:", "urn:li:ugcPost:"
COUNTS = {"impressionCount": 200, "uniqueImpressionsCount": 150, "clickCount": 6, "likeCount": 9}
COUNTS |= {"commentCount": 3, "shareCount": 2}
DAY_MS = 86_400_000


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def post(urn: str, day: str = "2026-11-18", **more: object) -> dict[str, object]:
    return {"id": urn, "commentary": "words", "createdAt": ms(day), "lifecycleState": "PUBLISHED", **more}


class World:
    """A page whose answers a test sets; a status in `refused` is given instead of the resource's answer."""

    def __init__(self) -> None:
        self.posts: list[dict[str, object]] = []
        self.links: list[dict[str, str]] = []
        self.single: dict[str, dict[str, object]] = {}
        self.totals: dict[str, Mapping[str, object]] = {}
        self.shares: list[dict[str, object]] = []
        self.gains: list[dict[str, object]] = []
        self.views: list[dict[str, object]] = []
        self.refused: dict[str, Reply] = {}

    def answer(self, asked: Asked) -> Reply:
        resource = asked.path.removeprefix("/rest/").split("/")[0]
        if resource in self.refused:
            return self.refused[resource]
        if resource == "networkSizes":
            return Reply({"firstDegreeSize": 12345})
        if resource == "posts":
            return self.some_posts(asked)
        urns = asked.params.get("shares") or asked.params.get("ugcPosts")
        if urns is not None:
            return self.elements(self.total(urn) for urn in urns[5:-1].split(",") if urn in self.totals)
        series = {"organizationalEntityFollowerStatistics": self.gains, "organizationPageStatistics": self.views}
        return self.elements(series.get(resource, self.shares))

    def elements(self, found: object) -> Reply:
        return Reply({"paging": {"start": 0, "count": 10, "links": []}, "elements": list(found)})  # type: ignore[call-overload]

    def total(self, urn: str) -> dict[str, object]:
        kind = "share" if urn.startswith(SHARE) else "ugcPost"
        return {"organizationalEntity": "o", kind: urn, "totalShareStatistics": self.totals[urn]}

    def some_posts(self, asked: Asked) -> Reply:
        single = asked.path.removeprefix("/rest/posts").removeprefix("/")
        if single:
            found = self.single.get(single)
            return Reply(found) if found else Reply({"status": 404, "message": "no such post"}, 404)
        start, count = int(asked.params["start"]), int(asked.params["count"])
        page = self.posts[start : start + count]
        return Reply({"paging": {"start": start, "count": count, "links": self.links}, "elements": page})


@pytest.fixture
def world(loopback: Loopback) -> World:
    world = World()
    loopback.answer = world.answer
    return world


def read(loopback: Loopback, known: tuple[str, ...] = (), post_age: timedelta = timedelta(days=35)) -> Turn:
    return take_turn("linkedin", settings_for(loopback, "linkedin"), known=known, post_age=post_age)


def series(loopback: Loopback, first: str, end: str) -> Turn:
    window = Window.of_days(date.fromisoformat(first), date.fromisoformat(end))
    return take_turn("linkedin", settings_for(loopback, "linkedin"), window=window)


def bucket(day: str, **more: object) -> dict[str, object]:
    return {"organizationalEntity": "o", "timeRange": {"start": ms(day), "end": ms(day) + DAY_MS}, **more}


def test_structure_stays_literal_urns_are_encoded_and_every_request_names_its_versions(
    loopback: Loopback, world: World
) -> None:
    world.posts = [post(f"{SHARE}1"), post(f"{UGC}2")]
    assert read(loopback).error is None
    series(loopback, "2026-11-10", "2026-11-12")
    sizes, finder, shares, ugc_posts, days = loopback.asked[:5]
    assert sizes.raw_path == "/rest/networkSizes/urn%3Ali%3Aorganization%3A17001"
    assert sizes.query == "edgeType=COMPANY_FOLLOWED_BY_MEMBER"
    assert "author=urn%3Ali%3Aorganization%3A17001" in finder.query
    assert finder.headers["x-restli-method"] == "FINDER"
    assert shares.query.endswith(
        "organizationalEntity=urn%3Ali%3Aorganization%3A17001&shares=List(urn%3Ali%3Ashare%3A1)"
    )
    assert ugc_posts.query.endswith("&ugcPosts=List(urn%3Ali%3AugcPost%3A2)")
    span = f"(timeRange:(start:{ms('2026-11-10')},end:{ms('2026-11-12')}),timeGranularityType:DAY)"
    assert days.query.endswith(f"timeIntervals={span}")
    for asked in loopback.asked:
        assert asked.headers["linkedin-version"] == "202608"
        assert asked.headers["x-restli-protocol-version"] == "2.0.0"


def test_totals_of_posts(loopback: Loopback, world: World) -> None:
    world.posts = [post(f"{UGC}1", content={"media": {"id": "urn:li:video:C1"}})]
    world.totals = {f"{UGC}1": COUNTS | {"likeCount": -1, "engagement": 0.05, "newThing": 1}}
    turn = read(loopback)
    one = f"{UGC}1"
    assert turn.value("followers") == 12345
    assert (turn.value("impressions", one), turn.value("reach", one), turn.value("likes", one)) == (200, 150, -1)
    assert (turn.value("content_clicks", one), turn.value("interactions", one)) == (6, 10)
    assert turn.readings("reach", one)[0].kind == "unique_counter"
    assert turn.result.posts[0].post_type == "video"
    assert turn.result.posts[0].published_at == datetime(2026, 11, 18, tzinfo=UTC)
    assert turn.result.unknown_fields == {
        "organizationalEntityShareStatistics.elements[].totalShareStatistics.newThing"
    }


def test_a_post_left_out_is_zero_a_field_left_out_is_not(loopback: Loopback, world: World) -> None:
    world.posts = [post(f"{SHARE}1"), post(f"{SHARE}2")]
    world.totals = {f"{SHARE}1": {k: v for k, v in COUNTS.items() if k != "uniqueImpressionsCount"}}
    turn = read(loopback)
    assert (turn.value("impressions", f"{SHARE}2"), turn.value("reach", f"{SHARE}2")) == (0, 0)
    assert turn.readings("likes", f"{SHARE}2")[0].metadata == {"omitted": "no activity"}
    assert turn.value("reach", f"{SHARE}1") is None
    reach = turn.outcome("post", "reach")
    assert (reach.state, reach.objects, reach.objects_ok) == (State.ZERO, 2, 1)


def test_a_post_older_than_the_window_is_unknown_when_left_out(loopback: Loopback, world: World) -> None:
    world.posts = [post(f"{SHARE}1", "2025-10-01")]
    turn = read(loopback, post_age=timedelta(days=500))
    assert turn.value("impressions", f"{SHARE}1") is None
    assert turn.outcome("post", "impressions").state is State.UNKNOWN


@pytest.mark.parametrize("reply", [Reply({"status": 500, "message": "oops"}, 500), Reply({"paging": {}})])
def test_a_failed_call_is_never_zero(loopback: Loopback, world: World, reply: Reply) -> None:
    world.posts = [post(f"{SHARE}1")]
    world.refused = {"organizationalEntityShareStatistics": reply}
    turn = read(loopback)
    assert turn.error is None
    assert turn.value("followers") == 12345
    assert [r for r in turn.result.readings if r.level == "post"] == []
    assert turn.outcome("post", "likes").state is State.FAILED


def test_posts_are_read_to_the_end_in_batches_of_fifty(loopback: Loopback, world: World) -> None:
    world.posts = [post(f"{SHARE}{n}") for n in range(230)] + [post(f"{SHARE}999", "2026-01-01")]
    turn = read(loopback)
    assert len(turn.result.posts) == 230
    assert [a.params["start"] for a in loopback.asked if a.path == "/rest/posts"] == ["0", "100", "200"]
    sizes = [a.params["shares"].count("urn") for a in loopback.asked if "shares" in a.params]
    assert sizes == [50, 50, 50, 50, 30]
    assert turn.outcome("post", "likes").objects_ok == 230


def test_a_short_page_with_a_next_link_is_not_the_last_and_an_empty_one_is(loopback: Loopback, world: World) -> None:
    world.posts = [post(f"{SHARE}1"), post(f"{SHARE}2", lifecycleState="DRAFT")]
    world.links = [{"rel": "next", "href": "/rest/posts?start=100", "type": "application/json"}]
    turn = read(loopback)
    assert [p.post_id for p in turn.result.posts] == [f"{SHARE}1"]
    assert [a.params["start"] for a in loopback.asked if a.path == "/rest/posts"] == ["0", "2"]


def test_known_posts_are_looked_up_and_gone_ones_become_tombstones(loopback: Loopback, world: World) -> None:
    world.single = {f"{SHARE}1": post(f"{SHARE}1")}
    turn = read(loopback, known=(f"{SHARE}1", f"{SHARE}2"))
    assert [(p.post_id, p.deleted) for p in turn.result.posts] == [(f"{SHARE}1", False), (f"{SHARE}2", True)]
    assert turn.value("impressions", f"{SHARE}1") == 0
    assert turn.value("impressions", f"{SHARE}2") is None


def test_other_kinds_of_urns_have_no_statistics(loopback: Loopback, world: World) -> None:
    world.posts = [post("urn:li:activity:1")]
    outcome = read(loopback).outcome("post", "likes")
    assert (outcome.state, outcome.objects) == (State.NOT_SUPPORTED, 1)


def test_days_with_their_rate_and_its_parts(loopback: Loopback, world: World) -> None:
    numbers = COUNTS | {"likeCount": -2, "engagement": 0.045, "shareMentionsCount": 0}
    world.shares = [bucket("2026-11-10", totalShareStatistics=numbers)]
    world.gains = [bucket("2026-11-10", followerGains={"organicFollowerGain": -4, "paidFollowerGain": 0})]
    every = {"allPageViews": {"pageViews": 31, "uniquePageViews": 20}, "aboutPageViews": {"pageViews": 5}}
    page = {"timeRange": bucket("2026-11-10")["timeRange"], "organization": "o"}
    world.views = [page | {"totalPageStatistics": {"views": every, "clicks": {}}}]
    turn = series(loopback, "2026-11-10", "2026-11-11")
    assert turn.result.unknown_fields == set()
    assert (turn.value("likes"), turn.value("reach"), turn.value("interactions")) == (-2, 150, 9)
    rate = turn.readings("interaction_rate")[0]
    assert (rate.value, rate.numerator, rate.denominator) == (0.045, 9, 200)
    assert (turn.value("organic_follower_gain"), turn.value("paid_follower_gain")) == (-4, 0)
    assert turn.outcome("account", "paid_follower_gain").state is State.ZERO
    assert (turn.value("profile_views"), turn.value("profile_visitors")) == (31, 20)
    assert {r.date for r in turn.result.readings} == {date(2026, 11, 10)}


def test_days_without_a_bucket_are_unknown_each_with_its_reason(loopback: Loopback, world: World) -> None:
    world.shares = [bucket("2026-11-16", totalShareStatistics=COUNTS), bucket("2026-10-01")]
    turn = series(loopback, "2026-11-16", "2026-11-21")
    reasons = {day: turn.outcome("account", "likes", f"2026-11-{day}").reason or "" for day in (17, 18, 20)}
    assert "nothing for this time" in reasons[17]
    assert "not ready yet" in reasons[18]
    assert "running day" in reasons[20]
    assert f"end:{ms('2026-11-20')}" in loopback.asked[0].query
    assert any("not one of the asked days" in text for text in turn.result.unknown_fields)


def test_distinct_people_of_a_closed_month_are_asked_for_the_month(loopback: Loopback, world: World) -> None:
    october = {"start": ms("2026-10-01"), "end": ms("2026-11-01")}
    world.shares = [bucket("2026-10-31", totalShareStatistics=COUNTS)]
    month = {"timeRange": october, "totalShareStatistics": COUNTS | {"uniqueImpressionsCount": 999}}
    days_only = world.elements

    def by_granularity(found: object) -> Reply:
        is_month = "MONTH" in loopback.asked[-1].query and found is world.shares
        return days_only([month] if is_month else found)

    world.elements = by_granularity  # type: ignore[method-assign]
    turn = series(loopback, "2026-10-31", "2026-11-01")
    assert (turn.value("reach", window="P1D"), turn.value("reach", window="P1M")) == (150, 999)
    assert turn.readings("reach", window="P1M")[0].date == date(2026, 10, 31)
    assert len(turn.readings("impressions")) == 1
    visitors = turn.outcome("account", "profile_visitors", window="P1M")
    assert visitors.state is State.UNKNOWN
    asked = [a.query for a in loopback.asked if "MONTH" in a.query]
    assert [f"start:{october['start']},end:{october['end']}" in query for query in asked] == [True, True]


def test_days_older_than_the_platform_keeps_are_not_asked(loopback: Loopback, world: World) -> None:
    turn = series(loopback, "2025-11-01", "2025-11-03")
    assert loopback.asked == []
    assert "older" in (turn.outcome("account", "likes", "2025-11-02").reason or "")


def test_a_missing_scope_costs_only_its_metrics(loopback: Loopback, world: World) -> None:
    denied = Reply({"status": 403, "serviceErrorCode": 100, "code": "ACCESS_DENIED", "message": "no"}, 403)
    world.refused = {"posts": denied, "organizationPageStatistics": denied}
    world.gains = [bucket("2026-11-10", followerGains={"organicFollowerGain": 7, "paidFollowerGain": 1})]
    turn = read(loopback)
    assert (turn.error, turn.value("followers")) == (None, 12345)
    assert turn.outcome("post", "impressions").state is State.NOT_PERMITTED
    turn = series(loopback, "2026-11-10", "2026-11-11")
    assert (turn.error, turn.value("organic_follower_gain")) == (None, 7)
    assert turn.outcome("account", "profile_views").state is State.NOT_PERMITTED


def test_a_spent_day_and_a_dead_version_end_the_turn_without_a_retry(loopback: Loopback, world: World) -> None:
    text = "Resource level throttle MEMBER DAY limit for calls to this resource is reached."
    for reply, act in ((Reply({"message": text}, 429), Act.WAIT), (Reply({"message": "x"}, 426), Act.STOP_PLATFORM)):
        loopback.asked.clear()
        world.refused = {"posts": reply}
        turn = read(loopback)
        assert turn.error is not None
        assert (turn.error.act, turn.slept, len(loopback.asked)) == (act, [], 2)
        assert turn.value("followers") == 12345
