"""Errors of LinkedIn's versioned API: the HTTP status first, then serviceErrorCode and text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, Scope, by_status, number_in

# A 429 that names no quota comes from the infrastructure: a short wait is enough.
HICCUP_SECONDS = 5.0


def classify(answer: Answer, now: datetime) -> PlatformError | None:
    """What a LinkedIn answer means; None for success."""
    if answer.status < 400:
        return None
    body = answer.mapping()
    service_code, name = body.get("serviceErrorCode"), body.get("code")
    text = body.get("message")
    message = text if isinstance(text, str) and text else f"HTTP {answer.status} without an explanation"
    code = name if isinstance(name, str) and name else str(service_code) if service_code is not None else None
    label = f"{message} ({code or answer.status})"
    if answer.status == 426:
        hint = f"{label}; set METRICS_LINKEDIN_VERSION to a version that LinkedIn serves"
        return PlatformError(Act.STOP_PLATFORM, hint, code=code, status=answer.status)
    if answer.status == 429:
        return _throttled(answer, label, code, now)
    return by_status(answer, label, code)


def _throttled(answer: Answer, message: str, code: str | None, now: datetime) -> PlatformError:
    """Daily counters return at 00:00 UTC and no header says so; a header that does say something is believed."""
    low = message.lower()
    wait = number_in(answer.headers.get("retry-after"))
    is_quota = "throttle" in low or "limit" in low
    if wait is None:
        wait = seconds_to_midnight(now) if is_quota else HICCUP_SECONDS
    # The message says whose counter is spent: the application's alone stops everyone.
    scope: Scope = "app" if is_quota and "application" in low and "member" not in low else "account"
    return PlatformError(Act.WAIT, message, wait_seconds=wait, scope=scope, code=code, status=answer.status)


def seconds_to_midnight(now: datetime) -> float:
    """Seconds until the next 00:00 UTC, when the daily counters begin anew."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1) - now).total_seconds()
