"""`PUT` and `GET /v1/content/{content_id}`: what an application says of its content, and what is known of it."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from metrics_pipeline.api.answers import ERRORS, instant_text
from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.callers import Ingester, Reader
from metrics_pipeline.api.content_answers import CONTENT_ANSWER, PUT_BODY, ContentKeptAnswer
from metrics_pipeline.api.problems import Problem, not_found, unavailable
from metrics_pipeline.api.services import Parts
from metrics_pipeline.events.content_fields import inbox_row, parse_attributes
from metrics_pipeline.events.fields import ID, Invalid

CONTENT_BYTES = 65_536

router = APIRouter(prefix="/v1/content", tags=["content"])


@router.put(
    "/{content_id}",
    status_code=202,
    response_model=ContentKeptAnswer,
    responses=ERRORS,
    openapi_extra=PUT_BODY,
    name="put_content",
)
async def put_content(content_id: str, request: Request, caller: Ingester, parts: Parts) -> JSONResponse:
    """Say all there is to say of one content item.

    Answered once it is durable; readers see it after the next pass over the inbox, a minute by default. Attributes
    that are left out are unknown from then on, also where they were known before.
    """
    caller.require_server()
    workspace_id = caller.own_workspace()
    given = await read_json(request, CONTENT_BYTES, unique_names=True)
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


@router.get("/{content_id}", response_model=CONTENT_ANSWER, responses=ERRORS, name="get_content")
async def get_content(
    content_id: str, caller: Reader, parts: Parts, workspace_id: str | None = None
) -> dict[str, object]:
    """What is known of one content item: its attributes, and the present state of its numbers.

    `workspace_id` is for an operator's key, which belongs to none.
    """
    workspace = caller.workspace_for(workspace_id)
    found = await asyncio.to_thread(parts.lake.content_item, workspace, content_id)
    if found is None:
        raise not_found()
    metrics = found.metrics or {}
    return {
        "data": {
            "content_id": content_id,
            "workspace_id": workspace,
            "attributes": found.attributes,
            "metrics": found.metrics,
        },
        "meta": {
            "data_through": metrics.get("computed_at"),
            "generation": found.generation,
            "approximate": bool(metrics.get("approximate")),
        },
    }


def _named(content_id: str) -> str:
    """The item of the path. Raises Problem 422 for an id that no event can have."""
    try:
        named = ID(content_id)
    except Invalid as reason:
        raise Problem(422, reason.code, f"The id in the path {reason.detail}.") from None
    if not isinstance(named, str):
        raise Problem(422, "bad_text", "The id in the path is blank.")
    return named
