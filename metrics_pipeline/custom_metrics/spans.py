"""Lengths of time as people write them, "30 days" or "1 month", and the grains that values are made for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
MONTHS: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
_TEXT = re.compile(r"([1-9]\d{0,3}) (day|week|month|quarter|year)s?")
LONGEST_DAYS = 1830
"""A window reaches back five years at most."""


@dataclass(frozen=True, slots=True)
class Span:
    """So many days or so many months: a week is seven days, a quarter three months, a year twelve."""

    days: int = 0
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """Raises ValueError for a text that says no length."""
        match = _TEXT.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError('write a number and a unit, such as "30 days", "4 weeks" or "1 month"')
        count, unit = int(match[1]), match[2]
        span = cls(months=count * MONTHS[unit]) if unit in MONTHS else cls(days=count * (7 if unit == "week" else 1))
        if span.longest_days > LONGEST_DAYS:
            raise ValueError("at most five years")
        return span

    @property
    def longest_days(self) -> int:
        """So many days at most."""
        years, months = divmod(self.months, 12)
        return self.days + 366 * years + months * 31 - months // 4

    def before(self, day: date) -> date:
        """The day so much earlier; of a month too short for it the last day."""
        return plus_months(day, -self.months) - timedelta(days=self.days)

    def fits(self, grain: Grain) -> bool:
        """Whether every period of this grain, moved by the span, is a period again.

        A day has no counterpart in another month: March 29, 30 and 31 would all fall on February 28.
        """
        if grain in MONTHS:
            return self.days == 0 and self.months % MONTHS[grain] == 0
        return self.months == 0 and self.days % (7 if grain == "week" else 1) == 0


def plus_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
