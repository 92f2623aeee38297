"""Reads a file of events row by row, each with its line: NDJSON as it is, CSV and Parquet as flat columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.imports.source_files import Progress, not_utf8

# Of a text file these are numbers and truths; whatever does not read as one is left for the check to refuse.
NUMBERS = frozenset(
    {
        "watch_time", "total_watch_time", "progress", "duration", "completion_percent", "latitude", "longitude",
    }
)  # fmt: skip
WHOLE_NUMBERS = frozenset({"loop_count"})
TRUTHS = frozenset({"is_rewatch", "location_consent"})
_WORDS = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}

Line = tuple[int, object]
"""A line number and an event, or the reason, as a string, why the line is none."""


def event_rows(path: Path, file_format: FileFormat, progress: Progress) -> Iterator[Line]:
    """Every row of the file, in order.

    Raises:
        UserError: the file cannot be read at all.
    """
    try:
        if file_format is FileFormat.PARQUET:
            yield from _parquet(path, progress)
        elif file_format is FileFormat.NDJSON:
            yield from _ndjson(path, progress)
        else:
            yield from _csv(path, progress)
    except UnicodeDecodeError:
        raise not_utf8(path) from None


def _ndjson(path: Path, progress: Progress) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as text:
        for number, line in enumerate(text, 1):
            progress(len(line))
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, "is no JSON"


def _csv(path: Path, progress: Progress) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        try:
            for row in reader:
                progress(sum(len(value or "") for value in row.values() if not isinstance(value, list)))
                if None in row:
                    yield reader.line_num, "has more values than the header has columns"
                    continue
                yield reader.line_num, {name: _typed(name, value) for name, value in row.items() if value}
        except csv.Error as error:
            raise UserError(f"{path.name} cannot be read as CSV: {error}.") from None


def _parquet(path: Path, progress: Progress) -> Iterator[Line]:
    size = path.stat().st_size
    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            progress(size * batch.num_rows // max(1, file.metadata.num_rows))
            for row in batch.to_pylist():
                number += 1
                yield number, {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: object) -> object:
    """Instants as text: without a zone they are UTC, as Parquet writers mean them."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return value


def _typed(name: str, value: str) -> object:
    text = value.strip()
    try:
        if name in NUMBERS:
            return float(text)
        if name in WHOLE_NUMBERS:
            return int(text)
    except ValueError:
        return text
    return _WORDS.get(text.lower(), text) if name in TRUTHS else text
