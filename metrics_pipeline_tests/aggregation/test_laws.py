"""Laws that hold for every history: whatever the readings, the tables add up and building again changes nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, World, at, day, insight
from metrics_pipeline_tests.aggregation.worlds import DAYS, FIRST, NOW, worlds

TYPES: tuple[EntityType, ...] = ("post", "account", "workspace")
WINDOW = Window.of_days(FIRST, FIRST + timedelta(days=DAYS))
AGGREGATES = ("daily_metrics", "weekly_metrics", "monthly_metrics")
Series = tuple[object, ...]


def build_all(builder: Builder, window: Window = WINDOW) -> None:
    for kind in TYPES:
        builder.daily(kind, window, NOW)
    builder.weekly(window, NOW)
    builder.monthly(window, NOW)


def sorted_tables(memory: MemoryEngine) -> dict[str, pa.Table]:
    return {name: memory.select(f"select * from {name} order by all").read_all() for name in AGGREGATES}


def series(row: Row) -> Series:
    return tuple(row[c] for c in ("workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric"))


@histories(3)
@given(world=worlds())
def test_a_range_is_its_days_and_twice_is_once(memory: MemoryEngine, memory_builder: Builder, world: World) -> None:
    memory.clear()
    world.write(memory)
    build_all(memory_builder)
    built = sorted_tables(memory)

    for kind in TYPES:
        for single in WINDOW.days()[-3:]:
            memory_builder.daily(kind, Window.of_day(single), NOW)
    for n in range(0, DAYS, 7):
        memory_builder.weekly(Window.of_day(FIRST + timedelta(days=n)), NOW)
    memory_builder.monthly(WINDOW, NOW)
    assert sorted_tables(memory) == built


@histories(3)
@given(world=worlds())
def test_days_weeks_and_months_add_up(memory: MemoryEngine, memory_builder: Builder, world: World) -> None:
    memory.clear()
    world.write(memory)
    build_all(memory_builder)
    sums: dict[Series, float] = defaultdict(float)
    for d in memory.tables["daily_metrics"].to_pylist():
        sums[series(d)] += d["value"] or 0
    for table in ("weekly_metrics", "monthly_metrics"):
        totals: dict[Series, float] = defaultdict(float)
        for r in memory.tables[table].to_pylist():
            if r["total"] is not None:
                totals[series(r)] += r["total"]
        assert totals
        for key, total in totals.items():
            assert total == pytest.approx(sums[key])
    for r in memory.tables["monthly_metrics"].to_pylist():
        if r["weekly_breakdown"] is not None:
            parts: list[dict[str, Any]] = json.loads(r["weekly_breakdown"])
            assert sum(p["value"] or 0 for p in parts) == pytest.approx(r["total"] or 0)
            assert sum(p["days_present"] for p in parts) == r["days_present"]


@histories(3)
@given(world=worlds())
def test_a_rate_of_a_whole_is_the_ratio_of_its_sums(
    memory: MemoryEngine, memory_builder: Builder, world: World
) -> None:
    memory.clear()
    world.write(memory)
    build_all(memory_builder)
    daily = [d for d in memory.tables["daily_metrics"].to_pylist() if d["metric"] == "engagement_rate"]
    parts: dict[tuple[Series, date], list[Row]] = defaultdict(list)
    for d in daily:
        if d["numerator"] is not None and d["denominator"] is not None:
            parts[series(d), d["date"] - timedelta(days=d["date"].weekday())].append(d)
    for w in memory.tables["weekly_metrics"].to_pylist():
        if w["metric"] == "engagement_rate":
            mine = parts[series(w), w["week_start"]]
            over, under = (sum(float(str(d[c])) for d in mine) for c in ("numerator", "denominator"))
            assert w["value"] == (pytest.approx(over / under) if under else None)
    accounts = [d for d in daily if d["entity_type"] == "account"]
    for d in daily:
        if d["entity_type"] == "workspace" and d["value"] is not None:
            key = (d["workspace_id"], d["platform"], d["date"])
            members = [a for a in accounts if (a["workspace_id"], a["platform"], a["date"]) == key]
            both = [a for a in members if a["numerator"] is not None and a["denominator"] is not None]
            assert d["value"] == pytest.approx(sum(a["numerator"] for a in both) / sum(a["denominator"] for a in both))


@histories(3)
@given(world=worlds())
def test_what_was_known_then_is_what_is_built_from_the_reads_of_then(
    memory: MemoryEngine, memory_builder: Builder, world: World
) -> None:
    then = at("2026-03-09 12:00")
    memory.clear()
    world.write(memory)
    memory_builder.daily("account", WINDOW, NOW, as_of=then)
    looked_back = _values(memory)

    earlier = World(
        [r for r in world.insights if str(r["read_at"]) <= str(then)],
        [r for r in world.counters if str(r["observed_at"]) <= str(then)],
        world.posts,
        [r for r in world.statuses if str(r["last_read_at"]) <= str(then)],
    )
    memory.clear()
    earlier.write(memory)
    memory_builder.daily("account", WINDOW, NOW)
    assert looked_back == _values(memory)


def _values(memory: MemoryEngine) -> dict[tuple[object, ...], object]:
    rows = memory.tables["daily_metrics"].to_pylist()
    # posts_published comes from the newest listing: a post's age is no reading
    return {(r["date"], *series(r)): r["value"] for r in rows if r["metric"] != "posts_published"}


def test_a_restated_day_changes_every_table_and_the_old_value_stays_readable(engine: Engine, builder: Builder) -> None:
    days = [day("2026-03-02") + timedelta(days=n) for n in range(7)]
    World([insight("likes", d, 10) for d in days]).write(engine)
    build_all(builder)
    first = _lake_values(engine)
    assert first == {"daily": 10, "weekly": 70, "monthly": 70}

    World([insight("likes", days[0], 4, read_at=at("2026-03-06 02:30"))]).write(engine)
    build_all(builder)
    assert _lake_values(engine) == {"daily": 4, "weekly": 64, "monthly": 64}

    with engine.session() as session:
        as_of = session.run(
            "select arg_max(value, read_at) as value from insight_readings "
            "where date = $day and metric = 'likes' and read_at <= $as_of",
            {"day": days[0], "as_of": at("2026-03-05 00:00")},
        ).read_all()
    assert as_of["value"].to_pylist() == [10]
    builder.daily("account", Window.of_day(days[0]), NOW, as_of=at("2026-03-05 00:00"))
    assert _lake_values(engine)["daily"] == 10


def _lake_values(engine: Engine) -> dict[str, object]:
    found: dict[str, object] = {}
    with engine.session() as session:
        for grain, column in (("daily", "date"), ("weekly", "week_start"), ("monthly", "month_start")):
            rows = session.run(
                f"select value from {grain}_metrics where entity_type = 'account' and metric = 'likes' "
                f"order by {column} limit 1"
            ).read_all()
            found[grain] = rows["value"].to_pylist()[0]
    return found


@histories(1)
@given(world=worlds(size=40))
def test_the_lake_holds_what_memory_holds(
    memory: MemoryEngine, memory_builder: Builder, tmp_path_factory: pytest.TempPathFactory, world: World
) -> None:
    from metrics_pipeline.lake.lake import Lake

    memory.clear()
    world.write(memory)
    build_all(memory_builder)

    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    on_disk = Engine(lake)
    world.write(on_disk)
    # a period at a time, whereas memory builds all of them at once
    build_all(Builder(on_disk, memory_builder.catalog, memory_builder.settings, rows_at_once=1))
    with on_disk.session() as session:
        for name, rows in sorted_tables(memory).items():
            assert session.run(f"select * from {name} order by all").read_all() == rows
