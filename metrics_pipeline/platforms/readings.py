"""From a platform's number to a Reading in the catalogue's unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import Post, Reading


def scaled(source: SourceMetric, raw: float) -> float:
    """The platform's number in the metric's unit; rounded past the 9th digit to drop binary dust."""
    return round(raw * source.scale, 9)


def reading(
    source: SourceMetric,
    day: date,
    raw: float,
    *,
    post: Post | None = None,
    window: str | None = None,
    numerator: float | None = None,
    denominator: float | None = None,
    metadata: Mapping[str, object] | None = None,
    day_timezone: str | None = None,
) -> Reading:
    """One reading of `source`; numerator and denominator are given in catalogue units already.

    Counters and gauges get the window PT0S, series P1D unless said otherwise. The day's zone is the source's, where
    it is not the account's own.
    """
    return Reading(
        level=source.level,
        post_id=post.post_id if post else None,
        metric=source.metric,
        source_metric=source.source,
        kind=source.kind,
        date=day,
        value=scaled(source, raw),
        window=window or ("P1D" if source.kind == "series" else "PT0S"),
        numerator=numerator,
        denominator=denominator,
        api=source.api,
        post_type=post.post_type if post else None,
        day_timezone=day_timezone or source.day_timezone,
        definition_version=source.definition_version(day),
        metadata=metadata or {},
    )


def asked_name(source: SourceMetric) -> str:
    """The name a source has in a request: what stands before the dot of `metric.part`."""
    return source.source.split(".")[0]


def asked_names(source: SourceMetric) -> list[str]:
    """The names a request has to hold for a source: `a+b` is a sum that needs both."""
    return asked_name(source).split("+")


def applies_to(source: SourceMetric, post: Post) -> bool:
    """Whether a post-level source exists for this kind of post."""
    return not source.post_types or post.post_type in source.post_types
