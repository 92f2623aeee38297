"""Errors as RFC 9457 problem documents: a stable `code` for programs, a sentence for people, never the input."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:metrics-pipeline:problem:"
RETRY_SECONDS = 1  # a full queue empties in far less; a database that restarts is asked again a few times

log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - an answer, and named as RFC 9457 names it
    """A request that is answered with an error. `code` is a promise: programs decide by it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})

    def response(self) -> JSONResponse:
        """The answer."""
        body = {
            "type": TYPE_PREFIX + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extensions,
        }
        return JSONResponse(body, self.status, headers=self.headers, media_type=MEDIA_TYPE)


class LakeUnavailable(Exception):  # noqa: N818 - named for what it says of the lake
    """The lake cannot be read at present. Answered with 503 unless an earlier answer can stand in."""


def not_found() -> Problem:
    """The same for what does not exist and for what belongs to someone else."""
    return Problem(404, "not_found", "There is nothing here, or not for this key.")


def unavailable(detail: str, code: str = "unavailable") -> Problem:
    """A 503 with the seconds to wait: nothing was stored, the same request may be sent again."""
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def add_handlers(app: FastAPI) -> None:
    """Every error an application can answer with, in this one shape."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(LakeUnavailable, _lake)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - for the type checker: it is registered for nothing else
    return error.response()


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == HTTPStatus.NOT_FOUND:
        return not_found().response()
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_of(request)) or headers.get("Allow", "")
    return Problem(status, code, f"{status.description or status.phrase}.", headers=headers).response()


def _methods_of(request: Request) -> list[str]:
    """The methods of every described route at a path; the framework names those of the first one only."""
    found = request.scope.get("route")
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path_format == getattr(found, "path_format", "") and getattr(route, "include_in_schema", False):
            methods |= route.methods or set()
    return sorted(methods)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # Of each error the place and the rule: its message, input and context may repeat what was sent.
    errors = [{"code": found["type"], "pointer": _pointer(found["type"], found["loc"])} for found in error.errors()]
    extensions = {"errors": errors}
    return Problem(422, "invalid_request", "A parameter cannot be used.", extensions=extensions).response()


def _pointer(code: str, place: tuple[int | str, ...]) -> str:
    """Where it is. Of a name that does not belong there only the place: the name itself was sent."""
    named = place[1:-1] if code == "extra_forbidden" else place[1:]
    return "".join(f"/{part}" for part in named)


async def _database(_request: Request, error: Exception) -> JSONResponse:
    log.error("a database refused: %s", type(error).__name__)
    return unavailable("A store behind this service does not answer.").response()


async def _lake(_request: Request, error: Exception) -> JSONResponse:
    log.error("the lake cannot be read: %s", error)
    return unavailable("The tables cannot be read at present.", "lake_unavailable").response()
