"""Values of custom metrics, who did what with them, and what they may be made of."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED
from metrics_pipeline.api.cached_answers import Asked, answer
from metrics_pipeline.api.definitions.acting import Anybody, Looking
from metrics_pipeline.api.definitions.parameters import DefinitionId, ValuesParameters, dimensions_of
from metrics_pipeline.api.definitions.refusals import ASK_REFUSALS, READ_REFUSALS
from metrics_pipeline.api.definitions.written import answered, audit_row, dataset_row, only_json
from metrics_pipeline.api.paging import Place, cursor_after, place_of
from metrics_pipeline.api.reading.custom_values import AskedValues, ValuesQuestion
from metrics_pipeline.api.reading.formats import CSV, JSON, PARQUET, json_bytes, wanted_format
from metrics_pipeline.api.reading.parameters import Cursor, Limit
from metrics_pipeline.api.reading.times import span_of
from metrics_pipeline.api.runs.trigger_answers import body_of, read
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.custom_metrics.calculating import query_hash
from metrics_pipeline.shapes.definitions import Calculate, CustomValuesAnswer, DatasetsAnswer, MetricAuditAnswer

router = APIRouter(prefix="/v1", tags=["custom metrics"])
_OTHER_FORMATS = {media_type: {"schema": {"type": "string"}} for media_type in (CSV, PARQUET)}
_VALUES: dict[int | str, dict[str, Any]] = {
    **READ_REFUSALS,
    **NOT_MODIFIED,
    200: {"model": CustomValuesAnswer, "content": _OTHER_FORMATS},
}


@router.post(
    "/metric-definitions/{definition_id}:calculate",
    responses={**ASK_REFUSALS, 200: {"model": CustomValuesAnswer}},
    openapi_extra=body_of(Calculate),
    name="calculate_definition",
)
async def calculate(definition_id: DefinitionId, request: Request, acting: Anybody, parts: Parts) -> Response:
    """Compute a metric now; nothing is stored but that it was computed. For what is asked again, GET its values."""
    only_json(request)
    asked, metrics = _asked(definition_id, await read(request, Calculate), parts), parts.custom_metrics

    def compute() -> bytes:
        question = ValuesQuestion.of(metrics.registry, metrics.answerer, acting.actor, asked)
        return question.body(metrics.answer(acting.actor, question.posed), JSON, None)

    return Response(await metrics.run(compute), media_type=JSON)


@router.get("/metric-definitions/{definition_id}/values", responses=_VALUES, name="get_definition_values")
async def values(
    definition_id: DefinitionId,
    request: Request,
    acting: Anybody,
    parts: Parts,
    parameters: Annotated[ValuesParameters, Depends()],
) -> Response:
    """The values of a metric, every period that the span touches; CSV and Parquet by the Accept header.

    Each period is made by the version in force for it. They are computed from rows, as stored values are.
    """
    media_type = wanted_format(request.headers.get("accept"))
    metrics, now = parts.custom_metrics, parts.clock.now()
    asked = parameters.asked(definition_id, now, parts.settings)
    question = await asyncio.to_thread(ValuesQuestion.of, metrics.registry, metrics.answerer, acting.actor, asked)
    metric, posed, tier = question.metric, question.posed, question.tier(now)
    reads = await asyncio.to_thread(metrics.reads, posed)
    kept = Asked(
        tenant=metric.workspace_id,
        kind="definition",
        entity=f"definition/{metric.metric_id}",
        period=f"{question.start}..{question.end}",
        query=question.canonical(question.today(now), reads),
        tier=tier,
        media_type=media_type,
        tags=(f"workspace:{metric.workspace_id}", f"definition:{metric.metric_id}"),
    )
    given = await answer(
        request,
        parts,
        acting.caller,
        kept,
        lambda: metrics.generation(posed),
        lambda: question.body(metrics.answer(acting.actor, posed), media_type, tier),
        run=metrics.run,
        is_warmed=False,  # it would be computed, and written down, in somebody's name who asked for nothing
    )
    await asyncio.to_thread(
        metrics.registry.note,
        acting.actor,
        "read",
        metric.metric_id,
        metric.version,
        query_hash=query_hash(posed.asked),
    )
    return given


@router.get(
    "/metric-definitions/{definition_id}/audit",
    responses={**READ_REFUSALS, 200: {"model": MetricAuditAnswer}},
    name="list_definition_audit",
)
async def audit(
    definition_id: DefinitionId,
    request: Request,
    acting: Looking,
    parts: Parts,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What was done with a metric, newest first: for its owner, the owner's team and admins. Never kept."""
    only_json(request)
    question = {"list": "definition_audit", "of": f"{acting.workspace_id}/{definition_id}"}
    place = place_of(question, cursor)
    before = None if place is None else int(place.value)
    found = await asyncio.to_thread(
        parts.custom_metrics.registry.audit, acting.actor, definition_id, limit=limit + 1, before=before
    )
    page = found[:limit]
    following = cursor_after(question, Place(float(page[-1].number or 0), "")) if len(found) > limit else None
    meta = {"next_cursor": following, "has_more": following is not None}
    body = json_bytes({"data": [audit_row(entry) for entry in page], "meta": meta})
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get(
    "/datasets", responses={**READ_REFUSALS, **NOT_MODIFIED, 200: {"model": DatasetsAnswer}}, name="list_datasets"
)
async def datasets(request: Request, acting: Looking, parts: Parts) -> Response:
    """What metrics may be made of: data sets with their fields, the application's declared tables among them."""
    only_json(request)
    known = parts.custom_metrics.datasets
    return answered(request, acting, [dataset_row(known[name]) for name in known.names])


def _asked(reference: str, body: Calculate, parts: Services) -> AskedValues:
    is_whole = body.granularity == "custom" and all(each is None for each in (body.start, body.end, body.range))
    span = span_of(
        parts.clock.now().astimezone(UTC).date(),
        parts.settings.week_start_index,
        start=None if body.start is None else body.start.isoformat(),
        end=None if body.end is None else body.end.isoformat(),
        named=body.range,
        days=None,
    )
    dimensions = dimensions_of(body.dimensions)
    return AskedValues(reference, body.granularity, None if is_whole else span, body.calendar, dimensions, body.version)
