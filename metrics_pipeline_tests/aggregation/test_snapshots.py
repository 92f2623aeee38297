"""analytics_snapshots against the brute-force oracle; whose rows they hold, what is rebuilt, and what stops nobody."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.aggregation.snapshots import BuiltSnapshots
from metrics_pipeline.catalog.loader import Catalog, catalog
from metrics_pipeline.connection import attach_all
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.snapshot_oracle import OF_PERIOD, snapshots

Row = dict[str, Any]

MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 20, 3, tzinfo=UTC)
DAY = timedelta(days=1)
# Names as they come: quotes, line ends, other scripts, what JSON and SQL would have to escape.
ODD = ("plain", 'say "hi"', "it's\\n", "tab\there\nand there", "ä 漢 😀", "{}", "\x01")


def sectioned() -> Catalog:
    """The catalogue with a metric in every section, one of them in two."""
    known = catalog()
    sections = {"likes": ["campaigns"], "saves": ["contacts", "messages"], "reach": ["conversations"]}
    changed = {name: known.metrics[name].model_copy(update={"snapshot": s}) for name, s in sections.items()}
    return Catalog({**known.metrics, **changed}, known.platforms)


METRICS = ("likes", "saves", "reach", "messages_sent", "views", "dropped from the catalogue")
STATES = ("value", "not_supported", "not_supported", "unknown", "failed", "insufficient_data")
number = st.one_of(st.floats(allow_nan=True), st.integers(-5, 5).map(float), st.none())


@st.composite
def series_keys(draw: st.DrawFn) -> list[Row]:
    """Series of two workspaces with a few names, so that several metrics meet in one object."""
    names = draw(st.permutations(ODD))
    key = st.tuples(
        st.sampled_from(names[:2]),
        st.sampled_from(("app", "app", "all", names[2])),
        st.sampled_from(("account", "account", "workspace", "post")),
        st.sampled_from(names[3:5]),
        st.sampled_from(METRICS),
    )
    found: dict[tuple[str, ...], Row] = {}
    for workspace, platform, kind, name, metric in draw(st.lists(key, max_size=30, unique=True)):
        entity = workspace if kind == "workspace" else name
        row: Row = {"workspace_id": workspace, "platform": platform, "entity_type": kind, "entity_id": entity}
        row |= {"account_id": None if kind == "workspace" else entity, "metric": metric}
        found[workspace, platform, kind, entity, metric] = row
    return list(found.values())


reason = st.one_of(st.none(), st.sampled_from(ODD))


@st.composite
def day_rows(draw: st.DrawFn) -> list[Row]:
    """Three days of random series, with holes."""
    rows = []
    for series in draw(series_keys()):
        for n in draw(st.sets(st.integers(0, 2))):
            value = draw(number)
            state = draw(st.sampled_from(STATES)) if value is None else "value"
            read = draw(st.sampled_from((None, NOW)))
            flags = {"is_complete": draw(st.booleans()), "is_provisional": draw(st.booleans()), "last_read_at": read}
            rows.append({"date": MONDAY + n * DAY, **series, "value": value, "state": state, **flags})
            rows[-1]["reason"] = draw(reason)
    return rows


@st.composite
def weeks_with_days(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Two weeks of random series, and the states of some of their days."""
    weeks, days = [], []
    for series in draw(series_keys()):
        for n in draw(st.sets(st.sampled_from((0, 7)))):
            numbers = {name: draw(number) for name in (*OF_PERIOD, "compared_value", "compared_previous")}
            state = "no_value" if numbers["value"] is None else draw(st.sampled_from(("ok", "partial", "no_base")))
            row: Row = {
                "date": MONDAY + n * DAY,
                **series,
                **numbers,
                "growth_state": state,
                "days_expected": 7,
                "compared_days": 3,
            }
            row |= {"days_present": draw(st.sampled_from((0, 0, 5, 7))), "is_complete": draw(st.booleans())}
            weeks.append(row | {"is_provisional": draw(st.booleans()), "reason": draw(reason), "last_read_at": None})
        for n, state in enumerate(draw(st.lists(st.sampled_from(("not_supported",) * 9 + STATES[1:]), max_size=9))):
            days.append({"date": MONDAY + n * DAY, **series, "value": None, "state": state})
    return weeks, days


