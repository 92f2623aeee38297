"""Half-open UTC time windows: the only way time spans travel through the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def week_start_of(day: date, first_weekday: int) -> date:
    """The first day of the week that contains `day`; `first_weekday` 0 is Monday, 6 is Sunday."""
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def month_start_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month_start: date) -> date:
    return (month_start.replace(day=1) + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The instants t with start <= t < end, both timezone-aware UTC.

    Raises:
        ValueError: a bound has no time zone, or the window would be empty.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs time zones on both bounds")
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts: {self.start} to {self.end}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @classmethod
    def of_days(cls, first: date, end: date) -> Window:
        """Whole UTC days from `first` up to, not including, `end`."""
        return cls(midnight(first), midnight(end))

    @classmethod
    def of_day(cls, day: date) -> Window:
        return cls.of_days(day, day + DAY)

    @property
    def first_day(self) -> date:
        return self.start.date()

    @property
    def end_day(self) -> date:
        """The first day that lies wholly after the window (exclusive bound for day predicates)."""
        last = self.end.date()
        return last if self.end == midnight(last) else last + DAY

    def days(self) -> list[date]:
        """Every UTC day the window touches, in order."""
        return [self.first_day + timedelta(days=n) for n in range((self.end_day - self.first_day).days)]

    def hours(self) -> Iterator[Window]:
        """The window cut into hours; its bounds are expected to lie on full hours."""
        cursor = self.start
        while cursor < self.end:
            yield Window(cursor, cursor + HOUR)
            cursor += HOUR

    def split(self, days: int) -> Iterator[Window]:
        """Consecutive windows of at most `days` days, together exactly this one."""
        cursor = self.start
        while cursor < self.end:
            end = min(cursor + timedelta(days=days), self.end)
            yield Window(cursor, end)
            cursor = end

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def __str__(self) -> str:
        if self.start == midnight(self.first_day) and self.end == midnight(self.end.date()):
            return f"{self.first_day} to {self.end.date()}"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


def runs_of_days(days: Iterable[date]) -> list[Window]:
    """The days as windows, one for each run of neighbouring days, oldest first."""
    runs: list[Window] = []
    for day in sorted(set(days)):
        if runs and runs[-1].end == midnight(day):
            runs[-1] = Window(runs[-1].start, midnight(day + DAY))
        else:
            runs.append(Window.of_day(day))
    return runs
