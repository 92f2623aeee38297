"""Pinterest: bookmarks, totals of pins, days with a status, and whose token it is."""

from __future__ import annotations

from datetime import date

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

TOTALS = {"impression": 900, "pin_click": 40, "clickthrough": 5, "save": 12, "reaction": 3, "comment": 0}
METRICS = {
    "IMPRESSION": 1000,
    "PIN_CLICK": 40,
    "OUTBOUND_CLICK": 4,
    "SAVE": 6,
    "ENGAGEMENT": 50,
    "ENGAGEMENT_RATE": 0.05,
}


def pin(pin_id: str, day: str = "2026-11-18", **more: object) -> dict[str, object]:
    metrics = {"90d": {"impression": 1}, "lifetime_metrics": TOTALS}
    return {"id": pin_id, "created_at": f"{day}T09:30:00", "title": f"pin {pin_id}", "pin_metrics": metrics, **more}


class World:
    def __init__(self) -> None:
        counts = {"follower_count": 510, "following_count": 0, "pin_count": 70, "board_count": 8}
        self.user: dict[str, object] = {"id": "17001", "username": "someone", "account_type": "BUSINESS", **counts}
        self.pages: list[list[dict[str, object]]] = [[]]
        self.single: dict[str, dict[str, object]] = {}
        self.days: dict[str, tuple[str, dict[str, object]]] = {}
        self.refused: dict[str, Reply] = {}
        self.refused_metric = ""

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix("/v5")
        if path in self.refused:
            return self.refused[path]
        if path == "/user_account":
            return Reply(self.user)
        if path == "/user_account/analytics":
            return self.analytics(asked)
        if path == "/pins":
            number = int(asked.params.get("bookmark", "0"))
            following = str(number + 1) if number + 1 < len(self.pages) else None
            return Reply({"items": self.pages[number], "bookmark": following})
        found = self.single.get(path.removeprefix("/pins/"))
        return Reply(found) if found else Reply({"code": 50, "message": "Pin not found."}, 404)

    def analytics(self, asked: Asked) -> Reply:
        names = asked.params["metric_types"].split(",")
        if self.refused_metric in names:
            return Reply({"code": 1, "message": f"'{self.refused_metric}' is not one of [..]"}, 400)
        rows = [
            {"date": day, "data_status": status, "metrics": {n: v for n, v in metrics.items() if n in names}}
            for day, (status, metrics) in self.days.items()
            if asked.params["start_date"] <= day <= asked.params["end_date"]
        ]
        return Reply({"all": {"daily_metrics": rows, "summary_metrics": {}}})


@pytest.fixture
def world(loopback: Loopback) -> World:
    world = World()
    loopback.answer = world.answer
    return world


def read(loopback: Loopback, known: tuple[str, ...] = (), external_id: str = "17001", **settings: object) -> Turn:
    values = settings_for(loopback, "pinterest", **settings)
    return take_turn("pinterest", values, known=known, external_id=external_id)


def series(loopback: Loopback, first: str, end: str) -> Turn:
    window = Window.of_days(date.fromisoformat(first), date.fromisoformat(end))
    return take_turn("pinterest", settings_for(loopback, "pinterest"), window=window)


def test_levels_and_totals(loopback: Loopback, world: World) -> None:
    world.pages = [[pin("1", creative_type="VIDEO", brand_new=1)]]
    turn = read(loopback)
    assert turn.error is None
    assert (turn.value("followers"), turn.value("following"), turn.value("boards")) == (510, 0, 8)
    assert turn.outcome("account", "monthly_views").state is State.UNKNOWN
    assert (turn.value("impressions", "1"), turn.value("clicks", "1"), turn.value("content_clicks", "1")) == (
        900,
        5,
        40,
    )
    assert (turn.value("saves", "1"), turn.value("likes", "1"), turn.value("interactions", "1")) == (12, 3, 57)
    assert turn.outcome("post", "comments").state is State.ZERO
    assert turn.result.posts[0].post_type == "video"
    assert turn.result.unknown_fields == {"pins.items[].brand_new"}
    listing = next(a for a in loopback.asked if a.path == "/v5/pins")
    assert listing.params == {"page_size": "250", "pin_metrics": "true", "pin_filter": "exclude_repins"}


def test_a_pin_without_lifetime_figures_is_not_zero(loopback: Loopback, world: World) -> None:
    world.pages = [[pin("1", pin_metrics={"90d": TOTALS}), pin("2", pin_metrics=None)]]
    turn = read(loopback)
    assert [r for r in turn.result.readings if r.level == "post"] == []
    assert turn.outcome("post", "saves").state is State.NOT_SUPPORTED


def test_bookmarks_are_followed_over_short_and_empty_pages(loopback: Loopback, world: World) -> None:
    world.pages = [[pin("1")], [], [pin("2", "2025-01-01")], [pin("3"), pin("1")]]
    assert [p.post_id for p in read(loopback).result.posts] == ["1", "3"]
    assert [a.params.get("bookmark") for a in loopback.asked if a.path == "/v5/pins"] == [None, "1", "2", "3"]


