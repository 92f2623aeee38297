"""A thousand workspaces with five accounts each: the daily close with its snapshots, and a year's weeks and months.

Run with `make bench-workspaces`. Every account has a reading of each of twelve metrics on each day; the readings of one
day and the daily rows of a year (22 million) are drawn by DuckDB and written straight into the lake. Beside the
rollups stands what is spent at the least: one group-by by hand over the same rows, and writing as many rows.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from benchmarks.costs import Cost, alone, cost_of
from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.connect import attach_table, connect_duckdb
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import DAILY_METRICS, INSIGHT_READINGS
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

FIRST, END = date(2025, 1, 1), date(2026, 1, 1)
CLOSED = END - timedelta(days=1)
NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)
PLATFORMS = ("facebook", "instagram", "linkedin", "youtube", "tiktok")
METRICS = (
    "followers", "reach", "impressions", "views", "likes", "comments", "shares", "saves", "clicks", "profile_views",
    "website_clicks", "engagement",
)  # fmt: skip
BATCH_ROWS = 250_000

# One row per account, metric and day of [$first, $end): the value follows from a hash of its key.
_DRAWN = """
select
    d.day as date,
    'workspace-' || printf('%04d', w.i) as workspace_id,
    a.platform,
    a.platform || '-' || printf('%04d', w.i) as account_id,
    m.metric,
    cast(case when m.metric = 'followers' then 10000 + w.i + 3 * (d.day - date '2025-01-01')
        else hash(w.i, a.platform, m.metric, d.day) % 500 end as double) as value
from
    (select cast(unnest(generate_series($first, $end - 1, interval 1 day)) as date) as day) as d,
    range($workspaces) as w (i),
    (select unnest($platforms) as platform) as a,
    (select unnest($metrics) as metric) as m
"""
_DAILY = f"""
select *, 'account' as entity_type, account_id as entity_id,
    case when value = 0 then 'zero' else 'value' end as state, 'series' as source,
    true as is_complete, false as is_provisional, 1 as definition_version, 1 as readings, 1 as readings_expected,
    cast(date as timestamptz) + interval 26 hour as last_read_at, 'UTC' as day_timezone, false as approximate
from ({_DRAWN}) order by date, workspace_id, platform, entity_id, metric
"""
_READINGS = f"""
select *, metric as source_metric, 'P1D' as "window", 'fetched' as source, 'api' as api, 'UTC' as day_timezone,
    1 as definition_version, 'run' as run_id,
    cast(date as timestamptz) + interval 26 hour as read_at, read_at as confirmed_at
from ({_DRAWN}) where metric <> 'engagement' order by platform, date, workspace_id, account_id, metric
"""
_BARE = """
select date_trunc('week', date) as week, workspace_id, platform, entity_id, metric,
    sum(value), count(value), min(value), max(value), avg(value)
from daily_metrics group by all
"""


def draw(lake: Lake, spec: TableSpec, statement: str, first: date, end: date, workspaces: int) -> None:
    """Write drawn rows into a table in one commit."""
    drawn_columns = {*re.findall(r' as "?(\w+)', statement), "platform", "metric", "value"}
    columns = ", ".join(
        f'cast({c.name if c.name in drawn_columns else "null"} as {c.sql_type}) as "{c.name}"' for c in spec.columns
    ).replace("cast(window as", 'cast("window" as')
    parameters = {
        "first": first, "end": end, "workspaces": workspaces, "platforms": list(PLATFORMS), "metrics": list(METRICS),
    }  # fmt: skip
    reader = connect_duckdb().sql(f"select {columns} from ({statement})", params=parameters).to_arrow_reader(BATCH_ROWS)
    lake.append(spec.name, pa.RecordBatchReader.from_batches(spec.schema, (b.cast(spec.schema) for b in reader)))


def opened(directory: Path) -> Lake:
    lake = Lake(str(directory / "lake"))
    lake.initialise()
    return lake


def drawn(directory: Path, workspaces: int) -> Cost:
    """The readings of the closed day and the daily rows of the year before it."""
    lake = opened(directory)

    def write() -> None:
        draw(lake, INSIGHT_READINGS, _READINGS, CLOSED, END, workspaces)
        month = FIRST
        while month < END:
            following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
            draw(lake, DAILY_METRICS, _DAILY, month, following, workspaces)
            month = following

    return cost_of(write)


def bare(directory: Path) -> Cost:
    """One group-by by hand over the year's rows, its result kept in DuckDB."""
    lake = opened(directory)

    def run() -> None:
        connection = connect_duckdb()
        attach_table(connection, DAILY_METRICS, lake.table("daily_metrics"))
        connection.execute(f"create temp table result as {_BARE}")

    return cost_of(run)


def unbuilt(directory: Path) -> None:
    """Take out what building the closed day gives, so that a lake that is measured again has to write it again."""
    lake, day = opened(directory), f"date = '{CLOSED}'"
    lake.delete("daily_metrics", f"{day} and entity_type in ('post', 'account', 'workspace')")
    lake.delete("analytics_snapshots", f"{day} and snapshot_type = 'daily'")


def built(directory: Path, what: str) -> Cost:
    """Build one table of the year, or the closed day, the way its asset does."""
    builder = Builder(Engine(opened(directory)), catalog(), Settings())
    year, day = Window.of_days(FIRST, END), Window.of_day(CLOSED)
    work: dict[str, Callable[[], object]] = {
        "weekly_metrics": lambda: builder.weekly(year, NOW),
        "monthly_metrics": lambda: builder.monthly(year, NOW),
        "daily_metrics": lambda: [builder.daily(level, day, NOW) for level in ("post", "account", "workspace")],
        "daily snapshots": lambda: builder.snapshots("daily", day, NOW),
        "weekly snapshots": lambda: builder.snapshots("weekly", year, NOW),
        "monthly snapshots": lambda: builder.snapshots("monthly", year, NOW),
    }
    return cost_of(work[what])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--lake", type=Path, help="draw it here, or measure the one that is here already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = asked.lake or Path(scratch)
        if not (directory / "lake").exists():
            print(f"{'drawn':34} {alone(drawn, directory, asked.workspaces)}", flush=True)
        print(f"{'one group-by by hand':34} {alone(bare, directory)}", flush=True)
        unbuilt(directory)
        close = [alone(built, directory, what) for what in ("daily_metrics", "daily snapshots")]
        print(f"{'daily_metrics of the closed day':34} {close[0]}")
        print(f"{'daily snapshots of it':34} {close[1]}")
        print(f"{'the daily close, both':34} {sum(part.seconds for part in close):6.1f} s", flush=True)
        for what in ("weekly_metrics", "monthly_metrics", "weekly snapshots", "monthly snapshots"):
            print(f"{what:34} {alone(built, directory, what)}", flush=True)


if __name__ == "__main__":
    main()
