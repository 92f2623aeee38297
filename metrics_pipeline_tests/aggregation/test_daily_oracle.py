"""daily_metrics of posts and accounts against the brute-force oracle, row for row."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

from hypothesis import given

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.daily_oracle import account_days, post_days
from metrics_pipeline_tests.aggregation.day_rows import Day, assert_same_rows, days_from
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.measured_oracle import Moment
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import World
from metrics_pipeline_tests.aggregation.worlds import DAYS, FIRST, NOW, worlds

KEYS = ("date", "workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric")
COLUMNS = [f.name for f in fields(Day) if f.name not in KEYS]
WINDOW = Window.of_days(FIRST + timedelta(days=2), FIRST + timedelta(days=DAYS))


@histories(5)
@given(world=worlds())
def test_every_row_is_what_its_readings_say(memory: MemoryEngine, memory_builder: Builder, world: World) -> None:
    memory.clear()
    world.write(memory)
    memory_builder.daily("post", WINDOW, NOW)
    memory_builder.daily("account", WINDOW, NOW)

    moment = Moment(NOW, NOW)
    days = WINDOW.days()
    expected = post_days(world, catalog(), days, moment) + account_days(world, catalog(), days, moment)
    actual = days_from(memory.tables["daily_metrics"])
    assert_same_rows(map(vars, actual), map(vars, expected), KEYS, COLUMNS)
