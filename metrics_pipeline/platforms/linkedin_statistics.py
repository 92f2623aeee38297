"""LinkedIn's daily series of a page: posts together, followers won, views of the page itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.linkedin_api import LinkedInApi, encoded, intervals
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.windows import DAY, Window, midnight, month_start_of

SHARE_STATISTICS = "/organizationalEntityShareStatistics"
FOLLOWER_STATISTICS = "/organizationalEntityFollowerStatistics"
PAGE_STATISTICS = "/organizationPageStatistics"
SHARE_FIELDS = (
    "impressionCount", "uniqueImpressionsCount", "clickCount", "likeCount", "commentCount", "shareCount", "engagement",
)  # fmt: skip
NOT_KEPT = "older than the platform keeps"
INTERACTIONS = "clickCount+likeCount+commentCount+shareCount"


def entity_params(organization: str) -> dict[str, str]:
    return {"q": "organizationalEntity", "organizationalEntity": encoded(organization)}


def share_counts(element: Fields) -> dict[str, float]:
    """The numbers of one element of the share statistics, as far as they are there."""
    totals = element.child("totalShareStatistics")
    if totals is None:
        return {}
    with totals:
        totals.ignore("shareMentionsCount", "commentMentionsCount")  # never given by day or by post
        return _numbers(totals, SHARE_FIELDS)


def _follower_counts(element: Fields) -> dict[str, float]:
    gains = element.child("followerGains")
    if gains is None:
        return {}
    with gains:
        return _numbers(gains, ("organicFollowerGain", "paidFollowerGain"))


def _page_counts(element: Fields) -> dict[str, float]:
    """Only the total over all sections and devices: adding sections to it would count twice."""
    counts: dict[str, float] = {}
    totals = element.child("totalPageStatistics")
    views = totals.child("views") if totals is not None else None
    every = views.child("allPageViews") if views is not None else None
    if every is not None:
        with every:
            numbers = _numbers(every, ("pageViews", "uniquePageViews"))
            counts = {f"allPageViews.{name}": value for name, value in numbers.items()}
    return counts


def _numbers(fields: Fields, names: Sequence[str]) -> dict[str, float]:
    return {name: value for name in names if (value := fields.number(name)) is not None}


def value_of(source: SourceMetric, counts: Mapping[str, float]) -> float | None:
    """A source's value; `a+b` is a sum that needs all its parts."""
    parts = [counts.get(name) for name in source.source.split("+")]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def ratio_parts(source: SourceMetric, counts: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Numerator and denominator of the engagement rate: what it is computed from again for weeks and months."""
    if source.source != "engagement" or "impressionCount" not in counts:
        return None, None
    parts = [counts.get(name) for name in INTERACTIONS.split("+")]
    known = [part for part in parts if part is not None]
    return (sum(known), counts["impressionCount"]) if len(known) == len(parts) else (None, None)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole UTC days, both included."""

    first: date
    last: date


Buckets = dict[Span, dict[str, float]]

# Per group of sources: the endpoint, the finder and parameter that name the page, the reader of an element.
_GROUPS: Mapping[str, tuple[str, str, Callable[[Fields], dict[str, float]]]] = {
    "share_statistics": (SHARE_STATISTICS, "organizationalEntity", share_counts),
    "follower_statistics": (FOLLOWER_STATISTICS, "organizationalEntity", _follower_counts),
    "page_statistics": (PAGE_STATISTICS, "organization", _page_counts),
}


class PageSeries:
    """Reads the daily series of one page, one request per group and year."""

    def __init__(
        self, api: LinkedInApi, organization: str, spec: PlatformSpec, now: datetime, result: AccountResult
    ) -> None:
        self._api = api
        self._organization = organization
        self._spec = spec
        self._now = now
        self._result = result
        self._patience = Patience()

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        for api in _GROUPS:
            sources = self._spec.select("account", "series", api)
            asked = [day for day in days if self._is_asked(sources, day, tally)]
            if not asked:
                continue
            for part in Window.of_days(asked[0], asked[-1] + DAY).split(self._spec.max_window_days or 365):
                await self._slice(api, sources, part.days(), tally)
            for last in (day for day in asked if (day + DAY).day == 1):
                await self._month(api, [s for s in sources if "P1M" in s.windows], last, tally)

    def _is_asked(self, sources: list[SourceMetric], day: date, tally: Tally) -> bool:
        """The running day is sometimes refused and fails the whole request with it, so it is never asked."""
        today = self._now.date()
        reason = "not given for the running day" if day >= today else NOT_KEPT
        wanted = self._oldest(sources) < day < today
        for source in sources:
            tally.plan("account", source.metric, day)
            if not wanted:
                tally.miss("account", source.metric, day, State.UNKNOWN, reason)
        return wanted

    def _oldest(self, sources: list[SourceMetric]) -> date:
        """The newest day that is no longer kept; the beginning of time where everything is."""
        kept = [s.retention_days for s in sources if s.retention_days is not None]
        return self._now.date() - timedelta(days=min(kept)) if kept else date.min

    async def _slice(self, api: str, sources: list[SourceMetric], days: list[date], tally: Tally) -> None:
        buckets = await self._buckets(api, days[0], days[-1], "DAY")
        for day in days:
            for source in sources:
                self._keep(source, day, buckets, Span(day, day), "P1D", tally)

    async def _month(self, api: str, sources: list[SourceMetric], last: date, tally: Tally) -> None:
        """The distinct people of a closed month, which its days do not tell."""
        first = month_start_of(last)
        if not sources:
            return
        if first <= self._oldest(sources):
            for source in sources:
                tally.miss("account", source.metric, last, State.UNKNOWN, NOT_KEPT, window="P1M")
            return
        buckets = await self._buckets(api, first, last, "MONTH")
        for source in sources:
            self._keep(source, last, buckets, Span(first, last), "P1M", tally)

    async def _buckets(
        self, api: str, first: date, last: date, granularity: Literal["DAY", "MONTH"]
    ) -> Buckets | PlatformError:
        """The numbers by bucket, or the error that costs only them."""
        path, name, read_counts = _GROUPS[api]
        params = {
            "q": name,
            name: encoded(self._organization),
            "timeIntervals": intervals(first, last, granularity),
        }
        try:
            elements = await self._api.statistics(path, params)
        except PlatformError as error:
            self._patience.weigh(error)
            return error
        self._patience.succeeded()
        buckets: Buckets = {}
        for element in elements:
            with element:
                element.ignore("organizationalEntity", "organization")
                counts, span = read_counts(element), _span_of(element)
                if span is not None and first <= span.first and span.last <= last:
                    buckets[span] = counts
                else:
                    element.report("a bucket that is not one of the asked days")
        return buckets

    def _keep(
        self,
        source: SourceMetric,
        day: date,
        buckets: Buckets | PlatformError,
        span: Span,
        window: str,
        tally: Tally,
    ) -> None:
        if isinstance(buckets, PlatformError):
            tally.refuse("account", source.metric, day, buckets, window)
            return
        counts = buckets.get(span)
        raw = None if counts is None else value_of(source, counts)
        if raw is None or counts is None:
            reason = self._missing(source, day, counts is None)
            tally.miss("account", source.metric, day, State.UNKNOWN, reason, window=window)
            return
        numerator, denominator = ratio_parts(source, counts)
        kept = reading(source, day, raw, window=window, numerator=numerator, denominator=denominator)
        self._result.readings.append(kept)
        tally.hit("account", source.metric, day, kept.value, window)

    def _missing(self, source: SourceMetric, day: date, whole_day: bool) -> str:
        if whole_day and self._now < midnight(day + DAY) + timedelta(hours=source.available_after_hours):
            return f"not ready yet: LinkedIn needs up to {source.available_after_hours} hours after the day"
        return "the platform has nothing for this time" if whole_day else "the platform gave no value"


def _span_of(element: Fields) -> Span | None:
    """The UTC days of a bucket; None where it does not hold whole ones."""
    span = element.child("timeRange")
    if span is None:
        return None
    with span:
        start, end = span.number("start"), span.number("end")
    if start is None or end is None:
        return None
    first, after = datetime.fromtimestamp(start / 1000, UTC), datetime.fromtimestamp(end / 1000, UTC)
    is_whole = first == midnight(first.date()) and after == midnight(after.date()) and first < after
    return Span(first.date(), after.date() - DAY) if is_whole else None
