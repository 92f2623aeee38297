"""The wide views: a pivot of the narrow tables, with a column for every metric the catalogue gives one."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pandas as pd
import pytest

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.connection import VIEWS, attach_all
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.readings import World, at, counter, day, insight, post

WIDE = {
    "account_daily": ("daily_metrics", "account", "date", ["workspace_id", "platform", "account_id"]),
    "post_daily": ("daily_metrics", "post", "date", ["workspace_id", "platform", "account_id", "post_id"]),
    "workspace_daily": ("daily_metrics", "workspace", "date", ["workspace_id", "platform"]),
    "account_weekly": ("weekly_metrics", "account", "week_start", ["workspace_id", "platform", "account_id"]),
    "workspace_weekly": ("weekly_metrics", "workspace", "week_start", ["workspace_id", "platform"]),
    "workspace_monthly": ("monthly_metrics", "workspace", "month_start", ["workspace_id", "platform"]),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Three accounts over ten days, collected and rolled up in a lake on disk."""
    from metrics_pipeline.lake.lake import Lake
    from metrics_pipeline.settings import Settings

    store = Lake(str(tmp_path_factory.mktemp("lake")))
    store.initialise()
    engine = Engine(store)
    first = day("2026-02-23")
    world = World(posts=[post("p", at("2026-02-23 08:00"), account="a", title="Spring", post_type="reel")])
    for n in range(10):
        measured, closing = first + timedelta(days=n), at("2026-02-23 23:50") + timedelta(days=n)
        for k, (account, platform) in enumerate((("a", "instagram"), ("b", "instagram"), ("c", "x"))):
            metrics = ("likes", "comments", "views", "reach", "saves")
            world.insights += [
                insight(m, measured, 10 * k + i + n, account=account, platform=platform)
                for i, m in enumerate(metrics)
                if (n + i + k) % 4
            ]
            world.counters.append(
                counter("followers", closing, 100 + 3 * n, kind="gauge", account=account, platform=platform)
            )
        world.counters += [counter(m, closing, 5 * n, account="a", post_id="p") for m in ("views", "likes")]
    world.write(engine)
    builder, window = Builder(engine, catalog(), Settings()), Window.of_days(first, first + timedelta(days=10))
    for kind in ("post", "account", "workspace"):
        builder.daily(kind, window, at("2026-03-10 00:00"))
    builder.weekly(window, at("2026-03-10 00:00"))
    builder.monthly(window, at("2026-03-10 00:00"))
    return attach_all(store)


@pytest.mark.parametrize("view", WIDE)
def test_a_wide_view_is_a_pivot_of_its_table(lake: duckdb.DuckDBPyConnection, view: str) -> None:
    table, level, period, keys = WIDE[view]
    narrow = lake.sql(f"select *, entity_id as post_id from {table} where entity_type = '{level}'").df()
    names = {m.name: m.wide_column for m in catalog().metrics.values() if m.wide_column and level in m.levels}
    keys = [period, *keys]
    expected = narrow.pivot(index=keys, columns="metric", values="value").rename(columns=names)
    actual = lake.sql(f"from {view}").df().set_index(keys).sort_index()
    assert len(actual) == len(expected)
    for column in names.values():
        wanted = expected[column] if column in expected else pd.Series(index=expected.index, dtype=float)
        pd.testing.assert_series_equal(
            actual[column].astype(float), wanted.sort_index().astype(float), check_names=False, obj=f"{view}.{column}"
        )
    incomplete = narrow[~narrow["is_complete"]].groupby(keys).size().reindex(actual.index, fill_value=0)
    assert actual["incomplete_metrics"].tolist() == incomplete.tolist()


@pytest.mark.parametrize("view", WIDE)
def test_every_metric_with_a_wide_column_has_it_and_nothing_else_is_there(
    lake: duckdb.DuckDBPyConnection, view: str
) -> None:
    _, level, period, keys = WIDE[view]
    wanted = [m for m in catalog().metrics.values() if m.wide_column and level in m.levels]
    columns = {str(m.wide_column) for m in wanted}
    about = {period, *keys, "incomplete_metrics", "last_read_at"}
    if view == "post_daily":
        columns |= {f"lifetime_{m.wide_column}" for m in wanted if not m.derived and m.additivity != "ratio"}
        about |= {"post_type", "title", "published_at"}
    assert {c[0] for c in lake.sql(f"describe {view}").fetchall()} == columns | about


def test_a_post_shows_what_it_is_and_its_counters(lake: duckdb.DuckDBPyConnection) -> None:
    rows = lake.sql(
        "select title, post_type, views, lifetime_views from post_daily where post_id = 'p' order by date"
    ).fetchall()
    assert rows[0] == ("Spring", "reel", 0, 0)
    assert rows[1:] == [("Spring", "reel", 5, 5 * n) for n in range(1, 10)]


def test_weekly_growth_tells_accounts_and_workspaces(lake: duckdb.DuckDBPyConnection) -> None:
    (rows,) = lake.sql("select count(*) from weekly_growth").fetchall()
    (kinds,) = lake.sql("select count(*) from weekly_metrics where entity_type in ('account', 'workspace')").fetchall()
    assert rows == kinds


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers(lake: duckdb.DuckDBPyConnection, view: str) -> None:
    assert lake.sql(f"from {view} limit 1").columns
