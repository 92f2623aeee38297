"""Instagram's account totals: one number per window asked, so one request per day, week and month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_insights import Insight, ask_without_refused, insights_in
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import asked_name, reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, month_start_of, week_start_of

# Which breakdown a group of metrics is asked with; it applies to the whole request, hence the groups.
TOTALS = {"account_totals": "", "contact_taps": "contact_button_type", "follow_changes": "follow_type"}
SERIES = "follower_series"
NOT_KEPT = "older than the platform keeps"


class AccountTotals:
    """Reads one account's series over measured days. `today` is the running UTC day of the run."""

    def __init__(
        self, session: Session, path: str, spec: PlatformSpec, settings: Settings, today: date, result: AccountResult
    ) -> None:
        self._session = session
        self._path = path
        self._spec = spec
        self._settings = settings
        self._today = today
        self._result = result
        self._patience = Patience()
        self._refused: dict[tuple[str, str], PlatformError] = {}

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        for source in self._spec.select("account", "series"):
            for day in days:
                tally.plan("account", source.metric, day)
        for day in days:
            for api in TOTALS:
                await self._total(api, self._spec.select("account", "series", api), day, day, "P1D", tally)
            for window, first in self._periods_ending(day):
                wide = [s for s in self._spec.select("account", "series", "account_totals") if window in s.windows]
                await self._total("account_totals", wide, first, day, window, tally)
        await self._follower_series(days, tally)

    def _periods_ending(self, day: date) -> Iterator[tuple[str, date]]:
        """The closed weeks and months whose last day is `day`, with their first day."""
        if day >= self._today:
            return
        week = week_start_of(day, self._settings.week_start_index)
        if day == week + timedelta(days=6):
            yield "P7D", week
        if (day + DAY).day == 1:
            yield "P1M", month_start_of(day)

    async def _total(
        self, api: str, sources: list[SourceMetric], first: date, last: date, window: str, tally: Tally
    ) -> None:
        """One request for the whole days first..last; its readings are dated by the last one."""
        left: list[SourceMetric] = []
        limit = self._spec.max_window_days or 30
        for source in sources:
            tally.plan("account", source.metric, last, window=window)
            refusal = self._refused.get((api, asked_name(source)))
            span = (last - first).days + 1
            if span > limit:
                reason = f"Instagram refuses windows of more than {limit} days and this one has {span}"
                tally.miss("account", source.metric, last, State.NOT_SUPPORTED, reason, window=window)
            elif not self._kept(source, first):
                tally.miss("account", source.metric, last, State.UNKNOWN, NOT_KEPT, window=window)
            elif refusal is not None:
                tally.refuse("account", source.metric, last, refusal, window)
            else:
                left.append(source)
        if not left:
            return
        params = {"period": "day", "metric_type": "total_value"} | _bounds(first, last)
        if TOTALS[api]:
            params["breakdown"] = TOTALS[api]
        insights = await self._ask(api, left, params, [last], window, tally)
        for source in left:
            insight = insights.get(asked_name(source))
            bucket = source.source.partition(".")[2]
            raw = None if insight is None else insight.buckets.get(bucket) if bucket else insight.value
            if raw is not None and insight is not None:
                kept = reading(
                    source, last, raw, window=window, metadata={k.lower(): v for k, v in insight.buckets.items()}
                )
                self._result.readings.append(kept)
                tally.hit("account", source.metric, last, kept.value, window)

    async def _follower_series(self, days: Sequence[date], tally: Tally) -> None:
        """The one metric that comes as points by day: the running day is refused, so it is not asked."""
        shift = timedelta(days=self._settings.instagram_series_day_shift)
        for source in self._spec.select("account", "series", SERIES):
            asked: list[date] = []
            for day in days:
                if day >= self._today:
                    tally.miss("account", source.metric, day, State.UNKNOWN, "not given for the running day")
                elif not self._kept(source, day):
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_KEPT)
                else:
                    asked.append(day)
            if not asked:
                continue
            for part in Window.of_days(asked[0], asked[-1] + DAY).split(self._spec.max_window_days or 30):
                measured = [d for d in part.days() if d in set(asked)]
                params = {"period": "day", "metric_type": "time_series"}
                params |= _bounds(part.first_day - shift, part.end_day - DAY - shift)
                insights = await self._ask(SERIES, [source], params, measured, "P1D", tally)
                points = insights[source.source].points if source.source in insights else []
                for end, raw in points:
                    day = end.date() + shift
                    if day in measured:
                        kept = reading(source, day, raw, metadata={"end_time": end.isoformat()})
                        self._result.readings.append(kept)
                        tally.hit("account", source.metric, day, kept.value)

    async def _ask(
        self,
        api: str,
        sources: list[SourceMetric],
        params: dict[str, str],
        days: Sequence[date],
        window: str,
        tally: Tally,
    ) -> dict[str, Insight]:
        """Ask with fallback; refusals and failures go into the tally for every day asked."""

        async def ask(metrics: Sequence[str]) -> dict[str, Insight]:
            answer = await self._session.get(self._path, {"metric": ",".join(metrics)} | params)
            return insights_in(answer, "insights", self._result.unknown_fields)

        try:
            fetched = await ask_without_refused(ask, [asked_name(s) for s in sources])
        except PlatformError as error:
            self._patience.weigh(error)
            if error.act is Act.PERMISSION:
                self._refused |= {(api, asked_name(s)): error for s in sources}
            for source in sources:
                for day in days:
                    tally.refuse("account", source.metric, day, error, window)
            return {}
        self._patience.succeeded()
        # A refusal of a week or a month says nothing about single days, nor the other way round.
        if window == "P1D":
            self._refused |= {(api, name): error for name, error in fetched.refused.items()}
        for source in sources:
            refusal = fetched.refused.get(asked_name(source))
            if refusal is not None:
                for day in days:
                    tally.refuse("account", source.metric, day, refusal, window)
        return fetched.insights

    def _kept(self, source: SourceMetric, first: date) -> bool:
        return source.retention_days is None or first >= self._today - timedelta(days=source.retention_days)


def _bounds(first: date, last: date) -> dict[str, str]:
    """since and until as Unix seconds, around whole UTC days."""
    window = Window.of_days(first, last + DAY)
    return {"since": str(int(window.start.timestamp())), "until": str(int(window.end.timestamp()))}
