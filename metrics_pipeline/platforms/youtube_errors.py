"""Errors of the YouTube Data and Analytics APIs: route on the reason of the first error, checked against the status."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, Scope, by_status

PACIFIC = ZoneInfo("America/Los_Angeles")

DAILY_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}
BURST = {"rateLimitExceeded", "userRateLimitExceeded", "backendError", "internalError"}
ACTS = {
    "authError": Act.REAUTH,
    "invalid_grant": Act.REAUTH,
    "expired": Act.REAUTH,
    "insufficientPermissions": Act.REAUTH,
    "forbidden": Act.PERMISSION,
    "accountDelegationForbidden": Act.PERMISSION,
    "authenticatedUserAccountClosed": Act.REAUTH,
    "authenticatedUserAccountSuspended": Act.REAUTH,
    "channelClosed": Act.REAUTH,
    "channelSuspended": Act.REAUTH,
    "channelNotFound": Act.SKIP_OBJECT,
    "playlistNotFound": Act.SKIP_OBJECT,
    "videoNotFound": Act.SKIP_OBJECT,
    "keyInvalid": Act.STOP_PLATFORM,
    "accessNotConfigured": Act.STOP_PLATFORM,
    "invalidPageToken": Act.CONFIG,
    "incompatibleParameters": Act.CONFIG,
    "badRequest": Act.CONFIG,
}
_UNKNOWN_METRIC = re.compile(r"unknown identifier \((\w+)\)", re.IGNORECASE)
# Figures about money: refused as metrics, not as an account.
MONEY = ("revenue", "cpm", "monetized", "adimpressions")


def classify(answer: Answer, now: datetime) -> PlatformError | None:
    """What a YouTube answer means; None for success."""
    if answer.status < 400:
        return None
    error = answer.mapping().get("error")
    if isinstance(error, str):  # the token endpoint's shape
        return PlatformError(ACTS.get(error, Act.CONFIG), error, code=error, status=answer.status)
    body = error if isinstance(error, dict) else {}
    listed = body.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    reason = str(first.get("reason") or "")
    message = str(body.get("message") or first.get("message") or f"HTTP {answer.status} without an explanation")
    text = f"{message} ({reason or answer.status})"

    def found(act: Act, wait: float | None = None, metric: str | None = None) -> PlatformError:
        scope: Scope = "app" if act is Act.WAIT else "account"
        return PlatformError(
            act, text, wait_seconds=wait, scope=scope, metric=metric, code=reason or None, status=answer.status
        )

    if reason in DAILY_QUOTA or ("quota exceeded" in message.lower() and "per day" in message.lower()):
        return found(Act.WAIT, wait=seconds_to_pacific_midnight(now))
    if body.get("status") == "PERMISSION_DENIED" and reason not in ACTS:
        # Seen with reason SERVICE_UNAVAILABLE: a refusal dressed as an outage, so it must not be retried.
        return found(Act.PERMISSION)
    if reason in BURST:
        return found(Act.RETRY)
    if reason == "forbidden" and any(word in answer.params.get("metrics", "").lower() for word in MONEY):
        return found(Act.SKIP_METRIC)
    if named := _UNKNOWN_METRIC.search(message):
        return found(Act.SKIP_METRIC, metric=named.group(1))
    if reason in ACTS and answer.status < 500:
        return found(ACTS[reason])
    if answer.status == 429:
        return found(Act.RETRY)
    return by_status(answer, text, reason or None)


def seconds_to_pacific_midnight(now: datetime) -> float:
    """Seconds until the daily quota is given out again."""
    local = now.astimezone(PACIFIC)
    tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow.astimezone(now.tzinfo) - now).total_seconds()
