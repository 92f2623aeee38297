"""A WhatsApp Business account's own series: messages by day, and what pricing counts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, CollectionContext, State
from metrics_pipeline.platforms.errors import Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.whatsapp_errors import weigh
from metrics_pipeline.platforms.whatsapp_points import PointDay, data_points, day_of, oldest_day, slices
from metrics_pipeline.windows import DAY, midnight

NOT_KEPT = "older than the platform keeps"
NOT_OVER = "WhatsApp gives a day once it has ended in the account's time zone"
# Not a zero: silent days are left out, but so are days that were not counted yet, and all days of a number that has
# left the account. A zero would overwrite what had been read while the number was there.
NO_TRAFFIC = "WhatsApp reports nothing for this day: no traffic, or none of the numbers it still counts"
NO_COST = "WhatsApp gives no cost: a partner's credit line pays for this account"

# The field's own filters. Template and other outgoing messages; incoming ones are a product type of their own.
FILTERS = {
    "analytics": ".granularity(DAY).product_types([0,2])",
    "pricing_analytics": '.granularity(DAILY).metric_types(["COST","VOLUME"])'
    '.dimensions(["PRICING_CATEGORY","PRICING_TYPE"])',
}
COST = "cost"


@dataclass(frozen=True, slots=True)
class Waba:
    """What is read of the account's own object."""

    currency: str | None = None
    zone: ZoneInfo | None = None


@dataclass(slots=True)
class Day:
    """One day of a field: for each of its points the numbers it holds, and what of the whole the point is."""

    covers: PointDay
    numbers: list[dict[str, float]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


async def read_waba(session: Session, path: str, zones: dict[str, str], result: AccountResult) -> Waba:
    """Currency and time zone; the zone is None where the settings do not name its timezone_id."""
    answer = await session.get(path, {"fields": "id,name,currency,timezone_id"})
    with Fields(answer.body, "waba", result.unknown_fields) as body:
        body.ignore("id", "name")
        name = zones.get(body.identifier("timezone_id") or "")
        return Waba(body.text("currency"), ZoneInfo(name) if name else None)


def days_in(answer: Answer, name: str, waba: Waba, unknown: set[str]) -> dict[date, Day]:
    """The days of `analytics` or `pricing_analytics`; an account without any traffic has no such field."""
    days: dict[date, Day] = {}
    with Fields(answer.body, "waba", unknown) as body:
        body.ignore("id")
        holder = body.child(name)
        if holder is None:
            return days
        with holder:
            holder.ignore("phone_numbers", "country_codes", "product_types", "granularity", "paging")
            for point in data_points(holder):
                with point:
                    point.ignore("country", "phone_number", "tier")
                    covers = day_of(point, waba.zone)
                    parts = (point.text("pricing_category"), point.text("pricing_type"))
                    raw = {key: point.number(key) for key in ("sent", "delivered", "volume", COST)}
                    if covers is None:
                        continue
                    if name == "analytics" and covers.day in days:
                        point.report("a second point for one day")
                        continue
                    day = days.setdefault(covers.day, Day(covers))
                    day.numbers.append({key: value for key, value in raw.items() if value is not None})
                    day.labels.append("/".join(part.lower() for part in parts if part))
    return days


class WabaSeries:
    """Reads one account's series over measured days, the days of its own time zone."""

    def __init__(
        self,
        session: Session,
        path: str,
        waba: Waba,
        spec: PlatformSpec,
        context: CollectionContext,
        patience: Patience,
        result: AccountResult,
    ) -> None:
        self._session = session
        self._path = path
        self._waba = waba
        self._spec = spec
        self._now = context.now
        self._patience = patience
        self._result = result

    async def read(self, days: Sequence[date], tally: Tally) -> None:
        for name in FILTERS:
            sources = self._spec.select("account", "series", name)
            # A day more is asked on both sides: the day of the account's zone may begin on the UTC day before.
            oldest = oldest_day(self._now, min(s.retention_days or 365 for s in sources)) + DAY
            for day in (day for day in days if day < oldest):
                self._miss(sources, day, NOT_KEPT, tally)
            # and a day less at a time, so that a request is no longer than it may be
            for part in slices([day for day in days if day >= oldest], (self._spec.max_window_days or 90) - 2):
                await self._slice(name, sources, part, tally)

    async def _slice(self, name: str, sources: Sequence[SourceMetric], days: Sequence[date], tally: Tally) -> None:
        start, end = midnight(days[0]) - DAY, min(midnight(days[-1]) + 2 * DAY, self._now)
        window = f".start({int(start.timestamp())}).end({int(end.timestamp())})"
        try:
            answer = await self._session.get(self._path, {"fields": name + window + FILTERS[name]})
        except PlatformError as failure:
            error = weigh(failure, self._patience)
            for source in sources:
                for day in days:
                    tally.refuse("account", source.metric, day, error)
            return
        self._patience.succeeded()
        found = days_in(answer, name, self._waba, self._result.unknown_fields)
        for day in days:
            known = found.get(day)
            if known is not None and known.covers.end <= self._now:
                for source in sources:
                    self._keep(source, known, tally)
            else:
                is_over = known is None and midnight(day + DAY) + timedelta(hours=12) <= self._now
                self._miss(sources, day, NO_TRAFFIC if is_over else NOT_OVER, tally)

    def _keep(self, source: SourceMetric, day: Day, tally: Tally) -> None:
        """The day's sum over its points. A number that some of them lack has no sum."""
        values = [numbers[source.source] for numbers in day.numbers if source.source in numbers]
        if not values:
            state = State.NOT_SUPPORTED if source.source == COST else State.UNKNOWN
            reason = NO_COST if source.source == COST else "the platform gave no value"
            tally.miss("account", source.metric, day.covers.day, state, reason)
        elif len(values) < len(day.numbers):
            lacking = f"{len(day.numbers) - len(values)} of {len(day.numbers)} parts of the day have no {source.source}"
            tally.miss("account", source.metric, day.covers.day, State.UNKNOWN, lacking)
        else:
            made = reading(
                source,
                day.covers.day,
                sum(values),
                metadata=self._metadata(source, day, values),
                day_timezone=day.covers.zone,
            )
            self._result.readings.append(made)
            tally.hit("account", source.metric, day.covers.day, made.value)

    def _metadata(self, source: SourceMetric, day: Day, values: Sequence[float]) -> dict[str, object]:
        parts: dict[str, float] = {}
        for label, value in zip(day.labels, values, strict=True):
            if label:
                parts[label] = round(parts.get(label, 0.0) + value, 9)
        currency = {"currency": self._waba.currency} if source.source == COST else {}
        return {**dict(sorted(parts.items())), **currency}

    def _miss(self, sources: Sequence[SourceMetric], day: date, reason: str, tally: Tally) -> None:
        for source in sources:
            tally.miss("account", source.metric, day, State.UNKNOWN, reason)
