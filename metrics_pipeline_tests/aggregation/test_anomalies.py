"""Anomalies against the brute-force oracle, and rule by rule."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.anomalies import build_anomalies, found_on, watched_metrics
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.anomaly_oracle import SERIES, UNITS, anomalies
from metrics_pipeline_tests.aggregation.day_rows import Day, assert_same_rows, table_from
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row

WEDNESDAY = date(2026, 11, 18)
FIRST = WEDNESDAY - timedelta(days=77)
COLUMNS = (
    *("value", "expected", "lowest", "highest", "spread", "z", "days_used", "direction", "is_provisional"),
    "definition_version",
)
WATCHING = Settings(anomaly_metrics=", ".join(UNITS))


def series(metric: str = "views", entity: str = "instagram-1", kind: str = "account") -> list[Day]:
    """Eleven weeks and a day of a quiet series: 300 to 306 views a day, by weekday; 310 on Wednesdays, give or take."""
    rows = []
    for n in range(78):
        day = FIRST + timedelta(days=n)
        value = 310.0 + (n // 7 % 3 - 1) * 5 if day.weekday() == 2 else 300.0 + day.weekday()
        rows.append(Day(day, "acme", "instagram", kind, entity, entity, metric, value=value))
    return rows


def found(memory: MemoryEngine, days: list[Day], settings: Settings = WATCHING, back: int = 14) -> list[Row]:
    memory.clear()
    memory.tables["daily_metrics"] = table_from(days, DAILY_METRICS.schema)
    window = Window.of_days(WEDNESDAY - timedelta(days=back), WEDNESDAY + timedelta(days=1))
    build_anomalies(memory, catalog(), settings, window)
    rows: list[Row] = memory.tables["anomalies"].to_pylist()
    return rows


@st.composite
def day_rows(draw: st.DrawFn) -> list[Day]:
    """Series of counts, levels and rates with gaps, lumps, redefinitions, outliers and constant stretches."""
    rows: list[Day] = []
    for metric in UNITS:
        for kind, entity in (("account", "a"), ("workspace", "acme"), ("creator", "c"), ("post", "p")):
            scale = draw(st.sampled_from((0, 3, 40, 1000)))
            redefined = draw(st.sampled_from((0, 0, 30, 60)))
            chance = random.Random(draw(st.integers(0, 10_000)))
            for n, number in enumerate(chance.choices(range(10), k=78)):
                if number == 9 and n % 3:
                    continue
                row = Day(FIRST + timedelta(days=n), "acme", "x", kind, entity, None, metric)
                value = float(scale + (number if scale != 40 else 0))
                if chance.random() < 0.08:
                    value *= chance.choice((-1, 0, 2, 10))
                row.value = (value / 1000 if metric == "engagement_rate" else value) if number != 8 else None
                row.is_complete = number != 7
                row.is_provisional = n > 70
                row.days_spanned = 2 if number == 6 else 1
                row.definition_version = 2 if redefined and n >= redefined else 1
                rows.append(row)
    return rows


@histories(20)
@given(days=day_rows(), threshold=st.sampled_from((1.0, 4.0)), minimum=st.sampled_from((0.0, 20.0)))
def test_every_anomaly_is_what_its_weekdays_say(
    memory: MemoryEngine, days: list[Day], threshold: float, minimum: float
) -> None:
    settings = Settings(anomaly_metrics=", ".join(UNITS), anomaly_z=threshold, anomaly_minimum=minimum)
    first, end = WEDNESDAY - timedelta(days=14), WEDNESDAY + timedelta(days=1)
    expected = anomalies(days, first, end, threshold, minimum)
    event(f"anomalies: {min(len(expected), 3)} or more")
    assert_same_rows(found(memory, days, settings), expected, ("date", *SERIES), COLUMNS)


def test_a_quiet_series_has_none_and_a_day_that_stands_out_explains_itself(memory: MemoryEngine) -> None:
    days = series()
    assert found(memory, days) == []
    days[-1].value = 1204.0
    (row,) = found(memory, days)
    assert (row["date"], row["direction"], row["days_used"]) == (WEDNESDAY, "up", 8)
    assert row["explanation"] == (
        "Views of account instagram-1 on 2026-11-18 came to 1,204; "
        "the last 8 Wednesdays had a median of 310 (from 305 to 315)"
    )
    assert found_on(memory, Window.of_day(WEDNESDAY)) == {
        "2026-11-18": [f"acme, instagram: {row['explanation']}"],
    }


def test_what_one_weekday_always_does_is_no_anomaly(memory: MemoryEngine) -> None:
    days = series()
    for day in days:
        if day.date.weekday() == 2:
            day.value = 5000.0
    assert found(memory, days) == []


def test_a_constant_series_is_judged_by_the_root_of_its_count(memory: MemoryEngine) -> None:
    days = series()
    for day in days:
        day.value = 400.0
    days[-1].value = 400.0 - 79
    assert found(memory, days) == []
    days[-1].value = 400.0 - 80
    (row,) = found(memory, days)
    assert (row["spread"], row["z"], row["direction"]) == (20.0, -4.0, "down")


def test_small_numbers_are_no_news_however_unusual(memory: MemoryEngine) -> None:
    days = series()
    for day in days:
        day.value = 1.0
    days[-1].value = 20.0
    assert found(memory, days) == []
    assert len(found(memory, days, Settings(anomaly_minimum=19))) == 1


@pytest.mark.parametrize("weeks", [3, 4])
def test_fewer_than_four_weekdays_judge_nothing(memory: MemoryEngine, weeks: int) -> None:
    days = [day for day in series() if day.date >= WEDNESDAY - timedelta(weeks=weeks)]
    days[-1].value = 9999.0
    rows = found(memory, days, back=0)
    assert len(rows) == (weeks == 4)
    assert all("4 of the last 8 Wednesdays" in str(row["explanation"]) for row in rows)


def test_nothing_is_compared_across_a_definition_break(memory: MemoryEngine) -> None:
    days = series()
    for day in days[-20:]:
        day.definition_version, day.value = 2, 9999.0
    assert found(memory, days) == []


def test_incomplete_days_and_differences_over_several_days_are_not_judged(memory: MemoryEngine) -> None:
    for change in ({"is_complete": False}, {"days_spanned": 3}):
        days = series()
        days[-1].value = 9999.0
        assert len(found(memory, days)) == 1
        for name, value in change.items():
            setattr(days[-1], name, value)
        assert found(memory, days) == []


def test_a_day_that_may_be_restated_says_so(memory: MemoryEngine) -> None:
    days = series()
    days[-1].value, days[-1].is_provisional = 9999.0, True
    (row,) = found(memory, days)
    assert row["is_provisional"]
    assert str(row["explanation"]).endswith("the platform may still restate the day")


def test_metrics_are_watched_only_where_somebody_said_so(memory: MemoryEngine) -> None:
    days = series("saves")
    days[-1].value = 9999.0
    assert found(memory, days, Settings()) == []
    assert len(found(memory, days, Settings(anomaly_metrics="saves"))) == 1
    assert {m.name for m in watched_metrics(catalog(), Settings())} == {
        *("views", "impressions", "reach", "engagement", "follower_growth"),
    }
    with pytest.raises(UserError, match="METRICS_ANOMALY_METRICS names 'sves'"):
        watched_metrics(catalog(), Settings(anomaly_metrics="saves, sves"))


def test_a_rebuild_replaces_its_days_and_no_others(memory: MemoryEngine) -> None:
    days = series()
    days[-1].value = days[-8].value = 9999.0
    before = found(memory, days)
    assert len(before) == 2
    build_anomalies(memory, catalog(), WATCHING, Window.of_day(WEDNESDAY))
    assert memory.tables["anomalies"].num_rows == 2
    days[-1].value = 310.0
    memory.tables["daily_metrics"] = table_from(days, DAILY_METRICS.schema)
    build_anomalies(memory, catalog(), WATCHING, Window.of_day(WEDNESDAY))
    assert memory.tables["anomalies"].num_rows == 1
