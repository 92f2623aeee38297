"""Which days make which period: of calendar grains, of any weekday's weeks, of periods that users name.

A day is a day of the metric's zone. Everything later joins rows to periods by day, so a day of 23 or 25 hours, a week
that begins on Sunday, a window of 30 days and a fiscal period are one and the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from metrics_pipeline.custom_metrics.spans import MONTHS, Grain, Span, plus_months
from metrics_pipeline.windows import DAY, week_start_of

PeriodGrain = Grain | Literal["custom"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days first <= day < end."""

    first: date
    end: date

    @property
    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.end - self.first).days))


@dataclass(frozen=True, slots=True)
class Calendar:
    """How days make weeks. first_weekday: 0 is Monday, 6 is Sunday."""

    first_weekday: int = 0

    def start_of(self, grain: Grain, day: date) -> date:
        """The first day of the period that contains a day."""
        if grain == "day":
            return day
        if grain == "week":
            return week_start_of(day, self.first_weekday)
        months = MONTHS[grain]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def period(self, grain: Grain, day: date) -> Period:
        """The period that contains a day."""
        first = self.start_of(grain, day)
        if grain in MONTHS:
            return Period(first, plus_months(first, MONTHS[grain]))
        return Period(first, first + timedelta(days=7 if grain == "week" else 1))

    def periods(self, grain: Grain, first: date, end: date) -> list[Period]:
        """Every period that has a day of first <= day < end."""
        found: list[Period] = []
        day = first
        while day < end:
            found.append(self.period(grain, day))
            day = found[-1].end
        return found


MONDAYS = Calendar()


def moved(period: Period, span: Span, grain: PeriodGrain) -> Period:
    """The period so much earlier.

    Raises:
        ValueError: a period of this grain has no counterpart there.
    """
    if grain == "custom":
        if span.months:
            raise ValueError("a period of days has no counterpart in another month; write the offset in days or weeks")
        return Period(span.before(period.first), span.before(period.end))
    if not span.fits(grain):
        raise ValueError(f"a {grain} moved by this offset is no {grain}")
    return Period(span.before(period.first), span.before(period.end))


def window_days(last: date, window: Span) -> Period:
    """The days of a window whose last day this is: "30 days" is this one and the 29 before."""
    return Period(window.before(last + DAY), last + DAY)


def utc_bounds(day: date, timezone: str) -> tuple[date, date, datetime]:
    """The UTC days first <= day < end that a day of a zone lies in, and the instant at which it ends."""
    zone = ZoneInfo(timezone)
    begins, ends = (datetime.combine(at, time.min, zone).astimezone(UTC) for at in (day, day + DAY))
    return begins.date(), (ends - timedelta(microseconds=1)).date() + DAY, ends
