"""The caller of a request as a parameter of its route: `caller: Ingester` also says which scope is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.operations.request_record import record_of
from metrics_pipeline.api.services import Parts
from metrics_pipeline.control.api_keys import ADMIN, INGEST, READ

_READS = ("GET", "HEAD")
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key: `metrics-pipeline key create` prints one. Or a JWT of the issuer that is set up.",
)
Given = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
"""What the Authorization header holds."""


def caller_with(*scopes: str, is_read: bool = False) -> Callable[..., Awaitable[Caller]]:
    """What FastAPI calls before a route: the caller, who has one of these scopes, or a Problem 401 or 403.

    is_read: it costs a read, whatever its method; every GET does.
    """

    async def caller(request: Request, parts: Parts, given: Given) -> Caller:
        found = await parts.guard.caller(given.credentials if given is not None else None)
        record = record_of(request.scope)
        record.caller = found
        found.require_origin(request.headers.get("origin"))
        found.require_scope(*scopes)
        if is_read or request.method in _READS:
            # here, so that no route can forget it; a 304, a kept answer and a 404 cost the same
            record.headers.update(await parts.limits.spend_read(found))
        return found

    return caller


Reader = Annotated[Caller, Depends(caller_with(READ))]
Ingester = Annotated[Caller, Depends(caller_with(INGEST))]
Admin = Annotated[Caller, Depends(caller_with(ADMIN))]
