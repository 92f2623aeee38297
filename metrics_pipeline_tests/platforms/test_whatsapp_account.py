"""A WhatsApp Business account's own series: days by the points' bounds, parts, and what is no number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import NOW, Loopback, Reply, Turn, settings_for, take_turn
from metrics_pipeline_tests.platforms.whatsapp_server import DAYS, PACIFIC_DAY, WhatsAppServer, span

NAMED = {"1": "America/Los_Angeles"}
LAST_TWO = Window.of_days(date(2026, 11, 18), date(2026, 11, 20))


def read(
    loopback: Loopback,
    server: WhatsAppServer,
    window: Window = DAYS,
    now: datetime = NOW,
    zones: Mapping[str, str] | None = None,
) -> Turn:
    loopback.answer = server.answer
    settings = settings_for(loopback, "whatsapp", whatsapp_time_zones=zones or {})
    return take_turn("whatsapp", settings, window=window, now=now)


def with_messages(*points: dict[str, object]) -> WhatsAppServer:
    server = WhatsAppServer()
    server.fields["analytics"] = {"granularity": "DAY", "data_points": list(points)}
    return server


def with_prices(*points: dict[str, object]) -> WhatsAppServer:
    server = WhatsAppServer()
    server.fields["pricing_analytics"] = {"data": [{"data_points": [{**PACIFIC_DAY, **p} for p in points]}]}
    return server


def asked_fields(loopback: Loopback, name: str) -> list[str]:
    return [fields for a in loopback.asked if (fields := a.params.get("fields", "")).startswith(name)]


def test_the_account_is_read_in_three_requests(loopback: Loopback) -> None:
    turn = read(loopback, WhatsAppServer(), zones=NAMED)
    assert turn.error is None
    assert turn.result.unknown_fields == set()
    names = ("messages_sent", "messages_delivered", "messages_priced", "message_cost")
    assert [turn.value(name) for name in names] == [90, 80, 78, 2.5]
    assert {(r.date, r.day_timezone) for r in turn.result.readings} == {(date(2026, 11, 18), "America/Los_Angeles")}
    assert turn.readings("message_cost")[0].metadata == {"currency": "BRL"}
    waba, analytics, pricing = (a.params["fields"] for a in loopback.asked[:3])
    assert waba == "id,name,currency,timezone_id"
    # a day is asked on both sides, so that a day of any zone lies within
    start, end = (int(datetime(2026, 11, n, tzinfo=UTC).timestamp()) for n in (17, 20))
    assert analytics == f"analytics.start({start}).end({end}).granularity(DAY).product_types([0,2])"
    assert f".start({start}).end({end}).granularity(DAILY)" in pricing
    assert "authorization" in loopback.asked[0].headers


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("2026-11-18 00:00", "2026-11-19 00:00", "UTC"),
        ("2026-11-18 08:00", "2026-11-19 08:00", "Etc/GMT+8"),
        ("2026-11-18 03:00", "2026-11-19 03:00", "Etc/GMT+3"),
        ("2026-11-18 10:00", "2026-11-19 10:00", "Etc/GMT+10"),
        ("2026-11-17 23:00", "2026-11-18 23:00", "Etc/GMT-1"),
        ("2026-11-17 18:30", "2026-11-18 18:30", "Asia/Kolkata"),
        ("2026-11-17 12:00", "2026-11-18 12:00", "Etc/GMT-12"),
        ("2026-11-17 11:00", "2026-11-18 11:00", "Etc/GMT-13"),
    ],
)
def test_a_day_is_that_of_the_points_bounds(loopback: Loopback, start: str, end: str, zone: str) -> None:
    turn = read(loopback, with_messages({**span(start, end), "sent": 7, "delivered": 6}), zones=NAMED)
    sent = turn.readings("messages_sent")
    assert [(r.date, r.value) for r in sent] == [(date(2026, 11, 18), 7)]
    assert sent[0].day_timezone == (zone if zone != "Etc/GMT+8" else "America/Los_Angeles")
    unnamed = read(loopback, with_messages({**span(start, end), "sent": 7, "delivered": 6}))
    assert unnamed.readings("messages_sent")[0].day_timezone == zone


def test_days_on_which_the_clocks_change_have_23_or_25_hours(loopback: Loopback) -> None:
    window = Window.of_days(date(2026, 11, 1), date(2026, 11, 2))
    server = with_messages({**span("2026-11-01 07:00", "2026-11-02 08:00"), "sent": 5, "delivered": 5})
    for zones in (NAMED, {}):
        turn = read(loopback, server, window, zones=zones)
        assert [r.date for r in turn.readings("messages_sent")] == [date(2026, 11, 1)]


def test_points_come_in_any_order_and_only_wanted_days_are_taken(loopback: Loopback) -> None:
    points: list[dict[str, object]] = [
        {**span(f"2026-11-{n} 08:00", f"2026-11-{n + 1} 08:00"), "sent": n, "delivered": 1} for n in (18, 16, 19, 17)
    ]
    turn = read(loopback, with_messages(*points), LAST_TWO, now=NOW + timedelta(days=1))
    assert {r.date.day: r.value for r in turn.readings("messages_sent")} == {18: 18, 19: 19}


def test_a_missing_point_is_no_zero(loopback: Loopback) -> None:
    turn = read(loopback, with_messages(), Window.of_days(date(2026, 11, 18), date(2026, 11, 21)))
    assert turn.readings("messages_sent") == []
    reasons = {o.date.day: (o.state, o.reason) for o in turn.result.outcomes if o.metric == "messages_delivered"}
    assert {state for state, _ in reasons.values()} == {State.UNKNOWN}
    assert "reports nothing for this day" in str(reasons[18][1])
    assert "once it has ended" in str(reasons[20][1])


def test_a_point_without_traffic_is_a_zero(loopback: Loopback) -> None:
    turn = read(loopback, with_messages({**PACIFIC_DAY, "sent": 0, "delivered": 0}))
    assert turn.outcome("account", "messages_sent").state is State.ZERO


def test_an_account_without_any_traffic_has_no_field(loopback: Loopback) -> None:
    server = WhatsAppServer()
    del server.fields["analytics"], server.fields["pricing_analytics"]
    turn = read(loopback, server)
    assert turn.error is None
    names = ("messages_sent", "messages_delivered", "messages_priced", "message_cost")
    assert {turn.outcome("account", name).state for name in names} == {State.UNKNOWN}


def test_a_running_day_is_not_taken(loopback: Loopback) -> None:
    # 19 November ends at 08:00 UTC of the 20th in Los Angeles
    server = with_messages({**span("2026-11-19 08:00", "2026-11-20 08:00"), "sent": 4, "delivered": 4})
    window = Window.of_days(date(2026, 11, 19), date(2026, 11, 20))
    early = read(loopback, server, window, now=datetime(2026, 11, 20, 7, tzinfo=UTC))
    assert early.readings("messages_sent") == []
    assert early.outcome("account", "messages_sent").state is State.UNKNOWN
    assert read(loopback, server, window).value("messages_sent") == 4


@pytest.mark.parametrize(
    "point",
    [
        {**span("2026-11-18 08:00", "2026-11-18 12:00"), "sent": 9},
        {**span("2026-11-18 08:20", "2026-11-19 08:20"), "sent": 9},
        {"sent": 9},
    ],
)
def test_a_point_that_is_no_day_is_reported_and_not_taken(loopback: Loopback, point: dict[str, object]) -> None:
    turn = read(loopback, with_messages(point))
    assert turn.readings("messages_sent") == []
    assert any("point" in field for field in turn.result.unknown_fields)


def test_a_second_point_for_a_day_is_reported_and_not_added(loopback: Loopback) -> None:
    point: dict[str, object] = {**PACIFIC_DAY, "sent": 9, "delivered": 8}
    turn = read(loopback, with_messages(point, point))
    assert turn.value("messages_sent") == 9
    assert any("second point" in field for field in turn.result.unknown_fields)


def test_parts_of_pricing_are_added_and_kept(loopback: Loopback) -> None:
    marketing = {"pricing_category": "MARKETING", "pricing_type": "REGULAR", "volume": 120, "cost": 7.5}
    service = {"pricing_category": "SERVICE", "pricing_type": "FREE_CUSTOMER_SERVICE", "volume": 340, "cost": 0}
    turn = read(loopback, with_prices({**service, "country": "BR", "tier": "0:MAX"}, marketing))
    assert (turn.value("messages_priced"), turn.value("message_cost")) == (460, 7.5)
    assert turn.readings("messages_priced")[0].metadata == {
        "marketing/regular": 120,
        "service/free_customer_service": 340,
    }
    assert turn.result.unknown_fields == set()


@pytest.mark.parametrize(
    ("points", "state", "reason"),
    [
        ([{"volume": 3}, {"volume": 4}], State.NOT_SUPPORTED, "partner's credit line"),
        ([{"volume": 3, "cost": 1}, {"volume": 4}], State.UNKNOWN, "1 of 2 parts of the day have no cost"),
    ],
)
def test_a_cost_that_is_not_told_is_a_state(
    loopback: Loopback, points: list[dict[str, object]], state: State, reason: str
) -> None:
    turn = read(loopback, with_prices(*points))
    assert turn.value("messages_priced") == 7
    assert turn.value("message_cost") is None
    cost = turn.outcome("account", "message_cost")
    assert cost.state is state
    assert reason in (cost.reason or "")


def test_no_more_than_a_year_is_asked_in_bearable_pieces(loopback: Loopback) -> None:
    window = Window.of_days(date(2025, 10, 1), date(2026, 11, 20))
    turn = read(loopback, with_messages(), window)
    assert turn.error is None
    spans = [
        [int(part.partition(")")[0]) for part in fields.split("(")[1:3]]
        for fields in asked_fields(loopback, "analytics")
    ]
    oldest = NOW - timedelta(days=365)
    assert min(start for start, _ in spans) >= oldest.timestamp()
    assert max(end - start for start, end in spans) <= 90 * 86_400
    old = turn.outcome("account", "messages_sent", "2025-10-31")
    assert (old.state, old.reason) == (State.UNKNOWN, "older than the platform keeps")
    asked = [o for o in turn.result.outcomes if o.metric == "messages_sent" and "older" not in (o.reason or "")]
    assert len({o.date for o in asked if o.level == "account"}) == 363


def test_a_refused_field_leaves_the_others(loopback: Loopback) -> None:
    server = WhatsAppServer()
    error = {"message": "no", "type": "OAuthException", "code": 10}
    server.answers["analytics"] = Reply({"error": error}, 403)
    turn = read(loopback, server)
    assert turn.error is None
    assert turn.outcome("account", "messages_sent").state is State.NOT_PERMITTED
    assert turn.value("messages_priced") == 78


def test_an_account_out_of_sight_is_a_matter_of_permission(loopback: Loopback) -> None:
    server = WhatsAppServer()
    error = {"message": "Object with ID '17001' does not exist", "type": "OAuthException", "code": 100}
    server.answers["id"] = Reply({"error": error}, 400)
    turn = read(loopback, server)
    assert turn.error is not None
    assert turn.error.act is Act.PERMISSION
