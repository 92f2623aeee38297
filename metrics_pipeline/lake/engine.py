"""Runs the files of `sql/` over lake tables: the one place that knows which engine computes.

A file is a single SELECT with `$named` parameters that reads lake tables, and relations handed in, by name.
A line `-- include FILE` stands for the statement of another file, inside the parentheses of a common table
expression. Whatever has no portable form sits in named macros (`sql/macros.sql`), the one place to port.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.lake.changes import changed_rows, days_note
from metrics_pipeline.lake.connect import attach_table, connect_duckdb, open_cursor, read_statement
from metrics_pipeline.lake.differences import differing_days
from metrics_pipeline.lake.lake import Lake, commit_retries, replace_partitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.row_stream import RowStream
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.lake.table_spec import TableSpec

if TYPE_CHECKING:
    import pyarrow.dataset as pads  # a fifth of a second: it loads pandas

Parameter = str | int | float | bool | date | datetime | None
Relations: TypeAlias = "Mapping[str, pa.Table | pads.Dataset]"
Days = tuple[date, date]

_PARAMETER = re.compile(r"\$(\w+)")
_WORD = re.compile(r"\b[a-z_][a-z0-9_]*\b")


def conform(rows: pa.RecordBatchReader, spec: TableSpec) -> pa.Table:
    """The rows with the table's columns in the table's order and types.

    Raises:
        KeyError, pa.ArrowInvalid: a column is missing, or a value does not fit its type.
    """
    return rows.read_all().select(spec.schema.names).cast(spec.schema)


def _bound(statement: str, parameters: Mapping[str, Parameter] | None) -> dict[str, Parameter]:
    named = set(_PARAMETER.findall(statement))
    return {key: value for key, value in (parameters or {}).items() if key in named}


class Session:
    """One DuckDB connection over a fixed set of table versions: every statement in it sees the same data.

    days: tables of which only some days (first, end) are readable. pinned: versions to read, where they are given;
    the versions of the other tables are added to it. memory: how much its statements may hold, such as 512MB; the rest
    of their rows waits on disk.
    """

    def __init__(
        self,
        lake: Lake,
        relations: Relations | None = None,
        days: Mapping[str, Days] | None = None,
        pinned: dict[str, DeltaTable] | None = None,
        memory: str | None = None,
    ) -> None:
        self._lake = lake
        spill = spill_directory(lake.location)
        self._connection = open_cursor(spill) if memory is None else connect_duckdb(spill, memory)
        self._days = days or {}
        self._pinned: dict[str, DeltaTable] = {} if pinned is None else pinned
        self._attached: set[str] = set()
        for name, relation in (relations or {}).items():
            self._connection.register(name, relation)

    def pin(self, table: DeltaTable, name: str, only: Partitions | None = None) -> None:
        """Read `name` at the version of this handle, whatever others commit; of `only` these partitions, if named."""
        self._pinned[name] = table
        self._attached.add(name)
        days = self._days.get(name)
        if only is None and days is not None:
            only = Partitions(between=(str(self._lake.tables[name].day_column), *days))
        attach_table(self._connection, self._lake.tables[name], table, only, temporary=True)

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

    def _attach_what(self, statement: str) -> None:
        # ordered: viewer_days is opened before viewer_sketches, which its days go into before they are deleted
        for name in sorted(set(_WORD.findall(statement)) & self._lake.tables.keys() - self._attached):
            self.pin(self._pinned.get(name) or self._lake.table(name), name)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Piece:
    """A part of a build: what its statement is given, and which days it may read."""

    parameters: Mapping[str, Parameter]
    relations: Relations
    days: Mapping[str, Days]


class Engine:
    """What the rest of the code may ask for: a query's rows, a table built from a file, rows merged into one."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def session(
        self, relations: Relations | None = None, days: Mapping[str, Days] | None = None, memory: str | None = None
    ) -> Session:
        return Session(self.lake, relations, days, memory=memory)

    def query(
        self,
        file: str,
        parameters: Mapping[str, Parameter] | None = None,
        relations: Relations | None = None,
        days: Mapping[str, Days] | None = None,
    ) -> pa.Table:
        """All rows of a file of `sql/`; of the tables in `days` only those days are read."""
        with self.session(relations, days) as session:
            return session.run_file(file, parameters).read_all()

    def rows_per_day(self, table: str, first: date, end: date) -> dict[date, int]:
        """How many rows a table holds for each day in [first, end)."""
        return self.lake.rows_per_day(table, first, end)

    def build(
        self,
        table: str,
        file: str,
        partitions: Partitions,
        parameters: Mapping[str, Parameter],
        relations: Relations | None = None,
        *,
        days: Mapping[str, Days] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Replace partitions of `table` with the rows of `file` in one commit; returns how many rows.

        Of the tables in `days` only those days are read. The commit remembers which versions of which tables it read
        (`source.<table>`), and the notes.
        """
        return self.build_in_pieces(table, file, partitions, [Piece(parameters, relations or {}, days or {})], notes)

    def build_in_pieces(
        self,
        table: str,
        file: str,
        partitions: Partitions,
        pieces: Sequence[Piece],
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """As `build`, the rows of one piece after the other: memory holds one of them, all see the same versions."""
        rows = 0
        spec = self.lake.tables[table]
        sources = set(_WORD.findall(read_statement(file))) & self.lake.tables.keys() - {table}
        metadata: dict[str, str] = {}

        def of_pieces(pinned: dict[str, DeltaTable]) -> Iterator[pa.RecordBatch]:
            nonlocal rows
            for piece in pieces:
                with Session(self.lake, piece.relations, piece.days, pinned) as session:
                    for batch in session.run_file(file, piece.parameters):
                        rows += batch.num_rows
                        yield batch.select(spec.schema.names).cast(spec.schema)

        streams: list[RowStream] = []

        def produce(target: DeltaTable) -> pa.RecordBatchReader:
            nonlocal rows
            rows = 0
            pinned = {table: target} | {name: self.lake.table(name) for name in sorted(sources)}
            metadata.clear()
            metadata.update({**(notes or {}), **{f"source.{name}": str(t.version()) for name, t in pinned.items()}})
            streams.append(RowStream(spec.schema, lambda: of_pieces(pinned)))
            return streams[-1].reader

        try:
            self.lake.replace(table, partitions, produce, metadata)
        except DeltaError:
            streams[-1].reraise()
            raise
        finally:
            for stream in streams:
                stream.close()
        return rows

    def build_changed_days(self, table: str, file: str, partitions: Partitions, piece: Piece) -> int:
        """As `build`, but days whose rows are what they were keep their files; returns the rows of all days.

        The commit says which days changed; there is none where none did.
        """
        spec = self.lake.tables[table]
        day = str(spec.day_column)
        for attempt in commit_retries():
            with attempt:
                target = self.lake.table(table)
                with Session(self.lake, piece.relations, piece.days) as session:
                    session.pin(target, table)
                    session.keep("fresh", file, piece.parameters)
                    sources = {f"source.{name}": str(version) for name, version in session.versions.items()}
                    stale = f"(select * from {table} where {partitions.predicate(spec)})"  # noqa: S608 - names of our own
                    changed = differing_days(session, "fresh", stale, day, spec.facts)
                    if changed:
                        narrowed = replace(partitions, between=None, one_of=(day, changed)).predicate(spec)
                        order = ", ".join(dict.fromkeys((*spec.partition_by, *spec.sort_by)))
                        columns = ", ".join(f'"{name}"' for name in spec.schema.names)
                        rows = session.run(f"select {columns} from fresh where {narrowed} order by {order}")  # noqa: S608
                        replace_partitions(target, narrowed, rows.cast(spec.schema), sources | days_note(changed))
                    return int(session.run("select count(*) as n from fresh").read_all()["n"][0].as_py())
        raise AssertionError("unreachable: the last attempt raises")

    def merge(
        self,
        table: str,
        file: str,
        incoming: pa.Table,
        partitions: Partitions,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        only_changes: bool = False,
    ) -> int:
        """Merge rows into partitions: `file` reads the partitions' rows as `existing` and the new as `incoming`.

        Returns how many rows the partitions gained. The rows stay in memory, so a conflict never fetches again.
        With `only_changes` nothing is committed where the merge leaves the rows as they are. The commit says which
        days changed.
        """
        spec = self.lake.tables[table]
        compared = changed_rows(spec)
        metadata: dict[str, str] = {}
        gained = 0

        def produce(target: DeltaTable) -> pa.Table | None:
            nonlocal gained
            with self.session({"incoming": incoming.cast(spec.schema)}) as session:
                session.pin(target, table)
                condition = partitions.predicate(spec)
                existing = session.run(f"select * from {table} where {condition}").read_all()  # noqa: S608
                session._connection.register("existing", existing)
                result = conform(session.run_file(file, parameters), spec)
                gained = result.num_rows - existing.num_rows
                if compared is not None:
                    session._connection.register("result", result)
                    metadata.update(days_note(differing_days(session, "result", "existing", *compared)))
                return None if only_changes and _same_rows(result, existing.cast(spec.schema), spec) else result

        self.lake.replace(table, partitions, produce, metadata)
        return gained


def _same_rows(one: pa.Table, other: pa.Table, spec: TableSpec) -> bool:
    """Whether two tables hold the same rows, whatever their order."""
    order: list[tuple[str, Literal["ascending", "descending"]]] = [(column, "ascending") for column in spec.sort_by]
    return bool(one.sort_by(order).equals(other.sort_by(order)))
