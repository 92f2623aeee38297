"""A row of daily_metrics as the oracles see it, and the comparison of their rows with a table's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import pyarrow as pa

Key = tuple[object, ...]


@dataclass
class Day:
    date: date
    workspace_id: str
    platform: str
    entity_type: str
    entity_id: str
    account_id: str | None
    metric: str
    value: float | None = None
    lifetime_value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    state: str = "value"
    reason: str | None = None
    source: str = "series"
    is_complete: bool = True
    is_provisional: bool = False
    definition_version: int = 1
    readings: int = 1
    readings_expected: int = 1
    days_spanned: int | None = None
    entities_present: int | None = None
    entities_expected: int | None = None
    last_read_at: datetime | None = None
    day_timezone: str = "UTC"
    approximate: bool = False


def state_of(value: float) -> str:
    return "zero" if value == 0 else "value"


def days_from(table: pa.Table) -> list[Day]:
    """The rows of a daily_metrics table."""
    names = [f.name for f in fields(Day)]
    return [Day(**row) for row in table.select(names).to_pylist()]


def table_from(days: Iterable[Day], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([vars(d) for d in days], schema=schema)


def assert_same_rows(
    actual: Iterable[Mapping[str, Any]],
    expected: Iterable[Mapping[str, Any]],
    keys: Sequence[str],
    columns: Sequence[str],
) -> None:
    """Same keys, once each, and equal columns (floats to six decimals); the message names what differs."""
    left, right = _by_key(actual, keys), _by_key(expected, keys)
    assert not (extra := sorted(map(str, left.keys() - right.keys()))), f"rows nobody expected: {extra[:5]}"
    assert not (lost := sorted(map(str, right.keys() - left.keys()))), f"rows that are missing: {lost[:5]}"
    differences = [
        f"{key} {column}: table {row[column]!r}, oracle {right[key][column]!r}"
        for key, row in left.items()
        for column in columns
        if not _is_same(row[column], right[key][column])
    ]
    assert not differences, "\n".join(sorted(differences)[:12])


def _by_key(rows: Iterable[Mapping[str, Any]], keys: Sequence[str]) -> dict[Key, Mapping[str, Any]]:
    found: dict[Key, Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        assert key not in found, f"two rows for {key}"
        found[key] = row
    return found


def _is_same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
    return a == b
