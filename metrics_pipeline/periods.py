"""Weeks and months, and the calendar relations that the SQL joins with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from metrics_pipeline.windows import next_month, week_start_of


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a week or a month: start <= day < end, and the start of the calendar-preceding one."""

    start: date
    end: date
    previous_start: date


def days(first: date, end: date) -> list[Period]:
    """The days of [first, end), in order."""
    one = timedelta(days=1)
    return [Period(day, day + one, day - one) for day in (first + n * one for n in range((end - first).days))]


def weeks(first: date, end: date, first_weekday: int) -> list[Period]:
    """The weeks that overlap [first, end), in order."""
    periods = []
    start = week_start_of(first, first_weekday)
    while start < end:
        periods.append(Period(start, start + timedelta(days=7), start - timedelta(days=7)))
        start += timedelta(days=7)
    return periods


def months(first: date, end: date) -> list[Period]:
    """The calendar months that overlap [first, end), in order."""
    periods = []
    start = first.replace(day=1)
    while start < end:
        periods.append(Period(start, next_month(start), (start - timedelta(days=1)).replace(day=1)))
        start = next_month(start)
    return periods


def period_relations(periods: Sequence[Period], today: date, first_weekday: int) -> dict[str, pa.Table]:
    """`periods` and `calendar` for these periods and the one before the first, which is there for growth only.

    days_elapsed counts the days of a period that are over today.
    """
    before = _preceding(periods[0])
    return relations_of([before, *periods], [before], today, first_weekday)


def relations_of(
    periods: Sequence[Period], only_compared: Sequence[Period], today: date, first_weekday: int
) -> dict[str, pa.Table]:
    """`periods` and `calendar` for these periods; those of `only_compared` are there for the growth of others only."""
    rows = [
        {
            "period_start": p.start,
            "period_end": p.end,
            "previous_start": p.previous_start,
            "days_expected": (p.end - p.start).days,
            "days_elapsed": max(0, min((p.end - p.start).days, (today - p.start).days)),
            "is_output": p not in only_compared,
        }
        for p in periods
    ]
    calendar = [
        {
            "date": day,
            "period_start": p.start,
            "day_offset": offset,
            "week_start": week_start_of(day, first_weekday),
        }
        for p in periods
        for offset, day in enumerate(p.start + timedelta(days=n) for n in range((p.end - p.start).days))
    ]
    return {"periods": pa.Table.from_pylist(rows), "calendar": pa.Table.from_pylist(calendar)}


def _preceding(period: Period) -> Period:
    start = period.previous_start
    is_month = (period.end - period.start).days != 7
    earlier = (start - timedelta(days=1)).replace(day=1) if is_month else start - timedelta(days=7)
    return Period(start, period.start, earlier)
