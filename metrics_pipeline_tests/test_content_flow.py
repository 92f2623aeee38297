"""From an accepted event to content_metrics: every minute, whatever crashed in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
Row = dict[str, object]


class Shop:
    """One workspace whose clients send events at instants of the test's choosing."""

    def __init__(self, home: Path) -> None:
        self._home = home
        add_workspace(self.at(NOW).control, "W", "w", now=NOW)

    def at(self, now: datetime) -> Pipeline:
        return Pipeline(load_settings(data_dir=self._home, now=now))

    def flow(self, now: datetime = NOW) -> ContentFlow:
        return ContentFlow(self.at(now))

    def send(self, *events: Row, now: datetime = NOW) -> list[str]:
        with Ingestion.open(self.at(now).settings) as ingestion:
            done = ingestion.submit_blocking(handover(now), list(events))
        return [result.status for result in done]

    def process(self, now: datetime = NOW) -> ContentFlow:
        flow = self.flow(now)
        flow.drain()
        flow.refresh()
        return flow

    def rows(self, statement: str) -> list[Row]:
        with self.at(NOW).engine.session() as session:
            found: list[Row] = session.run(statement).read_all().to_pylist()
            return found

    def views(self) -> dict[object, object]:
        return {r["content_id"]: r["views"] for r in self.rows("select content_id, views from content_metrics")}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def handover(now: datetime) -> Handover:
    return Handover("w", received_at=now)


def event(kind: str, at: datetime, content: str = "v1", session: str = "s1", **more: object) -> Row:
    return {
        "event_type": kind, "content_id": content, "session_id": session, "client_ts": at.isoformat(),
        "event_id": f"{kind}-{content}-{session}-{at.isoformat()}", **more,
    }  # fmt: skip


def test_an_accepted_event_is_counted_after_one_pass(shop: Shop) -> None:
    assert shop.flow().waiting() == 0
    sent = [event("view_start", NOW), event("like", NOW), event("view_start", NOW, "v2", "s2")]
    assert shop.send(*sent) == ["accepted"] * 3
    assert shop.flow().waiting() == 3
    flow = shop.process()
    assert shop.views() == {"v1": 1, "v2": 1}
    assert flow.waiting() == 0
    assert shop.send(*sent) == ["duplicate"] * 3
    shop.process()
    assert shop.views() == {"v1": 1, "v2": 1}


def test_late_progress_makes_the_hour_of_its_view_dirty(shop: Shop) -> None:
    start = NOW - 2 * HOUR
    shop.send(event("view_start", start), now=start)
    shop.process(start)
    shop.send(event("view_progress", NOW, total_watch_time=7000.0, progress=0.8))
    refreshed = shop.flow()
    refreshed.drain()
    assert {hour for _, hour in refreshed.refresh().hours} == {8, 10}
    hours = shop.rows("select hour, watch_time_seconds, over_75 from content_hourly where views > 0")
    assert hours == [{"hour": 8, "watch_time_seconds": 7000.0, "over_75": 1}]


def test_what_crashed_between_drain_and_refresh_is_made_up_for(shop: Shop) -> None:
    shop.send(event("view_start", NOW))
    shop.flow().drain()
    assert shop.flow().waiting() == 1, "the lake holds an event that is not counted"
    shop.flow().refresh()
    assert shop.views() == {"v1": 1}
    assert shop.flow().waiting() == 0


def test_days_are_rebuilt_with_their_viewers_when_events_came_into_them(shop: Shop) -> None:
    yesterday = NOW - timedelta(days=1)
    shop.send(event("view_start", NOW, session="a"), event("view_start", yesterday, session="b"))
    shop.process()
    (state,) = shop.rows("select unique_viewers from content_metrics")
    assert state["unique_viewers"] is None, "unknown before they were counted"
    days = shop.flow().dirty_days()
    assert {NOW.date(), yesterday.date()} <= set(days)
    shop.flow().rebuild_days(Window.of_days(days[0], NOW.date() + timedelta(days=1)))
    assert shop.flow().dirty_days() == []
    shop.flow().refresh()
    (state,) = shop.rows("select unique_viewers, views from content_metrics")
    assert state == {"unique_viewers": 2, "views": 2}
    daily = shop.rows("select date, views, unique_viewers from content_daily order by date")
    assert [(r["date"], r["views"], r["unique_viewers"]) for r in daily] == [
        (yesterday.date(), 1, 1),
        (NOW.date(), 1, 1),
    ]


