"""The checks of sql/checks/ find what is planted, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.aggregation.coverage import coverage
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, World, day, insight, rows_of, status
from metrics_pipeline_tests.aggregation.worlds import DAYS, FIRST, NOW, worlds

TYPES: tuple[EntityType, ...] = ("post", "account", "workspace")
GRAINS = ("weekly", "monthly")
ROLLUP_CHECKS = [f"{g}_{check}" for g in GRAINS for check in ("keys_unique", "sums_match_days", "growth_recomputed")]
EVER = {"start": date(1970, 1, 1), "end": date(9999, 1, 1)}


def offenders(memory: MemoryEngine, check: str, entity_type: str = "account") -> list[Row]:
    rows: list[Row] = memory.query(f"checks/{check}.sql", {**EVER, "entity_type": entity_type}).to_pylist()
    return rows


def build(builder: Builder, window: Window) -> None:
    for kind in TYPES:
        builder.daily(kind, window, NOW)
    builder.weekly(window, NOW)
    builder.monthly(window, NOW)


@histories(3)
@given(world=worlds())
def test_nothing_is_found_where_nothing_is_wrong(memory: MemoryEngine, memory_builder: Builder, world: World) -> None:
    memory.clear()
    world.write(memory)
    build(memory_builder, Window.of_days(FIRST, FIRST + timedelta(days=DAYS)))
    for kind in TYPES:
        assert offenders(memory, "daily_keys_unique", kind) == []
    for check in ROLLUP_CHECKS:
        assert offenders(memory, check) == []


@pytest.fixture
def two_periods(memory: MemoryEngine, memory_builder: Builder) -> MemoryEngine:
    """Two whole months and the weeks in them: likes 10 a day, then 12; views with a hole."""
    first = day("2026-01-01")
    days = [first + timedelta(days=n) for n in range(59)]
    World(
        [insight("likes", d, 10 if d.month == 1 else 12) for d in days]
        + [insight("views", d, 100) for d in days if d.day != 20]
    ).write(memory)
    build(memory_builder, Window.of_days(first, first + timedelta(days=59)))
    return memory


def plant(memory: MemoryEngine, table: str, change: Callable[[Row], None], **where: object) -> None:
    """Change the last row that matches."""
    rows = memory.tables[table].to_pylist()
    found = [r for r in rows if all(r[c] == v for c, v in where.items()) and r["entity_type"] == "account"]
    change(found[-1])
    memory.tables[table] = rows_of(table, rows)


def test_the_data_is_good_before_anything_is_planted(two_periods: MemoryEngine) -> None:
    assert [c for c in ROLLUP_CHECKS if offenders(two_periods, c)] == []


@pytest.mark.parametrize("table", ["daily_metrics", "weekly_metrics", "monthly_metrics"])
def test_a_doubled_row_is_found(two_periods: MemoryEngine, table: str) -> None:
    rows = two_periods.tables[table].to_pylist()
    doubled = next(r for r in rows if r["entity_type"] == "account")
    two_periods.tables[table] = rows_of(table, [*rows, doubled])
    (found,) = offenders(two_periods, f"{table.removesuffix('_metrics')}_keys_unique")
    assert (found["metric"], found["rows"]) == (doubled["metric"], 2)


@pytest.mark.parametrize("grain", GRAINS)
def test_a_wrong_total_is_found(two_periods: MemoryEngine, grain: str) -> None:
    plant(two_periods, f"{grain}_metrics", lambda r: r.update(total=1.0), metric="likes")
    (found,) = offenders(two_periods, f"{grain}_sums_match_days")
    assert (found["metric"], found["total"]) == ("likes", 1.0)


@pytest.mark.parametrize("grain", GRAINS)
def test_a_total_whose_days_are_gone_is_found(two_periods: MemoryEngine, grain: str) -> None:
    two_periods.tables["daily_metrics"] = TABLES["daily_metrics"].schema.empty_table()
    rollup = two_periods.tables[f"{grain}_metrics"]
    assert len(offenders(two_periods, f"{grain}_sums_match_days")) == rollup.num_rows - rollup["total"].null_count


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize(
    ("metric", "change"),
    [
        ("likes", {"growth_rate": 0.9}),
        ("likes", {"growth_rate": None}),
        ("likes", {"growth_rate": float("inf")}),
        ("likes", {"growth_state": "new_from_zero"}),
        ("likes", {"change": 1.0}),
        ("likes", {"previous_value": 1.0}),
    ],
)
def test_wrong_growth_is_found(two_periods: MemoryEngine, grain: str, metric: str, change: Row) -> None:
    plant(two_periods, f"{grain}_metrics", lambda r: r.update(change), metric=metric, growth_state="ok")
    assert {r["metric"] for r in offenders(two_periods, f"{grain}_growth_recomputed")} == {metric}


@pytest.mark.parametrize("grain", GRAINS)
def test_a_wrong_rate_over_some_days_is_found(two_periods: MemoryEngine, grain: str) -> None:
    plant(two_periods, f"{grain}_metrics", lambda r: r.update(growth_rate=0.9), metric="views", growth_state="partial")
    assert [r["metric"] for r in offenders(two_periods, f"{grain}_growth_recomputed")] == ["views"]


def test_failures_that_need_somebody_are_told_once_per_reason(memory: MemoryEngine, memory_builder: Builder) -> None:
    days = [day("2026-03-02"), day("2026-03-03")]
    world = World(statuses=[status(m, d, "failed", reason="token gone") for d in days for m in ("likes", "views")])
    world.statuses.append(status("saves", days[0], "not_supported"))
    world.write(memory)
    memory_builder.daily("account", Window.of_days(days[0], days[1] + timedelta(days=1)), NOW)
    rows = memory.query(
        "checks/daily_missing.sql", {**EVER, "entity_type": "account", "today": day("2026-04-01")}
    ).to_pylist()
    assert [(r["state"], r["reason"], r["metrics"], r["days"]) for r in rows] == [("failed", "token gone", 2, 2)]


def test_coverage_counts_rows_with_a_value_per_partition(memory: MemoryEngine, memory_builder: Builder) -> None:
    measured = day("2026-03-02")
    World([insight("views", measured, 5)], statuses=[status("reach", measured, "failed")]).write(memory)
    window = Window.of_day(measured)
    memory_builder.daily("account", window, NOW)
    found = coverage(memory, "daily_metrics", "account", window)
    assert (found.rows, found.ratio, found.complete) == (2, 0.5, 1)
    assert list(found.per_partition) == ["2026-03-02"]
