"""Whether the process is alive, and whether it can do its work."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from sqlalchemy import Engine, text

from metrics_pipeline.api.answers import ERRORS, Health, Readiness
from metrics_pipeline.api.problems import unavailable
from metrics_pipeline.api.services import Parts

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Readiness, response_model_exclude_none=True, responses={503: ERRORS[503]})
async def readyz(parts: Parts) -> Readiness:
    """Events can be taken, and the control database answers: without it no key can be checked.

    Without Redis, where one is set, the work is done as well: `degraded`, each process counts quotas and keeps answers
    by itself.
    """
    if not parts.ingestion.is_running:
        raise unavailable("Events cannot be taken at present.")
    await asyncio.to_thread(_ask, parts.control)
    reasons = []
    if not await parts.limits.is_shared():
        reasons.append("Redis does not answer: quotas are counted in each process.")
    if not await parts.cache.is_shared():
        reasons.append("Redis does not answer: answers are kept in each process.")
    return Readiness(status="degraded", reasons=reasons) if reasons else Readiness(status="ok")


def _ask(control: Engine) -> None:
    with control.connect() as connection:
        connection.execute(text("select 1"))
