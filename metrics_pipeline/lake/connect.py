"""A DuckDB connection, lake tables that can be read in it, and the statements of `sql/`."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from deltalake import DeltaTable

from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.lake.table_spec import TableSpec

if TYPE_CHECKING:
    import pyarrow.dataset as pads  # a fifth of a second: it loads pandas

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"

_INCLUDE = re.compile(r"^\s*-- include (\S+)$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")


PARAMETER = re.compile(r"\$(\w+)")
_WORD = re.compile(r"\b[a-z_][a-z0-9_]*\b")


def names_in(statement: str, names: Collection[str]) -> set[str]:
    """Those of the names that a statement has in it."""
    return set(_WORD.findall(statement)) & set(names)


@cache
def read_statement(file: str) -> str:
    """The statement of a file under `sql/`, its includes put in and its comments left out."""
    text = (SQL_DIR / file).read_text()
    whole = _INCLUDE.sub(lambda match: read_statement(match[1]), text)
    return _COMMENT.sub("", whole).strip().rstrip(";")


def open_cursor(spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection of its own to this process's database, with the macros.

    Temporary tables and views, and what is registered, are its own. To start a database and to define the macros takes
    20 ms each time, this takes none.
    """
    cursor = _database(spill, os.getpid()).cursor()
    _configure(cursor)
    return cursor


# As many as the lakes that a process works with at a time; a forked process starts its own.
@lru_cache(maxsize=2)
def _database(spill: Path, _process: int) -> duckdb.DuckDBPyConnection:
    return connect_duckdb(spill)


def _configure(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set TimeZone = 'UTC'")
    # otherwise a long query draws into the logs of whoever runs it
    connection.execute("set enable_progress_bar = false")


def connect_duckdb(spill: Path | None = None, memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory database of its own in UTC, with the macros; what does not fit into memory goes to `spill`."""
    connection = duckdb.connect(config={"temp_directory": str(spill or spill_directory())})
    if memory is not None:
        connection.execute(f"set memory_limit = '{memory}'")
    _configure(connection)
    for statement in (SQL_DIR / "macros.sql").read_text().split(";"):
        if _COMMENT.sub("", statement).strip():
            connection.execute(statement)
    return connection


def attach_table(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    table: DeltaTable,
    only: Partitions | None = None,
    name: str | None = None,
    *,
    temporary: bool = False,
    files: Collection[str] | None = None,
) -> None:
    """Make one version of a lake table readable under its name, or another; an empty table keeps its columns.

    files: only these of its files, as `file_uris` names them.

    A temporary one is seen by this connection only, whoever shares its database.

    With `only` no file of other partitions is opened: what a file costs before its first row is read (half a
    millisecond) would otherwise grow with history.
    """
    name = name or spec.name
    wanted = None if only is None else only.predicate(spec)
    uris = [uri for uri in table.file_uris(file_pruning_predicate=wanted) if files is None or uri in files]
    if not uris:
        connection.register(name, spec.schema.empty_table())
    elif "://" in uris[0]:
        # object stores: Arrow's readers hold the credentials, DuckDB pushes filters into them
        rows = table.to_pyarrow_dataset(file_pruning_predicate=wanted)
        connection.register(name, rows if files is None else _only(rows, uris))
    else:
        files = ", ".join("'" + uri.replace("'", "''") + "'" for uri in uris)
        types = ", ".join(f"'{c}': {spec.column(c).sql_type}" for c in spec.partition_by)
        # DuckDB refuses an empty list of types
        hive = f"hive_partitioning = true, hive_types = {{{types}}}" if types else "hive_partitioning = false"
        source = f"read_parquet([{files}], {hive}, union_by_name = true)"
        try:
            _create_view(connection, name, spec, source, set(spec.schema.names), temporary)
        except duckdb.BinderException:  # every file is older than a column that was added since
            described = connection.sql(f"describe select * from {source}").fetchall()  # noqa: S608
            _create_view(connection, name, spec, source, {str(row[0]) for row in described}, temporary)


def _only(rows: pads.Dataset, uris: Collection[str]) -> pads.Dataset:
    """Those fragments of a dataset that are these files."""
    import pyarrow.dataset as pads

    assert isinstance(rows, pads.FileSystemDataset)  # noqa: S101 - for the type checker: what deltalake makes is one
    found = [fragment for fragment in rows.get_fragments() if any(uri.endswith(fragment.path) for uri in uris)]
    return pads.FileSystemDataset(found, rows.schema, rows.format, rows.filesystem)


def _create_view(
    connection: duckdb.DuckDBPyConnection, name: str, spec: TableSpec, source: str, have: set[str], temporary: bool
) -> None:
    columns = ", ".join(
        f'"{c.name}"' if c.name in have else f'cast(null as {c.sql_type}) as "{c.name}"' for c in spec.columns
    )
    kind = "temp view" if temporary else "view"
    connection.execute(f'create or replace {kind} "{name}" as select {columns} from {source}')  # noqa: S608
