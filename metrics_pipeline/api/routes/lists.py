"""Lists of content: a creator's, what is trending, what performed best; and what a person watched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from metrics_pipeline.api.answers import READ_ERRORS
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.entities import existing_creator
from metrics_pipeline.api.ids import CreatorId, OfCreator, UserId, WorkspaceOfOperator
from metrics_pipeline.api.list_answers import PageAsked, answer_page
from metrics_pipeline.api.reading.lists import Listed, top_performing_in, trending_in
from metrics_pipeline.api.reading.parameters import Cursor, Days, Limit, SpanParameters, TimeRange
from metrics_pipeline.api.reading.times import days_back
from metrics_pipeline.api.services import Parts
from metrics_pipeline.shapes.lists import ContentListAnswer, WatchHistoryAnswer
from metrics_pipeline.windows import DAY, midnight

router = APIRouter(prefix="/v1", tags=["content"])
Sort = Literal["recent", "views", "engagement", "quality"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONTENT: dict[int | str, dict[str, Any]] = {
    **READ_ERRORS,
    200: {"model": ContentListAnswer},
    304: {"description": "As you have it."},
}
HISTORY: dict[int | str, dict[str, Any]] = {**READ_ERRORS, 200: {"model": WatchHistoryAnswer}}


@router.get("/creators/{creator_id}/content", responses=CONTENT, name="list_creator_content")
async def creator_content(
    creator_id: CreatorId,
    request: Request,
    caller: Reader,
    parts: Parts,
    sort: Annotated[Sort, Query(description="Newest, most viewed, most engaged with, or best first.")] = "recent",
    limit: Limit = 100,
    cursor: Cursor = None,
    days: Days = None,
    time_range: TimeRange = None,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """A creator's content with its lifetime numbers; with `days` only what was published in so many days up to now."""
    workspace = caller.workspace_for(workspace_id)
    back = days_back(days, time_range)
    since = EPOCH if back is None else midnight(parts.clock.now().astimezone(UTC).date() - back * DAY)
    listed = Listed(
        "api/content_list.sql",
        ("content", "content_metrics"),
        {"workspace_id": workspace, "creator_id": creator_id, "sort": sort, "since": since},
        question={"list": "creator_content", "of": f"{workspace}/{creator_id}", "sort": sort, "since": since},
    )
    asked = PageAsked(
        workspace, "creator_content", f"creator/{creator_id}", listed, limit, cursor, tags=(f"creator:{creator_id}",)
    )
    return await answer_page(request, parts, caller, asked, lambda: existing_creator(parts, workspace, creator_id))


@router.get("/trending", responses=CONTENT, name="list_trending")
async def trending(
    request: Request,
    caller: Reader,
    parts: Parts,
    limit: Limit = 100,
    cursor: Cursor = None,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """A workspace's content that rises beyond chance now, most first. Empty where nothing does."""
    workspace = caller.workspace_for(workspace_id)
    listed = trending_in(workspace)
    return await answer_page(
        request, parts, caller, PageAsked(workspace, "trending", "workspace", listed, limit, cursor)
    )


@router.get("/top-performing", responses=CONTENT, name="list_top_performing")
async def top_performing(
    request: Request,
    caller: Reader,
    parts: Parts,
    span: Annotated[SpanParameters, Depends()],
    sort: Annotated[
        Literal["views", "engagement", "quality"], Query(description="Views or engagement of the span, or quality.")
    ] = "views",
    creator_id: OfCreator = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """A workspace's content by what it did in a span of days, the last 30 by default; quality is the present one."""
    workspace = caller.workspace_for(workspace_id)
    found = span.span(parts.clock.now(), parts.settings)
    listed = top_performing_in(workspace, creator_id or "", sort, found)
    return await answer_page(
        request, parts, caller, PageAsked(workspace, "top_performing", "workspace", listed, limit, cursor)
    )


@router.get("/users/{user_id}/watch-history", responses=HISTORY, name="list_watch_history")
async def watch_history(
    user_id: UserId,
    request: Request,
    caller: Reader,
    parts: Parts,
    limit: Limit = 100,
    cursor: Cursor = None,
    days: Days = None,
    time_range: TimeRange = None,
    workspace_id: WorkspaceOfOperator = None,
) -> Response:
    """What a signed-in person watched, last first, over the days that raw events are kept; never cached.

    Empty for somebody of whom nothing is known: whether a person exists is not told.
    """
    workspace = caller.workspace_for(workspace_id)
    back = days_back(days, time_range)
    since = EPOCH if back is None else midnight(parts.clock.now().astimezone(UTC).date() - back * DAY)
    listed = Listed(
        "api/watch_history.sql",
        ("content", "watch_days"),
        {"workspace_id": workspace, "user_id": user_id, "since": since},
        question={"list": "watch_history", "of": f"{workspace}/{user_id}", "since": since},
    )
    asked = PageAsked(workspace, "watch_history", "", listed, limit, cursor, read_at="last_watched_at")
    return await answer_page(request, parts, caller, asked, is_kept=False)