def test_days_rebuilt_in_part_stay_dirty(shop: Shop) -> None:
    yesterday = NOW - timedelta(days=1)
    shop.send(event("view_start", NOW, session="a"), event("view_start", yesterday, session="b"))
    shop.process()
    shop.flow().rebuild_days(Window.of_day(NOW.date()))
    assert yesterday.date() in shop.flow().dirty_days()


def test_maintenance_in_between_does_not_start_over(shop: Shop) -> None:
    shop.send(event("view_start", NOW))
    shop.process()
    shop.at(NOW).lake.table("content_metrics").optimize.compact()
    shop.send(event("view_start", NOW, session="s2"))
    flow = shop.flow()
    flow.drain()
    assert len(flow.refresh().hours) == 1
    assert shop.views() == {"v1": 2}


def test_a_late_start_cuts_the_view_before_it_short(shop: Shop) -> None:
    start = NOW - 2 * HOUR
    shop.send(event("view_start", start), event("view_progress", NOW, total_watch_time=7000.0), now=NOW)
    shop.process()
    shop.send(event("view_start", NOW - timedelta(minutes=5)))
    shop.process()
    hours = shop.rows("select hour, views, watch_time_seconds from content_hourly order by hour")
    assert hours == [
        {"hour": 8, "views": 1, "watch_time_seconds": 0.0},
        {"hour": 10, "views": 1, "watch_time_seconds": 7000.0},
    ]


def test_lifetime_viewers_outlive_their_days(shop: Shop) -> None:
    shop.send(*(event("view_start", NOW, session=f"s{n}", user_id=f"u{n}") for n in range(4)))
    shop.process().rebuild_days(Window.of_day(NOW.date()))
    later = NOW + timedelta(days=91)
    pipeline = shop.at(later)
    retention = Retention(30, pipeline.settings.events_days)
    for table in TABLES:
        maintain_table(pipeline.lake, table, later.date(), retention, vacuum_hours=168)
    assert [shop.rows(f"select count(*) as n from {t}") for t in ("viewer_days", "watch_days")] == [[{"n": 0}]] * 2
    shop.send(event("view_start", later, session="s9", user_id="u1"), now=later)
    shop.send(event("view_start", later, session="s8", user_id="new"), now=later)
    shop.process(later).rebuild_days(Window.of_day(later.date()))
    shop.flow(later).refresh()
    (row,) = shop.rows("select views, unique_viewers, approximate, error_bound from content_metrics")
    assert (row["views"], row["unique_viewers"], row["approximate"]) == (6, 5, True)
    assert float(str(row["error_bound"])) < 0.001


def test_a_count_of_viewers_looks_only_at_what_changed(shop: Shop) -> None:
    yesterday = NOW - timedelta(days=1)
    shop.send(event("view_start", NOW, "v1"), event("view_start", yesterday, "v2"))
    shop.process().rebuild_days(Window.of_days(yesterday.date(), NOW.date() + timedelta(days=1)))
    later = NOW + HOUR
    shop.send(event("view_start", later, "v1", "s2"), now=later)
    shop.process(later).rebuild_days(Window.of_day(later.date()))
    counted = shop.rows("select content_id, unique_viewers, counted_at from content_viewers order by content_id")
    assert counted == [
        {"content_id": "v1", "unique_viewers": 2, "counted_at": later},
        {"content_id": "v2", "unique_viewers": 1, "counted_at": NOW},
    ]
