"""The shape of a lake table: its columns with their meaning, its partitions, its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

ColumnType = Literal["string", "date", "timestamp", "double", "bigint", "int", "boolean", "binary"]

_ARROW: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
}
_SQL: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "double": "DOUBLE",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "boolean": "BOOLEAN",
    "binary": "BLOB",
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    description: str

    @property
    def sql_type(self) -> str:
        return _SQL[self.type]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A lake table.

    keys: the columns that identify a row. sort_by: the order inside a file, so that one workspace's rows lie
    together. day_column: the partition column by which rows age, None for tables that do not. people_column: by
    which a person's rows are found, in tables that have such rows. log_statistics: the columns whose smallest and
    largest values may stand in the table's log, None for all; tables with people name harmless ones, because the
    log outlives an erasure. stamps: columns that say when a row was computed, which is no part of what it says.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    keys: tuple[str, ...]
    sort_by: tuple[str, ...]
    day_column: str | None = None
    people_column: str | None = None
    log_statistics: tuple[str, ...] | None = None
    stamps: tuple[str, ...] = ()

    @property
    def facts(self) -> list[str]:
        """The columns that make two rows different."""
        return [c.name for c in self.columns if c.name not in self.stamps]

    @property
    def properties(self) -> dict[str, str]:
        """Properties of the Delta table."""
        return {} if self.log_statistics is None else {"delta.dataSkippingStatsColumns": ",".join(self.log_statistics)}

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, _ARROW[c.type]) for c in self.columns])

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


TENANT: tuple[tuple[str, ColumnType, str], ...] = (
    ("workspace_id", "string", "The tenant the row belongs to."),
    ("platform", "string", "Platform name in lower case."),
)


def columns_of(*groups: tuple[tuple[str, ColumnType, str], ...]) -> tuple[Column, ...]:
    """Columns from groups of (name, type, description)."""
    return tuple(Column(*column) for group in groups for column in group)
