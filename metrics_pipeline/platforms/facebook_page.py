"""A Page's daily series: points by Pacific day, many days in one request, and reach of whole weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.graph_account import PACIFIC, AccountInsights, pacific_bounds, pacific_midnight
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, week_start_of

# How the API names the days that one point covers: a week's point holds the seven days up to its measured day.
PERIODS = {"P1D": "day", "P7D": "week"}
NOT_KEPT = "older than the platform keeps"
NOT_OVER = "Facebook gives a day once it has ended in Pacific time"


def measured_day(end: datetime) -> date:
    """The day a point belongs to: the one that ended at its `end_time`, a Pacific midnight."""
    return end.astimezone(PACIFIC).date() - DAY


class PageSeries:
    """Reads one Page's series over measured days."""

    def __init__(
        self, session: Session, path: str, spec: PlatformSpec, settings: Settings, now: datetime, result: AccountResult
    ) -> None:
        # A call for many metrics may silently drop some; asking for fewer brings them.
        self._insights = AccountInsights(session, path, result, asks_again=True)
        self._spec = spec
        self._settings = settings
        self._now = now
        self._result = result

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        sources = self._spec.select("account", "series")
        over = [day for day in days if pacific_midnight(day + DAY) <= self._now]
        for source in sources:
            for day in days:
                tally.plan("account", source.metric, day)
                if day not in over:
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_OVER)
        if not over:
            return
        for part in Window.of_days(over[0], over[-1] + DAY).split(self._spec.max_window_days or len(over)):
            measured = [day for day in part.days() if day in over]
            await self._points(sources, "P1D", measured, tally)
            week_ends = [day for day in measured if self._ends_week(day)]
            await self._points([s for s in sources if "P7D" in s.windows], "P7D", week_ends, tally)

    def _ends_week(self, day: date) -> bool:
        return day - week_start_of(day, self._settings.week_start_index) == timedelta(days=6)

    async def _points(self, sources: list[SourceMetric], window: str, days: Sequence[date], tally: Tally) -> None:
        """One request for the points of these days; of a rolling week only the points that end a real one."""
        for source in sources:
            for day in days:
                tally.plan("account", source.metric, day, window=window)
                if not self._kept(source, day, window):
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_KEPT, window=window)
        kept = [day for day in days if any(self._kept(s, day, window) for s in sources)]
        if not kept:
            return
        params = {"period": PERIODS[window], **pacific_bounds(kept[0], kept[-1])}

        def days_of(source: SourceMetric) -> list[date]:
            return [day for day in kept if self._kept(source, day, window)]

        insights = await self._insights.ask(sources, params, days_of, window, tally)
        for source in sources:
            insight = insights.get(source.source)
            points = {measured_day(end): (end, raw) for end, raw in insight.points} if insight else {}
            for day in days_of(source):
                if insight is not None and day in points:
                    end, raw = points[day]
                    made = reading(source, day, raw, window=window, metadata=insight.metadata(end))
                    self._result.readings.append(made)
                    tally.hit("account", source.metric, day, made.value, window)

    def _kept(self, source: SourceMetric, day: date, window: str) -> bool:
        first = day - timedelta(days=6) if window == "P7D" else day
        oldest = self._now.astimezone(PACIFIC).date() - timedelta(days=source.retention_days or 0)
        return source.retention_days is None or first >= oldest
