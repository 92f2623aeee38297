"""Real-time buckets as rows of their copy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from metrics_pipeline.control.realtime_rows import BucketRow
from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.copies import kept_until, packed
from metrics_pipeline.realtime.kinds import Kind


def rows_of(held: Iterable[StoredBucket], corrected_at: datetime | None = None) -> list[BucketRow]:
    """Buckets as rows of the copy, those of all series together."""
    together: dict[tuple[str, str, int, int, Kind], list[StoredBucket]] = {}
    for each in held:
        key = (each.series.workspace_id, each.series.metric, each.width_seconds, each.number, each.kind)
        together.setdefault(key, []).append(each)
    return [
        BucketRow(
            workspace_id,
            metric,
            seconds,
            number,
            str(kind),
            packed((each.series.labels, each.content) for each in some),
            kept_until(seconds, number),
            corrected_at,
        )
        for (workspace_id, metric, seconds, number, kind), some in together.items()
    ]
