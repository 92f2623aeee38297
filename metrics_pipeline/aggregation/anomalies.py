"""Builds `anomalies`: which metrics are watched, and how far is far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.models import Metric
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.settings import Settings
from metrics_pipeline.settings.watching import listed
from metrics_pipeline.windows import Window

WEEKS = 8
_COLUMNS: dict[str, pa.DataType] = {
    "metric": pa.string(),
    "label": pa.string(),
    "counted": pa.bool_(),
    "minimum": pa.float64(),
    "relative_floor": pa.float64(),
    "least_spread": pa.float64(),
}


@dataclass(frozen=True, slots=True)
class _Scale:
    """What is too small to matter: a distance from the median, and the least spread that is believed."""

    minimum: float | None
    least_spread: float


# Ratios are 0 to 1, percentages 0 to 100: there the setting's minimum, a number of things, says nothing.
_SCALES = {"ratio": _Scale(0.05, 0.01), "percent": _Scale(5.0, 1.0)}
_AMOUNT = _Scale(None, 1.0)
# A mean or an amount that hardly ever moves is believed to one part in twenty.
RELATIVE_FLOOR = 0.05


def watched_metrics(catalog: Catalog, settings: Settings) -> list[Metric]:
    """The metrics that are watched: `anomalies: true` in the catalogue, and METRICS_ANOMALY_METRICS.

    Raises:
        UserError: the setting names a metric that does not exist.
    """
    added = listed(settings.anomaly_metrics)
    unknown = [name for name in added if name not in catalog.metrics]
    if unknown:
        raise UserError(f"METRICS_ANOMALY_METRICS names {unknown[0]!r}, which is no metric; see docs/metric_list.md.")
    return [metric for metric in catalog.metrics.values() if metric.anomalies or metric.name in added]


def build_anomalies(engine: Engine, catalog: Catalog, settings: Settings, window: Window) -> int:
    """Replace `anomalies` for the days of the window; returns the rows written."""
    first = window.first_day - timedelta(weeks=WEEKS)
    parameters: dict[str, Parameter] = {
        "first": first,
        "start": window.first_day,
        "end": window.end_day,
        "threshold": settings.anomaly_z,
    }
    return engine.build(
        "anomalies",
        "anomalies/anomalies.sql",
        Partitions(between=("date", window.first_day, window.end_day)),
        parameters,
        {"watched_metrics": _relation(watched_metrics(catalog, settings), settings)},
        days={"daily_metrics": (first, window.end_day)},
    )


def _relation(metrics: list[Metric], settings: Settings) -> pa.Table:
    rows = []
    for metric in metrics:
        scale = _SCALES.get(metric.unit, _AMOUNT)
        rows.append(
            {
                "metric": metric.name,
                "label": metric.label,
                "counted": metric.unit == "count",
                "minimum": settings.anomaly_minimum if scale.minimum is None else scale.minimum,
                "relative_floor": RELATIVE_FLOOR,
                "least_spread": scale.least_spread,
            }
        )
    return pa.Table.from_pylist(rows, schema=pa.schema(_COLUMNS))


def found_on(engine: Engine, window: Window) -> dict[str, list[str]]:
    """The explanations by day, those that stand out most first."""
    rows = engine.query("anomalies/found.sql", {"start": window.first_day, "end": window.end_day}).to_pylist()
    days: dict[str, list[str]] = {}
    for row in rows:
        line = f"{row['workspace_id']}, {row['platform']}: {row['explanation']}"
        days.setdefault(row["date"].isoformat(), []).append(line)
    return days


def is_recent(day: str, now: datetime) -> bool:
    """Whether somebody should still hear of a day: yesterday and the two before it."""
    return day >= (now - timedelta(days=3)).date().isoformat()
