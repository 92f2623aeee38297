"""Taking an import of events back: every number is as if it had never been, and the file is new again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.imports import list_imports
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.imports.events import import_events
from metrics_pipeline.imports.revert import revert_readings
from metrics_pipeline.imports.revert_events import revert_events
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.conftest import PostgresUrls
from metrics_pipeline_tests.imports.conftest import stored

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)
COUNTED = (
    "content_hourly", "content_daily", "content_audience_daily", "viewer_days", "view_times_daily", "content_totals",
    "view_times_totals", "content_viewers", "content_metrics", "watch_days", "content_ages",
)  # fmt: skip
Row = dict[str, object]


@pytest.fixture
def pipeline(empty_stores: Path, tmp_path: Path) -> Pipeline:
    shutil.copytree(empty_stores, tmp_path / "data")
    made = Pipeline(load_settings(data_dir=tmp_path / "data", now=NOW))
    add_workspace(made.control, "W", "w", now=NOW)
    return made


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, pipeline: Pipeline) -> Pipeline:
    """The same with an inbox and a control database of either kind."""
    if request.param == "sqlite":
        return pipeline
    fresh: PostgresUrls = request.getfixturevalue("postgres_url")
    made = Pipeline(load_settings(data_dir=pipeline.settings.data_dir, now=NOW, database_url=fresh()))
    add_workspace(made.control, "W", "w", now=NOW)
    return made


def view(at: datetime, session: str = "s1", content: str = "v1", **more: object) -> list[Row]:
    base = {"content_id": content, "session_id": session, **more}
    watched = {"total_watch_time": 30.0, "progress": 0.6}
    return [
        {**base, "event_type": "view_start", "client_ts": at.isoformat()},
        {**base, "event_type": "view_progress", "client_ts": (at + timedelta(minutes=1)).isoformat(), **watched},
    ]


def written(folder: Path, rows: list[Row], name: str = "events.ndjson") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def send(pipeline: Pipeline, rows: list[Row]) -> list[str]:
    with Ingestion.open(pipeline.settings) as ingestion:
        handover = Handover("w", received_at=NOW, take_old=True)
        return [result.status for result in ingestion.submit_blocking(handover, rows)]


def count(pipeline: Pipeline) -> None:
    """What the schedules do in an hour."""
    flow = ContentFlow(pipeline)
    flow.drain()
    flow.refresh()
    if days := flow.dirty_days():
        flow.rebuild_days(Window.of_days(days[0], days[-1] + DAY))
        flow.refresh()


def numbers(pipeline: Pipeline) -> dict[str, list[Row]]:
    return {table: stored(pipeline, table) for table in COUNTED}


def history(seed: int, name: str, days: int, most: int) -> list[Row]:
    """Events of few sessions that get into each other's way, over so many days."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for n in range(most):
        at = NOW - timedelta(minutes=rng.randrange(0, days * 24 * 60, 7))
        kind = rng.choice(("view_start", "view_start", "view_progress", "view_progress", "like", "share", "seek"))
        row: Row = {"event_type": kind, "event_id": f"{name}-{n}", "client_ts": at.isoformat()}
        row["content_id"], row["session_id"] = rng.choice(("v1", "v1", "v2")), rng.choice(("s1", "s2"))
        row["country"] = rng.choice(("DE", "FR"))
        if kind == "view_progress":
            row |= {"total_watch_time": float(rng.randrange(200)), "progress": rng.random()}
        rows.append(row)
    return rows


@pytest.mark.parametrize(("seed", "days"), [(1, 2), (4, 30)])
def test_the_numbers_are_as_if_it_had_never_been(pipeline: Pipeline, tmp_path: Path, seed: int, days: int) -> None:
    send(pipeline, history(seed, "api", days, 120))
    shutil.copytree(tmp_path / "data", tmp_path / "without")
    without = Pipeline(load_settings(data_dir=tmp_path / "without", now=NOW))
    count(without)
    count(pipeline)
    path = written(tmp_path, [*history(100 + seed, "file", days, 120), {"event_type": "dance"}])
    done = import_events(pipeline, path, "w", take_old=True)
    count(pipeline)
    assert numbers(pipeline) != numbers(without)
    reverted = revert_events(pipeline, done.import_id)
    count(pipeline)
    assert (reverted.rows, reverted.refused) == (120, 1)
    assert len(reverted.days) >= 2
    for table, rows in numbers(without).items():
        assert stored(pipeline, table) == rows, table
    assert stored(pipeline, "rejected_events") == []


def test_a_view_that_began_before_the_file_loses_what_the_file_told_of_it(pipeline: Pipeline, tmp_path: Path) -> None:
    start, later = view(NOW - timedelta(hours=3))
    send(pipeline, [start])
    later = {**later, "client_ts": (NOW - timedelta(hours=1)).isoformat()}
    done = import_events(pipeline, written(tmp_path, [later]), "w")
    count(pipeline)
    watched = ["hour", "views", "watch_time_seconds"]
    assert stored(pipeline, "content_hourly", watched) == [{"hour": 7, "views": 1, "watch_time_seconds": 30.0}]
    revert_events(pipeline, done.import_id)
    count(pipeline)
    assert stored(pipeline, "content_hourly", watched) == [{"hour": 7, "views": 1, "watch_time_seconds": 0.0}]


