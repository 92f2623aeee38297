"""First-party content as it was known: from the events that had been received, whatever came later."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.as_of_functions import METRIC_TABLES
from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.aggregation.content import ContentBuilder
from metrics_pipeline.connection import attach_all, attach_functions
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.pipeline_start import PipelineStart
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import assert_same_rows
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.content.events import Event, at, day, empty, event, histories_of_events, store

START = PipelineStart(day("2026-03-01"), day("2026-03-01"))
DAY_ONE = START.week(0)
KEYS = ("workspace_id", "platform", "entity_type", "entity_id", "metric")
TYPES: tuple[EntityType, ...] = ("content", "creator", "workspace")


def settings(now: str, events_days: int = 90) -> Settings:
    return Settings(now=now, events_days=events_days)


@histories(1)
@given(events=histories_of_events(), delays=st.lists(st.integers(0, 60), min_size=60, max_size=60))
def test_later_events_are_not_in_the_numbers(
    lake: Lake, content: ContentBuilder, events: list[Event], delays: list[int]
) -> None:
    empty(lake)
    known_at = at("2026-03-03 16:00")
    for row, delay in zip(events, delays, strict=False):
        row["received_at"] = at(f"{row['date']} 00:00") + timedelta(hours=delay)
    is_late = [bool(row["received_at"] > known_at) for row in events]  # type: ignore[operator]
    store(lake, [row for row, late in zip(events, is_late, strict=True) if not late])
    window, end = Window.of_days(DAY_ONE, day("2026-03-04")), at("2026-03-03 16:00")
    content.daily(window, end)
    builder = Builder(content.engine, content.catalog, Settings())
    for kind in TYPES:
        builder.daily(kind, window, end)
    builder.weekly(window, end)
    builder.monthly(Window.of_days(START.month, day("2026-03-04")), end)
    with attach_all(lake) as connection:
        built = {name: connection.sql(f"from {name}").to_arrow_reader().read_all() for name in METRIC_TABLES}

    store(lake, [row for row, late in zip(events, is_late, strict=True) if late])
    with attach_all(lake) as connection:
        attach_functions(connection, lake, settings("2026-03-20T00:00:00Z"), START)
        for name, rows in built.items():
            known = connection.sql(f"from {name}_as_of($at)", params={"at": known_at}).to_arrow_reader().read_all()
            columns = rows.schema.names
            assert_same_rows(known.to_pylist(), rows.to_pylist(), [columns[0], *KEYS], columns)


def test_days_whose_events_are_gone_are_left_out(lake: Lake, content: ContentBuilder) -> None:
    """Also of the week: a sum over the days that are left would pass for the whole."""
    store(lake, [event("like", at(f"2026-03-0{n} 10:00"), f"e{n}") for n in (2, 3, 4)])
    with attach_all(lake) as connection:
        attach_functions(connection, lake, settings("2026-03-20T00:00:00Z", events_days=16), START)
        likes = "where entity_type = 'content' and metric = 'likes' and value = 1 order by 1"
        shown = connection.sql(f"select date from daily_metrics_as_of('2026-03-05') {likes}").fetchall()
        weeks = connection.sql(
            "select value from weekly_metrics_as_of('2026-03-05') where entity_type = 'content' and metric = 'likes'"
        ).fetchall()
    assert shown == [(day("2026-03-04"),)]
    assert weeks == []