def test_where_the_list_is_newest_first_old_pages_are_not_read(loopback: Loopback, world: World) -> None:
    world.pages = [[pin("1")], [pin("2", "2025-01-01")], [pin("3")]]
    assert [p.post_id for p in read(loopback, pinterest_newest_first=True).result.posts] == ["1"]


def test_known_pins_are_looked_up_and_gone_ones_become_tombstones(loopback: Loopback, world: World) -> None:
    world.single = {"1": pin("1")}
    turn = read(loopback, known=("1", "2"))
    assert [(p.post_id, p.deleted) for p in turn.result.posts] == [("1", False), ("2", True)]
    assert turn.value("impressions", "1") == 900


def test_another_accounts_token_stores_nothing(loopback: Loopback, world: World) -> None:
    assert read(loopback, external_id="someone").error is None
    turn = read(loopback, external_id="17002")
    assert turn.error is not None
    assert (turn.error.act, turn.result.readings) == (Act.REAUTH, [])
    world.user = {"id": "999", "username": "else"}
    world.days = {"2026-11-10": ("READY", dict(METRICS))}
    late = series(loopback, "2026-11-10", "2026-11-11")
    assert late.error is not None
    assert late.result.readings == []


def test_days_by_their_status(loopback: Loopback, world: World) -> None:
    world.days = {
        "2026-11-15": ("BEFORE_BUSINESS_CREATED", {}),
        "2026-11-16": ("READY", {**METRICS, "SAVE": 0, "PIN_CLICK": None}),
        "2026-11-18": ("ESTIMATE", {**METRICS, "SAVE": 0}),
        "2026-11-20": ("PROCESSING", dict(METRICS)),
    }
    turn = series(loopback, "2026-11-15", "2026-11-21")
    saves = {day: turn.outcome("account", "saves", f"2026-11-{day}") for day in range(15, 21)}
    assert [saves[day].state for day in (15, 16, 17, 18, 20)] == [
        State.UNKNOWN, State.ZERO, State.UNKNOWN, State.UNKNOWN, State.UNKNOWN,
    ]  # fmt: skip
    assert "BEFORE_BUSINESS_CREATED" in (saves[15].reason or "")
    assert "PROCESSING" in (saves[20].reason or "")
    assert turn.outcome("account", "content_clicks", "2026-11-16").state is State.UNKNOWN
    impressions = turn.readings("impressions")
    assert [(r.date.day, r.metadata) for r in impressions] == [
        (16, {"data_status": "READY"}),
        (18, {"data_status": "ESTIMATE"}),
    ]
    rate = turn.readings("interaction_rate")[0]
    assert (rate.value, rate.numerator, rate.denominator) == (0.05, 50, 1000)


def test_no_request_starts_more_than_89_days_back(loopback: Loopback, world: World) -> None:
    turn = series(loopback, "2026-08-01", "2026-11-21")
    starts = [a.params["start_date"] for a in loopback.asked if a.path.endswith("analytics")]
    spans = [(a.params["start_date"], a.params["end_date"]) for a in loopback.asked if a.path.endswith("analytics")]
    assert starts == ["2026-08-23", "2026-11-20"]
    assert all((date.fromisoformat(end) - date.fromisoformat(start)).days < 90 for start, end in spans)
    assert "older" in (turn.outcome("account", "saves", "2026-08-22").reason or "")
    assert "older" not in (turn.outcome("account", "saves", "2026-08-23").reason or "")


def test_a_refused_metric_costs_only_itself(loopback: Loopback, world: World) -> None:
    world.days = {"2026-11-10": ("READY", dict(METRICS))}
    world.refused_metric = "SAVE"
    turn = series(loopback, "2026-11-10", "2026-11-11")
    assert turn.error is None
    assert turn.outcome("account", "saves").state is State.NOT_SUPPORTED
    assert turn.value("impressions") == 1000


def test_a_missing_permission_costs_only_its_metrics(loopback: Loopback, world: World) -> None:
    denied = Reply({"code": 7, "message": "You are not permitted to access that resource."}, 403)
    world.refused = {"/pins": denied, "/user_account/analytics": denied}
    turn = read(loopback)
    assert (turn.error, turn.value("followers")) == (None, 510)
    assert turn.outcome("post", "saves").state is State.NOT_PERMITTED
    turn = series(loopback, "2026-11-10", "2026-11-11")
    assert turn.error is None
    assert turn.outcome("account", "saves").state is State.NOT_PERMITTED
    world.refused = {"/user_account": denied}
    world.pages = [[pin("1")]]
    turn = read(loopback)
    assert (turn.error, turn.value("saves", "1")) == (None, 12)
    assert turn.outcome("account", "followers").state is State.NOT_PERMITTED


@pytest.mark.parametrize("body", [{}, {"items": {}}, {"items": [{"id": "1", "created_at": "yesterday"}]}])
def test_another_shape_is_an_error_not_an_empty_list(loopback: Loopback, world: World, body: object) -> None:
    world.refused = {"/pins": Reply(body)}
    turn = read(loopback, known=("5",))
    assert turn.error is not None
    assert turn.error.act is Act.CONFIG
    assert turn.result.posts == []
