"""Real-time buckets counted from stored events, by the declaration that counts events as they come in."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa

from metrics_pipeline.events.fields import EVENT_TYPES
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.realtime import kinds, log_buckets
from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.fed import EVENT_TYPE, FED_BY_NAME, relation
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.series import Labels, Series
from metrics_pipeline.realtime.widths import SECOND, instant_of
from metrics_pipeline.settings import Settings

Key = tuple[Series, int]
_COLUMNS: dict[str, pa.DataType] = {
    "metric": pa.string(),
    "kind": pa.string(),
    "measure": pa.string(),
    "by_type": pa.bool_(),
    "with_bots": pa.bool_(),
    "event_type": pa.string(),
    "field": pa.string(),
}


def recount(engine: Engine, settings: Settings, width_seconds: int, first: int, end: int) -> dict[Key, StoredBucket]:
    """What the buckets first <= number < end of every fed series should hold; those that hold nothing are left out."""
    start, until = (instant_of(number * width_seconds * SECOND) for number in (first, end))
    parameters: dict[str, Parameter] = {"start": start, "end": until, "width": width_seconds}
    found: dict[Key, StoredBucket] = {}
    fed = pa.Table.from_pylist(relation(EVENT_TYPES), schema=pa.schema(_COLUMNS))
    with engine.session({"fed": fed}, {"events": _days(start, until, settings.event_lateness_days)}) as session:
        for batch in session.run_file("reconciliation/realtime_sums.sql", parameters):
            for row in batch.to_pylist():
                bucket = _bucket(found, row, width_seconds)
                if isinstance(bucket.content, dict):
                    bucket.content[row["field"]] = row["amount"]
        for batch in session.run_file("reconciliation/realtime_values.sql", parameters):
            for row in batch.to_pylist():
                bucket = _bucket(found, row, width_seconds)
                kinds.take(bucket.kind, bucket.content, bucket.series.workspace_id, row["value"])
    for bucket in found.values():
        if bucket.kind is Kind.HISTOGRAM and isinstance(bucket.content, dict):
            log_buckets.collapse(bucket.content)
    return found


def _bucket(found: dict[Key, StoredBucket], row: dict[str, object], width_seconds: int) -> StoredBucket:
    labels: Labels = () if row["label"] is None else ((EVENT_TYPE, str(row["label"])),)
    series, number = Series(str(row["workspace_id"]), str(row["metric"]), labels), int(str(row["bucket"]))
    held = found.get((series, number))
    if held is None:
        kind = FED_BY_NAME[series.metric].kind
        held = found[series, number] = StoredBucket(series, kind, width_seconds, number, kinds.empty(kind))
    return held


def _days(start: datetime, end: datetime, lateness_days: int) -> tuple[date, date]:
    """The days an event that was received in [start, end) can stand in: it may be late, or ahead of the clock."""
    return start.date() - timedelta(days=lateness_days + 1), end.date() + timedelta(days=2)
