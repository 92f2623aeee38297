"""Message templates: found by paging, read ten at a time, with clicks and costs in lists and reads that expire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import NOW, Asked, Loopback, Reply, Turn, settings_for, take_turn
from metrics_pipeline_tests.platforms.whatsapp_server import DAYS, UTC_DAY, WhatsAppServer, span, unix

NUMBERS = {"sent": 500, "delivered": 480, "read": 300}


def point(template: str = "1", day: int = 18, numbers: Mapping[str, object] = NUMBERS) -> dict[str, object]:
    bounds = span(f"2026-11-{day:02} 00:00", f"2026-11-{day + 1:02} 00:00")
    return {"template_id": template, **bounds, **numbers}


def read(loopback: Loopback, server: WhatsAppServer, window: Window = DAYS, now: datetime = NOW) -> Turn:
    loopback.answer = server.answer
    return take_turn("whatsapp", settings_for(loopback, "whatsapp"), window=window, now=now)


def analytics_calls(loopback: Loopback) -> list[Asked]:
    return [asked for asked in loopback.asked if asked.path.endswith("/template_analytics")]


def refused(code: int, message: str) -> Reply:
    return Reply({"error": {"message": message, "type": "OAuthException", "code": code}}, 400)


def test_a_template_is_a_post_with_series_of_its_own(loopback: Loopback) -> None:
    turn = read(loopback, WhatsAppServer(points=[point()]))
    assert turn.error is None
    names = ("messages_sent", "messages_delivered", "messages_read")
    assert [turn.value(name, "1") for name in names] == [500, 480, 300]
    assert [(p.post_id, p.post_type, p.title, p.published_at) for p in turn.result.posts] == [
        ("1", "template", "t1", None)
    ]
    made = turn.readings("messages_read", "1")[0]
    assert (made.date, made.day_timezone, made.post_type) == (date(2026, 11, 18), "UTC", "template")
    params = analytics_calls(loopback)[0].params
    assert (params["granularity"], params["start"], params["end"]) == (
        "DAILY",
        str(UTC_DAY["start"]),
        str(UTC_DAY["end"]),
    )


def test_ten_templates_a_call_and_points_page_by_page(loopback: Loopback) -> None:
    templates = [str(n) for n in range(1, 24)]
    server = WhatsAppServer(templates, points=[point(one) for one in reversed(templates)], page=4)
    turn = read(loopback, server)
    batches = [json.loads(asked.params["template_ids"]) for asked in analytics_calls(loopback)]
    assert [len(batch) for batch in batches] == [10, 10, 10, 10, 10, 10, 3]
    assert {r.post_id for r in turn.result.readings if r.metric == "messages_read"} == set(templates)
    sent = turn.outcome("post", "messages_sent")
    assert (sent.objects, sent.objects_ok) == (23, 23)
    assert "leak" not in repr(turn.result.readings)


def test_templates_are_listed_to_the_end_over_short_and_empty_pages(loopback: Loopback) -> None:
    pages = {"": ["1", "2"], "b": [], "c": ["3"]}
    following = {"": "b", "b": "c"}

    def answer(asked: Asked) -> Reply:
        if not asked.path.endswith("/message_templates"):
            return WhatsAppServer().answer(asked)
        after = asked.params.get("after", "")
        body: dict[str, object] = {"data": [{"id": one, "status": "PAUSED"} for one in pages[after]]}
        more = {"next": "https://example.org/?access_token=leak"} if after in following else {}
        return Reply({**body, "paging": {"cursors": {"after": following.get(after, "z")}, **more}})

    loopback.answer = answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"))
    assert [p.post_id for p in turn.result.posts] == ["1", "2", "3"]
    assert (turn.value("message_templates"), turn.value("message_templates_approved")) == (3, 0)
    assert turn.outcome("account", "message_templates_approved").state is State.ZERO


def test_clicks_are_added_by_kind_and_people_never(loopback: Loopback) -> None:
    clicked = [
        {"type": "quick_reply_button", "button_content": "Help", "count": 14},
        {"type": "url_button", "button_content": "Open", "count": 20},
        {"type": "unique_url_button", "button_content": "Open", "count": 9},
    ]
    turn = read(loopback, WhatsAppServer(points=[point(numbers={"clicked": clicked})]))
    assert (turn.value("button_clicks", "1"), turn.value("unique_button_clicks", "1")) == (34, 9)
    assert turn.readings("button_clicks", "1")[0].metadata == {
        "quick_reply_button: Help": 14,
        "url_button: Open": 20,
    }
    clicked.append({"type": "unique_url_button", "button_content": "Shop", "count": 4})
    two = read(loopback, WhatsAppServer(points=[point(numbers={"clicked": clicked})]))
    assert two.value("unique_button_clicks", "1") is None
    assert two.outcome("post", "unique_button_clicks").state is State.NOT_SUPPORTED


@pytest.mark.parametrize("lists", [{}, {"clicked": [], "cost": []}, {"clicked": None, "cost": None}])
def test_what_is_not_in_a_list_is_no_zero(loopback: Loopback, lists: dict[str, object]) -> None:
    turn = read(loopback, WhatsAppServer(points=[point(numbers={"sent": 5, "read": 0, **lists})]))
    assert turn.value("messages_read", "1") == 0
    assert turn.value("button_clicks", "1") is None
    assert turn.outcome("post", "button_clicks").state is State.UNKNOWN
    assert turn.outcome("post", "message_cost").state is State.NOT_SUPPORTED


def test_cost_is_what_was_spent_in_the_accounts_currency(loopback: Loopback) -> None:
    cost = [{"type": "cost_per_delivered", "value": 0.025}, {"type": "amount_spent", "value": 12.2}]
    turn = read(loopback, WhatsAppServer(points=[point(numbers={"cost": cost})]))
    assert turn.value("message_cost", "1") == 12.2
    assert turn.readings("message_cost", "1")[0].metadata == {"cost_per_delivered": 0.025, "currency": "BRL"}


def test_unknown_kinds_in_a_list_are_reported_and_not_added(loopback: Loopback) -> None:
    lists: dict[str, object] = {
        "clicked": [{"type": "wink", "button_content": "x", "count": 3}],
        "cost": [{"type": "tip", "value": 1}],
        "applause": 3,
    }
    turn = read(loopback, WhatsAppServer(points=[point(numbers=lists)]))
    assert turn.value("button_clicks", "1") is None
    told = " ".join(turn.result.unknown_fields)
    assert all(word in told for word in ("wink", "tip", "applause"))


@pytest.mark.parametrize(
    ("day", "count", "value"),
    [
        (14, 0, 0),  # six days old: really nobody
        (13, 5, 5),  # its first messages expire since this morning: perhaps too low, never too high
        (13, 0, None),
        (12, 5, None),  # all of it has expired
        (12, 0, None),
    ],
)
def test_reads_and_clicks_that_expired_are_no_zero(
    loopback: Loopback, day: int, count: int, value: float | None
) -> None:
    clicked = [{"type": "url_button", "button_content": "Open", "count": count}]
    window = Window.of_days(date(2026, 11, day), date(2026, 11, day + 1))
    server = WhatsAppServer(points=[point(day=day, numbers={"sent": 9, "read": count, "clicked": clicked})])
    turn = read(loopback, server, window)
    assert [turn.value(name, "1") for name in ("messages_read", "button_clicks")] == [value, value]
    assert turn.value("messages_sent", "1") == 9
    if value is None:
        gone = turn.outcome("post", "messages_read")
        assert gone.state is State.UNKNOWN
        assert "7 days" in (gone.reason or "")


def test_a_silent_day_and_one_that_is_not_over(loopback: Loopback) -> None:
    turn = read(loopback, WhatsAppServer(), Window.of_days(date(2026, 11, 19), date(2026, 11, 21)))
    reasons = {
        o.date.day: o.reason or "" for o in turn.result.outcomes if o.level == "post" and o.metric == "messages_sent"
    }
    assert "reports nothing" in reasons[19]
    assert "ended in UTC" in reasons[20]
    assert max(int(asked.params["end"]) for asked in analytics_calls(loopback)) == unix("2026-11-20 00:00")


def test_ninety_days_are_asked_and_not_one_more(loopback: Loopback) -> None:
    turn = read(loopback, WhatsAppServer(), Window.of_days(date(2026, 8, 1), date(2026, 11, 20)))
    starts = [int(asked.params["start"]) for asked in analytics_calls(loopback)]
    ends = [int(asked.params["end"]) for asked in analytics_calls(loopback)]
    assert min(starts) >= NOW.timestamp() - 90 * 86_400
    assert max(e - s for s, e in zip(starts, ends, strict=True)) <= 90 * 86_400
    assert turn.outcome("post", "messages_sent", "2026-08-22").reason == "older than the platform keeps"
    assert min(starts) == datetime(2026, 8, 23, tzinfo=UTC).timestamp()


def test_one_template_that_is_gone_costs_only_itself(loopback: Loopback) -> None:
    server = WhatsAppServer(["1", "2", "3"], points=[point(one) for one in "123"])

    def answer(asked: Asked) -> Reply:
        if "template_ids" in asked.params and "2" in json.loads(asked.params["template_ids"]):
            return refused(100, "Object with ID '2' does not exist")
        return server.answer(asked)

    loopback.answer = answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), window=DAYS)
    assert turn.error is None
    sent = turn.outcome("post", "messages_sent")
    assert (sent.state, sent.objects, sent.objects_ok) == (State.VALUE, 3, 2)


def test_a_list_that_fails_costs_the_templates_and_not_the_account(loopback: Loopback) -> None:
    server = WhatsAppServer()
    server.answers["message_templates"] = refused(131009, "no")
    turn = read(loopback, server)
    assert turn.error is None
    assert turn.value("messages_sent") == 90
    assert turn.outcome("post", "messages_sent").state is State.FAILED


def test_a_known_template_that_is_listed_no_more_becomes_a_tombstone(loopback: Loopback) -> None:
    server = WhatsAppServer()

    def answer(asked: Asked) -> Reply:
        if asked.path == "/v26.0/8":
            return refused(100, "Object with ID '8' does not exist")
        if asked.path == "/v26.0/9":
            return Reply({"id": "9", "name": "kept", "status": "APPROVED"})
        return server.answer(asked)

    loopback.answer = answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), known=("1", "8", "9"))
    assert {(p.post_id, p.deleted) for p in turn.result.posts} == {("1", False), ("8", True), ("9", False)}
    assert turn.value("message_templates") == 2


def test_one_named_template_is_looked_up_without_the_list(loopback: Loopback) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply({"id": "9", "name": "kept", "status": "APPROVED"})

    loopback.answer = answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), known=("9",), post_age=None, reads_account=False)
    assert loopback.paths() == ["/v26.0/9"]
    assert ([p.title for p in turn.result.posts], turn.result.readings, turn.result.outcomes) == (["kept"], [], [])


def test_all_templates_gone_at_once_is_a_token_that_lost_its_sight(loopback: Loopback) -> None:
    def answer(asked: Asked) -> Reply:
        is_list = asked.path.endswith("/message_templates")
        return Reply({"data": []}) if is_list else refused(100, "Object with ID '8' does not exist")

    loopback.answer = answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), known=("8", "9"))
    assert turn.result.posts == []
    assert turn.outcome("account", "message_templates").state is State.NOT_PERMITTED
    assert turn.outcome("account", "message_templates").error_class == Act.PERMISSION.value
