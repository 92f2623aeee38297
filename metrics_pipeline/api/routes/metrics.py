"""`GET /v1/{workspaces,accounts,posts,content,creators}/{id}/metrics`: series of one entity and their totals."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED, READ_ERRORS
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.entities import existing
from metrics_pipeline.api.ids import AccountId, ContentId, CreatorId, OwnId, PostId, WorkspaceId, WorkspaceOfOperator
from metrics_pipeline.api.reading.formats import CSV, PARQUET, wanted_format
from metrics_pipeline.api.reading.parameters import SeriesParameters
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series_answers import series_body, tier_of
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.shapes.series import SeriesAnswer

router = APIRouter(prefix="/v1", tags=["metrics"])
Parameters = Annotated[SeriesParameters, Depends()]
_OTHER_FORMATS = {media_type: {"schema": {"type": "string"}} for media_type in (CSV, PARQUET)}
ANSWERS: dict[int | str, dict[str, Any]] = {
    **READ_ERRORS,
    200: {"model": SeriesAnswer, "content": _OTHER_FORMATS},
    **NOT_MODIFIED,
}


@router.get("/workspaces/{workspace_id}/metrics", responses=ANSWERS, name="get_workspace_metrics")
async def workspace_metrics(
    workspace_id: WorkspaceId, request: Request, caller: Reader, parts: Parts, parameters: Parameters
) -> Response:
    """Numbers of a whole workspace: a series per metric and platform, `all` where platforms can be summed.

    Sums of accounts say how many of them they have (`is_complete`). CSV and Parquet by the Accept header.
    """
    workspace = caller.visible(workspace_id)
    question = parameters.question(workspace, "workspace", workspace, parts.clock.now(), parts.settings)
    return await _answered(request, parts, caller, question)


@router.get("/accounts/{account_id}/metrics", responses=ANSWERS, name="get_account_metrics")
async def account_metrics(
    account_id: AccountId,
    request: Request,
    caller: Reader,
    parts: Parts,
    parameters: Parameters,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """Numbers of one account of a platform. Of one that was removed the numbers stay."""
    workspace = caller.workspace_for(workspace_id)
    question = parameters.question(workspace, "account", account_id, parts.clock.now(), parts.settings)
    return await _answered(request, parts, caller, question)


@router.get("/posts/{post_id}/metrics", responses=ANSWERS, name="get_post_metrics")
async def post_metrics(
    post_id: PostId,
    request: Request,
    caller: Reader,
    parts: Parts,
    parameters: Parameters,
    account_id: Annotated[
        OwnId | SkipJsonSchema[None], Query(description="Where two accounts have a post of this id.")
    ] = None,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """Numbers of one post of a platform, by the platform's id of it. What a day added, and the counter at its end."""
    workspace = caller.workspace_for(workspace_id)
    question = parameters.question(workspace, "post", post_id, parts.clock.now(), parts.settings, account_id or "")
    return await _answered(request, parts, caller, question)


@router.get("/content/{content_id}/metrics", responses=ANSWERS, name="get_content_metrics")
async def content_metrics(
    content_id: ContentId,
    request: Request,
    caller: Reader,
    parts: Parts,
    parameters: Parameters,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """Numbers of one first-party content item, also by the hour (90 days back) and in days of any time zone."""
    workspace = caller.workspace_for(workspace_id)
    question = parameters.question(workspace, "content", content_id, parts.clock.now(), parts.settings)
    return await _answered(request, parts, caller, question)


@router.get("/creators/{creator_id}/metrics", responses=ANSWERS, name="get_creator_metrics")
async def creator_metrics(
    creator_id: CreatorId,
    request: Request,
    caller: Reader,
    parts: Parts,
    parameters: Parameters,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """Numbers of a creator's content together; distinct viewers are counted anew, never summed."""
    workspace = caller.workspace_for(workspace_id)
    question = parameters.question(workspace, "creator", creator_id, parts.clock.now(), parts.settings)
    return await _answered(request, parts, caller, question)


async def _answered(request: Request, parts: Services, caller: Caller, question: Question) -> Response:
    media_type = wanted_format(request.headers.get("accept"))
    now = parts.clock.now()
    asked = Asked(
        tenant=question.workspace_id,
        kind="metrics",
        entity=f"{question.level}/{question.entity_id}",
        period=f"{question.span.first}..{question.span.end}",
        query=question.canonical(),
        tier=tier_of(question, now),
        media_type=media_type,
        tags=(f"workspace:{question.workspace_id}", f"{question.level}:{question.entity_id}"),
    )
    return await answer(
        request,
        parts,
        caller,
        asked,
        lambda: parts.series.generation(question),
        lambda: series_body(parts.series, question, parts.clock.now(), media_type, lambda: existing(parts, question)),
    )
