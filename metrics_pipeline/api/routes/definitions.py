"""`/v1/metric-definitions`: definitions of metrics, made, changed, looked at."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from metrics_pipeline.api.answers import NOT_MODIFIED
from metrics_pipeline.api.caching.conditional import matches
from metrics_pipeline.api.definitions.acting import Acting, Anybody, Defining
from metrics_pipeline.api.definitions.described import DOCUMENTS_BODY, PATCH_BODY
from metrics_pipeline.api.definitions.documents import merged, read_documents, read_object
from metrics_pipeline.api.definitions.parameters import (
    DefinitionId,
    EffectiveFrom,
    ForceOf,
    IfMatch,
    MayMatch,
    Note,
    Text,
    VersionOf,
    note_of,
)
from metrics_pipeline.api.definitions.refusals import ASK_REFUSALS, CHANGE_REFUSALS, READ_REFUSALS
from metrics_pipeline.api.definitions.written import (
    answered,
    changed_row,
    done,
    metric_row,
    only_json,
    record_of_version,
    tag_of,
    tried_row,
    version_row,
)
from metrics_pipeline.api.paging import Place, cursor_after, place_of
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.parameters import Cursor, Limit
from metrics_pipeline.api.runs.trigger_answers import body_of, read
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.custom_metrics.registry.reader import Filters
from metrics_pipeline.custom_metrics.registry.records import Changed, MetricRecord
from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError, VersionConflictError
from metrics_pipeline.shapes.definitions import (
    Activate,
    ChangedMetricAnswer,
    ChangedMetricsAnswer,
    CustomMetricAnswer,
    CustomMetricsAnswer,
    Force,
    MetricStatus,
    MetricType,
    MetricVersionsAnswer,
    TriedMetricsAnswer,
)

PATH = "/v1/metric-definitions"
router = APIRouter(prefix=PATH, tags=["custom metrics"])
_CHANGED: dict[int | str, dict[str, Any]] = {200: {"model": ChangedMetricAnswer}, **CHANGE_REFUSALS}
_DEFINED: dict[int | str, dict[str, Any]] = {
    200: {"model": ChangedMetricsAnswer, "description": "Nothing is new: changed, or as it was."},
    201: {"model": ChangedMetricsAnswer, "description": "Something is new. Location: of a single one."},
    **CHANGE_REFUSALS,
}
_Owner = Annotated[str, Field(max_length=200, pattern=r"^(user|team):[^\x00]+$")]


@router.get(
    "", responses={**READ_REFUSALS, **NOT_MODIFIED, 200: {"model": CustomMetricsAnswer}}, name="list_definitions"
)
async def list_definitions(
    request: Request,
    acting: Anybody,
    parts: Parts,
    owner: Annotated[_Owner | SkipJsonSchema[None], Query(description="user:ID or team:ID.")] = None,
    tag: Annotated[Text | SkipJsonSchema[None], Query(description="Only those that have it.")] = None,
    kind: Annotated[MetricType | SkipJsonSchema[None], Query(alias="type", description="Only of this type.")] = None,
    status: Annotated[MetricStatus | SkipJsonSchema[None], Query(description="Default: all but archived ones.")] = None,
    text: Annotated[
        Text | SkipJsonSchema[None], Query(description="Somewhere in name, label, description or a tag.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The metrics that one may see, by name. Who may not read sees the public ones."""
    only_json(request)
    filters = Filters(owner, tag, kind, status, text)
    question = {"list": "definitions", "of": acting.workspace_id, "filters": [owner, tag, kind, status, text]}
    place = place_of(question, cursor)
    after = None if place is None else place.id
    page = await asyncio.to_thread(parts.custom_metrics.registry.list, acting.actor, filters, limit=limit, after=after)
    following = None if page.next_after is None else cursor_after(question, Place(0.0, page.next_after))
    meta = {"next_cursor": following, "has_more": following is not None}
    return answered(request, acting, [metric_row(record) for record in page.records], meta)


@router.post("", responses=_DEFINED, openapi_extra=DOCUMENTS_BODY, name="define_metrics")
async def define(
    request: Request, acting: Defining, parts: Parts, effective_from: EffectiveFrom = None, note: Note = None
) -> Response:
    """Make metrics, or change those of these names; many are taken all, or none of them.

    A definition that is stored already stays as it is, so the same may be sent at every deployment.
    """
    sent, reason = await read_documents(request), note_of(note)
    registry = parts.custom_metrics.registry

    def store() -> list[Changed]:
        return sent.with_places(
            lambda documents: registry.create_all(acting.actor, documents, effective_from=effective_from, note=reason)
        )

    changes = await asyncio.to_thread(store)
    is_new = any(change.what == "created" for change in changes)
    headers: dict[str, str] = {}
    if sent.is_one:  # an older ratio comes after its parts
        record = changes[-1].record
        headers = {"ETag": tag_of(record)} | ({"Location": f"{PATH}/{record.metric_id}"} if is_new else {})
    return done([changed_row(change) for change in changes], 201 if is_new else 200, headers)


