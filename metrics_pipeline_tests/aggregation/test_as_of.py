"""What was known at an instant is what a lake holds that never heard of anything later; the report compares two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.as_of import AsOfStatements, Span
from metrics_pipeline.aggregation.as_of_functions import (
    METRIC_TABLES,
    Known,
    define_functions,
    define_report,
    earliest_change,
)
from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import cadence_relation, catalog_relations
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline_start import PipelineStart
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, midnight, next_month
from metrics_pipeline_tests.aggregation.day_rows import assert_same_rows
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, World, at, counter, day, insight, post, status
from metrics_pipeline_tests.aggregation.worlds import FIRST, NOW, worlds

MONTH = date(2026, 3, 1)
START = PipelineStart(MONTH, MONTH)
DAY_ONE = START.week(0)
GRAINS = {"day": "date", "week": "week_start", "month": "month_start"}
KEYS = ("workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric")
Numbers = dict[tuple[object, ...], dict[str, Any]]
Said = list[dict[str, Any]]


@pytest.fixture(scope="module")
def known() -> Iterator[duckdb.DuckDBPyConnection]:
    """The functions in a connection of their own, looked at from NOW."""
    with connect_duckdb() as connection:
        relations = catalog_relations(catalog()) | cadence_relation(catalog(), Settings().cadence)
        for name, rows in relations.items():
            connection.register(name, rows)
        for name, spec in TABLES.items():
            connection.register(name, spec.schema.empty_table())
        statements = AsOfStatements(Settings(), START, NOW, TABLES, has_events=False)
        define_functions(connection, statements, Known(START, NOW))
        define_report(connection, statements)
        yield connection


def show(known: duckdb.DuckDBPyConnection, memory: MemoryEngine) -> None:
    """Let the functions read what the memory holds of readings; built tables stay empty."""
    for name, rows in memory.tables.items():
        if name not in METRIC_TABLES:
            known.register(name, rows)


def build(builder: Builder, memory: MemoryEngine, world: World, instant: datetime) -> dict[str, pa.Table]:
    """Every table that a pipeline which only knows this world has at an instant."""
    memory.clear()
    world.write(memory)
    end = (instant - timedelta(microseconds=1)).date() + timedelta(days=1)
    for kind in ("post", "account", "workspace"):
        builder.daily(kind, Window.of_days(DAY_ONE, end), instant)
    builder.weekly(Window.of_days(DAY_ONE, end), instant)
    builder.monthly(Window.of_days(MONTH, end), instant)
    return {name: memory.select(f"select * from {name} order by all").read_all() for name in METRIC_TABLES}


def told_by(world: World, stored: list[dict[str, Any]], instant: datetime) -> World:
    """What of a world was said by an instant, less what is not kept (docs/as_of.md).

    A read in a run of equal reads that goes on after the instant is not kept, but for the first; of an attempt that
    was overwritten only its counters are.
    """
    said: Said = world.insights
    seen: Said = world.counters
    tried: Said = world.statuses
    sights: Said = world.posts
    key = ("workspace_id", "platform", "account_id", "post_id", "metric", "date", "source")
    runs = {
        (*(r[c] for c in key), r["window"]): r["read_at"] for r in stored if r["read_at"] <= instant < r["confirmed_at"]
    }
    insights = [
        r
        for r in said
        if r["read_at"] <= instant
        and not ((begun := runs.get((*(r[c] for c in key), r["window"]))) and begun < r["read_at"])
    ]
    counters = [r for r in seen if r["observed_at"] <= instant]
    statuses = []
    for s in tried:
        read = [
            c["observed_at"]
            for c in counters
            if c["source"] == "fetched"
            and all(c[k] == s[k] for k in ("workspace_id", "platform", "account_id", "date"))
        ]
        if s["last_read_at"] <= instant:
            statuses.append(s)
        elif s["collection"] == "counters" and s["last_value_at"] and read:
            statuses.append({**s, "state": "value", "last_read_at": max(read), "last_value_at": max(read)})
    return World(insights, counters, [p for p in sights if p["first_seen_at"] <= instant], statuses)


def numbers(tables: dict[str, pa.Table]) -> Numbers:
    found: Numbers = {}
    for (grain, column), table in zip(GRAINS.items(), METRIC_TABLES, strict=True):
        for row in tables[table].to_pylist():
            found[(grain, row[column], *(row[k] for k in KEYS))] = row
    return found


def differences(then: Numbers, now: Numbers, since: datetime) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Brute force: what changed about periods that had ended, as (kind, value then, value now)."""
    found: dict[tuple[object, ...], tuple[object, ...]] = {}
    zones: dict[tuple[object, ...], set[str]] = {}
    for rows in (then, now):
        for key, row in rows.items():
            if key[0] == "day":
                zones.setdefault((key[3], key[4], key[7]), set()).add(row["day_timezone"])
    for key in then.keys() | now.keys():
        before, after = (rows[key]["value"] if key in rows else None for rows in (then, now))
        grain, start = str(key[0]), key[1]
        assert isinstance(start, date)
        ends = {"day": start + timedelta(days=1), "week": start + timedelta(days=7), "month": next_month(start)}[grain]
        own = {r[key]["day_timezone"] for r in (then, now) if key in r} if grain == "day" else set()
        places = own or zones[key[3], key[4], key[7]]
        over = max(datetime.combine(ends, datetime.min.time(), ZoneInfo(z)) for z in places)
        if over > since or before == after:
            continue
        kind = "arrived late" if before is None else "withdrawn" if after is None else "restated"
        found[key] = (kind, before, after)
    return found


