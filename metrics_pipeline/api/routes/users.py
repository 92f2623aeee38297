"""`DELETE /v1/users/{id}` and `GET /v1/erasures/{id}`: forgetting a person, and the proof of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.answers import ERRORS, NOT_FOUND
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.callers import Admin
from metrics_pipeline.api.ids import NewUserId, OwnId
from metrics_pipeline.api.problems import Problem, not_found
from metrics_pipeline.api.services import Parts
from metrics_pipeline.control.erasures import ErasureRecord, get_erasure, request_erasure
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.fields import ID, Invalid
from metrics_pipeline.shapes.erasures import ErasureAnswer

router = APIRouter(prefix="/v1", tags=["users"])

Workspace = Annotated[
    OwnId | SkipJsonSchema[None],
    Query(description="For an operator's key: the workspace to erase from. Other keys have their own."),
]
ErasureId = Annotated[OwnId, Path(description="As DELETE /v1/users/{user_id} answered.")]


@router.delete("/users/{user_id}/watch-history", include_in_schema=False, name="keep_watch_history")
async def keep_watch_history(user_id: str) -> None:
    """A history is erased with its person only; without this the path would be read as the id of one."""
    del user_id
    raise HTTPException(405)


@router.delete("/users/{user_id:path}", status_code=202, responses={**ERRORS, **NOT_FOUND}, name="erase_user")
async def erase_user(
    user_id: NewUserId,
    caller: Admin,
    parts: Parts,
    workspace_id: Workspace = None,
) -> ErasureAnswer:
    """Ask for a person to be erased.

    Their events are refused at once (by other processes within five seconds), and taken out of every table, file and
    inbox by the next run; numbers of days whose raw events are kept go down. Whether anything is stored about the
    person is not told. Asking again while it waits gives the same erasure.
    """
    workspace = _workspace(caller, workspace_id)
    try:
        person = ID(user_id)
    except Invalid as reason:
        raise Problem(422, "invalid_user", f"The user id cannot be one: {reason.detail}.") from None
    ring = await asyncio.to_thread(parts.load_ring)
    try:
        record = await asyncio.to_thread(
            lambda: request_erasure(
                parts.control,
                ring,
                workspace,
                str(person),
                now=parts.clock.now(),
                requested_by=caller.name,
            )
        )
    except UserError:  # an operator named a workspace that is not there
        raise not_found() from None
    await asyncio.to_thread(parts.ingestion.refuse_erased_now)
    return _answer(record)


@router.get("/erasures/{erasure_id}", responses={**ERRORS, **NOT_FOUND}, name="get_erasure")
async def erasure(erasure_id: ErasureId, caller: Admin, parts: Parts) -> ErasureAnswer:
    """How far an erasure is: `requested`, `sweeping` (every row is gone, files of crashed writers are waited for) or
    `completed`, with the proof: rows deleted by table, files deleted, days counted anew. It never names the person.
    """
    try:
        record = await asyncio.to_thread(get_erasure, parts.control, erasure_id)
    except UserError:
        raise not_found() from None
    caller.visible(record.workspace_id)
    return _answer(record)


def _workspace(caller: Caller, named: str | None) -> str:
    if caller.workspace_id is None and named is None:
        raise Problem(422, "workspace_required", "An operator's key belongs to no workspace: name one.")
    return caller.visible(named or caller.own_workspace())


def _answer(record: ErasureRecord) -> ErasureAnswer:
    return ErasureAnswer.model_validate({"data": record.summary(), "meta": {}})
