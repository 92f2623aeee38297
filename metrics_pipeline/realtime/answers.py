"""From buckets to an answer: the same for every back end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metrics_pipeline.realtime import log_buckets
from metrics_pipeline.realtime.backend import Figures, Group, Query, Reading, Scope
from metrics_pipeline.realtime.distinct import ERROR_BOUND, Distinct
from metrics_pipeline.realtime.fixed_point import number, total_millionths
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Bucket, Fields, Kind, empty, merge
from metrics_pipeline.realtime.series import OVERFLOW, OVERFLOW_LABELS, Labels
from metrics_pipeline.realtime.widths import SECOND, Plan, instant_of


@dataclass(frozen=True, slots=True)
class Metric:
    """What is known of a metric as a whole; times in microseconds."""

    kind: Kind
    unit: str
    since: int


@dataclass(slots=True)
class Loaded:
    """What one series holds of a window."""

    labels: Labels
    first_at: int
    # the buckets that lie in the window, put together
    inside: Bucket
    # the bucket that the window's old end cuts
    cut: Fields
    gauge: Gauge | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Where an answer comes from."""

    scope: Scope
    degraded: bool = False
    gauge_ttl_seconds: float = 300.0


def is_asked(query: Query, labels: Labels) -> bool:
    """Whether a series belongs to the answer; the overflow only where no labels are asked for."""
    return not query.labels or set(query.labels) <= set(labels)


def answer(
    query: Query, plan: Plan, metric: Metric | None, loaded: Sequence[Loaded], overflow: bool, told: Told
) -> Reading:
    """The reading for series that were asked for, in the order of their labels. None: the metric is not known."""
    kind = metric.kind if metric else None
    groups: dict[tuple[tuple[str, str | None], ...], list[Loaded]] = {}
    for each in loaded:
        if query.group_by:
            groups.setdefault(_group(query, each.labels), []).append(each)
    return Reading(
        query=query,
        kind=kind,
        unit=metric.unit if metric else "",
        as_of=instant_of(plan.now),
        counted_from=instant_of(plan.counted_from),
        resolution_seconds=plan.width.seconds,
        figures=_figures(kind, query, plan, loaded, told) if kind else Figures(),
        groups=tuple(Group(labels, _figures(kind, query, plan, of, told)) for labels, of in groups.items() if kind),
        series=len(loaded),
        overflow=overflow,
        known_since=instant_of(metric.since) if metric else None,
        scope=told.scope,
        degraded=told.degraded,
    )


def _group(query: Query, labels: Labels) -> tuple[tuple[str, str | None], ...]:
    if labels == OVERFLOW_LABELS:
        return ((OVERFLOW, "true"),)
    known = dict(labels)
    return tuple((name, known.get(name)) for name in query.group_by)


def _figures(kind: Kind, query: Query, plan: Plan, loaded: Sequence[Loaded], told: Told) -> Figures:
    if kind is Kind.GAUGE:
        return _gauge(query, plan, [each.gauge for each in loaded if each.gauge], told)
    inside = empty(kind)
    for each in loaded:
        merge(inside, each.inside)
    if isinstance(inside, Distinct):
        rough = inside.is_approximate
        return Figures(inside.count(), approximate=rough, error_bound=ERROR_BOUND if rough else None)
    if kind is Kind.HISTOGRAM:
        return _histogram(query, inside)
    if kind is Kind.UP_DOWN:
        return Figures(number(total_millionths(inside, "p") - total_millionths(inside, "m")))
    total = number(total_millionths(inside, "n"))
    per_second, covered = _rate(plan, loaded, total)
    return Figures(
        per_second if kind is Kind.RATE else total, sum=total, per_second=per_second, covered_seconds=covered
    )


def _rate(plan: Plan, loaded: Sequence[Loaded], inside: float) -> tuple[float | None, float | None]:
    """Per second, and the seconds it was divided by: never those before the oldest series began."""
    if not loaded:
        return None, None
    cut: Fields = {}
    for each in loaded:
        merge(cut, each.cut)
    width = plan.width.seconds * SECOND
    began = min(each.first_at for each in loaded) // width * width
    covered = min(plan.window_seconds * SECOND, max(width, plan.now - began)) / SECOND
    weighted = inside + plan.cut_share * number(total_millionths(cut, "n"))
    return weighted / covered, covered


def _histogram(query: Query, inside: Fields) -> Figures:
    values = log_buckets.count(inside)
    total = number(total_millionths(inside, "s"))
    return Figures(
        total / values if values else None,
        count=values,
        sum=total,
        percentiles=log_buckets.percentiles(inside, query.percentiles),
        approximate=bool(values),
        error_bound=log_buckets.ERROR if values else None,
    )


def _gauge(query: Query, plan: Plan, gauges: Sequence[Gauge], told: Told) -> Figures:
    """Older than the time to live is stale, and told as that; the age is that of the newest observation."""
    if not gauges:
        return Figures()
    newest = max(gauges)
    values = [gauge.value for gauge in gauges]
    chosen = {"newest": newest.value, "sum": sum(values), "min": min(values), "max": max(values)}[query.gauges_as]
    age = max(0, plan.now - newest.observed_at) / SECOND
    return Figures(
        chosen,
        count=len(gauges),
        observed_at=instant_of(newest.observed_at),
        age_seconds=age,
        stale=age > told.gauge_ttl_seconds,
    )
