"""Readings as answers have them, and the figures of a workspace in one bundle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from metrics_pipeline.api.realtime.counts import Counts
from metrics_pipeline.realtime.backend import Figures, Query, Reading
from metrics_pipeline.realtime.fed import FED, Fed
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.shapes.realtime import (
    LiveAnswer,
    LiveBundle,
    LiveBundleAnswer,
    LiveBundleMeta,
    LiveFigures,
    LiveGroup,
    LiveLine,
    LiveMeta,
    LiveMetric,
    LiveWindow,
)

BUNDLE_WINDOWS = (60, 300, 3600)
# What a window without any update holds: nothing was counted, so the number is known.
_COUNTED = {Kind.COUNTER, Kind.UP_DOWN, Kind.DISTINCT}


def answer_of(reading: Reading, kind: Kind, unit: str) -> LiveAnswer:
    """The answer to a read; kind and unit as declared, also where nothing was counted yet."""
    query = reading.query
    metric = LiveMetric(
        metric=query.metric,
        type=kind.value,
        unit=unit,
        window_seconds=query.window_seconds,
        labels=dict(query.labels),
        series=reading.series,
        groups=[
            LiveGroup(labels=dict(group.labels), **figures_of(group.figures, kind).model_dump())
            for group in reading.groups
        ]
        if query.group_by
        else None,
        **figures_of(reading.figures, kind).model_dump(),
    )
    return LiveAnswer(
        data=metric,
        meta=LiveMeta(
            as_of=reading.as_of,
            counted_from=reading.counted_from,
            resolution_seconds=reading.resolution_seconds,
            degraded=reading.degraded,
            scope=reading.scope,
            overflow=reading.overflow,
        ),
    )


def figures_of(figures: Figures, kind: Kind) -> LiveFigures:
    """Figures of a kind, those of a window in which nothing was counted as 0 where that is known."""
    value = 0 if figures.value is None and kind in _COUNTED else figures.value
    is_histogram = kind is Kind.HISTOGRAM
    return LiveFigures(
        value=value,
        count=figures.count or 0 if is_histogram else figures.count,
        sum=figures.sum or 0 if is_histogram else figures.sum,
        per_second=figures.per_second,
        covered_seconds=figures.covered_seconds,
        percentiles={f"{share:g}": found for share, found in sorted(figures.percentiles.items())}
        if is_histogram
        else None,
        approximate=figures.approximate,
        error_bound=figures.error_bound,
        observed_at=figures.observed_at,
        age_seconds=figures.age_seconds,
        stale=figures.stale,
    )


async def bundle(counts: Counts, workspace_id: str) -> LiveBundleAnswer:
    """Every fed metric of a workspace over every window."""
    asked = [(fed, window) for fed in FED for window in BUNDLE_WINDOWS]
    readings = await readings_of(counts, workspace_id, asked)
    lines = []
    for number, fed in enumerate(FED):
        mine = readings[number * len(BUNDLE_WINDOWS) : (number + 1) * len(BUNDLE_WINDOWS)]
        windows = [
            LiveWindow(
                window_seconds=reading.query.window_seconds,
                counted_from=reading.counted_from,
                resolution_seconds=reading.resolution_seconds,
                degraded=reading.degraded,
                **figures_of(reading.figures, fed.kind).model_dump(),
            )
            for reading in mine
        ]
        lines.append(LiveLine(metric=fed.name, type=fed.kind.value, unit=fed.unit, windows=windows))
    return LiveBundleAnswer(
        data=LiveBundle(as_of=readings[0].as_of, metrics=lines),
        meta=LiveBundleMeta(
            degraded=any(reading.degraded for reading in readings), scope=readings[0].scope, cache="live"
        ),
    )


async def readings_of(counts: Counts, workspace_id: str, asked: Sequence[tuple[Fed, int]]) -> list[Reading]:
    """Readings of fed metrics, side by side."""
    queries = [Query(workspace_id, fed.name, window) for fed, window in asked]
    return list(await asyncio.gather(*(counts.read(query) for query in queries)))
