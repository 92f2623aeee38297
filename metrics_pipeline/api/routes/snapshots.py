"""`GET /v1/workspaces/{id}/snapshots`: everything known of a workspace and its accounts, period by period."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED, READ_ERRORS
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.entities import existing_workspace
from metrics_pipeline.api.ids import OfAccount, WorkspaceId
from metrics_pipeline.api.list_answers import PageAsked, answer_page
from metrics_pipeline.api.reading.lists import snapshots_in
from metrics_pipeline.api.reading.parameters import Cursor, Limit, SpanParameters
from metrics_pipeline.api.services import Parts
from metrics_pipeline.shapes.lists import SnapshotsAnswer

router = APIRouter(prefix="/v1", tags=["metrics"])
ANSWERS: dict[int | str, dict[str, Any]] = {**READ_ERRORS, **NOT_MODIFIED, 200: {"model": SnapshotsAnswer}}


@router.get("/workspaces/{workspace_id}/snapshots", responses=ANSWERS, name="list_snapshots")
async def snapshots(
    workspace_id: WorkspaceId,
    request: Request,
    caller: Reader,
    parts: Parts,
    span: Annotated[SpanParameters, Depends()],
    snapshot_type: Annotated[
        Literal["daily", "weekly", "monthly"], Query(alias="type", description="The length of the periods.")
    ] = "daily",
    of: Annotated[
        Literal["all", "workspace"], Query(description="Of the workspace and each account, or of the workspace only.")
    ] = "all",
    account_id: OfAccount = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Snapshots of the periods that begin in a span of days, the last 30 by default, newest first."""
    workspace = caller.visible(workspace_id)
    found = span.span(parts.clock.now(), parts.settings)
    listed = snapshots_in(workspace, snapshot_type, of, account_id or "", found)
    page = PageAsked(
        workspace,
        "snapshots",
        f"account/{account_id}" if account_id else "workspace",
        listed,
        limit,
        cursor,
        Tier.AGGREGATE,
        "last_read_at",
        ("metrics",),
    )
    return await answer_page(request, parts, caller, page, lambda: existing_workspace(parts, workspace))
