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

    Without Redis, where one is set, events are taken as well: `degraded`, each process counts quotas by itself.
    """
    if not parts.ingestion.is_running:
        raise unavailable("Events cannot be taken at present.")
    await asyncio.to_thread(_ask, parts.control)
    if not await parts.limits.is_shared():
        return Readiness(status="degraded", reasons=["Redis does not answer: quotas are counted in each process."])
    return Readiness(status="ok")


def _ask(control: Engine) -> None:
    with control.connect() as connection:
        connection.execute(text("select 1"))
