"""Every table of content against the brute-force oracle: any order, any split, repeated ids, bots, midnights."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.content import DAY_TABLES, ContentBuilder
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import assert_same_rows
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.content.events import FIRST, Event, attributes, empty, histories_of_events, store
from metrics_pipeline_tests.content.oracle import COUNTS, Oracle

WINDOW = Window.of_days(FIRST.date(), FIRST.date() + timedelta(days=4))
NOW = FIRST + timedelta(days=6)


def rows_of(builder: ContentBuilder, table: str) -> list[dict[str, Any]]:
    with builder.engine.session() as session:
        return session.run(f"select * from {table} order by all").read_all().to_pylist()


def build(builder: ContentBuilder) -> None:
    builder.hourly(WINDOW, NOW)
    builder.daily(WINDOW, NOW)


def assert_tables(builder: ContentBuilder, oracle: Oracle) -> None:
    for table in ("content_hourly", *DAY_TABLES):
        spec = TABLES[table]
        columns = [c.name for c in spec.columns if c.name not in spec.keys]
        assert_same_rows(rows_of(builder, table), getattr(oracle, table)(), spec.keys, columns)


@histories(12)
@given(events=histories_of_events(), known=attributes(), view_max=st.sampled_from((24, 24, 1, 30)), seed=st.integers())
def test_every_table_is_what_its_events_say(
    content: ContentBuilder, lake: Lake, events: list[Event], known: list[Event], view_max: int, seed: int
) -> None:
    empty(lake)
    rng = random.Random(seed)
    again = [e | {"received_at": NOW, "content_id": "c2"} for e in events if rng.random() < 0.1]
    arriving = [*events, *again]
    rng.shuffle(arriving)
    cut = rng.randrange(len(arriving) + 1)
    builder = ContentBuilder(
        content.engine, content.catalog, content.settings.model_copy(update={"view_max_hours": view_max})
    )

    store(lake, arriving[:cut], known)
    build(builder)
    store(lake, arriving[cut:])
    build(builder)

    oracle = Oracle(arriving, known, timedelta(hours=view_max))
    assert_tables(builder, oracle)
    orphans: dict[tuple[str, object], int] = {}
    for e in oracle.orphans:
        key = e["workspace_id"], e["date"]
        orphans[key] = orphans.get(key, 0) + 1
    told = {(r["workspace_id"], r["date"]): r["orphans"] for r in builder.orphans(WINDOW).to_pylist()}
    assert told == orphans
    first, end = FIRST, FIRST + timedelta(days=3)
    uniques = builder.unique_viewers(Window.of_days(first.date(), end.date())).to_pylist()
    found = {(r["workspace_id"], r["entity_type"], r["entity_id"]): r["unique_viewers"] for r in uniques}
    assert found == oracle.unique_viewers(first, end)


@histories(2)
@given(events=histories_of_events())
def test_a_day_is_the_sum_of_its_hours_to_the_last_digit(
    content: ContentBuilder, lake: Lake, events: list[Event]
) -> None:
    empty(lake)
    store(lake, events)
    build(content)
    sums = ", ".join(f"{'stable_sum' if c == 'watch_time_seconds' else 'sum'}({c})::double" for c in COUNTS)
    days = ", ".join(f"{c}::double" for c in COUNTS)
    with content.engine.session() as session:
        hours = session.run(
            f"select date, workspace_id, content_id, {sums} from content_hourly group by all order by 1, 2, 3"
        ).read_all()
        whole = session.run(
            f"select date, workspace_id, content_id, {days} from content_daily order by 1, 2, 3"
        ).read_all()
    assert [list(r.values()) for r in hours.to_pylist()] == [list(r.values()) for r in whole.to_pylist()]


@histories(2)
@given(events=histories_of_events())
def test_a_range_is_its_days_and_twice_is_once(content: ContentBuilder, lake: Lake, events: list[Event]) -> None:
    empty(lake)
    store(lake, events)
    build(content)
    whole = {t: rows_of(content, t) for t in ("content_hourly", *DAY_TABLES)}
    for single in reversed(WINDOW.days()):
        content.daily(Window.of_day(single), NOW)
        content.hourly(Window.of_day(single), NOW)
    assert {t: rows_of(content, t) for t in ("content_hourly", *DAY_TABLES)} == whole
