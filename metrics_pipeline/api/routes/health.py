"""Whether the process is alive, and whether it can do its work."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from sqlalchemy import Engine, text

from metrics_pipeline.api.answers import ERRORS, Health
from metrics_pipeline.api.problems import unavailable
from metrics_pipeline.api.services import Parts

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health, responses={503: ERRORS[503]})
async def readyz(parts: Parts) -> Health:
    """Events can be taken, and the control database answers: without it no key can be checked."""
    if not parts.ingestion.is_running:
        raise unavailable("Events cannot be taken at present.")
    await asyncio.to_thread(_ask, parts.control)
    return Health(status="ok")


def _ask(control: Engine) -> None:
    with control.connect() as connection:
        connection.execute(text("select 1"))
