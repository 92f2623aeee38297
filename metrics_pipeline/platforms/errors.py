"""What a failed platform call means for the run: one small vocabulary for every platform."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

# Secrets by the name they travel under, in a URL, a form or JSON (whose slashes and ampersands may be escaped).
_NAMED_SECRET = re.compile(
    r"""((?:access_token|refresh_token|client_secret|appsecret_proof|fb_exchange_token|input_token)["']?\s*[=:]\s*["']?)"""
    r"""[^&"'\s\\]+""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(Bearer\s+)[^\s\"'\\,]+", re.IGNORECASE)


class Act(StrEnum):
    """What to do about a failed call."""

    RETRY = "retry"  # again in a moment, a few times
    WAIT = "wait"  # a rate-limit window has to pass
    STOP_PLATFORM = "stop_platform"  # nothing works until the operator acts (money, keys)
    REAUTH = "reauth"  # the account's owner has to sign in again
    PERMISSION = "permission"  # the token may not do this
    SKIP_OBJECT = "skip_object"  # this post or account is gone or hidden
    SKIP_METRIC = "skip_metric"  # this metric cannot be had here
    CONFIG = "config"  # the request or the parser is wrong: a change in code or settings is needed


Scope = Literal["account", "app"]


class PlatformError(Exception):
    """A platform call that failed, with the one thing to do about it. Its text never holds a token.

    wait_seconds and scope belong to Act.WAIT (app: every account is held up); metric names the refused metric
    of Act.SKIP_METRIC where the platform says which; code is the platform's own code or reason.
    """

    def __init__(
        self,
        act: Act,
        message: str,
        *,
        wait_seconds: float | None = None,
        scope: Scope = "account",
        metric: str | None = None,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(redact(message))
        self.act = act
        self.wait_seconds = wait_seconds
        self.scope: Scope = scope
        self.metric = metric
        self.code = code
        self.status = status

    def without(self, secret: str) -> PlatformError:
        """The same error with one known secret taken out of its text."""
        return PlatformError(
            self.act,
            redact(str(self), secret),
            wait_seconds=self.wait_seconds,
            scope=self.scope,
            metric=self.metric,
            code=self.code,
            status=self.status,
        )


def redact(text: str, *secrets: str) -> str:
    """`text` without the given secrets, however they are escaped, and without anything that is named like one."""
    for secret in filter(None, secrets):
        forms = {secret, quote(secret, safe=""), quote_plus(secret), quote(secret), json.dumps(secret)[1:-1]}
        forms |= {form.replace("/", "\\/") for form in forms}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, REDACTED)
    return _BEARER.sub(rf"\1{REDACTED}", _NAMED_SECRET.sub(rf"\1{REDACTED}", text))


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: `body` is the decoded JSON, None where it was not JSON. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: object
    params: Mapping[str, str] = field(default_factory=dict)

    def mapping(self) -> Mapping[str, object]:
        """The body as a JSON object; empty when it is anything else."""
        return self.body if isinstance(self.body, dict) else {}


def number_in(text: str | None) -> float | None:
    """A header's number, or None."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def by_status(answer: Answer, message: str, code: str | None = None) -> PlatformError | None:
    """The meaning of a bare HTTP status, for answers whose body explains nothing; None for success."""
    status = answer.status
    if status < 400:
        return None
    act = {
        401: Act.REAUTH,
        402: Act.STOP_PLATFORM,
        403: Act.PERMISSION,
        404: Act.SKIP_OBJECT,
        410: Act.SKIP_OBJECT,
    }.get(status, Act.RETRY if status >= 500 or status in (408, 425) else Act.CONFIG)
    if status == 429:
        # Nobody promises Retry-After; without it a minute is the shortest window any of the platforms uses.
        wait = number_in(answer.headers.get("retry-after"))
        return PlatformError(Act.WAIT, message, wait_seconds=60.0 if wait is None else wait, code=code, status=status)
    return PlatformError(act, message, code=code, status=status)
