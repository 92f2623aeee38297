"""analytics_snapshots by brute force: loops over rows, dictionaries, and Python's own JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from metrics_pipeline.catalog.loader import Catalog

Row = Mapping[str, Any]
SECTIONS = ("messages", "campaigns", "contacts", "conversations")
OF_PERIOD = ("value", "total", "daily_average", "previous_value", "change", "growth_rate")


def day_figure(row: Row) -> dict[str, Any]:
    if row["value"] is not None and not math.isfinite(row["value"]):
        figure = {"value": None, "state": "failed", "is_complete": False, "is_provisional": row["is_provisional"]}
        return {**figure, "reason": "the number is not finite"}
    figure = {name: row[name] for name in ("value", "state", "is_complete", "is_provisional")}
    return figure if row["reason"] is None else {**figure, "reason": row["reason"]}


def period_figure(row: Row) -> dict[str, Any]:
    compared = {name: row[f"compared_{name}"] for name in ("value", "previous", "days")}
    numbers = {**{name: row[name] for name in OF_PERIOD}, "a": compared["value"], "b": compared["previous"]}
    odd = {name for name, number in numbers.items() if number is not None and not math.isfinite(number)}
    figure = {name: None if name in odd else row[name] for name in OF_PERIOD}
    figure["growth_state"] = "no_value" if figure["value"] is None and odd else row["growth_state"]
    given = {name: compared[name] for name in ("value", "previous") if compared[name] is not None}
    finite = {name: number for name, number in given.items() if math.isfinite(number)}
    all_of_it = {"value": finite.get("value"), "previous": finite.get("previous"), "days": compared["days"]}
    figure["compared"] = all_of_it if given else None
    figure |= {name: row[name] for name in ("days_present", "days_expected", "is_complete", "is_provisional")}
    if odd:
        return {**figure, "is_complete": False, "reason": "a number is not finite"}
    return figure if row["reason"] is None else {**figure, "reason": row["reason"]}


def snapshots(
    rows: Iterable[Row], days: Iterable[Row], catalog: Catalog, length: int | None = None
) -> dict[tuple[date, str, str | None], dict[str, Any]]:
    """What each snapshot says, by (date, workspace, account). length: days of a period; None for daily ones."""
    found: dict[tuple[date, str, str | None], dict[str, Any]] = {}
    for row in rows:
        if row["entity_type"] not in ("account", "workspace"):
            continue
        figure = day_figure(row) if length is None else period_figure(row)
        key = (row["date"], row["workspace_id"], row["entity_id"] if row["entity_type"] == "account" else None)
        empty: dict[str, Any] = {**{section: {} for section in SECTIONS}, "platforms": {}}
        snapshot = found.setdefault(key, {"metrics": empty, "expected": 0, "present": 0, "complete": 0, "soft": False})
        document = snapshot["metrics"]
        metric = catalog.metrics.get(row["metric"])
        sections = metric.snapshot if metric is not None and row["platform"] == "app" else []
        for section in sections:
            document[section][row["metric"]] = figure
        if not sections:
            document["platforms"].setdefault(row["platform"], {})[row["metric"]] = figure
        snapshot["soft"] |= figure["is_provisional"]
        if is_expected(row, days, length):
            snapshot["expected"] += 1
            snapshot["present"] += figure["value"] is not None
            snapshot["complete"] += figure["is_complete"]
    return found


def is_expected(row: Row, days: Iterable[Row], length: int | None) -> bool:
    if length is None:
        return bool(row["state"] != "not_supported")
    if row["days_present"]:
        return True
    keys = ("workspace_id", "platform", "entity_type", "entity_id", "metric")
    end = row["date"] + timedelta(days=length)
    states = {
        d["state"]
        for d in days
        if row["date"] <= d["date"] < end and d["value"] is None and all(d[k] == row[k] for k in keys)
    }
    return states != {"not_supported"}
