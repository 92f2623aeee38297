"""`/v1/realtime/...` and `GET /v1/workspaces/{id}/realtime`: numbers of the last seconds to two days."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from metrics_pipeline.api.answers import ERRORS, NOT_FOUND, NOT_MODIFIED, READ_ERRORS, errors_of, instant_text
from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.callers import Admin, Ingester, Reader
from metrics_pipeline.api.entities import existing_workspace
from metrics_pipeline.api.ids import WorkspaceId, WorkspaceOfOperator
from metrics_pipeline.api.problems import Problem, not_found, unavailable
from metrics_pipeline.api.realtime.figures import answer_of, bundle
from metrics_pipeline.api.realtime.posting import BODY, BODY_BYTES, NAME_PATTERN, posted, refuse, updates_of
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.realtime import backend
from metrics_pipeline.realtime.backend import GaugesAs
from metrics_pipeline.realtime.fed import FED, FED_BY_NAME
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import LONGEST_VALUE, MOST_LABELS
from metrics_pipeline.realtime.widths import LONGEST_WINDOW
from metrics_pipeline.redis_link import RedisAway
from metrics_pipeline.shapes.realtime import (
    Counted,
    CountedAnswer,
    Forgotten,
    ForgottenAnswer,
    LiveAnswer,
    LiveBundleAnswer,
    LiveListAnswer,
    LiveListed,
    RefusedUpdate,
)

router = APIRouter(prefix="/v1", tags=["realtime"])
_NAME = {"type": "string", "pattern": NAME_PATTERN}
_Metric = Annotated[str, WithJsonSchema(_NAME), Path(description="The metric's name.")]
_LABEL_PATTERN = rf"^[a-z][a-z0-9_]{{1,62}}:[^\x00]{{0,{LONGEST_VALUE}}}$"
_Label = Annotated[str, WithJsonSchema({"type": "string", "pattern": _LABEL_PATTERN})]
_LabelName = Annotated[str, WithJsonSchema(_NAME)]
_CONFLICT = errors_of({409: "type_conflict: the metric has another type or unit; reserved_metric: events feed it."})
_NO_STORE = {"Cache-Control": "no-store"}
# The bundle is made on the event loop; a thread of the cache waits for it.
_BUNDLE_SECONDS = 10.0


@router.get("/realtime", responses={**ERRORS, **NOT_FOUND}, name="list_realtime_metrics")
async def listed(caller: Reader, parts: Parts, workspace_id: WorkspaceOfOperator = None) -> LiveListAnswer:
    """The real-time metrics of a workspace: those that its events feed, and those that were sent."""
    workspace = await _existing(parts, caller.workspace_for(workspace_id))
    fed = [
        LiveListed(
            metric=each.name,
            type=each.kind.value,
            unit=each.unit,
            window_seconds=60,
            is_fed=True,
            description=each.description,
        )
        for each in FED
    ]
    sent = [
        LiveListed(
            metric=each.metric,
            type=Kind(each.kind).value,
            unit=each.unit,
            window_seconds=each.window_seconds,
            is_fed=False,
        )
        for each in await parts.counts.listed(workspace)
    ]
    return LiveListAnswer(data=fed + sent, meta={})


@router.post(
    "/realtime/{metric}",
    status_code=202,
    response_model=CountedAnswer,
    responses={**ERRORS, **_CONFLICT},
    openapi_extra=BODY,
    name="post_realtime",
)
async def post(metric: _Metric, request: Request, caller: Ingester, parts: Parts) -> JSONResponse:
    """Count one update of a metric of your own, or up to 1,000.

    The first update declares the metric; type and unit stay. The answer is given once it is counted, in this process
    or in Redis. A request whose answer was lost may have been counted: nothing tells repeated ones, other than events.
    """
    caller.require_server()
    workspace = caller.own_workspace()
    body = posted(await read_json(request, BODY_BYTES))
    headers = await parts.limits.spend_batch(caller, set(), len(body.updates or [body]))
    received_at = parts.clock.now()
    updates = updates_of(workspace, metric, body, received_at)
    if metric in FED_BY_NAME:
        raise Problem(409, "reserved_metric", "Events feed this metric; choose another name.", headers=headers)
    declared = await parts.counts.declare(workspace, metric, Kind(body.type), body.unit, body.window_seconds)
    if declared is None:
        raise Problem(422, "metric_limit", "The workspace has too many real-time metrics.", headers=headers)
    if declared.kind != body.type or body.unit not in (None, declared.unit):
        raise Problem(409, "type_conflict", "The metric has another type or unit.", headers=headers)
    added = await parts.counts.add(updates)
    if added.dropped == len(updates):
        raise unavailable("Redis is away, and too many updates wait for it; nothing was counted.", "realtime_full")
    if len(added.refused) == len(updates):
        raise Problem(409, "type_conflict", "The metric has another type.", headers=headers)
    counted = Counted(
        metric=metric,
        type=body.type,
        unit=declared.unit,
        window_seconds=declared.window_seconds,
        accepted=added.accepted,
        overflowed=added.overflowed,
        waiting=added.spilled,
        dropped=added.dropped,
        refused=[RefusedUpdate(index=each.index, code=each.code) for each in added.refused],
        received_at=received_at,
    )
    data = {**counted.model_dump(mode="json"), "received_at": instant_text(received_at)}
    return JSONResponse({"data": data, "meta": {}}, 202, headers=headers)


@router.get(
    "/realtime/{metric}",
    responses={**ERRORS, **NOT_FOUND},
    name="get_realtime",
)
async def read(
    metric: _Metric,
    response: Response,
    caller: Reader,
    parts: Parts,
    window_seconds: Annotated[
        Annotated[int, Field(ge=1, le=LONGEST_WINDOW)] | SkipJsonSchema[None],
        Query(description="Length of the window up to now; by default the metric's own."),
    ] = None,
    label: Annotated[
        list[_Label] | SkipJsonSchema[None],
        Query(max_length=MOST_LABELS, description="`name:value`, repeated: only series that have all of them."),
    ] = None,
    group_by: Annotated[
        list[_LabelName] | SkipJsonSchema[None],
        Query(max_length=MOST_LABELS, description="Names of labels, repeated: figures for each of their values too."),
    ] = None,
    percentile: Annotated[
        list[Annotated[float, Field(ge=0, le=1)]] | SkipJsonSchema[None],
        Query(max_length=20, description="Shares from 0 to 1, repeated; by default 0.5, 0.9, 0.95 and 0.99."),
    ] = None,
    gauges_as: Annotated[
        GaugesAs, Query(description="Of several series of a gauge: the newest value, or sum, min, max of their last.")
    ] = "newest",
    workspace_id: WorkspaceOfOperator = None,
) -> LiveAnswer:
    """A metric over the last seconds, up to two days; what was answered with 202 before is in it.

    `degraded` says that updates may be missing, `scope` who counted, `resolution_seconds` how much of the window's old
    end may be left out.
    """
    workspace = await _existing(parts, caller.workspace_for(workspace_id))
    if (fed := FED_BY_NAME.get(metric)) is not None:
        kind, unit, usual = fed.kind, fed.unit, 60
    elif (declared := await parts.counts.declared(workspace, metric)) is not None:
        kind, unit, usual = Kind(declared.kind), declared.unit, declared.window_seconds
    else:
        raise not_found()
    shares = backend.USUAL_PERCENTILES if percentile is None else tuple(percentile)
    window = usual if window_seconds is None else window_seconds
    try:
        query = backend.Query.of(workspace, metric, window, _labels(label or []), group_by or [], shares, gauges_as)
        reading = await parts.counts.read(query)
    except RealtimeError as error:
        refuse(error)
    response.headers.update(_NO_STORE)
    return answer_of(reading, kind, unit)


@router.delete("/realtime/{metric}", responses={**ERRORS, **NOT_FOUND, **_CONFLICT}, name="delete_realtime")
async def delete(
    metric: _Metric, caller: Admin, parts: Parts, workspace_id: WorkspaceOfOperator = None
) -> ForgottenAnswer:
    """Forget a metric that was sent, with all its series; its name is free for another type."""
    workspace = caller.workspace_for(workspace_id)
    if metric in FED_BY_NAME:
        raise Problem(409, "reserved_metric", "Events feed this metric; it cannot be deleted.")
    try:
        forgotten = await parts.counts.forget(workspace, metric)
    except RedisAway:
        raise unavailable("Redis does not answer; the metric was not deleted.", "realtime_away") from None
    if forgotten is None:
        raise not_found()
    return ForgottenAnswer(data=Forgotten(metric=metric, series=forgotten), meta={})


@router.get(
    "/workspaces/{workspace_id}/realtime",
    responses={**READ_ERRORS, **NOT_MODIFIED, 200: {"model": LiveBundleAnswer}},
    name="get_workspace_realtime",
)
async def workspace_figures(workspace_id: WorkspaceId, request: Request, caller: Reader, parts: Parts) -> Response:
    """Live figures of a workspace in one answer, kept for 30 seconds: what its events feed, over the last minute, five
    minutes and hour.
    """
    workspace = caller.visible(workspace_id)
    loop = asyncio.get_running_loop()

    def body() -> bytes:
        existing_workspace(parts, workspace)
        made = asyncio.run_coroutine_threadsafe(bundle(parts.counts, workspace), loop).result(_BUNDLE_SECONDS)
        return made.model_dump_json().encode()

    asked = Asked(workspace, "realtime", "workspace", "now", {}, Tier.LIVE, tags=(f"workspace:{workspace}",))
    return await answer(request, parts, caller, asked, lambda: "now", body)


async def _existing(parts: Services, workspace_id: str) -> str:
    await asyncio.to_thread(existing_workspace, parts, workspace_id)
    return workspace_id


def _labels(given: list[str]) -> dict[str, str]:
    """Labels by name. Raises RealtimeError for what is none, or for one that is given twice."""
    found: dict[str, str] = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon:
            raise RealtimeError("label_name", "A label is written name:value.")
        if name in found:
            raise RealtimeError("label_twice", "A label is given once.")
        found[name] = value
    return found