def load(engine: MemoryEngine, table: str, rows: Iterable[Row]) -> None:
    spec = TABLES[table]
    dated = [{str(spec.day_column): r["date"], **r} for r in rows]
    engine.tables[table] = pa.Table.from_pylist(dated, schema=spec.schema)


def stored(engine: Engine, kind: str = "daily") -> list[Row]:
    if isinstance(engine, MemoryEngine):
        rows = engine.tables["analytics_snapshots"].to_pylist()
    else:
        with engine.session() as session:
            rows = session.run("select * from analytics_snapshots").read_all().to_pylist()
    mine = [r for r in rows if r["snapshot_type"] == kind]
    return sorted(mine, key=lambda r: (r["date"], r["workspace_id"], r["account_id"] or ""))


def refuse(text: str) -> float:
    raise AssertionError(f"{text} is no JSON")


def same(document: object, expected: object) -> bool:
    """Equal with the keys in the same order: of a metric as documented, of everything else sorted."""
    if isinstance(document, dict) and isinstance(expected, dict):
        names = list(expected)
        if not {"is_complete", "messages", "days"} & set(expected):
            names.sort()
        return list(document) == names and all(same(document[name], expected[name]) for name in names)
    return document == expected


def assert_as_expected(engine: Engine, kind: str, expected: dict[tuple[date, str, str | None], Row]) -> None:
    rows = stored(engine, kind)
    assert {(r["date"], r["workspace_id"], r["account_id"]) for r in rows} == set(expected)
    assert len(rows) == len(expected)
    for row in rows:
        said = expected[row["date"], row["workspace_id"], row["account_id"]]
        document = json.loads(row["metrics"], parse_constant=refuse)
        assert same(document, said["metrics"]), (row["metrics"], said["metrics"])
        counts = (row["metrics_expected"], row["metrics_present"], row["metrics_complete"], row["is_provisional"])
        assert counts == (said["expected"], said["present"], said["complete"], said["soft"])
        assert row["completeness"] == (said["complete"] / said["expected"] if said["expected"] else None)
        assert row["is_complete"] == (0 < said["expected"] == said["complete"])


@histories(10)
@given(rows=day_rows())
def test_a_daily_snapshot_is_what_its_days_say(memory: MemoryEngine, rows: list[Row]) -> None:
    memory.clear()
    load(memory, "daily_metrics", rows)
    builder = Builder(memory, sectioned(), Settings())
    built = builder.snapshots("daily", Window.of_days(MONDAY, MONDAY + 3 * DAY), NOW)
    assert_as_expected(memory, "daily", snapshots(rows, rows, sectioned()))
    odd = [r for r in rows if r["value"] is not None and not math.isfinite(r["value"]) and r["entity_type"] != "post"]
    assert {(p.workspace_id, p.date) for p in built.problems} == {(r["workspace_id"], r["date"]) for r in odd}
    once = memory.tables["analytics_snapshots"]
    load(memory, "daily_metrics", rows[::-1])
    builder.snapshots("daily", Window.of_days(MONDAY, MONDAY + 3 * DAY), NOW)
    assert memory.tables["analytics_snapshots"].equals(once)


@histories(10)
@given(rows=weeks_with_days())
def test_a_weekly_snapshot_is_what_its_week_says(memory: MemoryEngine, rows: tuple[list[Row], list[Row]]) -> None:
    weeks, days = rows
    memory.clear()
    load(memory, "weekly_metrics", weeks)
    load(memory, "daily_metrics", days)
    Builder(memory, sectioned(), Settings()).snapshots("weekly", Window.of_days(MONDAY, MONDAY + 14 * DAY), NOW)
    assert_as_expected(memory, "weekly", snapshots(weeks, days, sectioned(), 7))


def daily(day: date, workspace: str, metric: str, value: float, account: str | None = None, **more: object) -> Row:
    kind = "workspace" if account is None else "account"
    row: Row = {"date": day, "workspace_id": workspace, "platform": "x", "entity_type": kind, "metric": metric}
    row |= {"entity_id": account or workspace, "account_id": account, "value": value, "state": "value"}
    return row | {"is_complete": True, "is_provisional": False} | more


def write(engine: Engine, rows: Iterable[Row]) -> None:
    """Rows of accounts and workspaces into the lake's days, which they replace."""
    spec = TABLES["daily_metrics"]
    rows = list(rows)
    table = pa.Table.from_pylist(rows, schema=spec.schema)
    days: set[date] = {row["date"] for row in rows}
    engine.lake.replace("daily_metrics", Partitions(one_of=("date", days)), lambda _: table)


