"""Every growth state of the rollups, and which one counts where several would hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day, state_of, table_from
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row

MONDAY = date(2026, 3, 9)
AFTER = datetime(2026, 6, 1, tzinfo=UTC)
GONE = None
Values = list[float | None]


def days(first: date, values: Values, metric: str, version: int = 1, **columns: object) -> list[Day]:
    """A day per value; None is a day without a row."""
    rows = []
    for n, value in enumerate(values):
        if value is not None:
            row = Day(first + timedelta(days=n), "acme", "x", "account", "c", "c", metric, definition_version=version)
            row.value, row.state = value, state_of(value)
            for name, column in columns.items():
                setattr(row, name, column)
            rows.append(row)
    return rows


def week(builder: Builder, memory: MemoryEngine, rows: list[Day], now: datetime = AFTER) -> Row:
    """The row of the week that starts on MONDAY."""
    memory.clear()
    memory.tables["daily_metrics"] = table_from(rows, DAILY_METRICS.schema)
    builder.weekly(Window.of_days(MONDAY, MONDAY + timedelta(days=7)), now)
    (found,) = (r for r in memory.tables["weekly_metrics"].to_pylist() if r["entity_type"] == "account")
    row: Row = found
    return row


def two_weeks(before: Values, now: Values, metric: str = "likes") -> list[Day]:
    return days(MONDAY - timedelta(days=7), before, metric) + days(MONDAY, now, metric)


FULL: Values = [2.0] * 7
ZERO: Values = [0.0] * 7
LOSS: Values = [-2.0] * 7
HALF: Values = [3.0, 3.0, 3.0, GONE, GONE, GONE, GONE]


@pytest.mark.parametrize(
    ("before", "now", "state", "rate", "compared"),
    [
        (FULL, [3.0] * 7, "ok", 0.5, None),
        (FULL, ZERO, "ok", -1.0, None),
        (FULL, LOSS, "ok", -2.0, None),
        ([], FULL, "no_base", None, None),
        ([], HALF, "no_base", None, None),
        (ZERO, FULL, "new_from_zero", None, None),
        (ZERO, LOSS, "new_from_zero", None, None),
        (ZERO, ZERO, "flat_zero", 0.0, None),
        (LOSS, FULL, "negative_base", None, None),
        (LOSS, ZERO, "negative_base", None, None),
        (FULL, HALF, "partial", 0.5, (9.0, 6.0, 3)),
        (HALF, FULL, "partial", -1 / 3, (6.0, 9.0, 3)),
        (ZERO, HALF, "partial", None, (9.0, 0.0, 3)),
        (LOSS, HALF, "partial", None, (9.0, -6.0, 3)),
        (HALF, [GONE, GONE, GONE, 4.0], "partial", None, None),
    ],
)
def test_states_of_an_additive_metric(
    memory: MemoryEngine,
    memory_builder: Builder,
    before: Values,
    now: Values,
    state: str,
    rate: float | None,
    compared: tuple[float, float, int] | None,
) -> None:
    row = week(memory_builder, memory, two_weeks(before, now))
    assert row["growth_state"] == state
    assert row["growth_rate"] == (None if rate is None else pytest.approx(rate))
    assert (row["compared_value"], row["compared_previous"], row["compared_days"]) == (compared or (None, None, None))
    has_both = row["value"] is not None and row["previous_value"] is not None
    assert row["change"] == (sum(v or 0 for v in now) - sum(v or 0 for v in before) if has_both else None)


KINDS_OF_WEEK: tuple[Values, ...] = ([], FULL, ZERO, LOSS, HALF, [0.0] * 3, [-2.0] * 3)


@pytest.mark.parametrize("before", KINDS_OF_WEEK)
@pytest.mark.parametrize("now", KINDS_OF_WEEK[1:])
def test_every_pair_of_weeks_has_the_state_that_the_rules_say(
    memory: MemoryEngine, memory_builder: Builder, before: Values, now: Values
) -> None:
    """The rules of docs/metrics.md in their order, on every pair of whole and partial, positive, zero and negative."""
    row = week(memory_builder, memory, two_weeks(before, now))
    value, base = sum(v or 0 for v in now), sum(v or 0 for v in before)
    whole = len(before) == len(now) == 7 and None not in (*before, *now)
    both = [(v, b) for v, b in zip(now, before, strict=False) if v is not None and b is not None]
    part, part_base = sum(v for v, _ in both), sum(b for _, b in both)
    rate: float | None = None
    if not before:
        state = "no_base"
    elif not whole:
        state, rate = "partial", (part - part_base) / part_base if part_base > 0 else None
    elif base < 0:
        state = "negative_base"
    elif base == 0:
        state, rate = ("new_from_zero", None) if value else ("flat_zero", 0.0)
    else:
        state, rate = "ok", (value - base) / base
    assert (row["growth_state"], row["value"]) == (state, value)
    assert row["growth_rate"] == (None if rate is None else pytest.approx(rate))
    assert row["change"] == (value - base if before else None)


def test_the_worked_example(memory: MemoryEngine, memory_builder: Builder) -> None:
    # Friday to Sunday 36, 21, 29; then Monday to Sunday with a hole on Wednesday
    before: Values = [GONE, GONE, GONE, GONE, 36.0, 21.0, 29.0]
    row = week(memory_builder, memory, two_weeks(before, [63.0, 62.0, GONE, 74.0, 35.0, 18.0, 18.0], "views"))
    assert (row["value"], row["days_present"], row["change"], row["growth_state"]) == (270, 6, 184, "partial")
    assert (row["compared_value"], row["compared_previous"], row["compared_days"]) == (71, 86, 3)
    assert row["growth_rate"] == pytest.approx(-15 / 86)


@pytest.mark.parametrize(
    ("before", "now", "state", "rate"),
    [
        ([10.0] * 7, [10.0] * 6 + [15.0], "ok", 0.5),
        ([10.0] * 7, [15.0] * 6, "partial", None),  # the closing day is not there
        ([GONE] * 6 + [10.0], [GONE] * 6 + [12.0], "ok", 0.2),  # it is all a level needs
        ([0.0] * 7, [5.0] * 7, "new_from_zero", None),
    ],
)
def test_states_of_a_level(
    memory: MemoryEngine, memory_builder: Builder, before: Values, now: Values, state: str, rate: float | None
) -> None:
    row = week(memory_builder, memory, two_weeks(before, now, "followers"))
    assert (row["growth_state"], row["growth_rate"]) == (state, None if rate is None else pytest.approx(rate))
    assert row["compared_days"] is None


def test_no_value_comes_first(memory: MemoryEngine, memory_builder: Builder) -> None:
    rows = days(MONDAY - timedelta(days=7), FULL, "likes", version=2)
    rows += days(MONDAY, FULL, "likes", value=None, state="failed", is_complete=False)
    row = week(memory_builder, memory, rows)
    assert (row["growth_state"], row["growth_rate"], row["change"]) == ("no_value", None, None)
    assert row["reason"] == "no day has a value"


@pytest.mark.parametrize("now", [FULL, HALF, ZERO])
def test_a_change_of_definition_comes_before_all_but_no_value(
    memory: MemoryEngine, memory_builder: Builder, now: Values
) -> None:
    rows = days(MONDAY - timedelta(days=7), LOSS, "likes") + days(MONDAY, now, "likes", version=2)
    row = week(memory_builder, memory, rows)
    assert (row["growth_state"], row["growth_rate"], row["definition_version"]) == ("definition_changed", None, 2)


def test_a_change_inside_either_period_is_one(memory: MemoryEngine, memory_builder: Builder) -> None:
    inside = days(MONDAY, [2.0] * 3, "likes") + days(MONDAY + timedelta(days=3), [2.0] * 4, "likes", version=2)
    assert week(memory_builder, memory, inside)["growth_state"] == "definition_changed"
    start = MONDAY - timedelta(days=7)
    before = days(start, [2.0] * 3, "likes") + days(start + timedelta(days=3), [2.0] * 4, "likes", version=2)
    row = week(memory_builder, memory, before + days(MONDAY, FULL, "likes", version=2))
    assert row["growth_state"] == "definition_changed"


def test_the_running_week_is_partial_over_the_days_so_far(memory: MemoryEngine, memory_builder: Builder) -> None:
    now = datetime(2026, 3, 12, 9, tzinfo=UTC)
    row = week(memory_builder, memory, two_weeks(FULL, [3.0, 3.0, 3.0]), now)
    assert (row["days_elapsed"], row["days_expected"], row["is_complete"]) == (3, 7, False)
    assert (row["growth_state"], row["growth_rate"], row["compared_days"]) == ("partial", 0.5, 3)


def test_a_gap_is_no_base_though_an_older_week_has_one(memory: MemoryEngine, memory_builder: Builder) -> None:
    rows = days(MONDAY - timedelta(days=14), FULL, "likes") + days(MONDAY, FULL, "likes")
    assert week(memory_builder, memory, rows)["growth_state"] == "no_base"


@pytest.mark.parametrize(("year", "february"), [(2024, 29), (2025, 28)])
def test_months_of_different_length_compare_whole(
    memory: MemoryEngine, memory_builder: Builder, year: int, february: int
) -> None:
    memory.clear()
    rows = days(date(year, 1, 1), [1.0] * 31, "likes") + days(date(year, 2, 1), [2.0] * february, "likes")
    rows += days(date(year, 3, 1), [1.0] * 31, "likes")
    memory.tables["daily_metrics"] = table_from(rows, DAILY_METRICS.schema)
    memory_builder.monthly(Window.of_days(date(year, 2, 1), date(year, 4, 1)), AFTER)
    found = {r["month_start"].month: r for r in memory.tables["monthly_metrics"].to_pylist()}
    assert (found[2]["value"], found[2]["days_expected"], found[2]["is_complete"]) == (2 * february, february, True)
    assert found[2]["growth_rate"] == pytest.approx((2 * february - 31) / 31)
    assert found[3]["growth_rate"] == pytest.approx((31 - 2 * february) / (2 * february))
    assert {r["growth_state"] for r in found.values()} == {"ok"}


def test_a_partial_month_has_no_thirty_first_to_compare(memory: MemoryEngine, memory_builder: Builder) -> None:
    memory.clear()
    rows = days(date(2026, 2, 1), [1.0] * 28, "likes") + days(date(2026, 3, 1), [GONE, *[2.0] * 30], "likes")
    memory.tables["daily_metrics"] = table_from(rows, DAILY_METRICS.schema)
    memory_builder.monthly(Window.of_days(date(2026, 3, 1), date(2026, 4, 1)), AFTER)
    (row,) = memory.tables["monthly_metrics"].to_pylist()
    assert (row["growth_state"], row["compared_days"], row["compared_value"]) == ("partial", 27, 54)


def workspace_week(builder: Builder, memory: MemoryEngine, levels: dict[str, tuple[float | None, float | None]]) -> Row:
    """The workspace's followers where each account has (last week's level, this week's level) on every day."""
    rows = []
    for account, (before, now) in levels.items():
        start = MONDAY - timedelta(days=7)
        for n, level in enumerate([before] * 7 + [now] * 7):
            if level is not None:
                row = Day(start + timedelta(days=n), "acme", "x", "account", account, account, "followers", value=level)
                row.last_read_at = AFTER
                rows.append(row)
    memory.clear()
    memory.tables["daily_metrics"] = table_from(rows, DAILY_METRICS.schema)
    builder.daily("workspace", Window.of_days(MONDAY - timedelta(days=7), MONDAY + timedelta(days=7)), AFTER)
    builder.weekly(Window.of_days(MONDAY, MONDAY + timedelta(days=7)), AFTER)
    found = [r for r in memory.tables["weekly_metrics"].to_pylist() if r["entity_type"] == "workspace"]
    return next(r for r in found if r["platform"] == "x")


def test_a_new_account_is_no_growth(memory: MemoryEngine, memory_builder: Builder) -> None:
    row = workspace_week(memory_builder, memory, {"old": (100.0, 110.0), "new": (None, 900.0)})
    assert (row["value"], row["previous_value"], row["change"]) == (1010, 100, 910)
    assert (row["growth_state"], row["growth_rate"]) == ("ok", pytest.approx(0.1))
    assert (row["compared_value"], row["compared_previous"]) == (110, 100)


def test_a_lost_account_is_no_drop(memory: MemoryEngine, memory_builder: Builder) -> None:
    row = workspace_week(memory_builder, memory, {"stays": (100.0, 110.0), "lost": (900.0, None)})
    assert (row["value"], row["is_complete"], row["growth_state"]) == (1010, False, "partial")


def test_accounts_that_start_from_zero_are_new_from_zero(memory: MemoryEngine, memory_builder: Builder) -> None:
    row = workspace_week(memory_builder, memory, {"a": (0.0, 10.0), "b": (None, 5.0)})
    assert (row["growth_state"], row["growth_rate"]) == ("new_from_zero", None)
