"""Puts imported readings into the lake, and takes them out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.lake.changes import days_note
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import COUNTER_READINGS, INSIGHT_READINGS
from metrics_pipeline.windows import DAY, Window

# Days written in one commit. Measured: the commit's predicate costs more than its files beyond a year or so.
_DAYS_PER_COMMIT = 400


@dataclass(frozen=True)
class TouchedDays:
    """First and last day, both included, that an import has rows for in one table and platform."""

    table: str
    platform: str
    first: date
    last: date


def store_readings(engine: Engine, tables: Mapping[str, pa.Table]) -> int:
    """Add the rows that are not known yet; returns how many. Rows that are there already stay untouched."""
    gained = 0
    for table, rows in tables.items():
        for touched in touched_days({table: rows}):
            of_platform = rows.filter(pc.field("platform") == touched.platform)
            days = sorted({day for day in pc.unique(of_platform["date"]).to_pylist() if day is not None})
            for start in range(0, len(days), _DAYS_PER_COMMIT):
                some = days[start : start + _DAYS_PER_COMMIT]
                first, last = pa.scalar(some[0]), pa.scalar(some[-1])
                incoming = of_platform.filter((pc.field("date") >= first) & (pc.field("date") <= last))
                partitions = Partitions(equals={"platform": touched.platform}, one_of=("date", some))
                gained += engine.merge(table, f"imports/merge_{table}.sql", incoming, partitions)
    return gained


def touched_days(tables: Mapping[str, pa.Table]) -> list[TouchedDays]:
    """The partitions the rows lie in, as ranges."""
    found = []
    for table, rows in tables.items():
        ranges = rows.group_by("platform").aggregate([("date", "min"), ("date", "max")])
        found += [TouchedDays(table, r["platform"], r["date_min"], r["date_max"]) for r in ranges.to_pylist()]
    return found


def delete_import(lake: Lake, import_id: str, touched: list[TouchedDays]) -> int:
    """Delete the rows of one import, looking into its own partitions only; returns how many there were."""
    deleted = 0
    for days in touched:
        if days.table not in (INSIGHT_READINGS.name, COUNTER_READINGS.name):
            raise ValueError(f"no import of readings writes {days.table}")
        quoted = {"platform": days.platform.replace("'", "''"), "import_id": import_id.replace("'", "''")}
        deleted += lake.delete(
            days.table,
            f"platform = '{quoted['platform']}' and date >= '{days.first.isoformat()}' "
            f"and date <= '{days.last.isoformat()}' and import_id = '{quoted['import_id']}'",
            note=lambda _, days=days: days_note(Window.of_days(days.first, days.last + DAY).days()),  # type: ignore[misc]
        )
    return deleted
