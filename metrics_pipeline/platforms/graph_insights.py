"""Reading Graph API insights: three places a number may stand in, and metrics that must not sink each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.graph_errors import NOT_ENOUGH_VIEWERS, REDUCE_DATA
from metrics_pipeline.platforms.parsing import Fields, as_number


@dataclass(slots=True)
class Insight:
    """One metric of an insights answer.

    value is the total or the only point, None where neither is given; points are (end_time, value) of a daily
    series. buckets are the parts of the value, point_buckets those of a point: a breakdown's or a map's by their
    name in upper case, links by their address. A value that comes as parts only is their sum.
    """

    name: str
    value: float | None = None
    points: list[tuple[datetime, float]] = field(default_factory=list)
    buckets: dict[str, float] = field(default_factory=dict)
    point_buckets: dict[datetime, dict[str, float]] = field(default_factory=dict)

    def metadata(self, end: datetime | None = None) -> dict[str, object]:
        """The parts as a reading keeps them: of the point that ends at `end`, else of the value."""
        parts = self.buckets if end is None else self.point_buckets.get(end, {})
        return {name.lower() if name.isupper() else name: value for name, value in parts.items()}


def insights_in(answer: Answer, path: str, unknown: set[str], period: str | None = None) -> dict[str, Insight]:
    """The metrics of an insights answer by name. Absent metrics stay absent.

    With `period`, what an answer says about other periods is left out: a metric may come once per period.
    `paging` is left alone on purpose: on insights it walks through time without end.
    """
    found: dict[str, Insight] = {}
    with Fields(answer.body, path, unknown) as body:
        body.ignore("paging")
        for entry in body.children("data"):
            with entry:
                entry.ignore("title", "description", "id")
                name, covers = entry.text("name"), entry.text("period")
                if name is None:
                    entry.report("a metric without a name")
                    entry.ignore(*entry.names())
                    continue
                insight = _insight(name, entry)
                if period in (None, covers) or covers is None:
                    found[name] = insight
    return found


def _insight(name: str, entry: Fields) -> Insight:
    insight = Insight(name)
    for point in entry.children("values"):
        with point:
            raw, end = point.raw("value"), point.instant("end_time")
            parts = _parts(raw)
            value = as_number(raw) if parts is None else sum(parts.values())
            if value is None:
                point.report(f"{name} has a value that is not a number")
            elif end is not None:
                insight.points.append((end, value))
                insight.point_buckets[end] = parts or {}
            else:
                insight.value, insight.buckets = value, parts or {}
    for link in entry.children("link_total_values"):
        with link:
            address, clicks = link.text("link_url"), link.number("value")
            if address is not None and clicks is not None:
                insight.buckets[address] = insight.buckets.get(address, 0.0) + clicks
                insight.value = sum(insight.buckets.values())
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


def _parts(value: object) -> dict[str, float] | None:
    """A value that is a map of disjoint parts, parts that are zero left out by the platform; None for any other."""
    if not isinstance(value, dict):
        return None
    parts = {str(name).upper(): as_number(part) for name, part in value.items()}
    known = {name: part for name, part in parts.items() if part is not None}
    return known if len(known) == len(parts) else None


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

    One refused metric fails a whole request, so without this a single retired name would lose all the others. A
    request the platform finds too heavy is asked in halves.

    Raises:
        PlatformError: any failure that is not a refused metric.
    """
    left = list(dict.fromkeys(metrics))
    fetched = Fetched()
    parts: list[list[str]] = []
    while left and not parts:
        try:
            fetched.insights |= await ask(left)
            return fetched
        except PlatformError as error:
            if error.code == REDUCE_DATA and len(left) > 1:
                parts = [left[: len(left) // 2], left[len(left) // 2 :]]
                continue
            if error.act is not Act.SKIP_METRIC:
                raise
            if error.metric in left:
                fetched.refused[error.metric] = error
                left.remove(error.metric)
            elif len(left) == 1 or error.code == NOT_ENOUGH_VIEWERS:
                fetched.refused |= dict.fromkeys(left, error)
                return fetched
            else:
                parts = [[metric] for metric in left]
    for part in parts:
        rest = await ask_without_refused(ask, part)
        fetched.insights |= rest.insights
        fetched.refused |= rest.refused
    return fetched