def two_workspaces(day: date, value: float = 5.0) -> list[Row]:
    return [
        daily(day, workspace, metric, value, account)
        for workspace in ("acme", "globex")
        for account in (None, "a", "b")
        for metric in ("views", "likes")
    ]


def value_of(row: Row, metric: str = "views") -> object:
    return json.loads(row["metrics"])["platforms"]["x"][metric]["value"]


def test_months_have_their_own_days_and_the_weeks_stay_apart(memory: MemoryEngine, memory_builder: Builder) -> None:
    first = date(2026, 2, 1)
    load(memory, "daily_metrics", [daily(first + n * DAY, "acme", "views", 2.0, "a") for n in range(28)])
    window = Window.of_days(first, first + 28 * DAY)
    memory_builder.monthly(window, NOW)
    memory_builder.weekly(window, NOW)
    memory_builder.snapshots("monthly", window, NOW)
    memory_builder.snapshots("weekly", window, NOW)
    (month,) = stored(memory, "monthly")
    assert (month["date"], value_of(month), month["is_complete"]) == (first, 56.0, True)
    assert [(r["date"], value_of(r)) for r in stored(memory, "weekly")][:2] == [
        (date(2026, 1, 26), 2.0),
        (date(2026, 2, 2), 14.0),
    ]


def test_named_workspaces_are_rebuilt_and_the_others_keep_their_rows(engine: Engine, builder: Builder) -> None:
    day = Window.of_day(MONDAY)
    write(engine, two_workspaces(MONDAY))
    builder.snapshots("daily", day, NOW)
    before = stored(engine)
    write(engine, two_workspaces(MONDAY, 6.0))
    builder.snapshots("daily", day, NOW + DAY, ["acme"])
    after = stored(engine)
    assert [value_of(r) for r in after] == [6.0] * 3 + [5.0] * 3
    assert [r for r in after if r["workspace_id"] == "globex"] == [r for r in before if r["workspace_id"] == "globex"]
    assert {r["generated_at"] for r in after if r["workspace_id"] == "acme"} == {NOW + DAY}


def test_what_comes_out_as_it_was_is_not_written_again(engine: Engine, builder: Builder) -> None:
    write(engine, [*two_workspaces(MONDAY), *two_workspaces(MONDAY + DAY)])
    both = Window.of_days(MONDAY, MONDAY + 2 * DAY)
    builder.snapshots("daily", both, NOW)
    version, rows = engine.lake.version("analytics_snapshots"), stored(engine)
    assert builder.snapshots("daily", both, NOW + DAY) == BuiltSnapshots(12, (), False)
    assert (engine.lake.version("analytics_snapshots"), stored(engine)) == (version, rows)
    write(engine, two_workspaces(MONDAY + DAY, 7.0))
    builder.snapshots("daily", both, NOW + DAY)
    assert {(r["date"], r["generated_at"]) for r in stored(engine)} == {(MONDAY, NOW), (MONDAY + DAY, NOW + DAY)}


def test_a_range_is_its_days_one_by_one_and_in_portions(engine: Engine, builder: Builder) -> None:
    days = [MONDAY + n * DAY for n in range(4)]
    write(engine, [row for n, day in enumerate(days) for row in two_workspaces(day, float(n))])
    whole = Window.of_days(MONDAY, MONDAY + 4 * DAY)
    builder.snapshots("daily", whole, NOW)
    together = stored(engine)
    engine.lake.replace(
        "analytics_snapshots",
        Partitions(equals={"snapshot_type": "daily"}),
        lambda _: TABLES["analytics_snapshots"].schema.empty_table(),
    )
    for day in days:
        builder.snapshots("daily", Window.of_day(day), NOW)
    assert stored(engine) == together
    Builder(engine, catalog(), Settings(), rows_at_once=30).snapshots("daily", whole, NOW + DAY)
    assert stored(engine) == together


