"""Runs the files of `sql/` over lake tables: the one place that knows which engine computes.

A file is a single SELECT with `$named` parameters that reads lake tables, and relations handed in, by name.
A line `-- include FILE` stands for the statement of another file, inside the parentheses of a common table
expression. Whatever has no portable form sits in named macros (`sql/macros.sql`), the one place to port.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.lake.changes import changed_rows, days_note
from metrics_pipeline.lake.connect import names_in, read_statement
from metrics_pipeline.lake.differences import differing_days
from metrics_pipeline.lake.lake import Lake, commit_retries, replace_partitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.row_stream import RowStream
from metrics_pipeline.lake.session import Days, Parameter, Relations, Session, conform
from metrics_pipeline.lake.table_spec import TableSpec


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
        sources = names_in(read_statement(file), self.lake.tables) - {table}
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
                session.register("existing", existing)
                result = conform(session.run_file(file, parameters), spec)
                gained = result.num_rows - existing.num_rows
                if compared is not None:
                    session.register("result", result)
                    metadata.update(days_note(differing_days(session, "result", "existing", *compared)))
                return None if only_changes and _same_rows(result, existing.cast(spec.schema), spec) else result

        self.lake.replace(table, partitions, produce, metadata)
        return gained


def _same_rows(one: pa.Table, other: pa.Table, spec: TableSpec) -> bool:
    """Whether two tables hold the same rows, whatever their order."""
    order: list[tuple[str, Literal["ascending", "descending"]]] = [(column, "ascending") for column in spec.sort_by]
    return bool(one.sort_by(order).equals(other.sort_by(order)))
