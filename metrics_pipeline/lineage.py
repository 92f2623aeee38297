"""From a number back to the runs that made it: the commits of the lake, each with its days, its run and its sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.lake.changes import Change, newest_changes
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.windows import month_start_of, week_start_of


def commits(lake: Lake, tables: Sequence[str], day: date | None, first_weekday: int, limit: int) -> list[Change]:
    """The newest commits that changed rows, newest first; with a day those of that day, its week and its month."""
    found: list[Change] = []
    for name in tables:
        of_table = newest_changes(name, lake.table(name), limit if day is None else None)
        key = None if day is None else _key(lake.tables[name], day, first_weekday)
        found += [change for change in of_table if change.days and (key is None or key in change.days)]
    return sorted(found, key=lambda change: (change.at, change.table, change.version), reverse=True)[:limit]


def _key(spec: TableSpec, day: date, first_weekday: int) -> date:
    """What a table's commits call the period that contains a day: its first one."""
    if spec.day_column == "week_start":
        return week_start_of(day, first_weekday)
    return month_start_of(day) if spec.day_column == "month_start" else day
