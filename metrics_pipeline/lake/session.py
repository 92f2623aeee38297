"""One look at the lake: a connection over a fixed set of table versions, and what its statements are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.lake.connect import (
    PARAMETER,
    attach_table,
    connect_duckdb,
    names_in,
    open_cursor,
    read_statement,
)
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.lake.table_spec import TableSpec

if TYPE_CHECKING:
    import pyarrow.dataset as pads  # a fifth of a second: it loads pandas

Parameter = str | int | float | bool | date | datetime | None
Relations: TypeAlias = "Mapping[str, pa.Table | pads.Dataset]"
Days = tuple[date, date]


def conform(rows: pa.RecordBatchReader, spec: TableSpec) -> pa.Table:
    """The rows with the table's columns in the table's order and types.

    Raises:
        KeyError, pa.ArrowInvalid: a column is missing, or a value does not fit its type.
    """
    return rows.read_all().select(spec.schema.names).cast(spec.schema)


def _bound(statement: str, parameters: Mapping[str, Parameter] | None) -> dict[str, Parameter]:
    named = set(PARAMETER.findall(statement))
    return {key: value for key, value in (parameters or {}).items() if key in named}


def _opened(lake: Lake, memory: str | None) -> duckdb.DuckDBPyConnection:
    spill = spill_directory(lake.location)
    return open_cursor(spill) if memory is None else connect_duckdb(spill, memory)


class Session:
    """One DuckDB connection over a fixed set of table versions: every statement in it sees the same data.

    days: tables of which only some days (first, end), or other partitions, are readable. pinned: versions to read,
    where they are given; the versions of the other tables are added to it. memory: how much its statements may hold,
    such as 512MB; the rest of their rows waits on disk. connection: a cursor to work in, in place of one of this
    process's own database, and which tables are attached to it already.
    """

    def __init__(
        self,
        lake: Lake,
        relations: Relations | None = None,
        days: Mapping[str, Days | Partitions] | None = None,
        pinned: dict[str, DeltaTable] | None = None,
        memory: str | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
        attached: Collection[str] = (),
    ) -> None:
        self._lake = lake
        self._connection = connection or _opened(lake, memory)
        self._days = days or {}
        self._pinned: dict[str, DeltaTable] = {} if pinned is None else pinned
        self._attached: set[str] = set(attached)
        for name, relation in (relations or {}).items():
            self._connection.register(name, relation)

    def register(self, name: str, rows: pa.Table) -> None:
        """Let the statements that follow read these rows by a name."""
        self._connection.register(name, rows)

    def pin(self, table: DeltaTable, name: str, only: Partitions | None = None) -> None:
        """Read `name` at the version of this handle, whatever others commit; of `only` these partitions, if named."""
        self._pinned[name] = table
        self._attached.add(name)
        days = self._days.get(name)
        if only is None and days is not None:
            column = str(self._lake.tables[name].day_column)
            only = days if isinstance(days, Partitions) else Partitions(between=(column, *days))
        attach_table(self._connection, self._lake.tables[name], table, only, temporary=True)

    def show(self, name: str, table: str, handle: DeltaTable, files: Collection[str]) -> None:
        """Let the statements that follow read some files of one version of a table, by a name of their own."""
        attach_table(self._connection, self._lake.tables[table], handle, name=name, temporary=True, files=files)

    @property
    def versions(self) -> dict[str, int]:
        """The version of every lake table read so far."""
        return {name: table.version() for name, table in self._pinned.items()}

    def run(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> pa.RecordBatchReader:
        """Run one statement; `parameters` it does not name are left out.

        The reader has to be read to its end before the next statement runs.
        """
        self._attach_what(statement)
        bound = _bound(statement, parameters)
        rows: pa.RecordBatchReader = self._connection.sql(statement, params=bound or None).to_arrow_reader()
        return rows

    def run_file(self, file: str, parameters: Mapping[str, Parameter] | None = None) -> pa.RecordBatchReader:
        return self.run(read_statement(file), parameters)

    def define(self, name: str, file: str) -> None:
        """Let the statements that follow read a file without parameters by a name; it is run by each of them."""
        statement = read_statement(file)
        self._attach_what(statement)
        self._connection.execute(f'create or replace temp view "{name}" as {statement}')

    def keep(self, name: str, file: str, parameters: Mapping[str, Parameter]) -> None:
        """Run a file once and keep its rows under a name for the statements that follow."""
        self.keep_rows(name, read_statement(file), parameters)

    def keep_rows(self, name: str, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run one statement once and keep its rows under a name; what does not fit into memory goes to disk."""
        self._attach_what(statement)
        bound = _bound(statement, parameters)
        self._connection.execute(f'create or replace temp table "{name}" as {statement}', bound or None)

    def narrow(self, name: str, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Let the statements that follow find, under a table's name, only the rows of this statement."""
        self.keep_rows(f"rows_of_{name}", statement, parameters)
        self._connection.execute(f'create or replace temp view "{name}" as from "rows_of_{name}"')

    def columns(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> list[tuple[str, str]]:
        """The columns of a statement, each with its type; it is not run."""
        self._attach_what(statement)
        relation = self._connection.sql(statement, params=_bound(statement, parameters) or None)
        return list(zip(relation.columns, map(str, relation.types), strict=True))

    def leave_out(self, *names: str) -> None:
        """Let the statements that follow find no rows under these tables' names; nothing is opened for them."""
        for name in names:
            self._connection.register(name, self._lake.tables[name].schema.empty_table())
            self._attached.add(name)

    def _attach_what(self, statement: str) -> None:
        # ordered: viewer_days is opened before viewer_sketches, which its days go into before they are deleted
        for name in sorted(names_in(statement, self._lake.tables) - self._attached):
            self.pin(self._pinned.get(name) or self._lake.table(name), name)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
