"""Definitions as answers: records of the registry in the shapes that are promised, with their entity tags."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from metrics_pipeline.api.caching.conditional import etag_of, matches
from metrics_pipeline.api.definitions.acting import Acting
from metrics_pipeline.api.reading.formats import JSON, json_bytes, wanted_format
from metrics_pipeline.control.metric_audit import AuditEntry
from metrics_pipeline.custom_metrics.datasets import Dataset
from metrics_pipeline.custom_metrics.model import document_of
from metrics_pipeline.custom_metrics.registry.access import shown_document
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.records import Changed, HistoryEntry, MetricRecord
from metrics_pipeline.custom_metrics.trial import Trial

# Definitions change by what people do: clients ask again each time, and get a 304.
_FRESH = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept"}


def metric_row(record: MetricRecord) -> dict[str, object]:
    """A CustomMetric."""
    return {
        "definition_id": record.metric_id,
        "workspace_id": record.workspace_id,
        "name": record.name,
        "type": record.type,
        "owner": record.owner,
        "visibility": record.visibility,
        "status": record.status,
        "version": record.version,
        "revision": record.revision,
        "content_hash": record.content_hash,
        "effective_from": record.effective_from,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "updated_at": record.updated_at,
        "has_formulas": record.has_formulas,
        "definition": dict(record.document),
    }


def changed_row(changed: Changed) -> dict[str, object]:
    """A ChangedMetric."""
    return {"what": changed.what, "metric": metric_row(changed.record), "others": list(changed.others)}


def version_row(entry: HistoryEntry) -> dict[str, object]:
    """A MetricVersionRow."""
    return {
        "version": entry.version,
        "content_hash": entry.content_hash,
        "effective_from": entry.effective_from,
        "created_at": entry.created_at,
        "created_by": entry.created_by,
        "change_note": entry.change_note,
        "is_active": entry.is_active,
        "definition": dict(entry.document),
        "inputs": dict(entry.inputs),
    }


def tried_row(actor: Actor, trial: Trial) -> dict[str, object]:
    """A TriedMetric: of inputs whose formulas are not for whoever asks, none are told."""
    walked = list(trial.metric.walk())
    hidden = {each.name for each in walked[:-1] if not shown_document(actor, each.definition)[1]}
    return {
        "name": trial.metric.name,
        "definition": document_of(trial.metric.definition),
        "grains": list(trial.grains),
        "formulas": [
            {"place": place, "text": text} for place, text in trial.formulas if place.partition(".")[0] not in hidden
        ],
        "usual_conditions": list(trial.usual),
        "cost_class": trial.cost,
        "preview": [
            {
                "start": each.period.first,
                "end": each.period.end,
                "value": each.value,
                "state": each.state,
                "is_complete": each.is_complete,
            }
            for each in trial.preview
        ],
        "statement": None if hidden else trial.statement,
    }


def dataset_row(dataset: Dataset) -> dict[str, object]:
    """A DatasetRow."""
    return {
        "name": dataset.name,
        "description": dataset.description,
        "fields": [
            {
                "name": each.name,
                "datatype": each.datatype,
                "description": each.description,
                "additivity": each.additivity,
                "is_personal": each.is_personal,
            }
            for each in dataset.fields.values()
        ],
        "times": list(dataset.times),
        "finest": dataset.finest,
        "usual_conditions": [each.says for each in dataset.usual],
        "is_application": dataset.is_application,
    }


def audit_row(entry: AuditEntry) -> dict[str, object]:
    """A MetricAuditRow. How many rows were read is left out: files have rows of other workspaces too."""
    return {
        "at": entry.at,
        "actor_id": entry.actor_id,
        "actor_kind": entry.actor_kind,
        "key_id": entry.api_key_id,
        "action": entry.action,
        "outcome": entry.outcome,
        "reason_code": entry.reason_code,
        "version": entry.version,
        "duration_ms": entry.duration_ms,
        "cost_class": entry.cost_class,
        "query_hash": entry.query_hash,
        "trace_id": entry.trace_id,
    }


def record_of_version(record: MetricRecord, entry: HistoryEntry) -> MetricRecord:
    """A metric with another version of it."""
    return replace(
        record,
        version=entry.version,
        content_hash=entry.content_hash,
        effective_from=entry.effective_from,
        document=entry.document,
    )


def tag_of(record: MetricRecord) -> str:
    """The entity tag of a metric: another one after each change, and for each version of it."""
    parts = (record.workspace_id, record.metric_id, str(record.has_formulas), record.content_hash)
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return f'"{record.version}.{record.revision}-{digest}"'


def only_json(request: Request) -> None:
    """Raises Problem 406 for a client that does not take JSON."""
    wanted_format(request.headers.get("accept"), (JSON,))


def answered(
    request: Request, acting: Acting, data: object, meta: Mapping[str, object] | None = None, tag: str | None = None
) -> Response:
    """An answer that is made anew each time, and not sent to who has it already."""
    body = json_bytes({"data": data, "meta": dict(meta or {})})
    headers = {"ETag": tag or etag_of(acting.workspace_id, JSON, body), **_FRESH}
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def done(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that changed or tried something."""
    return Response(json_bytes({"data": data, "meta": {}}), status, headers=dict(headers or {}), media_type=JSON)
