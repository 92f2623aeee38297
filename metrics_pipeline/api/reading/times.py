"""The span of days a question is about, and the one it is compared with."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.windows import DAY, month_start_of, next_month, week_start_of

Granularity = Literal["hour", "day", "week", "month"]
Compare = Literal["none", "previous_period", "previous_year"]

MOST_DAYS = 3_660
# Every weekday keeps its place: a year is compared over 52 weeks.
YEAR_OF_WEEKS = timedelta(days=364)
RANGES = (
    "today", "yesterday", "last_7d", "last_14d", "last_28d", "last_30d", "last_90d", "last_180d", "last_365d",
    "wtd", "mtd", "ytd", "last_week", "last_month",
)  # fmt: skip
DEFAULT_RANGE = "last_30d"

_DAYS_BACK = re.compile(r"last_([1-9][0-9]{0,3})d")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """The UTC days first <= day < end. to_date: a week, month or year that runs, up to today."""

    first: date
    end: date
    to_date: Literal["week", "month", "year"] | None = None

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    def over_whole(self, granularity: Granularity, first_weekday: int) -> Span:
        """The span of every period that it touches."""
        if granularity == "week":
            last = week_start_of(self.end - DAY, first_weekday)
            return Span(week_start_of(self.first, first_weekday), last + 7 * DAY)
        if granularity == "month":
            return Span(month_start_of(self.first), next_month(self.end - DAY))
        return self

    def compared(self, compare: Compare, granularity: Granularity) -> Span | None:
        """The span to compare with. Of whole months the same number of them, of a period to date its elapsed part."""
        if compare == "none":
            return None
        if granularity == "month":
            months = (self.end.year - self.first.year) * 12 + self.end.month - self.first.month
            back = 12 if compare == "previous_year" else months
            return Span(_months_before(self.first, back), _months_before(self.end, back))
        if compare == "previous_year":
            return Span(self.first - YEAR_OF_WEEKS, self.end - YEAR_OF_WEEKS)
        if self.to_date == "month":
            first = _months_before(self.first, 1)
            return Span(first, min(first + timedelta(days=self.days), self.first))
        if self.to_date == "year":
            first = self.first.replace(year=self.first.year - 1)
            return Span(first, min(first + timedelta(days=self.days), self.first))
        back_by = timedelta(days=7) if self.to_date == "week" else timedelta(days=self.days)
        return Span(self.first - back_by, self.end - back_by)


def span_of(
    today: date,
    first_weekday: int,
    *,
    start: str | None,
    end: str | None,
    named: str | None,
    days: int | None,
) -> Span:
    """The span that parameters name: `start` and `end`, a range by name, or so many days up to yesterday.

    Raises:
        Problem: 422, they contradict each other, cannot be read, or name no day or too many.
    """
    if sum((start is not None or end is not None, named is not None, days is not None)) > 1:
        raise _unusable("conflicting_times", "Give start and end, or range, or days; not several of them.")
    if named is not None:
        return _bounded(_named(named, today, first_weekday))
    if days is not None:
        return _bounded(Span(today - timedelta(days=days), today))
    if start is None and end is None:
        return _named(DEFAULT_RANGE, today, first_weekday)
    if start is None:
        raise _unusable("invalid_start", "end needs a start.")
    first = _first_day(start)
    last = today + DAY if end is None else _end_day(end)
    if first >= last:
        raise _unusable("end_before_start", "end has to lie after start; it is exclusive.")
    return _bounded(Span(first, last))


def days_back(days: int | None, time_range: int | None) -> int | None:
    """`days`, by either of its names. Raises Problem 422 where both are given."""
    if days is not None and time_range is not None:
        raise _unusable("conflicting_times", "days and timeRange are the same; give one of them.")
    return days if days is not None else time_range


def _named(name: str, today: date, first_weekday: int) -> Span:
    week, month = week_start_of(today, first_weekday), month_start_of(today)
    spans: dict[str, Callable[[], Span]] = {
        "today": lambda: Span(today, today + DAY),
        "yesterday": lambda: Span(today - DAY, today),
        "wtd": lambda: Span(week, today + DAY, "week"),
        "mtd": lambda: Span(month, today + DAY, "month"),
        "ytd": lambda: Span(date(today.year, 1, 1), today + DAY, "year"),
        "last_week": lambda: Span(week - 7 * DAY, week),
        "last_month": lambda: Span(_months_before(month, 1), month),
    }
    if name in spans:
        return spans[name]()
    match = _DAYS_BACK.fullmatch(name)
    if match is None:
        raise _unusable("invalid_range", f"There is no such range; use one of {', '.join(RANGES)}.")
    return Span(today - timedelta(days=min(int(match[1]), MOST_DAYS + 1)), today)


def _bounded(span: Span) -> Span:
    if span.days > MOST_DAYS:
        raise _unusable("span_too_long", f"At most {MOST_DAYS} days at a time.")
    return span


def _first_day(text: str) -> date:
    found = _parsed(text, "start")
    return found.astimezone(UTC).date() if isinstance(found, datetime) else found


def _end_day(text: str) -> date:
    found = _parsed(text, "end")
    if not isinstance(found, datetime):
        return found
    instant = found.astimezone(UTC)
    is_midnight = instant.time().isoformat() == "00:00:00"
    return instant.date() if is_midnight else instant.date() + DAY  # a period that is touched belongs to it


def _parsed(text: str, name: str) -> date | datetime:
    try:
        if _DATE.fullmatch(text):
            found: date | datetime = date.fromisoformat(text)
        elif _INSTANT.fullmatch(text):
            found = datetime.fromisoformat(text.upper().replace(" ", "T"))
            found.astimezone(UTC)
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise _unusable(
            f"invalid_{name}", f"{name} is a day such as 2026-10-01, or an instant with its offset in RFC 3339."
        ) from None
    if not 1970 <= found.year < 2200:
        raise _unusable(f"invalid_{name}", f"{name} has to lie between the years 1970 and 2199.")
    return found


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _unusable(code: str, detail: str) -> Problem:
    return Problem(422, code, detail)
