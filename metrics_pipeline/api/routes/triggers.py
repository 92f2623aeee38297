"""Requests that start runs: collecting, rebuilding, emptying the inbox. The answer has the ids of real Dagster runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import WithJsonSchema
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse

from metrics_pipeline.api.answers import instant_text
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.callers import Admin
from metrics_pipeline.api.ids import AccountId, NewPostId, OwnId, WorkspaceId
from metrics_pipeline.api.problems import Problem, not_found
from metrics_pipeline.api.runs.launching import LONGEST_KEY, Asked, partitions_of
from metrics_pipeline.api.runs.run_plans import Plan, Planner, Scope
from metrics_pipeline.api.runs.trigger_answers import TRIGGER_ERRORS, body_of, read
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.control.accounts import AccountRecord, get_account, list_accounts
from metrics_pipeline.control.identifiers import checked_id
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.fields import ID, Invalid
from metrics_pipeline.shapes.runs import Aggregate, Collect, CollectAccount, CollectPost, NoBody, StartedAnswer

router = APIRouter(prefix="/v1", tags=["triggers"])

Key = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"})]
    | SkipJsonSchema[None],
    Header(alias="Idempotency-Key", description="Of your own making: for 24 hours the same key starts nothing twice."),
]
Workspace = Annotated[
    OwnId | SkipJsonSchema[None],
    Query(description="For an operator's key: the workspace of the account. Other keys have their own."),
]


@router.post(
    "/collections:run",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(Collect),
    name="run_collections",
)
async def run_collections(request: Request, caller: Admin, parts: Parts, idempotency_key: Key = None) -> JSONResponse:
    """Collect every connected account the key may see: all of them for an operator, else those of its workspace.

    Without start and end the counters of the running hour are read, as they stand: a past hour cannot be observed.
    With them the platforms' own daily series of those days, as far back as each keeps them. One run for each platform.
    """
    return await _collect_workspace(request, caller, parts, caller.workspace_id, idempotency_key)


@router.post(
    "/workspaces/{workspace_id}:collect",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(Collect),
    name="collect_workspace",
)
async def collect_workspace(
    workspace_id: WorkspaceId, request: Request, caller: Admin, parts: Parts, idempotency_key: Key = None
) -> JSONResponse:
    """Collect the accounts of one workspace; what is read: as for `run_collections`."""
    return await _collect_workspace(request, caller, parts, caller.visible(workspace_id), idempotency_key)


@router.post(
    "/accounts/{account_id}:collect",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(CollectAccount),
    name="collect_account",
)
async def collect_account(
    account_id: AccountId,
    request: Request,
    caller: Admin,
    parts: Parts,
    workspace_id: Workspace = None,
    idempotency_key: Key = None,
) -> JSONResponse:
    """Collect one account now, without waiting for its next slot; what is read: as for `run_collections`."""
    workspace = _workspace(caller, workspace_id)
    body = await read(request, CollectAccount)

    def plan() -> Plan:
        account = _account(parts, account_id, workspace)
        scope = Scope([workspace], [account.account_id])
        return Planner.of(parts.settings).collection([account], scope, body.start, body.end, [account.platform])

    payload = {**body.model_dump(mode="json"), "workspace_id": workspace}
    return await _start(parts, Asked(caller, workspace, request.url.path, payload, idempotency_key), plan)


@router.post(
    "/posts/{post_id}:collect",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(CollectPost),
    name="collect_post",
)
async def collect_post(
    post_id: NewPostId,
    request: Request,
    caller: Admin,
    parts: Parts,
    workspace_id: Workspace = None,
    idempotency_key: Key = None,
) -> JSONResponse:
    """Read the counters of one post now, and nothing else of its account.

    Right after publishing nobody here knows the post yet: then the body has to name the account.
    """
    workspace = _workspace(caller, workspace_id)
    body = await read(request, CollectPost)

    def plan() -> Plan:
        post = _post(post_id)
        account = _account(parts, body.account_id or _account_of(parts, workspace, post), workspace)
        scope = Scope([workspace], [account.account_id], [post])
        return Planner.of(parts.settings).collection([account], scope, platforms=[account.platform])

    payload = {**body.model_dump(mode="json"), "workspace_id": workspace}
    return await _start(parts, Asked(caller, workspace, request.url.path, payload, idempotency_key), plan)


@router.post(
    "/aggregations:run",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(Aggregate),
    name="run_aggregations",
)
async def run_aggregations(request: Request, caller: Admin, parts: Parts, idempotency_key: Key = None) -> JSONResponse:
    """Rebuild tables of numbers over the periods that overlap the days, for all workspaces: an operator's key.

    One run for each level. Weeks, months and snapshots are rebuilt once more by the pipeline itself where a run before
    them changed a day, so that the order in which they end does not matter.
    """
    _require_operator(caller)
    body = await read(request, Aggregate)
    asked = Asked(caller, None, request.url.path, body.model_dump(mode="json"), idempotency_key)
    return await _start(parts, asked, lambda: Planner.of(parts.settings).aggregation(body.levels, body.start, body.end))


@router.post(
    "/events:process",
    status_code=202,
    response_model=StartedAnswer,
    responses=TRIGGER_ERRORS,
    openapi_extra=body_of(NoBody),
    name="process_events",
)
async def process_events(request: Request, caller: Admin, parts: Parts, idempotency_key: Key = None) -> JSONResponse:
    """Move what waits in the inbox into the lake now, and rebuild the hours it touches: an operator's key."""
    _require_operator(caller)
    await read(request, NoBody)
    asked = Asked(caller, None, request.url.path, {}, idempotency_key)
    return await _start(parts, asked, lambda: Planner.of(parts.settings).events())


