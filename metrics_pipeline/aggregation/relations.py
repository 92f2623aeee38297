"""The small relations that the SQL joins beside the lake: the catalogue, and the calendar of a set of periods."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
from pyarrow.json import ParseOptions, read_json

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.windows import next_month, week_start_of


@dataclass(frozen=True, slots=True)
class Period:
    """A week or a month: start <= day < end, and the start of the calendar-preceding one."""

    start: date
    end: date
    previous_start: date


def weeks(first: date, end: date, first_weekday: int) -> list[Period]:
    """The weeks that overlap [first, end), in order."""
    periods = []
    start = week_start_of(first, first_weekday)
    while start < end:
        periods.append(Period(start, start + timedelta(days=7), start - timedelta(days=7)))
        start += timedelta(days=7)
    return periods


def months(first: date, end: date) -> list[Period]:
    """The calendar months that overlap [first, end), in order."""
    periods = []
    start = first.replace(day=1)
    while start < end:
        periods.append(Period(start, next_month(start), (start - timedelta(days=1)).replace(day=1)))
        start = next_month(start)
    return periods


_METRICS: dict[str, pa.DataType] = {
    "metric": pa.string(),
    "additivity": pa.string(),
    "across_entities": pa.string(),
    "comparable": pa.bool_(),
    "numerator": pa.string(),
    "denominator": pa.string(),
    "derived": pa.bool_(),
    "levels": pa.list_(pa.string()),
}
_SOURCES: dict[str, pa.DataType] = {
    "platform": pa.string(),
    "level": pa.string(),
    "metric": pa.string(),
    "kind": pa.string(),
    "restatement_days": pa.int64(),
    "cadence_hours": pa.int64(),
    "rule": pa.string(),
    "optional": pa.bool_(),
}


def catalog_relations(catalog: Catalog) -> dict[str, pa.Table]:
    """`metric_catalog` and `source_catalog`: what SQL reads of the catalogue."""
    metrics: list[dict[str, object]] = [
        {
            "metric": m.name,
            "additivity": m.additivity,
            "across_entities": m.across_entities,
            "comparable": m.comparable_across_platforms,
            "numerator": m.numerator,
            "denominator": m.denominator,
            "derived": m.derived,
            "levels": list(m.levels),
        }
        for m in catalog.metrics.values()
    ]
    sources: list[dict[str, object]] = [
        {
            "platform": spec.platform,
            "level": s.level,
            "metric": s.metric,
            "kind": s.kind,
            "restatement_days": s.restatement_days,
            "cadence_hours": s.cadence_hours,
            "rule": s.rule,
            "optional": s.optional,
        }
        for spec in catalog.platforms.values()
        for s in spec.sources
    ]
    return {
        "metric_catalog": _from_json(metrics, pa.schema(_METRICS)),
        "source_catalog": _from_json(sources, pa.schema(_SOURCES)),
    }


def _from_json(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """An Arrow table by way of JSON: building arrays from Python lists would import pandas, 0.8 s of every command."""
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    return (
        read_json(io.BytesIO(lines), parse_options=ParseOptions(explicit_schema=schema))
        if rows
        else schema.empty_table()
    )


def period_relations(periods: Sequence[Period], today: date, first_weekday: int) -> dict[str, pa.Table]:
    """`periods` and `calendar` for these periods and the one before the first, which is there for growth only.

    days_elapsed counts the days of a period that are over today.
    """
    before = _preceding(periods[0])
    rows = [
        {
            "period_start": p.start,
            "period_end": p.end,
            "previous_start": p.previous_start,
            "days_expected": (p.end - p.start).days,
            "days_elapsed": max(0, min((p.end - p.start).days, (today - p.start).days)),
            "is_output": p is not before,
        }
        for p in [before, *periods]
    ]
    calendar = [
        {
            "date": day,
            "period_start": p.start,
            "day_offset": offset,
            "week_start": week_start_of(day, first_weekday),
        }
        for p in [before, *periods]
        for offset, day in enumerate(p.start + timedelta(days=n) for n in range((p.end - p.start).days))
    ]
    return {"periods": pa.Table.from_pylist(rows), "calendar": pa.Table.from_pylist(calendar)}


def _preceding(period: Period) -> Period:
    start = period.previous_start
    is_month = (period.end - period.start).days != 7
    earlier = (start - timedelta(days=1)).replace(day=1) if is_month else start - timedelta(days=7)
    return Period(start, period.start, earlier)
