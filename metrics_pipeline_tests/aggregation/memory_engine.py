"""An engine over tables in memory: the same SQL files and partition replacement, at a tenth of a lake's cost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from metrics_pipeline.lake.connect import connect_duckdb, read_statement
from metrics_pipeline.lake.engine import Engine, Piece
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Days, Parameter, Relations, conform
from metrics_pipeline.lake.tables import TABLES


class MemoryEngine(Engine):
    """Answers `query`, `build` and `merge` like the real one; `tables` holds every table's rows."""

    def __init__(self) -> None:
        super().__init__(Lake("memory"))
        self._connection = connect_duckdb()
        self.clear()

    def clear(self) -> None:
        self.tables: dict[str, pa.Table] = {name: spec.schema.empty_table() for name, spec in TABLES.items()}

    def query(
        self,
        file: str,
        parameters: Mapping[str, Parameter] | None = None,
        relations: Relations | None = None,
        days: Mapping[str, Days] | None = None,
    ) -> pa.Table:
        return self.select(read_statement(file), parameters, relations).read_all()

    def select(
        self, statement: str, parameters: Mapping[str, Parameter] | None = None, relations: Relations | None = None
    ) -> pa.RecordBatchReader:
        """The rows of any statement over the tables and relations."""
        for name, rows in {**self.tables, **(relations or {})}.items():
            self._connection.register(name, rows)
        named = set(re.findall(r"\$(\w+)", statement))
        bound = {key: value for key, value in (parameters or {}).items() if key in named}
        reader: pa.RecordBatchReader = self._connection.sql(statement, params=bound or None).to_arrow_reader()
        return reader

    def _split(self, table: str, partitions: Partitions) -> tuple[pa.Table, pa.Table]:
        """The rows inside and outside of some partitions."""
        inside = partitions.predicate(TABLES[table])
        return (
            self.select(f"select * from {table} where {inside}").read_all(),
            self.select(f"select * from {table} where not ({inside})").read_all(),
        )

    def rows_per_day(self, table: str, first: date, end: date) -> dict[date, int]:
        rows = self.select(
            f"select date, count(*) as rows from {table} where date >= $first and date < $end group by date",
            {"first": first, "end": end},
        )
        return {row["date"]: row["rows"] for row in rows.read_all().to_pylist()}

    def build_in_pieces(
        self,
        table: str,
        file: str,
        partitions: Partitions,
        pieces: Sequence[Piece],
        notes: Mapping[str, str] | None = None,
    ) -> int:
        parts = [
            conform(self.select(read_statement(file), piece.parameters, piece.relations), TABLES[table])
            for piece in pieces
        ]
        _, kept = self._split(table, partitions)
        self.tables[table] = pa.concat_tables([kept.cast(TABLES[table].schema), *parts])
        return sum(int(part.num_rows) for part in parts)

    def build_changed_days(self, table: str, file: str, partitions: Partitions, piece: Piece) -> int:
        return self.build_in_pieces(table, file, partitions, [piece])

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
        spec = TABLES[table]
        existing, kept = self._split(table, partitions)
        relations = {"existing": existing.cast(spec.schema), "incoming": incoming.cast(spec.schema)}
        result = conform(self.select(read_statement(file), parameters, relations), spec)
        self.tables[table] = pa.concat_tables([kept.cast(spec.schema), result])
        return int(result.num_rows - existing.num_rows)
