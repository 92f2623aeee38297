"""Anomalies computed the slow way, in pandas: series by series, day by day."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd

from metrics_pipeline_tests.aggregation.day_rows import Day

SERIES = ["workspace_id", "platform", "entity_type", "entity_id", "metric"]
# of the units of the metrics that the tests watch: smallest distance, least spread, whether the root of a count counts
UNITS: dict[str, tuple[float | None, float, bool]] = {
    "views": (None, 1.0, True),
    "followers": (None, 1.0, True),
    "engagement_rate": (0.05, 0.01, False),
}


def anomalies(days: Iterable[Day], first: date, end: date, threshold: float, minimum: float) -> list[dict[str, Any]]:
    """The rows that the days of [first, end) should have."""
    rows = pd.DataFrame([vars(d) for d in days])
    if rows.empty:
        return []
    usable = rows[
        rows["metric"].isin(UNITS)
        & rows["entity_type"].isin(["account", "workspace", "creator"])
        & rows["is_complete"]
        & rows["value"].notna()
        & (rows["days_spanned"].fillna(1) == 1)
    ]
    found = []
    for key, series in usable.groupby(SERIES, dropna=False):
        for _, day in series[(series["date"] >= first) & (series["date"] < end)].iterrows():
            weekdays = [day["date"] - pd.Timedelta(weeks=n).to_pytimedelta() for n in range(1, 9)]
            before = series[series["date"].isin(weekdays) & (series["definition_version"] == day["definition_version"])]
            if len(before) < 4:
                continue
            smallest, least, counted = UNITS[str(key[-1])]
            expected = before["value"].median()
            deviation = (before["value"] - expected).abs().median()
            floor = math.sqrt(abs(expected)) if counted else 0.05 * abs(expected)
            spread = max(1.4826 * deviation, floor, least)
            distance = day["value"] - expected
            if abs(distance) >= (minimum if smallest is None else smallest) and abs(distance) >= threshold * spread:
                found.append(
                    {
                        **dict(zip(SERIES, key, strict=True)),
                        "date": day["date"],
                        "value": day["value"],
                        "expected": expected,
                        "lowest": before["value"].min(),
                        "highest": before["value"].max(),
                        "spread": spread,
                        "z": distance / spread,
                        "days_used": len(before),
                        "direction": "up" if distance > 0 else "down",
                        "is_provisional": bool(day["is_provisional"]),
                        "definition_version": day["definition_version"],
                    }
                )
    return found
