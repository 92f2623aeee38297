"""Which stored values may have changed: by the files of the tables they rest on, and by what was defined since.

A table's partition counts as changed when a file of it came or went. That holds for late events, restated days, erased
people and dropped days alike, and needs no list on the side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.custom_metrics.compiler.leaf import READS
from metrics_pipeline.custom_metrics.compiler.plan import Leaf, Plan
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.spans import Span
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.windows import DAY


@dataclass(frozen=True)
class ChangedTable:
    """days: UTC days of partitions whose files changed; None where any may have."""

    version: int
    days: frozenset[date] | None


@dataclass(frozen=True)
class Stale:
    """What has to be computed.

    defined: metrics that are new or changed, from their first day on. touched: others, over these spans (first, end) of
    days. end: after today. cursor: where the next look goes on.
    """

    defined: frozenset[str]
    defined_from: date
    touched: frozenset[str]
    spans: frozenset[tuple[date, date]]
    end: date
    cursor: Mapping[str, object]


def first_day(lake: Lake, tables: Collection[str], otherwise: date) -> date:
    """The first day that any of the tables has rows of; `otherwise` where one has no days, or none has rows."""
    found: list[date] = []
    for name in tables:
        column = lake.tables[name].day_column
        if column is None:
            return otherwise
        found += _files(lake.table(name), column).values()
    return min(found, default=otherwise)


def changed_tables(lake: Lake, names: Collection[str], since: Mapping[str, int]) -> dict[str, ChangedTable]:
    """Those of the tables that have moved since these versions, with the days that changed.

    One that `since` does not name was not looked at before: any of its days may have changed.
    """
    found: dict[str, ChangedTable] = {}
    for name in sorted(names):
        table = lake.table(name)
        before = since.get(name)
        if before == table.version():
            continue
        if name == READS:
            found |= _newly_read(table, before)
            continue
        days = None if before is None else _changed_days(table, before, lake.tables[name].day_column)
        if days is None or days:
            found[name] = ChangedTable(table.version(), days)
    return found


def watched_tables(version: MetricVersion, datasets: Datasets) -> set[str]:
    """The tables whose changes change values, or what is known of them."""
    found = (datasets.get(leaf.metric.dataset) for _, leaf in Plan.of(version).leaves)
    is_read_by_day = any(dataset is not None and dataset.is_read_by_day for dataset in found)
    return tables_of(version, datasets) | ({READS} if is_read_by_day else set())


def tables_of(version: MetricVersion, datasets: Datasets) -> set[str]:
    """The tables that a metric's rows come from; none for a data set that is gone."""
    found = (datasets.get(leaf.metric.dataset) for _, leaf in Plan.of(version).leaves)
    return {dataset.table for dataset in found if dataset is not None}


def touched_days(
    version: MetricVersion, datasets: Datasets, changed: Mapping[str, ChangedTable], first: date, today: date
) -> Iterator[tuple[date, date]]:
    """Spans (first, end) of days of the metric whose values may differ, none before `first` or after `today`."""
    for _, leaf in Plan.of(version).leaves:
        dataset = datasets.get(leaf.metric.dataset)
        if dataset is None:
            continue
        at = leaf.metric.agg_time_dimension or dataset.times[0]
        of_rows, of_reads = changed.get(dataset.table), changed.get(_reads_of(dataset.name))
        if of_rows is not None and (of_rows.days is None or at != dataset.partition_time):
            yield first, today + DAY
            continue
        reach = _reach(leaf)
        # a day of another zone touches the UTC day beside it
        beside = timedelta(0) if version.definition.timezone == "UTC" else DAY
        for day in {day for change in (of_rows, of_reads) if change is not None for day in change.days or ()}:
            span = max(first, day - beside), min(today + DAY, day + beside + reach + DAY)
            if span[0] < span[1]:
                yield span


def _reach(leaf: Leaf) -> timedelta:
    """How long after a day its rows are still part of values."""
    days = 0
    for entry in leaf.leg.offsets:
        days += entry.offset.longest_days if entry.offset is not None else 366
    cumulative = leaf.leg.cumulative
    if cumulative is not None:
        days += Span.parse(cumulative.window).longest_days if cumulative.window is not None else 366
    return timedelta(days=days)


def _reads_of(dataset: str) -> str:
    return f"{READS}/{dataset}"


def _newly_read(table: DeltaTable, before: int | None) -> dict[str, ChangedTable]:
    """By table of the application the days that are known by now and were not, as if each table had a table of reads.

    A day that was read after its end before is known in whole, in whatever zone.
    """
    try:
        earlier = {} if before is None else _reads(DeltaTable(table.table_uri, version=before))
    except DeltaError:  # its log or checkpoint is gone
        earlier = {}
    found: dict[str, set[date]] = {}
    for (name, day), at in _reads(table).items():
        known = earlier.get((name, day))
        if at != known and (known is None or known.date() <= day):
            found.setdefault(name, set()).add(day)
    return {_reads_of(name): ChangedTable(table.version(), frozenset(days)) for name, days in found.items()}


def _reads(table: DeltaTable) -> dict[tuple[str, date], datetime]:
    rows = table.to_pyarrow_table(columns=["table_name", "date", "last_read_at"]).to_pylist()
    return {(row["table_name"], row["date"]): row["last_read_at"] for row in rows}


def _changed_days(table: DeltaTable, before: int, column: str | None) -> frozenset[date] | None:
    if column is None:
        return None
    try:
        earlier = DeltaTable(table.table_uri, version=before)
    except DeltaError:  # its log or checkpoint is gone
        return None
    old, new = _files(earlier, column), _files(table, column)
    return frozenset(day for path, day in {*old.items(), *new.items()} if path not in old or path not in new)


def _files(table: DeltaTable, column: str) -> dict[str, date]:
    added = pa.table(table.get_add_actions(flatten=True))
    days: Sequence[object] = added[f"partition.{column}"].to_pylist()
    return {str(path): day for path, day in zip(added["path"].to_pylist(), days, strict=True) if isinstance(day, date)}
