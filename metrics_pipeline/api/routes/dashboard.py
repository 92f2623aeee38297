"""`GET /v1/workspaces/{id}/dashboard`: a workspace on one page, in one answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED, READ_ERRORS
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.entities import existing_workspace
from metrics_pipeline.api.ids import WorkspaceId
from metrics_pipeline.api.reading.dashboard import METRICS
from metrics_pipeline.api.reading.formats import JSON, wanted_format
from metrics_pipeline.api.reading.parameters import Compared, Metrics, SpanParameters
from metrics_pipeline.api.reading.question import Question, metrics_of
from metrics_pipeline.api.reading.series_answers import tier_of
from metrics_pipeline.api.services import Parts
from metrics_pipeline.shapes.dashboard import DashboardAnswer

router = APIRouter(prefix="/v1", tags=["metrics"])
ANSWERS: dict[int | str, dict[str, Any]] = {**READ_ERRORS, **NOT_MODIFIED, 200: {"model": DashboardAnswer}}


@router.get("/workspaces/{workspace_id}/dashboard", responses=ANSWERS, name="get_dashboard")
async def dashboard(
    workspace_id: WorkspaceId,
    request: Request,
    caller: Reader,
    parts: Parts,
    span: Annotated[SpanParameters, Depends()],
    metric: Metrics = [],  # noqa: B006 - FastAPI copies defaults
    compare: Compared = "none",
) -> Response:
    """Series and totals of the workspace, totals of its accounts, the best posts and content, the growth of the last
    full week, and how much of today and yesterday was collected. The span is the last 30 days by default.
    """
    workspace = caller.visible(workspace_id)
    wanted_format(request.headers.get("accept"), (JSON,))
    now = parts.clock.now()
    found = span.span(now, parts.settings)
    question = Question(workspace, "workspace", workspace, found, "day", metrics_of(metric) or METRICS, compare=compare)
    asked = Asked(
        workspace,
        "dashboard",
        "workspace",
        f"{found.first}..{found.end}",
        # the week that is over and the two days of the coverage follow from the day
        {**question.canonical(), "day": str(now.date())},
        tier_of(question, now),
        tags=(f"workspace:{workspace}", f"dashboard:{workspace}"),
    )

    def body() -> bytes:
        existing_workspace(parts, workspace)
        return parts.dashboard.body(question, parts.clock.now())

    return await answer(
        request, parts, caller, asked, lambda: parts.dashboard.generation(question, parts.clock.now()), body
    )
