"""What routes have in common: how errors are described, and instants written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from metrics_pipeline.api.problems import MEDIA_TYPE
from metrics_pipeline.shapes.words import Shape


class Problem(Shape):
    """An error as RFC 9457 has it; decide by `code`."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str
    title: str
    status: int
    code: str
    detail: str
    pointer: str | None = Field(None, description="JSON pointer to what is wrong in the body.")


class Notified(Shape):
    accepted: int = Field(description="Statuses that are stored.")
    ignored: dict[str, int] = Field(description="What was left out, by why.")


class NotifiedAnswer(Shape):
    data: Notified
    meta: dict[str, str]


class Health(Shape):
    status: Literal["ok"]


class ReadyCheck(Shape):
    name: str = Field(description="control_database, inbox, lake, cache or quotas.")
    status: Literal["ok", "degraded", "failed"]
    reason: str | None = Field(None, description="Left out where it is ok.")


class ReadyAnswer(Shape):
    status: Literal["ok", "degraded"] = Field(description="degraded: the work is done, but not as it was set up.")
    reasons: list[str] | None = Field(None, description="Why it is degraded; left out where it is not.")
    checks: list[ReadyCheck] = Field(description="Each store, by name.")


_MEANINGS = {
    400: "The body is no JSON: invalid_json, incomplete_body.",
    401: "missing_key, invalid_key or invalid_token.",
    403: "insufficient_scope, origin_not_allowed or workspace_required.",
    413: "body_too_large.",
    415: "unsupported_media_type or unsupported_encoding.",
    422: "The event, or the envelope of a batch, cannot be taken; nothing needs to be sent again as it is.",
    429: "quota_exceeded: wait for Retry-After.",
    503: "Nothing was stored; send the same again after Retry-After.",
}
# Not as FastAPI's `model`: that would promise application/json as well. The application adds the schema itself.
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def errors_of(meanings: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Errors by status, as a route describes them."""
    return {status: {"description": meaning, "content": _PROBLEM} for status, meaning in meanings.items()}


ERRORS = errors_of(_MEANINGS)
ODD_REQUESTS = {
    str(status): described
    for status, described in errors_of(
        {
            400: "invalid_url: path and query have to be UTF-8, percent-encoded, without NUL.",
            414: "uri_too_long: path and query together.",
            431: "headers_too_large.",
        }
    ).items()
}
"""What the layers before the routes may answer, whatever is asked for."""
NOT_FOUND = errors_of({404: "There is nothing of this id, or not for this key."})
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "As the If-None-Match says you have it."}}
READ_ERRORS = errors_of(
    {
        400: "The question cannot be answered: too_many_points, not_by_the_hour.",
        401: _MEANINGS[401],
        403: _MEANINGS[403],
        404: "There is nothing of this id, or not for this key.",
        406: "not_acceptable: no format that the client takes.",
        422: "A parameter cannot be used; its code says which and why.",
        429: _MEANINGS[429],
        503: "lake_unavailable: the tables cannot be read at present.",
    }
)


def instant_text(instant: datetime) -> str:
    """An instant as answers write it: UTC, with Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
