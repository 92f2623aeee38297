"""Pinterest's daily series of an account: every day comes with a status, and only READY is final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields, as_number
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.windows import DAY, Window

PATH = "/v5/user_account/analytics"
READY, ESTIMATE = "READY", "ESTIMATE"
SPLIT = "all"  # the one key of an answer that is not split
# Counted from today; 90 is what the documentation says, and a start that far back is refused.
FIRST_DAY_BACK = 89


@dataclass(frozen=True, slots=True)
class Row:
    """One day: its status and the numbers it has."""

    status: str
    values: dict[str, float]


def rows_in(answer: Answer, asked: Sequence[str], unknown: set[str]) -> dict[date, Row]:
    """The days of an answer.

    Raises:
        PlatformError: config, when a day or the whole answer has another shape.
    """
    rows: dict[date, Row] = {}
    with Fields(answer.body, "analytics", unknown) as body:
        part = body.child(SPLIT)
        if part is None:
            raise PlatformError(Act.CONFIG, "the analytics came without their figures")
        with part:
            part.ignore("summary_metrics")  # over days that are not final as well
            for entry in part.children("daily_metrics"):
                with entry:
                    day, status, metrics = entry.text("date"), entry.text("data_status"), entry.child("metrics")
                    rows[_day(day)] = Row(status or "missing", {} if metrics is None else _numbers(metrics, asked))
    return rows


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        raise PlatformError(Act.CONFIG, f"analytics.date should be a day: {(text or '')[:40]}") from None


def _numbers(metrics: Fields, asked: Sequence[str]) -> dict[str, float]:
    with metrics:
        numbers = {name: as_number(metrics.raw(name)) for name in asked}
    return {name: value for name, value in numbers.items() if value is not None}


class AccountSeries:
    """Reads the daily series of one account, one request for up to 89 days."""

    def __init__(self, session: Session, spec: PlatformSpec, now: datetime, result: AccountResult) -> None:
        self._session = session
        self._sources = spec.select("account", "series", "account_analytics")
        self._span = spec.max_window_days or FIRST_DAY_BACK
        self._today = now.date()
        self._result = result
        self._patience = Patience()
        self._refused: dict[str, PlatformError] = {}

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        oldest = self._today - timedelta(days=FIRST_DAY_BACK)
        for source in self._sources:
            for day in days:
                tally.plan("account", source.metric, day)
                if day < oldest:
                    tally.miss("account", source.metric, day, State.UNKNOWN, "older than the platform keeps")
        kept = [day for day in days if day >= oldest]
        if not kept:
            return
        for part in Window.of_days(kept[0], kept[-1] + DAY).split(self._span):
            await self._slice(part.days(), tally)

    async def _slice(self, days: list[date], tally: Tally) -> None:
        try:
            rows = await self._ask(days[0], days[-1])
        except PlatformError as error:
            self._patience.weigh(error)
            for source in self._sources:
                for day in days:
                    tally.refuse("account", source.metric, day, error)
            return
        self._patience.succeeded()
        for day in days:
            for source in self._sources:
                refusal = self._refused.get(source.source)
                if refusal is not None:
                    tally.refuse("account", source.metric, day, refusal)
                else:
                    self._keep(source, day, rows.get(day), tally)

    async def _ask(self, first: date, last: date) -> dict[date, Row]:
        """One request, without the metrics the platform refuses by name."""
        while True:
            names = [s.source for s in self._sources if s.source not in self._refused]
            params = {
                "start_date": first.isoformat(),
                "end_date": last.isoformat(),
                "metric_types": ",".join(names),
                "from_claimed_content": "BOTH",
                "split_field": "NO_SPLIT",
            }
            try:
                answer = await self._session.get(PATH, params)
            except PlatformError as error:
                if error.act is not Act.SKIP_METRIC or error.metric not in names or len(names) == 1:
                    raise
                self._refused[error.metric] = error
                continue
            return rows_in(answer, names, self._result.unknown_fields)

    def _keep(self, source: SourceMetric, day: date, row: Row | None, tally: Tally) -> None:
        raw = row.values.get(source.source) if row is not None and row.status in (READY, ESTIMATE) else None
        if row is None or raw is None or (row.status == ESTIMATE and raw == 0):
            # An estimate of nothing is a day that is not counted yet, not a day without anything.
            reason = "the platform has nothing for this day" if row is None else f"Pinterest says {row.status}"
            tally.miss("account", source.metric, day, State.UNKNOWN, reason)
            return
        numerator = denominator = None
        if source.source == "ENGAGEMENT_RATE" and {"ENGAGEMENT", "IMPRESSION"} <= row.values.keys():
            numerator, denominator = row.values["ENGAGEMENT"], row.values["IMPRESSION"]
        note = {"data_status": row.status}
        kept = reading(source, day, raw, numerator=numerator, denominator=denominator, metadata=note)
        self._result.readings.append(kept)
        tally.hit("account", source.metric, day, kept.value)
