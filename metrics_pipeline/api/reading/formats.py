"""Answers as bytes: JSON with the data and what it rests on, or rows as CSV or Parquet."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pydantic_core import to_json

from metrics_pipeline.api.problems import Problem

JSON = "application/json"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
FORMATS = (JSON, CSV, PARQUET)


@dataclass(frozen=True)
class Raw:
    """A value that is JSON text already."""

    text: str


def json_bytes(value: object) -> bytes:
    """A value as JSON; numbers that JSON cannot write are null."""
    if isinstance(value, Raw):
        return value.text.encode()
    if isinstance(value, Mapping):
        parts = (to_json(str(name)) + b":" + json_bytes(each) for name, each in value.items())
        return b"{" + b",".join(parts) + b"}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and _holds_raw(value):
        return b"[" + b",".join(json_bytes(each) for each in value) + b"]"
    return to_json(value, inf_nan_mode="null")


def _holds_raw(values: Iterable[object]) -> bool:
    return any(isinstance(value, Raw | Mapping) for value in values)


def envelope(data: object, meta: Mapping[str, object]) -> bytes:
    """`{data, meta}`; the generation in meta changes whenever the data does, and with nothing else."""
    body = json_bytes(data)
    named = {**meta, "generation": hashlib.sha256(body).hexdigest()[:16]}
    return b'{"data":' + body + b',"meta":' + json_bytes(named) + b"}"


def rows_as(media_type: str, rows: pa.Table) -> bytes:
    """Rows as CSV (instants in UTC) or Parquet."""
    sink = io.BytesIO()
    if media_type == CSV:
        from pyarrow import csv

        csv.write_csv(rows, sink)
    else:
        from pyarrow import parquet

        parquet.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def wanted_format(accept: str | None, formats: Sequence[str] = FORMATS) -> str:
    """The first of the formats that a client likes best (RFC 9110, 12.5.1).

    Raises:
        Problem: 406, it likes none.
    """
    if not accept:
        return formats[0]
    ranges = [_range(part) for part in accept.split(",")[:20] if part.strip()]
    best, best_quality = None, 0.0
    for media_type in formats:
        fitting = [(specific, q) for name, q in ranges if (specific := _fit(name, media_type)) > 0]
        quality = max(fitting)[1] if fitting else 0.0
        if quality > best_quality:
            best, best_quality = media_type, quality
    if best is None:
        raise Problem(406, "not_acceptable", f"Answers are written as {', '.join(formats)}.")
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                quality = 0.0
    return name, quality if quality == quality else 0.0


def _fit(name: str, media_type: str) -> int:
    """How closely a range of Accept names a type: 0 for not at all."""
    if name == media_type:
        return 3
    if name == media_type.split("/", maxsplit=1)[0] + "/*":
        return 2
    return 1 if name == "*/*" else 0
