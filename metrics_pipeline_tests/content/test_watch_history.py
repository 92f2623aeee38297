"""What signed-in people watched: the views over watch_days, and what a look-up of one person reads."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given

from metrics_pipeline.aggregation.content import ContentBuilder
from metrics_pipeline.connection import attach_all
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.content.events import FIRST, Event, at, attributes, empty, event, histories_of_events, store
from metrics_pipeline_tests.content.oracle import Oracle

WINDOW = Window.of_days(FIRST.date(), FIRST.date() + timedelta(days=4))
NOW = FIRST + timedelta(days=6)
Row = dict[str, Any]
Person = tuple[str, str, str]


def rows(lake: Lake, query: str) -> list[Row]:
    with attach_all(lake) as connection:
        found: list[Row] = connection.sql(query).to_arrow_table().to_pylist()
        return found


def by_person(lake: Lake, view: str) -> dict[Person, Row]:
    return {(r["workspace_id"], r["user_id"], r["content_id"]): r for r in rows(lake, f"from {view}")}


@histories(6)
@given(events=histories_of_events(), known=attributes())
def test_a_history_is_what_the_persons_days_say(
    content: ContentBuilder, lake: Lake, events: list[Event], known: list[Event]
) -> None:
    empty(lake)
    store(lake, events, known)
    content.daily(WINDOW, NOW)
    days: dict[Person, list[Row]] = defaultdict(list)
    for row in Oracle(events, known, timedelta(hours=24)).watch_days():
        days[row["workspace_id"], row["user_id"], row["content_id"]].append(row)
    found = by_person(lake, "recommendation_user_content")
    assert found.keys() == days.keys()
    for person, told in days.items():
        row, watched = found[person], [d for d in told if d["views"]]
        furthest = [d["furthest_percent"] for d in watched if d["furthest_percent"] is not None]
        assert row["views"] == sum(d["views"] for d in told)
        assert row["days_watched"] == len(watched)
        assert row["watch_time_seconds"] == pytest.approx(sum(d["watch_time_seconds"] for d in watched))
        assert row["furthest_percent"] == max(furthest, default=None)
        assert row["is_completed"] == any(d["is_completed"] for d in watched)
        assert row["first_watched_at"] == min((d["first_watched_at"] for d in watched), default=None)
        assert row["last_watched_at"] == max((d["last_watched_at"] for d in watched), default=None)
        assert row["likes"] == sum(d["likes"] - d["unlikes"] for d in told)
        assert row["saves"] == sum(d["saves"] - d["unsaves"] for d in told)
        for name in ("shares", "comments", "not_interested", "hides", "reports"):
            assert row[name] == sum(d[name] for d in told)
    history = by_person(lake, "watch_history")
    assert history.keys() == {person for person, told in days.items() if any(d["views"] for d in told)}
    for person, row in history.items():
        same = row.keys() - {"creator_id"}  # of the last day watched there, of the last day known here
        assert {name: row[name] for name in same} == {name: found[person][name] for name in same}


def test_who_only_reacted_is_known_and_has_watched_nothing(content: ContentBuilder, lake: Lake) -> None:
    on = at("2026-03-03 10:00")
    store(
        lake,
        [
            event("save", on, "e1", user_id="ada"),
            event("view_start", on, "e2", session_id="s2"),
            event("view_start", on, "e3", session_id="s3", user_id="bot", is_bot=True),
        ],
    )
    content.daily(WINDOW, NOW)
    assert by_person(lake, "watch_history") == {}
    (row,) = rows(lake, "from recommendation_user_content")
    assert (row["user_id"], row["views"], row["saves"], row["first_watched_at"]) == ("ada", 0, 1, None)


def test_looking_up_one_person_reads_their_rows_and_not_everybodys(lake: Lake) -> None:
    empty(lake)
    rng = random.Random(7)
    people = [f"u{n:05}" for n in range(30_000)]
    made = [
        {
            "date": FIRST.date(), "workspace_id": workspace, "user_id": person, "content_id": f"c{rng.randrange(9)}",
            "views": 1, "watch_time_seconds": 1.0, "is_completed": False, "first_watched_at": FIRST,
            "last_watched_at": FIRST,
        }
        for workspace in ("acme", "other")
        for person in people
    ]  # fmt: skip
    lake.append("watch_days", pa.Table.from_pylist(made, schema=TABLES["watch_days"].schema))
    with attach_all(lake) as connection:
        for view in ("watch_history", "recommendation_user_content"):
            query = f"select * from {view} where workspace_id = 'acme' and user_id = 'u01234'"
            assert len(connection.sql(query).fetchall()) == 1
            assert rows_scanned(connection, query) == 1, "the filter reaches the scan"


def rows_scanned(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """How many rows the scan of Parquet files hands on, as the engine measured it."""
    (plan,) = connection.execute(f"explain (analyze, format json) {query}").fetchall()
    waiting, scanned = list(json.loads(plan[1])["operator"]), 0
    while waiting:
        node = waiting.pop()
        waiting += node.get("children", [])
        if node["extra_info"].get("Function") == "READ_PARQUET":
            scanned += node["intermediate_rows"]
    return scanned


def test_hours_and_weekdays_of_an_item_share_its_views(content: ContentBuilder, lake: Lake) -> None:
    starts = ("2026-03-02 09:30", "2026-03-03 09:10", "2026-03-03 21:00", "2026-03-09 09:00")
    store(
        lake,
        [
            *(event("view_start", at(when), f"e{n}", session_id=f"s{n}") for n, when in enumerate(starts)),
            event("impression", at("2026-03-08 12:00"), "shown"),
            event("impression", at("2026-03-08 12:00"), "never viewed", content_id="c2"),
        ],
    )
    window, now = Window.of_days(at("2026-03-01 00:00").date(), at("2026-03-10 00:00").date()), at("2026-03-10 00:00")
    content.hourly(window, now)
    content.daily(window, now)
    hours = rows(lake, "from content_hours_of_day order by content_id, hour_of_day")
    assert [(r["content_id"], r["hour_of_day"], r["views"], r["share"]) for r in hours] == [
        ("c1", 9, 3, 0.75),
        ("c1", 12, 0, 0.0),
        ("c1", 21, 1, 0.25),
        ("c2", 12, 0, None),
    ]
    weekdays = rows(lake, "from content_weekdays order by content_id, weekday")
    assert [(r["content_id"], r["weekday"], r["views"], r["share"]) for r in weekdays] == [
        ("c1", 1, 2, 0.5),
        ("c1", 2, 2, 0.5),
        ("c1", 7, 0, 0.0),
        ("c2", 7, 0, None),
    ]
