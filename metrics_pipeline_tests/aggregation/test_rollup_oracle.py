"""weekly_metrics and monthly_metrics against the brute-force oracle, over random days."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.settings import Settings
from metrics_pipeline.settings.stores import WEEKDAYS
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day, assert_same_rows, state_of, table_from
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, insight, rows_of
from metrics_pipeline_tests.aggregation.rollup_oracle import Rollup, Span, breakdown, month_of, week_of

KEYS = ("start", "workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric")
COLUMNS = (
    *("value", "total", "daily_average", "minimum", "maximum", "first", "last", "previous_value", "change"),
    *("growth_rate", "growth_state", "compared_value", "compared_previous", "compared_days", "days_present"),
    *("days_expected", "days_elapsed", "is_complete", "is_provisional", "definition_version", "approximate"),
)
FIRST = date(2024, 2, 12)  # a Monday; the span holds a leap day and parts of three months
DAYS = 35
TODAY = FIRST + timedelta(days=31)
ENTITIES = (("acme", "instagram", "account", "a", "a"), ("acme", "x", "account", "c", "c"),
            ("acme", "instagram", "workspace", "acme", None), ("acme", "all", "workspace", "acme", None),
            ("acme", "instagram", "post", "p1", "a"))  # fmt: skip
METRICS = ("likes", "followers", "reach", "engagement_rate")


@st.composite
def day_rows(draw: st.DrawFn) -> list[Day]:
    """Series of all kinds, some whole and some with holes, some redefined on the way."""
    rows: list[Day] = []
    for workspace, platform, kind, name, account in ENTITIES:
        for metric in METRICS:
            presence, redefined = draw(st.sampled_from((0, 3, 30))), draw(st.sampled_from((0, 0, 0, 0, 9, 22)))
            low = draw(st.sampled_from((-6, 0, 0, 1, 5)))
            numbers = draw(st.lists(st.integers(0, 6), min_size=DAYS, max_size=DAYS))
            for n, number in enumerate(numbers):
                if presence and not (n * 7 + number) % presence:
                    continue
                row = Day(FIRST + timedelta(days=n), workspace, platform, kind, name, account, metric)
                row.value = float(low + number) if presence == 30 or number else None
                row.definition_version = 2 if redefined and n >= redefined else 1
                row.days_spanned = 3 if number == 5 else 1
                row.is_complete = row.value is not None and (presence != 3 or number != 1)
                row.is_provisional, row.last_read_at = number == 2, datetime(2024, 4, 1, tzinfo=UTC)
                if metric == "engagement_rate":
                    row.numerator, row.denominator = float(number), float(max(0, 4 - number))
                    row.value = number / row.denominator if row.denominator else None
                    if number == 6:
                        row.denominator = None
                row.state = "unknown" if row.value is None else state_of(row.value)
                rows.append(row)
    return rows


@st.composite
def window_reads(draw: st.DrawFn) -> list[Row]:
    """Reach over whole weeks and months, read again and imported."""
    ends = [("P7D", FIRST + timedelta(days=n)) for n in (6, 13, 20, 27)] + [("P1M", date(2024, 2, 29))]
    reads = {}
    for _ in range(draw(st.integers(0, 10))):
        window, last = draw(st.sampled_from(ends))
        source, hour = draw(st.sampled_from(("fetched", "import"))), draw(st.integers(1, 4))
        read_at = datetime(2024, 4, 2, hour, tzinfo=UTC)
        value = draw(st.integers(0, 50))
        reads[window, last, source, hour] = insight(
            "reach", last, value, read_at=read_at, account="a", workspace="acme", window=window, source=source
        )
    return list(reads.values())


def load(memory: MemoryEngine, days: list[Day], windows: list[Row]) -> None:
    memory.clear()
    memory.tables["daily_metrics"] = table_from(days, DAILY_METRICS.schema)
    memory.tables["insight_readings"] = rows_of("insight_readings", windows)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@histories(8)
@given(days=day_rows(), windows=window_reads(), first_weekday=st.integers(0, 6))
def test_every_week_is_what_its_days_say(
    memory: MemoryEngine, days: list[Day], windows: list[Row], first_weekday: int
) -> None:
    load(memory, days, windows)
    builder = Builder(memory, catalog(), Settings(week_start=WEEKDAYS[first_weekday]))
    builder.weekly(Window.of_days(FIRST, FIRST + timedelta(days=DAYS)), noon(TODAY))

    oracle = Rollup(days, windows, catalog(), TODAY)
    spans = []
    span = week_of(FIRST, first_weekday)
    while span.start < FIRST + timedelta(days=DAYS):
        spans.append(span)
        span = week_of(span.end, first_weekday)
    expected = [r for s in spans for r in oracle.rows(s, week_of(s.start - timedelta(days=1), first_weekday), "P7D")]
    actual = [{**r, "start": r["week_start"]} for r in memory.tables["weekly_metrics"].to_pylist()]
    assert_same_rows(actual, expected, KEYS, COLUMNS)


@histories(8)
@given(days=day_rows(), windows=window_reads(), first_weekday=st.sampled_from((0, 0, 3, 6)))
def test_every_month_is_what_its_days_say(
    memory: MemoryEngine, days: list[Day], windows: list[Row], first_weekday: int
) -> None:
    load(memory, days, windows)
    builder = Builder(memory, catalog(), Settings(week_start=WEEKDAYS[first_weekday]))
    builder.monthly(Window.of_days(date(2024, 2, 1), date(2024, 4, 1)), noon(TODAY))

    oracle = Rollup(days, windows, catalog(), TODAY)
    spans = [month_of(date(2024, 2, 1)), month_of(date(2024, 3, 1))]
    before = [month_of(date(2024, 1, 1)), spans[0]]
    expected = [r for s, p in zip(spans, before, strict=True) for r in oracle.rows(s, p, "P1M")]
    for row in expected:
        mine = [d for d in days if all(getattr(d, c) == row[c] for c in KEYS[1:])]
        month = month_of(row["start"])
        is_additive = catalog().metrics[row["metric"]].additivity == "additive"
        row["parts"] = breakdown(mine, month, first_weekday) if is_additive else None
    actual = []
    for r in memory.tables["monthly_metrics"].to_pylist():
        text = r["weekly_breakdown"]
        actual.append({**r, "start": r["month_start"], "parts": json.loads(text) if text else None})
    assert_same_rows(actual, expected, KEYS, (*COLUMNS, "parts"))


@pytest.mark.parametrize("first_weekday", range(7))
def test_a_week_starts_where_the_setting_says(memory: MemoryEngine, first_weekday: int) -> None:
    days = [Day(FIRST + timedelta(days=n), "acme", "x", "account", "c", "c", "likes", value=1.0) for n in range(14)]
    load(memory, days, [])
    builder = Builder(memory, catalog(), Settings(week_start=WEEKDAYS[first_weekday]))
    builder.weekly(Window.of_days(FIRST, FIRST + timedelta(days=14)), noon(TODAY))
    rows = memory.tables["weekly_metrics"].to_pylist()
    assert {r["week_start"].weekday() for r in rows} == {first_weekday}
    assert sum(r["total"] for r in rows) == 14


def test_spans_are_whole() -> None:
    assert len(month_of(date(2024, 2, 10)).days) == 29
    assert week_of(date(2024, 2, 29), 6) == Span(date(2024, 2, 25), date(2024, 3, 3))
