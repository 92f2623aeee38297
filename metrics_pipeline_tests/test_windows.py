"""Windows are half-open and UTC; splitting loses and doubles nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.periods import months, weeks
from metrics_pipeline.windows import Window, midnight, next_month, week_start_of

days = st.dates(date(1999, 1, 1), date(2060, 1, 1))


@given(days, st.integers(1, 800), st.integers(1, 90))
def test_a_split_window_is_the_window(first: date, length: int, size: int) -> None:
    window = Window.of_days(first, first + timedelta(days=length))
    parts = list(window.split(size))
    assert parts[0].start == window.start
    assert parts[-1].end == window.end
    assert all(a.end == b.start for a, b in pairwise(parts))
    assert [day for part in parts for day in part.days()] == window.days()


@given(days, st.integers(0, 6))
def test_a_week_starts_on_its_weekday_and_holds_its_day(day: date, weekday: int) -> None:
    start = week_start_of(day, weekday)
    assert start.weekday() == weekday
    assert start <= day < start + timedelta(days=7)


@given(days, st.integers(1, 400), st.integers(0, 6))
def test_periods_cover_the_window_without_overlap(first: date, length: int, weekday: int) -> None:
    end = first + timedelta(days=length)
    for periods in (weeks(first, end, weekday), months(first, end)):
        assert periods[0].start <= first < periods[0].end
        assert periods[-1].start < end <= periods[-1].end
        assert all(a.end == b.start for a, b in pairwise(periods))
        assert all(a.start == b.previous_start for a, b in pairwise(periods))


def test_months_follow_the_calendar() -> None:
    assert next_month(date(2024, 1, 31)) == date(2024, 2, 1)
    assert next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    february = months(date(2024, 2, 10), date(2024, 2, 11))[0]
    assert (february.end - february.start).days == 29
    assert february.previous_start == date(2024, 1, 1)


def test_bounds_need_a_zone_and_an_order() -> None:
    with pytest.raises(ValueError, match="time zones"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC))  # noqa: DTZ001
    with pytest.raises(ValueError, match="end after"):
        Window.of_days(date(2026, 1, 1), date(2026, 1, 1))


def test_other_zones_become_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    window = Window(datetime(2026, 1, 1, tzinfo=berlin), datetime(2026, 1, 2, tzinfo=berlin))
    assert window.days() == [date(2025, 12, 31), date(2026, 1, 1)]
    assert window.contains(midnight(date(2026, 1, 1)))
    assert not window.contains(window.end)
