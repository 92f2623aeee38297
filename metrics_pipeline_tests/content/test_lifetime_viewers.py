"""Distinct viewers over a life: counted anew where they changed, and never lost when their days expire."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.content_state import ContentStateBuilder
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.lake.viewer_changes import items_with_new_viewers
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY
from metrics_pipeline_tests.aggregation.examples import histories

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RETENTION = Retention(responses_days=30, events_days=5)
Row = dict[str, Any]
Items = dict[str, set[int]]


class Counts:
    """A lake whose viewers a test sets day by day, counted the way the pipeline counts them."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.builder = ContentStateBuilder(Engine(lake), Settings())
        self.version: int | None = None
        self.touched: set[str] | None = None
        for name in ("viewer_days", "viewer_sketches", "content_viewers"):
            lake.delete(name, "true")

    def set(self, day: date, items: Items) -> None:
        rows = [
            {"date": day, "workspace_id": "w", "content_id": item, "viewer_hash": viewer, "views": 1}
            for item, people in items.items()
            for viewer in people
        ]
        made = pa.Table.from_pylist(rows, schema=TABLES["viewer_days"].schema)
        self.lake.replace("viewer_days", Partitions(between=("date", day, day + DAY)), lambda _: made)

    def count(self, now: datetime = NOW) -> dict[str, Row]:
        self.version, touched = items_with_new_viewers(self.lake, self.version)
        self.touched = None if touched is None else {str(item) for item in touched["content_id"].to_pylist()}
        self.builder.count_viewers(now, touched=touched)
        return self.rows()

    def rows(self) -> dict[str, Row]:
        with Engine(self.lake).session() as session:
            return {r["content_id"]: r for r in session.run("from content_viewers").read_all().to_pylist()}

    def maintain(self, today: date) -> None:
        maintain_table(self.lake, "viewer_days", today, RETENTION, vacuum_hours=24)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("viewers")))
    made.initialise()
    return made


def test_a_day_that_came_and_expired_between_two_counts_is_counted(lake: Lake) -> None:
    counts = Counts(lake)
    counts.count()
    counts.set(TODAY - 4 * DAY, {"a": {1, 2}})
    counts.maintain(TODAY + 4 * DAY)
    assert counts.count()["a"]["unique_viewers"] == 2


@histories(6)
@given(st.integers(0, 2**32))
def test_counting_what_changed_ends_where_counting_everything_ends(lake: Lake, seed: int) -> None:
    rng = random.Random(seed)
    counts = Counts(lake)
    ever: dict[str, set[int]] = {}
    days: dict[date, Items] = {}
    gone: set[str] = set()
    today = TODAY
    for _ in range(5):
        step = rng.choice(("set", "set", "set", "later"))
        if step == "set":
            day = today - rng.randrange(5) * DAY
            days[day] = {
                item: set(rng.sample(range(40), rng.randint(1, 6))) for item in rng.sample("abcd", rng.randrange(4))
            }
            counts.set(day, days[day])
        else:
            today += rng.randint(1, 4) * DAY
            counts.maintain(today)
            for day in [d for d in days if d < today - 5 * DAY]:
                for item, people in days.pop(day).items():
                    ever.setdefault(item, set()).update(people)
                    gone.add(item)
        if rng.random() < 0.7:
            counts.count()
    found = counts.count()
    expected = {item: set(people) for item, people in ever.items()}
    for items in days.values():
        for item, people in items.items():
            expected.setdefault(item, set()).update(people)
    assert {item: row["unique_viewers"] for item, row in found.items()} == {i: len(p) for i, p in expected.items()}
    assert {item for item, row in found.items() if row["approximate"]} == gone
    assert all((row["error_bound"] is not None) == row["approximate"] for row in found.values())
    counts.version = None
    everything = counts.count()
    assert counts.touched is None
    assert everything == found


def test_only_items_of_rewritten_days_are_counted_anew(lake: Lake) -> None:
    counts = Counts(lake)
    counts.set(TODAY - DAY, {"a": {1, 2}, "b": {1}})
    counts.set(TODAY, {"c": {1}, "d": {1}})
    counts.count()
    counts.set(TODAY, {"c": {1, 7}})
    later = NOW + timedelta(hours=1)
    found = counts.count(later)
    assert counts.touched == {"c", "d"}, "d lost its only viewer"
    assert {item: (r["unique_viewers"], r["counted_at"]) for item, r in found.items()} == {
        "a": (2, NOW),
        "b": (1, NOW),
        "c": (2, later),
    }
    counts.count()
    assert counts.touched == set()


def test_an_item_outlives_its_last_viewer_day(lake: Lake) -> None:
    counts = Counts(lake)
    counts.set(TODAY, {"a": {1, 2, 3}, "b": {1}})
    assert counts.count()["a"]["approximate"] is False
    counts.maintain(TODAY + 6 * DAY)
    found = counts.count()
    assert {item: (r["unique_viewers"], r["approximate"]) for item, r in found.items()} == {
        "a": (3, True),
        "b": (1, True),
    }
    assert found["a"]["error_bound"] < 0.001


def test_an_estimate_is_never_lower_than_what_is_certain(lake: Lake) -> None:
    rng = random.Random(5)
    counts = Counts(lake)
    counts.set(TODAY - 3 * DAY, {"a": {1}})
    many = {rng.getrandbits(63) for _ in range(20_000)}
    counts.set(TODAY, {"a": many})
    counts.maintain(TODAY + 3 * DAY)
    row = counts.count()["a"]
    assert row["approximate"]
    assert len(many) <= row["unique_viewers"] <= len(many) * (1 + row["error_bound"])


def test_where_files_of_the_last_count_are_gone_everything_is_counted(lake: Lake) -> None:
    counts = Counts(lake)
    counts.set(TODAY, {"a": {1}})
    counts.count()
    for uri in lake.file_uris("viewer_days"):
        Path(uri.removeprefix("file://")).rename(f"{uri}.away")
    counts.lake.delete("viewer_days", f"date = '{TODAY}'")
    counts.set(TODAY, {"b": {1}})
    assert set(counts.count()) == {"b"}
    assert counts.touched is None
