"""Reads Parquet as text columns, so that one set of rules checks every format."""

from __future__ import annotations

from pathlib import Path

import duckdb

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.source_files import Columns, Progress, RawRows, raw_schema
from metrics_pipeline.lake.connect import connect_duckdb


def read_parquet(path: Path, columns: Columns, progress: Progress) -> RawRows:
    """All rows of a Parquet file, numbered from 1. Dates may be dates, midnights or text; metadata may be nested.

    Raises:
        UserError: it cannot be read, or a required column is missing.
    """
    connection = connect_duckdb()
    try:
        source = connection.from_parquet(str(path), file_row_number=True)
        names = {
            name.strip().lower(): (name, str(kind)) for name, kind in zip(source.columns, source.types, strict=True)
        }
        found = [name.strip().lower() for name in source.columns if name != "file_row_number"]
        columns.check(path, found)
        fields = ", ".join(
            f'{_as_text(*names[name])} as "{name}"' if name in names else f'cast(null as varchar) as "{name}"'
            for name in columns.names
        )
        rows = source.project(f"file_row_number + 1 as line, {fields}").to_arrow_table()
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(f"{path.name} cannot be read as Parquet: {first[:200]}") from None
    finally:
        connection.close()
    progress(path.stat().st_size)
    return RawRows(rows.cast(raw_schema(columns)), [], columns.unread(found))


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind.startswith(("STRUCT", "MAP")):
        return f"cast(to_json({column}) as varchar)"
    if kind.startswith("TIMESTAMP") and name.strip().lower() == "date":
        # a day written as its midnight is that day; any other time of day stays as it is, and is then refused
        return f"case when {column} = date_trunc('day', {column}) then strftime({column}, '%Y-%m-%d') " + (
            f"else cast({column} as varchar) end"
        )
    return f"cast({column} as varchar)"