async def _collect_workspace(
    request: Request, caller: Caller, parts: Services, workspace_id: str | None, key: str | None
) -> JSONResponse:
    body = await read(request, Collect)

    def plan() -> Plan:
        accounts = _accounts(parts, workspace_id)
        scope = Scope([workspace_id] if workspace_id is not None else [])
        return Planner.of(parts.settings).collection(accounts, scope, body.start, body.end, body.platforms)

    payload = body.model_dump(mode="json")
    return await _start(parts, Asked(caller, workspace_id, request.url.path, payload, key), plan)


async def _start(parts: Services, asked: Asked, plan: Callable[[], Plan]) -> JSONResponse:
    headers = await parts.limits.spend_trigger(asked.caller)
    try:
        done = await parts.launcher.launch(asked, lambda: asyncio.to_thread(plan))
    except Problem as problem:
        problem.headers = {**headers, **problem.headers}
        raise
    runs = [
        {"run_id": run.run_id, "job": run.job, "partitions": partitions_of(run), "status": run.status}
        for run in done.runs
    ]
    meta = {
        "replayed": done.replayed,
        "skipped": list(done.skipped),
        "requested_at": instant_text(parts.clock.now()),
    }
    return JSONResponse({"data": {"runs": runs}, "meta": meta}, 202, headers=headers)


def _require_operator(caller: Caller) -> None:
    if caller.workspace_id is not None:
        raise Problem(403, "operator_required", "This is about every workspace: it takes an operator's key.")


def _workspace(caller: Caller, named: str | None) -> str:
    if caller.workspace_id is None and named is None:
        raise Problem(422, "workspace_required", "An operator's key belongs to no workspace: name one.")
    return caller.visible(named or caller.own_workspace())


def _accounts(parts: Services, workspace_id: str | None) -> Sequence[AccountRecord]:
    try:
        if workspace_id is not None:
            checked_id(workspace_id, "Workspace id")
        return list_accounts(parts.control, workspace_id=workspace_id)
    except UserError:
        raise not_found() from None


def _account(parts: Services, account_id: str, workspace_id: str) -> AccountRecord:
    try:
        account = get_account(
            parts.control, checked_id(account_id, "Account id"), checked_id(workspace_id, "Workspace id")
        )
    except UserError:
        raise not_found() from None
    if account.status == "disabled":
        raise Problem(422, "account_disabled", "The account is disabled; enable it first.")
    return account


def _post(post_id: str) -> str:
    try:
        post = ID(post_id)
    except Invalid as reason:
        raise Problem(422, "invalid_post", f"The post's id cannot be one: {reason.detail}.") from None
    if not isinstance(post, str):
        raise Problem(422, "invalid_post", "The post's id is blank.")
    return post


def _account_of(parts: Services, workspace_id: str, post_id: str) -> str:
    """The account of a post that was read before."""
    parameters = {"workspace_id": workspace_id, "post_id": post_id}
    with parts.reads.session("posts") as session:
        found = session.run_file("api/account_of_post.sql", parameters).read_all()["account_id"].to_pylist()
    if not found:
        raise not_found()
    if len(found) > 1:
        detail = "Several accounts have a post of this id: name account_id."
        raise Problem(422, "account_required", detail, extensions={"pointer": "/account_id"})
    return str(found[0])
