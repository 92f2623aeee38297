"""How requests that start runs are described, and their bodies read."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from metrics_pipeline.api.answers import errors_of
from metrics_pipeline.api.bodies import read_json

BODY_BYTES = 16_384


TRIGGER_ERRORS = errors_of(
    {
        400: "The body is no JSON: invalid_json, incomplete_body.",
        401: "missing_key or invalid_key.",
        403: "insufficient_scope, or operator_required: it is about every workspace.",
        404: "not_found: nothing is there, or not for this key.",
        409: "request_in_progress: another request with this Idempotency-Key is not answered yet.",
        413: "body_too_large.",
        415: "unsupported_media_type or unsupported_encoding.",
        422: "What is asked for cannot be run; `code` says why. Nothing was started.",
        429: "quota_exceeded: wait for Retry-After.",
        502: "Dagster refuses: job_not_found, run_config_refused, dagster_error. `started` has runs that began before.",
        503: "dagster_unavailable: ask again after Retry-After, with an Idempotency-Key nothing runs twice.",
    }
)

Body = TypeVar("Body", bound=BaseModel)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """How a route describes a body that `read` reads."""
    is_needed = any(field.is_required() for field in model.model_fields.values())
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": is_needed, "content": content}}


async def read(request: Request, model: type[Body]) -> Body:
    """The body, which may be left out where nothing in it is needed.

    Raises:
        Problem: it is too large or no JSON.
        RequestValidationError: it does not fit the model; answered without any of its values.
    """
    is_empty = "transfer-encoding" not in request.headers and request.headers.get("content-length", "0") == "0"
    given = {} if is_empty else await read_json(request, BODY_BYTES)
    try:
        return model.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None
