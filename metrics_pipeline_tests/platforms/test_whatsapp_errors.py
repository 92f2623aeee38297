"""Each row of WhatsApp's error table, and what the run does about it."""

from __future__ import annotations

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act, Answer
from metrics_pipeline.platforms.whatsapp_errors import BLOCKED, classify
from metrics_pipeline_tests.platforms.loopback import Loopback, Reply, settings_for, take_turn
from metrics_pipeline_tests.platforms.whatsapp_server import DAYS, WhatsAppServer


def refusal(code: int, message: str = "text", status: int = 400, details: str | None = None) -> dict[str, object]:
    error: dict[str, object] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "t"}
    if details is not None:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": error}


def act_of(code: int, message: str = "text", status: int = 400) -> Act | None:
    error = classify(Answer(status, {}, refusal(code, message)))
    return error.act if error is not None else None


@pytest.mark.parametrize(
    ("codes", "act"),
    [
        ((0, 190), Act.REAUTH),
        ((3, 10, 200, 215, 299, 131005), Act.PERMISSION),
        ((1, 2, 131000, 131016), Act.RETRY),
        ((4, 80007, 80008, 130429, 131056, 131057, 133016), Act.WAIT),
        ((368, 130497, 131031, 131037, 131042, 131045, 131048, 131064), Act.PERMISSION),
        ((33, 100, 131008, 131009), Act.CONFIG),
        ((200005, 200006, 200007), Act.SKIP_METRIC),
        # about one message or one template to be sent: no answer to a question about figures
        ((130403, 130472, 131021, 131026, 131047, 131049, 131050, 131051, 131053, 131063), Act.CONFIG),
        ((132000, 132001, 132005, 132007, 132012, 132015, 132016), Act.CONFIG),
    ],
)
def test_the_error_table(codes: tuple[int, ...], act: Act) -> None:
    assert {code: act_of(code) for code in codes} == dict.fromkeys(codes, act)


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (Answer(200, {}, {"id": "1"}), None),
        (Answer(200, {}, refusal(190)), Act.REAUTH),
        (Answer(400, {}, refusal(100, "Object with ID '2' does not exist, cannot be loaded")), Act.SKIP_OBJECT),
        (Answer(503, {}, None), Act.RETRY),
        (Answer(500, {}, refusal(131000, status=500)), Act.RETRY),
    ],
)
def test_the_shape_of_an_answer(answer: Answer, act: Act | None) -> None:
    error = classify(answer)
    assert (error and error.act) == act


def test_the_wait_comes_from_the_usage_header_and_details_are_told() -> None:
    usage = '{"102": [{"type": "whatsapp", "call_count": 100, "estimated_time_to_regain_access": 9}]}'
    error = classify(Answer(400, {"x-business-use-case-usage": usage}, refusal(130429, "Slow", details="too many")))
    assert error is not None
    assert (error.wait_seconds, error.scope, str(error)) == (540, "account", "Slow: too many (code 130429)")
    bare = classify(Answer(400, {}, refusal(131056)))
    assert bare is not None
    assert bare.wait_seconds == 300


@pytest.mark.parametrize("code", sorted(BLOCKED))
def test_a_blocked_account_is_asked_nothing_more(loopback: Loopback, code: int) -> None:
    server = WhatsAppServer()
    server.answers["pricing_analytics"] = Reply(refusal(code, "restricted"), 400)
    loopback.answer = server.answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), window=DAYS)
    assert turn.error is not None
    assert (turn.error.act, turn.error.code) == (Act.PERMISSION, str(code))
    assert not any("message_templates" in path for path in loopback.paths())
    assert turn.value("messages_sent") is not None  # what came before it stays


def test_a_use_limit_that_is_nearly_spent_keeps_the_account_silent(loopback: Loopback) -> None:
    server = WhatsAppServer()
    usage = '{"17001": [{"type": "whatsapp", "call_count": 96, "total_time": 3, "estimated_time_to_regain_access": 0}]}'
    server.headers = {"X-Business-Use-Case-Usage": usage}
    loopback.answer = server.answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), window=DAYS)
    assert turn.error is not None
    assert turn.error.act is Act.WAIT
    assert len(loopback.asked) == 1


def test_unconfirmed_insights_of_templates_cost_only_these(loopback: Loopback) -> None:
    server = WhatsAppServer(templates=[str(n) for n in range(1, 26)])
    server.answers["template_analytics"] = Reply(refusal(200007, "Template insights are not confirmed"), 400)
    loopback.answer = server.answer
    turn = take_turn("whatsapp", settings_for(loopback, "whatsapp"), window=DAYS)
    assert turn.error is None
    assert turn.value("messages_sent") is not None
    read = turn.outcome("post", "messages_read", "2026-11-18")
    assert (read.state, read.objects, read.objects_ok) == (State.NOT_SUPPORTED, 25, 0)
    assert "200007" in (read.reason or "")
    assert sum("template_analytics" in path for path in loopback.paths()) == 1
