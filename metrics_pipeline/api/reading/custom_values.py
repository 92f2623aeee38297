"""Values of a custom metric as an answer: what is asked, under which key it is kept, and as which bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.reading.formats import JSON, Raw, envelope, rows_as
from metrics_pipeline.api.reading.series_answers import RESTATED_FOR
from metrics_pipeline.api.reading.times import Span
from metrics_pipeline.control.people import ADMIN
from metrics_pipeline.custom_metrics.answering import Answer, Answerer, Posed, Value
from metrics_pipeline.custom_metrics.calculating import query_hash
from metrics_pipeline.custom_metrics.faults import QuestionError
from metrics_pipeline.custom_metrics.guarded import Reads
from metrics_pipeline.custom_metrics.periods import Period
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.shapes.definitions import CustomGranularity

_COLUMNS: Mapping[str, pa.DataType] = {
    "metric": pa.string(),
    "start": pa.date32(),
    "end": pa.date32(),
    "label": pa.string(),
    "dimensions": pa.string(),
    "value": pa.float64(),
    "state": pa.string(),
    "numerator": pa.float64(),
    "denominator": pa.float64(),
    "is_complete": pa.bool_(),
    "version": pa.int64(),
}


@dataclass(frozen=True)
class AskedValues:
    """A question as it was sent. span: None for all periods of a calendar."""

    reference: str
    granularity: CustomGranularity
    span: Span | None
    calendar: str | None = None
    dimensions: tuple[str, ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class ValuesQuestion:
    """The same, with the metric that it is about. labels: of a calendar's periods, by their first days."""

    asked: AskedValues
    posed: Posed
    actor: Actor
    start: date
    end: date
    labels: Mapping[date, str] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry, answerer: Answerer, actor: Actor, asked: AskedValues) -> ValuesQuestion:
        """Look the metric up, for whoever asks.

        Raises:
            MetricNotFoundError: there is no such metric, or not for whoever asks.
            DefinitionError: it cannot be asked so.
        """
        metric = registry.readable(actor, asked.reference, asked.version)
        labels: dict[date, str] = {}
        periods: list[Period] = []
        if asked.granularity == "custom":
            for period, label in _ranges(registry, actor, asked):
                labels[period.first] = label
                periods.append(period)
        elif asked.calendar is not None:
            raise QuestionError.at("/calendar", "calendar_not_used", "A calendar is for granularity custom.")
        span = asked.span or Span(periods[0].first, periods[-1].end)  # a calendar has at least one
        first, end = span.first, span.end
        posed = answerer.pose(
            actor, metric.metric_id, asked.granularity, (first, end), asked.dimensions, asked.version, periods
        )
        told = [period for entry in posed.asked for period in entry.question.periods]
        return cls(asked, posed, actor, told[0].first if told else first, told[-1].end if told else end, labels)

    @property
    def metric(self) -> MetricVersion:
        return self.posed.metric

    def canonical(self, today: date, reads: Reads) -> dict[str, object]:
        """The same for questions with the same answer, as long as the rows are the same. reads: what it reads."""
        definition = self.metric.definition
        return {
            "made_of": [(entry.version.version, entry.version.content_hash) for entry in self.posed.asked],
            "asked": query_hash(self.posed.asked),
            "around": [
                (e.question.known_from, e.question.reads_unowned, e.question.timezone) for e in self.posed.asked
            ],
            "expired": {
                name: first
                for name, first in self._kept_from().items()
                if name in reads and ((days := reads[name]) is None or first >= days[0])
            },
            "today": today if self.end > today else None,
            "granularity": self.asked.granularity,
            "calendar": self.asked.calendar,
            "dimensions": self.asked.dimensions,
            "span": (self.start, self.end),
            "shown": (definition.name, definition.label, definition.unit, definition.direction),
            "is_public": definition.visibility == "public",
            "at_any_cost": ADMIN in self.actor.roles,  # whom nothing is refused to does not wait for who is refused
        }

    def _kept_from(self) -> Mapping[str, date]:
        return self.posed.asked[0].question.kept_from if self.posed.asked else {}

    def today(self, now: datetime) -> date:
        """The day it is asked on, in the metric's zone."""
        return now.astimezone(ZoneInfo(self.metric.definition.timezone)).date()

    def tier(self, now: datetime) -> Tier:
        """How long an answer may be kept, by the end of its last period."""
        today = self.today(now)
        if self.end <= today - RESTATED_FOR:
            return Tier.CLOSED
        return Tier.AGGREGATE if self.end <= today else Tier.DASHBOARD

    def body(self, answer: Answer, media_type: str, tier: Tier | None) -> bytes:
        """The answer as bytes."""
        if media_type != JSON:
            return rows_as(media_type, self._rows(answer.values))
        definition = self.metric.definition
        data = {
            "metric": {
                "definition_id": self.metric.metric_id,
                "name": definition.name,
                "label": definition.label,
                "type": definition.type,
                "unit": definition.unit,
                "direction": definition.direction,
            },
            "values": [self._value(value) for value in answer.values],
        }
        meta = {
            "start": self.start,
            "end": self.end,
            "timezone": definition.timezone,
            "granularity": self.asked.granularity,
            "calendar": self.asked.calendar,
            "dimensions": self.asked.dimensions,
            "data_through": None,
            "complete": bool(answer.values) and answer.is_complete,
            "approximate": answer.approximate,
            "cache": None if tier is None else tier.value,
        }
        return envelope(data, meta)

    def _value(self, value: Value) -> dict[str, object]:
        return {
            "start": value.first,
            "end": value.end,
            "label": self.labels.get(value.first),
            "dimensions": Raw(value.dimensions),
            "value": value.value,
            "state": value.state,
            "numerator": value.numerator,
            "denominator": value.denominator,
            "is_complete": value.is_complete,
            "version": value.version,
        }

    def _rows(self, values: Sequence[Value]) -> pa.Table:
        rows = [{**self._value(value), "metric": self.metric.name, "dimensions": value.dimensions} for value in values]
        return pa.Table.from_pylist(rows, pa.schema(_COLUMNS))


def _ranges(registry: Registry, actor: Actor, asked: AskedValues) -> list[tuple[Period, str]]:
    if asked.calendar is None:
        raise QuestionError.at("/calendar", "calendar_needed", "Granularity custom takes the periods of a calendar.")
    known = {each.name: each for each in registry.list_calendars(actor)}
    found = known.get(asked.calendar)
    if found is None:
        raise QuestionError.at("/calendar", "calendar_unknown", "The workspace has no such calendar.")
    ordered = sorted(found.ranges, key=lambda each: each.start)
    span = asked.span or Span(date.min, date.max - timedelta(days=1))
    return [
        (Period(each.start, each.end), each.label)
        for each in ordered
        if each.start < span.end and each.end > span.first
    ]
