"""Rows of the database as rows of the lake: a page becomes an Arrow batch, what does not fit is counted and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from metrics_pipeline.application.source import SourceTable
from metrics_pipeline.application.values import Convert, MisfitError, converter
from metrics_pipeline.catalog.application import DAY_NAME, WORKSPACE
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.windows import Window

MISFITS_SHOWN = 20
Row = list[object]


@dataclass
class Misfits:
    """Rows that were left out because a value does not fit its declared type."""

    rows: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)

    def add(self, table: str, key: str, column: str, reason: str) -> None:
        self.rows += 1
        self.by_column[column] += 1
        if len(self.shown) < MISFITS_SHOWN:
            self.shown.append(f"{table}, {key}: {column} {reason}")

    def add_keyless(self, rows: int, key: Sequence[str]) -> None:
        """Rows without a key cannot be told apart, and are never read."""
        if rows:
            self.rows += rows
            self.by_column[" ".join(key)] += rows
            self.shown.append(f"{rows} rows: {' '.join(key)} is null, and a part of the key")

    def summary(self, table: str) -> str:
        columns = ", ".join(f"{column} {count}" for column, count in sorted(self.by_column.items()))
        return f"{self.rows} rows of {table} were left out, a value does not fit: {columns}"


class PageReader:
    """Turns pages of one table into batches with the lake table's schema."""

    def __init__(self, source: SourceTable, spec: TableSpec, window: Window | None, now: datetime) -> None:
        self._source = source
        self._spec = spec
        self._window = window
        self._now = now
        self._names = list(source.declared.columns)
        self._convert: list[Convert] = [
            converter(column, source.zone(name)) for name, column in source.declared.columns.items()
        ]
        self._keys = [self._names.index(name) for name in source.declared.key]
        self._days = [self._names.index(name) for name in source.declared.day]
        self._changes = [self._names.index(name) for name in source.declared.changes]
        self.misfits = Misfits()

    @property
    def schema(self) -> pa.Schema:
        return self._spec.schema

    def key_of(self, row: Sequence[object]) -> list[object]:
        """A row's key as the driver gave it."""
        return [row[n] for n in self._keys]

    def batch(self, page: Sequence[Sequence[object]]) -> pa.RecordBatch:
        """The rows of a page that belong to the window, without those that do not fit."""
        rows = [row for row in map(self._row, page) if row is not None and self._belongs(row)]
        columns = [pa.array(self._column(f.name, rows), f.type) for f in self._spec.schema]
        return pa.RecordBatch.from_arrays(columns, schema=self._spec.schema)

    def _row(self, raw: Sequence[object]) -> Row | None:
        row: Row = []
        try:
            for convert, value in zip(self._convert, raw, strict=True):
                row.append(None if value is None else convert(value))
        except MisfitError as error:
            column = self._names[len(row)]
            self.misfits.add(self._source.declared.name, self._shown_key(raw), column, str(error))
            return None
        return row

    def _shown_key(self, raw: Sequence[object]) -> str:
        key = " ".join(f"{self._names[n]}={str(raw[n])[:80]!r}" for n in self._keys)
        return f"row {key}"

    def _belongs(self, row: Row) -> bool:
        if self._window is None:
            return True
        day = self._day(row)
        if day is None:
            return False
        if self._window.first_day <= day < self._window.end_day:
            return True
        return any(self._is_inside(row[n]) for n in self._changes)

    def _day(self, row: Row) -> date | None:
        """The UTC day of the first day column that has a value."""
        value = next((row[n] for n in self._days if row[n] is not None), None)
        return value.date() if isinstance(value, datetime) else value  # type: ignore[return-value]

    def _is_inside(self, value: object) -> bool:
        assert self._window is not None  # noqa: S101 - for the type checker
        if isinstance(value, datetime):
            return self._window.contains(value)
        return isinstance(value, date) and self._window.first_day <= value < self._window.end_day

    def _column(self, name: str, rows: Sequence[Row]) -> list[object]:
        """The values of one column of the lake's table; those of a known table that nobody declared are null."""
        if name == "extracted_at":
            return [self._now] * len(rows)
        if name == DAY_NAME and self._window is not None:
            return [self._day(row) for row in rows]
        if name in self._names:
            at = self._names.index(name)
            return [row[at] for row in rows]
        return [self._source.declared.workspace if name == WORKSPACE else None] * len(rows)
