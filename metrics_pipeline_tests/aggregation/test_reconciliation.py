"""Two ways to the same number: every comparison against one made by hand, and what is told of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.aggregation.reconciliation import drifts, reconcile
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day, table_from
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.readings import World, counter, insight, post
from metrics_pipeline_tests.aggregation.test_laws import build_all
from metrics_pipeline_tests.aggregation.worlds import DAYS, FIRST, NOW, worlds

ALL = Window.of_days(FIRST, FIRST + timedelta(days=DAYS))
Rows = list[dict[str, Any]]


def compared(engine: Engine, settings: Settings | None = None) -> Rows:
    reconcile(engine, catalog(), settings or Settings(now=NOW), ALL)
    with engine.session() as session:
        return session.run("select * from reconciliations").read_all().to_pylist()


def of(rows: Rows, comparison: str) -> Rows:
    return [row for row in rows if row["comparison"] == comparison]


@pytest.fixture
def lake_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    return Engine(lake)


@histories(2)
@given(world=worlds(size=40))
def test_tables_of_one_build_meet_and_posts_are_compared_with_their_account(
    tmp_path_factory: pytest.TempPathFactory, world: World
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    engine = Engine(lake)
    world.write(engine)
    build_all(Builder(engine, catalog(), Settings(now=NOW)))
    rows = compared(engine)
    assert {row["state"] for row in rows if row["is_exact"]} <= {"equal"}
    assert len({tuple(row[c] for c in ("date", "workspace_id", "platform", "comparison", "grain", "entity_type",
                                       "entity_id", "metric")) for row in rows}) == len(rows)  # fmt: skip

    with engine.session() as session:
        daily: Rows = session.run("select * from daily_metrics").read_all().to_pylist()
    posts: dict[tuple[object, ...], list[float]] = defaultdict(list)
    additive = {m.name for m in catalog().metrics.values() if m.additivity == "additive" and not m.derived}
    for d in daily:
        if d["entity_type"] == "post" and d["value"] is not None and d["metric"] in additive:
            posts[d["date"], d["workspace_id"], d["platform"], d["account_id"], d["metric"]].append(d["value"])
    expected = {
        key: (d["value"], round(sum(posts[key]), 6))
        for d in daily
        if d["entity_type"] == "account" and d["source"] in ("series", "counter", "import") and d["value"] is not None
        for key in [(d["date"], d["workspace_id"], d["platform"], d["entity_id"], d["metric"])]
        if key in posts
    }
    found = {
        tuple(r[c] for c in ("date", "workspace_id", "platform", "entity_id", "metric")): (r["value"], r["against"])
        for r in of(rows, "posts_and_account")
    }
    assert found == expected
    for row in rows:
        if row["against"] is not None and row["comparison"] != "days_and_period":
            assert row["absolute_drift"] == pytest.approx(abs(row["value"] - row["against"]))


def build(engine: Engine, world: World) -> None:
    world.write(engine)
    build_all(Builder(engine, catalog(), Settings(now=NOW)), ALL)


def tampered(engine: Engine, table: str, partition: str, change: str) -> None:
    """Write another table than the one that was built, as a broken build would."""
    with engine.session() as session:
        rows = session.run(f"select * replace ({change}) from {table}").read_all()
    between = Partitions(between=(partition, FIRST - timedelta(days=31), FIRST + timedelta(days=62)))
    engine.lake.replace(table, between, lambda _: rows.cast(engine.lake.tables[table].schema), {})


def test_a_week_that_is_not_its_days_is_an_error_with_its_size(lake_engine: Engine) -> None:
    build(lake_engine, World(insights=[insight("views", FIRST + timedelta(days=n), 10.0) for n in range(7)]))
    tampered(lake_engine, "weekly_metrics", "week_start", "value + 5 as value")
    (week,) = (r for r in of(compared(lake_engine), "days_and_period")
               if r["entity_type"] == "account" and r["metric"] == "views" and r["grain"] == "week")  # fmt: skip
    assert (week["value"], week["against"], week["absolute_drift"], week["state"]) == (75.0, 70.0, 5.0, "drift")
    assert week["relative_drift"] == pytest.approx(5 / 75)
    found = drifts(lake_engine, ALL)
    assert any("week 2026-03-02, days and period: views of acme, instagram" in line for line in found.exact)
    assert not found.others


def test_a_week_whose_days_changed_since_is_not_judged_until_it_is_built_again(lake_engine: Engine) -> None:
    build(lake_engine, World(insights=[insight("views", FIRST, 10.0)]))
    World(insights=[insight("views", FIRST, 12.0, read_at=NOW)]).write(lake_engine)
    builder = Builder(lake_engine, catalog(), Settings(now=NOW))
    for kind in ("post", "account", "workspace"):
        builder.daily(kind, Window.of_day(FIRST), NOW)
    states = {(r["grain"], r["state"]) for r in of(compared(lake_engine), "days_and_period") if r["metric"] == "views"}
    assert states == {("week", "incomplete")}  # the month begins before the window
    builder.weekly(ALL, NOW)
    builder.monthly(ALL, NOW)
    assert {r["state"] for r in compared(lake_engine)} == {"equal"}


def test_a_workspace_that_is_not_its_accounts_is_an_error(lake_engine: Engine) -> None:
    build(lake_engine, World(insights=[insight("likes", FIRST, 10.0), insight("likes", FIRST, 5.0, account="b")]))
    assert {r["state"] for r in of(compared(lake_engine), "accounts_and_workspace")} == {"equal"}
    wrong = "case when entity_type = 'workspace' then value - 1 else value end as value"
    tampered(lake_engine, "daily_metrics", "date", wrong)
    rows = [r for r in of(compared(lake_engine), "accounts_and_workspace") if r["metric"] == "likes"]
    assert {(r["platform"], r["value"], r["against"], r["compared"]) for r in rows if r["state"] == "drift"} == {
        ("instagram", 14.0, 15.0, 2),
        ("all", 14.0, 15.0, 2),
    }


@pytest.mark.parametrize(
    ("reach", "against", "state"), [(60.0, 60.0, "equal"), (9.0, 10.0, "drift"), (75.0, 70.0, "drift")]
)
def test_people_of_a_week_are_at_least_those_of_a_day_and_at_most_those_of_all(
    lake_engine: Engine, reach: float, against: float, state: str
) -> None:
    days = [insight("reach", FIRST + timedelta(days=n), 10.0) for n in range(7)]
    week = insight("reach", FIRST + timedelta(days=6), reach) | {"window": "P7D"}
    build(lake_engine, World(insights=[*days, week]))
    (row,) = (r for r in of(compared(lake_engine), "days_and_window") if r["entity_type"] == "account")
    assert (row["value"], row["against"], row["state"]) == (reach, against, state)


def test_posts_that_say_less_than_their_account_are_measured_and_not_judged(lake_engine: Engine) -> None:
    at = NOW.replace(month=3, day=2, hour=8)
    world = World(
        insights=[insight("views", FIRST, 10.0)],
        counters=[counter("views", at.replace(hour=23), 7.0) | {"post_id": "p"}],
        posts=[post("p", at)],
    )
    build(lake_engine, world)
    (row,) = of(compared(lake_engine), "posts_and_account")
    assert (row["value"], row["against"], row["state"], row["is_judged"]) == (10.0, 7.0, "differs", False)
    assert row["relative_drift"] == pytest.approx(0.3)
    found = drifts(lake_engine, ALL)
    assert not found.exact
    assert not found.others


def test_an_empty_lake_has_nothing_to_compare(lake_engine: Engine) -> None:
    assert compared(lake_engine) == []
    assert isinstance(lake_engine.query("reconciliation/found.sql", {"start": FIRST, "end": FIRST}), pa.Table)


@pytest.mark.parametrize(("told", "state"), [(400.0, "equal"), (398.0, "within_tolerance"), (300.0, "drift")])
def test_messages_of_the_application_are_compared_with_whatsapps_own_count(
    lake_engine: Engine, told: float, state: str
) -> None:
    def day(platform: str, value: float) -> Day:
        return Day(FIRST, "acme", platform, "account", "wa-1", "wa-1", "messages_sent", value)

    rows = table_from([day("app", 400.0), day("whatsapp", told)], DAILY_METRICS.schema)
    lake_engine.lake.append("daily_metrics", rows)
    (row,) = of(compared(lake_engine), "application_and_platform")
    assert (row["platform"], row["value"], row["against"], row["state"]) == ("whatsapp", 400.0, told, state)
    found = drifts(lake_engine, ALL)
    assert not found.exact
    assert len(found.others) == (state == "drift")
