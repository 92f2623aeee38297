"""What the registry and the calculation refuse, as problems. No text of it repeats a formula or a filter's value."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from metrics_pipeline.api.answers import errors_of
from metrics_pipeline.api.problems import Problem, not_found
from metrics_pipeline.custom_metrics.faults import DefinitionError, QuestionError
from metrics_pipeline.custom_metrics.guarded import OverLimitsError
from metrics_pipeline.custom_metrics.registry.refusals import (
    MetricNotFoundError,
    NotAllowedError,
    RightMissingError,
    VersionConflictError,
)

_COMMON = {
    400: "invalid_json, incomplete_body, invalid_cursor, cursor_mismatch.",
    401: "missing_key, invalid_key or invalid_token.",
    403: "insufficient_scope, role_missing, visibility_forbidden, owner_forbidden, workspace_required.",
    404: "There is no such metric or version, or not for whoever asks.",
    406: "not_acceptable: no format that the client takes.",
    413: "body_too_large.",
    415: "unsupported_media_type or unsupported_encoding.",
    422: "It cannot be used; `code` and `errors` say why.",
    429: "quota_exceeded: wait for Retry-After.",
    503: "A store behind this service does not answer.",
}
_CHANGING = {
    409: "name_taken: there is a metric of this name.",
    412: "version_conflict: it was changed since it was looked at.",
    428: "precondition_required: say with If-Match what the change is of.",
}
READ_REFUSALS = errors_of({status: said for status, said in _COMMON.items() if status not in (413, 415)})
ASK_REFUSALS = errors_of(_COMMON)
CHANGE_REFUSALS = errors_of(_COMMON | _CHANGING)


def add_definition_handlers(app: FastAPI) -> None:
    """Every refusal in the one shape of errors, whichever route it comes from."""
    app.add_exception_handler(DefinitionError, _definition)
    app.add_exception_handler(NotAllowedError, _not_allowed)
    app.add_exception_handler(MetricNotFoundError, _not_found)
    app.add_exception_handler(OverLimitsError, _over_limits)


async def _definition(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DefinitionError)  # noqa: S101 - for the type checker: it is registered for nothing else
    return problem_of(error).response()


def problem_of(error: DefinitionError) -> Problem:
    """What is answered: one fault with its own code where a program decides by it, else `invalid_definition`."""
    errors = [
        {"pointer": _written(fault.pointer), "code": fault.code, "detail": _written(fault.detail)}
        for fault in error.faults
    ]
    extensions: dict[str, object] = {"errors": errors}
    first, is_single = error.faults[0], len(error.faults) == 1
    if isinstance(error, VersionConflictError):
        return Problem(412, first.code, first.detail, extensions=extensions | {"version": error.current})
    if isinstance(error, RightMissingError):
        return Problem(403, first.code, _written(first.detail), extensions=extensions)
    if isinstance(error, QuestionError):
        return Problem(422, first.code, _written(first.detail), extensions=extensions)
    if is_single and first.code == "name_taken":
        return Problem(409, first.code, first.detail, extensions=extensions)
    return Problem(
        422, "invalid_definition", "A definition cannot be used; errors say where and why.", extensions=extensions
    )


async def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NotAllowedError)  # noqa: S101
    return Problem(403, "role_missing", str(error), extensions={"role": error.role}).response()


async def _not_found(_request: Request, _error: Exception) -> JSONResponse:
    return not_found().response()


async def _over_limits(_request: Request, error: Exception) -> JSONResponse:
    return Problem(422, "over_limits", str(error)).response()


def _written(text: str) -> str:
    """Names of fields that were sent may hold what UTF-8 cannot write."""
    return text.encode("utf-8", "replace").decode()
