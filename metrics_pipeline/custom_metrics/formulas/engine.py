"""DuckDB as the judge of formulas: its words, and the type that it gives an expression. Nothing is ever run."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import duckdb

from metrics_pipeline.custom_metrics.formulas.datatypes import SQL_TYPES, Datatype
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError

# Names of aggregates in other products, for a clear error.
OTHER_AGGREGATES = frozenset(
    {"average", "count_distinct", "distinct_count", "sum_boolean", "percentile", "percentile_cont", "percentile_disc"}
    | {"variance", "stddev", "any_value", "countif", "group_concat", "listagg", "array_agg", "string_agg"}
)


@dataclass(frozen=True)
class Engine:
    """A private database in memory, for one question at a time."""

    connection: duckdb.DuckDBPyConnection
    reserved: frozenset[str]
    aggregates: frozenset[str]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def datatype_of(self, sql: str, columns: Mapping[str, Datatype], table: str) -> str:
        """The type DuckDB gives an expression over an empty table with these columns, in small letters.

        Raises:
            FormulaError: expr_engine_disagrees, DuckDB cannot bind it.
        """
        typed = ", ".join(f"null::{SQL_TYPES[columns[name]]} as {quoted(name)}" for name in sorted(columns))
        statement = f"select {sql} from (select {typed or '1'} limit 0) as {quoted(table)}"  # noqa: S608 our own writing
        with self.lock:
            try:
                return str(self.connection.sql(statement).types[0]).lower()
            except duckdb.Error:
                detail = "The engine does not accept this formula. Write it in a simpler way."
                raise FormulaError("expr_engine_disagrees", detail) from None

    def tree(self, sql: str) -> str:
        """A statement as DuckDB's own parser reads it, as JSON."""
        with self.lock:
            [row] = self.connection.execute("select json_serialize_sql($1::varchar)", [sql]).fetchall()
            return str(row[0])


def engine() -> Engine:
    """The engine of this process."""
    return _engine(os.getpid())


# A forked process starts its own.
@lru_cache(maxsize=1)
def _engine(_process: int) -> Engine:
    connection = duckdb.connect(config={"threads": 1})
    for setting in (
        "TimeZone = 'UTC'",
        "enable_external_access = false",
        "python_enable_replacements = false",
        "memory_limit = '100MB'",
        "max_temp_directory_size = '0GB'",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")
    reserved = _names(
        connection,
        "select keyword_name from duckdb_keywords() where keyword_category in ('reserved', 'type_function')",
    )
    aggregates = _names(connection, "select function_name from duckdb_functions() where function_type = 'aggregate'")
    return Engine(connection, reserved, aggregates | OTHER_AGGREGATES)


def _names(connection: duckdb.DuckDBPyConnection, statement: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.execute(statement).fetchall())


def quoted(name: str) -> str:
    """A name as an identifier of SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'
