"""A Page's daily series: points by Pacific day, many days in one request, and reach of whole weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_errors import of_whole_account
from metrics_pipeline.platforms.graph_insights import Fetched, Insight, ask_without_refused, insights_in
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, week_start_of

PACIFIC = ZoneInfo("America/Los_Angeles")
# How the API names the days that one point covers: a week's point holds the seven days up to its measured day.
PERIODS = {"P1D": "day", "P7D": "week"}
NOT_KEPT = "older than the platform keeps"
NOT_OVER = "Facebook gives a day once it has ended in Pacific time"


def pacific_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=PACIFIC)


def measured_day(end: datetime) -> date:
    """The day a point belongs to: the one that ended at its `end_time`, a Pacific midnight."""
    return end.astimezone(PACIFIC).date() - DAY


class PageSeries:
    """Reads one Page's series over measured days."""

    def __init__(
        self, session: Session, path: str, spec: PlatformSpec, settings: Settings, now: datetime, result: AccountResult
    ) -> None:
        self._session = session
        self._path = path
        self._spec = spec
        self._settings = settings
        self._now = now
        self._result = result
        self._patience = Patience()
        self._refused: dict[tuple[str, str], PlatformError] = {}

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
        insights = await self._ask(sources, window, kept, tally)
        for source in sources:
            insight = insights.get(source.source)
            points = {measured_day(end): (end, raw) for end, raw in insight.points} if insight else {}
            for day in kept:
                if insight is not None and day in points and self._kept(source, day, window):
                    end, raw = points[day]
                    made = reading(source, day, raw, window=window, metadata=insight.metadata(end))
                    self._result.readings.append(made)
                    tally.hit("account", source.metric, day, made.value, window)

    async def _ask(
        self, sources: list[SourceMetric], window: str, days: Sequence[date], tally: Tally
    ) -> dict[str, Insight]:
        """Ask with fallback; refusals and failures go into the tally for every day asked."""
        names = [s.source for s in sources]
        known = {name: self._refused[window, name] for name in names if (window, name) in self._refused}
        try:
            fetched = await self._fetch([name for name in names if name not in known], window, days)
            self._patience.succeeded()
        except PlatformError as failure:
            error = of_whole_account(failure)
            self._patience.weigh(error)
            fetched = Fetched(refused=dict.fromkeys((n for n in names if n not in known), error))
            if error.act is Act.PERMISSION:
                self._refused |= {(window, name): error for name in fetched.refused}
        else:
            self._refused |= {(window, name): error for name, error in fetched.refused.items()}
        for source in sources:
            refusal = known.get(source.source) or fetched.refused.get(source.source)
            for day in days if refusal is not None else []:
                if refusal is not None and self._kept(source, day, window):
                    tally.refuse("account", source.metric, day, refusal, window)
        return fetched.insights

    async def _fetch(self, names: Sequence[str], window: str, days: Sequence[date]) -> Fetched:
        """The metrics; those that an answer for many silently left out are asked once more."""
        params = {
            "period": PERIODS[window],
            "since": str(int(pacific_midnight(days[0]).timestamp())),
            "until": str(int(pacific_midnight(days[-1] + DAY).timestamp())),
        }

        async def ask(metrics: Sequence[str]) -> dict[str, Insight]:
            answer = await self._session.get(self._path, {"metric": ",".join(metrics)} | params)
            return insights_in(answer, "insights", self._result.unknown_fields, params["period"])

        fetched = await ask_without_refused(ask, names)
        left_out = [name for name in names if name not in fetched.insights and name not in fetched.refused]
        if left_out and fetched.insights:
            again = await ask_without_refused(ask, left_out)
            fetched.insights |= again.insights
            fetched.refused |= again.refused
        return fetched

    def _kept(self, source: SourceMetric, day: date, window: str) -> bool:
        first = day - timedelta(days=6) if window == "P7D" else day
        oldest = self._now.astimezone(PACIFIC).date() - timedelta(days=source.retention_days or 0)
        return source.retention_days is None or first >= oldest
