"""Errors of Meta's Graph API. Route on code, then subcode, then text: the type is OAuthException for nearly all."""

from __future__ import annotations

import json
import re

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, by_status, number_in

# Code 1 with the advice to ask for less: the same request would fail again, a smaller one works.
REDUCE_DATA = "reduce_data"
NOT_ENOUGH_VIEWERS = "not_enough_viewers"
GONE = "100/33"

DEFAULT_WAIT_SECONDS = 300.0  # no Retry-After is documented; blocks last minutes and calls lengthen them
BLOCKED_WAIT_SECONDS = 3600.0  # code 368: a temporary block, never shorter than an hour
APP_LIMITS = {4, 341}
ACCOUNT_LIMITS = {17, 32, 613}
BUSINESS_LIMITS = range(80000, 80015)

_METRIC_INDEX = re.compile(r"metric\[(\d+)\]", re.IGNORECASE)
_UNSUPPORTED_METRIC = re.compile(r"does not support the (\w+) metric", re.IGNORECASE)


def classify(answer: Answer) -> PlatformError | None:
    """What a Graph answer means; None for success."""
    error = answer.mapping().get("error")
    if not isinstance(error, dict):
        text = answer.mapping().get("error_message")
        return by_status(answer, text if isinstance(text, str) else f"HTTP {answer.status} without an explanation")
    code = error.get("code") if isinstance(error.get("code"), int) else None
    subcode = error.get("error_subcode")
    message = str(error.get("message") or "no message")
    label = f"{code}/{subcode}" if subcode else str(code)

    def found(act: Act, *, metric: str | None = None, name: str = label) -> PlatformError:
        return PlatformError(act, f"{message} (code {label})", metric=metric, code=name, status=answer.status)

    low = message.lower()
    if code is None:
        return by_status(answer, message) or found(Act.CONFIG)
    if code in APP_LIMITS or code in ACCOUNT_LIMITS or code in BUSINESS_LIMITS or code == 368:
        return PlatformError(
            Act.WAIT,
            f"{message} (code {label})",
            wait_seconds=BLOCKED_WAIT_SECONDS if code == 368 else wait_seconds(answer),
            scope="app" if code in APP_LIMITS else "account",
            code=label,
            status=answer.status,
        )
    if code == 1 and "cannot be more than" in low:
        return found(Act.CONFIG)  # an older form of a window that is too long; the same window fails again
    if code in (1, 2):
        return found(Act.CONFIG, name=REDUCE_DATA) if "reduce the amount of data" in low else found(Act.RETRY)
    if code in (102, 190):
        return found(Act.CONFIG if "must be called with a page access token" in low else Act.REAUTH)
    if code == 10 and "not enough viewers" in low:
        return found(Act.SKIP_METRIC, name=NOT_ENOUGH_VIEWERS)
    if code in (3, 10) or 200 <= code < 300:
        return found(Act.PERMISSION)
    if (code, subcode) == (-1, 2207086) or code == 36104:
        return found(Act.SKIP_METRIC)
    if code == 100:
        return _invalid_parameter(answer, message, subcode, label)
    if error.get("is_transient") is True or answer.status >= 500:
        return found(Act.RETRY)
    return found(Act.CONFIG)


def of_whole_account(error: PlatformError) -> PlatformError:
    """The error of a call about the account itself: what looks gone then is rather out of the token's sight."""
    if error.act is not Act.SKIP_OBJECT:
        return error
    return PlatformError(Act.PERMISSION, str(error), code=error.code, status=error.status)


def _invalid_parameter(answer: Answer, message: str, subcode: object, label: str) -> PlatformError:
    """Code 100, the overloaded one: a gone object, a metric that does not exist here, or a mistake of ours."""
    low = message.lower()
    metric: str | None = None
    act = Act.CONFIG
    if subcode in (33, 2108006):
        act = Act.SKIP_OBJECT
    elif "must be a valid insights metric" in low:
        act = Act.SKIP_METRIC
    elif "must be one of the following values" in low and (index := _METRIC_INDEX.search(message)):
        act = Act.SKIP_METRIC
        asked = answer.params.get("metric", "").split(",")
        position = int(index.group(1))
        metric = asked[position] if position < len(asked) else None
    elif named := _UNSUPPORTED_METRIC.search(message):
        act, metric = Act.SKIP_METRIC, named.group(1)
    elif "only supports querying data for the last 30 days" in low:
        act, metric = Act.SKIP_METRIC, "follower_count"
    elif "object with id" in low and "does not exist" in low:
        act, label = Act.SKIP_OBJECT, GONE
    return PlatformError(act, f"{message} (code {label})", metric=metric, code=label, status=answer.status)


def _usage(answer: Answer, header: str) -> list[dict[str, object]]:
    """The entries of a usage header: one object for the app, lists by object for business use cases."""
    try:
        value = json.loads(answer.headers.get(header, "{}"))
    except ValueError:
        return []
    if header == "x-app-usage":
        return [value] if isinstance(value, dict) else []
    lists = value.values() if isinstance(value, dict) else []
    return [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]


def wait_seconds(answer: Answer) -> float:
    """How long to keep silent: what the usage header says, else a default."""
    minutes = [
        number_in(str(entry.get("estimated_time_to_regain_access")))
        for entry in _usage(answer, "x-business-use-case-usage")
    ]
    longest = max((m for m in minutes if m), default=0.0)
    return longest * 60 or number_in(answer.headers.get("retry-after")) or DEFAULT_WAIT_SECONDS


def quota_used_up(answer: Answer) -> float | None:
    """Seconds to keep silent when the usage headers say 95 % or more is spent; None when there is room."""
    entries = _usage(answer, "x-app-usage") + _usage(answer, "x-business-use-case-usage")
    shares = [number_in(str(e.get(k))) for e in entries for k in ("call_count", "total_time", "total_cputime")]
    spent = max((s for s in shares if s is not None), default=0.0)
    return wait_seconds(answer) if spent >= 95 else None