@histories(1)
@given(
    world=worlds(size=40),
    hours=st.lists(st.integers(30, 24 * 17), min_size=2, max_size=2, unique=True),
    windows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 150)), max_size=4, unique_by=lambda w: w[1]),
)
def test_what_was_known_then_is_what_was_built_then_and_the_report_is_their_difference(
    memory: MemoryEngine,
    memory_builder: Builder,
    known: duckdb.DuckDBPyConnection,
    world: World,
    hours: list[int],
    windows: list[tuple[int, int]],
) -> None:
    world.insights += [
        insight(
            "reach", FIRST + timedelta(days=6), n, account="a", window="P7D", read_at=at("2026-03-09 01:00") + h * HOUR
        )
        for n, h in windows
    ]
    memory.clear()
    world.write(memory)
    readings = dict(memory.tables)
    stored = readings["insight_readings"].to_pylist()
    instants = sorted(midnight(FIRST) + n * HOUR for n in hours)
    built = [build(memory_builder, memory, told_by(world, stored, t), t) for t in instants]
    memory.tables = readings
    show(known, memory)
    for name, rows in built[0].items():
        shown = known.sql(f"from {name}_as_of($at)", params={"at": instants[0]}).to_arrow_reader()
        names = rows.schema.names
        assert_same_rows(shown.read_all().to_pylist(), rows.to_pylist(), [names[0], *KEYS], names)

    since, until = instants
    expected = differences(numbers(built[0]), numbers(built[1]), since)
    found = known.sql("from restatements($since, $until)", params={"since": since, "until": until}).to_arrow_reader()
    rows = found.read_all().to_pylist()
    changes = {
        (r["grain"], r["period_start"], *(r[k] for k in KEYS)): (r["kind"], r["value_then"], r["value_now"])
        for r in rows
    }
    assert changes == expected
    relative = [abs(r["relative_change"]) for r in rows if r["relative_change"] is not None]
    assert relative == sorted(relative, reverse=True)
    learnt = earliest_change(known, since, until, 24)
    assert all(learnt is not None and r["period_end"] > learnt for r in rows)
    for r in rows:
        # a missing account has no reading of its own, and a post's appearance is none
        if r["entity_type"] != "workspace" and r["metric"] != "posts_published":
            assert r["brought_by"] == ["run run"], r


HOUR = timedelta(hours=1)


def like(value: int, read: str, run: str, **columns: object) -> Row:
    return {**insight("likes", day("2026-03-03"), value, read_at=at(read), run_id=run), **columns}


