"""Reads NDJSON, one object a line, as text columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.source_files import Columns, Progress, RawRows, not_utf8, raw_schema
from metrics_pipeline.lake.connect import connect_duckdb

# Bytes of lines parsed at a time: bounds memory, and is large enough that the overhead per batch is nothing.
_BATCH_BYTES = 32 * 1024 * 1024


def read_ndjson(path: Path, columns: Columns, progress: Progress) -> RawRows:
    """All lines of an NDJSON file; blank lines are skipped.

    Raises:
        UserError: no UTF-8, a JSON array instead of lines, or a required column in no line.
    """
    connection = connect_duckdb()
    parts = [raw_schema(columns).empty_table()]
    broken: list[tuple[int, str]] = []
    found: dict[str, None] = {}
    try:
        with path.open("rb") as handle:
            first = 1
            while lines := handle.readlines(_BATCH_BYTES):
                texts = _decoded(path, lines, is_start=first == 1)
                numbers = pa.array(range(first, first + len(texts)), pa.int64())
                connection.register("lines", pa.table({"line": numbers, "text": pa.array(texts, pa.string())}))
                objects = connection.sql(_OBJECTS).to_arrow_table()
                connection.register("objects", objects)
                wrong = connection.sql("select line from objects where object is null order by line").fetchall()
                broken += [(line, "is no JSON object") for (line,) in wrong]
                found |= dict.fromkeys(name for (name,) in connection.sql(_KEYS).fetchall())
                parts.append(_columns_of(connection.sql(_select(columns)).to_arrow_table(), columns))
                first += len(texts)
                progress(sum(map(len, lines)))
    finally:
        connection.close()
    if found:  # without one object there is no column to miss: each line says what is wrong with it
        columns.check(path, list(found))
    return RawRows(pa.concat_tables(parts), broken, columns.unread(sorted(found)))


_OBJECTS = r"""
select line, case when json_valid(text) then case when json_type(text) = 'OBJECT' then text end end as object
from lines
where regexp_matches(text, '\S')
"""
_KEYS = "select distinct unnest(json_keys(object)) from objects where object is not null"


def _select(columns: Columns) -> str:
    """The known columns as text; their names are this project's own, never the file's."""
    fields = ", ".join(f"object ->> '$.{name}' as \"{name}\"" for name in columns.names)
    return f"select line, {fields} from objects where object is not null order by line"  # noqa: S608


def _columns_of(rows: pa.Table, columns: Columns) -> pa.Table:
    return rows.cast(raw_schema(columns))


def _decoded(path: Path, lines: list[bytes], *, is_start: bool) -> list[str]:
    try:
        texts = [line.decode("utf-8-sig" if is_start and n == 0 else "utf-8") for n, line in enumerate(lines)]
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    if is_start and texts[0].lstrip().startswith("["):
        raise UserError(f"{path.name} is a JSON array; write one object per line instead (NDJSON).")
    return texts
