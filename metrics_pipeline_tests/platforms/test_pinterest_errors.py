"""Each row of Pinterest's error table, and what the run does about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metrics_pipeline.platforms.errors import Act, Answer
from metrics_pipeline.platforms.pinterest_errors import classify, quota_used_up

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
RESET, REMAINING = "x-userendpoint-ratelimit-reset", "x-userendpoint-ratelimit-remaining"


def refusal(status: int, code: int, message: str = "text", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, {"code": code, "message": message}, {"metric_types": "IMPRESSION,SAVE"})


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (refusal(401, 2, "Authentication failed."), Act.REAUTH),
        (refusal(401, 401), Act.REAUTH),
        (refusal(403, 7), Act.PERMISSION),
        (refusal(404, 50, "Pin not found."), Act.SKIP_OBJECT),
        (refusal(404, 404), Act.SKIP_OBJECT),
        (refusal(400, 1, "You can only get data from the last 90 days."), Act.CONFIG),
        (refusal(400, 1, "Invalid metric_types: 'SAVE' is not one of ['IMPRESSION']"), Act.SKIP_METRIC),
        (refusal(400, 1, "'DESCENDING' is not one of ['UP']"), Act.CONFIG),
        (refusal(429, 8), Act.WAIT),
        (Answer(429, {}, None), Act.WAIT),
        *[(refusal(status, status), Act.RETRY) for status in (500, 502, 503, 504)],
        (Answer(502, {}, None), Act.RETRY),
        (Answer(200, {}, {"items": [], "bookmark": None}), None),
    ],
)
def test_errors(answer: Answer, act: Act | None) -> None:
    error = classify(answer, NOW)
    assert (error and error.act) == act


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refusal(429, 8, "You have exceeded your rate limit."), 60),
        (refusal(429, 8, "Trial access is limited to 1000 requests per day."), 14 * 3600),
        (refusal(429, 8, retry_after="7"), 7),
        (refusal(429, 8, x_userendpoint_ratelimit_reset="40"), 40),
        (refusal(429, 8, x_userendpoint_ratelimit_reset=str(int(NOW.timestamp()) + 90)), 90),
    ],
)
def test_how_long_a_limit_is_waited_for(answer: Answer, seconds: float) -> None:
    error = classify(answer, NOW)
    assert error is not None
    assert error.wait_seconds == seconds


def test_a_refused_metric_is_named() -> None:
    error = classify(refusal(400, 1, "'SAVE' is not one of ['IMPRESSION']"), NOW)
    assert error is not None
    assert error.metric == "SAVE"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [({}, None), ({REMAINING: "1"}, None), ({REMAINING: "0"}, 60), ({REMAINING: "0", RESET: "9"}, 9)],
)
def test_the_last_call_of_a_window_pauses_the_endpoint(headers: dict[str, str], pause: float | None) -> None:
    assert quota_used_up(Answer(200, headers, {}), NOW) == pause