def test_the_file_is_new_again_and_its_ids_are_free(either: Pipeline, tmp_path: Path) -> None:
    rows: list[Row] = [*view(NOW - DAY, event_id="named"), *view(NOW - DAY, "s2")]
    rows[1]["event_id"] = "other"
    path = written(tmp_path, rows)
    first = import_events(either, path, "w")
    assert send(either, rows[:1]) == ["duplicate"]
    revert_events(either, first.import_id)  # they still wait in the inbox
    second = import_events(either, path, "w")
    assert (second.accepted, second.duplicates) == (4, 0)
    assert second.import_id == f"{first.import_id}-2"
    count(either)
    assert [row["views"] for row in stored(either, "content_metrics")] == [2]
    revert_events(either, second.import_id)
    assert send(either, rows[:1]) == ["accepted"]
    assert [bool(record.reverted_at) for record in list_imports(either.control)] == [True, True]


def test_twice_says_so_and_every_kind_has_its_own_way_back(pipeline: Pipeline, tmp_path: Path) -> None:
    done = import_events(pipeline, written(tmp_path, view(NOW)), "w")
    with pytest.raises(UserError, match="is one of events, not of readings"):
        revert_readings(pipeline, done.import_id)
    revert_events(pipeline, done.import_id)
    with pytest.raises(UserError, match=f"Import {done.import_id} was reverted already, on 2026-03-18"):
        revert_events(pipeline, done.import_id)
    with pytest.raises(UserError, match="no import 'nope'"):
        revert_events(pipeline, "nope")


def test_what_another_file_had_too_is_named(pipeline: Pipeline, tmp_path: Path) -> None:
    rows = [{**row, "event_id": f"e{n}"} for n, row in enumerate(view(NOW))]
    first = import_events(pipeline, written(tmp_path, rows), "w")
    more = import_events(pipeline, written(tmp_path, [*rows, *view(NOW, "s2")], "more.ndjson"), "w")
    assert (more.accepted, more.duplicates) == (2, 2)
    assert [other.file_name for other in revert_events(pipeline, first.import_id).also_in] == ["more.ndjson"]
    again = import_events(pipeline, tmp_path / "more.ndjson", "w")
    assert (again.accepted, again.duplicates) == (2, 2)
    count(pipeline)
    assert [row["views"] for row in stored(pipeline, "content_metrics")] == [2]


class Stops(Lake):
    """Stops before it deletes from this table, as a killed process does."""

    before = "events"

    def delete(self, name: str, predicate: str, note: Callable[[DeltaTable], Mapping[str, str]] = lambda _: {}) -> int:
        if name == self.before:
            raise KeyboardInterrupt
        return super().delete(name, predicate, note)


@pytest.mark.parametrize("before", ["events", "rejected_events"])
def test_what_broke_off_is_made_up_for(pipeline: Pipeline, tmp_path: Path, before: str) -> None:
    path = written(tmp_path, [*view(NOW), {"event_type": "dance"}])
    done = import_events(pipeline, path, "w")
    count(pipeline)
    broken = Pipeline(pipeline.settings)
    lake = Stops(pipeline.lake.location)
    lake.before = before
    broken.__dict__["lake"] = lake
    with pytest.raises(KeyboardInterrupt):
        revert_events(broken, done.import_id)
    again = Pipeline(pipeline.settings)
    again.lake.table("events").optimize.compact()
    assert revert_events(again, done.import_id).rows == (2 if before == "events" else 0)
    assert stored(again, "rejected_events") == stored(again, "events") == []
    assert import_events(again, path, "w").accepted == 2, "its ids are free"
    count(again)
    assert [row["views"] for row in stored(again, "content_metrics")] == [1]


def test_an_import_that_broke_off_before_its_note_is_listed_by_the_next_try(pipeline: Pipeline, tmp_path: Path) -> None:
    path = written(tmp_path, view(NOW))
    first = import_events(pipeline, path, "w")
    (noted,) = list_imports(pipeline.control)
    with pipeline.control.begin() as connection:
        connection.exec_driver_sql("delete from imports")
    again = import_events(pipeline, path, "w")
    assert (again.accepted, again.duplicates) == (0, 2)
    assert again.import_id == first.import_id
    (found,) = list_imports(pipeline.control)
    assert found.import_id == noted.import_id
    assert revert_events(pipeline, found.import_id).rows == 2


def test_other_imports_and_events_of_clients_stay(pipeline: Pipeline, tmp_path: Path) -> None:
    kept = import_events(pipeline, written(tmp_path, view(NOW, "kept"), "kept.ndjson"), "w")
    send(pipeline, view(NOW, "client"))
    gone = import_events(pipeline, written(tmp_path, view(NOW, "gone")), "w")
    revert_events(pipeline, gone.import_id)
    found = {(row["session_id"], row["import_id"]) for row in stored(pipeline, "events", ["session_id", "import_id"])}
    assert found == {("kept", kept.import_id), ("client", None)}


def test_a_peak_of_closed_days_goes_with_its_views(pipeline: Pipeline, tmp_path: Path) -> None:
    long_ago = NOW - 30 * DAY
    send(pipeline, view(long_ago, "mine") + view(NOW - 20 * DAY, "more") + view(NOW - 20 * DAY, "most"))
    crowd = [row for n in range(5) for row in view(long_ago, f"crowd{n}")]
    done = import_events(pipeline, written(tmp_path, crowd), "w", take_old=True)
    count(pipeline)
    peak = ["peak_views_per_hour", "peak_at"]
    assert [row["peak_views_per_hour"] for row in stored(pipeline, "content_metrics", peak)] == [6 / 24]
    revert_events(pipeline, done.import_id)
    count(pipeline)
    end = (NOW - 20 * DAY).replace(minute=0) + timedelta(hours=1)
    assert stored(pipeline, "content_metrics", peak) == [{"peak_views_per_hour": 2 / 24, "peak_at": end}]
