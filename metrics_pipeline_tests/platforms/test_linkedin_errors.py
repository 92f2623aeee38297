"""Each row of LinkedIn's error table, and what the run does about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metrics_pipeline.platforms.errors import Act, Answer
from metrics_pipeline.platforms.linkedin_errors import classify

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY_LIMIT = "Resource level throttle {} DAY limit for calls to this resource is reached."


def refusal(status: int, service_code: int | None = None, message: str = "text", code: str = "SOME_CODE") -> Answer:
    body = {"status": status, "code": code, "message": message}
    return Answer(status, {}, body if service_code is None else body | {"serviceErrorCode": service_code})


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        *[(refusal(401, code), Act.REAUTH) for code in (65600, 65601, 65604)],
        (refusal(401, message="Empty oauth2_access_token"), Act.REAUTH),
        (refusal(403, 100, "Unpermitted fields present in PARAMETER: x", "ACCESS_DENIED"), Act.PERMISSION),
        (refusal(400, message="Invalid timeIntervals parameter"), Act.CONFIG),
        (refusal(400, message="Start time and end time must be less than 14 months apart"), Act.CONFIG),
        (refusal(404), Act.SKIP_OBJECT),
        (refusal(426, message="Requested version 202508 is not active", code="NONEXISTENT_VERSION"), Act.STOP_PLATFORM),
        (refusal(429, message=DAY_LIMIT.format("MEMBER")), Act.WAIT),
        (Answer(429, {}, None), Act.WAIT),
        *[(refusal(status), Act.RETRY) for status in (500, 502, 503, 504)],
        (Answer(503, {}, None), Act.RETRY),
        (Answer(200, {}, {"elements": []}), None),
    ],
)
def test_errors(answer: Answer, act: Act | None) -> None:
    error = classify(answer, NOW)
    assert (error and error.act) == act


@pytest.mark.parametrize(
    ("whose", "scope"), [("APPLICATION", "app"), ("MEMBER", "account"), ("APPLICATION_AND_MEMBER", "account")]
)
def test_a_daily_limit_lasts_until_midnight_utc(whose: str, scope: str) -> None:
    error = classify(refusal(429, message=DAY_LIMIT.format(whose)), NOW)
    assert error is not None
    assert (error.wait_seconds, error.scope) == (14 * 3600, scope)


@pytest.mark.parametrize(("headers", "seconds"), [({}, 5.0), ({"retry-after": "30"}, 30.0)])
def test_a_429_that_names_no_limit_is_waited_for(headers: dict[str, str], seconds: float) -> None:
    error = classify(Answer(429, headers, {"message": "Too many requests", "status": 429}), NOW)
    assert error is not None
    assert error.wait_seconds == seconds


def test_a_dead_version_names_the_setting() -> None:
    assert "METRICS_LINKEDIN_VERSION" in str(classify(refusal(426), NOW))
