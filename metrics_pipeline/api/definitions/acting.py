"""Who acts on custom metrics, as a parameter of routes: the caller, the workspace, and whom the caller acts for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.callers import Given, caller_with
from metrics_pipeline.api.ids import WorkspaceOfOperator
from metrics_pipeline.api.services import Parts
from metrics_pipeline.control.api_keys import ADMIN, DEFINE, INGEST, READ
from metrics_pipeline.custom_metrics.registry.actors import Actor


@dataclass(frozen=True)
class Acting:
    """A caller in a workspace."""

    caller: Caller
    workspace_id: str
    actor: Actor


def _acting(*scopes: str) -> Callable[..., Awaitable[Acting]]:
    known = caller_with(*scopes, is_read=True)

    async def acting(request: Request, parts: Parts, given: Given, workspace_id: WorkspaceOfOperator = None) -> Acting:
        caller = await known(request, parts, given)
        caller.require_server()
        workspace = caller.workspace_for(workspace_id)
        return Acting(caller, workspace, await asyncio.to_thread(parts.custom_metrics.actor, caller, workspace))

    return acting


# Public metrics are there for every key and token; whoever has no role of reading sees no others.
Anybody = Annotated[Acting, Depends(_acting(READ, DEFINE, ADMIN, INGEST))]
Looking = Annotated[Acting, Depends(_acting(READ, DEFINE, ADMIN))]
Defining = Annotated[Acting, Depends(_acting(DEFINE, ADMIN))]
