"""When accounts and posts are due: aligned slots, missed ones made up for, the plan that completeness asks about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.catalog.cadence import DEFAULT, INTERVALS, Cadence, is_due
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import cadence_relation
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR

MONDAY = 0
CADENCE = Cadence.parse(DEFAULT)
HOURS = st.integers(0, 24 * 800).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * HOUR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "days"),
    [
        ("2026-11-18T10:50", 1),  # a Wednesday morning: only what is younger than a day
        ("2026-11-18T11:50", 7),  # every sixth hour
        ("2026-11-18T23:50", 30),  # the hour that closes the day
        ("2026-11-22T23:50", 90),  # a Sunday: it closes the week
        ("2026-11-30T23:50", 90),  # a Monday that closes the month
        ("2026-11-22T22:50", 1),
    ],
)
def test_the_age_that_is_due_grows_towards_the_end_of_days_weeks_and_months(instant: str, days: int) -> None:
    now = at(instant)
    assert CADENCE.post_age(now - HOUR, now, MONDAY) == timedelta(days=days)


def test_a_week_ends_where_the_settings_say() -> None:
    saturday = at("2026-11-21T23:50")
    assert CADENCE.post_age(saturday - HOUR, saturday, MONDAY) == timedelta(days=30)
    assert CADENCE.post_age(saturday - HOUR, saturday, 6) == timedelta(days=90)


def test_an_account_never_read_is_read_whole_and_the_same_hour_is_not_read_twice() -> None:
    now = at("2026-11-18T10:50")
    assert CADENCE.post_age(None, now, MONDAY) == CADENCE.max_age
    assert CADENCE.post_age(at("2026-11-18T10:02"), now, MONDAY) is None


@given(HOURS, st.integers(1, 60))
def test_what_was_missed_is_made_up_for(start: datetime, hours: int) -> None:
    later = start + hours * HOUR
    missed = [CADENCE.post_age(start + n * HOUR, start + (n + 1) * HOUR, MONDAY) for n in range(hours)]
    assert CADENCE.post_age(start, later, MONDAY) == max(age for age in missed if age is not None)


@given(HOURS, st.integers(0, 400), st.sampled_from(sorted(INTERVALS.values())), st.integers(0, 6))
def test_whoever_is_due_everybody_read_more_often_is_due(
    start: datetime, hours: int, interval: int, first_weekday: int
) -> None:
    later = start + hours * HOUR
    if is_due(interval, start, later, first_weekday):
        faster = [other for other in INTERVALS.values() if interval % other == 0]
        assert all(is_due(other, start, later, first_weekday) for other in faster)


@given(HOURS, st.sampled_from([h for h in INTERVALS.values() if h <= 24]))
def test_every_interval_has_a_slot_that_closes_the_day(day: datetime, interval: int) -> None:
    last = day.replace(hour=23)
    assert is_due(interval, last - HOUR, last, MONDAY)
    slots = [h for h in range(24) if is_due(interval, last + h * HOUR, last + (h + 1) * HOUR, MONDAY)]
    assert len(slots) == 24 // interval


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no age"),
        ("1d", "interval"),
        ("1d:5h", "interval"),
        ("soon:1h", "no age such as"),
        ("7d:1h 1d:6h", "rise"),
        ("1d:2h 7d:3h", "multiple"),
        ("1d:1h account:6h", "no age such as"),
        ("account:1w 1d:1h", "no age such as"),
    ],
)
def test_a_text_that_is_no_cadence_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Cadence.parse(text)


def test_settings_change_one_platform_or_all_and_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_CADENCE", '{"x": "1d:6h", "default": "account:12h 2d:1d"}')
    chosen = load_settings().cadence
    platforms = catalog().platforms
    assert platforms["x"].cadence_under(chosen).max_age == timedelta(days=1)
    assert platforms["youtube"].cadence_under(chosen).account_hours == 12
    monkeypatch.setenv("METRICS_CADENCE", '{"x": "1d:5h"}')
    with pytest.raises(UserError, match=r"METRICS_CADENCE cannot be used: .*interval"):
        load_settings()


def test_the_plan_covers_every_age_of_every_platform() -> None:
    rows = cadence_relation(catalog(), {})["reading_cadence"].to_pylist()
    for name, spec in catalog().platforms.items():
        posts = sorted((r["from_hours"], r["to_hours"]) for r in rows if (r["platform"], r["level"]) == (name, "post"))
        assert posts[0][0] == 0
        assert [until for _, until in posts[:-1]] == [start for start, _ in posts[1:]]
        assert posts[-1][1] is None
        account = [r["every_hours"] for r in rows if (r["platform"], r["level"]) == (name, "account")]
        assert account == [spec.cadence_under({}).account_hours]
