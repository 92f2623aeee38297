"""Periods by the calendar: clocks that change, weeks across years, comparisons, windows, ends of months, today."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.custom_metrics.periods import Calendar, Period, moved, utc_bounds, window_days
from metrics_pipeline.custom_metrics.spans import GRAINS, Grain, Span
from metrics_pipeline_tests.custom_metrics.oracle import earlier, period_of
from metrics_pipeline_tests.custom_metrics.test_rules import ONE, asked, count, event, noon, said
from metrics_pipeline_tests.custom_metrics.worlds import ZONES, Document, Row, Rows

EXAMPLES = settings(max_examples=500 if os.environ.get("PROVE") == "1" else 25, deadline=None)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
WEEKDAYS = st.sampled_from((0, 5, 6))


@given(day=DAYS, grain=st.sampled_from(GRAINS), weekday=WEEKDAYS)
@EXAMPLES
def test_periods_are_those_of_the_calendar(day: date, grain: Grain, weekday: int) -> None:
    found = Calendar(weekday).period(grain, day)
    assert (found.first, found.end) == period_of(grain, day, weekday)
    assert found.first <= day < found.end
    assert Calendar(weekday).periods(grain, day, day + ONE) == [found]


@given(day=DAYS, count=st.integers(1, 60), unit=st.sampled_from(("day", "week", "month", "quarter", "year")))
@EXAMPLES
def test_spans_go_back_by_the_calendar(day: date, count: int, unit: str) -> None:
    try:
        span = Span.parse(f"{count} {unit}s")
    except ValueError:
        assert count * {"day": 1, "week": 7, "month": 30.5, "quarter": 91.5, "year": 366}[unit] > 1829
        return
    assert span.before(day) == earlier(day, f"{count} {unit}")
    assert (day - span.before(day)).days <= span.longest_days
    assert window_days(day, span).end == day + ONE


def test_five_years_are_the_longest_window() -> None:
    assert [Span.parse(text).longest_days for text in ("5 years", "60 months", "20 quarters", "1830 days")] == [
        1830
    ] * 4
    for text in ("6 years", "61 months", "262 weeks", "1831 days", "0 days", "1 hour", "-1 day", "1.5 days", ""):
        with pytest.raises(ValueError, match=r"write a number and a unit|at most five years"):
            Span.parse(text)


@given(
    day=DAYS,
    grain=st.sampled_from(GRAINS),
    text=st.sampled_from(("1 day", "28 days", "364 days", "1 week", "52 weeks", "1 month", "1 quarter", "1 year")),
    weekday=WEEKDAYS,
)
@EXAMPLES
def test_a_period_that_is_moved_is_a_period_or_refused(day: date, grain: Grain, text: str, weekday: int) -> None:
    calendar, span = Calendar(weekday), Span.parse(text)
    period = calendar.period(grain, day)
    if span.fits(grain):
        found = moved(period, span, grain)
        assert found == calendar.period(grain, found.first)
    else:
        with pytest.raises(ValueError, match="moved by this offset is no"):
            moved(period, span, grain)


@pytest.mark.parametrize(
    ("last", "window", "first"),
    [
        (date(2024, 3, 30), "30 days", date(2024, 3, 1)),
        (date(2024, 2, 29), "1 year", date(2023, 3, 1)),
        (date(2023, 2, 28), "1 month", date(2023, 2, 1)),
        (date(2024, 2, 28), "1 month", date(2024, 1, 29)),
        (date(2025, 3, 30), "1 month", date(2025, 2, 28)),
        (date(2025, 1, 1), "1 week", date(2024, 12, 26)),
    ],
)
def test_windows_end_with_the_day_they_are_asked_for(last: date, window: str, first: date) -> None:
    assert window_days(last, Span.parse(window)) == Period(first, last + ONE)


def test_weeks_are_named_by_their_first_day_also_across_years() -> None:
    monday, sunday = Calendar(0), Calendar(6)
    assert monday.period("week", date(2027, 1, 1)) == Period(date(2026, 12, 28), date(2027, 1, 4))  # ISO 2026-W53
    assert monday.period("week", date(2024, 12, 30)) == Period(date(2024, 12, 30), date(2025, 1, 6))  # ISO 2025-W01
    assert sunday.period("week", date(2025, 1, 4)) == Period(date(2024, 12, 29), date(2025, 1, 5))
    assert sunday.period("week", date(2025, 1, 5)) == Period(date(2025, 1, 5), date(2025, 1, 12))


@given(day=DAYS, zone=st.sampled_from(ZONES))
@EXAMPLES
def test_a_day_of_a_zone_lies_in_these_utc_days(day: date, zone: str) -> None:
    first, end, ends = utc_bounds(day, zone)
    last = ends - timedelta(microseconds=1)
    assert last.astimezone(ZoneInfo(zone)).date() == day
    assert ends.astimezone(ZoneInfo(zone)).date() == day + ONE
    assert last.date() == end - ONE
    assert (end - first).days in ((1,) if zone == "UTC" else (1, 2))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("America/New_York", date(2025, 3, 9), 23),
        ("America/New_York", date(2025, 11, 2), 25),
        ("Asia/Kathmandu", date(2025, 3, 30), 24),
        ("Australia/Lord_Howe", date(2025, 4, 6), 24.5),
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
    ],
)
def test_a_day_has_as_many_hours_as_it_has(tmp_path: Path, zone: str, day: date, hours: float) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * ONE
    rows: Rows = {"events": [event(start + timedelta(minutes=15 * n)) for n in range(4 * 24 * 5)]}
    found = asked(tmp_path, rows, {"base": count()}, "day", day - ONE, day + 2 * ONE, zone=zone)
    assert said(found, "value") == [96, 4 * hours, 96]


def test_a_year_of_weeks_compares_the_same_weekday(tmp_path: Path) -> None:
    day = date(2025, 3, 2)  # a Sunday; 364 days before lies behind a leap day
    rows: Rows = {
        "events": [event(noon(day))] * 6 + [event(noon(day - 364 * ONE))] * 4 + [event(noon(date(2024, 3, 2)))]
    }
    inputs = [{"name": "base", "alias": "now"}, {"name": "base", "alias": "prev", "offset_window": "364 days"}]
    growth: Document = {"name": "growth", "type": "derived", "expr": "(now - prev) / prev", "input_metrics": inputs}
    found = asked(tmp_path / "d", rows, {"base": count(), "growth": growth}, "day", day, day + ONE)
    assert said(found, "value") == [0.5]
    inputs[1]["offset_window"] = "52 weeks"
    # the week of Monday, February 24 against that of February 26, with Saturday, March 2 in it
    weeks = asked(tmp_path / "w", rows, {"base": count(), "growth": growth}, "week", day, day + ONE)
    assert said(weeks, "value") == [pytest.approx((6 - 5) / 5)]


def test_the_first_thirty_days_are_not_complete(tmp_path: Path) -> None:
    first = date(2025, 3, 1)
    rows: Rows = {"events": [event(noon(first + n * ONE), user_id=f"u{n}") for n in range(40)]}
    documents: dict[str, Document] = {
        "base": count(agg="count_distinct", expr="user_id"),
        "wide": {"name": "wide", "type": "cumulative", "input_metric": "base", "window": "30 days"},
    }
    found = asked(tmp_path, rows, documents, "day", first, first + 40 * ONE, known_from=first)
    assert said(found, "value") == [min(n + 1, 30) for n in range(40)]
    assert said(found, "is_complete") == [n >= 29 for n in range(40)]


def test_a_period_that_runs_is_not_complete_and_one_to_come_is_not_there(tmp_path: Path) -> None:
    today = date(2025, 3, 5)
    rows: Rows = {"events": [event(noon(today - ONE)), event(noon(today))]}
    filled = count(fill_nulls_with=0)
    days = asked(tmp_path / "day", rows, {"base": filled}, "day", today - 2 * ONE, today + 3 * ONE, today=today)
    assert said(days, "value", "state", "is_complete") == [(0, "zero", True), (1, "value", True), (1, "value", False)]
    weeks = asked(tmp_path / "week", rows, {"base": filled}, "week", today, today + ONE, today=today)
    assert said(weeks, "value", "is_complete") == [(2, False)]
    # an offset forward in nothing: the quarter before collection began was never told of
    before = asked(tmp_path / "b", rows, {"base": filled}, "day", today - ONE, today, known_from=today, today=today)
    assert said(before, "value", "is_complete") == [(1, False)]
    empty = asked(tmp_path / "e", {"events": []}, {"base": filled}, "day", today - ONE, today, known_from=today)
    assert said(empty, "value", "state", "is_complete") == [(None, "no_data", False)]


def test_no_rows_are_not_zero_and_by_zero_is_said(tmp_path: Path) -> None:
    day = date(2025, 3, 5)
    rows: Rows = {
        "events": [
            event(noon(day), event_type="unlike", watch_time=0.0),
            event(noon(day), event_type="unlike", watch_time=None),
            event(noon(day), event_type="like", watch_time=None),
        ]
    }
    net = "case when event_type = 'like' then 1 when event_type = 'unlike' then -1 else 0 end"
    base: dict[str, Document] = {
        "likes": count(agg="sum", expr=net) | {"name": "likes"},
        "watched": count(agg="sum", expr="watch_time") | {"name": "watched"},
        "rate": {"name": "rate", "type": "ratio", "numerator": "likes", "denominator": "watched"},
        "other": {
            "name": "other",
            "type": "derived",
            "expr": "likes / watched",
            "input_metrics": ["likes", "watched"],
        },
    }

    def state(name: str, first: date = day) -> list[object]:
        documents = {key: base[key] for key in base if key != name} | {name: base[name]}
        names = ("value", "state", "numerator", "denominator")
        return said(asked(tmp_path / f"{name}{first}", rows, documents, "day", first, first + ONE), *names)

    assert state("likes") == [(-1, "value", None, None)], "a net may be negative"
    assert state("watched") == [(0, "zero", None, None)]
    assert state("rate") == [(None, "zero_denominator", -1, 0)]
    assert state("other") == [(None, "undefined", None, None)]
    for name in base:
        assert state(name, day + ONE) == [(None, "no_data", None, None)]


def test_an_estimate_of_distinct_values_is_within_its_bound(tmp_path: Path) -> None:
    day = date(2025, 3, 5)
    rows: list[Row] = [event(noon(day), user_id=f"user-{n}", country=f"c{n % 3}") for n in range(6_000)]
    document = count(agg="count_distinct", expr="user_id", approximate=True)
    found = asked(tmp_path, {"events": rows}, {"base": document}, "day", day, day + ONE, dimensions=("country",))
    assert [value for value in said(found, "value") if abs(value / 2_000 - 1) > 0.08] == []


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_a_sum_is_that_of_its_parts_and_of_its_days(tmp_path: Path, zone: str) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows: Rows = {
        "events": [
            event(start + n * timedelta(hours=5, minutes=7), loop_count=n % 11 - 4, country=("DE", "AT", None)[n % 3])
            for n in range(300)
        ]
    }
    documents = {"base": count(agg="sum", expr="loop_count")}
    months = asked(tmp_path / "m", rows, documents, "month", date(2024, 12, 1), date(2025, 4, 1), zone=zone)
    totals = [value or 0 for value in said(months, "value")]
    days = asked(tmp_path / "d", rows, documents, "day", date(2024, 12, 1), date(2025, 4, 1), zone=zone)
    firsts = [date(2024, 12, 1) + n * ONE for n in said(days, "period")]
    for number, total in enumerate(totals):
        month = 12 if number == 0 else number
        mine = [value or 0 for value, first in zip(said(days, "value"), firsts, strict=True) if first.month == month]
        assert sum(mine) == total
    parts = asked(
        tmp_path / "p",
        rows,
        documents,
        "month",
        date(2024, 12, 1),
        date(2025, 4, 1),
        zone=zone,
        dimensions=("country",),
    )
    for number, total in enumerate(totals):
        assert sum(value for period, value in said(parts, "period", "value") if period == number) == total
    assert sum(totals) == sum(n % 11 - 4 for n in range(300))
