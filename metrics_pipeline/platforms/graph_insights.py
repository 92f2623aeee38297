"""Reading Graph API insights: three places a number may stand in, and metrics that must not sink each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.graph_errors import NOT_ENOUGH_VIEWERS
from metrics_pipeline.platforms.parsing import Fields, as_number


@dataclass(slots=True)
class Insight:
    """One metric of an insights answer.

    value is the total or the only point, None where neither is given; points are (end_time, value) of a daily
    series; buckets are the parts of a breakdown by their name in upper case.
    """

    name: str
    value: float | None = None
    points: list[tuple[datetime, float]] = field(default_factory=list)
    buckets: dict[str, float] = field(default_factory=dict)


def insights_in(answer: Answer, path: str, unknown: set[str]) -> dict[str, Insight]:
    """The metrics of an insights answer by name. Absent metrics stay absent.

    `paging` is left alone on purpose: on insights it walks through time without end.
    """
    found: dict[str, Insight] = {}
    with Fields(answer.body, path, unknown) as body:
        body.ignore("paging")
        for entry in body.children("data"):
            with entry:
                entry.ignore("period", "title", "description", "id")
                name = entry.text("name")
                if name is None:
                    entry.report("a metric without a name")
                    entry.ignore(*entry.names())
                    continue
                found[name] = _insight(name, entry)
    return found


def _insight(name: str, entry: Fields) -> Insight:
    insight = Insight(name)
    for point in entry.children("values"):
        with point:
            value, end = as_number(point.raw("value")), point.instant("end_time")
            if value is None:
                point.report(f"{name} has a value that is not a number")
            elif end is not None:
                insight.points.append((end, value))
            else:
                insight.value = value
    total = entry.child("total_value")
    if total is not None:
        with total:
            insight.buckets = _buckets(total)
            value = total.number("value")
            if value is not None:
                insight.value = value
            elif insight.buckets:
                insight.value = sum(insight.buckets.values())
    return insight


def _buckets(total: Fields) -> dict[str, float]:
    buckets: dict[str, float] = {}
    for breakdown in total.children("breakdowns"):
        with breakdown:
            breakdown.ignore("dimension_keys")
            for part in breakdown.children("results"):
                with part:
                    part.ignore("end_time")
                    name = "/".join(str(value) for value in part.items("dimension_values")).upper()
                    value = part.number("value")
                    if value is not None:
                        buckets[name] = buckets.get(name, 0.0) + value
    return buckets


Ask = Callable[[Sequence[str]], Awaitable[dict[str, Insight]]]


@dataclass(slots=True)
class Fetched:
    """What a request for several metrics came to: the answers, and the metrics the platform refused."""

    insights: dict[str, Insight] = field(default_factory=dict)
    refused: dict[str, PlatformError] = field(default_factory=dict)


async def ask_without_refused(ask: Ask, metrics: Sequence[str]) -> Fetched:
    """Ask for all metrics; where one is refused, ask again without it, or one by one if it is not named.

    One refused metric fails a whole request, so without this a single retired name would lose all the others.

    Raises:
        PlatformError: any failure that is not a refused metric.
    """
    left = list(dict.fromkeys(metrics))
    fetched = Fetched()
    while left:
        try:
            fetched.insights |= await ask(left)
            return fetched
        except PlatformError as error:
            if error.act is not Act.SKIP_METRIC:
                raise
            if error.metric in left:
                fetched.refused[error.metric] = error
                left.remove(error.metric)
            elif len(left) == 1 or error.code == NOT_ENOUGH_VIEWERS:
                fetched.refused |= dict.fromkeys(left, error)
                return fetched
            else:
                break
    for metric in left:
        alone = await ask_without_refused(ask, [metric])
        fetched.insights |= alone.insights
        fetched.refused |= alone.refused
    return fetched
