"""Errors of TikTok's two APIs: a named code with a status, or a number inside an answer that always says 200."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, by_status

# Neither API says when its window opens again; both count by the minute.
WINDOW_SECONDS = 60.0
DISPLAY_ACTS = {
    "access_token_invalid": Act.REAUTH,
    "invalid_grant": Act.REAUTH,
    "scope_not_authorized": Act.REAUTH,  # the owner has to consent to more; a fresh token does not help
    "scope_permission_missed": Act.SKIP_METRIC,
    "invalid_params": Act.CONFIG,
    "internal_error": Act.RETRY,
}
THROTTLED, NO_PERMISSION, BAD_PARAMETER = 40100, 40001, 40002


def classify(answer: Answer, _now: datetime) -> PlatformError | None:
    """What a TikTok answer means, whichever API it came from; None for success.

    An answer with 200 that has neither the error object of the one nor the code of the other is broken: reading
    it as an empty list would turn every known video into a deleted one.
    """
    body = answer.mapping()
    if "error" in body:
        return _display(answer, body)
    code = body.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        return _accounts(answer, code, str(body.get("message") or ""))
    error = by_status(answer, f"HTTP {answer.status} without an explanation")
    if error is None and answer.body is not None:
        error = PlatformError(Act.RETRY, "the answer says neither success nor failure", status=answer.status)
    return error


def _display(answer: Answer, body: Mapping[str, object]) -> PlatformError | None:
    error = body["error"]
    if isinstance(error, dict):
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
    else:  # the shape of a failed token request, which may come with 200
        code, message = str(error or ""), str(body.get("error_description") or "")
    if code == "ok" and answer.status < 400:
        return None
    text = f"{message or 'no explanation'} ({code or answer.status})"
    if code == "rate_limit_exceeded" or answer.status == 429:
        # 600 requests a minute and endpoint, for all accounts of the app together
        return PlatformError(
            Act.WAIT, text, wait_seconds=WINDOW_SECONDS, scope="app", code=code or None, status=answer.status
        )
    act = DISPLAY_ACTS.get(code)
    if act is None:
        by_number = by_status(answer, text, code or None)
        return by_number or PlatformError(Act.CONFIG, text, code=code or None, status=answer.status)
    metric = named_field(answer, message) if act is Act.SKIP_METRIC else None
    return PlatformError(act, text, metric=metric, code=code, status=answer.status)


def _accounts(answer: Answer, code: int, message: str) -> PlatformError | None:
    if code == 0 and answer.status < 400:
        return None
    text = f"{message or 'no explanation'} ({code})"
    metric: str | None = None
    wait: float | None = None
    if code == THROTTLED or answer.status == 429:
        act, wait = Act.WAIT, WINDOW_SECONDS
    elif code in (NO_PERMISSION, BAD_PARAMETER):
        metric = named_field(answer, message)
        about_fields = metric is not None or re.search(r"\bfields?\b", message, re.IGNORECASE) is not None
        act = Act.PERMISSION if code == NO_PERMISSION else Act.CONFIG
        act = Act.SKIP_METRIC if about_fields else act
    elif 40100 < code < 40200:
        act = Act.REAUTH  # the token or the business id is wrong, expired or revoked
    elif 50000 <= code < 60000 or answer.status >= 500:
        act = Act.RETRY
    else:
        act = Act.CONFIG
    return PlatformError(act, text, wait_seconds=wait, metric=metric, code=str(code), status=answer.status)


def named_field(answer: Answer, message: str) -> str | None:
    """The one requested field that a refusal names; None where it names none or several."""
    words = set(re.findall(r"\w+", message))
    named = [name for name in asked_fields(answer) if name in words]
    return named[0] if len(named) == 1 else None


def asked_fields(answer: Answer) -> list[str]:
    """The fields of a request: separated by commas on the Display API, a JSON array on the Accounts API."""
    text = answer.params.get("fields", "")
    if not text.startswith("["):
        return [name for name in text.split(",") if name]
    return [str(name) for name in json.loads(text)]
