"""Insights of an account over days: asked with fallback, and what cannot be had told to the tally."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_errors import of_whole_account
from metrics_pipeline.platforms.graph_insights import Fetched, Insight, ask_without_refused, insights_in
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import asked_names
from metrics_pipeline.windows import DAY

PACIFIC = ZoneInfo("America/Los_Angeles")
DaysOf = Callable[[SourceMetric], Sequence[date]]


def pacific_midnight(day: date) -> datetime:
    """The first instant of a day as Meta counts days."""
    return datetime.combine(day, time.min, tzinfo=PACIFIC)


def pacific_bounds(first: date, last: date) -> dict[str, str]:
    """since and until as Unix seconds, around the whole Pacific days first..last."""
    start, end = pacific_midnight(first), pacific_midnight(last + DAY)
    return {"since": str(int(start.timestamp())), "until": str(int(end.timestamp()))}


class AccountInsights:
    """One account's insights edge in one turn. What was refused once is not asked again for the same window.

    Args:
        asks_again: whether metrics that an answer for several left out are asked once more.
    """

    def __init__(self, session: Session, path: str, result: AccountResult, *, asks_again: bool) -> None:
        self._session = session
        self._path = path
        self._result = result
        self._asks_again = asks_again
        self._patience = Patience()
        self._refused: dict[tuple[str, str], PlatformError] = {}

    async def ask(
        self, sources: Sequence[SourceMetric], params: Mapping[str, str], days_of: DaysOf, window: str, tally: Tally
    ) -> dict[str, Insight]:
        """The answers by name; refusals and failures are told for every day that `days_of` gives for a source.

        Raises:
            PlatformError: the account's turn is over.
        """
        names = list(dict.fromkeys(name for source in sources for name in asked_names(source)))
        refused = {name: self._refused[window, name] for name in names if (window, name) in self._refused}
        left = [name for name in names if name not in refused]
        insights: dict[str, Insight] = {}
        try:
            fetched = await self._fetch(left, params)
            self._patience.succeeded()
            insights = fetched.insights
            refused |= fetched.refused
            self._refused |= {(window, name): error for name, error in fetched.refused.items()}
        except PlatformError as failure:
            error = of_whole_account(failure)
            self._patience.weigh(error)
            refused |= dict.fromkeys(left, error)
            if error.act is Act.PERMISSION:
                self._refused |= {(window, name): error for name in left}
        for source in sources:
            refusal = next((refused[name] for name in asked_names(source) if name in refused), None)
            for day in days_of(source) if refusal is not None else ():
                if refusal is not None:
                    tally.refuse(source.level, source.metric, day, refusal, window)
        return insights

    async def _fetch(self, names: Sequence[str], params: Mapping[str, str]) -> Fetched:
        async def ask(metrics: Sequence[str]) -> dict[str, Insight]:
            answer = await self._session.get(self._path, {"metric": ",".join(metrics), **params})
            return insights_in(answer, "insights", self._result.unknown_fields, params.get("period"))

        fetched = await ask_without_refused(ask, names)
        left_out = [name for name in names if name not in fetched.insights and name not in fetched.refused]
        if self._asks_again and left_out and fetched.insights:
            again = await ask_without_refused(ask, left_out)
            fetched.insights |= again.insights
            fetched.refused |= again.refused
        return fetched
