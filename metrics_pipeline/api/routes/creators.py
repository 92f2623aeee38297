"""`GET /v1/creators/{id}/analytics`: what a creator's content came to in a span."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED, READ_ERRORS
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.entities import existing_creator
from metrics_pipeline.api.ids import CreatorId, WorkspaceOfOperator
from metrics_pipeline.api.reading.creators import METRICS, creator_body, creator_generation
from metrics_pipeline.api.reading.formats import JSON, wanted_format
from metrics_pipeline.api.reading.parameters import Compared, SpanParameters
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series_answers import tier_of
from metrics_pipeline.api.services import Parts
from metrics_pipeline.shapes.lists import CreatorAnswer

router = APIRouter(prefix="/v1", tags=["content"])
ANSWERS: dict[int | str, dict[str, Any]] = {**READ_ERRORS, **NOT_MODIFIED, 200: {"model": CreatorAnswer}}


@router.get("/creators/{creator_id}/analytics", responses=ANSWERS, name="get_creator_analytics")
async def creator_analytics(
    creator_id: CreatorId,
    request: Request,
    caller: Reader,
    parts: Parts,
    span: Annotated[SpanParameters, Depends()],
    compare: Compared = "none",
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """Totals and averages per item, the five most viewed items and the countries of the views, of a span of days.

    Rates are of sums, distinct viewers are counted anew over the span, and countries are shares of the views whose
    country is known.
    """
    workspace = caller.workspace_for(workspace_id)
    wanted_format(request.headers.get("accept"), (JSON,))
    now = parts.clock.now()
    found = span.span(now, parts.settings)
    question = Question(workspace, "creator", creator_id, found, "day", METRICS, compare=compare)
    tier = tier_of(question, now)
    asked = Asked(
        workspace,
        "creator_analytics",
        f"creator/{creator_id}",
        f"{found.first}..{found.end}",
        question.canonical(),
        tier,
        tags=(f"workspace:{workspace}", f"creator:{creator_id}"),
    )

    def body() -> bytes:
        existing_creator(parts, workspace, creator_id)
        return creator_body(parts.reads, parts.series, question, parts.clock.now(), tier)

    return await answer(
        request, parts, caller, asked, lambda: creator_generation(parts.reads, parts.series, question), body
    )
