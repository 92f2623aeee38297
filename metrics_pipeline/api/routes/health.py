"""Whether the process is alive, whether it can do its work, and what Prometheus reads of it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from metrics_pipeline.api.answers import Health, ReadyAnswer, ReadyCheck, errors_of
from metrics_pipeline.api.operations.measures import MEDIA_TYPE
from metrics_pipeline.api.operations.operations import Operations
from metrics_pipeline.api.operations.store_gauges import live_gauges
from metrics_pipeline.api.problems import RETRY_SECONDS, Problem, not_found
from metrics_pipeline.api.services import Parts

router = APIRouter(tags=["health"])
# Whose request came through a proxy is not told by the address it comes from.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def _operations(request: Request) -> Operations:
    found = request.app.state.operations
    assert isinstance(found, Operations)  # noqa: S101 - for the type checker: the application sets it
    return found


Own = Annotated[Operations, Depends(_operations)]


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get(
    "/readyz",
    response_model=ReadyAnswer,
    response_model_exclude_none=True,
    responses=errors_of({503: "unavailable: a store cannot be used; `checks` says which."}),
)
async def readyz(operations: Own) -> ReadyAnswer:
    """Each store was asked just now: control database, inbox, lake, cache, quotas. Answered within seconds.

    `degraded`, and still 200, while Redis is away where one is set: the work is done, each process counts quotas and
    keeps answers by itself. 503 where one has failed.
    """
    checks = [
        ReadyCheck(name=check.name, status=check.status, reason=check.reason)
        for check in await operations.readiness.checks()
    ]
    if any(check.status == "failed" for check in checks):
        told = [check.model_dump(exclude_none=True) for check in checks]
        raise Problem(
            503,
            "unavailable",
            "A store behind this service cannot be used.",
            headers={"Retry-After": str(RETRY_SECONDS)},
            extensions={"checks": told},
        )
    reasons = [check.reason for check in checks if check.reason is not None]
    return ReadyAnswer(status="degraded" if reasons else "ok", reasons=reasons or None, checks=checks)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=errors_of({404: "not_found: METRICS_API_METRICS does not let you read it from here."}),
    name="get_prometheus_metrics",
)
async def prometheus(request: Request, parts: Parts, operations: Own) -> Response:
    """What Prometheus reads: requests, kept answers, refusals, the inbox, how old tables and readings are, drift.

    No key: METRICS_API_METRICS says from where. Figures of the stores are at most 15 seconds old.
    """
    allowed = parts.settings.api_metrics
    if allowed == "off" or (allowed == "loopback" and not _is_on_this_machine(request)):
        raise not_found()
    gauges = await operations.gauges.families()
    return Response(parts.measures.text(gauges, live_gauges(parts.live.stats.connections)), media_type=MEDIA_TYPE)


def _is_on_this_machine(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
