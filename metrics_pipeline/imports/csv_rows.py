"""Reads CSV as text columns with exact line numbers, whatever is quoted and however many lines are blank.

DuckDB's own CSV reader is faster, but it names no line for a row that parses and then proves wrong. The tokenizer of
the standard library is compiled: a million rows take about two seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.source_files import Columns, Progress, RawRows, not_utf8, raw_schema

if TYPE_CHECKING:
    from _csv import Reader

# Rows turned into Arrow at a time: enough to be fast, few enough that the Python strings are soon gone.
_BATCH = 50_000
_DELIMITERS = ",;\t"


def read_csv(path: Path, columns: Columns, progress: Progress) -> RawRows:
    """All rows of a CSV file, first line the header; comma, semicolon or tab, whichever the header has most.

    Raises:
        UserError: no UTF-8, no usable header, or a quote that is never closed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(_reported(text, progress), delimiter=_delimiter(path), strict=True)
            return _read(path, columns, reader)
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except csv.Error as error:
        raise UserError(f"{path.name} cannot be read as CSV: {error}.") from None


def _delimiter(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = next((line for line in text if line.strip()), "")
    return max(_DELIMITERS, key=header.count)


def _reported(lines: Iterator[str], progress: Progress) -> Iterator[str]:
    pending = 0
    for line in lines:
        pending += len(line)
        if pending > 1_000_000:
            progress(pending)
            pending = 0
        yield line
    progress(pending)


def _read(path: Path, columns: Columns, reader: Reader) -> RawRows:
    header = [name.strip().lower() for name in next(filter(None, reader), [])]
    columns.check(path, header)
    broken: list[tuple[int, str]] = []
    schema = raw_schema(columns)
    parts = [_arrow(lines, rows, header, schema) for lines, rows in _batches(path, reader, len(header), broken)]
    return RawRows(pa.concat_tables([schema.empty_table(), *parts]), broken, columns.unread(header))


def _batches(
    path: Path,
    reader: Reader,
    width: int,
    broken: list[tuple[int, str]],
) -> Iterator[tuple[list[int], list[list[str]]]]:
    lines: list[int] = []
    rows: list[list[str]] = []
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # a quote that is never closed swallows all that follows: what is lost cannot even be counted
            if "expected after" not in str(error):
                raise UserError(f"{path.name} cannot be read from line {start} on: {error}.") from None
            broken.append((start, "a quote is closed in the middle of a field"))
            continue
        if len(row) == width:
            lines.append(start)
            rows.append(row)
        elif any(row):
            broken.append((start, f"has {len(row)} fields where the header has {width}"))
        if len(rows) == _BATCH:
            yield lines, rows
            lines, rows = [], []
    if rows:
        yield lines, rows


def _arrow(lines: list[int], rows: list[list[str]], header: list[str], schema: pa.Schema) -> pa.Table:
    by_name = dict(zip(header, zip(*rows, strict=True), strict=True))
    arrays: list[pa.Array[Any]] = [pa.array(lines, pa.int64())]
    arrays += [
        pa.array(by_name[name], pa.string()) if name in by_name else pa.nulls(len(rows), pa.string())
        for name in schema.names[1:]
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