@router.post(
    ":validate",
    responses={**ASK_REFUSALS, 200: {"model": TriedMetricsAnswer}},
    openapi_extra=DOCUMENTS_BODY,
    name="validate_definitions",
)
async def validate(request: Request, acting: Defining, parts: Parts) -> Response:
    """Check definitions and compute their last periods; nothing is stored but that it was tried."""
    sent = await read_documents(request)
    metrics = parts.custom_metrics
    trials = await metrics.run(lambda: sent.with_places(lambda documents: metrics.try_out(acting.actor, documents)))
    return done([tried_row(acting.actor, trial) for trial in trials])


# Before those of the metric itself: an address with an action would be taken for a metric of that name.
@router.post(
    "/{definition_id}:activate", responses=_CHANGED, openapi_extra=body_of(Activate), name="activate_definition"
)
async def activate(
    definition_id: DefinitionId, request: Request, acting: Defining, parts: Parts, if_match: MayMatch = None
) -> Response:
    """Put an earlier version in force again, with the inputs of its time."""
    body, registry = await read(request, Activate), parts.custom_metrics.registry

    def store() -> Changed:
        record = _expected(registry.get(acting.actor, definition_id), if_match or "*")
        return registry.activate(
            acting.actor,
            record.metric_id,
            body.version,
            expected_version=record.version,
            effective_from=body.effective_from,
        )

    return _told(await asyncio.to_thread(store))


@router.post("/{definition_id}:archive", responses=_CHANGED, openapi_extra=body_of(Force), name="archive_definition")
async def archive(definition_id: DefinitionId, request: Request, acting: Defining, parts: Parts) -> Response:
    """Take a metric out of use; its versions and values stay, and its name is free."""
    body, registry = await read(request, Force), parts.custom_metrics.registry
    return _told(await asyncio.to_thread(lambda: registry.archive(acting.actor, definition_id, force=body.force)))


@router.post("/{definition_id}:restore", responses=_CHANGED, name="restore_definition")
async def restore(definition_id: DefinitionId, acting: Defining, parts: Parts) -> Response:
    """Undo archiving; an input that has changed meanwhile makes a new version."""
    return _told(await asyncio.to_thread(parts.custom_metrics.registry.restore, acting.actor, definition_id))


@router.get(
    "/{definition_id}",
    responses={**READ_REFUSALS, **NOT_MODIFIED, 200: {"model": CustomMetricAnswer}},
    name="get_definition",
)
async def get_definition(
    definition_id: DefinitionId, request: Request, acting: Anybody, parts: Parts, version: VersionOf = None
) -> Response:
    """One metric, or an earlier version of it. Its ETag is what a change has to name."""
    only_json(request)
    record = await asyncio.to_thread(_record, parts, acting, definition_id, version)
    return answered(request, acting, metric_row(record), tag=tag_of(record))


@router.patch("/{definition_id}", responses=_CHANGED, openapi_extra=PATCH_BODY, name="change_definition")
async def change(
    definition_id: DefinitionId,
    request: Request,
    acting: Defining,
    parts: Parts,
    if_match: IfMatch = None,
    effective_from: EffectiveFrom = None,
    note: Note = None,
    force: ForceOf = False,
) -> Response:
    """Change fields of a metric. What makes its numbers makes a new version, of all that is made of it as well."""
    patch, reason = await read_object(request), note_of(note)
    if if_match is None:
        detail = "Say with If-Match which state of the metric the change is of: the ETag of a GET."
        raise Problem(428, "precondition_required", detail)
    registry = parts.custom_metrics.registry

    def store() -> Changed:
        record = _expected(registry.get(acting.actor, definition_id), if_match)
        wanted = merged(record.document, patch)
        return registry.update(
            acting.actor,
            record.metric_id,
            wanted if isinstance(wanted, dict) else {},
            expected_version=record.version,
            expected_revision=record.revision,
            effective_from=effective_from,
            note=reason,
            force=force,
        )

    return _told(await asyncio.to_thread(store))


@router.get(
    "/{definition_id}/versions",
    responses={**READ_REFUSALS, **NOT_MODIFIED, 200: {"model": MetricVersionsAnswer}},
    name="list_definition_versions",
)
async def versions(definition_id: DefinitionId, request: Request, acting: Anybody, parts: Parts) -> Response:
    """Every version of a metric, oldest first."""
    only_json(request)
    entries = await asyncio.to_thread(parts.custom_metrics.registry.history, acting.actor, definition_id)
    return answered(request, acting, [version_row(entry) for entry in entries])


def _record(parts: Services, acting: Acting, reference: str, version: int | None) -> MetricRecord:
    registry = parts.custom_metrics.registry
    record = registry.get(acting.actor, reference)
    if version in (None, record.version):
        return record
    found = [entry for entry in registry.history(acting.actor, record.metric_id) if entry.version == version]
    if not found:
        raise MetricNotFoundError
    return record_of_version(record, found[0])


def _expected(record: MetricRecord, if_match: str) -> MetricRecord:
    """The record, if it is the one that a change names. Raises VersionConflictError."""
    if if_match.startswith("W/") or not matches(if_match, tag_of(record)):
        raise VersionConflictError(record.version)
    return record


def _told(changed: Changed) -> Response:
    return done(changed_row(changed), headers={"ETag": tag_of(changed.record)})
