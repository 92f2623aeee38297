"""Builds `reconciliations`: every number that can be had in two ways, in both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.lake.changes import Change, newest_changes
from metrics_pipeline.lake.engine import Engine, Piece
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.periods import Period, months, weeks
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

_CALENDAR: dict[str, pa.DataType] = {"grain": pa.string(), "date": pa.date32(), "period_start": pa.date32()}
_STALE: dict[str, pa.DataType] = {"grain": pa.string(), "period_start": pa.date32()}


@dataclass(frozen=True)
class Drift:
    """Comparisons whose sides lie apart. exact: between numbers made of the same rows, which is an error of ours."""

    exact: tuple[str, ...]
    others: tuple[str, ...]


def reconcile(engine: Engine, catalog: Catalog, settings: Settings, window: Window) -> int:
    """Build the comparisons of the days of the window and the weeks and months that begin there; returns its rows."""
    first, end = window.first_day, window.end_day
    periods = {
        "week": [p for p in weeks(first, end, settings.week_start_index) if first <= p.start < end],
        "month": [p for p in months(first, end) if first <= p.start < end],
    }
    last = max([end, *(p.end for of_grain in periods.values() for p in of_grain)])
    parameters: dict[str, Parameter] = {"start": first, "end": end, "tolerance": settings.drift_tolerance}
    changed = newest_changes("daily_metrics", engine.lake.table("daily_metrics"), None)
    stale = [
        {"grain": grain, "period_start": start}
        for grain, table in (("week", "weekly_metrics"), ("month", "monthly_metrics"))
        for start in _stale(newest_changes(table, engine.lake.table(table), None), changed, periods[grain])
    ]
    calendar = [row for grain, of_grain in periods.items() for row in _days(grain, of_grain)]
    relations = catalog_relations(catalog) | {
        "days_of_periods": pa.Table.from_pylist(calendar, schema=pa.schema(_CALENDAR)),
        "stale_periods": pa.Table.from_pylist(stale, schema=pa.schema(_STALE)),
    }
    days = {"daily_metrics": (first, last), "weekly_metrics": (first, end), "monthly_metrics": (first, end)}
    partitions = Partitions(between=("date", first, end))
    piece = Piece(parameters, relations, days)
    return engine.build_changed_days("reconciliations", "reconciliation/reconciliations.sql", partitions, piece)


def _stale(builds: Sequence[Change], changed: Sequence[Change], periods: Sequence[Period]) -> Iterator[date]:
    """The periods of which a day changed after they were built: their run has not come yet."""
    built: dict[date, int] = {}
    for commit in reversed(builds):
        built.update(dict.fromkeys(commit.days, commit.sources.get("daily_metrics", 0)))
    for period in periods:
        version = built.get(period.start, 0)
        if any(c.version > version and any(period.start <= day < period.end for day in c.days) for c in changed):
            yield period.start


def _days(grain: str, periods: Iterable[Period]) -> Iterator[dict[str, object]]:
    for period in periods:
        for n in range((period.end - period.start).days):
            yield {"grain": grain, "date": period.start + timedelta(days=n), "period_start": period.start}


def drifts(engine: Engine, window: Window) -> Drift:
    """What has drifted in the window, in words, the worst first."""
    rows = engine.query("reconciliation/found.sql", {"start": window.first_day, "end": window.end_day}).to_pylist()
    told = [(bool(row["is_exact"]), _line(row)) for row in rows]
    return Drift(tuple(line for exact, line in told if exact), tuple(line for exact, line in told if not exact))


def _line(row: dict[str, object]) -> str:
    what = str(row["comparison"]).replace("_", " ")
    where = f"{row['workspace_id']}, {row['platform']}, {row['entity_type']} {row['entity_id'] or '(all)'}"
    relative = row["relative_drift"]
    share = "" if not isinstance(relative, float) else f" ({100 * relative:.1f} %)"
    day = row["date"].isoformat() if isinstance(row["date"], date) else ""
    return (
        f"{row['grain']} {day}, {what}: {row['metric']} of {where} is {_number(row['value'])} "
        f"against {_number(row['against'])}{share}"
    )


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "none"
