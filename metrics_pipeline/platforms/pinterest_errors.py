"""Errors of Pinterest's API v5: the HTTP status decides, since `code` follows two numberings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, by_status, number_in

MINUTE_SECONDS = 60.0  # the documented limits are per minute
_RESET, _REMAINING = "x-userendpoint-ratelimit-reset", "x-userendpoint-ratelimit-remaining"
_REFUSED_METRIC = re.compile(r"'([A-Z][A-Z0-9_]+)' is not one of")
_DAILY = re.compile(r"\b(trial|daily|per day|day)\b", re.IGNORECASE)


def classify(answer: Answer, now: datetime) -> PlatformError | None:
    """What a Pinterest answer means; None for success."""
    if answer.status < 400:
        return None
    body = answer.mapping()
    text, number = body.get("message"), body.get("code")
    message = text if isinstance(text, str) and text else f"HTTP {answer.status} without an explanation"
    code = str(number) if isinstance(number, int) else None
    label = f"{message} (code {code or answer.status})"
    if answer.status == 429:
        return PlatformError(
            Act.WAIT, label, wait_seconds=_wait_seconds(answer, message, now), code=code, status=answer.status
        )
    refused = _REFUSED_METRIC.search(message)
    if answer.status == 400 and refused and refused.group(1) in answer.params.get("metric_types", "").split(","):
        return PlatformError(Act.SKIP_METRIC, label, metric=refused.group(1), code=code, status=answer.status)
    return by_status(answer, label, code)


def _wait_seconds(answer: Answer, message: str, now: datetime) -> float:
    """Until the header's reset if there is one; a daily allowance until the next UTC day, else a minute."""
    told = number_in(answer.headers.get("retry-after")) or seconds_to_reset(answer, now)
    if told is not None:
        return told
    if not _DAILY.search(message):
        return MINUTE_SECONDS
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1) - now).total_seconds()


def seconds_to_reset(answer: Answer, now: datetime) -> float | None:
    """What the undocumented reset header says: seconds left, or an instant where it is too large for that."""
    reset = number_in(answer.headers.get(_RESET))
    if reset is None or reset < 0:
        return None
    return reset if reset <= 86_400 else max(reset - now.timestamp(), 0.0)


def quota_used_up(answer: Answer, now: datetime) -> float | None:
    """Seconds to pause this endpoint when its last call of the window has just been spent."""
    if number_in(answer.headers.get(_REMAINING)) != 0:
        return None
    reset = seconds_to_reset(answer, now)
    return MINUTE_SECONDS if reset is None else reset
