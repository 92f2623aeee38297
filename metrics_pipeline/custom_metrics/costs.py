"""What a calculation costs, from the rows that the table's own log says its partitions hold: never an estimate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.custom_metrics.compiler.plan import Leaf, Plan
from metrics_pipeline.custom_metrics.guarded import Reads
from metrics_pipeline.custom_metrics.model import Aggregation
from metrics_pipeline.custom_metrics.spans import Span
from metrics_pipeline.lake.table_spec import TableSpec

CostClass = Literal["low", "medium", "high"]
_ORDER: tuple[CostClass, ...] = ("low", "medium", "high")
# What a window has to look at value by value, period by period; sums travel as one number a day.
_KEEPS_VALUES: frozenset[Aggregation] = frozenset({"count_distinct", "median", "percentile"})
# Measured by `make bench-custom-metrics`, processor time over 10 million events: no aggregate takes more than a sum,
# whose addends are put in order; over 30 days those that keep values take 2 to 4.5 sums, one more for every ten days.
_DAYS_OF_A_SUM = 10


def rows_read(specs: Mapping[str, TableSpec], tables: Mapping[str, DeltaTable], reads: Reads) -> dict[str, int]:
    """Rows of the partitions that are read, by table; of all tenants, since a file is opened whole."""
    found: dict[str, int] = {}
    for name, days in reads.items():
        if name not in tables:
            found[name] = 0
            continue
        added = pa.table(tables[name].get_add_actions(flatten=True))
        counts = added["num_records"].to_pylist()
        column = specs[name].day_column
        if days is not None and column is not None:
            stored = added[f"partition.{column}"].to_pylist()
            counts = [
                rows
                for day, rows in zip(stored, counts, strict=True)
                if isinstance(day, date) and days[0] <= day < days[1]
            ]
        found[name] = sum(int(rows or 0) for rows in counts)
    return found


def weighted_rows(plan: Plan, rows: Mapping[str, int], table_of: Mapping[str, str]) -> int:
    """The rows, each as often as it is worked on. table_of: the table of each data set."""
    return sum(rows[table_of[leaf.metric.dataset]] * _weight(leaf) for _, leaf in plan.leaves)


def highest(classes: Iterable[CostClass]) -> CostClass:
    """The highest of them; low for none."""
    return max(classes, key=_ORDER.index, default="low")


def cost_class(weighted: int, medium: int, high: int) -> CostClass:
    """low, medium or high."""
    return "low" if weighted < medium else "medium" if weighted < high else "high"


def _weight(leaf: Leaf) -> int:
    """How many sums it takes as long as."""
    cumulative = leaf.leg.cumulative
    if cumulative is None or leaf.metric.agg not in _KEEPS_VALUES:
        return 1
    days = Span.parse(cumulative.window).longest_days if cumulative.window else 31
    return 1 + days // _DAYS_OF_A_SUM


class Generations:
    """Digests of the files of certain tables: one changes when any of its files does, and with nothing else."""

    def __init__(self, specs: Mapping[str, TableSpec], tables: Mapping[str, DeltaTable]) -> None:
        self._specs = specs
        self._tables = tables
        self._files: dict[str, list[tuple[str, date | None]]] = {}
        self._known: dict[tuple[str, tuple[date, date] | None], str] = {}

    def of(self, reads: Reads) -> str:
        """The digest of what is read."""
        parts = (f"{name}={self._of_table(name, days)}" for name, days in sorted(reads.items()))
        return _digest("\n".join(parts))

    def _of_table(self, name: str, days: tuple[date, date] | None) -> str:
        found = self._known.get((name, days))
        if found is None:
            files = self._files_of(name)
            mine = (path for path, day in files if days is None or day is None or days[0] <= day < days[1])
            found = self._known[name, days] = _digest(",".join(mine))
        return found

    def _files_of(self, name: str) -> list[tuple[str, date | None]]:
        if name not in self._files:
            added = pa.table(self._tables[name].get_add_actions(flatten=True)) if name in self._tables else None
            paths = [] if added is None else [str(path) for path in added["path"].to_pylist()]
            column = self._specs[name].day_column
            dated = column is not None and column in self._specs[name].partition_by
            days = added[f"partition.{column}"].to_pylist() if added is not None and dated else [None] * len(paths)
            self._files[name] = sorted(zip(paths, days, strict=True))
        return self._files[name]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