def test_a_restatement_names_its_runs_and_imports(
    memory: MemoryEngine, memory_builder: Builder, known: duckdb.DuckDBPyConnection
) -> None:
    World(
        insights=[
            like(10, "2026-03-04 02:00", "one"),
            like(14, "2026-03-06 02:00", "two"),
            like(3, "2026-03-04 02:00", "one", account_id="second"),
            like(9, "2026-03-05 01:00", "late", account_id="third", import_id="7", source="import"),
        ],
        counters=[
            counter("views", at(f"2026-03-0{n} 23:50"), 100 * n, post_id="p", run_id=f"hour-{n}") for n in (2, 3)
        ],
        posts=[post("p", at("2026-03-01 08:00"))],
    ).write(memory)
    show(known, memory)

    rows = known.sql(
        "select grain, entity_type, entity_id, kind, value_then, value_now, relative_change, brought_by, readings "
        "from restatements('2026-03-04', '2026-03-07') where metric = 'likes' and platform = 'instagram' order by all"
    ).fetchall()

    assert rows == [
        ("day", "account", "main", "restated", 10, 14, 0.4, ["run two"], 1),
        ("day", "account", "third", "arrived late", None, 9, None, ["import 7"], 1),
        ("day", "workspace", "acme", "restated", 13, 26, 1, ["import 7", "run two"], 2),
    ]
    # the week of the 2nd had not ended: it is no restatement that it grew
    weeks = "select value from weekly_metrics_as_of('2026-03-0{}') where entity_id = 'main' and metric = 'likes'"
    assert [known.sql(weeks.format(n)).fetchall() for n in (4, 7)] == [[(10,)], [(14,)]]


def test_a_day_is_its_end_and_today_is_now(memory: MemoryEngine, memory_builder: Builder, known: Any) -> None:
    World([like(10, "2026-03-04 23:59", "one"), like(11, "2026-03-05 00:01", "two")]).write(memory)
    show(known, memory)
    asked = "select value, is_complete from daily_metrics_as_of({}) where entity_type = 'account' and metric = 'likes'"
    for instant in ("'2026-03-04'", "date '2026-03-04'", "'2026-03-05 00:00:00+00'", "timestamptz '2026-03-05'"):
        assert known.sql(asked.format(instant)).fetchall() == [(10, True)]
    assert known.sql(asked.format("'2026-03-05 00:01:00+00'")).fetchall() == [(11, True)]
    assert known.sql(asked.format(f"'{NOW.date()}'")).fetchall() == [(11, True)]  # its end would lie ahead
    assert known.sql(asked.format("'2026-03-04', end_day := '2026-03-03'")).fetchall() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("daily_metrics_as_of('2027-01-01')", "lies in the future"),
        ("weekly_metrics_as_of('2020-01-01')", "before the first day that has numbers, 2026-03-01"),
    ],
)
def test_an_instant_without_numbers_is_refused(known: duckdb.DuckDBPyConnection, call: str, message: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        known.sql(f"from {call}").fetchall()
    assert Known(START, NOW).instant("2026-03-05T14:00", "--as-of") == datetime(2026, 3, 5, 14, tzinfo=UTC)
    with pytest.raises(UserError, match="neither a day nor an instant"):
        Known(START, NOW).instant("last-week!", "--as-of")


def test_an_overwritten_attempt_does_not_speak_for_the_past(
    memory: MemoryEngine, memory_builder: Builder, known: duckdb.DuckDBPyConnection
) -> None:
    World(statuses=[status("likes", day("2026-03-03"), "failed", read_at=at("2026-03-05 02:00"))]).write(memory)
    show(known, memory)
    asked = "select distinct state from daily_metrics_as_of('2026-03-0{}') where metric = 'likes' order by 1"
    assert [known.sql(asked.format(n)).fetchall() for n in (4, 5)] == [[], [("failed",), ("unknown",)]]


def test_what_nobody_knows_of_the_past_is_known_by_name() -> None:
    """A file that reads a further table decides here whether it can be known: a relation in sql/as_of, or left out."""
    statements = AsOfStatements(Settings(), START, NOW, TABLES)
    parts = statements.days(Span("at", "first", "last"))
    of_the_application = {name for name in TABLES if name.startswith(("app_", "application_"))}
    assert set(statements.left_out(parts)) <= {"daily_metrics", "message_statuses", *of_the_application}