def test_a_workspace_that_contradicts_itself_stops_nobody(engine: Engine, builder: Builder) -> None:
    day = Window.of_day(MONDAY)
    write(engine, two_workspaces(MONDAY))
    builder.snapshots("daily", day, NOW)
    twice = daily(MONDAY, "acme", "views", 8.0, "a")
    nan = daily(MONDAY, "globex", "saves", math.nan, "a")
    write(engine, [*two_workspaces(MONDAY, 6.0), twice, nan])
    built = builder.snapshots("daily", day, NOW + DAY)
    assert [p.line() for p in built.problems] == [
        "acme, 2026-03-02: a metric stands twice (1, such as account a, x, views); left as it was",
        "globex, 2026-03-02: a number is not finite (1, such as account a, x, saves); made without it",
    ]
    assert not built.is_nothing_made
    rows = stored(engine)
    assert [value_of(r) for r in rows] == [5.0] * 3 + [6.0] * 3
    of_account = next(r for r in rows if (r["workspace_id"], r["account_id"]) == ("globex", "a"))
    assert (value_of(of_account, "saves"), of_account["completeness"]) == (None, 2 / 3)
    assert builder.snapshots("daily", day, NOW + DAY, ["acme"]).is_nothing_made


def test_a_workspace_without_a_snapshot_is_found(engine: Engine, builder: Builder) -> None:
    write(engine, two_workspaces(MONDAY))
    builder.snapshots("daily", Window.of_day(MONDAY), NOW, ["acme"])
    asked: dict[str, Parameter] = {"start": MONDAY, "end": MONDAY + DAY, "entity_type": "daily"}
    missing = engine.query("checks/daily_snapshots_missing.sql", asked).to_pylist()
    assert {(r["workspace_id"], r["account_id"]) for r in missing} == {("globex", a) for a in (None, "a", "b")}
    builder.snapshots("daily", Window.of_day(MONDAY), NOW)
    assert engine.query("checks/daily_snapshots_missing.sql", asked).num_rows == 0
    assert engine.query("checks/snapshot_keys_unique.sql", asked).num_rows == 0


def test_the_latest_snapshot_of_each_type_can_be_asked_for_figures(engine: Engine, builder: Builder) -> None:
    for n, value in enumerate((1.0, 2.0, 3.0)):
        write(engine, two_workspaces(MONDAY + n * DAY, value))
    write(engine, [daily(MONDAY + 3 * DAY, "acme", "views", 9.0, "a")])
    window = Window.of_days(MONDAY, MONDAY + 4 * DAY)
    builder.snapshots("daily", window, NOW)
    builder.weekly(window, NOW)
    builder.snapshots("weekly", window, NOW)
    query = """
        select snapshot_type, date, account_id, cast(metrics ->> '$.platforms.x.views.value' as double)
        from latest_snapshots where workspace_id = 'acme' order by all
    """
    assert attach_all(engine.lake).sql(query).fetchall() == [
        ("daily", MONDAY + 2 * DAY, "b", 3.0),
        ("daily", MONDAY + 2 * DAY, None, 3.0),
        ("daily", MONDAY + 3 * DAY, "a", 9.0),
        ("weekly", MONDAY, "a", 15.0),
        ("weekly", MONDAY, "b", 6.0),
        ("weekly", MONDAY, None, 6.0),
    ]


def test_three_hundred_workspaces_in_one_run_and_none_has_anything_of_another(engine: Engine, builder: Builder) -> None:
    write(
        engine,
        [
            daily(MONDAY, f"w{w:03}", metric, 1000.0 * w, None if a is None else f"w{w:03}-{a}")
            for w in range(300)
            for a in (None, 0, 1, 2, 3, 4)
            for metric in ("views", "likes", "saves", "shares")
        ],
    )
    started = time.process_time()
    assert builder.snapshots("daily", Window.of_day(MONDAY), NOW).rows == 1800
    assert time.process_time() - started < 5  # 0.4 s of processor time on a free machine
    for row in stored(engine):
        workspace = int(row["workspace_id"][1:])
        assert {m["value"] for m in json.loads(row["metrics"])["platforms"]["x"].values()} == {1000.0 * workspace}
        assert row["account_id"] is None or row["account_id"].startswith(row["workspace_id"])


@pytest.mark.parametrize("name", ["messages_sent", "delivery_rate"])
def test_what_the_application_knows_of_messages_has_its_section(memory: MemoryEngine, name: str) -> None:
    memory.clear()
    load(memory, "daily_metrics", [daily(MONDAY, "acme", name, 1.0, platform=p) for p in ("app", "whatsapp")])
    Builder(memory, catalog(), Settings()).snapshots("daily", Window.of_day(MONDAY), NOW)
    document = json.loads(stored(memory)[0]["metrics"])
    assert list(document["messages"]) == [name]
    assert list(document["platforms"]) == ["whatsapp"]
