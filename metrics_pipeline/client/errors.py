"""What goes wrong between client and server, as one kind of exception. None of it ever holds the key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from httpx import codes

_SERVER_ERRORS = 500


class ApiError(Exception):
    """A request that was not answered as hoped.

    status: of the HTTP answer; None where there was none. code: stable, programs decide by it: those of the server
    stand in docs/api.md, and of the client's own there are `unreachable`, `timeout`, `unreadable_answer` and
    `http_<status>` for an answer of something else in between. retry_after: seconds that the server asks to wait.
    errors: where there are several faults each with its pointer and code, of definitions of metrics with a sentence.
    """

    def __init__(
        self,
        status: int | None,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.errors = tuple(errors)


class AuthError(ApiError):
    """401 or 403: another key is needed."""


class NotFound(ApiError):  # noqa: N818 - named for what it says, as the others
    """404: nothing is there, or not for this key."""


class RateLimited(ApiError):  # noqa: N818
    """429: wait for `retry_after`."""


class Unavailable(ApiError):  # noqa: N818
    """No answer, or a 5xx: the same may work later."""


def error_of(status: int, body: bytes, retry_after: str | None) -> ApiError:
    """The error that an answer is: a problem document, or whatever something in between wrote."""
    problem = _problem(body)
    code, detail = problem.get("code"), problem.get("detail")
    kind = _kind(status)
    phrase = codes.get_reason_phrase(status) or "not an answer of this interface"
    return kind(
        status,
        code if isinstance(code, str) else f"http_{status}",
        detail if isinstance(detail, str) else phrase,
        pointer=_text(problem.get("pointer")),
        trace_id=_text(problem.get("trace_id")),
        retry_after=_seconds(retry_after),
        errors=_errors(problem.get("errors")),
    )


def _kind(status: int) -> type[ApiError]:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AuthError
    if status == HTTPStatus.NOT_FOUND:
        return NotFound
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited
    return Unavailable if status >= _SERVER_ERRORS else ApiError


def _problem(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _errors(found: object) -> list[dict[str, str]]:
    listed = found if isinstance(found, list) else []
    return [{str(name): str(value) for name, value in each.items()} for each in listed if isinstance(each, dict)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(header: str | None) -> float | None:
    """Seconds of a Retry-After; the form with a date is not one that the server writes."""
    return float(header) if header is not None and re.fullmatch(r"[0-9]{1,9}", header.strip()) else None
