"""What is told of a metric, of one of its versions, and of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from metrics_pipeline.control.metric_models import MetricHead
from metrics_pipeline.custom_metrics.model import Visibility
from metrics_pipeline.custom_metrics.registry.access import shown_document
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.versions import MetricVersion

Became = Literal["created", "updated", "unchanged", "activated", "archived", "restored"]


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """A metric as whoever asked may read it; has_formulas: whether the document is all of it.

    version: the one in force last, see effective_from. revision: counts every change, of what is only shown too.
    """

    workspace_id: str
    metric_id: str
    name: str
    type: str
    owner: str
    visibility: Visibility
    status: str
    version: int
    revision: int
    content_hash: str
    effective_from: date | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    document: Mapping[str, object]
    has_formulas: bool

    @classmethod
    def of(cls, actor: Actor, head: MetricHead, version: MetricVersion) -> MetricRecord:
        """A head with the version in force last."""
        document, has_formulas = shown_document(actor, version.definition)
        return cls(
            head.workspace_id,
            head.metric_id,
            head.name,
            version.definition.type,
            f"{head.owner_type}:{head.owner_id}",
            version.definition.visibility,
            head.status,
            head.active_version,
            head.revision,
            version.content_hash,
            version.effective_from,
            head.created_at,
            head.created_by,
            head.updated_at,
            document,
            has_formulas,
        )


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version of a metric. Who made it and why is told to those who may inspect it. inputs: their versions."""

    version: int
    content_hash: str
    effective_from: date | None
    created_at: datetime
    created_by: str | None
    change_note: str | None
    is_active: bool
    document: Mapping[str, object]
    inputs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Metrics by name. next_after: what to go on after; None at the end."""

    records: Sequence[MetricRecord]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a metric. others: names of metrics made of it that got a new version or were archived with it."""

    what: Became
    record: MetricRecord
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActiveMetric:
    """A metric that is calculated, with its versions by the day from which they count; the newest last."""

    workspace_id: str
    metric_id: str
    name: str
    versions: tuple[MetricVersion, ...]


@dataclass(frozen=True, slots=True)
class MetricChange:
    """What a calculation has to know. kind: `in_force` (this version, from that day on), `started`, `stopped`.

    status: of the metric today; a draft is not calculated.
    """

    number: int
    workspace_id: str
    metric_id: str
    name: str
    status: str
    kind: str
    version: int
    effective_from: date | None


def version_in_force(versions: Sequence[MetricVersion], first_day: date) -> MetricVersion | None:
    """Of the versions of a metric, newest last, the one for the period that begins on a day."""
    fitting = (v for v in reversed(versions) if v.effective_from is None or v.effective_from <= first_day)
    return next(fitting, None)
