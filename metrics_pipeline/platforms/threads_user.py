"""A Threads profile by Pacific day: one series of profile views, and totals asked day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.graph_account import PACIFIC, AccountInsights, pacific_bounds, pacific_midnight
from metrics_pipeline.platforms.graph_post_insights import plain_figure
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.readings import asked_name, reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window

OLDEST = date(2024, 6, 1)  # a window before 2024-04-13 is refused, and days before June are not promised to be whole
NOT_KEPT = "Threads has no dependable numbers before 2024-06-01"
NOT_OVER = "Threads gives a whole day once it has ended in Pacific time"


class UserSeries:
    """Reads one profile's series over measured days."""

    def __init__(
        self, insights: AccountInsights, spec: PlatformSpec, settings: Settings, now: datetime, result: AccountResult
    ) -> None:
        self._insights = insights
        self._spec = spec
        self._shift = timedelta(days=settings.threads_series_day_shift)
        self._now = now
        self._result = result

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        for source in self._spec.select("account", "series"):
            for day in days:
                tally.plan("account", source.metric, day)
                if day < OLDEST:
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_KEPT)
                elif not self._is_over(day):
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_OVER)
        there = [day for day in days if day >= OLDEST and self._is_over(day)]
        if not there:
            return
        for part in Window.of_days(there[0], there[-1] + DAY).split(self._spec.max_window_days or len(there)):
            await self._series(part.days(), tally)
        for day in there:
            await self._totals(day, tally)

    def _is_over(self, day: date) -> bool:
        return pacific_midnight(day + DAY) <= self._now

    async def _series(self, days: Sequence[date], tally: Tally) -> None:
        """Points by day; the shift says which day a point's `end_time` belongs to."""
        sources = self._spec.select("account", "series", "user_series")
        # A point that names its own day, instead of the one it ends, lies a day earlier in the window.
        bounds = pacific_bounds(days[0] - DAY - self._shift, days[-1] - DAY - self._shift)
        insights = await self._insights.ask(sources, bounds, lambda _source: days, "P1D", tally)
        for source in sources:
            insight = insights.get(asked_name(source))
            points = (
                {end.astimezone(PACIFIC).date() + self._shift: raw for end, raw in insight.points} if insight else {}
            )
            for day in days:
                if day in points:
                    self._keep(source, day, points[day], {}, tally)

    async def _totals(self, day: date, tally: Tally) -> None:
        """One number per metric for one whole day."""
        sources = self._spec.select("account", "series", "user_totals")
        insights = await self._insights.ask(sources, pacific_bounds(day, day), lambda _source: [day], "P1D", tally)
        for source in sources:
            found = plain_figure(source, insights)
            if found is not None:
                insight = insights.get(asked_name(source))
                self._keep(source, day, found[0], insight.metadata() if insight else {}, tally)

    def _keep(self, source: SourceMetric, day: date, raw: float, parts: dict[str, object], tally: Tally) -> None:
        made = reading(source, day, raw, metadata=parts)
        self._result.readings.append(made)
        tally.hit("account", source.metric, day, made.value)
