"""Errors of the X API v2: RFC 7807-like bodies, sometimes the older {"errors": [{"code": ..}]}."""

from __future__ import annotations

from datetime import datetime

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, by_status, number_in

NOT_ENROLLED = "client-not-enrolled"
WINDOW_SECONDS = 900.0  # every documented window is 15 minutes; used when the reset header is missing
RESET_SLACK_SECONDS = 2.0  # the reset is given in whole seconds of another machine's clock

GONE_PROBLEMS = {"resource-not-found", "resource-unavailable"}
FIELD_PROBLEMS = {"not-authorized-for-field", "field-unauthorized"}


def problem_name(problem: object) -> str:
    """The last part of a problem's type URL: `resource-not-found`."""
    kind = problem.get("type") if isinstance(problem, dict) else None
    return kind.rstrip("/").rsplit("/", 1)[-1] if isinstance(kind, str) else ""


def classify(answer: Answer, now: datetime) -> PlatformError | None:
    """What an X answer means; None for success. `errors` beside data in a 200 are the adapter's to join."""
    if answer.status < 400:
        return None
    body = answer.mapping()
    listed = body.get("errors")
    errors = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    name = problem_name(body) or next((problem_name(e) for e in errors if problem_name(e)), "")
    reason = body.get("reason")
    texts = [body.get("detail") or body.get("title"), *(e.get("message") or e.get("detail") for e in errors)]
    texts += [
        f"parameters: {', '.join(map(str, e['parameters']))}" for e in errors if isinstance(e.get("parameters"), dict)
    ]
    message = "; ".join(str(t) for t in texts if t) or f"HTTP {answer.status} without an explanation"
    code = reason if isinstance(reason, str) and reason == NOT_ENROLLED else name or None

    def found(act: Act, wait: float | None = None) -> PlatformError:
        return PlatformError(act, message, wait_seconds=wait, code=code, status=answer.status)

    if name == "usage-capped" or name == "credits-depleted":
        return found(Act.STOP_PLATFORM)
    if answer.status == 429 or any(e.get("code") == 88 for e in errors):
        return found(Act.WAIT, seconds_to_reset(answer, now))
    if name in GONE_PROBLEMS:
        return found(Act.SKIP_OBJECT)
    if name in FIELD_PROBLEMS:
        return found(Act.SKIP_METRIC)
    return by_status(answer, message, code)


def seconds_to_reset(answer: Answer, now: datetime) -> float:
    """Seconds until the rate window opens again, by the reset header (Unix seconds), else a whole window."""
    reset = number_in(answer.headers.get("x-rate-limit-reset"))
    if reset is None:
        return number_in(answer.headers.get("retry-after")) or WINDOW_SECONDS
    return max(reset - now.timestamp(), 0.0) + RESET_SLACK_SECONDS


def quota_used_up(answer: Answer, now: datetime) -> float | None:
    """Seconds to pause this endpoint when its last call of the window has just been spent."""
    if number_in(answer.headers.get("x-rate-limit-remaining")) != 0:
        return None
    return seconds_to_reset(answer, now)
