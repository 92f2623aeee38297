"""What a day of collecting costs, worked out from the cadence and the platform's YAML before anything is spent."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metrics_pipeline.catalog.cadence import Cadence
from metrics_pipeline.catalog.calls import ApiCall
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, HOUR, midnight, week_start_of

DAYS = 7  # of the simulated week, whose average is the day


@dataclass(slots=True)
class DayCost:
    """Averages of one day: calls by endpoint, quota units, US dollars; and the most calls that one hour takes."""

    calls: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    by_collection: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    units: float = 0.0
    usd: float = 0.0
    busiest_hour: float = 0.0

    @property
    def total_calls(self) -> float:
        return sum(self.calls.values())

    def add(self, other: DayCost) -> None:
        for endpoint, calls in other.calls.items():
            self.calls[endpoint] += calls
        for collection, calls in other.by_collection.items():
            self.by_collection[collection] += calls
        self.units += other.units
        self.usd += other.usd
        self.busiest_hour += other.busiest_hour


def day_cost(spec: PlatformSpec, settings: Settings, posts_per_day: float, now: datetime) -> DayCost:
    """What one account costs on an average day of a week.

    Args:
        posts_per_day: how much it publishes, taken to be spread evenly.
        now: any instant of the week.
    """
    cadence = spec.cadence_under(settings.cadence)
    week = _Week(cadence, settings.week_start_index, now)
    # ages in hours, ascending
    ages = [(n + 0.5) * 24 / posts_per_day for n in range(math.floor(posts_per_day * (cadence.max_age / DAY)))]
    cost = DayCost()
    by_hour: dict[datetime, float] = defaultdict(float)
    calls = [call for call in spec.calls if call.applies(settings)]
    for call in calls:
        for hour, number in week.calls(call, ages, spec.restatement_days):
            cost.calls[call.endpoint] += number / DAYS
            cost.by_collection[call.collection] += number / DAYS
            cost.units += number * call.units / DAYS
            by_hour[hour] += number
    cost.usd = week.usd(calls, ages) / DAYS
    cost.busiest_hour = max(by_hour.values(), default=0.0)
    return cost


class _Week:
    """The looks of one week: the age of posts that is due at each of them, None where only the account is."""

    def __init__(self, cadence: Cadence, first_weekday: int, now: datetime) -> None:
        self._max_age = cadence.max_age
        start = midnight(week_start_of(now.date(), first_weekday))
        self._start = start
        self._looks: dict[datetime, timedelta | None] = {}
        for hour in (start + n * HOUR for n in range(DAYS * 24)):
            age = cadence.post_age(hour - HOUR, hour, first_weekday)
            if age is not None or cadence.account_is_due(hour - HOUR, hour):
                self._looks[hour] = age

    def calls(self, call: ApiCall, ages: Sequence[float], restatement_days: int) -> Iterable[tuple[datetime, int]]:
        """How many such calls are made in which hours."""
        if call.collection == "insights":
            objects = {"day": restatement_days + 1, "look": 1}.get(call.per, self._young(ages, self._max_age, call))
            yield from ((self._start + n * DAY, _calls(call, objects)) for n in range(DAYS))
            return
        for hour, age in self._looks.items():
            if call.per == "look":
                yield hour, call.times
            elif age is not None:
                limit = self._max_age if call.per == "post" else age
                yield hour, _calls(call, self._young(ages, limit, call))

    def usd(self, calls: Sequence[ApiCall], ages: Sequence[float]) -> float:
        """The week's price; what is paid for once a day is the same item in whatever call."""
        total = 0.0
        for day in (self._start + n * DAY for n in range(DAYS)):
            looks = [age for hour, age in self._looks.items() if day <= hour < day + DAY]
            once: dict[tuple[bool, float], float] = defaultdict(float)
            for call in (c for c in calls if c.usd and c.collection == "counters"):
                is_account = call.per == "look"
                items = (
                    [1] * len(looks)
                    if is_account
                    else [self._young(ages, age, call) for age in looks if age is not None]
                )
                if call.once_a_day:
                    key = (is_account, call.usd)
                    once[key] = max(once[key], max(items, default=0))
                else:
                    total += sum(items) * call.usd
            total += sum(items * price for (_, price), items in once.items())
        return total

    @staticmethod
    def _young(ages: Sequence[float], limit: timedelta, call: ApiCall) -> int:
        if call.max_age_days is not None:
            limit = min(limit, timedelta(days=call.max_age_days))
        return bisect_left(ages, limit / HOUR)


def _calls(call: ApiCall, objects: int) -> int:
    return max(math.ceil(objects / call.batch), 1 if call.lists else 0) * call.times
