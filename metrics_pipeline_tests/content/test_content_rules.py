"""The rules of views one by one, and what a build reads and writes."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.content import DAY_TABLES, ContentBuilder
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.content.events import FIRST, Event, at, day, empty, event, histories_of_events, store

DAY = day("2026-03-03")
NOW = at("2026-03-10 00:00")


def build(content: ContentBuilder) -> None:
    window = Window.of_days(day("2026-03-01"), day("2026-03-06"))
    content.hourly(window, NOW)
    content.daily(window, NOW)


def hours(content: ContentBuilder) -> dict[tuple[Any, ...], dict[str, Any]]:
    with content.engine.session() as session:
        rows = session.run("select * from content_hourly").read_all().to_pylist()
    return {(f"{r['date']} {r['hour']:02}", r["workspace_id"], r["content_id"]): r for r in rows}


def only_hour(content: ContentBuilder) -> dict[str, Any]:
    build(content)
    (row,) = hours(content).values()
    return row


def view(*events: tuple[str, str, dict[str, object]]) -> list[Event]:
    """Events of one session and content: (type, time on 3 March, values)."""
    return [event(kind, at(f"2026-03-03 {when}"), f"e{n}", **values) for n, (kind, when, values) in enumerate(events)]


START: tuple[str, str, dict[str, object]] = ("view_start", "10:00", {})


@pytest.mark.parametrize(
    ("told", "seconds", "loops"),
    [
        ([{"watch_time": 4.0}, {"watch_time": 5.0}], 9, 0),
        ([{"total_watch_time": 4.0}, {"total_watch_time": 3.0}, {"watch_time": 50.0}], 4, 0),
        ([{"watch_time": -4.0}], 0, 0),
        ([{"total_watch_time": 99.0, "duration": 30.0}], 30, 0),
        ([{"total_watch_time": 99.0, "duration": 30.0, "loop_count": 2}], 90, 2),
        ([{"total_watch_time": 99.0, "duration": 30.0, "completion_percent": 210.0}], 90, 2),
        ([{"total_watch_time": 99.0, "duration": 0.0}], 99, 0),
        ([{}], 0, 0),
    ],
)
def test_watch_time(
    content: ContentBuilder, lake: Lake, told: list[dict[str, object]], seconds: float, loops: int
) -> None:
    store(lake, view(START, *[("view_progress", f"10:{n + 1:02}", values) for n, values in enumerate(told)]))
    row = only_hour(content)
    assert (row["watch_time_seconds"], row["loops"]) == (seconds, loops)


@pytest.mark.parametrize(
    ("told", "bucket"),
    [
        ({"progress": 0.99}, "completed_full"),
        ({"progress": 0.9899}, "over_75"),
        ({"progress": 0.75}, "over_75"),
        ({"progress": 0.5}, "over_50"),
        ({"progress": 0.25}, "over_25"),
        ({"progress": 0.0}, "under_25"),
        ({"progress": 1.0, "completion_percent": 30.0}, "over_25"),
        ({"completion_percent": 250.0}, "completed_full"),
        ({"watch_time": 3.0}, None),
    ],
)
def test_completion(content: ContentBuilder, lake: Lake, told: dict[str, object], bucket: str | None) -> None:
    store(lake, view(START, ("view_progress", "10:01", told)))
    row = only_hour(content)
    found = [n for n in ("completed_full", "over_75", "over_50", "over_25", "under_25") if row[n]]
    assert found == ([bucket] if bucket else [])
    assert row["views_with_progress"] == (bucket is not None)


def test_a_completed_view_is_full_whatever_it_reported(content: ContentBuilder, lake: Lake) -> None:
    store(lake, view(START, ("view_progress", "10:01", {"progress": 0.3}), ("view_complete", "10:02", {})))
    assert only_hour(content)["completed_full"] == 1


def test_progress_after_midnight_belongs_to_the_hour_of_its_start(content: ContentBuilder, lake: Lake) -> None:
    late = event("view_progress", at("2026-03-04 00:20"), "late", total_watch_time=1500.0, progress=0.8)
    like = event("like", at("2026-03-04 00:21"), "like")
    store(lake, [*view(("view_start", "23:50", {})), late, like])
    build(content)
    rows = hours(content)
    assert rows.keys() == {("2026-03-03 23", "acme", "c1"), ("2026-03-04 00", "acme", "c1")}
    assert rows["2026-03-03 23", "acme", "c1"]["watch_time_seconds"] == 1500
    assert rows["2026-03-03 23", "acme", "c1"]["over_75"] == 1
    assert (rows["2026-03-04 00", "acme", "c1"]["likes"], rows["2026-03-04 00", "acme", "c1"]["views"]) == (1, 0)


def test_progress_of_no_view_is_reported_and_counted_nowhere(content: ContentBuilder, lake: Lake) -> None:
    day_later = event("view_progress", at("2026-03-04 10:00"), "x", total_watch_time=9.0)
    in_time = event("view_progress", at("2026-03-04 09:59:59"), "y", total_watch_time=7.0)
    store(lake, [*view(("view_progress", "09:59", {"progress": 0.5}), START), day_later, in_time])
    assert only_hour(content)["watch_time_seconds"] == 7
    orphans = content.orphans(Window.of_days(day("2026-03-01"), day("2026-03-06"))).to_pylist()
    assert orphans == [
        {"workspace_id": "acme", "date": DAY, "orphans": 1},
        {"workspace_id": "acme", "date": day("2026-03-04"), "orphans": 1},
    ]


def test_at_one_instant_the_start_comes_first(content: ContentBuilder, lake: Lake) -> None:
    progress: tuple[str, str, dict[str, object]] = ("view_progress", "10:00", {"total_watch_time": 5.0})
    store(lake, view(progress, START, ("view_start", "10:05", {}), ("view_progress", "10:05", {"watch_time": 2.0})))
    row = only_hour(content)
    assert (row["views"], row["watch_time_seconds"]) == (2, 7)


def test_a_repeated_id_counts_once_as_it_first_came(content: ContentBuilder, lake: Lake) -> None:
    (start,) = view(START)
    store(lake, [start | {"received_at": NOW, "content_id": "c2"}])
    store(lake, [start])
    build(content)
    assert {key[2]: r["views"] for key, r in hours(content).items()} == {"c1": 1}


def test_a_late_event_rebuilds_only_its_hours(content: ContentBuilder, lake: Lake) -> None:
    store(lake, view(START, ("like", "12:00", {}), ("view_start", "14:00", {"session_id": "s2"})))
    build(content)
    files = set(lake.file_uris("content_hourly"))
    late = [event("view_progress", at("2026-03-03 12:30"), "late", total_watch_time=40.0)]
    store(lake, late)
    dirty = content.dirty_hours(pa.Table.from_pylist(late, schema=EVENTS.schema))
    assert dirty == [at("2026-03-03 10:00")]
    version = lake.version("content_hourly")
    content.hourly(dirty, NOW)
    assert lake.version("content_hourly") == version + 1
    assert hours(content)["2026-03-03 10", "acme", "c1"]["watch_time_seconds"] == 40
    replaced = files - set(lake.file_uris("content_hourly"))
    assert [f for f in replaced if "hour=10" not in f] == []
    assert len(replaced) == 1


@histories(3)
@given(events=histories_of_events(), seed=st.integers())
def test_building_only_dirty_hours_ends_where_building_everything_ends(
    content: ContentBuilder, lake: Lake, events: list[Event], seed: int
) -> None:
    empty(lake)
    random.Random(seed).shuffle(events)
    third = len(events) // 3 + 1
    now = FIRST + timedelta(days=6)
    for n in range(0, len(events), third):
        part = events[n : n + third]
        store(lake, part)
        content.hourly(content.dirty_hours(pa.Table.from_pylist(part, schema=EVENTS.schema)), now)
    piecewise = hours(content)
    content.hourly(Window.of_days(FIRST.date(), FIRST.date() + timedelta(days=5)), now)
    assert piecewise == hours(content)


def test_every_table_gets_one_commit_and_remembers_its_source(content: ContentBuilder, lake: Lake) -> None:
    store(lake, view(START))
    before = {t: lake.version(t) for t in DAY_TABLES}
    content.daily(Window.of_days(day("2026-03-01"), day("2026-03-06")), NOW)
    assert {t: lake.version(t) - v for t, v in before.items()} == dict.fromkeys(DAY_TABLES, 1)
    commit = lake.table("content_daily").history(1)[0]
    assert commit["source.events"] == str(lake.version("events"))


def test_a_range_too_large_for_memory_is_computed_in_portions(
    content: ContentBuilder, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(lake, [event("view_start", at(f"2026-03-0{n} 23:50"), f"s{n}", session_id=f"{n}") for n in range(1, 6)])
    store(
        lake,
        [
            event("view_progress", at(f"2026-03-0{n + 1} 00:10"), f"p{n}", session_id=f"{n}", watch_time=1.0)
            for n in range(1, 6)
        ],
    )
    build(content)
    whole = hours(content)
    monkeypatch.setattr("metrics_pipeline.aggregation.content.EVENTS_AT_ONCE", 2)
    version = lake.version("content_daily")
    build(content)
    assert hours(content) == whole
    assert len(whole) == 5
    assert all(r["watch_time_seconds"] == 1 for r in whole.values())
    assert lake.version("content_daily") == version + 1


def test_days_whose_events_are_gone_stay_as_they_are(content: ContentBuilder, lake: Lake) -> None:
    store(lake, view(START))
    build(content)
    lake.delete("events", "true")
    long_after = NOW + timedelta(days=90)
    content.hourly(Window.of_day(DAY), long_after)
    assert content.daily(Window.of_day(DAY), long_after) == dict.fromkeys(DAY_TABLES, 0)
    assert [r["views"] for r in hours(content).values()] == [1]
    content.daily(Window.of_day(DAY), NOW)
    with content.engine.session() as session:
        assert session.run("select count(*) as n from content_daily").read_all().to_pylist() == [{"n": 0}]
