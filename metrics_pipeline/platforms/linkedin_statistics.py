"""LinkedIn's daily series of a page: posts together, followers won, views of the page itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.linkedin_api import LinkedInApi, day_intervals, encoded
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.windows import DAY, Window, midnight

SHARE_STATISTICS = "/organizationalEntityShareStatistics"
FOLLOWER_STATISTICS = "/organizationalEntityFollowerStatistics"
PAGE_STATISTICS = "/organizationPageStatistics"
SHARE_FIELDS = (
    "impressionCount", "uniqueImpressionsCount", "clickCount", "likeCount", "commentCount", "shareCount", "engagement",
)  # fmt: skip
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

    def _is_asked(self, sources: list[SourceMetric], day: date, tally: Tally) -> bool:
        """The running day is sometimes refused and fails the whole request with it, so it is never asked."""
        today = self._now.date()
        oldest = today - timedelta(days=min(s.retention_days or 10_000 for s in sources))
        reason = "not given for the running day" if day >= today else "older than the platform keeps"
        wanted = oldest < day < today
        for source in sources:
            tally.plan("account", source.metric, day)
            if not wanted:
                tally.miss("account", source.metric, day, State.UNKNOWN, reason)
        return wanted

    async def _slice(self, api: str, sources: list[SourceMetric], days: list[date], tally: Tally) -> None:
        path, name, read_counts = _GROUPS[api]
        params = {
            "q": name,
            name: encoded(self._organization),
            "timeIntervals": day_intervals(days[0], days[-1]),
        }
        try:
            elements = await self._api.statistics(path, params)
        except PlatformError as error:
            self._patience.weigh(error)
            for source in sources:
                for day in days:
                    tally.refuse("account", source.metric, day, error)
            return
        self._patience.succeeded()
        by_day: dict[date, dict[str, float]] = {}
        for element in elements:
            with element:
                element.ignore("organizationalEntity", "organization")
                counts, measured = read_counts(element), _day_of(element)
                if measured in days:
                    by_day[measured] = counts
                else:
                    element.report("a bucket that is not one of the asked days")
        for day in days:
            for source in sources:
                self._keep(source, day, by_day.get(day), tally)

    def _keep(self, source: SourceMetric, day: date, counts: dict[str, float] | None, tally: Tally) -> None:
        raw = None if counts is None else value_of(source, counts)
        if raw is None or counts is None:
            tally.miss("account", source.metric, day, State.UNKNOWN, self._missing(source, day, counts is None))
            return
        numerator, denominator = ratio_parts(source, counts)
        kept = reading(source, day, raw, numerator=numerator, denominator=denominator)
        self._result.readings.append(kept)
        tally.hit("account", source.metric, day, kept.value)

    def _missing(self, source: SourceMetric, day: date, whole_day: bool) -> str:
        if whole_day and self._now < midnight(day + DAY) + timedelta(hours=source.available_after_hours):
            return f"not ready yet: LinkedIn needs up to {source.available_after_hours} hours after the day"
        return "the platform has nothing for this day" if whole_day else "the platform gave no value"


def _day_of(element: Fields) -> date | None:
    """The UTC day of a bucket; None where it is not exactly one such day."""
    span = element.child("timeRange")
    if span is None:
        return None
    with span:
        start, end = span.number("start"), span.number("end")
    if start is None or end is None:
        return None
    first = datetime.fromtimestamp(start / 1000, UTC)
    is_day = first == midnight(first.date()) and end - start == DAY.total_seconds() * 1000
    return first.date() if is_day else None
