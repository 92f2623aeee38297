"""daily_metrics of platform 'app' against the brute-force oracle, row for row, whatever part of the days is built."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.windows import DAY, Window
from metrics_pipeline_tests.aggregation.day_rows import assert_same_rows
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.messaging.conftest import REPLY_DAYS, SCORE_DAYS, DayEngine
from metrics_pipeline_tests.messaging.oracle import Oracle
from metrics_pipeline_tests.messaging.worlds import FIRST, NOW, World, random_world

KINDS: tuple[EntityType, ...] = ("account", "campaign", "workspace")
KEYS = ("date", "workspace_id", "platform", "entity_type", "entity_id", "metric")
COLUMNS = (
    "account_id", "value", "lifetime_value", "numerator", "denominator", "state", "is_complete", "is_provisional"
)  # fmt: skip
WINDOW = Window.of_days(FIRST + 4 * DAY, FIRST + 28 * DAY)


def put(memory: DayEngine, world: World) -> None:
    memory.clear()
    memory.tables |= world.tables()


def rows_of(table: pa.Table, days: Iterable[date] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return [row for row in rows if days is None or row["date"] in days]


@histories(4)
@given(seed=st.integers(0, 2**32), messages=st.integers(0, 60), offset=st.integers(0, 23))
def test_every_row_is_what_the_messages_say(
    memory: DayEngine, builder: Builder, seed: int, messages: int, offset: int
) -> None:
    world = random_world(seed, messages)
    put(memory, world)
    oracle = Oracle(world, REPLY_DAYS, SCORE_DAYS)

    for kind in KINDS:
        builder.daily(kind, WINDOW, NOW)
        built = memory.tables["daily_metrics"]
        mine = [row for row in rows_of(built) if row["entity_type"] == kind]
        assert_same_rows(mine, oracle.rows(kind, WINDOW.days()), KEYS, COLUMNS)
        builder.daily(kind, Window.of_day(WINDOW.first_day + timedelta(days=offset)), NOW)
        again = memory.tables["daily_metrics"]
        assert sorted(map(str, rows_of(again))) == sorted(map(str, rows_of(built))), "a day alone is a day of a range"
    _assert_laws(rows_of(memory.tables["daily_metrics"]))


def _assert_laws(rows: list[dict[str, Any]]) -> None:
    by = {tuple(row[key] for key in KEYS): row["value"] for row in rows}
    for key, value in by.items():
        if catalog().metrics[key[-1]].unit == "ratio" and value is not None:
            assert 0 <= value <= 1, key
        if key[-1] == "messages_attempted" and value is not None:
            chain = [by[(*key[:-1], f"messages_{name}")] for name in ("replied", "read", "delivered", "sent")]
            assert chain == sorted(chain), key
            assert chain[-1] <= value
