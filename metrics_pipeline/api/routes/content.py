"""`PUT` and `GET /v1/content/{content_id}`: what an application says of its content, and what is known of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from metrics_pipeline.api.answers import ERRORS, NOT_MODIFIED, READ_ERRORS, instant_text
from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.callers import Ingester, Reader
from metrics_pipeline.api.content_answers import CONTENT_ANSWER, PUT_BODY
from metrics_pipeline.api.ids import ContentId, NewContentId, WorkspaceOfOperator
from metrics_pipeline.api.problems import Problem, unavailable
from metrics_pipeline.api.reading.content_items import item_body, item_generation
from metrics_pipeline.api.reading.formats import JSON, wanted_format
from metrics_pipeline.api.services import Parts
from metrics_pipeline.events.content_fields import inbox_row, parse_attributes
from metrics_pipeline.events.fields import ID, Invalid
from metrics_pipeline.shapes.content import ContentKeptAnswer

CONTENT_BYTES = 65_536

ANSWERS: dict[int | str, dict[str, Any]] = {**READ_ERRORS, **NOT_MODIFIED, 200: {"model": CONTENT_ANSWER}}

router = APIRouter(prefix="/v1/content", tags=["content"])


@router.put(
    "/{content_id}",
    status_code=202,
    response_model=ContentKeptAnswer,
    responses=ERRORS,
    openapi_extra=PUT_BODY,
    name="put_content",
)
async def put_content(content_id: NewContentId, request: Request, caller: Ingester, parts: Parts) -> JSONResponse:
    """Say all there is to say of one content item.

    Answered once it is durable; readers see it after the next pass over the inbox, a minute by default. Attributes
    that are left out are unknown from then on, also where they were known before.
    """
    caller.require_server()
    workspace_id = caller.own_workspace()
    given = await read_json(request, CONTENT_BYTES)
    headers = await parts.limits.spend_single(caller, "")
    named = _named(content_id)
    try:
        columns = parse_attributes(named, given)
    except Invalid as reason:
        detail = f"{reason.pointer or 'The body'} {reason.detail}."
        pointer = {"pointer": reason.pointer}
        raise Problem(422, reason.code, detail, headers=headers, extensions=pointer) from None
    received_at = parts.clock.now()
    retry = await parts.ingestion.keep(inbox_row(workspace_id, named, columns, received_at))
    if retry is not None:
        raise unavailable("The attributes could not be stored; nothing of them was.", retry.code)
    data = {"content_id": named, "updated_at": instant_text(received_at), "status": "accepted"}
    return JSONResponse({"data": data, "meta": {}}, 202, headers=headers)


@router.get("/{content_id}", responses=ANSWERS, name="get_content")
async def get_content(
    content_id: ContentId, request: Request, caller: Reader, parts: Parts, workspace_id: WorkspaceOfOperator = None
) -> Response:
    """What is known of one content item: its attributes, and the present state of its numbers."""
    workspace = caller.workspace_for(workspace_id)
    wanted_format(request.headers.get("accept"), (JSON,))
    tier = Tier.DASHBOARD
    tags = (f"workspace:{workspace}", f"content:{content_id}")
    asked = Asked(workspace, "content", f"content/{content_id}", "", {}, tier, tags=tags)
    return await answer(
        request,
        parts,
        caller,
        asked,
        lambda: item_generation(parts.reads),
        lambda: item_body(parts.reads, workspace, content_id, tier.value),
    )


def _named(content_id: str) -> str:
    """The item of the path. Raises Problem 422 for an id that no event can have."""
    try:
        named = ID(content_id)
    except Invalid as reason:
        raise Problem(422, reason.code, f"The id in the path {reason.detail}.") from None
    if not isinstance(named, str):
        raise Problem(422, "bad_text", "The id in the path is blank.")
    return named
